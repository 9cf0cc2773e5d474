"""A bare sys engine for the tests of the catalog."""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from pathlib import Path

import pylibseekdb
from catalog_samples import NOW_NS
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from holdfast.engine.session import SqlError, connect

WHEEL = Path(pylibseekdb.__file__).parent
READY_SECONDS_MAX = 60
_REFUSED_LOGIN = 1045


class FixedClock:
    """2026-11-23 09:13:18.080272999 UTC, for ever."""

    def now_ns(self) -> int:
        return NOW_NS

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("the catalog never waits by the clock")


class SysEngine:
    """A bare seekdb that only its sessions come to by the engine room: what is tested here is the catalog alone."""

    def __init__(self, base: Path) -> None:
        self.base = base
        (base / "run").mkdir(parents=True)
        self._held = os.open(base / "run" / "seekdb.clients", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._held, fcntl.LOCK_SH)  # the engine lives while someone holds this
        os.set_inheritable(self._held, True)
        self._begin()

    def _begin(self) -> None:
        command = [str(WHEEL / "seekdb"), "--nodaemon", "--embedded", "--base-dir", str(self.base)]
        command += ["--log-level", "WARN", "--parameter", "memory_budget=1G", "--parameter", "log_disk_size=2G"]
        with (self.base / "out").open("ab") as out:
            self._process = subprocess.Popen(
                command,
                env={"LD_LIBRARY_PATH": str(WHEEL), "PATH": "/usr/bin"},
                pass_fds=[self._held],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.base,
            )
        deadline = time.monotonic() + READY_SECONDS_MAX
        while True:
            try:
                self.connect().close()
            except SqlError:
                assert self._process.poll() is None, (self.base / "out").read_text(errors="replace")[-2000:]
                assert time.monotonic() < deadline, "the engine did not come up"
                time.sleep(0.05)
            else:
                return

    def connect(self, user: str = "root", password: str = "") -> Connection[Cursor]:
        return connect(self.base / "run" / "sql.sock", user, password).connection

    def log_in(self, user: str, password: str) -> Connection[Cursor] | None:
        """Return a connection as the catalog asks for one: None for a login that the engine does not know."""
        try:
            return self.connect(user, password)
        except SqlError as error:
            if error.errno == _REFUSED_LOGIN:
                return None
            raise

    def query(self, sql: str, args: tuple[object, ...] = (), zone: str = "+00:00") -> list[tuple[object, ...]]:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"SET time_zone = '{zone}'")
            cursor.execute(sql, args or None)
            return [tuple(row) for row in cursor.fetchall()]

    def end(self) -> None:
        self._process.kill()
        self._process.wait(30)

    def restart(self) -> None:
        self.end()
        self._begin()
