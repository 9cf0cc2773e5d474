"""Every global variable of an engine with hostile values, and what our sessions answer then.

    before = answers(rig)
    with hostile(keeper, {"sql_select_limit": 1, ...}):
        assert answers(rig) == before

Which variables there are is asked of the engine. Values come from a variable's type and bounds; what the engine refuses is no value.
"""

import contextlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from engine_rig import EngineRig
from holdfast.catalog import views
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.parameters import ParameterDefinition
from holdfast.engine import control, drift, facts
from holdfast.engine.account import rotate
from holdfast.engine.session import Session, SqlError
from holdfast.errors import HoldfastError
from holdfast.tables.checks import check_assertion, check_index, check_table, indexes_of
from holdfast.tables.difference import difference, key_columns
from holdfast.tables.plan import TableName
from holdfast.tables.run import (
    ScratchOwner,
    compare,
    copy_rows,
    databases_of,
    drop_scratch,
    into_place,
    make_empty,
    prepare,
    shape_of,
    tables_of,
)
from holdfast.values.tenant import CompatibilityMode, LogMode, Tenant, TenantRole, TenantStatus, Unit

Value = int | str

DATABASE = "hostile"
_TABLES = {
    "numbers": (
        "a int primary key, b decimal(20, 6), c float, d double, e bit(5), f bigint unsigned, y year, key kb (b), unique key kc (c)",
        (
            "(1, 1.5, 1.1, 3.14159265358979, b'101', 18446744073709551615, 2026), (2, null, 3e38, null, null, 0, 1901),"
            " (3, -7.000001, 0.1, 1e300, b'1', 7, null)"
        ),
    ),
    "texts": (
        (
            "id int auto_increment primary key, a varchar(40) collate utf8mb4_bin, b text, c enum('x', 'y'), d set('p', 'q'), j json,"
            " t timestamp(6) null, dt datetime(3), tm time, da date, bl longblob, key ka (a), key kt (t), fulltext index ft (b)"
        ),
        (
            "(1, 'Gr\u00fcn \\U0001f600 ''quoted'' \\\\ back', 'hello world', 'x', 'p,q', '{\"a\": [1, 2]}', '2026-01-01 01:02:03.4',"
            " '2026-01-01 01:02:03.4', '-11:12:13', '2026-02-28', x'00ff10'), (2, null, null, null, null, null, null,"
            " null, null, null, null)"
        ),
    ),
    "many": ("id int primary key, v varchar(200), key kv (v)", ""),
    "parent": ("id int primary key", "(1), (2)"),
    "child": (
        (
            "id int primary key, p int, g int generated always as (p * 2) stored, check (id > 0),"
            " constraint fk foreign key (p) references parent (id)"
        ),
        "(id, p) values (1, 1)",
    ),
    "vectors": (
        "id int primary key, e vector(3), vector index near (e) with (distance=l2, type=hnsw)",
        "(1, '[1,2,3]'), (2, '[0,0,1]')",
    ),
}
_MANY = 1500
_NO_PLAN = "the engine kept no plan, so what it read is not known"
_MINE = ScratchOwner(record="mine", is_own=lambda record: record == "mine")
_TENANT_ID = 1002
_SCRATCH, _FINAL = "hostile_scratch", TableName(database="hostile_target", table="copied")


def _sys_tenant() -> Tenant:
    return Tenant(
        tenant_id=1,
        name="sys",
        role=TenantRole.PRIMARY,
        status=TenantStatus.NORMAL,
        log_mode=LogMode.NOARCHIVELOG,
        mode=CompatibilityMode.MYSQL,
        unit=Unit(max_cpu=1.0, memory_size_bytes=1 << 30, log_disk_size_bytes=2 << 30),
        create_time_us=1,
        modify_time_us=1,
        data_version="1.4.0.0",
    )


def furnish(session: Session) -> None:
    """Make the tables that are asked about."""
    session.execute(f"create database {DATABASE}")
    session.execute(f"create database {_FINAL.database}")
    session.execute(f"use {DATABASE}")
    session.execute("set ob_query_timeout = 300000000")
    for name, (columns, rows) in _TABLES.items():
        session.execute(f"create table {name} ({columns})")
        if rows:
            session.execute(f"insert into {name} {rows if 'values' in rows[:20] else 'values ' + rows}")
    session.execute("insert into many values " + ",".join(f"({n}, repeat('v{n}', 20))" for n in range(_MANY)))
    session.execute(
        f"create view {DATABASE}.seen as select a.id, b.v from texts a join many b on a.id = b.id where b.v like 'v%'"
    )


