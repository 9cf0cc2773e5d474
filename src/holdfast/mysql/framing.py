"""Packets: 3 bytes of length, 1 of sequence, then the payload; a payload of 16 MiB - 1 is continued by the next packet.

Source: MySQL Internals Manual, "MySQL Packets", "Sending More Than 16Mb".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.mysql.fields import MalformedPacketError

HEADER_BYTES = 4
PAYLOAD_BYTES_MAX = 0xFFFFFF


@dataclass(frozen=True, slots=True)
class Packet:
    """A payload, joined when it was longer than one packet; `sequence` is that of its last packet."""

    sequence: int
    payload: bytes


def frame(sequence: int, payload: bytes) -> bytes:
    """Return `payload` as packets numbered from `sequence` (wrapping at 256).

    A payload that fills its last packet exactly is followed by an empty one: that is how the peer knows it ended.
    """
    if len(payload) < PAYLOAD_BYTES_MAX:
        return len(payload).to_bytes(3, "little") + (sequence & 0xFF).to_bytes(1, "little") + payload
    parts: list[bytes] = []
    for number, start in enumerate(range(0, len(payload) + 1, PAYLOAD_BYTES_MAX)):
        part = payload[start : start + PAYLOAD_BYTES_MAX]
        parts += (len(part).to_bytes(3, "little"), ((sequence + number) & 0xFF).to_bytes(1, "little"), part)
    return b"".join(parts)


def frame_all(sequence: int, payloads: Iterator[bytes] | tuple[bytes, ...] | list[bytes]) -> bytes:
    """Return several payloads as consecutive packets."""
    parts: list[bytes] = []
    for payload in payloads:
        parts.append(frame(sequence, payload))
        sequence += len(payload) // PAYLOAD_BYTES_MAX + 1
    return b"".join(parts)


class PacketReader:
    """Joins bytes into packets, for the login and for answers short enough to hold.

    `payload_bytes_max` bounds what is kept: a peer that announces more is refused before its bytes are stored.
    """

    __slots__ = ("_buffer", "_joined", "_payload_bytes_max")

    def __init__(self, *, payload_bytes_max: int) -> None:
        self._buffer = bytearray()
        self._joined = bytearray()
        self._payload_bytes_max = payload_bytes_max

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._buffer += data

    @property
    def has_enough(self) -> bool:
        """Return whether so much has come that a whole packet is in it, or one that is too long."""
        return len(self._buffer) > self._payload_bytes_max + HEADER_BYTES

    def next_packet(self) -> Packet | None:
        """Return the next whole packet, or None if more bytes are needed.

        Raises MalformedPacketError when the peer announces more than `payload_bytes_max`.
        """
        buffer = self._buffer
        while len(buffer) >= HEADER_BYTES:
            size_bytes = int.from_bytes(buffer[:3], "little")
            if len(self._joined) + size_bytes > self._payload_bytes_max:
                raise MalformedPacketError(
                    f"packet {buffer[3]}: expected at most {self._payload_bytes_max} bytes,"
                    f" found {len(self._joined) + size_bytes}"
                )
            if len(buffer) < HEADER_BYTES + size_bytes:
                return None
            sequence = buffer[3]
            self._joined += buffer[HEADER_BYTES : HEADER_BYTES + size_bytes]
            del buffer[: HEADER_BYTES + size_bytes]
            if size_bytes < PAYLOAD_BYTES_MAX:
                payload = bytes(self._joined)
                self._joined.clear()
                return Packet(sequence, payload)
        return None

    def rest(self) -> bytes:
        """Return the bytes after the last packet and forget them: they belong to what follows the login."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest
