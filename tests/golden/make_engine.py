"""Make the golden samples of the engine's bytes in tests/golden/engine, with a real engine.

    python tests/golden/make_engine.py WORK_DIRECTORY [PACKAGE_DIRECTORY [TARGET_DIRECTORY]]

WORK_DIRECTORY must not exist, lie on a disk, and have room for 2 GB; it is removed at the end. Takes about a minute.
PACKAGE_DIRECTORY is a folder `pylibseekdb` of another wheel, unpacked; the samples then go to tests/golden/engine_<version>,
or to TARGET_DIRECTORY. An engine that is not known is tried as the newest known one, and fails where it differs.
Nothing of the package under test is used to find the samples: the little decoding here is its own.
"""

import fcntl
import json
import os
import shutil
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pymysql
import zstandard

LOG_DATA = (64 << 20) - 4096
MACRO_BLOCK = 2 << 20


@dataclass(frozen=True)
class Engine:
    """What differs between the engines the samples were made with. `header`: group header from its magic on."""

    target: str
    log_stream: str
    memory: str
    header: struct.Struct
    magic: bytes


ENGINES = {
    "1.4.0": Engine(
        "engine", "store/redo/sys/log_stream", "memory_budget", struct.Struct(">4siqqqqq"), b"GR\0\3"
    ),  # magic and version, size, committed end, scn, accumulated, log id, flag
    "1.3.0": Engine(
        "engine_1.3.0", "store/redo/sys/1", "memory_limit", struct.Struct(">4siqqqqqq"), b"GR\0\2"
    ),  # the same with a proposal id behind the size
}


def start(package: Path, engine: Engine, base: Path) -> subprocess.Popen[bytes]:
    """Start an embedded engine and return when it answers."""
    (base / "run").mkdir(parents=True)
    lock = os.open(base / "run" / "seekdb.clients", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_SH)
    os.set_inheritable(lock, True)
    command = [package / "seekdb", "--nodaemon", "--embedded", "--base-dir", base, "--log-level", "WARN"]
    command += ["--parameter", f"{engine.memory}=1G", "--parameter", "log_disk_size=2G"]
    environment = {"LD_LIBRARY_PATH": str(package), "PATH": os.defpath}
    with open(base / "out", "wb") as out:
        process = subprocess.Popen(
            [str(word) for word in command], env=environment, pass_fds=[lock], stdout=out, stderr=out, cwd=base
        )
    os.close(lock)
    for _ in range(600):
        try:
            connect(base).close()
        except pymysql.Error:
            time.sleep(0.1)
        else:
            return process
    process.kill()
    raise SystemExit("the engine does not answer")


def connect(base: Path, database: str | None = None, autocommit: bool = True) -> pymysql.Connection:
    return pymysql.connect(
        unix_socket=str(base / "run" / "sql.sock"), user="root", database=database, autocommit=autocommit
    )


def end_lsn(cursor: pymysql.cursors.Cursor) -> int:
    cursor.execute("select end_lsn from oceanbase.__all_virtual_log_stat")
    return int(cursor.fetchall()[0][0])


