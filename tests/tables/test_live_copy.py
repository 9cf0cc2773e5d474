"""Every type of value, copied from one table to another through SQL text, on a real engine."""

import random
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from engine_rig import EngineRig, running_engine
from holdfast.engine.session import Session, SqlError
from holdfast.errors import CorruptionError, RefusedError
from holdfast.tables.difference import Difference, difference, key_columns
from holdfast.tables.plan import TableName
from holdfast.tables.run import (
    OWNER_TABLE,
    Copied,
    ScratchOwner,
    compare,
    copy_rows,
    drop_scratch,
    into_place,
    make_empty,
    prepare,
    shape_of,
    tables_listed,
    tables_of,
)

pytestmark = pytest.mark.live

SCRATCH = "__recover_1_1"
MINE = ScratchOwner(record="this job", is_own=lambda found: found == "this job")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRig]:
    with running_engine(tmp_path_factory.mktemp("copy")) as found:
        found.sql("CREATE DATABASE src")
        found.sql("CREATE DATABASE dst")
        yield found


@pytest.fixture
def sessions(rig: EngineRig) -> Iterator[tuple[Session, Session]]:
    with rig.session() as source, rig.session() as target:
        prepare(source)
        prepare(target)
        yield source, target


def copied(sessions: tuple[Session, Session], table: str) -> Copied:
    """Copy src.table to dst.table and return what was read; compared on the way."""
    source, target = sessions
    name, place = TableName(database="src", table=table), TableName(database=SCRATCH, table=table)
    shape = shape_of(source, name)
    make_empty(target, SCRATCH, shape, MINE)
    found = copy_rows(source, target, name, place, shape, check=lambda: None, told=lambda rows: None)
    compare(source, target, name, place, shape, found)
    into_place(target, place, TableName(database="dst", table=table))
    drop_scratch(target, SCRATCH, MINE)
    return found


NUMBERS = (
    (
        "create table src.numbers (id bigint unsigned primary key, ti tinyint, si smallint, mi mediumint, de decimal(40,10), f float,"
        " d double, b1 bit(1), b10 bit(10), b64 bit(64), y year, bo bool)"
    ),
    (
        "insert into src.numbers values"
        " (0, -128, 32767, -8388608, 123456789012345678901234567890.0123456789, 0.1, 0.1, b'1', b'1010101010',"
        " 0xFFFFFFFFFFFFFFFF, 2155, true),"
        " (18446744073709551615, 127, -1, 1, -0.0000000001, 16777217, 1.7976931348623157e308, b'0', b'0', 0, 1901, false),"
        " (7, null, null, null, null, 1.17549e-38, 2.2250738585072014e-308, null, null, null, null, null),"
        " (8, 0, 0, 0, 0, -3.4e38, -1e-300, b'1', b'11', 39, 0, true)"
    ),
)
TEXTS = (
    (
        "create table src.texts (id int primary key, c char(10), v varchar(200), vb varchar(50) collate utf8mb4_bin, t longtext,"
        " bi binary(5), vbi varbinary(50), bl longblob, e enum('a','b c'), s set('x','y','z'), j json) comment 'it''s'"
    ),
    (
        r"insert into src.texts values (1, 'é', '汉字 😀', 'x''y\\z\n\0\Z\r\t%_\%', 'long', 'ab', 0x00ff27, 0x0001feff, 'b c', 'x,z',"
        r""" '{"a": [1, 2.5, "x\\"y"], "b": null, "n": 12345678901234567890}'),"""
        " (2, '', '', '', '', '', '', '', null, '', '[]'), (3, null, null, null, null, null, null, null, null, null, null),"
        " (4, 'a ', 'a ', ' a', 'NULL', 0x00, 0x00, 0x4e554c4c, 'a', 'y', '\"NULL\"')"
    ),
)
TIMES = (
    "create table src.times (id int primary key, d date, t time(6), dt datetime(6), ts timestamp(6) null)",
    (
        "insert into src.times values (1, '2024-02-29', '-838:59:59', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999'),"
        " (2, '0000-00-00', '00:00:00.000001', '0000-00-00 00:00:00', '1970-01-01 00:00:01'),"
        " (3, '2024-00-00', null, '2024-02-31 01:02:03.5', null)"
    ),
)
SHAPES = (
    (
        "create table src.shapes (id int auto_increment primary key, g geometry, p point, gen int generated always as (hidden + 1)"
        " virtual, sto int generated always as (hidden * 2) stored, hidden int invisible default 5, check (hidden > 0))"
        " auto_increment = 500"
    ),
    (
        "insert into src.shapes (g, p, hidden) values (st_geomfromtext('LINESTRING(0 0,1 1)'), st_geomfromtext('POINT(1.1 2.2)'), 9),"
        " (null, null, null)"
    ),
)


