"""One table back: what an accident took, out of the backup and into the tenant that goes on."""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.backup_format import names
from holdfast.backup_format.index import decode_index
from holdfast.restore.block_mount import find_obstacle
from server_rig import Server, archive, backup, freeze_until, running_server, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(1800 if os.environ.get("HOLDFAST_LONG") else 600)]

HISTORY = "select STATUS, RESULT, COMMENT from oceanbase.CDB_OB_RECOVER_TABLE_JOB_HISTORY where TENANT_ID = 1 order by JOB_ID desc"
RUNNING = "select STATUS from oceanbase.CDB_OB_RECOVER_TABLE_JOBS where TENANT_ID <> 1"
TENANTS = "select TENANT_NAME from oceanbase.DBA_OB_TENANTS"
TASKS = (
    "select TARGET_DATABASE, TARGET_TABLE, STATUS, RESULT, TOTAL_REF_CONSTRAINT_COUNT, IMPORTED_REF_CONSTRAINT_COUNT"
    " from oceanbase.DBA_OB_IMPORT_TABLE_TASK_HISTORY where JOB_ID ="
    " (select max(JOB_ID) from oceanbase.DBA_OB_IMPORT_TABLE_JOB_HISTORY) order by 1, 2"
)

CANCELS = 25 if os.environ.get("HOLDFAST_LONG") else 3
KILLS = 25 if os.environ.get("HOLDFAST_LONG") else 3

_TABLE_DATA = 1
"""The type of macro blocks that hold the rows of one table, on engine 1.4."""


class Shop:
    """A tenant with every kind of table, backed up; `before`: the SCN before the accident."""

    def __init__(self, server: Server, place: Path) -> None:
        self.server = server
        self.place = place
        self.sources = f"'file://{place}/data,file://{place}/archive'"
        self.sys = server.client()
        self.sys.run("CREATE TENANT shop")
        archive(self.sys, "shop", place)
        self.client = server.client("root@shop")
        run = self.client.run
        run("create database sales")
        run("create table sales.parent (id int primary key, name varchar(20))")
        run("insert into sales.parent values (1, 'one'), (2, 'two')")
        run(
            "create table sales.child (id int auto_increment primary key, pid int, note text, fulltext index ft(note),"
            " constraint fk foreign key (pid) references sales.parent (id) on delete cascade)"
        )
        run("insert into sales.child (pid, note) values (1, 'first word'), (2, 'second word'), (null, null)")
        run(
            "create table sales.vec (id int primary key, e vector(3), vector index vi(e) with (distance=l2, type=hnsw))"
        )
        run("insert into sales.vec values (1, '[1.5,2.5,0.123456789]'), (2, '[0,0,1]')")
        run("create table sales.big (id int primary key, pad varchar(200))")
        run(
            "insert into sales.big with recursive s(n) as (select 1 union all select n + 1 from s where n < 500)"
            " select a.n * 1000 + b.n, repeat('x', 150) from s a, s b where b.n <= 40"
        )
        run("create view sales.names as select p.name, c.note from sales.parent p join sales.child c on c.pid = p.id")
        run("create view sales.short as select name from sales.names")
        assert backup(self.sys, "shop")[0] == "COMPLETED"
        run("insert into sales.parent values (3, 'three')")
        self.before = int(self.client.one("select max(ora_rowscn) from sales.parent"))
        self.sums = {table: self.sum(f"sales.{table}") for table in ("parent", "child", "big", "vec")}
        run("delete from sales.child where id = 2")
        run("update sales.parent set name = 'broken'")
        run("drop table sales.big")

    def sum(self, table: str) -> tuple[Any, ...]:
        columns = {"parent": "id, name", "child": "id, ifnull(pid, 'n'), ifnull(note, 'n')", "big": "id, pad"}
        listed = columns.get(table.split(".")[1].removesuffix("_x"), "id, array_to_string(e, ',')")
        return self.client.rows(f"select count(*), bit_xor(crc32(concat_ws('|', {listed}))) from {table}")[0]

    def recover(self, items: str, *, more: str = "", to: str = "shop") -> tuple[str, str, str]:
        """Recover to the moment before the accident; return (STATUS, RESULT, COMMENT)."""
        self.sys.run(
            f"ALTER SYSTEM RECOVER TABLE {items} TO TENANT {to} FROM {self.sources} UNTIL SCN = {self.before} {more}"
        )
        return self.outcome()

    def outcome(self) -> tuple[str, str, str]:
        wait_for(lambda: self.sys.rows(RUNNING), lambda rows: not rows)
        assert [name for (name,) in self.sys.rows(TENANTS) if name.startswith("AUX")] == []
        assert self.scratches() == []
        return self.sys.rows(HISTORY)[0]

    def scratches(self) -> list[str]:
        return [name for (name,) in self.client.rows("show databases") if name.startswith("__recover")]

    def refused(self, items: str, *, more: str = "", to: str = "TO TENANT shop") -> tuple[int, str]:
        return self.sys.refused(
            f"ALTER SYSTEM RECOVER TABLE {items} {to} FROM {self.sources} UNTIL SCN = {self.before} {more}"
        )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    root = tmp_path_factory.mktemp("shop")
    with running_server(root / "base") as server:
        found = Shop(server, root / "place")
        yield found
        found.sys.close()
        found.client.close()


