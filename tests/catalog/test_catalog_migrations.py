"""The catalog's migrations on a real engine: catalogs of five builds before them, every stop on the way, newer ones.

One engine for all of it, with one catalog after the other in the one schema there is.
"""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from catalog_rig import FixedClock, SysEngine
from pymysql.connections import Connection
from pymysql.constants.COMMAND import COM_QUERY
from pymysql.cursors import Cursor

import holdfast.catalog
from holdfast.catalog import installation, schema, views
from holdfast.catalog.baseline import TABLES
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.changes import AddColumn, AddTable, Baseline, ChangeRows, ChangeType
from holdfast.catalog.columns import COUNT, ID, Tables, exact, varchar
from holdfast.catalog.connections import Connections
from holdfast.catalog.migrations import MIGRATIONS, Migration, shape
from holdfast.catalog.records import Record
from holdfast.errors import UnknownVersionError

pytestmark = pytest.mark.live

DUMPS = sorted((Path(__file__).parents[1] / "golden" / "catalog").glob("*.sql"))
Rows = dict[str, list[tuple[object, ...]]]

SMALL: Tables = {name: TABLES[name] for name in ("pin", "server", "backup_schedule")}
SEED = ("INSERT IGNORE INTO __holdfast.server (id, zone, svr_ip, svr_port) VALUES (1, 'zone1', '127.0.0.1', 2881)",)
LATER = (
    Migration(number=1, name="few tables", changes=(Baseline(tables=SMALL, rows=SEED),)),
    Migration(
        number=2,
        name="pins have owners",
        changes=(
            AddTable(table="owner", columns=(("id", ID), ("name", exact(64))), keys=("PRIMARY KEY (id)",)),
            AddColumn(table="pin", column="owner_id", type=COUNT),
            ChangeRows(sql=("UPDATE __holdfast.pin SET owner_id = 7 WHERE owner_id = 0",)),
        ),
    ),
    Migration(
        number=3,
        name="longer texts",
        changes=(
            ChangeType(table="backup_schedule", column="schedule", type=varchar(2048)),
            ChangeType(table="pin", column="owner_id", type=varchar(64)),
        ),
    ),
)


class Killed(BaseException):
    """The process ends here; no `except` of the code under test sees it as an error of the engine."""


class MortalConnection(Connection):  # type: ignore[type-arg]
    """Dies at one statement or commit that changes something: `answered` after its answer, otherwise with it under way."""

    life: Life

    def query(self, sql: str, unbuffered: bool = False) -> int:
        sql = sql.decode() if isinstance(sql, bytearray) else sql  # PyMySQL sends many rows as a bytearray
        if sql.split(None, 1)[0].upper() in {"SELECT", "SET", "BEGIN", "ROLLBACK"}:
            return super().query(sql, unbuffered)
        return self._live(lambda: super(MortalConnection, self).query(sql, unbuffered), sql)

    def commit(self) -> None:
        if self.life.dirty:
            self._live(super().commit, "COMMIT")
            self.life.dirty = False
        else:
            super().commit()

    def _live(self, carry_out: Callable[[], int | None], sql: str) -> int:
        self.life.dirty = True
        self.life.seen.append(sql)
        if len(self.life.seen) != self.life.last:
            return carry_out() or 0
        if self.life.answered:
            carry_out()
        else:
            self._execute_command(COM_QUERY, sql)
        self._force_close()
        raise Killed


class Life:
    """Connections of one process that ends at its `last` write; 0 lets it live."""

    def __init__(self, engine: SysEngine, last: int = 0, *, answered: bool = True) -> None:
        self._engine, self.last, self.answered, self.dirty = engine, last, answered, False
        self.seen: list[str] = []

    def install(self, migrations: tuple[Migration, ...]) -> bool:
        """Return whether the process lived to the end."""
        connections = Connections(self._connect, limit=1)
        try:
            schema.install(connections, migrations)
        except Killed:
            return False
        finally:
            connections.close()
        return True

    def _connect(self) -> Connection[Cursor]:
        made = MortalConnection(unix_socket=str(self._engine.base / "run" / "sql.sock"), user="root", ssl_disabled=True)
        made.life = self
        return made


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SysEngine]:
    engine = SysEngine(tmp_path_factory.mktemp("migrations"))
    yield engine
    engine.end()


@pytest.fixture
def catalog(ground: SysEngine) -> Iterator[Catalog]:
    made = Catalog(ground.connect, ground.log_in, clock=FixedClock())
    yield made
    made.close()


