"""One table back out of a tenant: `python -m bench.recover_table [--gib N] [--rows N]`.

A small table of N rows beside N GiB of other data: RECOVER TABLE from the statement to the table in place, as it comes (the auxiliary
tenant gets the blocks it touches) and with `method=full`; the share of the copy itself; and for comparison what a person does without
it: restore the tenant, mysqldump-like SELECT and INSERT through one client. Cold page cache where that is allowed.
"""

import argparse
import time

from bench.rig import drop_caches, fill, settle, table, workspace
from holdfast.engine.process import EngineProcess
from server_rig import Client, Server, archive, running_server, wait_for, wait_restored

_WAIT_SECONDS = 3600
_BATCH = 1000
_SUM = "select count(*), sum(crc32(concat_ws('|', id, name, amount, at))) from test.small"


def _by_hand(server: Server, client: Client, sources: str, scn: int) -> float:
    """Restore everything into a tenant, copy the table through this process, drop the tenant."""
    began = time.monotonic()
    client.run(f"ALTER SYSTEM RESTORE aside FROM {sources} UNTIL SCN = {scn}")
    assert wait_restored(client, "aside")[0] == "SUCCESS"
    with server.client("root@aside", read_timeout=_WAIT_SECONDS) as source, server.client("root@big") as target:
        source.run("set ob_query_timeout = 3000000000")
        target.run("create table test.by_hand like test.small")
        rows = source.rows("select id, name, amount, at from test.small")
        with target.connection.cursor() as cursor:
            for start in range(0, len(rows), _BATCH):
                cursor.executemany("insert into test.by_hand values (%s, %s, %s, %s)", rows[start : start + _BATCH])
    client.run("DROP TENANT aside FORCE")
    return time.monotonic() - began


def _measure(gib: float, row_count: int) -> list[tuple[object, ...]]:
    with workspace("recover_table") as home, running_server(home / "base") as server, server.client() as client:
        place = home / "place"
        client.run("CREATE RESOURCE UNIT u MAX_CPU 1, MEMORY_SIZE '1G', LOG_DISK_SIZE '3G'")
        client.run("CREATE RESOURCE POOL p UNIT = 'u', UNIT_NUM = 1, ZONE_LIST = ('zone1')")
        client.run("CREATE TENANT big")
        archive(client, "big", place)
        engine = EngineProcess.adopt(server.directory(server.tenant_ids()[1]))
        assert engine is not None
        with server.client("root@big", read_timeout=_WAIT_SECONDS) as user:
            user.run("create table test.small (id int primary key, name varchar(100), amount double, at datetime)")
            for start in range(0, row_count, _BATCH):
                values = ",".join(f"({i}, 'customer number {i}', {i} / 7, now())" for i in range(start, start + _BATCH))
                user.run(f"insert into test.small values {values}")
            fill(user, gib)
            settle(engine.pid)
            client.run("ALTER SYSTEM BACKUP TENANT = big")
            done = "select RESULT from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID > 1"
            assert wait_for(lambda: client.rows(done), bool, seconds=_WAIT_SECONDS) == [(0,)]
            user.run("insert into test.small values (-1, 'the last one', 0, now())")
            scn = int(user.one("select max(ora_rowscn) from test.small"))
            truth = user.rows(_SUM)
            sources = f"'file://{place}/data,file://{place}/archive'"
            first, rows = 0.0, list[tuple[object, ...]]()
            for way, options in (
                ("RECOVER TABLE", ""),
                ("RECOVER TABLE ... method=full", "WITH 'pool_list=p&method=full'"),
            ):
                user.run("drop table test.small")
                whole, copied = _recover(client, user, f"FROM {sources} UNTIL SCN = {scn} {options}")
                assert user.rows(_SUM) == truth
                first = first or whole
                rows.append((way, f"{whole:.1f}", f"{copied:.1f}", f"{whole / first:.2f}"))
        drop_caches()
        by_hand = _by_hand(server, client, sources, scn)
    return [*rows, ("restore, copy and drop by hand", f"{by_hand:.1f}", "", f"{by_hand / first:.2f}")]


def _recover(client: Client, user: Client, how: str) -> tuple[float, float]:
    """Return the seconds from the statement to the end of the job, and of the copy."""
    ended = "select RESULT, COMMENT from oceanbase.CDB_OB_RECOVER_TABLE_JOB_HISTORY where TENANT_ID = 1 order by JOB_ID desc"
    before = len(client.rows(ended))
    drop_caches()
    began = time.monotonic()
    client.run(f"ALTER SYSTEM RECOVER TABLE test.small TO TENANT big {how}")
    found = wait_for(lambda: client.rows(ended), lambda rows: len(rows) > before, seconds=_WAIT_SECONDS)
    whole = time.monotonic() - began
    assert found[0] == ("SUCCESS", ""), found[0]
    copied = "select CUMULATIVE_TS / 1000000 from oceanbase.DBA_OB_IMPORT_TABLE_TASK_HISTORY order by START_TIMESTAMP desc limit 1"
    return whole, float(user.one(copied))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=1.0)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    rows = _measure(options.gib, options.rows)
    title = f"A table of {options.rows} rows out of {options.gib:g} GiB"
    command = f"python -m bench.recover_table --gib {options.gib:g} --rows {options.rows}"
    print(table(title, ("way", "seconds", "of it copying", "ratio"), rows, command))


if __name__ == "__main__":
    main()
