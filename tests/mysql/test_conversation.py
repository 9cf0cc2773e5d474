"""Commands cut from a stream: whole, by halves, byte by byte, and with everything that is not a command in between."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.mysql.conversation import (
    HEAD_BYTES,
    SMALL_BYTES,
    WHOLE_BYTES_MAX,
    Command,
    Conversation,
    Event,
    Flow,
    Opening,
)
from holdfast.mysql.framing import PAYLOAD_BYTES_MAX, frame


def is_long(head: bytes) -> bool:
    """Wanted whole unless it begins with the word `data`."""
    return not head[1:].startswith(b"data")


def feed(data: bytes, step: int) -> list[Event]:
    conversation = Conversation(is_long)
    events: list[Event] = []
    for at in range(0, len(data), step):
        conversation.feed(data[at : at + step])
        while (event := conversation.next_event()) is not None:
            events.append(event)
    return events


def shape(events: list[Event]) -> list[object]:
    """Return the events with neighbouring flows joined: how a flow is cut depends on the network alone."""
    found: list[object] = []
    for event in events:
        if isinstance(event, Flow) and found and isinstance(found[-1], bytes):
            found[-1] += event.data
        else:
            found.append(event.data if isinstance(event, Flow) else event)
    return found


def raw(events: list[Event]) -> bytes:
    return b"".join(event.data if isinstance(event, Flow) else event.raw for event in events)


def local_file(packets: list[bytes], first: int = 2) -> bytes:
    parts = [frame(first + at, packet) for at, packet in enumerate(packets)]
    return b"".join(parts) + frame(first + len(packets), b"")


QUERY = b"\x03select 1"


def test_command_is_handed_over_whole() -> None:
    assert feed(frame(0, QUERY), 100) == [Command(QUERY, frame(0, QUERY))]


def test_command_with_the_bytes_of_the_next_one_is_cut_there() -> None:
    data = frame(0, QUERY) + frame(0, b"\x0e")
    assert feed(data, len(data)) == [Command(QUERY, frame(0, QUERY)), Command(b"\x0e", frame(0, b"\x0e"))]


def test_empty_command_is_a_command() -> None:
    assert feed(frame(0, b""), 1) == [Command(b"", frame(0, b""))]


def test_long_command_someone_wants_to_read_is_waited_for() -> None:
    payload = b"\x03alter" + b" " * (SMALL_BYTES + 10)
    assert feed(frame(0, payload), 10_000) == [Command(payload, frame(0, payload))]


@pytest.mark.parametrize("step", [1000, 1 << 20])
def test_long_command_of_data_flows_whether_it_came_at_once_or_not(step: int) -> None:
    payload = b"\x03data" + b"x" * (SMALL_BYTES + 10)
    opening, rest = shape(feed(frame(0, payload), step))
    assert isinstance(opening, Opening)
    assert opening.head == payload[:HEAD_BYTES]
    assert opening.raw + rest == frame(0, payload)  # type: ignore[operator]


def test_command_beyond_the_bound_flows_even_if_wanted() -> None:
    payload = b"\x03alter" + b" " * WHOLE_BYTES_MAX
    events = feed(frame(0, payload), 1 << 18)
    assert isinstance(events[0], Opening)
    assert raw(events) == frame(0, payload)


@pytest.mark.parametrize("size_bytes", [PAYLOAD_BYTES_MAX - 1, PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX + 7])
def test_continued_command_ends_where_its_last_packet_ends(size_bytes: int) -> None:
    """Continuation packets carry numbers, 0 among them after a wrap; only their state tells them from commands."""
    payload = b"\x03data" + b"x" * (size_bytes - 5)
    data = frame(0, payload) + frame(0, QUERY)
    events = feed(data, 1 << 20)
    assert raw(events) == data
    assert events[-1] == Command(QUERY, frame(0, QUERY))
    assert isinstance(events[0], Opening)
    assert len([event for event in events if isinstance(event, Command)]) == 1


def test_file_is_one_flow_though_its_numbers_wrap() -> None:
    """A packet numbered 0 inside a file looks like a command and is none."""
    file = local_file([QUERY] * 600)
    data = frame(0, b"\x03load data local infile") + file + frame(0, b"\x0e")
    for step in (len(data), 1000, 7, 1):
        first, flow, last = shape(feed(data, step))
        assert isinstance(first, Command)
        assert flow == file
        assert last == Command(b"\x0e", frame(0, b"\x0e"))


def test_end_of_a_file_is_told_once() -> None:
    events = feed(local_file([b"abc", b"def"]), 3)
    assert [event.ends_file for event in events if isinstance(event, Flow)][-1]
    assert sum(event.ends_file for event in events if isinstance(event, Flow)) == 1


def test_empty_file_is_its_closing_packet_alone() -> None:
    assert feed(frame(2, b"") + frame(0, QUERY), 50) == [
        Flow(frame(2, b""), ends_file=True),
        Command(QUERY, frame(0, QUERY)),
    ]


def test_full_file_packet_is_continued_not_closed_by_an_empty_one() -> None:
    """16 MiB - 1 of file, then the empty continuation; the file ends only with the next empty packet."""
    full = b"\xff\xff\xff\x02" + b"x" * PAYLOAD_BYTES_MAX + frame(3, b"")
    data = full + frame(0, QUERY) + frame(5, b"") + frame(0, b"\x0e")
    events = feed(data, 1 << 20)
    assert [event for event in events if isinstance(event, Command)] == [Command(b"\x0e", frame(0, b"\x0e"))]
    assert raw(events) == data


def test_rest_is_what_was_not_handed_over() -> None:
    conversation = Conversation()
    conversation.feed(frame(0, QUERY) + b"tail")
    conversation.next_event()
    assert conversation.pending_bytes == 4
    assert conversation.take_rest() == b"tail"
    assert conversation.pending_bytes == 0
    assert conversation.next_event() is None


def _parts() -> st.SearchStrategy[bytes]:
    command = st.binary(max_size=60).map(lambda payload: frame(0, payload))
    data = st.integers(SMALL_BYTES, SMALL_BYTES + 3000).map(lambda size: frame(0, b"\x03data" + b"x" * size))
    file = st.lists(st.binary(min_size=1, max_size=30), max_size=5).map(local_file)
    return st.one_of(command, command, file, data)


@settings(max_examples=60, deadline=None)
@given(st.lists(_parts(), max_size=6), st.data())
def test_every_byte_leaves_once_and_the_cut_does_not_matter(parts: list[bytes], cuts: st.DataObject) -> None:
    data = b"".join(parts)
    whole = feed(data, max(1, len(data)))
    step = cuts.draw(st.integers(1, max(1, len(data))))
    if len(data) / step > 5000:
        step = len(data) // 5000 + 1
    cut = feed(data, step)
    assert raw(whole) == raw(cut) == data
    assert shape(whole) == shape(cut)


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 20))
def test_noise_never_raises_and_never_gives_more_than_it_got(noise: bytes, step: int) -> None:
    events = feed(noise, step)
    assert noise.startswith(raw(events))


def test_nothing_is_kept_of_what_flows() -> None:
    conversation = Conversation(is_long)
    conversation.feed(frame(0, b"\x03data" + b"x" * 3_000_000)[:100_000])
    while conversation.next_event() is not None:
        pass
    assert conversation.pending_bytes == 0
    conversation.feed(b"x" * 100_000)
    assert conversation.next_event() == Flow(b"x" * 100_000)
    assert conversation.pending_bytes == 0
