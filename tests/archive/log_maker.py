"""Makes log as the engine writes it, with every checksum right, at any SCN: for tests that need borders and accidents."""

import os
import struct
from pathlib import Path

from holdfast.engine_format.checksum import header_checksum, raw_crc
from holdfast.engine_format.log_block import (
    LOG_BLOCK_BYTES,
    LOG_DATA_BYTES,
    InfoBlock,
    block_id_of,
    encode_info_block,
    file_offset_of,
    first_lsn_of,
)
from holdfast.engine_format.log_group import GROUP_HEADER_BYTES, GroupHeader, encode_group_header
from holdfast.engine_format.log_meta import META_PAGE_BYTES
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

PADDING = 1 << 62


def entry(data: bytes, scn: int, *, padding: bool = False) -> tuple[bytes, int]:
    """Return one log entry and its data checksum."""
    checksum = raw_crc(data[:16] if padding else data)
    flag = PADDING if padding else 0
    fields = (0x4C48, 2, len(data), scn, checksum)
    flag |= header_checksum(struct.pack("<hhiqqq", *fields, flag))
    return struct.pack(">hhiqqq", *fields, flag) + data, checksum


class LogMaker:
    """One log in a folder of block files. `lsn`: where the next group begins."""

    def __init__(self, log_dir: Path, *, first_block: int = 0, scn: int = 1_800_000_000_000_000_000) -> None:
        log_dir.mkdir(parents=True, exist_ok=True)
        self.log_dir = log_dir
        self.lsn = int(first_lsn_of(first_block))
        self.accumulated = 0
        self.log_id = 1
        self.scn = scn

    def group(self, *datas: bytes, scn: int | None = None) -> int:
        """Write one group, an entry for each of `datas`; the last has `scn`. Return where it begins."""
        self.scn = self.scn + 1000 if scn is None else scn
        body, summed = b"", 0
        for behind, data in enumerate(reversed(datas)):
            part, _ = entry(data, self.scn - behind)
            body = part + body
        for data in datas:
            summed = raw_crc(struct.pack("<q", raw_crc(data)), summed)
        return self._put(body, summed, padding=False)

    def fill_block(self, group_bytes: int = 1 << 20) -> None:
        """Fill the present block to its end: large groups, then padding."""
        while LOG_DATA_BYTES - self.lsn % LOG_DATA_BYTES > 2 * group_bytes:
            self.group(os.urandom(64) * (group_bytes // 64))
        self.pad_block()

    def pad_block(self) -> None:
        """Pad the present block to its end."""
        self.scn += 1000
        room = LOG_DATA_BYTES - self.lsn % LOG_DATA_BYTES
        data = (b"pad_" * 4).ljust(room - GROUP_HEADER_BYTES - 32, b"\0")
        body, _ = entry(data, self.scn, padding=True)
        self._put(body, 0, padding=True)

    def recycle(self, *, below: int) -> None:
        """Remove blocks as the engine does."""
        for path in list(self.log_dir.iterdir()):
            if path.name.isdecimal() and int(path.name) < below:
                gone = path.with_suffix(".tmp")
                path.rename(gone)
                gone.unlink()

    def path(self, block_id: int) -> Path:
        return self.log_dir / str(block_id)

    def _put(self, body: bytes, summed: int, *, padding: bool) -> int:
        self.accumulated = raw_crc(struct.pack("<q", summed), self.accumulated)
        header = encode_group_header(
            GroupHeader(
                size_bytes=len(body),
                committed_end_lsn=Lsn(self.lsn),
                max_scn=Scn(self.scn),
                accumulated=self.accumulated,
                log_id=self.log_id,
                is_padding=padding,
            )
        )
        begin, block_id = self.lsn, block_id_of(self.lsn)
        with open(os.open(self.path(block_id), os.O_RDWR | os.O_CREAT), "r+b") as file:
            if not file.seek(0, os.SEEK_END):
                file.truncate(LOG_BLOCK_BYTES)
                info = InfoBlock(block_id=block_id, min_lsn=first_lsn_of(block_id), min_scn=Scn(self.scn), max_scn=None)
                file.seek(0)
                file.write(encode_info_block(info))
            # The body first: a reader never sees a header that promises what is not there, as little as it may.
            file.seek(file_offset_of(begin) + len(header))
            file.write(body)
            file.flush()
            file.seek(file_offset_of(begin))
            file.write(header)
        self.lsn += len(header) + len(body)
        self.log_id += 1
        return begin


def write_meta(log_meta_dir: Path, base_lsn: int) -> None:
    """Write the log's metadata with one page that names the base LSN."""
    log_meta_dir.mkdir(parents=True, exist_ok=True)
    body = bytearray(META_PAGE_BYTES - 24)
    struct.pack_into(">q", body, 0, 4)  # the body's version, of engine 1.4
    struct.pack_into(">q", body, 56 - 24, base_lsn)
    fields = (0x4C4D, 1, len(body), raw_crc(bytes(body)))
    page = struct.pack(">hhiqq", *fields, raw_crc(struct.pack("<hhiq", *fields))) + body
    (log_meta_dir / "0").write_bytes(bytes(4096) + page + bytes(META_PAGE_BYTES))