@dataclass(frozen=True, slots=True)
class Trial:
    """What one set of globals did: `found` differs from what is right, "" if nothing does."""

    values: Mapping[str, Value]
    found: str


class Oracle:
    """Our questions to an engine and their answers; the engine is both a tenant's and the one that holds the catalog."""

    def __init__(self, rig: EngineRig, open_session: Callable[[], Session] | None = None) -> None:
        """`open_session`: how sessions are made, to see what others than ours would answer."""
        self._rig = rig
        self._open = open_session or rig.session
        catalog = self._catalog()
        catalog.install()
        catalog.tenants.add(_sys_tenant())
        catalog.parameters.define(
            [ParameterDefinition(name=f"p{n}", data_type="INT", default_value=str(n), info="x" * 80) for n in range(60)]
        )
        catalog.install_tenant(_TENANT_ID, "secret")
        catalog.close()
        self.right = self.answers()

    def _catalog(self) -> Catalog:
        return Catalog(lambda: self._open().connection, self._rig.log_in)

    def answers(self) -> dict[str, str]:
        """Return what is answered now, as text by question; an error is an answer too."""
        found: dict[str, str] = {}
        try:
            session, other = self._open(), self._open()
        except SqlError as error:
            return {"login": f"{error.errno}: {error.text}"}
        catalog = self._catalog()
        with session, other, closing(catalog):
            for name, question in (self._questions(session, other) | self._of_catalog(catalog)).items():
                try:
                    found[name] = repr(question())
                except HoldfastError as error:
                    found[name] = f"{type(error).__name__}: {error}"[:200]
        return found

    def put_right(self, keeper: Session) -> None:
        """Do what the server does within half a minute, when sys is told to keep everybody out."""
        drift.put_right(keeper, self._rig.settings, is_sys=True)

    def trial(self, values: Mapping[str, Value]) -> Trial:
        """Return what is other than right now."""
        found = self.answers()
        names = [
            name
            for name in {**self.right, **found}
            if self.right.get(name) != found.get(name)
            # Said, not answered otherwise: a plan cache that is full keeps no plan, with a hostile value or without one.
            and not (name.startswith("indexes") and _NO_PLAN in found.get(name, ""))
        ]
        told = "; ".join(f"{name}: {found.get(name)} (right: {self.right.get(name)})"[:400] for name in names)
        return Trial(values, told)

    def _of_catalog(self, catalog: Catalog) -> dict[str, Callable[[], object]]:
        def view() -> object:
            catalog.install_tenant(_TENANT_ID, "secret")
            reader = self._rig.log_in(views.tenant_user(_TENANT_ID), "secret")
            assert reader is not None
            with reader, reader.cursor() as cursor:
                cursor.execute(f"select count(*) from {views.tenant_schema(_TENANT_ID)}.DBA_OB_BACKUP_JOBS")
                return cursor.fetchall()

        return {
            "catalog": lambda: [tenant.name for tenant in catalog.tenants.all()],
            "parameters of ours": lambda: len(catalog.parameters.values(1)),
            "condition": lambda: len(catalog.parameters.show_where(1, "name LIKE 'p%' AND value < 30")),
            "reader": view,
        }

    def _questions(self, session: Session, other: Session) -> dict[str, Callable[[], object]]:
        rig = self._rig
        tables = [TableName(database=DATABASE, table=name) for name in sorted(_TABLES)]
        asked: dict[str, Callable[[], object]] = {
            "log_stat": lambda: facts.log_stat(session).access_mode,
            "checkpoint": lambda: facts.checkpoint(session).lsn >= 0,
            "scn": lambda: len(str(int(facts.current_scn(session)))),
            "version": lambda: facts.data_version(session),
            "orphans": lambda: facts.orphan_transactions(session),
            "unfinished": lambda: facts.unfinished_transactions(session) >= 0,
            "blocks": lambda: facts.macro_block_counts(session).total >= 0,
            "replay": lambda: facts.replay_stat(session).pending_count >= 0,
            "refreshed": lambda: facts.is_schema_refreshed(session),
            "newest": lambda: facts.knows_newest_table(session),
            "parameters": lambda: len(facts.engine_parameters(session)),
            "drift": lambda: [
                d for d in drift.find(session, rig.settings) if d.name in ("log_disk_size", "memory_budget")
            ],
            "writable": lambda: drift.is_writable(session),
            "databases": lambda: sorted(databases_of(session)),
            "now": lambda: session.query("select timestampdiff(minute, utc_timestamp(), now())"),
            "freeze": lambda: control.minor_freeze(session),
            "prepare": lambda: (prepare(session), prepare(other)),
            "tables": lambda: [t for t in tables_of(session) if t.database != "__holdfast"],
            "view": lambda: session.query(f"show create view {DATABASE}.seen"),
            "assertion": lambda: check_assertion(session, f"select count(*) = {_MANY} from {DATABASE}.many"),
            "division": lambda: session.query(
                "select 1/3, group_concat(id order by id separator ',') from hostile.many where id < 400"
            ),
        }
        for name in tables:
            asked[f"shape {name.table}"] = lambda name=name: shape_of(session, name)  # type: ignore[misc]
            asked[f"check {name.table}"] = lambda name=name: check_table(session, name)  # type: ignore[misc]
            asked[f"indexes {name.table}"] = lambda name=name: [  # type: ignore[misc]
                check_index(session, name, index) for index in indexes_of(session, name)
            ]
            asked[f"difference {name.table}"] = lambda name=name: difference(  # type: ignore[misc]
                session, other, name, shape_of(session, name).rows, key_columns(session, name), check=lambda: None
            )
            asked[f"rows {name.table}"] = lambda name=name: self._read(session, name)  # type: ignore[misc]
        asked["copy"] = lambda: self._copied(session, other, TableName(database=DATABASE, table="texts"))
        asked["secret"] = lambda: rotate(session, rig.account_file).user
        return asked

    @staticmethod
    def _read(session: Session, name: TableName) -> tuple[int, int]:
        form = shape_of(session, name).rows
        count = crc = 0
        for batch in session.stream(f"SELECT {form.select_list} FROM {name.quoted}", 1000):
            for row in batch:
                count, crc = count + 1, crc ^ form.crc(row)
        return count, crc

    @staticmethod
    def _copied(source: Session, target: Session, name: TableName) -> object:
        drop_scratch(target, _SCRATCH, _MINE)  # of a copy that failed before
        shape = shape_of(source, name)
        place = TableName(database=_SCRATCH, table=name.table)
        make_empty(target, _SCRATCH, shape, _MINE)
        copied = copy_rows(source, target, name, place, shape, check=lambda: None, told=lambda rows: None)
        compare(source, target, name, place, shape, copied)
        final = replace(_FINAL, table=name.table)
        into_place(target, place, final)
        made = target.query(f"show create table {final.quoted}")
        target.execute(f"drop table {final.quoted}")
        drop_scratch(target, _SCRATCH, _MINE)
        return copied, made, shape.definition.foreign_keys


