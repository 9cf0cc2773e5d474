"""A real `holdfast serve` for tests: a process of its own on a free port, which a test may kill at any moment."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pymysql

from holdfast.engine.directory import EngineDirectory
from holdfast.engine.process import EngineProcess
from holdfast.engine.version import find_engines
from holdfast.engine_format.data_version import decode_data_version

WAIT_SECONDS_MAX = 90.0
"""Bound of every wait; the slowest step takes a few seconds on a busy machine."""


class Server:
    """One server of one base directory. `kill` leaves its engines alive, as a crash does."""

    def __init__(
        self,
        base: Path,
        *options: str,
        program: Sequence[str] = ("-m", "holdfast"),
        roots: Sequence[Path] | None = None,
    ) -> None:
        """`program`: what Python runs, a test's own program in the place of `holdfast`.

        `roots`: below what user tenants set destinations; by default what all directories of this run of tests lie in.
        """
        self.base = base
        self.program = program
        named = [base.absolute().parents[1]] if roots is None else roots
        self.options = (*options, *(f"--destination-root={root}" for root in named))
        self.port = 0
        self.log = base.with_name(base.name + ".log")
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "Server":
        command = [
            sys.executable,
            *self.program,
            "serve",
            "--base-dir",
            str(self.base),
            "--port",
            "0",
            *self.options,
        ]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("holdfast ready port="), self.log.read_text()[-4000:]
        self.port = int(line.rpartition("=")[2])
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End the server with SIGKILL, whatever it is doing."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """End the server in order and return its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(WAIT_SECONDS_MAX)

    def end(self) -> None:
        """Leave nothing behind: the server, then every engine that outlived it, each by its pid."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop()
            if self._process.poll() is None:
                self.kill()
        for tenant_id in self.tenant_ids():
            engine = EngineProcess.adopt(self.directory(tenant_id))
            if engine is not None:
                engine.stop()

    def tenant_ids(self) -> list[int]:
        folder = self.base / "tenants"
        users = sorted(int(name) for name in os.listdir(folder) if name.isdigit()) if folder.is_dir() else []
        return [1, *users]

    def directory(self, tenant_id: int) -> EngineDirectory:
        """Return the places of a tenant's engine, of the version its data is of."""
        place = self.base / "sys" if tenant_id == 1 else self.base / "tenants" / str(tenant_id)
        engines = find_engines()
        found = EngineDirectory(place / "engine", engines.newest)
        if not found.data_version_file.exists():
            return found
        return EngineDirectory(found.root, engines.of(decode_data_version(found.data_version_file.read_bytes()).text))

    def client(self, user: str = "root@sys", password: str = "", **options: Any) -> "Client":
        return Client(self.port, user, password, **options)


class Client:
    """One login at the gateway by PyMySQL."""

    def __init__(self, port: int, user: str, password: str = "", **options: Any) -> None:
        options = {"autocommit": True, "read_timeout": 120, **options}
        self.connection = pymysql.connect(host="127.0.0.1", port=port, user=user, password=password, **options)

    def rows(self, sql: str, args: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, tuple(args) or None)
            return list(cursor.fetchall())

    def one(self, sql: str, args: Sequence[object] = ()) -> Any:
        return self.rows(sql, args)[0][0]

    def run(self, sql: str, args: Sequence[object] = ()) -> int:
        with self.connection.cursor() as cursor:
            return int(cursor.execute(sql, tuple(args) or None))

    def refused(self, sql: str) -> tuple[int, str]:
        """Return (number, text) of the error `sql` answers with; fail if it answers none."""
        try:
            self.run(sql)
        except pymysql.MySQLError as error:
            return int(error.args[0]), str(error.args[1])
        raise AssertionError(f"{sql} was not refused")

    def close(self) -> None:
        with contextlib.suppress(pymysql.MySQLError):
            self.connection.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def running_server(base: Path, *options: str, roots: Sequence[Path] | None = None) -> Iterator[Server]:
    """Yield a started server in `base`; nothing of it is left running afterwards."""
    server = Server(base, *options, roots=roots)
    try:
        yield server.start()
    finally:
        server.end()


def wait_for(ask: Callable[[], Any], wanted: Callable[[Any], bool], *, seconds: float = WAIT_SECONDS_MAX) -> Any:
    """Return the first answer that is wanted; fail with the last one when the bound is over."""
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if wanted(answer):
            return answer
        assert time.monotonic() < end, f"waited {seconds:.0f} s, last answer {answer!r}"
        time.sleep(0.05)


