"""The installation of the catalog's tables in schema `__holdfast`, and the migrations of one that is there.

What is recorded, and when, so that a server may die at any line:

1. `installed.schema_version`, before the first statement: the number of the newest migration this build will make. Every build
   since the first reads it and refuses a number above its own, so no older one works on a catalog that is half way.
2. The statements of a migration, which are repeatable (`changes.py`).
3. `migration`, one row for each number, after its last statement. What has no row is carried out by the next start.

A catalog without rows in `migration` is of a build before them (up to 3088279), or was never finished: migration 1 looks at what
is there and adds the rest. Nothing of a catalog is written before its numbers are read and known.

A table that a migration has made and that is not there is lost, not missing: `losses.py` says what comes of it.

One table holds active and ended rows; ids come from `id_sequence` and are never reused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from holdfast.catalog.baseline import ROWS
from holdfast.catalog.changes import Change, Found
from holdfast.catalog.columns import table_ddl
from holdfast.catalog.connections import Connections
from holdfast.catalog.losses import Loss, Remedy
from holdfast.catalog.migrations import MIGRATIONS, Migration, shape
from holdfast.clock import Clock, SystemClock
from holdfast.errors import ConflictError, RefusedError, UnknownVersionError

_INSTALLED = table_ddl(
    "installed", (("name", "VARCHAR(64) NOT NULL"), ("value", "VARCHAR(128) NOT NULL")), ("PRIMARY KEY (name)",)
)
_MIGRATION = table_ddl(
    "migration", (("number", "BIGINT(20) NOT NULL"), ("name", "VARCHAR(128) NOT NULL")), ("PRIMARY KEY (number)",)
)
_TO_ENTER = "tables_to_enter"
_VERSION_WITHOUT_NUMBERS = 1
_TRIES_MAX = 600
_TRY_SECONDS = 0.2
"""Two minutes: copying a table of the catalog took 3 s at most, on a machine with 30 times its load."""
_OWN_TABLES = frozenset({"installed", "migration"})
_NEED_A_WORD = frozenset({Remedy.BY_HAND, Remedy.NONE})
_GONE = "schema __holdfast, the catalog of this cluster, is gone"
_PUT_BACK = (
    "put back a copy of the sys directory that was made while the server was down; without one, begin a new cluster in another"
    " --base-dir and RESTORE each tenant there from its destinations"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What a catalog says of itself. `version` is 0 and `done` empty where it says nothing."""

    found: Found
    version: int
    done: dict[int, str]

    @property
    def is_fresh(self) -> bool:
        return not any(table not in _OWN_TABLES for table, _ in self.found)

    def has(self, table: str) -> bool:
        return any(table == found for found, _ in self.found)


def install(
    connections: Connections,
    migrations: Sequence[Migration] = MIGRATIONS,
    *,
    clock: Clock | None = None,
    forgotten: frozenset[str] = frozenset(),
    was_there: bool = False,
) -> tuple[Loss, ...]:
    """Bring the catalog to the shape of these migrations; return what was lost and is made again.

    Repeatable; a crash half way is completed by the next call. `forgotten`: tables that may be made again empty, by a person's word.
    `was_there`: whether this cluster has had a catalog.
    Raises, with nothing written: UnknownVersionError when a newer or another build has written the catalog, for a layout is never
    guessed; RefusedError when something is lost that nothing else knows.
    """
    clock = clock or SystemClock()
    state = _read(connections)
    _check_known(state, migrations)
    state = _with_numbers(state, migrations)
    if state.is_fresh and was_there:
        raise RefusedError(_GONE, hint=_PUT_BACK)
    lost = () if state.is_fresh else _lost_of(state, migrations)
    _refuse_lost(lost, forgotten)
    _make_again(connections, lost, migrations)
    if state.done and not state.has("migration"):
        connections.carry_out((_MIGRATION,))
        _record_done(connections, [migration for migration in migrations if migration.number in state.done])
    newest = migrations[-1].number
    if newest in state.done and state.version == newest:
        return lost
    connections.carry_out(
        ("CREATE DATABASE IF NOT EXISTS __holdfast DEFAULT CHARACTER SET utf8mb4", _INSTALLED, _MIGRATION)
    )
    _announce(connections, newest)
    if state.is_fresh:
        connections.carry_out([*(table_ddl(name, *kept) for name, kept in shape(migrations).items()), *ROWS])
        _record_done(connections, migrations)
        return ()
    for migration in migrations:
        if migration.number in state.done:
            continue
        for change in migration.changes:
            _carry_out(connections, change, clock)
        _record_done(connections, (migration,))
    return lost