@dataclass(frozen=True, slots=True)
class Variable:
    """A global variable, its value before anything was done to it, and values that may be refused."""

    name: str
    value: Value
    candidates: tuple[Value, ...]


_SPECIAL: dict[str, Sequence[Value]] = {
    "sql_mode": (
        "",
        "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE,NO_ZERO_DATE,NO_ZERO_IN_DATE,STRICT_TRANS_TABLES",
        "ONLY_FULL_GROUP_BY,HIGH_NOT_PRECEDENCE,NO_UNSIGNED_SUBTRACTION,PAD_CHAR_TO_FULL_LENGTH,REAL_AS_FLOAT,NO_FIELD_OPTIONS",
    ),
    "time_zone": ("+14:00", "-12:59", "SYSTEM", "Asia/Tokyo"),
    "tx_isolation": ("SERIALIZABLE", "REPEATABLE-READ", "READ-UNCOMMITTED"),
    "transaction_isolation": ("SERIALIZABLE", "REPEATABLE-READ", "READ-UNCOMMITTED"),
    "ob_read_consistency": ("WEAK", "FROZEN"),
    "init_connect": ("set sql_select_limit = 1", "nonsense"),
    "ob_tcp_invited_nodes": ("10.1.2.3", ""),
    "secure_file_priv": ("/", "", "NULL"),
    "version": ("9.9.9", ""),
    "ob_query_timeout": (1,),
    "runtime_filter_type": ("", "IN"),
}
_TRIES_MAX = 5
_NEVER = frozenset(
    {
        "table_definition_cache",  # its own value is refused: it can not be put back
        # What a secret can not meet is said by name; tested by itself.
        "validate_password_length",
        "validate_password_mixed_case_count",
        "validate_password_number_count",
        "validate_password_special_char_count",
        # Without a plan cache an index is UNCHECKED, and says why.
        "ob_plan_cache_percentage",
        "ob_plan_cache_evict_high_percentage",
        "ob_plan_cache_evict_low_percentage",
    }
)
_TEXTS: Sequence[Value] = ("", "x", "ON", "OFF", "NONE", "it''s", "AUTO", "FORCE", "EXACT", "SIMILAR", "FULL")
_NUMBERS: Sequence[Value] = (0, 1, 2, 3, -1, 400, 1024, 2**31 - 1, 2**63 - 1, 2**64 - 1)


