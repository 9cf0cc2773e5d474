"""Bytes as the engine would write them, whose checksums are right and whose fields are not: blind changes never come behind a checksum."""

import struct
from random import Random

from engine_format import test_log_meta, test_slog, test_super_block
from engine_format.samples import PADDING, RAW_WRITE, entry, group
from holdfast.engine_format.log_walk import Position
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

AT = Position(lsn=Lsn(1000), accumulated=5, log_id=7, scn=Scn(100))
_NUMBERS = (0, 1, -1, 2, 48, 64, 127, 2**15 - 1, 2**31 - 1, -(2**31))
_WIDE = (*_NUMBERS, 2**62, 2**63 - 1, -(2**63), 101, 1000)


def _maybe(random: Random, name: str, values: tuple[int, ...], share: float = 0.12) -> dict[str, int]:
    return {name: random.choice(values)} if random.random() < share else {}


def log_groups(_: bytes, random: Random) -> bytes:
    """Return one to three groups that continue the log at AT."""
    position, log = AT, b""
    for _ in range(random.randint(1, 3)):
        flag = random.choice((0, 0, 0, PADDING, RAW_WRITE, 1, 1 << 60))
        scn = position.scn + random.choice((0, 1, 1, 5))
        entries = [
            entry(
                scn + random.choice((0, 0, 1, -1)),
                random.choice((b"data", b"", b"\0\1\0\x19".ljust(64, b"\0"), b"x" * 100)),
                flag=random.choice((flag & PADDING, flag & PADDING, flag, PADDING, 0, 1)),
                **_maybe(random, "magic", (0, 0x4C48, 0x4752)),
                **_maybe(random, "version", (0, 1, 2, 3, 99)),
                **_maybe(random, "size", _NUMBERS),
                **_maybe(random, "checksum", (0, 1)),
            )
            for _ in range(random.choice((1, 1, 1, 2, 3)))
        ]
        one = group(
            position,
            *entries,
            flag=flag,
            **_maybe(random, "version", (0, 1, 2, 3, 4)),
            **_maybe(random, "magic", (0, 0x4752)),
            **_maybe(random, "size", _NUMBERS),
            **_maybe(random, "committed_end", _WIDE),
            **_maybe(random, "scn", _WIDE),
            **_maybe(random, "accumulated", (0, 1)),
            **_maybe(random, "log_id", _WIDE),
            **_maybe(random, "proposal_id", _WIDE),
        )
        log += one
        position = Position(
            lsn=Lsn(position.lsn + len(one)),
            accumulated=int.from_bytes(one[32:40]),
            log_id=(position.log_id or 0) + 1,
            scn=Scn(max(scn, 0)),
        )
    return log + random.choice((b"", bytes(64), b"\xa5" * 10))


def slog(_: bytes, random: Random) -> bytes:
    """Return one to three batches of a slog."""
    batches, sequence = [], 1
    for _ in range(random.randint(1, 3)):
        entries = []
        for _ in range(random.randint(0, 3)):
            changes = {
                **_maybe(random, "version", (0, 1, 2)),
                **_maybe(random, "header_size", _NUMBERS[:7]),
                **_maybe(random, "reserved", (1, -1)),
                **_maybe(random, "size", _NUMBERS),
                **_maybe(random, "checksum", (0,)),
                **_maybe(random, "header_checksum", (0,)),
                **_maybe(random, "command", (0, 1, 0x20009)),
            }
            entries.append(test_slog.entry(sequence, random.choice((b"data", b"", bytes(100))), **changes))
            sequence += random.choice((1, 1, 1, 1, 0, 5))
        changes = {
            **_maybe(random, "count", (0, 1, 2, 5)),
            **_maybe(random, "version", (0, 1, 2)),
            **_maybe(random, "size", (0, 1, 48, -1, 2**31 - 1)),
        }
        batches.append(test_slog.batch(*entries, **changes))
    return b"".join(batches) + random.choice((b"", bytes(64), b"\xa5" * 10))


def super_block(_: bytes, random: Random) -> bytes:
    values = tuple(
        random.choice((0, 1, 5, 2 << 20, 2**32, 2**63, 2**64 - 1, 2**70)) for _ in range(random.randint(0, 8))
    )
    cursor = (random.choice(_WIDE), random.choice(_WIDE), random.choice(_WIDE))
    inner = test_super_block.body(*values, cursor=cursor)
    if random.random() < 0.3:
        inner = inner[: random.randrange(len(inner) + 1)]
    if random.random() < 0.3:
        inner = test_super_block.BODY[: random.randrange(82)] + random.randbytes(random.randrange(20))
    if random.random() < 0.1:
        inner = b"\1" + b"\xff" * random.randint(1, 12) + inner
    return test_super_block.sealed(inner, **_maybe(random, "version", (0, 2)), **_maybe(random, "magic", (0,)))


def log_meta(data: bytes, random: Random) -> bytes:
    """Return pages of log meta, one of them with a body of any bytes and a right checksum."""
    lsn = random.choice((0, 1, 67_104_768, 2**63 - 1))
    changes = {**_maybe(random, "version", (0, 1, 2, 9)), **_maybe(random, "body_bytes", (0, 1, 4072, 4073))}
    page = test_log_meta.page(lsn, **changes)
    if random.random() < 0.6:
        body = bytearray(page[24:])
        for _ in range(random.randint(1, 6)):
            at = random.randrange(120)
            body[at : at + 4] = struct.pack(">i", random.choice(_NUMBERS))
        fields = (0x4C4D, 1, 4072, test_log_meta.crc(bytes(body[:4072])))
        page = struct.pack(">hhiqq", *fields, test_log_meta.crc(struct.pack("<hhiq", *fields))) + bytes(body[:4072])
    return page + data[: 4096 * random.randrange(3)]
