"""Log frames: an archived log object is a run of frames, one for each append, and grows at its end.

A frame holds the file bytes of whole, verified log groups `[start_lsn, end_lsn)` of one log block; the first frame of
an object begins with the block's 4096-byte info block. Header, 128 bytes, little-endian:

    offset  size  field
         0     4  magic "HFLF"
         4     1  version, 1
         5     1  codec: 0 as it is, 1 zstd
         6     1  cipher: 0 none, 1 AES-256-GCM
         7     1  flags: bit 0, the payload begins with the info block
         8    16  timeline
        24     8  log block id
        32     8  start LSN
        40     8  end LSN, exclusive
        48     8  first SCN: max SCN of the first group
        56     8  max SCN: max SCN of the last group
        64     8  accumulated checksum of the last group
        72     8  log id of the last group
        80     4  payload size
        84     4  stored size: the bytes that follow this header, a cipher's tag included
        88    16  content digest of the payload
       104    12  nonce, zero without a cipher
       116     4  zero
       120     8  header checksum, XXH3-64 of the 120 bytes before

Payload as in a chunk. With a cipher the associated data are the header's bytes 0..103.
"""

import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from blake3 import blake3

from holdfast.backup_format.digest import DIGEST_BYTES, DataKey, header_checksum
from holdfast.backup_format.payload import (
    NO_NONCE,
    TAG_BYTES,
    Cipher,
    Codec,
    Packer,
    StoredPayload,
    Unpacker,
    seal_pieces,
)
from holdfast.errors import CorruptionError, UnknownVersionError
from holdfast.values.buffers import Buffer, ReadAt
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

FRAME_HEADER_BYTES = 128
LOG_INFO_BYTES = 4096
FRAME_PAYLOAD_BYTES_MAX = 64 << 20
"""One whole log block: what a reader must be ready to hold, whatever a header says."""

_MAGIC = b"HFLF"
_VERSION = 1
_HAS_INFO_BLOCK = 1
_LAYOUT = struct.Struct("<4sBBBB16sQQQQQQQII16s")
_TAIL = struct.Struct("<12s4sQ")
_CHECKED_BYTES = FRAME_HEADER_BYTES - 8
_WINDOW_BYTES = 1 << 20
"""What `scan_frames` reads at once: with small frames thousands of headers come with one call to the store."""
assert _LAYOUT.size + _TAIL.size == FRAME_HEADER_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition:
    """Where the next log group begins and what the group before it ended with. None: not known."""

    lsn: Lsn
    accumulated: int | None
    log_id: int | None
    scn: Scn


def timeline_of(text: str) -> str:
    """Return the timeline (32 hex digits) that any text names, such as the source timeline and the cut LSN."""
    return blake3(text.encode()).digest(length=DIGEST_BYTES).hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFrame:
    """What a frame says about its payload.

    `timeline`: 32 hex digits; the same LSN on two timelines is different log. `accumulated`, `log_id` and `max_scn`
    belong to the last group, so `end_position` is where the log goes on.
    """

    timeline: str
    block_id: int
    start_lsn: Lsn
    end_lsn: Lsn
    first_scn: Scn
    max_scn: Scn
    accumulated: int
    log_id: int
    has_info_block: bool

    @property
    def payload_size_bytes(self) -> int:
        """Return the size of the log bytes, and of the info block if it is there."""
        return self.end_lsn - self.start_lsn + (LOG_INFO_BYTES if self.has_info_block else 0)

    @property
    def end_position(self) -> LogPosition:
        """Return where the log goes on behind this frame."""
        return LogPosition(lsn=self.end_lsn, accumulated=self.accumulated, log_id=self.log_id, scn=self.max_scn)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameHeader:
    """A checked frame header."""

    frame: LogFrame
    codec: Codec
    cipher: Cipher
    stored_size_bytes: int
    digest: bytes
    nonce: bytes

    @property
    def size_bytes(self) -> int:
        """Return the size of header and stored bytes: the next frame begins so far behind this one."""
        return FRAME_HEADER_BYTES + self.stored_size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFrame:
    """A frame ready to be appended: `header_bytes`, then what `pieces` gives, which may alias the payload it was made from.

    `pieces` gives the stored bytes anew each time; a piece counts until the next is asked for.
    """

    header: FrameHeader
    header_bytes: bytes
    pieces: Callable[[], Iterator[Buffer]]

    @property
    def body(self) -> bytes:
        """Return a copy of the stored bytes."""
        return b"".join(map(bytes, self.pieces()))

    @property
    def size_bytes(self) -> int:
        return self.header.size_bytes