@pytest.fixture(scope="module")
def fresh(ground: SysEngine) -> list[tuple[object, ...]]:
    """The shape of a catalog that this build has made, with all its views."""
    ground.query("DROP DATABASE IF EXISTS __holdfast")
    made = Catalog(ground.connect, ground.log_in, clock=FixedClock())
    made.install()
    made.close()
    return shape_of(ground)


def shape_of(engine: SysEngine) -> list[tuple[object, ...]]:
    """Return every column and key part of the catalog. The order of columns is not in it: older catalogs have others."""
    columns = engine.query(
        "SELECT table_name, column_name, column_type, is_nullable, column_default, collation_name, column_key, extra,"
        " generation_expression FROM information_schema.columns WHERE table_schema = '__holdfast' ORDER BY 1, 2"
    )
    keys = engine.query(
        "SELECT table_name, index_name, seq_in_index, column_name, non_unique FROM information_schema.statistics"
        " WHERE table_schema = '__holdfast' ORDER BY 1, 2, 3"
    )
    return [*columns, *keys]


def load(engine: SysEngine, dump: Path) -> Rows:
    """Put the dump in the place of the catalog and return its rows."""
    with engine.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET NAMES utf8mb4")
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute("DROP DATABASE IF EXISTS __holdfast")
        cursor.execute("CREATE DATABASE __holdfast DEFAULT CHARACTER SET utf8mb4")
        cursor.execute("USE __holdfast")
        text = "".join(line for line in dump.read_text().splitlines(keepends=True) if not line.startswith("-- "))
        for statement in text.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
    return rows_of(engine, columns_of(engine))


def columns_of(engine: SysEngine) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for table, column in engine.query(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '__holdfast' ORDER BY 1, 2"
    ):
        found.setdefault(str(table), []).append(f"`{column}`")
    return {table: ", ".join(columns) for table, columns in found.items()}


def rows_of(engine: SysEngine, columns: Mapping[str, str]) -> Rows:
    return {
        table: sorted(engine.query(f"SELECT {listed} FROM __holdfast.`{table}`"), key=repr)
        for table, listed in columns.items()
        if table not in {"installed", "migration"}
    }


class TestTheList:
    def test_numbers_count_up_and_names_are_few_words(self) -> None:
        assert [migration.number for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))
        assert all(0 < len(migration.name) <= 128 for migration in MIGRATIONS)
        assert len({migration.name for migration in MIGRATIONS}) == len(MIGRATIONS)

    def test_the_changes_fit_one_another(self) -> None:
        assert set(shape()) >= set(TABLES)

    def test_the_baseline_is_as_it_was_at_3088279(self) -> None:
        """Whoever wants another column here wants a new migration: see `migrations.py`."""
        digest = hashlib.blake2b(repr(dict(TABLES)).encode(), digest_size=8).hexdigest()
        assert digest == "489dc1f00806f3b4"


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
def test_a_catalog_of_an_older_build_opens_with_all_its_rows(
    ground: SysEngine, catalog: Catalog, fresh: list[tuple[object, ...]], dump: Path
) -> None:
    before = load(ground, dump)
    columns = columns_of(ground)
    assert sum(len(rows) for rows in before.values()) > 30
    catalog.install()
    assert shape_of(ground) == fresh
    assert rows_of(ground, columns) == {**before, **_changed_by_migrations(before)}
    _read_by_concepts(ground, catalog, before)
    for view in views.sys_views():
        ground.query(f"SELECT * FROM {view.schema}.`{view.name}`")
    shown = "SELECT COUNT(*) FROM oceanbase.{} WHERE TENANT_ID > 0"
    for table, view in (
        ("tenant", "DBA_OB_TENANTS"),
        ("backup_set", "CDB_OB_BACKUP_SET_FILES"),
        ("archive_piece", "CDB_OB_ARCHIVELOG_PIECE_FILES"),
        ("restore_job", "CDB_OB_RESTORE_HISTORY"),
        ("validate_job", "CDB_OB_BACKUP_VALIDATE_JOB_HISTORY"),
        ("delete_job", "CDB_OB_BACKUP_DELETE_JOB_HISTORY"),
    ):
        assert ground.query(shown.format(view)) == [(len(before.get(table, [])),)], view


def _changed_by_migrations(before: Rows) -> Rows:
    """Return the tables whose rows a migration changes, as they are afterwards. None does so far."""
    return {}


