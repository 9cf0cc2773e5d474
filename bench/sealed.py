"""What encryption costs: `python -m bench.sealed [--gib 0.5] [--log-mib 256] [--rounds 3]`.

One tenant, its backups and its archive in turn in the clear and sealed (`backup_encryption`), so that a machine that slows down slows
both; medians are compared. A full backup from a cold page cache; the archive's throughput: log that was held back by DEFER, from the
first byte that reaches the destination to the last; and its lag: small commits, each from its SCN to its frame's arrival there.

Beside the time stands what the server's process used of the processors: others who are at work on the machine leave that as it is.
"""

import argparse
import os
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from bench.rig import drop_caches, fill, settle, table, workspace
from holdfast.backup_format.log_frame import FRAME_HEADER_BYTES, decode_frame_header
from holdfast.engine.process import EngineProcess
from server_rig import Client, Server, archive, running_server, wait_for

_LAST = (
    "select BACKUP_SET_ID, STATUS, ENCRYPTION_MODE, INPUT_BYTES, TIMESTAMPDIFF(MICROSECOND, START_TIMESTAMP, END_TIMESTAMP)"
    " from oceanbase.CDB_OB_BACKUP_SET_FILES order by BACKUP_SET_ID desc limit 1"
)
_ROUND = "select STATUS, CHECKPOINT_SCN from oceanbase.CDB_OB_ARCHIVELOG"
_STATE = "ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE = '{}' TENANT = big"
_ROW_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """`cpu_seconds`: of the server's process, the engine's not counted."""

    seconds: float
    cpu_seconds: float
    size_bytes: int


def _cpu_seconds(server: Server) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _backed_up(server: Server, client: Client) -> _Cost:
    """Return what a full backup took; `size_bytes`: read."""
    before, cpu = client.rows(_LAST), _cpu_seconds(server)
    drop_caches()
    client.run("ALTER SYSTEM BACKUP TENANT = big")
    row = wait_for(
        lambda: client.rows(_LAST), lambda rows: bool(rows) and rows != before and rows[0][1] != "DOING", seconds=3600
    )[0]
    assert row[1] == "SUCCESS", row
    return _Cost(seconds=int(row[4]) / 1e6, cpu_seconds=_cpu_seconds(server) - cpu, size_bytes=int(row[3]))


def _logs(place: Path) -> dict[Path, os.stat_result]:
    return {path: path.stat() for path in (place / "archive").glob("piece_d*/logstream_1/log/*.obarc")}


def _stored_bytes(place: Path) -> int:
    return sum(found.st_size for found in _logs(place).values())


