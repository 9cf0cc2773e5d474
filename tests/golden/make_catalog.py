"""Writes `tests/golden/catalog/<commit>.sql`: the catalog that a server of that commit has after a day's work.

    python tests/golden/make_catalog.py 3088279 OUT.sql

The commit is checked out beside the repository, its server runs a tenant, archiving, backups, a deletion, restores, validations
and what else that commit can do; then schema `__holdfast` is written as SQL, the rows with it. Run once for a commit, and never
again: the dumps stand for the catalogs that lie on people's disks. Python's packages are those of today.

Paths are replaced, of the engine's own lists (300 rows and more) the first rows are kept, and no secret is in any column.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pymysql
from pymysql.converters import escape_item

_TESTS = Path(__file__).parents[1]
_ROOT = _TESTS.parent
sys.path[:0] = [str(_TESTS), str(_ROOT / "src")]

from server_rig import Client, Server, wait_for  # noqa: E402

_KEPT_ROWS = {"parameter_definition": 4, "engine_parameter": 4}
_STATEMENTS_SECONDS = 60
_SCENE = (
    "ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file://{place}/archive' TENANT = t",
    "ALTER SYSTEM SET DATA_BACKUP_DEST='file://{place}/data' TENANT = t",
    "ALTER SYSTEM SET archive_lag_target = '0ms' TENANT = t",
    "ALTER SYSTEM ARCHIVELOG TENANT = t",
    "ALTER SYSTEM ADD DELETE BACKUP POLICY 'default' RECOVERY_WINDOW '7d' TENANT = t",
    "ALTER SYSTEM SET backup_full_schedule = '0 2 * * SUN' TENANT = t",
    "ALTER SYSTEM SET backup_drill_assertions = 'select count(*) = 2 from test.a' TENANT = t",
    "ALTER SYSTEM BACKUP TENANT = t",
    "ALTER SYSTEM BACKUP INCREMENTAL TENANT = t DESCRIPTION 'größer als 💾'",
    "ALTER SYSTEM BACKUP TENANT = t PLUS ARCHIVELOG",
    "ALTER SYSTEM VALIDATE BACKUPSET TENANT = t",
    "ALTER SYSTEM VALIDATE ARCHIVELOG_PIECE TENANT = t",
    "ALTER SYSTEM VALIDATE BACKUP LEVEL = 'restore' TENANT = t",
    "ALTER SYSTEM PIN BACKUPSET 1 NOTE 'audit 2026' TENANT = t",
    "ALTER SYSTEM DELETE OBSOLETE BACKUP TENANT = t",
    "ALTER SYSTEM DELETE BACKUPSET 3 TENANT = t",
    "ALTER SYSTEM RESTORE t2 FROM 'file://{place}/data,file://{place}/archive'",
    "ALTER SYSTEM RECOVER TABLE test.a TO TENANT t FROM 'file://{place}/data,file://{place}/archive' REMAP TABLE test.a:b",
    "CREATE RESOURCE UNIT u MAX_CPU 1, MEMORY_SIZE '1G'",
)
_HISTORIES = (
    "CDB_OB_BACKUP_JOB_HISTORY",
    "CDB_OB_BACKUP_DELETE_JOB_HISTORY",
    "CDB_OB_BACKUP_VALIDATE_JOB_HISTORY",
    "CDB_OB_RESTORE_HISTORY",
    "CDB_OB_RECOVER_TABLE_JOB_HISTORY",
)


def main() -> None:
    commit, out = sys.argv[1], Path(sys.argv[2])
    work = Path(tempfile.mkdtemp(prefix="holdfast-catalog-"))
    tree = work / "tree"
    subprocess.run(["git", "-C", str(_ROOT), "worktree", "add", "--detach", str(tree), commit], check=True)
    try:
        os.environ["PYTHONPATH"] = str(tree / "src")  # the server is that commit's, this program today's
        server = Server(work / "base")
        try:
            server.start()
            _work(server, work / "place")
            text = _dump(work / "base" / "sys")
        finally:
            server.end()
    finally:
        subprocess.run(["git", "-C", str(_ROOT), "worktree", "remove", "--force", str(tree)], check=True)
        shutil.rmtree(work, ignore_errors=True)
    text = text.replace(str(work / "place"), "/backup").replace(str(work), "/holdfast")
    assert str(tempfile.gettempdir()) + "/" not in text, "a path of this machine is left"
    out.write_text(
        f"-- The catalog of a server of {commit}, engine 1.4.0, made by tests/golden/make_catalog.py.\n{text}"
    )


def _work(server: Server, place: Path) -> None:
    """Carry out what this commit knows of the scene. What it refuses, it has no tables for."""
    with server.client() as client:
        client.run("CREATE TENANT t")
        with server.client("root@t") as own:
            own.run("create table test.a(i int primary key, v varchar(100))")
            own.run("insert into test.a values (1, 'one'), (2, 'two')")
        for statement in _SCENE:
            text = statement.format(place=place)
            try:
                client.run(text)
            except pymysql.MySQLError as error:
                print("refused:", text, error)
                continue
            time.sleep(2)  # a commit from before the views of running jobs has nothing else to wait for
            _wait_jobs(client)
        time.sleep(3)
        for view in _HISTORIES:
            try:
                rows = client.rows(f"select * from oceanbase.{view}")
                print(
                    view,
                    [
                        (row[0], row[1], [cell for cell in row if cell in ("COMPLETED", "SUCCESS", "FAILED")])
                        for row in rows
                    ],
                )
            except pymysql.MySQLError as error:
                print(view, error)


def _wait_jobs(client: Client) -> None:
    for view in ("BACKUP_JOBS", "BACKUP_DELETE_JOBS", "BACKUP_VALIDATE_JOBS", "RESTORE_PROGRESS", "RECOVER_TABLE_JOBS"):
        try:
            wait_for(
                lambda view=view: client.one(f"select count(*) from oceanbase.CDB_OB_{view}"),
                lambda count: not count,
                seconds=_STATEMENTS_SECONDS,
            )
        except pymysql.MySQLError:
            continue
    wait_for(
        lambda: client.rows("select TENANT_NAME, STATUS from oceanbase.DBA_OB_TENANTS"),
        lambda rows: all(status == "NORMAL" for _, status in rows),
    )


def _dump(home: Path) -> str:
    """Return DDL and rows of every table of the catalog, table by table, one row a line."""
    account = json.loads((home / "account.json").read_text())
    connection = pymysql.connect(
        unix_socket=str(home / "engine" / "run" / "sql.sock"), database="__holdfast", charset="utf8mb4", **account
    )
    parts: list[str] = []
    with connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
        for name in sorted(str(row[0]) for row in cursor.fetchall()):
            cursor.execute(f"SHOW CREATE TABLE `{name}`")
            row = cursor.fetchone()
            assert row is not None
            parts.append(f"{row[1]};\n")
            parts.extend(_rows(cursor, name))
    return "\n".join(parts)


def _rows(cursor: pymysql.cursors.Cursor, name: str) -> list[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = '__holdfast' AND table_name = %s"
        " AND generation_expression = '' ORDER BY ordinal_position",
        (name,),
    )
    columns = [f"`{row[0]}`" for row in cursor.fetchall()]
    limit = f" LIMIT {_KEPT_ROWS[name]}" if name in _KEPT_ROWS else ""
    cursor.execute(f"SELECT {', '.join(columns)} FROM `{name}` ORDER BY 1, 2{limit}")
    rows = [f"({', '.join(str(escape_item(cell, 'utf8mb4')) for cell in row)})" for row in cursor.fetchall()]
    return [f"INSERT INTO `{name}` ({', '.join(columns)}) VALUES\n" + ",\n".join(rows) + ";\n"] if rows else []


if __name__ == "__main__":
    main()
