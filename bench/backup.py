"""One backup from near: `python -m bench.backup [--gib N]`.

How threads (ha_low_thread_score) pay in a full backup, and what an increment costs when 1 % of the blocks changed, beside restic's
second run over the same living files. Cold page cache where that is allowed. The peers of a full backup are in bench.path.
"""

import argparse
import shutil
import sys
from pathlib import Path

from bench.rig import drop_caches, fill, run, settle, table, timed, tree_bytes, workspace
from holdfast.engine.process import EngineProcess
from server_rig import Client, archive, running_server, wait_for

_THREADS = (1, 2, 4)
_LAST = (
    "select BACKUP_SET_ID, STATUS, INPUT_BYTES, OUTPUT_BYTES, MACRO_BLOCK_COUNT, BACKUP_TYPE, "
    "TIMESTAMPDIFF(MICROSECOND, START_TIMESTAMP, END_TIMESTAMP), COMMENT "
    "from oceanbase.CDB_OB_BACKUP_SET_FILES order by BACKUP_SET_ID desc limit 1"
)
_Made = tuple[float, int, int, int, str]


def _backed_up(client: Client, kind: str = "") -> _Made:
    """Return seconds, bytes read, bytes stored, blocks and comment of one backup."""
    before = client.rows(_LAST)
    drop_caches()
    client.run(f"ALTER SYSTEM BACKUP {kind} TENANT = big")
    row = wait_for(
        lambda: client.rows(_LAST), lambda rows: bool(rows) and rows != before and rows[0][1] != "DOING", seconds=3600
    )[0]
    assert row[1] == "SUCCESS", row
    assert kind == "" or row[5] == "INC", row
    return int(row[6]) / 1e6, int(row[2]), int(row[3]), int(row[4]), str(row[7] or "")


def _restic(work: Path, source: Path, *, first: bool) -> float:
    env = {"RESTIC_PASSWORD": "x", "RESTIC_CACHE_DIR": str(work / "cache")}
    if first:
        run("restic", "-r", str(work / "repo"), "init", env=env)
    return timed(lambda: run("restic", "-r", str(work / "repo"), "backup", str(source), env=env))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=1.0)
    options = parser.parse_args()
    command = "python -m bench.backup " + " ".join(sys.argv[1:])
    with workspace("backup") as home, running_server(home / "base") as server, server.client() as client:
        client.run("CREATE TENANT big")
        directory = server.directory(server.tenant_ids()[1])
        engine = EngineProcess.adopt(directory)
        assert engine is not None
        archive(client, "big", home / "place")
        with server.client("root@big", read_timeout=3600) as user:
            fill(user, options.gib)
            settle(engine.pid)
            full: dict[int, _Made] = {}
            for threads in _THREADS:
                client.run(f"ALTER SYSTEM SET ha_low_thread_score = {threads} TENANT = big")
                full[threads] = _backed_up(client)
            has_restic = shutil.which("restic") is not None
            restic_first = _restic(home, directory.block_file.parent, first=True) if has_restic else 0.0
            user.run("update test.big set v = v + 1 where id < (select count(*) from test.big) / 100")
            user.run("alter system minor freeze")
            settle(engine.pid)
            increment = _backed_up(client, "INCREMENTAL")
            restic_second = _restic(home, directory.block_file.parent, first=False) if has_restic else 0.0
        stored = tree_bytes(home / "place")
    cold = "cold page cache" if drop_caches() else "warm page cache (not root)"
    data_bytes = full[2][3] * (2 << 20)
    rows = [
        (
            f"{threads} threads",
            f"{made[0]:.2f}",
            f"{data_bytes / 2**20 / made[0]:.0f}",
            f"{made[2] / 2**20:.0f}",
            made[4],
        )
        for threads, made in full.items()
    ]
    if restic_first:
        rows.append(("restic", f"{restic_first:.2f}", f"{data_bytes / 2**20 / restic_first:.0f}", "", ""))
    print(
        table(
            f"Full backup of {full[2][3]} macro blocks ({data_bytes / 2**30:.2f} GiB) of a running tenant, {cold}",
            ("", "seconds", "MiB/s", "MiB stored", "comment"),
            rows,
            command,
        )
    )
    seconds, read_bytes, stored_bytes, _, comment = increment
    rows = [
        ("holdfast", f"{seconds:.2f}", f"{100 * read_bytes / data_bytes:.2f} %", f"{stored_bytes / 2**20:.1f}", comment)
    ]
    if restic_second:
        rows.append(("restic, second run", f"{restic_second:.2f}", "100 %", "", f"{restic_second / seconds:.1f}x"))
    print(
        table(
            f"Increment after an update of 1 % of the rows, {cold}, {stored / 2**20:.0f} MiB in the destination",
            ("", "seconds", "of the data read", "MiB stored", "comment"),
            rows,
            command,
        )
    )


if __name__ == "__main__":
    main()
