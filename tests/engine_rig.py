"""Real engines and real load for the tests of every room.

    with running_engine(tmp_path) as rig:            # 1.3 s, 210 MB, 161 MB on disk
        rig.sql("create table test.t(i int primary key)")
        bank = Bank(rig.directory.socket, rig.account, log_dir=tmp_path / "bank", writers=4)
        bank.setup()
        bank.begin(); ...; acknowledged = bank.end()  # writers are processes (or threads: Bank(..., threads=True))
        bank.check(rig.session())

The bank's truth: every transaction is 2 balance updates and 1 to 4 ledger rows, the total is constant, balances can be computed
again from the ledger, and `Acknowledged` tells between which SCNs and wall times each commit lies.
"""

import contextlib
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))  # a writer process is started as this file alone

from holdfast.engine import control, facts
from holdfast.engine.account import (
    Account,
    authority_file,
    client_file,
    create_account,
    is_of_set,
    load_account,
    open_session,
)
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.fence import FencePolicy
from holdfast.engine.process import EngineProcess, EngineSettings, Watchdog, begin_founding
from holdfast.engine.role import EngineRole
from holdfast.engine.session import Session, SqlError, connect
from holdfast.engine.version import EngineVersion, installed

ACCOUNTS = 200
BALANCE = 1000
_WRITER_STOP_SECONDS = 20
_REFUSED_LOGIN = 1045
_WRITER_SECONDS_MAX = 120


@dataclass(slots=True)
class EngineRig:
    """A running engine with Holdfast's account in it. `sql` goes through one session of that account."""

    directory: EngineDirectory
    process: EngineProcess
    account_file: Path
    settings: EngineSettings
    fence: FencePolicy = FencePolicy.AUTO
    _session: Session | None = None

    @property
    def account(self) -> Account:
        return load_account(self.account_file)

    @property
    def socket(self) -> Path:
        return self.directory.socket

    def session(self, database: str | None = None) -> Session:
        """Return a new session of Holdfast's account; the caller closes it."""
        return open_session(self.directory.socket, self.account_file, database)

    def root(self, password: str = "", database: str | None = None) -> Session:
        """Return a new session of the tenant's root."""
        return connect(self.directory.socket, "root", password, database)

    def log_in(self, user: str, password: str) -> "pymysql.Connection[pymysql.cursors.Cursor] | None":
        """Return a connection as a catalog asks for one: None for a login that the engine does not know."""
        try:
            return connect(self.directory.socket, user, password).connection
        except SqlError as error:
            if error.errno == _REFUSED_LOGIN:
                return None
            raise

    def sql(self, text: str, args: tuple[object, ...] | None = None) -> list[tuple[Any, ...]]:
        """Return the rows (empty for statements without a result)."""
        if self._session is None:
            self._session = self.session()
        return self._session.query(text, args)

    def kill(self) -> None:
        """End the engine as kill -9 does."""
        self._drop_session()
        self.process.stop(gently=False)

    def stop(self) -> None:
        """End the engine as the supervisor does: not inside a transaction, which would keep its locks for good."""
        self._drop_session()
        with contextlib.suppress(SqlError), self.session() as session:
            control.wait_unfinished(session, 30)
        self.process.stop()

    def end(self) -> None:
        """End whatever engine lives in the directory, also one that a failed test started behind our back."""
        self.kill()
        self.process.close()
        stray = EngineProcess.adopt(self.directory)
        if stray is not None:
            stray.stop(gently=False)
            stray.close()

    def restart(self, *, watchdog: Watchdog | None = None) -> None:
        """Start the stopped or killed engine again in the same directory."""
        self._drop_session()
        ended = self.process
        self.process = EngineProcess.start(self.directory, self.settings, self.fence, watchdog=watchdog)
        ended.close()

    def heal(self) -> None:
        """Have a running engine that obeys: one killed inside a transaction keeps its locks for good, DDL may wait for ever."""
        if not self.process.is_alive():
            self.restart()
        with self.session() as session:
            has_orphans = bool(facts.orphan_transactions(session))
        if has_orphans:
            self._renew()

    def _renew(self) -> None:
        """Begin again with a fresh engine in the same place."""
        self.end()
        shutil.rmtree(self.directory.root.parent, ignore_errors=True)
        begin_founding(self.directory)
        self.process = EngineProcess.start(self.directory, self.settings, self.fence)
        with self.root() as root:
            create_account(root, self.account_file)

    def _drop_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