@pytest.mark.parametrize(
    ("create", "insert"), [NUMBERS, TEXTS, TIMES, SHAPES], ids=["numbers", "texts", "times", "shapes"]
)
def test_every_value_arrives_as_it_was(
    rig: EngineRig, sessions: tuple[Session, Session], create: str, insert: str
) -> None:
    table = create.split("src.")[1].split()[0]
    sessions[0].execute(create)
    sessions[0].execute(insert)
    assert copied(sessions, table).row_count == rig.sql(f"select count(*) from src.{table}")[0][0]
    definition = rig.sql(f"show create table src.{table}")
    assert rig.sql(f"show create table dst.{table}") == definition
    names = [row[0] for row in rig.sql(f"show columns from src.{table}")]
    # <=> knows no geometry, and prints hide digits: bytes are compared where there are some
    for name in names:
        shown = f"hex(`{name}`)" if table != "shapes" or name in {"g", "p"} else f"`{name}`"
        rows = [rig.sql(f"select id, {shown} from {place}.{table} order by id") for place in ("src", "dst")]
        assert rows[0] == rows[1], name


def test_floats_and_vectors_keep_every_bit(rig: EngineRig, sessions: tuple[Session, Session]) -> None:
    dice = random.Random(4711)

    def number() -> str:
        (value,) = struct.unpack("<f", struct.pack("<f", dice.uniform(-1, 1) * 10.0 ** dice.randint(-12, 12)))
        return f"{value:.9g}"

    rig.sql(
        "create table src.vectors (id int primary key, f float, e vector(5), vector index vi(e) with (distance=l2, type=hnsw))"
    )
    rows = [f"({i}, {number()}, '[{','.join(number() for _ in range(5))}]')" for i in range(300)]
    rig.sql(f"insert into src.vectors values {','.join(rows)}, (300, null, null)")
    assert copied(sessions, "vectors").row_count == 301
    for expression in (
        "cast(f as double)",
        *(f"inner_product(e, '[{','.join(str(int(i == j)) for j in range(5))}]')" for i in range(5)),
    ):
        both = [rig.sql(f"select id, {expression} from {place}.vectors order by id") for place in ("src", "dst")]
        assert both[0] == both[1]
        assert len({row[1] for row in both[0]}) > 100  # the test sees values, not one
    nearest = "select id from {}.vectors where e is not null order by l2_distance(e, '[1,1,1,1,1]') limit 5"
    assert rig.sql(nearest.format("dst")) == rig.sql(nearest.format("src"))


def test_long_values_arrive(rig: EngineRig, sessions: tuple[Session, Session]) -> None:
    sessions[0].execute("create table src.long_values (id int primary key, t longtext, b longblob)")
    sessions[0].execute(
        "insert into src.long_values values (1, repeat('x', 8388608), 'b'), (2, 't', repeat('y', 6000000))"
    )
    assert copied(sessions, "long_values").row_count == 2
    sql = "select id, length(t), crc32(t), length(b), crc32(b) from {}.long_values order by id"
    assert rig.sql(sql.format("dst")) == rig.sql(sql.format("src"))


def test_heaps_partitions_full_text_and_odd_names(rig: EngineRig, sessions: tuple[Session, Session]) -> None:
    rig.sql("create table src.heap (a int, b varchar(10), key (b))")
    rig.sql("insert into src.heap values (1, 'x'), (1, 'x'), (null, null)")
    rig.sql("create table src.parts (a int primary key, b int, key kb(b)) partition by hash(a) partitions 4")
    rig.sql("insert into src.parts values (1, 1), (2, 2), (3, 3), (4, 4)")
    rig.sql("create table src.words (id int primary key, txt text, fulltext index fi(txt))")
    rig.sql("insert into src.words values (1, 'holdfast keeps every word'), (2, 'nothing here')")
    rig.sql("create table src.`o``d'd` (`co``l` int primary key, `select` array(int), names array(varchar(9)))")
    rig.sql("""insert into src.`o``d'd` values (1, '[1,2,NULL]', '["a","b\\\\"c"]'), (2, null, null)""")
    for table, count in (("heap", 3), ("parts", 4), ("words", 2), ("o`d'd", 2)):
        assert copied(sessions, table).row_count == count
        name = table.replace("`", "``")
        assert rig.sql(f"show create table dst.`{name}`") == rig.sql(f"show create table src.`{name}`")
        assert sorted(map(str, rig.sql(f"select * from dst.`{name}`"))) == sorted(
            map(str, rig.sql(f"select * from src.`{name}`"))
        )
    assert rig.sql("select id from dst.words where match(txt) against ('holdfast')") == [(1,)]
    assert TableName(database="dst", table="heap") in tables_of(sessions[0])


