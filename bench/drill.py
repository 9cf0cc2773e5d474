"""A restore drill of a small tenant: `python -m bench.drill [--gib N]`.

From the statement to the job's end: restored and readable, checked, scratch tenant gone. N GiB of rows (0.05 by default).
"""

import argparse
import time

from bench.rig import drop_caches, fill, settle, table, workspace
from holdfast.engine.process import EngineProcess
from server_rig import archive, running_server, wait_for

_WAIT_SECONDS = 3600
_ENDED = "select STATUS, COMMENT from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY where TENANT_ID > 1"
_DRILL = (
    "select TIMESTAMPDIFF(MICROSECOND, START_TIMESTAMP, RESTORED_TIMESTAMP) / 1000000,"
    " TIMESTAMPDIFF(MICROSECOND, RESTORED_TIMESTAMP, FINISH_TIMESTAMP) / 1000000, RESTORED_BYTES, ROW_COUNT"
    " from oceanbase.CDB_OB_RESTORE_DRILLS"
)


def _measure(gib: float) -> tuple[str, ...]:
    with workspace("drill") as home, running_server(home / "base") as server, server.client() as client:
        client.run("CREATE TENANT small")
        archive(client, "small", home / "place")
        engine = EngineProcess.adopt(server.directory(server.tenant_ids()[1]))
        assert engine is not None
        with server.client("root@small", read_timeout=_WAIT_SECONDS) as user:
            fill(user, gib)
            settle(engine.pid)
        client.run("ALTER SYSTEM BACKUP TENANT = small")
        done = "select RESULT from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID > 1"
        assert wait_for(lambda: client.rows(done), bool, seconds=_WAIT_SECONDS) == [(0,)]
        drop_caches()
        began = time.monotonic()
        client.run("ALTER SYSTEM VALIDATE BACKUP LEVEL = 'restore' TENANT = small")
        assert wait_for(lambda: client.rows(_ENDED), bool, seconds=_WAIT_SECONDS) == [("COMPLETED", "")]
        total = time.monotonic() - began
        restored, checked, size, rows = client.rows(_DRILL)[0]
        return f"{int(size) / 2**30:.2f} GiB", str(rows), f"{restored:.1f} s", f"{checked:.1f} s", f"{total:.1f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=0.05)
    gib = parser.parse_args().gib
    heads = ("restored", "rows", "to readable", "checked and removed", "in all")
    print(table("a restore drill", heads, [_measure(gib)], f"python -m bench.drill --gib {gib}"))


if __name__ == "__main__":
    main()