class FrameSealer:
    """Seals frames on one thread: it owns a compressor, which is not safe to share."""

    def __init__(self, *, key: DataKey | None = None, compress: bool = True) -> None:
        self._packer = Packer(key, compress=compress)
        self._key = key

    def seal(self, frame: LogFrame, *payload: Buffer) -> SealedFrame:
        """Return the frame of the payload, given in one piece or several (info block, log bytes).

        Raises ValueError when the payload's size is not what `frame` says, or `frame` is not possible.
        """
        whole = payload[0] if len(payload) == 1 else b"".join(payload)
        if len(whole) != frame.payload_size_bytes or not _is_possible(frame):
            raise ValueError(f"{len(whole)} bytes are not the payload of {frame}")
        packed = self._packer.pack(whole)
        sealed = self._key is not None
        associated = _pack_header(
            frame,
            packed.codec,
            Cipher.AES_256_GCM if sealed else Cipher.NONE,
            len(packed.body) + (TAG_BYTES if sealed else 0),
            packed.digest,
        )
        nonce, pieces = seal_pieces(packed, associated, self._key)
        checked = associated + nonce + bytes(4)
        header_bytes = checked + header_checksum(checked).to_bytes(8, "little")
        header = decode_frame_header(header_bytes)
        assert header is not None
        assert header.frame == frame
        return SealedFrame(header=header, header_bytes=header_bytes, pieces=pieces)


def _pack_header(frame: LogFrame, codec: Codec, cipher: Cipher, stored_size_bytes: int, digest: bytes) -> bytes:
    return _LAYOUT.pack(
        _MAGIC,
        _VERSION,
        codec,
        cipher,
        _HAS_INFO_BLOCK if frame.has_info_block else 0,
        bytes.fromhex(frame.timeline),
        frame.block_id,
        frame.start_lsn,
        frame.end_lsn,
        frame.first_scn,
        frame.max_scn,
        frame.accumulated,
        frame.log_id,
        frame.payload_size_bytes,
        stored_size_bytes,
        digest,
    )


def _is_possible(frame: LogFrame) -> bool:
    return (
        len(frame.timeline) == 2 * DIGEST_BYTES
        and frame.start_lsn < frame.end_lsn
        and frame.first_scn <= frame.max_scn
        and frame.payload_size_bytes <= FRAME_PAYLOAD_BYTES_MAX
    )


def seal_frame(frame: LogFrame, *payload: Buffer, key: DataKey | None = None) -> SealedFrame:
    """Return one sealed frame; for many use a FrameSealer."""
    return FrameSealer(key=key).seal(frame, *payload)