def test_a_preview_counts_what_differs_and_copies_nothing(shop: Shop) -> None:
    status, result, comment = shop.recover("sales.*", more="PREVIEW")
    assert (status, result, comment) == ("COMPLETED", "SUCCESS", "preview: 3 of 4 tables differ")
    sql = (
        "select TABLE_NAME, STATUS, ROWS_ONLY_IN_BACKUP, ROWS_ONLY_LIVE, ROWS_CHANGED"
        " from oceanbase.DBA_OB_RECOVER_TABLE_PREVIEWS order by 1"
    )
    assert shop.client.rows(sql) == [
        ("big", "MISSING", shop.sums["big"][0], 0, 0),
        ("child", "DIFFERENT", 1, 0, 0),
        ("parent", "DIFFERENT", 0, 0, 3),
        ("vec", "SAME", 0, 0, 0),
    ]
    assert shop.client.rows("show tables from sales like 'big'") == []


def test_a_dropped_table_comes_back_as_it_was(shop: Shop) -> None:
    assert shop.recover("sales.big") == ("COMPLETED", "SUCCESS", "")
    assert shop.sum("sales.big") == shop.sums["big"]
    assert shop.client.rows(TASKS) == [("sales", "big", "FINISH", "SUCCESS", 0, 0)]
    row = shop.client.rows(
        "select STATUS, TOTAL_TABLE_COUNT, FINISHED_TABLE_COUNT, RESULT from oceanbase.DBA_OB_IMPORT_TABLE_JOB_HISTORY"
    )
    assert row == [("IMPORT_FINISH", 1, 1, "SUCCESS")]


def test_tables_beside_the_live_ones_keep_keys_and_indexes(shop: Shop) -> None:
    shop.client.run("create database past")
    more = "REMAP TABLE sales.parent:past.parent_x, sales.child:past.child, sales.vec:vec_x DESCRIPTION 'beside'"
    assert shop.recover("sales.parent, sales.child, sales.vec", more=more) == ("COMPLETED", "SUCCESS", "")
    assert shop.sum("past.parent_x") == shop.sums["parent"]
    assert shop.sum("past.child") == shop.sums["child"]
    assert shop.sum("sales.vec_x") == shop.sums["vec"]
    assert shop.client.rows(TASKS) == [
        ("past", "child", "FINISH", "SUCCESS", 1, 1),
        ("past", "parent_x", "FINISH", "SUCCESS", 0, 0),
        ("sales", "vec_x", "FINISH", "SUCCESS", 0, 0),
    ]
    assert "REFERENCES `past`.`parent_x`" in shop.client.rows("show create table past.child")[0][1]
    assert shop.client.refused("insert into past.child (pid) values (99)")[0] == 1452
    assert shop.client.rows("select id from past.child where match(note) against ('second')") == [(2,)]
    nearest = "select id from sales.vec_x order by l2_distance(e, '[0,0,1]') approximate limit 1"
    assert shop.client.rows(nearest) == [(2,)]
    assert shop.client.run("insert into past.child (pid) values (1)") == 1
    assert shop.client.one("select max(id) from past.child") >= 4  # the counter goes on behind what came back


def test_a_key_whose_name_the_live_table_has_comes_under_another(shop: Shop) -> None:
    assert shop.recover("sales.child", more="REMAP TABLE sales.child:child_x") == ("COMPLETED", "SUCCESS", "")
    assert shop.client.rows(TASKS) == [("sales", "child_x", "FINISH", "SUCCESS", 1, 1)]
    assert shop.client.refused("insert into sales.child_x (pid) values (99)")[0] == 1452
    shop.client.run("drop table sales.child_x")


