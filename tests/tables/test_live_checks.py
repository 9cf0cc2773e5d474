"""What a drill asks, on a real engine: every kind of index, values of every length, and that a difference is seen."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from engine_rig import EngineRig, running_engine
from holdfast.engine.session import Session
from holdfast.tables.checks import Checked, check_assertion, check_index, check_table, indexes_of
from holdfast.tables.plan import TableName
from holdfast.tables.run import prepare
from holdfast.values.drill import CheckResult

pytestmark = pytest.mark.live

UNREAD = (CheckResult.UNCHECKED, "the engine does not read it by itself")
SEARCHES = (CheckResult.PASSED, "answers a search; its entries are not compared with the rows")
READ = (CheckResult.PASSED, "")
LED = (CheckResult.PASSED, "its entries lead to the rows; what they repeat was not compared")
BY_KEY = (CheckResult.PASSED, "its entries have the table's keys; what its expression says was not compared")
LEFT = CheckResult.UNCHECKED
TABLES = {
    "plain": (
        (
            "a int, b varchar(10), c decimal(10, 2), g int generated always as (a * 2) stored, v int generated always as (a * 3) virtual,"
            " primary key (a, b), key one (c desc, b), unique key two (c), key three (g), key four (v), key `fi``ve` (b),"
            " key six (c) invisible"
        ),
        "(a, b, c) values (1, 'x', 1.5), (2, 'y', null)",
        {"one": READ, "two": READ, "three": READ, "four": READ, "fi`ve": READ, "six": UNREAD},
    ),
    "led": (
        "id int primary key, t longtext, key prefix (t(5)), key expression ((lower(substr(t, 1, 9))))",
        "values (1, 'Hello'), (2, null)",
        {"prefix": LED, "expression": BY_KEY},
    ),
    "heap": ("a int, b int, key ka (a)", "values (1, 1), (2, 2), (2, 2), (null, 3)", {"ka": READ}),
    "words": (
        "id int primary key, a text, b text, fulltext index f (a, b) with parser ngram, fulltext index g (a)",
        "values (1, 'hello world', 'x'), (2, 'it''s + \"q\" %s (', null)",
        {"f": SEARCHES, "g": SEARCHES},
    ),
    "shape": (
        "id int primary key, g geometry not null srid 0, spatial index sg (g)",
        "values (1, st_geomfromtext('POINT(1 1)'))",
        {"sg": (LEFT, "SQL does not read an index of kind SPATIAL by itself")},
    ),
    "elements": (
        "id int primary key, j json, index mv ((cast(j as unsigned array)))",
        "values (1, '[1, 2]')",
        {"mv": (LEFT, "SQL does not read an index of kind ELEMENTS by itself")},
    ),
    "sparse": (
        "id int primary key, e sparsevector, vector index near (e) with (distance=inner_product, type=sindi)",
        "values (1, '{1:0.5}')",
        {"near": (LEFT, "a kind of vector index this version does not ask")},
    ),
    **{
        f"near_{distance}_{kind}": (
            f"id int primary key, e vector(3), vector index near (e) with (distance={distance}, type={kind})",
            "values (1, '[1,2,3]'), (2, '[0,0,1]')",
            {"near": SEARCHES},
        )
        for distance, kind in (
            ("l2", "hnsw"),
            ("cosine", "hnsw"),
            ("inner_product", "hnsw"),
            ("l2", "hnsw_sq"),
            ("l2", "ivf_flat"),
        )
    },
}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRig]:
    with running_engine(tmp_path_factory.mktemp("checks")) as found:
        found.sql("CREATE DATABASE d")
        yield found


@pytest.fixture
def session(rig: EngineRig) -> Iterator[Session]:
    with rig.session() as found:
        prepare(found)
        yield found


@pytest.mark.parametrize("table", TABLES)
def test_every_kind_of_index_is_checked_or_says_why_not(session: Session, table: str) -> None:
    columns, rows, wanted = TABLES[table]
    session.execute(f"create table d.{table} ({columns})")
    session.execute(f"insert into d.{table} {rows}")
    name = TableName(database="d", table=table)
    assert check_table(session, name).row_count == session.query(f"select count(*) from d.{table}")[0][0]
    found = {index.name: check_index(session, name, index) for index in indexes_of(session, name)}
    assert {key: (one.result, one.comment) for key, one in found.items()} == wanted


def test_a_value_of_any_length_takes_part(session: Session) -> None:
    session.execute("create table d.long_values (id int primary key, t longtext, b longblob, key p (t(5)))")
    session.execute("insert into d.long_values values (1, repeat('x', 12000000), repeat('y', 12000000))")
    session.execute("update d.long_values set t = concat(t, t, t)")
    name = TableName(database="d", table="long_values")
    before = check_table(session, name)
    (index,) = indexes_of(session, name)
    assert check_index(session, name, index).result is CheckResult.PASSED
    session.execute("update d.long_values set t = concat(t, 'x')")
    assert check_table(session, name).checksum != before.checksum


def test_equal_rows_do_not_cancel_each_other_out(session: Session) -> None:
    session.execute("create table d.twice (a int)")
    session.execute("insert into d.twice values (7), (7)")
    name = TableName(database="d", table="twice")
    sevens = check_table(session, name)
    session.execute("update d.twice set a = 8")
    assert check_table(session, name).checksum != sevens.checksum


class _Crooked:
    """A session in which the table has one row more than its index says: no engine can be brought to that by SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def query(self, sql: str, args: Any = None) -> list[tuple[Any, ...]]:
        rows = self._session.query(sql, args)
        return [(rows[0][0] + 1, *rows[0][1:])] if "FULL(t)" in sql else rows


def test_an_index_that_misses_a_row_fails(session: Session) -> None:
    session.execute("create table d.crooked (a int primary key, b int, key kb (b))")
    session.execute("insert into d.crooked values (1, 1)")
    name = TableName(database="d", table="crooked")
    (index,) = indexes_of(session, name)
    found = check_index(cast(Session, _Crooked(session)), name, index)
    assert found.result is CheckResult.FAILED
    assert found.comment.startswith("the table has 2 rows with checksum ")


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("select 1, 2.5, '3', true", Checked(result=CheckResult.PASSED, row_count=1)),
        ("select 1 union all select 0", Checked(result=CheckResult.FAILED, row_count=2, comment="row 2, column 1: 0")),
        ("select null", Checked(result=CheckResult.FAILED, row_count=1, comment="row 1, column 1: NULL")),
        ("select 'yes'", Checked(result=CheckResult.FAILED, row_count=1, comment="row 1, column 1: no number")),
        ("select 1 from dual where false", Checked(result=CheckResult.FAILED, comment="it gives no row")),
        ("select '%s %d' like '%'", Checked(result=CheckResult.PASSED, row_count=1)),
    ],
)
def test_an_assertion_holds_when_it_gives_rows_and_all_of_them_are_true(
    session: Session, sql: str, wanted: Checked
) -> None:
    assert check_assertion(session, sql) == wanted
