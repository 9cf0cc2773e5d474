"""Chains under random DML, DDL, freezes and drops: every set restores to its own end and to later moments, and equals the source.

One server; every restored tenant is dropped before the next one comes. What is compared: the bank (balances, ledger, commit SCNs),
and tables that come and go, whose truth the client keeps itself.
"""

import itertools
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from engine_rig import Bank
from holdfast.engine.account import load_account
from holdfast.engine.session import Session
from server_rig import Client, Server, archive, restore, running_server, wait_archived, wait_for

_IS_LONG = bool(os.environ.get("HOLDFAST_LONG"))
pytestmark = [pytest.mark.live, pytest.mark.timeout(7200 if _IS_LONG else 600)]

INCREMENTS = 30 if _IS_LONG else 5
RANDOM_POINTS = 20 if _IS_LONG else 2
_SETS = (
    "select BACKUP_SET_ID, BACKUP_TYPE, STATUS, PREV_FULL_BACKUP_SET_ID, PREV_INC_BACKUP_SET_ID, MIN_RESTORE_SCN "
    "from oceanbase.CDB_OB_BACKUP_SET_FILES order by BACKUP_SET_ID"
)

_numbers = itertools.count(1)

Content = dict[str, tuple[object, ...]]
"""By table name: row count and sum over all rows and columns."""


@dataclass
class Tables:
    """Tables that come, change and go; `truth` is what the source said of them at a moment when only we wrote them."""

    user: Client
    chance: random.Random
    names: list[str] = field(default_factory=list)
    made: int = 0

    def stir(self) -> None:
        """Do a few random things: rows and definitions."""
        for _ in range(2):
            self._create()
        for _ in range(3):
            self.chance.choice((self._write, self._index, self._alter, self._truncate, self._copy, self._drop))()
        self._write()

    def truth(self) -> Content:
        return content(self.user, self.names)

    def _create(self) -> None:
        name = f"test.c{self.made}"
        self.made += 1
        self.user.run(f"create table {name}(id int primary key, v int, s varchar(400))")
        self.names.append(name)
        self._fill(name)

    def _fill(self, name: str) -> None:
        base = self.chance.randrange(10**8)
        rows = ",".join(
            f"({base + i}, {self.chance.randrange(1000)}, repeat('{self.chance.choice('xyz')}', {self.chance.randrange(1, 400)}))"
            for i in range(100)
        )
        self.user.run(f"insert ignore into {name}(id, v, s) values {rows}")

    def _any(self) -> str:
        return self.chance.choice(self.names)

    def _write(self) -> None:
        name = self._any()
        self._fill(name)
        self.user.run(f"update {name} set v = v + 1 where id % 3 = 0")
        self.user.run(f"delete from {name} where id % 11 = {self.chance.randrange(11)}")

    def _index(self) -> None:
        name = self._any()
        self.user.run(f"create index i{self.chance.randrange(10**9)} on {name}(v)")

    def _alter(self) -> None:
        # Offline: the table is rebuilt into new macro blocks.
        self.user.run(f"alter table {self._any()} modify column v bigint")

    def _truncate(self) -> None:
        self.user.run(f"truncate table {self._any()}")

    def _copy(self) -> None:
        source, name = self._any(), f"test.c{self.made}"
        self.made += 1
        self.user.run(f"create table {name} as select * from {source}")
        self.names.append(name)

    def _drop(self) -> None:
        if len(self.names) < 2:
            return
        name = self._any()
        self.names.remove(name)
        self.user.run(f"drop table {name}")


def content(client: Client, names: list[str]) -> Content:
    found = {
        name: client.rows(f"select count(*), coalesce(sum(crc32(concat_ws('/', id, v, s))), 0) from {name}")[0]
        for name in names
    }
    listed = client.rows(
        "select count(*) from information_schema.tables where table_schema = 'test' and table_name like 'c%'"
    )
    return {**found, "tables": listed[0]}


