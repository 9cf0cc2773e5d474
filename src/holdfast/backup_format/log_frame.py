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

from dataclasses import dataclass

from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.payload import Cipher, Codec
from holdfast.values.buffers import Buffer, ReadAt
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

FRAME_HEADER_BYTES = 128
LOG_INFO_BYTES = 4096
FRAME_PAYLOAD_BYTES_MAX = 64 << 20
"""One whole log block: what a reader must be ready to hold, whatever a header says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition:
    """Where the next log group begins and what the group before it ended with. None: not known."""

    lsn: Lsn
    accumulated: int | None
    log_id: int | None
    scn: Scn


def timeline_of(text: str) -> str:
    """Return the timeline (32 hex digits) that any text names, such as the source timeline and the cut LSN."""
    ...


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
    def payload_size_bytes(self) -> int: ...

    @property
    def end_position(self) -> LogPosition: ...


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
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFrame:
    """A frame ready to be appended: `header_bytes`, then `body`."""

    header: FrameHeader
    header_bytes: bytes
    body: Buffer

    @property
    def size_bytes(self) -> int:
        return len(self.header_bytes) + len(self.body)


class FrameSealer:
    """Seals frames on one thread: it owns a compressor, which is not safe to share."""

    def __init__(self, *, key: DataKey | None = None, compress: bool = True) -> None: ...

    def seal(self, frame: LogFrame, *payload: Buffer) -> SealedFrame:
        """Return the frame of the payload, given in one piece or several (info block, log bytes).

        Raises ValueError when the payload's size is not what `frame` says.
        """
        ...


def seal_frame(frame: LogFrame, *payload: Buffer, key: DataKey | None = None) -> SealedFrame:
    """Return one sealed frame; for many use a FrameSealer."""
    ...


def decode_frame_header(buffer: Buffer, *, name: str = "log frame") -> FrameHeader | None:
    """Return the checked header at the start of `buffer`, or None if more bytes are needed.

    Raises CorruptionError on a wrong magic, checksum or field (a torn tail looks so too: `scan_frames` knows the
    difference), UnknownVersionError on another version, codec or cipher.
    """
    ...


def open_frame(header: FrameHeader, stored: Buffer, *, key: DataKey | None = None, name: str = "log frame") -> Buffer:
    """Return the payload, checked against its digest: [info block +] log bytes. May alias `stored`.

    Raises CorruptionError when bytes are wrong, RefusedError (-9047) when it is encrypted and no key was given.
    """
    ...


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
    read: ReadAt, size_bytes: int, *, durable_size_bytes: int = 0, key: DataKey | None = None, name: str = "log object"
) -> FrameScan:
    """Return the frames of a log object of `size_bytes`, without what a crash left unfinished at its end.

    Frames that end at or below `durable_size_bytes` (what the piece record vouches for) are taken by their headers;
    each must be whole, else CorruptionError. Frames beyond are opened and checked; the first that is not whole is the
    torn tail, and neither it nor anything behind it counts. Frames must follow each other: same timeline and block,
    start LSN = previous end LSN, rising log id and SCN; else CorruptionError.
    """
    ...