def test_what_can_not_travel_exactly_is_refused(rig: EngineRig, sessions: tuple[Session, Session]) -> None:
    rig.sql("create table src.sparse (id int primary key, s sparsevector)")
    rig.sql("create table src.floats (id int primary key, s array(float))")
    for table in ("sparse", "floats"):
        with pytest.raises(RefusedError, match=r"column s of type .* can not be read exactly"):
            shape_of(sessions[0], TableName(database="src", table=table))


def test_a_row_that_changed_on_the_way_is_found(rig: EngineRig, sessions: tuple[Session, Session]) -> None:
    source, target = sessions
    source.execute("create table src.changed (id int primary key, v varchar(10))")
    source.execute("insert into src.changed values (1, 'a'), (2, 'b')")
    name, place = TableName(database="src", table="changed"), TableName(database=SCRATCH, table="changed")
    shape = shape_of(source, name)
    make_empty(target, SCRATCH, shape, MINE)
    found = copy_rows(source, target, name, place, shape, check=lambda: None, told=lambda rows: None)
    target.execute(f"update {place.quoted} set v = 'A' where id = 1")
    with pytest.raises(CorruptionError, match="fingerprint"):
        compare(source, target, name, place, shape, found)
    drop_scratch(target, SCRATCH, MINE)


@pytest.mark.parametrize("mark", ["none", "another job"])
def test_a_database_that_somebody_else_made_is_never_dropped(
    rig: EngineRig, sessions: tuple[Session, Session], mark: str
) -> None:
    """A user may call a database as we call ours; another job's may hold what it still needs."""
    source, target = sessions
    source.execute(f"create table if not exists src.named_{mark[:4]} (id int primary key)")
    shape = shape_of(source, TableName(database="src", table=f"named_{mark[:4]}"))
    if mark == "none":
        target.execute(f"create database {SCRATCH}")
    else:
        make_empty(target, SCRATCH, shape, ScratchOwner(record=mark, is_own=lambda found: found == mark))
        target.execute("use oceanbase")
    target.execute(f"create table {SCRATCH}.kept (id int)")
    for attempt in (lambda: drop_scratch(target, SCRATCH, MINE), lambda: make_empty(target, SCRATCH, shape, MINE)):
        with pytest.raises(RefusedError, match="holds tables that this job did not make"):
            attempt()
    assert target.query(f"select count(*) from {SCRATCH}.kept") == [(0,)]
    target.execute(f"drop database {SCRATCH}")


def test_an_empty_database_that_a_killed_attempt_left_is_taken(
    rig: EngineRig, sessions: tuple[Session, Session]
) -> None:
    """Killed between the database and its mark, or between the mark's table and its row."""
    source, target = sessions
    source.execute("create table src.small (id int primary key)")
    target.execute(f"create database {SCRATCH}")
    assert copied(sessions, "small").row_count == 0
    source.execute("create table src.smaller (id int primary key)")
    target.execute(f"create database {SCRATCH}")
    target.execute(f"create table {SCRATCH}.{OWNER_TABLE} (record text not null)")
    assert copied(sessions, "smaller").row_count == 0


def test_an_array_that_changed_on_the_way_is_found(rig: EngineRig, sessions: tuple[Session, Session]) -> None:
    source, target = sessions
    source.execute("create table src.lists (id int primary key, n array(int), s array(varchar(9)))")
    source.execute("""insert into src.lists values (1, '[1,2,NULL]', '["a","b"]'), (2, null, null)""")
    name, place = TableName(database="src", table="lists"), TableName(database=SCRATCH, table="lists")
    shape = shape_of(source, name)
    make_empty(target, SCRATCH, shape, MINE)
    found = copy_rows(source, target, name, place, shape, check=lambda: None, told=lambda rows: None)
    compare(source, target, name, place, shape, found)
    target.execute(f"update {place.quoted} set n = '[1,3,NULL]' where id = 1")
    with pytest.raises(CorruptionError, match="fingerprint"):
        compare(source, target, name, place, shape, found)
    drop_scratch(target, SCRATCH, MINE)


def test_rows_that_the_reading_left_out_are_found(rig: EngineRig, sessions: tuple[Session, Session]) -> None:
    """The copy then has what was read; that the table has more is known to whoever lets the engine count."""
    source, target = sessions
    source.execute("create table src.shortened (id int primary key)")
    source.execute("insert into src.shortened values (1), (2), (3)")
    name, place = TableName(database="src", table="shortened"), TableName(database=SCRATCH, table="shortened")
    shape = shape_of(source, name)
    make_empty(target, SCRATCH, shape, MINE)
    source.execute("set sql_select_limit = 2")
    found = copy_rows(source, target, name, place, shape, check=lambda: None, told=lambda rows: None)
    assert found.row_count == 2
    with pytest.raises(CorruptionError, match=r"src\.shortened has 3 rows .* read were 2"):
        compare(source, target, name, place, shape, found)
    drop_scratch(target, SCRATCH, MINE)


