"""Turns, the time of a question, and what waits for a client: on a loop, without a server."""

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from door_rig import SmallDesk, tenant

from holdfast.gateway import patience as patience_room
from holdfast.gateway import questions as questions_room
from holdfast.gateway.house import READ_ON_LOOP_BYTES_MAX, READER_THREADS, House
from holdfast.gateway.patience import HalfOpen, Patience, SentAwayError
from holdfast.gateway.places import Attempts, NoPlaceError, Places, TooManyAttemptsError
from holdfast.gateway.questions import Questions, SpentError, TooManyLinksError
from holdfast.gateway.settings import GatewaySettings
from holdfast.gateway.turns import Turns
from holdfast.values.places import PlaceLimits


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, 10))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_turns_come_in_order_and_other_keys_wait_for_nobody() -> None:
    async def scene() -> None:
        turns: Turns[int] = Turns()
        order: list[int] = []

        async def come(number: int) -> None:
            await turns.begin(1, 2)
            order.append(number)

        tasks = [asyncio.create_task(come(number)) for number in range(4)]
        await settle()
        assert order == [0, 1]
        await turns.begin(2, 1)
        turns.end(1)
        await settle()
        assert order == [0, 1, 2]
        turns.end(1)
        turns.end(1)
        turns.end(1)
        turns.end(2)
        await asyncio.gather(*tasks)
        assert (turns._taken, turns._waiting) == ({}, {})

    run(scene())


def test_a_turn_that_is_given_to_one_who_leaves_goes_to_the_next() -> None:
    async def scene() -> None:
        turns: Turns[int] = Turns()
        await turns.begin(1, 1)
        leaves, stays = (asyncio.create_task(turns.begin(1, 1)) for _ in range(2))
        await settle()
        turns.end(1)
        leaves.cancel()  # at the same moment
        await stays
        assert leaves.cancelled()
        turns.end(1)
        assert (turns._taken, turns._waiting) == ({}, {})

    run(scene())


def test_one_who_leaves_the_queue_takes_no_turn() -> None:
    async def scene() -> None:
        turns: Turns[int] = Turns()
        await turns.begin(1, 1)
        leaves, stays = (asyncio.create_task(turns.begin(1, 1)) for _ in range(2))
        await settle()
        leaves.cancel()
        await settle()
        turns.end(1)
        await stays

    run(scene())


def test_the_time_of_a_tenants_questions_is_spent_and_comes_back() -> None:
    async def scene() -> None:
        questions = Questions(GatewaySettings(view_seconds_per_minute=60.0))
        await questions.begin(1)
        questions.end(1, 60.2)
        with pytest.raises(SpentError):
            await questions.begin(1)
        await questions.begin(2)
        questions.end(2, 0.0)
        await asyncio.sleep(0.3)  # a second for each second
        await questions.begin(1)
        questions.end(1, 0.0)

    run(scene())


class Link:
    def __init__(self, questions: Questions, *, may_be_closed: bool) -> None:
        self.questions = questions
        self.may_be_closed = may_be_closed
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True
        self.questions.note_closed(1, self)


def test_the_connection_that_rests_longest_gives_way() -> None:
    questions = Questions(GatewaySettings())
    links = [Link(questions, may_be_closed=True) for _ in range(questions_room._LINKS_AT_REST_MAX + 1)]
    for link in links[:-1]:
        questions.note_open(1, link)
    questions.note_open(1, links[0])  # is asked again
    questions.note_open(1, links[-1])
    assert [link.is_closed for link in links[:3]] == [False, True, False]
    questions.note_open(2, Link(questions, may_be_closed=True))
    assert sum(link.is_closed for link in links) == 1, "those of other tenants do not count"


def test_connections_that_may_not_be_closed_are_bounded() -> None:
    questions = Questions(GatewaySettings())
    for _ in range(questions_room._LINKS_MAX):
        questions.note_open(1, Link(questions, may_be_closed=False))
    with pytest.raises(TooManyLinksError):
        questions.note_open(1, Link(questions, may_be_closed=False))


def test_the_oldest_that_is_waited_for_gives_way_and_the_time_of_others_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience_room, "YOUNG_SECONDS", 0.0)

    async def scene() -> None:
        half_open = HalfOpen(2)

        async def wait() -> int:
            with pytest.raises(SentAwayError) as sent:
                await Patience(0.3, half_open).with_client(asyncio.sleep(5))
            return sent.value.error.number

        tasks = [asyncio.create_task(wait()) for _ in range(3)]
        assert await tasks[0] == 1040
        assert not tasks[1].done()
        assert [await task for task in tasks[1:]] == [1159, 1159]
        assert not half_open._waited_for

    run(scene())