def freeze_until(client: Client, ask: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """Have the tenant's engine write its rows to blocks until `ask` gives what is wanted, and return that.

    Again and again: a freeze that meets another one, as that of a tenant made a moment ago, does nothing.
    """

    def frozen() -> Any:
        client.run("alter system minor freeze")
        with contextlib.suppress(AssertionError):
            return wait_for(ask, wanted, seconds=5)
        return ask()

    return wait_for(frozen, wanted)


def archive(client: Client, tenant: str, place: Path, *, lag_target: str = "0ms") -> None:
    """Give the tenant both destinations below `place` and wait until its round is DOING."""
    client.run(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file://{place}/archive' TENANT = {tenant}")
    client.run(f"ALTER SYSTEM SET DATA_BACKUP_DEST='file://{place}/data' TENANT = {tenant}")
    client.run(f"ALTER SYSTEM SET archive_lag_target = '{lag_target}' TENANT = {tenant}")
    client.run(f"ALTER SYSTEM ARCHIVELOG TENANT = {tenant}")
    wait_doing(client, tenant)


def wait_doing(client: Client, tenant: str) -> None:
    sql = (
        "select a.STATUS from oceanbase.CDB_OB_ARCHIVELOG a join oceanbase.DBA_OB_TENANTS t on t.TENANT_ID = a.TENANT_ID "
        f"where t.TENANT_NAME = '{tenant}'"
    )
    wait_for(lambda: client.rows(sql), lambda rows: bool(rows) and rows[0][0] == "DOING")


def wait_archived(client: Client, scn: int) -> None:
    """Return when some archive round of the cluster has reached `scn`."""
    reached = "select max(CHECKPOINT_SCN) from oceanbase.CDB_OB_ARCHIVELOG"
    wait_for(lambda: client.one(reached), lambda checkpoint: checkpoint >= scn)


def backup(client: Client, tenant: str) -> tuple[str, int, str]:
    """Back the tenant up and return (STATUS, RESULT, COMMENT) of its job."""
    sql = (
        "select j.JOB_ID, j.STATUS, j.RESULT, j.COMMENT from oceanbase.CDB_OB_BACKUP_JOB_HISTORY j join oceanbase.DBA_OB_TENANTS t "
        f"on t.TENANT_ID = j.TENANT_ID where t.TENANT_NAME = '{tenant}' order by j.JOB_ID desc limit 1"
    )
    before = client.rows(sql)
    client.run(f"ALTER SYSTEM BACKUP TENANT = {tenant}")
    row = wait_for(lambda: client.rows(sql), lambda rows: bool(rows) and rows != before)[0]
    wait_asked_again(client)
    return str(row[1]), int(row[2]), str(row[3])


def wait_asked_again(client: Client) -> None:
    """Return when no backup stands in the way of the next: the row of sys ends a moment after the tenant's (-9036)."""
    wait_for(
        lambda: client.rows("select 1 from oceanbase.CDB_OB_BACKUP_JOBS where TENANT_ID = 1"), lambda rows: not rows
    )


def restore(client: Client, name: str, place: Path, until: str = "") -> tuple[str, str]:
    """Restore into a new tenant from both destinations below `place`; return (STATUS, COMMENT) of the job."""
    client.run(f"ALTER SYSTEM RESTORE {name} FROM 'file://{place}/data,file://{place}/archive' {until}")
    return wait_restored(client, name)


def wait_restored(client: Client, name: str) -> tuple[str, str]:
    sql = (
        "select STATUS, COMMENT from oceanbase.CDB_OB_RESTORE_HISTORY where TENANT_ID = 1 and "
        f"RESTORE_TENANT_NAME = '{name}' order by JOB_ID desc limit 1"
    )
    row = wait_for(lambda: client.rows(sql), bool)[0]
    # The history row comes a moment before the tenant takes logins.
    state = f"select STATUS from oceanbase.DBA_OB_TENANTS where TENANT_NAME = '{name}'"
    if row[0] == "SUCCESS":
        wait_for(lambda: client.rows(state), lambda rows: bool(rows) and rows[0][0] == "NORMAL")
    return str(row[0]), str(row[1] or "")