def test_a_whole_database_comes_back_under_another_name_or_its_own_with_views(shop: Shop) -> None:
    shop.client.run("create database copy")
    assert shop.recover("sales.*", more="REMAP TABLE sales.`*`:copy.`*`") == ("COMPLETED", "SUCCESS", "")
    tables = "select table_name from information_schema.tables where table_schema = 'copy' order by 1"
    assert shop.client.rows(tables) == [("big",), ("child",), ("parent",), ("vec",)]
    shop.client.run("drop database copy")
    shop.sys.run("CREATE TENANT fresh")
    with shop.server.client("root@fresh") as fresh:
        fresh.run("create database sales")
        assert shop.recover("*.*", to="fresh") == ("COMPLETED", "SUCCESS", "")
        assert fresh.rows("select name from sales.short order by name") == [("one",), ("two",)]
        assert fresh.one("select count(*) from sales.big") == shop.sums["big"][0]
    shop.sys.run("DROP TENANT fresh FORCE")


def test_a_foreign_key_that_does_not_fit_is_named_and_the_rows_stay(shop: Shop) -> None:
    shop.client.run("create database alone")
    shop.client.run("delete from sales.parent where id = 2")
    status, result, _ = shop.recover("sales.child", more="REMAP TABLE sales.child:alone.child")
    assert (status, result) == ("COMPLETED", "SUCCESS")
    assert shop.client.rows(TASKS) == [("alone", "child", "FINISH", "SUCCESS", 1, 0)]
    comment = shop.client.rows(
        "select COMMENT from oceanbase.DBA_OB_IMPORT_TABLE_TASK_HISTORY order by TASK_ID + 0 desc"
    )[0][0]
    assert "foreign keys not restored" in comment
    assert shop.client.one("select count(*) from alone.child") == 3


@pytest.mark.parametrize(
    ("items", "to", "more", "number", "words"),
    [
        ("sales.big", "", "", 4179, "no target tenant specified"),
        ("sales.big", "TO TENANT sys", "", 1210, "it must be user tenant"),
        ("sales.big", "TO TENANT nobody", "", 5157, "nobody"),
        ("sales.big partition (p0)", "TO shop", "", 1235, "recover partition"),
        ("sales.big, sales.*", "TO shop", "", 1235, "together with"),
        ("sales.big", "TO shop", "REMAP TABLE sales.other:x", 1235, "remap not exist recover table"),
        ("sales.big", "TO shop", "REMAP TABLE sales.big:a REMAP TABLE sales.big:b", 4179, "duplicate REMAP TABLE is"),
        ("sales.big", "TO shop", "REMAP TABLEGROUP a:b", 5151, "tablegroup"),
        ("sales.big", "TO shop", "REMAP TABLESPACE a:b", 3510, "Tablespace 'b'"),
        ("sales.big", "TO shop", "REMAP TABLE sales.big:nowhere.big", 1049, "nowhere"),
        ("sales.parent", "TO shop", "", 1050, "sales.parent"),
    ],
)
def test_what_can_not_be_is_refused_before_anything_is_made(
    shop: Shop, items: str, to: str, more: str, number: int, words: str
) -> None:
    found, text = shop.refused(items, to=to, more=more)
    assert found == number
    assert words in text
    assert [name for (name,) in shop.sys.rows(TENANTS) if name.startswith("AUX")] == []


def test_what_only_the_backup_tells_ends_the_job_with_its_reason(shop: Shop) -> None:
    status, result, comment = shop.recover("sales.never", more="REMAP TABLE sales.never:x")
    assert (status, result) == ("FAILED", "FAILED")
    assert "sales.never" in comment
    status, result, comment = shop.recover("sales.*")
    assert (status, result) == ("FAILED", "FAILED")
    assert "already exists" in comment


def test_a_standby_takes_no_tables(shop: Shop) -> None:
    shop.sys.run(f"ALTER SYSTEM RESTORE held FROM {shop.sources} UNTIL SCN = {shop.before}")
    wait_for(lambda: shop.sys.rows(f"{TENANTS} where TENANT_NAME = 'held' and STATUS = 'NORMAL'"), bool)
    number, text = shop.refused("sales.big", to="TO held")
    assert number == 1235
    assert "recover table to standby tenant is" in text
    shop.sys.run("DROP TENANT held FORCE")


