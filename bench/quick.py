"""From the statement to the first answer: `method=quick` beside a full restore: `python -m bench.quick [--gib 1 4] [--flushed]`.

The first answer is a checksum over a thousand rows in the middle of the big table, which is right or the measurement ends. Cold
page cache where that is allowed. What the quick tenant had got until then, and when all was there, are told beside it.
The log that both restores replay is what lies behind the engine's checkpoint; `--flushed` has the engine write its rows to blocks
before the backup, so that little is left: what remains of a quick restore's time is the start.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

from bench.rig import drop_caches, fill, settle, table, workspace
from holdfast.engine.process import EngineProcess
from holdfast.restore.lazy_place import LazyPlace
from server_rig import Client, Server, archive, freeze_until, running_server, wait_for, wait_restored

_QUICK = "select STATUS, TOTAL_BYTES, FINISH_BYTES from oceanbase.CDB_OB_QUICK_TENANTS where TENANT_NAME = '{}'"
_UNFLUSHED = "select end_lsn - base_lsn from oceanbase.__all_virtual_log_stat"
_WAIT_SECONDS = 3600


def _first_answer(
    server: Server, client: Client, place: Path, name: str, options: str, query: str, truth: object
) -> tuple[float, float]:
    """Return the seconds until the restore's job ended and until the first right answer."""
    drop_caches()
    began = time.monotonic()
    client.run(f"ALTER SYSTEM RESTORE {name} FROM 'file://{place}/data,file://{place}/archive' {options}")
    ended = f"select STATUS, COMMENT from oceanbase.CDB_OB_RESTORE_HISTORY where TENANT_ID = 1 and RESTORE_TENANT_NAME = '{name}'"
    status, comment = wait_for(lambda: client.rows(ended), bool, seconds=_WAIT_SECONDS)[0]
    assert status == "SUCCESS", comment
    wait_restored(client, name)  # and takes logins
    ready = time.monotonic() - began
    with server.client(f"root@{name}", read_timeout=_WAIT_SECONDS) as user:
        assert user.rows(query) == truth
    return ready, time.monotonic() - began


def _measure(gib: float, *, is_flushed: bool) -> tuple[object, ...]:
    with workspace("quick") as home, running_server(home / "base") as server, server.client() as client:
        place = home / "place"
        client.run("CREATE RESOURCE UNIT u MAX_CPU 1, MEMORY_SIZE '1G', LOG_DISK_SIZE '3G'")
        client.run("CREATE RESOURCE POOL p UNIT = 'u', UNIT_NUM = 1, ZONE_LIST = ('zone1')")
        client.run("CREATE TENANT big")
        archive(client, "big", place)
        engine = EngineProcess.adopt(server.directory(server.tenant_ids()[1]))
        assert engine is not None
        with server.client("root@big", read_timeout=_WAIT_SECONDS) as user:
            fill(user, gib)
            settle(engine.pid)
            if is_flushed:
                # A block of the log is 64 MiB, and the checkpoint lies at the border of one.
                freeze_until(user, lambda: int(user.one(_UNFLUSHED)), lambda size: size <= 64 << 20)
            unflushed = int(user.one(_UNFLUSHED))
            client.run("ALTER SYSTEM BACKUP TENANT = big")
            done = "select RESULT from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID > 1"
            assert wait_for(lambda: client.rows(done), bool, seconds=_WAIT_SECONDS) == [(0,)]
            middle = int(user.one("select max(id) from test.big")) // 2
            query = f"select count(*), sum(crc32(pad)) from test.big where id between {middle} and {middle + 999}"
            truth = user.rows(query)
        full_ready, full = _first_answer(server, client, place, "whole", "", query, truth)
        client.run("DROP TENANT whole FORCE")
        ready, first = _first_answer(server, client, place, "quick", "WITH 'pool_list=p&method=quick'", query, truth)
        began = time.monotonic() - first
        tenant_id = client.one("select TENANT_ID from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'quick'")
        touched = LazyPlace(server.base / "tenants" / str(tenant_id)).state().demanded
        status = wait_for(
            lambda: client.rows(_QUICK.format("quick"))[0], lambda row: row[0] == "HYDRATED", seconds=_WAIT_SECONDS
        )
        hydrated = time.monotonic() - began
        return (
            f"{int(status[1]) / 2**30:.2f} GiB",
            f"{unflushed / 2**20:.0f} MiB",
            f"{full_ready:.1f}",
            f"{full:.1f}",
            f"{ready:.1f}",
            f"{first:.1f}",
            f"{touched} of {int(status[1]) >> 21}",
            f"{hydrated:.1f}",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, nargs="+", default=[1.0, 4.0])
    parser.add_argument("--flushed", action="store_true", help="flush the rows before the backup: little log to replay")
    options = parser.parse_args()
    heads = (
        "macro blocks",
        "log to replay",
        "full: ready, s",
        "full: first answer, s",
        "quick: ready, s",
        "quick: first answer, s",
        "blocks waited for",
        "quick: all there, s",
    )
    rows = [_measure(gib, is_flushed=options.flushed) for gib in options.gib]
    cold = "cold page cache" if drop_caches() else "warm page cache (not root)"
    command = "python -m bench.quick " + " ".join(sys.argv[1:])
    print(table(f"method=quick beside a full restore, {cold}", heads, rows, command))


if __name__ == "__main__":
    assert shutil.disk_usage(".").free > 24 << 30, "this needs about five times the largest size on the disk"
    main()
