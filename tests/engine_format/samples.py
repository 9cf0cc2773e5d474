"""The golden samples, and groups crafted to break one rule at a time."""

import json
import struct
from pathlib import Path

import crc32c
import xxhash
import zstandard

from holdfast.engine_format.log_walk import Position
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

_GOLDEN = Path(__file__).parent.parent / "golden"
ENGINE = "engine"
OLD_ENGINE = "engine_1.3.0"
"""The folders of samples: engine 1.4.0, and the older one that is still read."""
NOTES_OF = {name: json.loads((_GOLDEN / name / "samples.json").read_text())["samples"] for name in (ENGINE, OLD_ENGINE)}
NOTES = NOTES_OF[ENGINE]
PADDING = 1 << 62
RAW_WRITE = 1 << 61


def golden(name: str, engine: str = ENGINE) -> bytes:
    """Return a golden sample, unpacked if it is kept packed."""
    packed = _GOLDEN / engine / f"{name}.zst"
    if packed.exists():
        return zstandard.ZstdDecompressor().decompress(packed.read_bytes())
    return (_GOLDEN / engine / name).read_bytes()


def golden_position(name: str, engine: str = ENGINE) -> Position:
    """Return where a golden slice of the log begins."""
    note = NOTES_OF[engine][name]
    return Position(lsn=Lsn(note["lsn"]), accumulated=note["accumulated"], log_id=note["log_id"], scn=Scn(note["scn"]))


def crc(data: bytes, register: int = 0) -> int:
    return crc32c.crc32c(data, register ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def sealed(layout: str, *fields: int) -> bytes:
    """Return a big-endian header whose last field, the flag, gets the checksum of all fields."""
    checksum = xxhash.xxh64_intdigest(struct.pack("<" + layout, *fields)) & 0xFFFF
    return struct.pack(">" + layout, *fields[:-1], fields[-1] | checksum)


def entry(
    scn: int,
    data: bytes,
    *,
    magic: int = 0x4C48,
    version: int = 2,
    size: int | None = None,
    checksum: int | None = None,
    flag: int = 0,
) -> bytes:
    """Return an entry as the engine writes it, but for what is given."""
    summed = data[:16] if flag & PADDING else data
    checksum = crc(summed) if checksum is None else checksum
    return sealed("hhiqqq", magic, version, len(data) if size is None else size, scn, checksum, flag) + data


def group(
    position: Position,
    *entries: bytes,
    magic: int = 0x4752,
    version: int = 3,
    size: int | None = None,
    committed_end: int | None = None,
    scn: int | None = None,
    accumulated: int | None = None,
    log_id: int | None = None,
    flag: int = 0,
    proposal_id: int | None = None,
) -> bytes:
    """Return a group that continues the log at `position` as the engine would write it, but for what is given.

    With a `proposal_id` it has the longer header of version 2.
    """
    checksum = 0
    for one in entries:
        if not flag & PADDING:
            checksum = crc(one[16:24][::-1], checksum)
    body = b"".join(entries)
    return (
        sealed(
            "hhiqqqqq" if proposal_id is None else "hhiqqqqqq",
            magic,
            version,
            len(body) if size is None else size,
            *(() if proposal_id is None else (proposal_id,)),
            position.lsn if committed_end is None else committed_end,
            int.from_bytes(entries[-1][8:16]) if scn is None else scn,
            crc(checksum.to_bytes(8, "little"), position.accumulated or 0) if accumulated is None else accumulated,
            (position.log_id or 0) + 1 if log_id is None else log_id,
            flag,
        )
        + body
    )