@dataclass(frozen=True)
class Chain:
    server: Server
    client: Client
    place: Path
    bank: Bank
    truths: dict[int, Content]
    """By SCN: what the tables were; nobody but the bank wrote between the SCN and the next change."""
    tables: dict[int, list[str]]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    home = tmp_path_factory.mktemp("chains")
    with running_server(home / "base") as server, server.client() as client:
        client.run("CREATE TENANT source")
        archive(client, "source", home / "backup")
        tenant_id = server.tenant_ids()[1]
        account = load_account(server.base / "tenants" / str(tenant_id) / "account.json")
        bank = Bank(server.directory(tenant_id).socket, account, log_dir=home / "bank", writers=2, threads=True)
        bank.setup()
        chance = random.Random(20261126)
        truths: dict[int, Content] = {}
        names: dict[int, list[str]] = {}
        with server.client("root@source") as user:
            tables = Tables(user, chance)
            for number in range(INCREMENTS + 1):
                bank.begin()
                tables.stir()
                if number % 3 == 1:
                    user.run("alter system minor freeze")
                elif number % 3 == 2:
                    user.run("alter system major freeze")
                _backed_up(client, "INCREMENTAL " if number else "")
                set_scn = client.rows(_SETS)[-1][5]
                truths[set_scn], names[set_scn] = tables.truth(), list(tables.names)
                bank.end()
                later = user.one("select current_scn()")
                truths[later], names[later] = tables.truth(), list(tables.names)
            user.run("insert into test.ledger(w, seq, part, parts, a, b, amt, pad) values (99, 1, 0, 1, 0, 0, 0, '')")
            end_scn = user.one("select current_scn()")
        wait_archived(client, end_scn)
        yield Chain(server, client, home / "backup", bank, truths, names)
    shutil.rmtree(home, ignore_errors=True)


def _backed_up(client: Client, kind: str) -> None:
    client.run(f"ALTER SYSTEM BACKUP {kind}TENANT = source")
    wait_for(lambda: client.rows("select 1 from oceanbase.CDB_OB_BACKUP_JOBS"), lambda rows: not rows)
    assert client.rows(_SETS)[-1][2] == "SUCCESS"


def _check(chain: Chain, scn: int) -> str:
    """Restore to `scn`, compare with the source, drop; return the sets that were used."""
    name = f"back{next(_numbers)}"  # a name of its own: the history keeps what became of the ones before
    status, comment = restore(chain.client, name, chain.place, f"UNTIL SCN = {scn}")
    assert status == "SUCCESS", comment
    used = chain.client.one(
        f"select BACKUP_SET_LIST from oceanbase.CDB_OB_RESTORE_HISTORY where TENANT_ID = 1 and RESTORE_TENANT_NAME = '{name}'"
    )
    with chain.server.client(f"root@{name}") as back:
        found = chain.bank.check(cast(Session, SimpleNamespace(query=back.rows)))
        assert found.is_right, found
        # Judged by what the writers saw, not by ora_rowscn, which a major freeze forgets.
        acknowledged = chain.bank.acknowledged()
        present = {(one.writer, one.seq) for one in acknowledged if one.scn_after <= scn}
        absent = {(one.writer, one.seq) for one in acknowledged if one.scn_before > scn}
        assert present - found.transactions == set()
        assert absent & found.transactions == set()
        if scn in chain.truths:
            assert content(back, chain.tables[scn]) == chain.truths[scn], scn
    chain.client.run(f"DROP TENANT {name} FORCE")
    return str(used)


def test_the_chain_is_one_full_set_and_increments_each_on_the_one_before(chain: Chain) -> None:
    sets = chain.client.rows(_SETS)
    assert [(row[1], row[3], row[4]) for row in sets] == [
        ("FULL", 0, 0),
        *(("INC", 1, number) for number in range(1, INCREMENTS + 1)),
    ]


def test_every_set_restores_to_its_own_end(chain: Chain) -> None:
    for set_id, type_, _, _, _, scn in chain.client.rows(_SETS):
        assert f"backup_set_{set_id}_{type_.lower()}" in _check(chain, scn)


def test_later_moments_equal_the_source(chain: Chain) -> None:
    """Moments between two sets, and random ones judged by the bank alone."""
    chance = random.Random(5)
    ends = {row[5] for row in chain.client.rows(_SETS)}
    known = sorted(chain.truths.keys() - ends)
    for scn in known if _IS_LONG else known[2::4]:
        _check(chain, scn)
    for _ in range(RANDOM_POINTS):
        _check(chain, chance.randint(min(ends), max(known)))