def _read_by_concepts(ground: SysEngine, catalog: Catalog, rows: Rows) -> None:
    """Each concept reads what the older build has written: every `Record` there is, found in the modules of the room."""
    assert {tenant.name for tenant in catalog.tenants.hosted()} >= {"t", "t2"}
    modules = [
        importlib.import_module(f"holdfast.catalog.{found.name}")
        for found in pkgutil.iter_modules(holdfast.catalog.__path__)
    ]
    records = {id(value): value for module in modules for value in vars(module).values() if isinstance(value, Record)}
    assert len(records) > 20
    connections = Connections(ground.connect, limit=1)
    with connections.transaction() as transaction:
        for record in records.values():
            if record._table not in shape():
                continue  # it reads a view
            read = record.select(transaction)
            assert len(read) == len(rows.get(record._table, [])), record._table
    connections.close()


def test_dumps_of_five_builds_are_kept() -> None:
    assert len(DUMPS) == 5
    assert "3088279" in {dump.stem for dump in DUMPS}


def test_whoever_made_a_catalog_it_is_opened_again_without_a_write(ground: SysEngine, fresh: object) -> None:
    assert Life(ground).install(MIGRATIONS)
    again = Life(ground)
    assert again.install(MIGRATIONS)
    assert again.seen == []


def test_damage_of_what_was_deleted_is_closed_and_other_damage_stays_open(ground: SysEngine) -> None:
    ground.query("DROP DATABASE IF EXISTS __holdfast")
    assert Life(ground).install(tuple(one for one in MIGRATIONS if one.number <= 3))
    connections = Connections(ground.connect, limit=1)
    connections.carry_out(
        (
            (
                "INSERT IGNORE INTO __holdfast.backup_set (tenant_id, backup_set_id, file_status) VALUES (1002, 1, 'DELETED'),"
                " (1002, 2, 'BROKEN'), (1004, 1, 'BROKEN')"
            ),
            (
                "INSERT IGNORE INTO __holdfast.archive_piece (tenant_id, round_id, piece_id, file_status) VALUES"
                " (1002, 1, 2, 'DELETED'), (1002, 1, 3, 'BROKEN')"
            ),
            (
                "INSERT IGNORE INTO __holdfast.backup_damage (tenant_id, damage_id, object_type, object_id, round_id, status) VALUES"
                " (1002, 1, 'BACKUPSET', 1, 0, 'OPEN'), (1002, 2, 'BACKUPSET', 2, 0, 'OPEN'),"
                " (1004, 1, 'BACKUPSET', 1, 0, 'OPEN'), (1002, 3, 'ARCHIVELOG_PIECE', 2, 1, 'OPEN'),"
                " (1002, 4, 'ARCHIVELOG_PIECE', 3, 1, 'OPEN')"
            ),
        )
    )
    connections.close()
    assert Life(ground).install(MIGRATIONS)
    assert ground.query(
        "SELECT tenant_id, damage_id FROM __holdfast.backup_damage WHERE status = 'OPEN' AND cleared_timestamp IS NULL"
        " ORDER BY 1, 2"
    ) == [(1002, 2), (1002, 4), (1004, 1)]
    assert ground.query(
        "SELECT damage_id, TIMESTAMPDIFF(MINUTE, cleared_timestamp, NOW(6)) FROM __holdfast.backup_damage"
        " WHERE status = 'CLEARED' ORDER BY 1"
    ) == [(1, 0), (3, 0)]
    ground.query("DROP DATABASE IF EXISTS __holdfast")


def test_no_hash_of_a_password_is_left_and_the_others_are_empty(ground: SysEngine) -> None:
    """Older builds kept an unsalted SHA1(SHA1(password)) in each of these."""
    ground.query("DROP DATABASE IF EXISTS __holdfast")
    assert Life(ground).install(tuple(one for one in MIGRATIONS if one.number <= 6))
    kept = {
        "backup_job": ("job_id", "passwd"),
        "backup_task": ("task_id", "passwd"),
        "backup_set": ("backup_set_id", "passwd"),
        "recover_table_job": ("job_id", "backup_passwd"),
    }
    for table, (key, column) in kept.items():
        for number, value in ((1, "*2470c0c06dee42fd1618bb99005adca2ec9d1e19"), (2, "")):
            ground.query(
                f"INSERT IGNORE INTO __holdfast.{table} (tenant_id, {key}, {column}) VALUES (1002, {number}, '{value}')"
            )
    assert Life(ground).install(MIGRATIONS)
    for table, (key, column) in kept.items():
        rows = ground.query(f"SELECT {column} FROM __holdfast.{table} ORDER BY {key}")
        assert rows == [("***",), ("",)], table
    ground.query("DROP DATABASE IF EXISTS __holdfast")