def make_again(connections: Connections, migrations: Sequence[Migration] = MIGRATIONS) -> tuple[Loss, ...]:
    """Make again what is lost of a catalog in use, where no person is needed for it; return all that is lost.

    Raises EngineError, RefusedError when all of it is gone.
    """
    state = _with_numbers(_read(connections), migrations)
    if state.is_fresh:
        raise RefusedError(_GONE, hint=_PUT_BACK)
    lost = _lost_of(state, migrations)
    _make_again(connections, [one for one in lost if one.holding.remedy not in _NEED_A_WORD], migrations)
    return lost


def _with_numbers(state: _State, migrations: Sequence[Migration]) -> _State:
    """Return the state of a catalog whose table `migration` is lost as if its rows were there.

    The table is made before the first version above that of the builds that had none is announced.
    """
    if state.has("migration") or state.version <= _VERSION_WITHOUT_NUMBERS or state.is_fresh:
        return state
    return replace(state, done={one.number: one.name for one in migrations if one.number <= state.version})


def _lost_of(state: _State, migrations: Sequence[Migration]) -> tuple[Loss, ...]:
    """Return the tables and columns that were made and are not there.

    A catalog without a migration's row does not say what it had. Tables are made in one order, and these two every build has had.
    """
    there = {table for table, _ in state.found}
    if not state.done:
        order = list(shape(migrations))
        missing = [table for table in ("id_sequence", "tenant") if table in order and table not in there]
        return tuple(Loss(table=one) for one in missing if there & set(order[order.index(one) + 1 :]))
    made = shape([migration for migration in migrations if migration.number in state.done])
    lost: list[Loss] = []
    for table, (columns, _) in made.items():
        gone = tuple(column for column, _ in columns if (table, column) not in state.found)
        if table not in there:
            lost.append(Loss(table=table))
        elif gone:
            lost.append(Loss(table=table, columns=gone))
    return tuple(lost)


def _refuse_lost(lost: Sequence[Loss], forgotten: frozenset[str]) -> None:
    fatal = [one for one in lost if one.holding.remedy is Remedy.NONE]
    if fatal:
        raise RefusedError(f"the catalog has lost {'; '.join(one.words for one in fatal)}", hint=_PUT_BACK)
    open_ = [one for one in lost if one.holding.remedy is Remedy.BY_HAND and one.table not in forgotten]
    if open_:
        options = " ".join(f"--forget-table {one.table}" for one in open_)
        raise RefusedError(
            f"the catalog has lost {'; '.join(one.words for one in open_)}",
            hint="put back a copy of the sys directory that was made while the server was down; or start once with"
            f" {options} and set again what they held: until then it is as if it never had been set",
        )


def _make_again(connections: Connections, lost: Sequence[Loss], migrations: Sequence[Migration]) -> None:
    """Make the tables and columns. What is to be entered from the destinations is noted first: a crash must not leave it as all."""
    made = shape(migrations)
    to_enter = {one.table for one in lost if one.holding.remedy is Remedy.FROM_DESTINATIONS}
    if to_enter:
        connections.carry_out((_INSTALLED,))
        record_installed(connections, _TO_ENTER, ",".join(sorted(to_enter | tables_to_enter(connections))))
    for one in lost:
        columns, keys = made[one.table]
        kinds = dict(columns)
        if one.columns:
            statements = [
                f"ALTER TABLE __holdfast.`{one.table}` ADD COLUMN `{column}` {kinds[column]}" for column in one.columns
            ]
        else:
            statements = [table_ddl(one.table, columns, keys)]
        connections.carry_out(statements)
    if any(one.table == "server" for one in lost):
        connections.carry_out(ROWS)