def variables(keeper: Session) -> list[Variable]:
    """Return every variable that has a global value, as the engine lists them, hidden ones too."""
    bounds = {
        str(row["name"]): (str(row["min_val"]), str(row["max_val"]))
        for row in keeper.columns("select name, min_val, max_val from oceanbase.__all_sys_variable")
    }
    charsets = [str(row[0]) for row in keeper.query("show character set")]
    collations = [str(row[0]) for row in keeper.query("show collation")]
    values: dict[str, Value] = {str(row[0]): str(row[1]) for row in keeper.query("show global variables")}
    listed = keeper.query("select variable_name from oceanbase.__all_virtual_sys_variable_default_value")
    for name in dict.fromkeys([*values, *(str(row[0]) for row in listed)]):
        try:
            value = keeper.query(f"select @@global.{name} limit 1")[0][0]
        except SqlError:
            continue  # no global value
        values[name] = value if isinstance(value, (int, str)) else int(value)  # a Decimal
    found = []
    for name, value in sorted(values.items()):
        tried: list[Value] = [int(bound) for bound in bounds.get(name, ()) if bound.lstrip("-").isdigit()]
        tried += _SPECIAL.get(name, ())
        if name.startswith("character_set"):
            tried += charsets
        if name.startswith(("collation", "default_collation")):
            tried += collations
        is_number = isinstance(value, int) or value.isdigit()
        tried += _NUMBERS if is_number else (*_TEXTS, *_NUMBERS[:4])
        found.append(Variable(name, value, tuple(one for one in dict.fromkeys(tried) if str(one) != str(value))))
    return found


def take_values(
    keeper: Session, all_of: Sequence[Variable], seed: int, *, but: frozenset[str] = _NEVER
) -> dict[str, Value]:
    """Set each variable to a hostile value the engine takes, of at most `_TRIES_MAX` drawn; return those that took one."""
    chance = random.Random(seed)
    taken: dict[str, Value] = {}
    for variable in all_of:
        if variable.name in but:
            continue
        for value in chance.sample(variable.candidates, min(len(variable.candidates), _TRIES_MAX)):
            if _is_taken(keeper, variable.name, value):
                taken[variable.name] = value
                break
    return taken


def _is_taken(keeper: Session, name: str, value: Value) -> bool:
    try:
        number = isinstance(value, str) and value.isdigit()  # some numbers are told as texts and not taken as such
        keeper.execute(f"set global {name} = %s", (int(value) if number else value,))
    except SqlError as error:
        if error.is_lost:
            raise
        return False
    return True


def put(keeper: Session, values: Mapping[str, Value]) -> None:
    """Set globals; what the engine refuses stays."""
    for name, value in values.items():
        _is_taken(keeper, name, value)


@contextlib.contextmanager
def hostile(keeper: Session, values: Mapping[str, Value], before: Mapping[str, Value]) -> Iterator[None]:
    """Set globals for the block."""
    put(keeper, values)
    try:
        yield
    finally:
        put(keeper, {name: before[name] for name in values})


def halved(keeper: Session, oracle: Oracle, values: Mapping[str, Value], before: Mapping[str, Value]) -> list[Trial]:
    """Return the smallest parts of `values` that change an answer, each alone; () if none does. Halves until one variable is left."""
    with hostile(keeper, values, before):
        oracle.put_right(keeper)
        trial = oracle.trial(values)
    if not trial.found:
        return []
    if len(values) == 1:
        return [trial]
    names = list(values)
    parts = (names[: len(names) // 2], names[len(names) // 2 :])
    found = [one for part in parts for one in halved(keeper, oracle, {name: values[name] for name in part}, before)]
    return found or [trial]
