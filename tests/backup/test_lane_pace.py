"""Bandwidth as arithmetic: a fixed clock, no threads, no sleep. And the crew of a copier that follows its pace."""

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest
from fake_image import FREE, FakeClock, FakeImage, write_once
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.backup.copier import Copier
from holdfast.backup_format.index import BlockTable
from holdfast.catalog.catalog import Catalog
from holdfast.errors import CanceledError
from holdfast.jobs.pace import Paces
from holdfast.store.memory import MemoryStore
from holdfast.values.pace import BURST_SECONDS, LANES_MAX, TokenBucket, depth_of, lanes_of, take

MIB = 1 << 20


@pytest.mark.parametrize(("score", "lanes", "depth"), [(0, 2, 4), (1, 1, 4), (2, 2, 4), (10, 10, 4), (16, 16, 4)])
def test_a_score_is_a_count_of_threads(score: int, lanes: int, depth: int) -> None:
    assert (lanes_of(score, 2), depth_of(score)) == (lanes, depth)


@pytest.mark.parametrize(("score", "depth"), [(17, 4), (20, 5), (32, 8), (64, 16), (100, 16)])
def test_above_sixteen_the_share_of_the_disk_rises_by_depth(score: int, depth: int) -> None:
    assert (lanes_of(score, 2), depth_of(score)) == (LANES_MAX, depth)


def test_without_a_limit_nothing_waits_and_no_debt_is_kept() -> None:
    bucket, wait = take(TokenBucket(at=0.0, tokens=-1e12), 1 << 40, now=1.0, rate=0)
    assert (bucket, wait) == (TokenBucket(at=1.0), 0.0)


def test_a_request_larger_than_the_burst_is_granted_and_paid_by_those_behind() -> None:
    bucket, wait = take(TokenBucket(at=0.0), 2 * MIB, now=0.0, rate=MIB)
    assert wait == 0.0
    assert take(bucket, 1, now=0.0, rate=MIB)[1] == pytest.approx(2.0)
    assert take(bucket, 1, now=1.5, rate=MIB)[1] == pytest.approx(0.5)
    assert take(bucket, 1, now=2.0, rate=MIB)[1] == 0.0


def test_a_changed_limit_counts_for_those_who_wait() -> None:
    bucket, _ = take(TokenBucket(at=0.0), 10 * MIB, now=0.0, rate=MIB)
    bucket, wait = take(bucket, 1, now=0.0, rate=MIB)
    assert wait == pytest.approx(10.0)
    assert take(bucket, 1, now=0.0, rate=10 * MIB)[1] == pytest.approx(1.0)
    assert take(bucket, 1, now=0.0, rate=0)[1] == 0.0


def test_what_was_not_used_is_not_saved_up() -> None:
    bucket, _ = take(TokenBucket(at=0.0), 0, now=3600.0, rate=MIB)
    assert bucket.tokens == pytest.approx(MIB * BURST_SECONDS)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=4 * MIB), min_size=1, max_size=60), st.integers(1, 64))
def test_over_any_run_the_mean_is_the_rate(sizes: list[int], mib_per_second: int) -> None:
    """Whatever the sizes: what was granted is at most rate x time, the burst, and the last request's debt."""
    rate, now, bucket = mib_per_second * MIB, 0.0, TokenBucket(at=0.0)
    for size in sizes:
        while True:
            bucket, wait = take(bucket, size, now=now, rate=rate)
            if wait == 0.0:
                break
            now += wait
    assert sum(sizes) <= rate * (now + BURST_SECONDS) + sizes[-1] + 1
    assert now <= sum(sizes) / rate + 1e-6


@dataclass
class SetPace:
    """A pace that a test changes."""

    count: int
    takes: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def lanes(self) -> int:
        return self.count

    def depth(self) -> int:
        return 4

    def try_take(self, size_bytes: int) -> float:
        self.takes.append(size_bytes)
        return self.seconds