def load(base: Path) -> None:
    """Fill a log block almost to its end, cross the border with small transactions, leave blocks of every common type."""
    cursor = connect(base).cursor()
    cursor.execute("create database if not exists test")
    cursor.execute("use test")
    cursor.execute("create table small(writer int, number int, pad varchar(200), primary key(writer, number))")
    cursor.execute("create table large(id bigint auto_increment primary key, pad varbinary(4000), key (pad(20)))")

    def fill(border: int, room: int) -> None:
        while end_lsn(cursor) < border - room:
            rows = 400 if border - end_lsn(cursor) > 4 << 20 else 20
            cursor.executemany("insert into large(pad) values(%s)", [(os.urandom(3000),) for _ in range(rows)])

    def write(writer: int, border: int) -> None:
        with connect(base, "test", autocommit=False) as connection, connection.cursor() as mine:
            number = 0
            while number % 50 or end_lsn(mine) < border + 30_000:
                number += 1
                mine.execute("insert into small values(%s, %s, repeat('x', %s))", (writer, number, number % 50))
                connection.commit()

    border = (end_lsn(cursor) // LOG_DATA + 1) * LOG_DATA
    fill(border, 200_000)
    writers = [threading.Thread(target=write, args=(number, border)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    fill((end_lsn(cursor) // LOG_DATA + 5) * LOG_DATA, 0)  # index blocks appear with hundreds of data blocks
    cursor.execute("alter system minor freeze")
    time.sleep(6)
    cursor.execute("alter system major freeze")
    for _ in range(60):
        if {1, 2, 5, 6, 7, 8} <= block_types(base):
            break
        time.sleep(1)
    time.sleep(2)


def block_types(base: Path) -> set[int]:
    """Return the types of macro blocks there are."""
    found = set()
    with open(base / "store/sstable/block_file", "rb") as file:
        for at in range(2 * MACRO_BLOCK, os.fstat(file.fileno()).st_size, MACRO_BLOCK):
            magic, type_ = struct.unpack_from("<ii", os.pread(file.fileno(), 24, at), 8)
            found |= {type_} if magic == 1001 else set()
    return found


def link_log(folder: Path, kept: Path, stop: threading.Event) -> None:
    """Keep every log block that appears: the engine recycles them within seconds."""
    kept.mkdir()
    while not stop.is_set():
        for block in folder.iterdir():
            if block.name.isdigit() and not (kept / block.name).exists():
                try:
                    os.link(block, kept / block.name)
                except FileNotFoundError:
                    continue
        time.sleep(0.05)


Group = tuple[int, int, int, int, int, int]


def headers(engine: Engine, block: bytes) -> list[Group]:
    """Return (offset, whole size, entries, accumulated, log id, max scn) of each group in a block's file."""
    found, at = [], 4096
    while block[at : at + 4] == engine.magic:
        _, size, *_, scn, accumulated, log_id, _ = engine.header.unpack_from(block, at)
        end = at + engine.header.size + size
        entries, entry = 0, at + engine.header.size
        while entry < end:
            entry += 32 + struct.unpack_from(">i", block, entry + 4)[0]
            entries += 1
        found.append((at, end - at, entries, accumulated, log_id, scn))
        at = end
    return found


def position(block_id: int, offset: int, before: Group) -> dict[str, int]:
    lsn = block_id * LOG_DATA + offset - 4096
    return {"lsn": lsn, "accumulated": before[3], "log_id": before[4], "scn": before[5]}


def collect(engine: Engine, base: Path, kept: Path, notes: dict[str, dict[str, int]]) -> dict[str, bytes]:
    """Return the samples by file name; `notes` gains where each lay."""
    samples: dict[str, bytes] = {}
    for name, first, second in borders(engine, kept):
        one, two = first.read_bytes(), second.read_bytes()
        left, right = headers(engine, one), headers(engine, two)
        begin, end = left[-4], right[2]
        samples["log_block_end.bin"] = one[begin[0] :]
        samples["log_block_start.bin"] = two[: end[0] + end[1]]
        notes["log_block_end.bin"] = position(name, begin[0], left[-5])
        notes["log_block_start.bin"] = position(name + 1, 4096, left[-1])
        small = [index for index, group in enumerate(left) if group[2] > 2 and index > 8]
        small = [index for index in small if sum(group[1] for group in left[index - 3 : index + 4]) < 16384] or small
        middle = small[-1]
        begin, end = left[middle - 3], left[min(middle + 3, len(left) - 2)]
        samples["log_groups.bin"] = one[begin[0] : end[0] + end[1]]
        notes["log_groups.bin"] = position(name, begin[0], left[middle - 4])
    meta = (base / engine.log_stream / "meta/0").read_bytes()
    pages = 1
    while meta[4096 * pages : 4096 * pages + 2] == b"LM":
        pages += 1
    samples["log_meta.bin"] = meta[: 4096 * (pages + 1)]
    samples["slog_server.bin"] = (base / "store/slog/server/1").read_bytes()
    samples["slog_sys.bin.zst"] = zstandard.ZstdCompressor(level=9).compress((base / "store/slog/sys/1").read_bytes())
    samples["data_version.bin"] = (base / "etc/seekdb.data_version.bin").read_bytes()
    with open(base / "store/sstable/block_file", "rb") as file:
        block_id = 0
        while block := file.read(MACRO_BLOCK):
            if block_id == 0:
                samples["super_block.bin"] = block[:4096]
            magic, type_ = struct.unpack_from("<ii", block, 8)
            name_of_type = f"macro_block_type_{type_}.bin"
            if block_id > 1 and magic == 1001:
                packed = zstandard.ZstdCompressor(level=9).compress(block)
                if len(packed) < len(samples.get(name_of_type + ".zst", block)):
                    samples[name_of_type + ".zst"] = packed
                    notes[name_of_type] = {"block_id": block_id}
            block_id += 1
    return samples


def borders(engine: Engine, kept: Path) -> list[tuple[int, Path, Path]]:
    """Return the block border crossed with small groups: the one with the smallest groups before it."""
    found = []
    for block in kept.iterdir():
        after = kept / str(int(block.name) + 1)
        if (
            after.exists()
            and (groups := headers(engine, block.read_bytes()))
            and len(headers(engine, after.read_bytes())) > 5
        ):
            found.append((sum(group[1] for group in groups[-4:]), int(block.name), block, after))
    _, block_id, block, after = min(found)
    return [(block_id, block, after)]


def wheel_of(package: Path) -> str:
    """Return the wheel's version, from the folder its installer left beside the package."""
    return (
        next(package.parent.glob("pylibseekdb-*.dist-info"))
        .name.removeprefix("pylibseekdb-")
        .removesuffix(".dist-info")
    )


def main(work: Path, package: Path, target: Path | None = None) -> None:
    wheel = wheel_of(package)
    engine = ENGINES.get(wheel.split(".post")[0]) or ENGINES["1.4.0"]
    work.mkdir(parents=True)
    base, kept, stop = work / "base", work / "kept", threading.Event()
    process = start(package, engine, base)
    keeper = threading.Thread(target=link_log, args=(base / engine.log_stream / "log", kept, stop))
    keeper.start()
    try:
        load(base)
        cursor = connect(base).cursor()
        cursor.execute("select version()")
        notes: dict[str, dict[str, int]] = {}
        engine_version = str(cursor.fetchall()[0][0])
    finally:
        stop.set()
        keeper.join()
        process.kill()
        process.wait()
    samples = collect(engine, base, kept, notes)
    target = target or Path(__file__).parent / engine.target
    target.mkdir(exist_ok=True)
    for name, data in samples.items():
        (target / name).write_bytes(data)
        print(name, len(data))
    made = {"engine": engine_version, "wheel": wheel, "samples": notes}
    (target / "samples.json").write_text(json.dumps(made, indent=2, sort_keys=True) + "\n")
    shutil.rmtree(work)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        folder = Path(sys.argv[2])
    else:
        spec = find_spec("pylibseekdb")
        assert spec is not None, "the wheel pylibseekdb is not installed"
        assert spec.origin is not None, "pylibseekdb is a package of files"
        folder = Path(spec.origin).parent
    place = Path(sys.argv[3]).absolute() if len(sys.argv) > 3 else None
    main(Path(sys.argv[1]).absolute(), folder.absolute(), place)