def tables_to_enter(connections: Connections) -> frozenset[str]:
    """Return the tables that were lost and made again and do not hold yet what the destinations do."""
    noted = installed(connections, _TO_ENTER)
    return frozenset(noted.split(",")) if noted else frozenset()


def note_entered(connections: Connections) -> None:
    """Note that what the destinations hold has been entered."""
    record_installed(connections, _TO_ENTER, None)


def has_views(connections: Connections) -> bool:
    """Return whether the dictionary views of sys are there: their schema is the engine's, and outlives ours."""
    with connections.transaction() as transaction:
        return (
            transaction.one(
                "SELECT 1 FROM oceanbase.__all_table WHERE LOWER(table_name) = 'cdb_ob_backup_set_files' AND database_id ="
                " (SELECT database_id FROM oceanbase.__all_database WHERE database_name = 'oceanbase')"
            )
            is not None
        )


def _carry_out(connections: Connections, change: Change, clock: Clock) -> None:
    """Make one change. A server that died inside a statement left the engine at work on it: that is waited for.

    The engine ends such a statement as if its session were there (measured on 1.4.0). Meanwhile it allows no other copy of
    the table (4179), and may have added between our look and our statement the column that we did not find (1060).
    """
    for _ in range(_TRIES_MAX):
        try:
            connections.carry_out(change.statements(_columns(connections)))
        except (RefusedError, ConflictError):
            clock.sleep(_TRY_SECONDS)
        else:
            return
    connections.carry_out(change.statements(_columns(connections)))


def installed(connections: Connections, name: str) -> str | None:
    """Return what was recorded of this name, or None."""
    with connections.transaction() as transaction:
        row = transaction.one("SELECT value FROM __holdfast.installed WHERE name = %s", (name,))
    return None if row is None else str(row[0])


def record_installed(connections: Connections, name: str, value: str | None) -> None:
    """Record that something is installed and in which form; None forgets it."""
    with connections.transaction() as transaction:
        if value is None:
            transaction.execute("DELETE FROM __holdfast.installed WHERE name = %s", (name,))
        else:
            transaction.execute("REPLACE INTO __holdfast.installed (name, value) VALUES (%s, %s)", (name, value))


def _read(connections: Connections) -> _State:
    found = _columns(connections)
    there = {table for table, _ in found}
    version, done = 0, {}
    with connections.transaction() as transaction:
        if "installed" in there:
            row = transaction.one("SELECT value FROM __holdfast.installed WHERE name = 'schema_version'")
            version = 0 if row is None else int(str(row[0]))
        if "migration" in there:
            rows = transaction.query("SELECT number, name FROM __holdfast.migration")
            done = {int(str(number)): str(name) for number, name in rows}
    return _State(found=found, version=version, done=done)


def _check_known(state: _State, migrations: Sequence[Migration]) -> None:
    newest, hint = migrations[-1].number, "run the newer build that wrote it"
    highest = max(state.version, *state.done, 0)
    if highest > newest:
        raise UnknownVersionError(f"the catalog has schema version {highest}, this build knows {newest}", hint=hint)
    for migration in migrations:
        name = state.done.get(migration.number, migration.name)
        if name != migration.name:
            raise UnknownVersionError(
                f"migration {migration.number} of the catalog is {name!r}, this build's is {migration.name!r}",
                hint="run the build that wrote it",
            )


def _announce(connections: Connections, newest: int) -> None:
    """Keep older builds out, and have every view made again: the engine keeps the types that a view's columns had."""
    with connections.transaction() as transaction:
        transaction.execute("DELETE FROM __holdfast.installed WHERE name NOT IN ('schema_version', %s)", (_TO_ENTER,))
        transaction.execute(
            "REPLACE INTO __holdfast.installed (name, value) VALUES ('schema_version', %s)", (str(newest),)
        )


def _record_done(connections: Connections, migrations: Sequence[Migration]) -> None:
    with connections.transaction() as transaction:
        transaction.execute_many(
            "REPLACE INTO __holdfast.migration (number, name) VALUES (%s, %s)",
            [(migration.number, migration.name) for migration in migrations],
        )


def _columns(connections: Connections) -> Found:
    with connections.transaction() as transaction:
        rows = transaction.query(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '__holdfast'", ()
        )
    return frozenset((str(table), str(column)) for table, column in rows)
