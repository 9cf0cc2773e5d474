"""Lengths, strings, packets: what comes apart must go together again, however it was cut."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.mysql.fields import FieldReader, MalformedPacketError, encode_length, encode_string
from holdfast.mysql.framing import PAYLOAD_BYTES_MAX, Packet, PacketReader, frame, frame_all


def read_all(data: bytes, step: int, *, payload_bytes_max: int = 1 << 26) -> list[Packet]:
    reader = PacketReader(payload_bytes_max=payload_bytes_max)
    found: list[Packet] = []
    for at in range(0, len(data), step):
        reader.feed(data[at : at + step])
        while (packet := reader.next_packet()) is not None:
            found.append(packet)
    return found


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, b"\x00"),
        (250, b"\xfa"),
        (251, b"\xfc\xfb\x00"),
        (0xFFFF, b"\xfc\xff\xff"),
        (0x10000, b"\xfd\x00\x00\x01"),
        (0xFFFFFF, b"\xfd\xff\xff\xff"),
        (0x1000000, b"\xfe\x00\x00\x00\x01\x00\x00\x00\x00"),
        ((1 << 64) - 1, b"\xfe" + b"\xff" * 8),
    ],
)
def test_length_is_encoded_in_the_shortest_form(value: int, encoded: bytes) -> None:
    assert encode_length(value) == encoded
    assert FieldReader(encoded, "test").length() == value


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_strings_come_back_in_order(values: list[bytes]) -> None:
    reader = FieldReader(b"".join(encode_string(value) for value in values), "test")
    assert [reader.string() for _ in values] == values
    assert reader.remaining == 0


@given(st.binary(max_size=40))
def test_reader_reads_within_the_payload_or_refuses(payload: bytes) -> None:
    for read in (FieldReader.string, FieldReader.cell, FieldReader.length):
        reader = FieldReader(payload, "test")
        with suppress(MalformedPacketError):
            while reader.remaining:
                read(reader)
        assert reader.remaining >= 0


def test_null_is_a_cell_but_no_string() -> None:
    assert FieldReader(b"\xfb", "row").cell() is None
    with pytest.raises(MalformedPacketError, match="found NULL"):
        FieldReader(b"\xfb", "row").string()


def test_last_field_may_lack_its_nul() -> None:
    reader = FieldReader(b"one\0two", "test")
    assert (reader.until_nul(), reader.until_nul(), reader.until_nul()) == (b"one", b"two", b"")


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=6), st.integers(0, 255), st.integers(1, 9))
def test_packets_come_back_however_they_were_cut(payloads: list[bytes], sequence: int, step: int) -> None:
    packets = read_all(frame_all(sequence, payloads), step)
    assert [packet.payload for packet in packets] == payloads
    assert [packet.sequence for packet in packets] == [(sequence + at) & 0xFF for at in range(len(payloads))]


@pytest.mark.parametrize("size_bytes", [PAYLOAD_BYTES_MAX - 1, PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX + 1])
def test_payload_of_16_mib_is_continued(size_bytes: int) -> None:
    """Exactly full is followed by an empty packet."""
    data = frame(3, b"x" * size_bytes)
    packets = size_bytes // PAYLOAD_BYTES_MAX + 1
    assert len(data) == size_bytes + 4 * packets
    assert read_all(data, 1 << 22) == [Packet(3 + packets - 1, b"x" * size_bytes)]


def test_frame_all_counts_the_packets_of_long_payloads() -> None:
    found = read_all(frame_all(0, [b"x" * PAYLOAD_BYTES_MAX, b"y"]), 1 << 22)
    assert [packet.sequence for packet in found] == [1, 2]


def test_payload_longer_than_allowed_is_refused_before_it_is_stored() -> None:
    reader = PacketReader(payload_bytes_max=100)
    reader.feed((101).to_bytes(3, "little") + b"\x00")
    with pytest.raises(MalformedPacketError, match="expected at most 100 bytes, found 101"):
        reader.next_packet()


def test_continued_payload_longer_than_allowed_is_refused() -> None:
    reader = PacketReader(payload_bytes_max=PAYLOAD_BYTES_MAX + 10)
    reader.feed(b"\xff\xff\xff\x00" + bytes(PAYLOAD_BYTES_MAX) + b"\x0b\x00\x00\x01")
    with pytest.raises(MalformedPacketError):
        reader.next_packet()


def test_rest_is_what_follows_the_last_packet() -> None:
    reader = PacketReader(payload_bytes_max=100)
    reader.feed(frame(0, b"login") + frame(0, b"\x03select 1"))
    assert reader.next_packet() == Packet(0, b"login")
    assert reader.rest() == frame(0, b"\x03select 1")
    assert reader.rest() == b""