def copier_of(image: FakeImage, pace: SetPace, store: MemoryStore, tell: object = None) -> Copier:
    return Copier(
        image,
        store,
        BlockTable(len(image.blocks)),
        root="backup_set_1_full",
        set_id=1,
        objects=(),
        pace=pace,
        key=None,
        clock=FakeClock(),
        tell=tell or (lambda figures: None),  # type: ignore[arg-type]
    )


def test_lanes_begin_and_end_while_blocks_are_copied_and_no_block_is_lost() -> None:
    """4 lanes, then 1, then 6. Each change waits until the one before is seen: by its readers, or by what leavers commit."""
    count = 600
    image = FakeImage(blocks=[FREE, FREE, *[write_once(1)] * count])  # one block's memory
    pace, store, told = SetPace(4), MemoryStore(), threading.Condition()
    readers: set[int] = set()
    stages: list[str] = []

    def follow(block_id: int) -> None:
        with told:
            readers.add(threading.get_ident())
            told.notify_all()
            if not stages:
                told.wait_for(lambda: stages or len(readers) == 4, timeout=5)
                if not stages and len(readers) == 4:
                    stages.append("four came")
                    pace.count = 1
            elif stages[-1] == "four came":
                told.wait(0.02)
                if stages[-1] == "four came" and len(list(store.list())) == 3:
                    stages.append("three left")
                    readers.clear()
                    pace.count = 6
            elif stages[-1] == "three left":
                told.wait(0.02)
                if stages[-1] == "three left" and len(readers) > 3:
                    stages.append("others came")

    image.on_read = follow
    copier = copier_of(image, pace, store)
    copied = copier.copy_pass()
    copier.commit()
    copier.close()
    assert stages == ["four came", "three left", "others came"]
    assert copied.changed_count == count
    assert sorted(image.reads) == list(range(2, count + 2))
    assert len(copier.table) == count


def test_every_byte_read_and_written_is_paid_for() -> None:
    image, pace, store = FakeImage(blocks=[FREE, FREE, write_once(1), write_once(2)]), SetPace(1), MemoryStore()
    copier = copier_of(image, pace, store)
    copier.copy_pass()
    copier.commit()
    copier.close()
    written = sum(item.size_bytes for item in store.list())
    assert sum(pace.takes) == copier.counters.figures().input_bytes + written


def test_a_job_that_waits_for_bandwidth_can_be_ended() -> None:
    image, pace, store = FakeImage(blocks=[FREE, FREE, write_once(1)]), SetPace(2, seconds=3600.0), MemoryStore()

    def tell(figures: object) -> None:
        raise CanceledError

    copier = copier_of(image, pace, store, tell)
    with pytest.raises(CanceledError):
        copier.copy_pass()
    copier.close()
    assert list(store.list()) == []


def test_a_running_jobs_pace_follows_its_tenants_parameters() -> None:
    """Read again after half a second, never in between; one bucket for the tenant's backup and restore."""
    clock, values, reads = FakeClock(), {"ha_low_thread_score": "0", "backup_bandwidth_limit": "0"}, []

    def read(tenant_id: int) -> dict[str, str]:
        reads.append(tenant_id)
        return values

    catalog = SimpleNamespace(parameters=SimpleNamespace(values=read))
    paces = Paces(cast(Catalog, catalog), clock)
    pace = paces.backup(1002, 2)
    assert (pace.lanes(), pace.try_take(1 << 40)) == (2, 0.0)
    values.update(ha_low_thread_score="32", backup_bandwidth_limit="1M")
    pace.refresh()
    assert pace.lanes() == 2
    clock.now += 0.6
    pace.refresh()
    assert (pace.lanes(), pace.depth()) == (16, 8)
    assert reads == [1002, 1002]
    assert pace.try_take(2 * MIB) == 0.0
    assert paces.restore(1002, 8).try_take(1) == pytest.approx(1.75)  # 2 MiB less the burst
    assert paces.restore(1004, 8).try_take(1) == 0.0