def _caught_up(server: Server, client: Client, user: Client, place: Path, log_mib: int) -> _Cost:
    """Return what it took to make log durable that was held back. A checkpoint is told once a second only: the objects tell more."""
    # A changed key is put into the destination once, before the first frame: not what is measured.
    user.run("replace into test.log values (99, '')")
    scn = int(user.one("select current_scn()"))
    wait_for(lambda: int(client.rows(_ROUND)[0][1]), lambda checkpoint: checkpoint > scn, seconds=60)
    client.run(_STATE.format("DEFER"))
    wait_for(lambda: client.rows(_ROUND), lambda rows: rows[0][0] == "SUSPEND", seconds=60)
    for number in range(log_mib * (1 << 20) // _ROW_BYTES):
        user.connection.cursor().execute("replace into test.log values (%s, %s)", (number % 32, os.urandom(_ROW_BYTES)))
    os.sync()
    stored, cpu = _stored_bytes(place), _cpu_seconds(server)
    wanted = log_mib << 20  # random bytes: nothing of them is saved
    client.run(_STATE.format("ENABLE"))
    begun = 0.0
    while (grown := _stored_bytes(place) - stored) < wanted:
        begun = begun or (time.monotonic() if grown else 0.0)
        time.sleep(0.005)
    cost = _Cost(seconds=time.monotonic() - begun, cpu_seconds=_cpu_seconds(server) - cpu, size_bytes=grown)
    scn = int(user.one("select current_scn()"))
    wait_for(lambda: int(client.rows(_ROUND)[0][1]), lambda checkpoint: checkpoint > scn, seconds=60)
    return cost


def _lags(user: Client, place: Path, seconds: float) -> list[float]:
    """Return the milliseconds from the SCN of the oldest group in a frame to the frame's arrival, for commits of a row each 20 ms.

    An append is written whole and then made durable, which is the same with a key and without.
    """
    lags: list[float] = []
    ends = {path: found.st_size for path, found in _logs(place).items()}
    end, number = time.monotonic() + seconds, 0
    next_row = time.monotonic()
    while time.monotonic() < end:
        if time.monotonic() >= next_row:
            user.connection.cursor().execute("replace into test.log values (%s, %s)", (number % 32, os.urandom(2000)))
            number, next_row = number + 1, next_row + 0.02
        for path, found in _logs(place).items():
            at = ends.get(path, 0)
            if found.st_size == at:
                continue
            with path.open("rb") as file:
                file.seek(at)
                header = decode_frame_header(file.read(FRAME_HEADER_BYTES))
            if header is None or found.st_size < at + header.size_bytes:
                continue  # it is being written
            if found.st_size == at + header.size_bytes:  # else the time is a later frame's
                lags.append((found.st_mtime_ns - header.frame.first_scn) / 1e6)
            ends[path] = found.st_size
        time.sleep(0.001)
    return lags


def _row(what: str, costs: dict[str, list[float]], digits: int = 2) -> tuple[str, str, str, str]:
    plain, sealed = statistics.median(costs["NONE"]), statistics.median(costs["KEY"])
    return what, f"{plain:.{digits}f}", f"{sealed:.{digits}f}", f"{sealed / plain:.2f}x"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=0.5)
    parser.add_argument("--log-mib", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lag-seconds", type=float, default=10.0)
    options = parser.parse_args()
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: {"NONE": [], "KEY": []})
    read_bytes = 0
    with workspace("sealed") as home, running_server(home / "base") as server, server.client() as client:
        key, place = Path(home / "key"), home / "place"
        key.write_text(os.urandom(32).hex())
        sources = {"NONE": "NONE", "KEY": f"file:{key}"}
        client.run("CREATE TENANT big")
        directory = server.directory(server.tenant_ids()[1])
        engine = EngineProcess.adopt(directory)
        assert engine is not None
        archive(client, "big", place)
        with server.client("root@big", read_timeout=3600) as user:
            user.run("create table test.log(i int primary key, v longblob)")
            fill(user, options.gib)
            settle(engine.pid)
            kinds = [("NONE", "KEY", "KEY", "NONE")[turn % 4] for turn in range(2 * options.rounds)]
            # The backups first: each round of log leaves old versions of its rows in the block file, which would be read too.
            for kind in kinds:
                client.run(f"ALTER SYSTEM SET backup_encryption = '{sources[kind]}' TENANT = big")
                settle(engine.pid)
                cost = _backed_up(server, client)
                read_bytes = cost.size_bytes
                figures["full backup, seconds"][kind].append(cost.seconds)
                figures["full backup, CPU seconds"][kind].append(cost.cpu_seconds)
            for kind in kinds:
                client.run(f"ALTER SYSTEM SET backup_encryption = '{sources[kind]}' TENANT = big")
                cost = _caught_up(server, client, user, place, options.log_mib)
                mib = cost.size_bytes / 2**20
                figures["archive, MiB/s of log"][kind].append(mib / cost.seconds)
                figures["archive, CPU seconds for each GiB of log"][kind].append(1024 * cost.cpu_seconds / mib)
                figures["archive lag, ms"][kind].append(statistics.median(_lags(user, place, options.lag_seconds)))
    rows = [_row(what, costs) for what, costs in figures.items()]
    title = f"Encryption: {read_bytes / 2**30:.2f} GiB read by each backup, {options.log_mib} MiB of log, medians of {options.rounds}"
    print(table(title, ("", "in the clear", "sealed", ""), rows, "python -m bench.sealed " + " ".join(sys.argv[1:])))


if __name__ == "__main__":
    main()
