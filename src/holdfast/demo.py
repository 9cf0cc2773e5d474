"""`holdfast demo`: the main job on a real engine, told as a story, with every claim checked.

A server in a temporary directory, two tenants under load, archiving on, a full backup taken meanwhile, an accident, a restore to
the SCN just before it, and the proof. Exits 0 only if every check held. It uses nothing but what any user has: the command
line and SQL over one port.
"""

import contextlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pymysql

from holdfast.errors import EngineError, HoldfastError

_ACCOUNTS = 200
_OPENING_BALANCE = 1000
_WRITERS = 2
_WAIT_SECONDS_MAX = 120.0
"""Bound of every wait: the slowest step takes a few seconds, so this only ends a demo that hangs."""

Row = tuple[object, ...]


class Client:
    """One login at the gateway."""

    def __init__(self, port: int, user: str) -> None:
        self._connection = pymysql.connect(host="127.0.0.1", port=port, user=user, autocommit=True, read_timeout=120)

    def rows(self, sql: str) -> list[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def run(self, sql: str) -> int:
        with self._connection.cursor() as cursor:
            return int(cursor.execute(sql))

    def number(self, sql: str) -> int:
        return int(str(self.rows(sql)[0][0]))

    def begin(self) -> None:
        self._connection.begin()

    def commit(self) -> None:
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


class Writer(threading.Thread):
    """Moves money between accounts until told to stop: two updates and one ledger row per transaction."""

    def __init__(self, port: int, tenant: str, number: int) -> None:
        super().__init__(daemon=True)
        self._client = Client(port, f"root@{tenant}")
        self._number = number
        self._random = random.Random(number)
        self._stop_asked = threading.Event()
        self.committed = 0
        self.ended_by = ""

    def run(self) -> None:
        try:
            while not self._stop_asked.is_set() and self._transfer():
                self.committed += 1
        except pymysql.MySQLError as error:
            self.ended_by = str(error)
        finally:
            self._client.close()

    def _transfer(self) -> bool:
        giver, taker = sorted(self._random.sample(range(_ACCOUNTS), 2))
        amount = self._random.randint(1, 50)  # 0 would change no row
        self._client.begin()
        moved = self._client.run(f"update test.account set balance = balance - ({amount}) where id = {giver}")
        moved += self._client.run(f"update test.account set balance = balance + ({amount}) where id = {taker}")
        self._client.run(
            "insert into test.ledger(writer, seq, giver, taker, amount) values "
            f"({self._number}, {self.committed}, {giver}, {taker}, {amount})"
        )
        self._client.commit()
        if moved != 2:
            self.ended_by = "the accounts are gone"
        return moved == 2

    def end(self) -> None:
        self._stop_asked.set()
        self.join(_WAIT_SECONDS_MAX)


class Story:
    """Prints what happens, with the seconds since the beginning, and remembers whether every check held."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.failures = 0
        self._heading = ""

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {text}", flush=True)

    def sql(self, text: str) -> str:
        self.say(f"   > {text};")
        return text

    def check(self, held: bool, claim: str) -> None:
        self.failures += not held
        self.say(f"   {'ok' if held else 'FAILED'}  {claim}")


@contextlib.contextmanager
def _server(base: Path, log: IO[str]) -> Iterator[int]:
    """Run `holdfast serve` on a free port and yield the port; it is ended by pid, with SIGTERM."""
    command = [sys.executable, "-m", "holdfast", "serve", "--base-dir", str(base), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        if not line.startswith("holdfast ready port="):
            raise EngineError("the server did not become ready", hint="its log is printed below")
        yield int(line.rpartition("=")[2])
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(_WAIT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(client: Client, sql: str, wanted: set[str]) -> str:
    """Return the first text `sql` answers that is in `wanted`; raise when the bound is over."""
    end = time.monotonic() + _WAIT_SECONDS_MAX
    seen = ""
    while time.monotonic() < end:
        rows = client.rows(sql)
        seen = str(rows[0][0]) if rows else ""
        if seen in wanted:
            return seen
        time.sleep(0.05)
    raise EngineError(f"waited for {sorted(wanted)}, last seen {seen!r}")


def _prepare(story: Story, sys_client: Client, port: int, tenant: str) -> None:
    began = time.monotonic()
    sys_client.run(story.sql(f"CREATE TENANT {tenant}"))
    story.say(f"   a real seekdb of its own, up in {time.monotonic() - began:.1f} s")
    client = Client(port, f"root@{tenant}")
    client.run("create table test.account(id int primary key, balance bigint not null)")
    client.run(
        "create table test.ledger(writer int, seq bigint, giver int, taker int, amount int, primary key(writer, seq))"
    )
    values = ",".join(f"({number}, {_OPENING_BALANCE})" for number in range(_ACCOUNTS))
    client.run(f"insert into test.account values {values}")
    client.close()


def _back_up(story: Story, sys_client: Client, tenants: tuple[str, ...], backups: Path) -> None:
    for tenant in tenants:
        archive, data = backups / tenant / "archive", backups / tenant / "data"
        sys_client.run(story.sql(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file://{archive}' TENANT = {tenant}"))
        sys_client.run(story.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST='file://{data}' TENANT = {tenant}"))
        sys_client.run(f"ALTER SYSTEM SET archive_lag_target = '0ms' TENANT = {tenant}")
    sys_client.run(story.sql("ALTER SYSTEM ARCHIVELOG"))
    doing = f"select count(*) from oceanbase.CDB_OB_ARCHIVELOG where STATUS = 'DOING' having count(*) = {len(tenants)}"
    _wait_for(sys_client, doing, {str(len(tenants))})
    story.say("   both rounds are DOING: from now on every commit reaches the archive")
    sys_client.run(story.sql("ALTER SYSTEM BACKUP DATABASE"))
    parent = "select STATUS from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID = 1 order by JOB_ID desc limit 1"
    status = _wait_for(sys_client, parent, {"COMPLETED", "FAILED", "CANCELED"})
    story.check(status == "COMPLETED", f"the backup of all tenants is {status}")
    sets = sys_client.rows(
        "select t.TENANT_NAME, s.STATUS, s.FILE_STATUS, s.MACRO_BLOCK_COUNT, s.INPUT_BYTES, s.OUTPUT_BYTES, s.ELAPSED_SECONDES, "
        "k.COMMENT from oceanbase.CDB_OB_BACKUP_SET_FILES s join oceanbase.DBA_OB_TENANTS t on t.TENANT_ID = s.TENANT_ID "
        "join oceanbase.CDB_OB_BACKUP_TASK_HISTORY k on k.TENANT_ID = s.TENANT_ID and k.BACKUP_SET_ID = s.BACKUP_SET_ID order by 1"
    )
    for name, status_text, file_status, blocks, read, written, seconds, comment in sets:
        story.check(
            (status_text, file_status) == ("SUCCESS", "AVAILABLE"),
            f"{name}: {blocks} macro blocks, {int(str(read)) / 2**20:.0f} MiB read, {int(str(written)) / 2**20:.1f} MiB stored, "
            f"{seconds} s, under full write load {f'({comment})' if comment else '(never paused)'}",
        )


_LEDGER_FACTS = (
    "select count(*), coalesce(sum(crc32(concat_ws('/', writer, seq, giver, taker, amount))), 0) from test.ledger"
)


def _accident(story: Story, port: int) -> tuple[int, Row]:
    """Delete every account in one transaction; return its SCN - 1 and the ledger's count and checksum at that SCN."""
    client = Client(port, "root@shop")
    client.run("create table test.confession(id int primary key, what varchar(100))")
    client.begin()
    gone = client.run(story.sql("DELETE FROM test.account"))
    client.run("insert into test.confession values (1, 'forgot the WHERE clause')")
    client.commit()
    scn = client.number("select ora_rowscn from test.confession where id = 1") - 1
    time.sleep(0.5)  # The other writers notice, so that the log goes on well past the accident.
    facts = client.rows(f"{_LEDGER_FACTS} where ora_rowscn <= {scn}")[0]
    story.say(f"   {gone} accounts deleted; the last good moment is SCN {scn}")
    client.close()
    return scn, facts


def _restore(story: Story, sys_client: Client, backups: Path, scn: int) -> float:
    began = time.monotonic()
    places = f"file://{backups}/shop/data,file://{backups}/shop/archive"
    sys_client.run(story.sql(f"ALTER SYSTEM RESTORE shop_before FROM '{places}' UNTIL SCN = {scn}"))
    history = "select STATUS from oceanbase.CDB_OB_RESTORE_HISTORY where RESTORE_TENANT_NAME = 'shop_before' and TENANT_ID <> 1"
    status = _wait_for(sys_client, history, {"SUCCESS", "FAILED"})
    seconds = time.monotonic() - began
    comment = sys_client.rows(history.replace("STATUS", "COMMENT", 1))[0][0]
    story.check(status == "SUCCESS", f"restored to the nanosecond in {seconds:.1f} s: {status} {comment or ''}")
    return seconds


def _prove(story: Story, sys_client: Client, port: int, truth: Row) -> None:
    client = Client(port, "root@shop_before")
    facts = client.rows(_LEDGER_FACTS)[0]
    story.check(facts == truth, f"every transfer up to that SCN and none after: {facts[0]} rows, checksum {facts[1]}")
    total = client.rows("select count(*), sum(balance) from test.account")[0]
    wanted = (_ACCOUNTS, _ACCOUNTS * _OPENING_BALANCE)
    story.check(tuple(int(str(x)) for x in total) == wanted, f"{total[0]} accounts are back, total balance {total[1]}")
    wrong = client.number(
        "select count(*) from (select a.id, a.balance, 1000 - coalesce((select sum(amount) from test.ledger where giver = a.id), 0) "
        "+ coalesce((select sum(amount) from test.ledger where taker = a.id), 0) as expected from test.account a) x "
        "where balance <> expected"
    )
    story.check(wrong == 0, "each balance follows from the ledger: no transaction is torn")
    try:
        client.run("insert into test.ledger values (99, 1, 0, 1, 0)")
        story.check(False, "a restored tenant is read-only until it is activated")
    except pymysql.MySQLError as error:
        story.check(error.args[0] == 4688, f"it is a STANDBY until activated: error {error.args[0]}, {error.args[1]}")
    client.close()
    sys_client.run(story.sql("ALTER SYSTEM ACTIVATE STANDBY TENANT shop_before"))
    client = Client(port, "root@shop_before")
    story.check(client.run("insert into test.ledger values (99, 1, 0, 1, 0)") == 1, "activated: it takes writes")
    client.close()


def run(*, keep: bool = False) -> int:
    """Play the story and return the exit code: 0 only if every check held."""
    story = Story()
    home = Path(tempfile.mkdtemp(prefix="holdfast-demo-"))
    log_path = home / "server.log"
    try:
        with log_path.open("w") as log, _server(home / "cluster", log) as port:
            story.say(f"holdfast is ready on 127.0.0.1:{port} (a new cluster: the sys tenant's engine and the catalog)")
            _play(story, home, port)
    except (HoldfastError, pymysql.MySQLError, OSError) as error:
        story.check(False, f"the demo stopped: {error}")
    finally:
        if story.failures:
            print(f"\nthe server's log:\n{log_path.read_text()[-6000:]}", file=sys.stderr)
        if keep:
            print(f"kept in {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)
    story.say("every check held" if not story.failures else f"{story.failures} checks FAILED")
    return 1 if story.failures else 0


def _play(story: Story, home: Path, port: int) -> None:
    backups = home / "backups"
    sys_client = Client(port, "root@sys")
    tenants = ("shop", "blog")
    for tenant in tenants:
        _prepare(story, sys_client, port, tenant)
    writers = [Writer(port, tenant, number) for tenant in tenants for number in range(_WRITERS)]
    for writer in writers:
        writer.start()
    story.say(f"{_WRITERS} writers per tenant move money; the total never changes")
    _back_up(story, sys_client, tenants, backups)
    time.sleep(1.0)
    story.say("and then somebody forgets a WHERE clause in shop:")
    scn, truth = _accident(story, port)
    shop = writers[:_WRITERS]
    seconds = _restore(story, sys_client, backups, scn)
    _prove(story, sys_client, port, truth)
    for writer in writers:
        writer.end()
    committed = sum(writer.committed for writer in writers)
    story.check(
        all(writer.ended_by == "the accounts are gone" for writer in shop), "shop's writers noticed the accident"
    )
    complaints = "".join(writer.ended_by for writer in writers[_WRITERS:])
    story.check(not complaints, f"blog's writers never noticed anything {complaints}")
    archived = sys_client.rows("select sum(INPUT_BYTES), sum(OUTPUT_BYTES) from oceanbase.CDB_OB_ARCHIVELOG")[0]
    read, written = (int(str(size)) / 2**20 for size in archived)
    story.say(
        f"{committed} transactions, {read:.1f} MiB of log archived as {written:.1f} MiB, back in {seconds:.1f} s after the accident"
    )
    sys_client.close()