@contextlib.contextmanager
def running_engine(
    tmp_path: Path,
    name: str = "tenant",
    *,
    parameters: tuple[tuple[str, str], ...] = (),
    fence: FencePolicy = FencePolicy.AUTO,
    keep: bool = False,
    version: EngineVersion | None = None,
    wants_space: bool = False,
    speaks_tls: bool = False,
) -> Iterator[EngineRig]:
    """Run a fresh engine in tmp_path/name/engine (account beside it); end it and, unless `keep`, remove it.

    `wants_space`: in a network namespace of its own, where the machine allows it. `speaks_tls`: with a wallet.

    A directory is 161 MB and more: pytest keeps three runs of tmp_path, so it is removed at once.
    """
    home = tmp_path / name
    directory = EngineDirectory(home / "engine", version or installed())
    settings = EngineSettings(
        parameters=parameters,
        wants_space=wants_space,
        authority_file=authority_file(home / "account.json") if speaks_tls else None,
    )
    begin_founding(directory)
    process = EngineProcess.start(directory, settings, fence)
    rig = EngineRig(
        directory=directory, process=process, account_file=home / "account.json", settings=settings, fence=fence
    )
    try:
        with rig.root() as root:
            create_account(root, rig.account_file)
        yield rig
    finally:
        rig.end()
        if not keep:
            shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def engine_in(
    directory: EngineDirectory,
    account_file: Path,
    *,
    role: EngineRole = EngineRole.PRIMARY,
    watchdog: Watchdog | None = None,
) -> Iterator[EngineRig]:
    """Run an engine in a directory that is filled already (a restored one); end it afterwards, keep the directory.

    With a wallet, if its account came out of a set: as the server starts it.
    """
    settings = EngineSettings(role=role, client_file=client_file(account_file) if is_of_set(account_file) else None)
    process = EngineProcess.start(directory, settings, watchdog=watchdog)
    rig = EngineRig(directory=directory, process=process, account_file=account_file, settings=settings)
    try:
        yield rig
    finally:
        rig.end()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """One transaction whose COMMIT was answered. Its commit SCN lies in [scn_before, scn_after]."""

    writer: int
    seq: int
    scn_before: int
    scn_after: int
    wall_before_ns: int
    wall_after_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a check of the bank found."""

    total: int
    expected_total: int
    wrong_accounts: int
    torn_transactions: int
    transactions: frozenset[tuple[int, int]]

    @property
    def is_right(self) -> bool:
        return self.total == self.expected_total and not self.wrong_accounts and not self.torn_transactions


class Bank:
    """Concurrent writers of multi-row transactions with a constant total. Each writer appends to a log of its own."""

    def __init__(
        self, socket: Path, account: Account, *, log_dir: Path, writers: int = 4, threads: bool = False, pad: int = 300
    ) -> None:
        self.socket = socket
        self.account = account
        self.log_dir = log_dir
        self.writers = writers
        self.pad = pad
        self._threads = threads
        self._stop = threading.Event()
        self._running: list[threading.Thread] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        log_dir.mkdir(parents=True, exist_ok=True)

    def setup(self) -> None:
        """Make the tables and accounts. Repeatable."""
        with self._connect() as session:
            session.execute("create database if not exists test")
            session.execute("create table if not exists test.acct(id int primary key, bal bigint not null)")
            session.execute(
                "create table if not exists test.ledger(w int, seq bigint, part int, parts int, a int, b int, amt int,"
                " pad varchar(4000), primary key(w, seq, part))"
            )
            if not session.query("select count(*) from test.acct")[0][0]:
                rows = ",".join(f"({number},{BALANCE})" for number in range(ACCOUNTS))
                session.execute(f"insert into test.acct values {rows}")

    def begin(self) -> None:
        """Let the writers run until `end`. A writer whose connection breaks ends by itself."""
        self._stop.clear()
        for writer in range(self.writers):
            if self._threads:
                thread = threading.Thread(target=self._write, args=(writer, self._stop.is_set), daemon=True)
                thread.start()
                self._running.append(thread)
            else:
                # A fresh process: forking a test process with threads and locks is asking for trouble.
                process = subprocess.Popen(
                    [sys.executable, __file__, str(self.socket), str(self.log_dir), str(writer), str(self.pad)],
                    stdin=subprocess.PIPE,
                    env={"BANK_USER": self.account.user, "BANK_PASSWORD": self.account.password},
                )
                self._processes.append(process)

    def end(self) -> tuple[Acknowledged, ...]:
        """Stop the writers and return every transaction acknowledged so far, over all runs."""
        self._stop.set()
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in self._processes:
            try:
                process.wait(_WRITER_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for thread in self._running:
            thread.join(_WRITER_STOP_SECONDS)
        self._running.clear()
        self._processes.clear()
        return self.acknowledged()

    def run(self, seconds: float, *, at_least: int = 0) -> tuple[Acknowledged, ...]:
        """Let the writers run for `seconds`, on a busy machine longer, until `at_least` transactions are acknowledged."""
        self.begin()
        time.sleep(seconds)
        deadline = time.monotonic() + _WRITER_SECONDS_MAX
        while len(self.acknowledged()) < at_least and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.end()

    def acknowledged(self) -> tuple[Acknowledged, ...]:
        """Return what the writers have logged, by writer and sequence. A torn last line is left out."""
        found = []
        for path in sorted(self.log_dir.glob("w*.log")):
            for line in path.read_text().splitlines(keepends=True):
                if not line.endswith("\n"):
                    continue
                seq, scn_before, scn_after, wall_before, wall_after = (int(word) for word in line.split())
                found.append(
                    Acknowledged(
                        writer=int(path.stem[1:]),
                        seq=seq,
                        scn_before=scn_before,
                        scn_after=scn_after,
                        wall_before_ns=wall_before,
                        wall_after_ns=wall_after,
                    )
                )
        return tuple(found)

    def check(self, session: Session) -> Balance:
        """Return what the bank looks like through `session` (of any engine that holds a copy of it)."""
        total = session.query("select coalesce(sum(bal), 0) from test.acct")[0][0]
        wrong = session.query(
            "select count(*) from test.acct x left join (select id, sum(d) as d from ("
            " select a as id, -amt as d from test.ledger where part = 0 union all"
            " select b as id, amt as d from test.ledger where part = 0) y group by id) z on x.id = z.id"
            " where x.bal <> %s + coalesce(z.d, 0)",
            (BALANCE,),
        )[0][0]
        ledger = session.query("select w, seq, count(*), max(parts) from test.ledger group by w, seq")
        return Balance(
            total=int(total),
            expected_total=ACCOUNTS * BALANCE,
            wrong_accounts=int(wrong),
            torn_transactions=sum(1 for row in ledger if row[2] != row[3]),
            transactions=frozenset((int(row[0]), int(row[1])) for row in ledger),
        )

    def commit_scns(self, session: Session) -> dict[tuple[int, int], int]:
        """Return the commit SCN of every transaction by (writer, seq): the oracle `ora_rowscn`.

        Exact while the rows are in memory or minor tables: ask before any major freeze.
        """
        rows = session.query("select w, seq, max(ora_rowscn) from test.ledger group by w, seq")
        return {(int(row[0]), int(row[1])): int(row[2]) for row in rows}

    def _connect(self) -> Session:
        return connect(self.socket, self.account.user, self.account.password)

    def _write(self, writer: int, is_over: Any) -> None:
        with contextlib.suppress(SqlError):
            _write_until(self._connect(), self.log_dir / f"w{writer}.log", writer, self.pad, is_over)


def _write_until(session: Session, log: Path, writer: int, pad: int, is_over: Any) -> None:
    chance = random.Random(writer * 7919 + time.time_ns())
    session.connection.autocommit(False)
    session.execute("set ob_trx_lock_timeout = 5000000")
    seq = int(session.query("select coalesce(max(seq), 0) from test.ledger where w = %s", (writer,))[0][0])
    session.connection.rollback()
    with log.open("a", buffering=1) as file:
        while not is_over():
            a, b = sorted(chance.sample(range(ACCOUNTS), 2))
            amount, parts = chance.randint(-50, 50), chance.choice((1, 1, 2, 4))
            seq += 1
            rows = ",".join(
                f"({writer},{seq},{part},{parts},{a},{b},{amount},repeat('x',{chance.randint(1, pad)}))"
                for part in range(parts)
            )
            try:
                session.execute("update test.acct set bal = bal - %s where id = %s", (amount, a))
                session.execute("update test.acct set bal = bal + %s where id = %s", (amount, b))
                session.execute(f"insert into test.ledger values {rows}")
                scn_before = session.query("select current_scn()")[0][0]
                wall_before = time.time_ns()
                session.execute("commit")
                wall_after = time.time_ns()
                scn_after = session.query("select current_scn()")[0][0]
                session.execute("rollback")
            except SqlError as error:
                if error.is_lost:
                    return
                with contextlib.suppress(SqlError):
                    session.execute("rollback")
                continue
            file.write(f"{seq} {scn_before} {scn_after} {wall_before} {wall_after}\n")


def _writer_main() -> None:
    """One writer process: until stdin closes, so that it ends with the test that started it, however that ends."""
    import os

    socket, log_dir, writer, pad = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    over = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.buffer.read()
        over.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    with contextlib.suppress(SqlError):
        session = connect(socket, os.environ["BANK_USER"], os.environ["BANK_PASSWORD"])
        _write_until(session, log_dir / f"w{writer}.log", writer, pad, over.is_set)


if __name__ == "__main__":
    _writer_main()
