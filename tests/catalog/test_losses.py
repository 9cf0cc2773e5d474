"""What is gone of the catalog or changed in the dictionary is found, said and put right, or refused by name; never made anew in silence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from catalog_rig import FixedClock, SysEngine

from holdfast.catalog.catalog import Catalog
from holdfast.catalog.losses import HOLDINGS, Remedy
from holdfast.catalog.migrations import shape
from holdfast.errors import RefusedError

pytestmark = pytest.mark.live

TENANT = 1002
PASSWORD = "a" * 24


@pytest.fixture
def whole(catalog: Catalog) -> Iterator[Catalog]:
    """A catalog that is whole before and after each test."""
    catalog.install_tenant(TENANT, PASSWORD)
    yield catalog
    catalog.install(forgotten=frozenset(HOLDINGS))
    catalog.note_entered()


def tables(engine: SysEngine) -> set[str]:
    return {
        str(row[0])
        for row in engine.query("select table_name from information_schema.tables where table_schema = '__holdfast'")
    }


def test_of_every_table_it_is_known_what_it_holds() -> None:
    assert HOLDINGS.keys() == shape().keys()


def test_a_whole_catalog_has_lost_nothing(whole: Catalog) -> None:
    assert whole.install() == ((), ())
    assert whole.put_right() == ((), ())
    assert whole.put_tenant_right(TENANT, PASSWORD) == ()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("drop view oceanbase.CDB_OB_BACKUP_TASKS", "oceanbase.CDB_OB_BACKUP_TASKS"),
        ("create or replace view oceanbase.DBA_OB_BACKUP_TASKS as select 1 x", "oceanbase.DBA_OB_BACKUP_TASKS"),
        ("drop view t1002.DBA_OB_TENANTS", "t1002.DBA_OB_TENANTS"),
        (
            "create or replace view t1002.DBA_OB_TENANTS as select * from oceanbase.DBA_OB_TENANTS",
            "t1002.DBA_OB_TENANTS",
        ),
        ("drop user hf_t1002", "user hf_t1002"),
        ("alter user hf_t1002 identified by 'known'", "user hf_t1002"),
        ("grant select on *.* to hf_t1002", "user hf_t1002"),
        ("grant select on oceanbase.* to hf_t1002", "user hf_t1002"),
        ("revoke select on t1002.* from hf_t1002", "user hf_t1002"),
    ],
)
def test_what_was_changed_in_the_dictionary_is_as_it_was(
    whole: Catalog, engine: SysEngine, statement: str, named: str
) -> None:
    engine.query(statement)
    lost, changed = whole.put_right()
    assert lost == ()
    assert named in (*changed, *whole.put_tenant_right(TENANT, PASSWORD))
    assert whole.put_right() == ((), ())
    assert whole.put_tenant_right(TENANT, PASSWORD) == ()
    assert engine.query("select count(*) from oceanbase.CDB_OB_BACKUP_TASKS") == [(0,)]
    with engine.connect("hf_t1002", PASSWORD) as reader, reader.cursor() as cursor:
        cursor.execute("select TENANT_NAME from t1002.DBA_OB_TENANTS")
        assert not cursor.fetchall()  # no row of another tenant


def test_a_dropped_schema_of_views_is_made_again(whole: Catalog, engine: SysEngine) -> None:
    engine.query("drop database t1002")
    assert len(whole.put_tenant_right(TENANT, PASSWORD)) > 40
    assert whole.put_tenant_right(TENANT, PASSWORD) == ()


@pytest.mark.parametrize("table", sorted(HOLDINGS))
def test_a_table_that_is_gone_is_named_and_made_again_only_if_nothing_rests_on_it(
    whole: Catalog, engine: SysEngine, table: str
) -> None:
    definition = str(engine.query(f"show create table __holdfast.{table}")[0][1])
    engine.query(f"rename table __holdfast.{table} to test.kept_{table}")
    remedy = HOLDINGS[table].remedy
    try:
        lost, _ = whole.put_right()
        assert [one.table for one in lost] == [table]
        assert (table in tables(engine)) is (remedy not in {Remedy.NONE, Remedy.BY_HAND})
        if remedy in {Remedy.NONE, Remedy.BY_HAND}:
            with pytest.raises(RefusedError, match=table) as refused:
                whole.install()
            assert ("--forget-table" in refused.value.hint) is (remedy is Remedy.BY_HAND)
            assert table not in tables(engine)
        if remedy is Remedy.BY_HAND:
            assert [one.table for one in whole.install(forgotten=frozenset({table}))[0]] == [table]
        assert (table in whole.tables_to_enter()) is (remedy is Remedy.FROM_DESTINATIONS)
        if remedy is not Remedy.NONE:
            assert str(engine.query(f"show create table __holdfast.{table}")[0][1]) == definition
            assert whole.install() == ((), ())
    finally:
        engine.query(f"drop table if exists __holdfast.{table}")
        engine.query(f"rename table test.kept_{table} to __holdfast.{table}")


def test_a_column_that_is_gone_counts_as_its_table(whole: Catalog, engine: SysEngine) -> None:
    engine.query("alter table __holdfast.event drop column extra_info")
    engine.query("alter table __holdfast.pin drop column note")
    with pytest.raises(RefusedError, match="pin, columns note"):
        whole.install()
    lost, _ = whole.install(forgotten=frozenset({"pin"}))
    assert {(one.table, one.columns) for one in lost} == {("event", ("extra_info",)), ("pin", ("note",))}
    assert whole.install() == ((), ())


def test_the_tables_that_keep_the_catalogs_own_books_are_made_again(whole: Catalog, engine: SysEngine) -> None:
    """With them goes nothing else unnoticed: a table that is gone beside them is named all the same."""
    engine.query("drop table __holdfast.installed")
    assert whole.install() == ((), ())
    engine.query("drop table __holdfast.migration")
    assert whole.install() == ((), ())
    engine.query("drop table __holdfast.migration")
    engine.query("rename table __holdfast.pin to test.kept_pin")
    try:
        with pytest.raises(RefusedError, match="pin"):
            whole.install()
    finally:
        engine.query("rename table test.kept_pin to __holdfast.pin")


def test_a_catalog_that_is_gone_is_not_begun_anew(tmp_path_factory: pytest.TempPathFactory) -> None:
    engine = SysEngine(tmp_path_factory.mktemp("gone"))
    try:
        made = Catalog(engine.connect, engine.log_in, clock=FixedClock())
        assert not made.has_dictionary()
        made.install()
        assert made.has_dictionary()
        engine.query("drop database __holdfast")
        with pytest.raises(RefusedError, match="the catalog of this cluster, is gone"):
            made.install(was_there=made.has_dictionary())
        with pytest.raises(RefusedError, match="is gone"):
            made.put_right()
        made.close()
    finally:
        engine.end()