def test_while_all_are_young_nobody_gives_way_and_newcomers_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        half_open = HalfOpen(1)
        assert not half_open.is_full
        tasks = [asyncio.create_task(Patience(5, half_open).with_client(asyncio.sleep(5))) for _ in range(3)]
        await settle()
        assert half_open.is_full
        assert len(half_open._waited_for) == 3
        monkeypatch.setattr(patience_room, "YOUNG_SECONDS", 0.0)
        assert not half_open.is_full, "one of them gives way now"
        tasks.append(asyncio.create_task(Patience(5, half_open).with_client(asyncio.sleep(5))))
        await settle()
        assert [task.done() for task in tasks] == [True, True, True, False]
        tasks[3].cancel()
        told = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(error, SentAwayError) for error in told[:3])

    run(scene())


def test_waits_for_one_client_are_counted_together() -> None:
    async def scene() -> None:
        patience = Patience(0.2)
        await patience.with_client(asyncio.sleep(0.15))
        with pytest.raises(SentAwayError):
            await patience.with_client(asyncio.sleep(0.15))

    run(scene())


def test_a_place_that_is_exchanged_needs_no_free_one() -> None:
    places = Places(lambda: PlaceLimits(connections_max=8, per_tenant_max=1, tenant_ids=frozenset({1002})))
    held = places.take(1002)
    with pytest.raises(NoPlaceError):
        places.take(1002)
    other = places.take(1002, instead=held)
    for _ in range(2):
        held.release()
    other.release()
    assert places.free() == 8


def test_attempts_of_one_name_leave_room_for_another_and_for_sys() -> None:
    attempts = Attempts(8, lambda: 0)
    held = [attempts.under_way("hangs") for _ in range(6)]
    for one in held:
        one.__enter__()
    with pytest.raises(TooManyAttemptsError), attempts.under_way("hangs"):
        pass
    assert not attempts.is_full
    with attempts.under_way("other"), attempts.under_way("other"):
        with pytest.raises(TooManyAttemptsError), attempts.under_way("third"):
            pass
        for _ in range(8):
            held.append(attempts.under_way("sys"))
            held[-1].__enter__()
        assert attempts.is_full, "then the next waits at the door"
    for one in held:
        one.__exit__(None, None, None)
    assert not attempts._by_name


def test_while_places_are_free_as_many_may_log_in_at_once() -> None:
    attempts = Attempts(8, lambda: 100)
    held = [attempts.under_way("t") for _ in range(75)]
    for one in held:
        one.__enter__()
    with pytest.raises(TooManyAttemptsError), attempts.under_way("t"):
        pass


def test_a_tenants_long_texts_are_read_one_at_a_time_beside_anothers() -> None:
    async def scene() -> None:
        at_once: Counter[int] = Counter()
        most: Counter[int] = Counter()
        let_go = threading.Event()

        def work(tenant_id: int) -> int:
            at_once[tenant_id] += 1
            most[tenant_id] = max(most[tenant_id], at_once[tenant_id])
            let_go.wait(10)
            at_once[tenant_id] -= 1
            return tenant_id

        with ThreadPoolExecutor(READER_THREADS) as threads:
            house = House(
                desk=SmallDesk(Path("nowhere")),
                settings=GatewaySettings(),
                statement_threads=threads,
                login_threads=threads,
                reader_threads=threads,
            )
            text = b"x" * (READ_ON_LOOP_BYTES_MAX + 1)
            asked = [
                asyncio.create_task(house.read(tenant(number, "t"), text, partial(work, number)))
                for number in (1002, 1002, 1002, 1004)
            ]
            while not (at_once[1002] and at_once[1004]):
                await asyncio.sleep(0.01)
            name = await house.read(tenant(1002, "t"), text[:-1], lambda: threading.current_thread().name)
            assert name == threading.current_thread().name, "a short one waits for nobody"
            let_go.set()
            assert await asyncio.gather(*asked) == [1002, 1002, 1002, 1004]
            assert most == {1002: 1, 1004: 1}
            assert not house._reader_turns._taken

    run(scene())
