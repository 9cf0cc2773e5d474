"""Which engines are known: one table of exact data versions with what a directory of each looks like, and the one way into it.

A release is known by everything that was measured of it, never by its first two numbers: 1.4.1 keeps the name and the log of
1.4.0 and replaces the SQLite file `meta.db` by a key-value store. Whoever is about to read or write an engine's bytes asks here
first, with the version that a directory, a manifest, a record or a program says; what is not in the table is refused by name.

What is looked at in a directory (`Signs`), each held against the table by `judge`:

| sign          | where                                     | engine 1.4.0.0               | engine 1.3.0.0           |
| ------------- | ----------------------------------------- | ---------------------------- | ------------------------ |
| data version  | `etc/seekdb.data_version.bin`             | `1.4.0.0 4295229440`, record 2 | `1.3.0.0 4295163904`, record 1 |
| log folder    | `store/redo/sys/*` with a folder `log`    | `log_stream`                 | `1`                      |
| meta.db       | first 16 bytes of `store/sstable/meta.db` | SQLite                       | SQLite                   |
| super block   | first 8 bytes of `store/sstable/block_file` | version 1, magic 1018      | the same                 |
| macro block   | first 12 bytes of its block 2             | header 24, version 1, magic 1001 | the same             |
| log block     | first 4 bytes of the lowest log block     | magic `IB`, version 1        | the same                 |
| log group     | 4 bytes behind its info block             | magic `GR`, version 3        | magic `GR`, version 2    |

A file that is absent is a sign; one that is empty, or zero where a sign would lie, is none: a new log block is born zero, and
under a mount lies an empty file. Then the others decide, and the engine says what it lacks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from holdfast.engine_format.data_version import DataVersion
from holdfast.engine_format.macro_block import BlockKind, BlockKinds
from holdfast.errors import UnknownVersionError

SIGN_BYTES: Final = 16
"""No sign of a file is longer."""
_SHOWN_CHARACTERS_MAX: Final = 40
_PLAIN_VERSION: Final = re.compile(r"[0-9.]{1,40}", re.ASCII)
_SQLITE: Final = b"SQLite format 3\0"
_SUPER_BLOCK: Final = b"\x01\0\0\0\xfa\x03\0\0"
_MACRO_BLOCK: Final = b"\x18\0\0\0\x01\0\0\0\xe9\x03\0\0"
_LOG_BLOCK: Final = b"IB\0\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What was measured of one release's directories and bytes.

    `log_stream`: path of the log stream relative to an engine directory. `group`: magic and version of a log group.
    `block_kinds`: what each type of macro block is; one header version numbers them differently from release to release.
    """

    data_version: DataVersion
    log_stream: str
    group: bytes
    block_kinds: BlockKinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a directory shows of itself; see the table above. Of a file: its first bytes, b"" for none, None when it is absent.

    `log_streams`: names below `store/redo/sys` that have a folder `log`, sorted.
    """

    data_version: DataVersion
    log_streams: tuple[str, ...]
    meta_db: bytes | None
    block_file: bytes | None
    macro_block: bytes
    log_block: bytes
    group: bytes


_LOG_FOLDERS: Final = "store/redo/sys/"
_LAYOUTS: Final[Mapping[str, Layout]] = {
    layout.data_version.text: layout
    for layout in (
        # Source: wheel 1.4.0.post1, tests/golden/engine.
        Layout(
            data_version=DataVersion(text="1.4.0.0", number=4295229440, record_version=2),
            log_stream=f"{_LOG_FOLDERS}log_stream",
            group=b"GR\0\x03",
            block_kinds={
                1: BlockKind.WRITE_ONCE,  # table data
                2: BlockKind.WRITE_ONCE,  # linked meta
                3: BlockKind.WRITE_ONCE,  # never seen
                4: BlockKind.WRITE_ONCE,  # never seen
                5: BlockKind.WRITE_ONCE,  # index
                6: BlockKind.WRITE_ONCE,  # macro meta
                7: BlockKind.SHARED,  # small metadata
                8: BlockKind.SHARED,  # the data of small tables
            },
        ),
        # Source: wheel 1.3.0.post5, tests/golden/engine_1.3.0; the order of the block types, oceanbase/seekdb
        # src/storage/blocksstable/ob_macro_block_common_header.h.
        Layout(
            data_version=DataVersion(text="1.3.0.0", number=4295163904, record_version=1),
            log_stream=f"{_LOG_FOLDERS}1",
            group=b"GR\0\x02",
            block_kinds={
                1: BlockKind.WRITE_ONCE,  # table data
                2: BlockKind.WRITE_ONCE,  # linked meta
                3: BlockKind.WRITE_ONCE,  # never seen
                4: BlockKind.WRITE_ONCE,  # never seen
                5: BlockKind.WRITE_ONCE,  # never seen: bloom filters, which 1.4 no longer numbers
                6: BlockKind.WRITE_ONCE,  # index
                7: BlockKind.WRITE_ONCE,  # macro meta
                8: BlockKind.SHARED,  # the data of small tables
                9: BlockKind.SHARED,  # small metadata
            },
        ),
    )
}
KNOWN_VERSIONS: Final = tuple(_LAYOUTS)
"""Newest first."""


def layout_of(data_version: str, of: str) -> Layout:
    """Return the layout of exactly this data version. `of`: whose version it is, for the message.

    Raises UnknownVersionError that names the version, whose it is, what is known and what to do.
    """
    found = _LAYOUTS.get(data_version)
    if found is None:
        raise UnknownVersionError(
            f"{of} is of engine {shown(data_version)}, which this build of holdfast does not know; it knows {known_text()}",
            hint="upgrade holdfast to a build that knows it; until then nothing of it is read or changed",
        )
    return found


def known_text() -> str:
    """Return the known versions, for messages."""
    return ", ".join(KNOWN_VERSIONS)


def judge(signs: Signs, where: str) -> Layout:
    """Return the layout of the directory `where`, which shows these signs.

    Raises UnknownVersionError, for a data version that is not known and for a known one whose directory is another.
    """
    layout = layout_of(signs.data_version.text, where)
    found = signs.data_version
    odd: list[str] = []
    if found != layout.data_version:
        odd.append(
            f"its data version has the number {found.number} in a record of version {found.record_version}, expected "
            f"{layout.data_version.number} in version {layout.data_version.record_version}"
        )
    log_stream = layout.log_stream.removeprefix(_LOG_FOLDERS)
    if signs.log_streams != (log_stream,):
        listed = ", ".join(shown(name) for name in signs.log_streams) or "nowhere"
        odd.append(f"its log is in {_LOG_FOLDERS} {listed}, expected {log_stream}")
    for name, sign, expected in (
        ("meta.db", signs.meta_db, _SQLITE),
        ("block_file", signs.block_file, _SUPER_BLOCK),
        ("the first macro block", signs.macro_block, _MACRO_BLOCK),
        ("the first log block", signs.log_block, _LOG_BLOCK),
        ("the first log group", signs.group, layout.group),
    ):
        if sign is None:
            odd.append(f"it has no {name}")
        elif any(sign) and not sign.startswith(expected):
            odd.append(f"{name} begins with {sign[: len(expected)].hex()}, expected {expected.hex()}")
    if odd:
        raise UnknownVersionError(
            f"{where} says engine {found.text} and is not laid out as one: {'; '.join(odd)}",
            hint="an engine that this build of holdfast does not know has written it, or it is damaged, or a part of it is not mounted:"
            " upgrade holdfast, restore it from a backup, or mount it and start the server again; until then nothing of it is read or"
            " changed",
        )
    return layout


def shown(text: str) -> str:
    """Return a version or name from outside as it may stand in a message: bounded, without control characters."""
    if _PLAIN_VERSION.fullmatch(text):
        return text
    return ascii(text[:_SHOWN_CHARACTERS_MAX])
