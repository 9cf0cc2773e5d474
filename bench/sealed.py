"""What encryption costs: `python -m bench.sealed [--gib 0.5] [--log-mib 256] [--rounds 3]`.

One tenant, its backups and its archive in turn in the clear and sealed (`backup_encryption`), so that a machine that slows down slows
both; medians are compared. A full backup from a cold page cache; and the archive's throughput: log that was held back by DEFER,
from ENABLE until all of it is durable.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

from bench.rig import drop_caches, fill, settle, table, workspace
from holdfast.engine.process import EngineProcess
from server_rig import Client, archive, running_server, wait_for

_LAST = (
    "select BACKUP_SET_ID, STATUS, ENCRYPTION_MODE, INPUT_BYTES, TIMESTAMPDIFF(MICROSECOND, START_TIMESTAMP, END_TIMESTAMP)"
    " from oceanbase.CDB_OB_BACKUP_SET_FILES order by BACKUP_SET_ID desc limit 1"
)
_ROUND = "select STATUS, CHECKPOINT_SCN, INPUT_BYTES from oceanbase.CDB_OB_ARCHIVELOG"
_STATE = "ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE = '{}' TENANT = big"
_ROW_BYTES = 1 << 20


def _backed_up(client: Client) -> tuple[float, int]:
    """Return seconds and bytes read of a full backup."""
    before = client.rows(_LAST)
    drop_caches()
    client.run("ALTER SYSTEM BACKUP TENANT = big")
    row = wait_for(
        lambda: client.rows(_LAST), lambda rows: bool(rows) and rows != before and rows[0][1] != "DOING", seconds=3600
    )[0]
    assert row[1] == "SUCCESS", row
    return int(row[4]) / 1e6, int(row[3])


def _caught_up(client: Client, user: Client, log_mib: int) -> tuple[float, int]:
    """Return the seconds in which log that was held back became durable, and how many bytes it was."""
    # A changed key is put into the destination once, before the first frame: not what is measured.
    user.run("replace into test.log values (99, '')")
    scn = int(user.one("select current_scn()"))
    wait_for(lambda: int(client.rows(_ROUND)[0][1]), lambda checkpoint: checkpoint > scn, seconds=60)
    client.run(_STATE.format("DEFER"))
    wait_for(lambda: client.rows(_ROUND), lambda rows: rows[0][0] == "SUSPEND", seconds=60)
    before = int(client.rows(_ROUND)[0][2])
    for number in range(log_mib * (1 << 20) // _ROW_BYTES):
        user.connection.cursor().execute("replace into test.log values (%s, %s)", (number % 32, os.urandom(_ROW_BYTES)))
    scn = int(user.one("select current_scn()"))
    os.sync()
    begun = time.monotonic()
    client.run(_STATE.format("ENABLE"))
    while int(client.rows(_ROUND)[0][1]) < scn:
        time.sleep(0.02)
    return time.monotonic() - begun, int(client.rows(_ROUND)[0][2]) - before


def _medians(times: dict[str, list[float]]) -> tuple[float, float]:
    return statistics.median(times["NONE"]), statistics.median(times["KEY"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=0.5)
    parser.add_argument("--log-mib", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    backups: dict[str, list[float]] = {"NONE": [], "KEY": []}
    logs: dict[str, list[float]] = {"NONE": [], "KEY": []}
    read_bytes = 0
    with workspace("sealed") as home, running_server(home / "base") as server, server.client() as client:
        key = Path(home / "key")
        key.write_text(os.urandom(32).hex())
        sources = {"NONE": "NONE", "KEY": f"file:{key}"}
        client.run("CREATE TENANT big")
        directory = server.directory(server.tenant_ids()[1])
        engine = EngineProcess.adopt(directory)
        assert engine is not None
        archive(client, "big", home / "place")
        with server.client("root@big", read_timeout=3600) as user:
            user.run("create table test.log(i int primary key, v longblob)")
            fill(user, options.gib)
            settle(engine.pid)
            for turn in range(2 * options.rounds):
                kind = ("NONE", "KEY", "KEY", "NONE")[turn % 4]
                client.run(f"ALTER SYSTEM SET backup_encryption = '{sources[kind]}' TENANT = big")
                seconds, log_bytes = _caught_up(client, user, options.log_mib)
                logs[kind].append(log_bytes / 2**20 / seconds)
                settle(engine.pid)
                seconds, read_bytes = _backed_up(client)
                backups[kind].append(seconds)
    plain, sealed = _medians(backups)
    plain_rate, sealed_rate = _medians(logs)
    rows = [
        ("full backup, seconds", f"{plain:.2f}", f"{sealed:.2f}", f"{sealed / plain:.2f}x"),
        ("archive, MiB/s of log", f"{plain_rate:.0f}", f"{sealed_rate:.0f}", f"{sealed_rate / plain_rate:.2f}x"),
    ]
    title = f"Encryption: {read_bytes / 2**30:.2f} GiB read by each backup, {options.log_mib} MiB of log, medians of {options.rounds}"
    print(table(title, ("", "in the clear", "sealed", ""), rows, "python -m bench.sealed " + " ".join(sys.argv[1:])))


if __name__ == "__main__":
    main()
