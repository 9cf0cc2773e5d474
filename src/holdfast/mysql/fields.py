"""The integers and strings packets are made of.

Shape: integers are little-endian; a length-encoded integer is 1 byte below 251, else 0xFC + 2, 0xFD + 3 or 0xFE + 8
bytes; 0xFB stands for NULL in rows.
Source: MySQL Internals Manual, "Basic Types".
"""

from holdfast import codes
from holdfast.errors import HoldfastError

NULL_MARK = 0xFB


class MalformedPacketError(HoldfastError):
    """A peer's bytes are not the protocol. The connection cannot go on."""

    default_code = codes.OB_INVALID_DATA


def encode_length(value: int) -> bytes:
    """Return `value` as a length-encoded integer."""
    if value < NULL_MARK:
        return value.to_bytes(1, "little")
    if value < 1 << 16:
        return b"\xfc" + value.to_bytes(2, "little")
    if value < 1 << 24:
        return b"\xfd" + value.to_bytes(3, "little")
    return b"\xfe" + value.to_bytes(8, "little")


def encode_string(value: bytes) -> bytes:
    """Return `value` behind its length."""
    return encode_length(len(value)) + value


class FieldReader:
    """Reads one payload from front to back; every read is bounded by the payload.

    Raises MalformedPacketError, naming packet, offset and what was expected, when the payload ends early.
    """

    __slots__ = ("_name", "_offset", "_payload")

    def __init__(self, payload: bytes, name: str) -> None:
        self._payload = payload
        self._name = name
        self._offset = 0

    @property
    def remaining(self) -> int:
        return len(self._payload) - self._offset

    def take(self, size_bytes: int) -> bytes:
        """Return exactly `size_bytes`."""
        if size_bytes > self.remaining:
            raise MalformedPacketError(
                f"{self._name}: expected {size_bytes} bytes at offset {self._offset}, found {self.remaining}"
            )
        start = self._offset
        self._offset += size_bytes
        return self._payload[start : self._offset]

    def rest(self) -> bytes:
        """Return everything not read yet."""
        return self.take(self.remaining)

    def integer(self, size_bytes: int) -> int:
        """Return an unsigned integer of `size_bytes`."""
        return int.from_bytes(self.take(size_bytes), "little")

    def length(self) -> int | None:
        """Return a length-encoded integer, None for the NULL mark."""
        first = self.integer(1)
        if first < NULL_MARK:
            return first
        if first == NULL_MARK:
            return None
        if first == 0xFF:
            raise MalformedPacketError(f"{self._name}: expected a length at offset {self._offset - 1}, found 0xff")
        return self.integer({0xFC: 2, 0xFD: 3, 0xFE: 8}[first])

    def string(self) -> bytes:
        """Return a length-encoded string; NULL is not one."""
        size_bytes = self.length()
        if size_bytes is None:
            raise MalformedPacketError(f"{self._name}: expected a string at offset {self._offset - 1}, found NULL")
        return self.take(size_bytes)

    def cell(self) -> bytes | None:
        """Return one value of a text row."""
        size_bytes = self.length()
        return None if size_bytes is None else self.take(size_bytes)

    def until_nul(self) -> bytes:
        """Return the bytes before the next NUL and step over it.

        A payload that ends without one is accepted: several clients leave out the NUL of the last field.
        """
        end = self._payload.find(b"\0", self._offset)
        if end < 0:
            return self.rest()
        found = self._payload[self._offset : end]
        self._offset = end + 1
        return found