def test_one_at_a_time_and_a_cancel_leaves_nothing(shop: Shop) -> None:
    dice = random.Random(7)
    for _ in range(CANCELS):
        text = f"FROM {shop.sources} UNTIL SCN = {shop.before} REMAP TABLE sales.big:again"
        shop.sys.run(f"ALTER SYSTEM RECOVER TABLE sales.big TO TENANT shop {text}")
        assert shop.refused("sales.big", more="REMAP TABLE sales.big:again")[0] == 4179
        time.sleep(dice.uniform(0, 5))  # the moment is what varies
        shop.sys.run("ALTER SYSTEM CANCEL RECOVER TABLE shop")
        status, result, comment = shop.outcome()
        if (status, result) == ("COMPLETED", "SUCCESS"):
            assert shop.client.one("select count(*) from sales.again") == shop.sums["big"][0]
            shop.client.run("drop table sales.again")
        else:
            assert (status, result, comment) == ("FAILED", "FAILED", "canceled")
            assert shop.client.rows("show tables from sales like 'again'") == []
    shop.sys.run("ALTER SYSTEM CANCEL RECOVER TABLE shop")  # nothing runs: no effect


def test_killed_at_any_moment_it_goes_on_to_the_same_end(shop: Shop) -> None:
    dice = random.Random(11)
    for number in range(KILLS):
        shop.sys.run(
            f"ALTER SYSTEM RECOVER TABLE sales.big, sales.child TO TENANT shop FROM {shop.sources} UNTIL SCN = {shop.before}"
            f" REMAP TABLE sales.big:past.big, sales.child:past.kept{number}"
        )
        time.sleep(dice.uniform(0, 6))  # the moment is what varies
        shop.server.kill()
        shop.server.start()
        shop.sys = shop.server.client()
        shop.client = shop.server.client("root@shop")
        assert shop.outcome()[:2] == ("COMPLETED", "SUCCESS"), shop.outcome()
        assert shop.sum("past.big") == shop.sums["big"]
        shop.client.run("drop table past.big")


@pytest.mark.skipif(find_obstacle() is not None, reason=f"no FUSE on this machine: {find_obstacle()}")
def test_damage_is_named_where_a_block_is_needed_and_in_nobodys_way_elsewhere(shop: Shop) -> None:
    """Last: it damages the newest set, in the blocks of one table."""
    chance = random.Random(7)
    shop.client.run("create table sales.noise (id int primary key, pad varchar(2000))")
    for start in range(0, 4000, 100):
        rows = ",".join(f"({start + i}, '{chance.randbytes(750).hex()}')" for i in range(100))
        shop.client.run(f"insert into sales.noise values {rows}")
    blocks = (
        "select distinct macro_block_idx from oceanbase.__all_virtual_tablet_sstable_macro_info where tablet_id ="
        " (select tablet_id from oceanbase.__all_table where table_name = 'noise')"
    )
    freeze_until(shop.client, lambda: shop.client.rows(blocks), lambda rows: len(rows) > 2)
    assert backup(shop.sys, "shop")[0] == "COMPLETED"
    needed = {int(block_id) for (block_id,) in shop.client.rows(blocks)}
    (folder,) = (shop.place / "data").glob("backup_set_2_*")
    records = decode_index([(shop.place / "data" / names.index_name(folder.name)).read_bytes()]).table
    damaged = [record for record in records if record.block_id in needed and record.block_type == _TABLE_DATA]
    assert damaged
    for record in damaged:
        path = shop.place / "data" / names.data_name(folder.name, record.object_number)
        with path.open("r+b") as file:
            file.seek(record.end_offset - 100)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))
    recover = (
        f"ALTER SYSTEM RECOVER TABLE sales.{{0}} TO TENANT shop FROM {shop.sources} REMAP TABLE sales.{{0}}:{{0}}_d"
    )
    shop.sys.run(recover.format("parent"))
    assert shop.outcome() == ("COMPLETED", "SUCCESS", "")
    shop.sys.run(recover.format("noise"))
    status, result, comment = shop.outcome()
    assert (status, result) == ("FAILED", "FAILED")
    assert path.name in comment, comment
    assert "sales.noise" in comment, comment