def _old_catalog(engine: SysEngine) -> None:
    """The catalog of a build without migrations that had one table less and another without a column."""
    engine.query("DROP DATABASE IF EXISTS __holdfast")
    connections = Connections(engine.connect, limit=1)
    pin, keys = SMALL["pin"]
    older = {"pin": (tuple(pair for pair in pin if pair[0] != "note"), keys), "server": SMALL["server"]}
    schema.install(connections, (Migration(number=1, name="older", changes=(Baseline(tables=older, rows=()),)),))
    connections.carry_out(
        (
            "DROP TABLE __holdfast.migration",
            "INSERT INTO __holdfast.pin (tenant_id, backup_set_id) VALUES (1002, 3)",
        )
    )
    connections.close()


def _no_catalog(engine: SysEngine) -> None:
    engine.query("DROP DATABASE IF EXISTS __holdfast")


@pytest.mark.parametrize(
    ("begin", "answered"),
    [(_old_catalog, True), (_old_catalog, False), (_no_catalog, True)],
    ids=["old", "old-within", "fresh"],
)
def test_killed_at_any_statement_it_is_completed_by_the_next_start(
    ground: SysEngine, begin: Callable[[SysEngine], None], answered: bool
) -> None:
    begin(ground)
    whole = Life(ground)
    assert whole.install(LATER)
    wanted, rows = shape_of(ground), rows_of(ground, columns_of(ground))
    assert len(whole.seen) > 8
    for last in range(1, len(whole.seen) + 1):
        begin(ground)
        killed = Life(ground, last, answered=answered)
        assert not killed.install(LATER), whole.seen[last - 1]
        if any("`backup_schedule`" in sql for sql in killed.seen):
            # 3088279 reads this number alone, and so it is kept out from the first statement on.
            assert ground.query("SELECT value FROM __holdfast.installed WHERE name = 'schema_version'") == [("3",)]
        again = Life(ground)
        assert again.install(LATER)
        assert shape_of(ground) == wanted, whole.seen[last - 1]
        assert rows_of(ground, columns_of(ground)) == rows, whole.seen[last - 1]
        assert ground.query("SELECT number FROM __holdfast.migration ORDER BY 1") == [(1,), (2,), (3,)]


def test_an_upgraded_catalog_has_the_shape_of_a_fresh_one(ground: SysEngine) -> None:
    _no_catalog(ground)
    assert Life(ground).install(LATER)
    wanted = shape_of(ground)
    _old_catalog(ground)
    assert Life(ground).install(LATER[:1])
    assert Life(ground).install(LATER[:2])
    assert Life(ground).install(LATER)
    assert shape_of(ground) == wanted
    assert ground.query("SELECT backup_set_id, owner_id FROM __holdfast.pin") == [(3, "7")]


def test_a_view_follows_the_type_of_its_column(ground: SysEngine, catalog: Catalog) -> None:
    _no_catalog(ground)
    catalog.install()
    connections = Connections(ground.connect, limit=1)
    wider = (*MIGRATIONS, Migration(number=len(MIGRATIONS) + 1, name="wider", changes=(_WIDER,)))
    schema.install(connections, wider)
    installation.install(connections)
    connections.close()
    assert ground.query(
        "SELECT column_type FROM information_schema.columns WHERE table_schema = 'oceanbase'"
        " AND table_name = 'CDB_OB_BACKUP_SCHEDULES' AND column_name = 'SCHEDULE'"
    ) == [("varchar(2048)",)]
    _no_catalog(ground)


_WIDER = ChangeType(table="backup_schedule", column="schedule", type=varchar(2048))


@pytest.mark.parametrize(
    ("mark", "named"),
    [
        ("REPLACE INTO __holdfast.installed VALUES ('schema_version', '{next}')", "schema version {next}"),
        ("REPLACE INTO __holdfast.migration VALUES ({next}, 'from the future')", "schema version {next}"),
        (
            "UPDATE __holdfast.migration SET name = 'another' WHERE number = 3",
            "migration 3 of the catalog is 'another'",
        ),
    ],
)
def test_a_catalog_of_a_newer_or_another_build_is_refused_before_a_write(
    ground: SysEngine, mark: str, named: str
) -> None:
    _no_catalog(ground)
    assert Life(ground).install(LATER)
    ground.query(mark.format(next=len(LATER) + 1))
    refused = Life(ground)
    with pytest.raises(UnknownVersionError, match=named.format(next=len(LATER) + 1)):
        refused.install(LATER)
    assert refused.seen == []
    _no_catalog(ground)