def decode_frame_header(buffer: Buffer, *, name: str = "log frame") -> FrameHeader | None:
    """Return the checked header at the start of `buffer`, or None if more bytes are needed.

    Raises CorruptionError on a wrong magic, checksum or field (a torn tail looks so too: `scan_frames` knows the
    difference), UnknownVersionError on another version, codec or cipher.
    """
    if len(buffer) < FRAME_HEADER_BYTES:
        return None
    raw = bytes(memoryview(buffer)[:FRAME_HEADER_BYTES])
    nonce, reserved, checksum = _TAIL.unpack_from(raw, _LAYOUT.size)
    if raw[:4] != _MAGIC:
        raise CorruptionError(f"{name} has no frame header: expected magic {_MAGIC!r}, found {raw[:4]!r}")
    found = header_checksum(raw[:_CHECKED_BYTES])
    if found != checksum:
        raise CorruptionError(f"{name} has a wrong header checksum: expected {checksum:016x}, found {found:016x}")
    (
        _,
        version,
        codec,
        cipher,
        flags,
        timeline,
        block_id,
        start,
        end,
        first,
        last,
        accumulated,
        log_id,
        size,
        stored,
        digest,
    ) = _LAYOUT.unpack_from(raw)
    if version != _VERSION:
        raise UnknownVersionError(f"{name} has frame version {version}, this build reads {_VERSION}")
    if codec > Codec.ZSTD or cipher > Cipher.AES_256_GCM or flags > _HAS_INFO_BLOCK:
        raise UnknownVersionError(
            f"{name} has codec {codec}, cipher {cipher}, flags {flags}: not all known to this build"
        )
    frame = LogFrame(
        timeline=timeline.hex(),
        block_id=block_id,
        start_lsn=Lsn(start),
        end_lsn=Lsn(end),
        first_scn=Scn(first),
        max_scn=Scn(last),
        accumulated=accumulated,
        log_id=log_id,
        has_info_block=bool(flags & _HAS_INFO_BLOCK),
    )
    tag_bytes = TAG_BYTES if cipher else 0
    if not _is_possible(frame) or size != frame.payload_size_bytes or not tag_bytes <= stored <= size + tag_bytes:
        raise CorruptionError(
            f"{name} has impossible ranges: LSN {frame.start_lsn.text()} to {frame.end_lsn.text()}, SCN {first} to {last}, "
            f"{size} bytes stored in {stored}"
        )
    if any(reserved) or (not cipher and nonce != NO_NONCE):
        raise CorruptionError(f"{name} has bytes set that must be zero")
    return FrameHeader(
        frame=frame,
        codec=Codec(codec),
        cipher=Cipher(cipher),
        stored_size_bytes=stored,
        digest=digest,
        nonce=nonce,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """What the log from `from_lsn` on is sealed with. `key` None: nothing, or, if `is_sealed`, what is not known here."""

    from_lsn: Lsn
    is_sealed: bool
    key: DataKey | None


class LogKeys:
    """The keys of a piece's log by the LSN from which each counts. Log before the first lies in the clear."""

    __slots__ = ("_entries", "_starts")

    def __init__(self, entries: Sequence[LogKey] = ()) -> None:
        self._entries = tuple(entries)
        self._starts = [entry.from_lsn for entry in self._entries]

    def at(self, lsn: Lsn) -> LogKey | None:
        """Return what counts for a frame that begins at `lsn`, None before the first."""
        place = bisect_right(self._starts, lsn)
        return self._entries[place - 1] if place else None

    @property
    def can_open(self) -> bool:
        """Return whether every key is known here."""
        return all(entry.key is not None for entry in self._entries if entry.is_sealed)

    @property
    def is_sealed(self) -> bool:
        """Return whether any of the log is sealed."""
        return any(entry.is_sealed for entry in self._entries)


FrameKey = DataKey | LogKeys | None
"""What opens frames: one key for all of them, as in a set's own log; a piece's; or none."""


class FrameOpener:
    """Opens frames on one thread: it owns a decompressor, which is not safe to share."""

    def __init__(self, *, key: FrameKey = None) -> None:
        self._keys = key if isinstance(key, LogKeys) else None
        self._key = None if isinstance(key, LogKeys) else key
        self._unpacker = Unpacker(self._key)

    def open(self, header: FrameHeader, stored: Buffer, *, name: str = "log frame") -> Buffer:
        """Return the payload, checked against its digest: [info block +] log bytes. May alias `stored`.

        Shape: `stored` are exactly the `stored_size_bytes` bytes behind the header.
        Raises CorruptionError when bytes are wrong, RefusedError (-9047) when it is encrypted and no key was given.
        """
        frame = header.frame
        if len(stored) != header.stored_size_bytes:
            raise CorruptionError(
                f"{name} of LSN {frame.start_lsn.text()} is cut short: expected {header.stored_size_bytes} bytes behind "
                f"its header, found {len(stored)}"
            )
        associated = b""
        if header.cipher is not Cipher.NONE:
            associated = _pack_header(frame, header.codec, header.cipher, header.stored_size_bytes, header.digest)
        name = f"{name} of LSN {frame.start_lsn.text()}"
        self._take_key(header, name)
        payload = StoredPayload(
            codec=header.codec,
            cipher=header.cipher,
            payload_size_bytes=frame.payload_size_bytes,
            digest=header.digest,
            nonce=header.nonce,
            associated=associated,
        )
        return self._unpacker.unpack(payload, stored, name=name)

    def _take_key(self, header: FrameHeader, name: str) -> None:
        if self._keys is None:
            return
        entry = self._keys.at(header.frame.start_lsn)
        if entry is not None and entry.is_sealed and header.cipher is Cipher.NONE:
            raise CorruptionError(
                f"{name} lies in the clear, and its record says that it is sealed",
                hint="somebody exchanged it; use another copy",
            )
        key = None if entry is None else entry.key
        if key is not self._key:
            self._key, self._unpacker = key, Unpacker(key)


def open_frame(header: FrameHeader, stored: Buffer, *, key: FrameKey = None, name: str = "log frame") -> Buffer:
    """Return one payload; for many use a FrameOpener."""
    return FrameOpener(key=key).open(header, stored, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameAt:
    """A frame found in an object. `offset`: where its header begins."""

    offset: int
    header: FrameHeader

    @property
    def end_offset(self) -> int:
        return self.offset + self.header.size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameScan:
    """The whole frames of an object. `end_offset`: behind the last; `torn`: why bytes behind it do not count, or ""."""

    frames: tuple[FrameAt, ...]
    end_offset: int
    torn: str


def scan_frames(
    read: ReadAt,
    size_bytes: int,
    *,
    durable_size_bytes: int = 0,
    key: FrameKey = None,
    name: str = "log object",
    opens: bool = True,
) -> FrameScan:
    """Return the frames of a log object of `size_bytes`, without what a crash left unfinished at its end.

    Frames that begin below `durable_size_bytes` (what the piece record vouches for) are taken by their headers; each
    must be whole, else CorruptionError. Frames beyond are opened and checked; the first that is not whole is the torn
    tail, and neither it nor anything behind it counts. A whole frame that does not follow the one before (timeline,
    block, start LSN = previous end LSN, rising log id and SCN) is CorruptionError wherever it is, and so is an object
    shorter than `durable_size_bytes`. `opens` False: frames beyond count by their headers too, for who has no key.
    """
    if size_bytes < durable_size_bytes:
        raise CorruptionError(f"{name} has {size_bytes} bytes, {durable_size_bytes} were durable")
    window = _Window(read, size_bytes)
    opener = FrameOpener(key=key)
    frames: list[FrameAt] = []
    offset, torn = 0, ""
    while offset < size_bytes:
        try:
            found = _frame_at(window, offset, name)
            if opens and offset >= durable_size_bytes:
                start = offset + FRAME_HEADER_BYTES
                stored = window.read(start, found.header.stored_size_bytes)
                opener.open(found.header, stored, name=f"{name} at offset {offset}")
        except CorruptionError as error:
            if offset < durable_size_bytes:
                raise
            torn = error.message
            break
        if offset < durable_size_bytes < found.end_offset:
            raise CorruptionError(
                f"{name} has no frame that ends at {durable_size_bytes}, where its record says one does"
            )
        _check_follows(frames[-1] if frames else None, found, name)
        frames.append(found)
        offset = found.end_offset
    if offset < durable_size_bytes:
        raise CorruptionError(f"{name} has whole frames up to {offset}, {durable_size_bytes} bytes were durable")
    return FrameScan(frames=tuple(frames), end_offset=offset, torn=torn)


def _frame_at(window: "_Window", offset: int, name: str) -> FrameAt:
    """Return the frame whose header is at `offset`. Raises CorruptionError when it is not all there."""
    header = decode_frame_header(window.read(offset, FRAME_HEADER_BYTES), name=f"{name} at offset {offset}")
    if header is None:
        raise CorruptionError(f"{name} ends inside the frame header at offset {offset}")
    found = FrameAt(offset=offset, header=header)
    if found.end_offset > window.size_bytes:
        raise CorruptionError(
            f"{name} ends inside the frame at offset {offset}: it has {window.size_bytes} bytes, expected "
            f"{found.end_offset}"
        )
    return found


def _check_follows(before: FrameAt | None, after: FrameAt, name: str) -> None:
    if before is None:
        return
    old, new = before.header.frame, after.header.frame
    if (
        (new.timeline, new.block_id, new.start_lsn) != (old.timeline, old.block_id, old.end_lsn)
        or new.log_id <= old.log_id
        or new.first_scn < old.max_scn
        or new.has_info_block
    ):
        raise CorruptionError(
            f"{name} has a frame at offset {after.offset} that does not follow the one before: expected block "
            f"{old.block_id}, LSN {old.end_lsn.text()} behind log id {old.log_id} and SCN {old.max_scn}, found block "
            f"{new.block_id}, LSN {new.start_lsn.text()}, log id {new.log_id}, SCN {new.first_scn}, timeline {new.timeline}"
        )


class _Window:
    """Reads an object through a window, so that many small reads are few calls."""

    def __init__(self, read: ReadAt, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._read = read
        self._start = 0
        self._octets: Buffer = b""

    def read(self, offset: int, size_bytes: int) -> Buffer:
        """Return the bytes at `offset`, fewer only where the object ends."""
        size_bytes = min(size_bytes, self.size_bytes - offset)
        if not self._start <= offset <= offset + size_bytes <= self._start + len(self._octets):
            self._start = offset
            self._octets = self._read(offset, max(size_bytes, min(_WINDOW_BYTES, self.size_bytes - offset)))
        start = offset - self._start
        return memoryview(self._octets)[start : start + size_bytes]