def test_a_list_of_buckets_that_was_cut_short_is_no_difference(
    rig: EngineRig, sessions: tuple[Session, Session]
) -> None:
    source, target = sessions
    source.execute("create table src.buckets (id int primary key)")
    source.execute("insert into src.buckets values (1), (2), (3)")
    name = TableName(database="src", table="buckets")
    rows, keys = shape_of(source, name).rows, key_columns(source, name)
    source.execute("set sql_select_limit = 2")
    with pytest.raises(CorruptionError, match="has 3 rows in the backup, its buckets have 2"):
        difference(source, target, name, rows, keys, check=lambda: None)


def test_the_dictionary_lists_the_tables_that_are_gone_through(
    rig: EngineRig, sessions: tuple[Session, Session]
) -> None:
    source, target = sessions
    source.execute("create database if not exists `odd ``na.me`")
    source.execute("create table if not exists `odd ``na.me`.`t 1` (id int)")
    source.execute("create or replace view src.seen as select 1 as one")
    source.execute("set recyclebin = 1")
    source.execute("create table src.thrown (id int)")
    source.execute("drop table src.thrown")
    assert tables_listed(target) == tables_of(target)
    assert TableName(database="odd `na.me", table="t 1") in tables_listed(target)
    source.execute("set sql_select_limit = 1")
    assert len(tables_of(source)) == 1 < len(tables_of(target))
    source.execute("purge recyclebin")


@pytest.mark.parametrize("key", ["primary key (id)", "key (id)"])
def test_differences_are_counted_by_what_became_of_each_row(
    rig: EngineRig, sessions: tuple[Session, Session], key: str
) -> None:
    """One engine stands for both: the live side reads the database `other`."""
    backup, live = sessions
    backup.execute("drop table if exists src.d")
    backup.execute("drop database if exists other")
    backup.execute("create database other")
    for database in ("src", "other"):
        backup.execute(f"create table {database}.d (id int, v varchar(10), {key})")
        rows = ",".join(f"({i}, 'v{i}')" for i in range(6000))
        backup.execute(f"insert into {database}.d values {rows}")
    name = TableName(database="src", table="d")
    shape, keys = shape_of(backup, name), key_columns(backup, name)

    class Other(Session):
        """A session that reads `other` where `src` is meant."""

        def query(self, sql: str, args: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
            return super().query(sql.replace("`src`", "`other`"), args)

        def stream(self, sql: str, batch_rows: int) -> Iterator[list[tuple[Any, ...]]]:
            return super().stream(sql.replace("`src`", "`other`"), batch_rows)

    other = Other(live.connection)
    assert difference(backup, other, name, shape.rows, keys, check=lambda: None).is_none
    backup.execute("update other.d set v = 'new' where id < 5000")
    backup.execute("delete from other.d where id >= 5990")
    backup.execute("insert into other.d values (7000, 'more')")
    found = difference(backup, other, name, shape.rows, keys, check=lambda: None)
    if keys:
        assert found == Difference(only_in_backup=10, only_live=1, changed=5000)
    else:
        assert found == Difference(only_in_backup=5010, only_live=5001, changed=0)


REFUSED = (
    "insert into test.refused values (1, 'the secret', null, null, null), (2, 'the secret', null, null, null)",
    "insert into test.refused values ('the secret', 'a', null, null, null)",
    "insert into test.refused values (5, repeat('the secret', 100), null, null, null)",
    "insert into test.refused values (6, 'the secret', '{\"the secret\": }', null, null)",
    "insert into test.refused values (7, 'the secret', null, '[1,2,3]', null)",
    "insert into test.refused values (8, 'the secret', null, null, -771)",
    "insert into test.refused values (771771771771771771771, 'the secret', null, null, null)",
    "insert into test.refused valuez (9, 'the secret')",
    "select 9223372036854775807 + 771 from (select 'the secret' a) b",
    "select * from test.nothing where a = 'the secret'",
    "alter table test.twice add unique key (v)",
    "create table test.bad (i int default 'the secret')",
)
"""What our own statements may meet with a tenant's rows in them."""


def test_no_refusal_of_the_engine_shows_a_value(rig: EngineRig, sessions: tuple[Session, Session]) -> None:
    rig.sql(
        "create table test.refused (id int primary key, v varchar(20), j json, e vector(2), c int check (c > 0), unique key (v))"
    )
    rig.sql("create table test.twice (a int primary key, v varchar(20))")
    rig.sql("insert into test.twice values (1, 'the secret'), (2, 'the secret')")
    for sql in REFUSED:
        with pytest.raises(SqlError) as refused:
            sessions[0].execute(sql)
        told = f"{refused.value} {refused.value.text}"
        assert "secret" not in told, sql
        assert sql.startswith(("select", "alter")) or "771" not in told, sql
