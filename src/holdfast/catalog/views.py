"""The dictionary views: one table says what exists, and DDL, documentation and name lookup all follow from it.

A view of `VIEWS` appears in up to three places:

- for sys, in `oceanbase`: `CDB_OB_x` with the rows of all tenants, `DBA_OB_x` with those of tenant 1 (a view of scope
  SHARED has one form there, with all rows);
- for user tenant n, in schema `t<n>`: `DBA_OB_x` with its own rows. These run with their definer's rights, and user `hf_t<n>` may
  read that schema and nothing else: what keeps one tenant from another's rows is the engine's own check of grants.

Columns, their order and types are OceanBase V4.2.5's with the columns of V4.3; see the project's specification of views. Where pages
disagree:

- ARCHIVELOG_PIECE_FILES has CREATE_TIMESTAMP (microseconds since the epoch) and BASE_SCN, as the manual of V4.2.5
  prints them, although later definitions lack both: who selects by name is served either way.
- BACKUP_SET_FILES.BACKUP_TYPE is varchar(4): the manual prints varchar(1), which can not hold its own value FULL.
- RESTORE_PROGRESS.STATUS shows RESTORING for the states before POST_CHECK, as the manual's pages do; the source also
  hides POST_CHECK.
- BACKUP_STORAGE_INFO_HISTORY shows every destination ever set; BACKUP_STORAGE_INFO leaves out what DELETE BACKUP ALL
  gave up. Both have STATUS, which later manuals add.
- In an Oracle tenant BACKUP_STORAGE_INFO and its _HISTORY keep TENANT_ID, as the manual's pages for that mode do.
- BACKUP_DELETE_JOBS.PARAMETER is text, as later manuals have it: the statements that fill it with ids are theirs.
- Meta tenants do not exist, so DBA_OB_TENANTS shows none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from holdfast.values.tenant import SYS_TENANT_ID, CompatibilityMode


class Scope(Enum):
    """Where a view exists."""

    TENANTS = "CDB_OB_x and DBA_OB_x in sys, DBA_OB_x in a user tenant"
    SHARED = "one name: sys sees all rows, a user tenant its own; TENANT_ID is kept"
    SYS = "sys only"


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column as OceanBase prints it. `expression`: SQL over the view's source; empty for the column of that name.

    `own`: SQL over the view of sys for what a user tenant sees in its place; empty where it sees the same.
    """

    name: str
    type: str
    expression: str = ""
    own: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One dictionary view. `name` is without prefix for scope TENANTS, whole otherwise. `source`: SQL after FROM."""

    name: str
    scope: Scope
    columns: tuple[ViewColumn, ...]
    source: str
    about: str
    keeps_tenant_id_in_oracle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedView:
    """One view as a client names it: its place, its columns there, and the SELECT behind it."""

    schema: str
    name: str
    columns: tuple[ViewColumn, ...]
    select: str
    about: str


B = "bigint(20)"
BU = "bigint(20) unsigned"
TS = "timestamp(6)"
DT = "datetime(6)"
TEXT = "longtext"


def _v(size: int) -> str:
    return f"varchar({size})"


def _dec(precision: int, scale: int) -> str:
    return f"decimal({precision},{scale})"


def _columns(kind: str, names: str) -> tuple[ViewColumn, ...]:
    return tuple(ViewColumn(name, kind) for name in names.split())


def _one(name: str, kind: str, expression: str = "") -> tuple[ViewColumn, ...]:
    return (ViewColumn(name, kind, expression),)


def _moment(scn: str) -> str:
    # Whole microseconds first: FROM_UNIXTIME would round the nanoseconds up, and a displayed point would lie after
    # the SCN it stands for. The engine's own SCN_TO_TIMESTAMP does not follow the session's time zone.
    return f"CASE WHEN {scn} = 0 THEN NULL ELSE FROM_UNIXTIME(({scn} DIV 1000) * 0.000001) END"


def _scn(name: str, shown: str) -> tuple[ViewColumn, ...]:
    display = _moment(name) if shown == DT else f"CAST({_moment(name)} AS CHAR(26))"
    return (ViewColumn(name, BU), ViewColumn(f"{name}_DISPLAY", shown, display))


def _bytes(name: str, size: int) -> tuple[ViewColumn, ...]:
    cases = "".join(
        f" WHEN {name} >= {1 << shift} THEN CONCAT(ROUND({name} / {1 << shift}.000000, 2), '{unit}')"
        for unit, shift in (("PB", 50), ("TB", 40), ("GB", 30))
    )
    display = f"CAST(CASE{cases} ELSE CONCAT(ROUND({name} / {1 << 20}.000000, 2), 'MB') END AS CHAR({size}))"
    return (ViewColumn(name, B), ViewColumn(f"{name}_DISPLAY", _v(size), display))


def _ratio(precision: int) -> tuple[ViewColumn, ...]:
    kind = f"DECIMAL({precision}, 2)"
    value = f"CAST(CASE WHEN INPUT_BYTES = 0 THEN 0 ELSE ROUND(OUTPUT_BYTES / INPUT_BYTES, 2) END AS {kind})"
    return _one("COMPRESSION_RATIO", _dec(precision, 2), value)


def _progress(name: str, finished: str, total: str) -> tuple[ViewColumn, ...]:
    # 99.99 and not 100 when more than the estimate is done: it is not over before it is over.
    value = (
        f"CAST(CASE WHEN {total} = 0 THEN 0 WHEN {finished} > {total} THEN 99.99"
        f" ELSE ROUND({finished} / {total} * 100, 2) END AS DECIMAL(26, 2))"
    )
    return _one(name, _dec(26, 2), value)


_RATE = _one(
    "OUTPUT_RATE_BYTES",
    _dec(28, 4),
    "CAST(CASE WHEN END_TIMESTAMP IS NULL OR END_TIMESTAMP <= START_TIMESTAMP THEN 0 ELSE OUTPUT_BYTES"
    " / (TIMESTAMPDIFF(MICROSECOND, START_TIMESTAMP, END_TIMESTAMP) * 0.000001) END AS DECIMAL(28, 4))",
)
_TENANT_ID = _columns(B, "TENANT_ID")
_TIMES = _columns(TS, "START_TIMESTAMP END_TIMESTAMP")

_JOB_COLUMNS = (
    *_columns(B, "TENANT_ID JOB_ID INCARNATION BACKUP_SET_ID INITIATOR_TENANT_ID INITIATOR_JOB_ID"),
    *_columns(_v(65536), "EXECUTOR_TENANT_ID"),
    *_columns(_v(4096), "PLUS_ARCHIVELOG BACKUP_TYPE JOB_LEVEL ENCRYPTION_MODE PASSWD"),
    *_TIMES,
    *_columns(_v(4096), "STATUS"),
    *_columns(B, "RESULT"),
    *_columns(_v(4096), "COMMENT DESCRIPTION PATH"),
)
_TASK_HISTORY_COLUMNS = (
    *_columns(B, "TENANT_ID TASK_ID JOB_ID INCARNATION BACKUP_SET_ID"),
    *_TIMES,
    *_columns(_v(4096), "STATUS"),
    *_columns(BU, "START_SCN END_SCN USER_LS_START_SCN"),
    *_columns(_v(4096), "ENCRYPTION_MODE PASSWD"),
    *_columns(B, "INPUT_BYTES OUTPUT_BYTES"),
    *_RATE,
    *_columns(B, "EXTRA_META_BYTES TABLET_COUNT FINISH_TABLET_COUNT MACRO_BLOCK_COUNT FINISH_MACRO_BLOCK_COUNT"),
    *_columns(B, "FILE_COUNT META_TURN_ID DATA_TURN_ID RESULT"),
    *_columns(_v(4096), "COMMENT PATH"),
    *_columns(B, "MINOR_TURN_ID MAJOR_TURN_ID"),
)
_TASK_COLUMNS = (
    *_TASK_HISTORY_COLUMNS,
    *_progress("DATA_PROGRESS", "FINISH_MACRO_BLOCK_COUNT", "MACRO_BLOCK_COUNT"),
    *_columns(B, "LOG_FILE_COUNT FINISH_LOG_FILE_COUNT"),
    *_progress("LOG_PROGRESS", "FINISH_LOG_FILE_COUNT", "LOG_FILE_COUNT"),
)
_SET_COLUMNS = (
    *_columns(B, "TENANT_ID BACKUP_SET_ID DEST_ID INCARNATION"),
    *_columns(_v(4), "BACKUP_TYPE"),
    *_columns(B, "PREV_FULL_BACKUP_SET_ID PREV_INC_BACKUP_SET_ID"),
    *_columns(TS, "START_TIMESTAMP"),
    *_one("END_TIMESTAMP", _v(26), "CAST(END_TIMESTAMP AS CHAR(26))"),
    *_columns(_v(64), "STATUS FILE_STATUS"),
    *_one(
        "ELAPSED_SECONDES",
        _dec(22, 0),
        "CAST(CASE WHEN END_TIMESTAMP IS NULL THEN 0 ELSE"
        " ROUND(TIMESTAMPDIFF(MICROSECOND, START_TIMESTAMP, END_TIMESTAMP) / 1000000) END AS DECIMAL(22, 0))",
    ),
    *_columns(_v(4096), "PLUS_ARCHIVELOG"),
    *_scn("START_REPLAY_SCN", _v(26)),
    *_scn("MIN_RESTORE_SCN", _v(26)),
    *_columns(B, "INPUT_BYTES OUTPUT_BYTES"),
    *_RATE,
    *_columns(B, "EXTRA_META_BYTES TABLET_COUNT FINISH_TABLET_COUNT MACRO_BLOCK_COUNT FINISH_MACRO_BLOCK_COUNT"),
    *_columns(B, "FILE_COUNT META_TURN_ID DATA_TURN_ID RESULT"),
    *_columns(_v(4096), "COMMENT"),
    *_columns(_v(64), "ENCRYPTION_MODE"),
    *_columns(_v(128), "PASSWD"),
    *_columns(_v(4096), "TENANT_COMPATIBLE"),
    *_columns(B, "BACKUP_COMPATIBLE"),
    *_columns(_v(4096), "PATH CLUSTER_VERSION"),
    *_columns(BU, "CONSISTENT_SCN"),
    *_columns(B, "MINOR_TURN_ID MAJOR_TURN_ID"),
)
_STORAGE_COLUMNS = (
    *_TENANT_ID,
    *_columns(_v(1024), "PATH"),
    *_columns(_v(256), "ENDPOINT"),
    *_columns(B, "DEST_ID"),
    *_columns(_v(64), "DEST_TYPE"),
    *_columns(_v(1024), "AUTHORIZATION"),
    *_columns(_v(512), "EXTENSION"),
    *_columns(_v(256), "CHECK_FILE_NAME"),
    *_columns(TS, "LAST_CHECK_TIMESTAMP"),
    *_one(
        "STATUS",
        _v(64),
        "CAST(COALESCE((SELECT x.status FROM __holdfast.destination_deletion x WHERE x.tenant_id = d.tenant_id"
        " AND x.dest_id = d.dest_id), 'NORMAL') AS CHAR(64))",
    ),
)
_DELETE_JOB_COLUMNS = (
    *_columns(B, "TENANT_ID JOB_ID INCARNATION INITIATOR_TENANT_ID INITIATOR_JOB_ID"),
    *_columns(_v(65536), "EXECUTOR_TENANT_ID"),
    *_columns(_v(64), "TYPE"),
    *_one(
        "PARAMETER",
        _v(512),
        "CAST(CASE WHEN EXPIRED_TIME IS NULL THEN PARAMETER ELSE"
        " CONCAT('expired_time:', CAST(EXPIRED_TIME AS CHAR(26))) END AS CHAR(512))",
    ),
    *_columns(_v(64), "JOB_LEVEL"),
    *_TIMES,
    *_columns(_v(64), "STATUS"),
    *_columns(B, "TASK_COUNT SUCCESS_TASK_COUNT RESULT"),
    *_columns(_v(4096), "COMMENT"),
)
_DELETE_TASK_COLUMNS = (
    *_columns(B, "TENANT_ID TASK_ID INCARNATION JOB_ID"),
    *_columns(_v(64), "TASK_TYPE"),
    *_columns(B, "ID ROUND_ID DEST_ID"),
    *_TIMES,
    *_columns(_v(64), "STATUS"),
    *_columns(B, "TOTAL_LS_COUNT FINISH_LS_COUNT TOTAL_BYTES DELETE_BYTES TOTAL_FILES_COUNT DELETE_FILES_COUNT RESULT"),
    *_columns(_v(4096), "COMMENT"),
    *_columns(_v(1024), "PATH"),
)


def _of_scheduled_job(column: str) -> str:
    """Return SQL for a column of the job that a schedule began last: a backup's, or a drill's, which is a validation's."""
    of_job = "j.tenant_id = s.tenant_id AND j.job_id = s.last_job_id AND s.last_job_id > 0"
    return (
        f"CASE WHEN s.schedule_type = 'DRILL' THEN (SELECT j.{column} FROM __holdfast.validate_job j WHERE {of_job})"
        f" ELSE (SELECT j.{column} FROM __holdfast.backup_job j WHERE {of_job}) END"
    )


_SCHEDULE_COLUMNS = (
    *_TENANT_ID,
    *_columns(_v(64), "SCHEDULE_TYPE"),
    *_columns(_v(1024), "SCHEDULE"),
    *_columns(_v(64), "TIME_ZONE"),
    *_columns(TS, "NEXT_TIMESTAMP LAST_DUE_TIMESTAMP LAST_BEGIN_TIMESTAMP"),
    *_columns(B, "LAST_JOB_ID"),
    *_one(
        "LAST_STATUS",
        _v(64),
        f"CAST(COALESCE({_of_scheduled_job('status')}, CASE WHEN LAST_DUE_TIMESTAMP IS NULL THEN ''"
        " WHEN LAST_RESULT <> 0 THEN 'REFUSED' ELSE 'UNKNOWN' END) AS CHAR(64))",
    ),
    *_one("LAST_RESULT", B, f"COALESCE({_of_scheduled_job('result')}, LAST_RESULT)"),
    # What the schedule says (a wait, what one run makes up for, why it was refused), then the job.
    *_one(
        "LAST_COMMENT",
        _v(4096),
        f"LEFT(CONCAT_WS('; ', NULLIF(LAST_COMMENT, ''), NULLIF({_of_scheduled_job('comment')}, '')), 4096)",
    ),
)


def _proven(level: str) -> tuple[ViewColumn, ...]:
    last = (
        "(SELECT MAX(v.end_timestamp) FROM __holdfast.validate_task v WHERE v.tenant_id = s.tenant_id AND v.id = s.backup_set_id"
        f" AND v.dest_id = s.dest_id AND v.task_type = 'BACKUPSET' AND v.validate_level = '{level}' AND v.status = 'COMPLETED')"
    )
    return _one(f"LAST_{level.upper()}_TIMESTAMP", TS, last)


_OPEN_DAMAGE_COUNT = (
    "(SELECT COUNT(*) FROM __holdfast.backup_damage d WHERE d.tenant_id = s.tenant_id AND d.dest_id = s.dest_id"
    " AND d.object_type = 'BACKUPSET' AND d.object_id = s.backup_set_id AND d.status = 'OPEN')"
)
# A proof is the newest word on a set: one that failed since, at whatever level, or damage that is open takes it back. One that lies
# ahead is of a clock that was put right since: its age is not known, so it is none. In a view the engine's clock has whole seconds,
# whatever is written there (measured): a second may lack.
_PROOF_AGE_SECONDS = (
    f"CASE WHEN {_OPEN_DAMAGE_COUNT} > 0 THEN NULL ELSE"
    " (SELECT TIMESTAMPDIFF(SECOND, MAX(v.end_timestamp), CURRENT_TIMESTAMP) FROM __holdfast.validate_task v"
    " WHERE v.tenant_id = s.tenant_id AND v.id = s.backup_set_id AND v.dest_id = s.dest_id"
    " AND v.task_type = 'BACKUPSET' AND v.validate_level IN ('physical', 'restore') AND v.status = 'COMPLETED'"
    " AND TIMESTAMPDIFF(SECOND, v.end_timestamp, CURRENT_TIMESTAMP) >= 0"
    " AND NOT EXISTS (SELECT 1 FROM __holdfast.validate_task f WHERE f.tenant_id = v.tenant_id AND f.id = v.id"
    " AND f.dest_id = v.dest_id AND f.task_type = 'BACKUPSET' AND f.status = 'FAILED' AND f.task_id > v.task_id)) END"
)
_SET_PROOF_COLUMNS = (
    *_columns(B, "TENANT_ID BACKUP_SET_ID DEST_ID"),
    *_columns(_v(64), "FILE_STATUS"),
    *_proven("basic"),
    *_proven("physical"),
    *_proven("restore"),
    *_one("PROOF_AGE_SECONDS", B, _PROOF_AGE_SECONDS),
    *_one("OPEN_DAMAGE_COUNT", B, _OPEN_DAMAGE_COUNT),
    *_columns(_v(4096), "PATH"),
)
_VALIDATE_JOB_COLUMNS = (
    *_columns(B, "TENANT_ID JOB_ID INCARNATION INITIATOR_TENANT_ID INITIATOR_JOB_ID"),
    *_columns(_v(65536), "EXECUTOR_TENANT_ID"),
    *_columns(_v(64), "TYPE"),
    *_columns(_v(1024), "PATH"),
    *_columns(_v(64), "PATH_TYPE"),
    *_columns(_v(512), "ID"),
    *_columns(_v(64), "VALIDATE_LEVEL"),
    *_TIMES,
    *_columns(_v(64), "STATUS"),
    *_columns(B, "RETRY_COUNT TASK_COUNT SUCCESS_TASK_COUNT RESULT"),
    *_columns(_v(4096), "DESCRIPTION COMMENT"),
)
_VALIDATE_TASK_COLUMNS = (
    *_columns(B, "TENANT_ID TASK_ID INCARNATION JOB_ID"),
    *_columns(_v(64), "TASK_TYPE"),
    *_columns(B, "ID"),
    *_columns(_v(1024), "PATH"),
    *_columns(_v(64), "PATH_TYPE"),
    *_columns(B, "DEST_ID"),
    *_columns(_v(4096), "PLUS_ARCHIVELOG"),
    *_columns(B, "INITIATOR_TASK_ID"),
    *_columns(_v(64), "VALIDATE_LEVEL"),
    *_columns(B, "ROUND_ID"),
    *_TIMES,
    *_columns(_v(64), "STATUS"),
    *_columns(B, "TOTAL_LS_COUNT FINISH_LS_COUNT TOTAL_BYTES VALIDATED_BYTES RESULT"),
    *_columns(_v(4096), "COMMENT"),
)


def _round_columns(*, summary: bool) -> tuple[ViewColumn, ...]:
    size, precision = (27, 23) if summary else (28, 24)
    comment = _columns(_v(262144), "COMMENT")
    path = _columns(_v(2048), "PATH")
    return (
        *_columns(B, "TENANT_ID DEST_ID ROUND_ID INCARNATION DEST_NO"),
        *_columns(_v(64), "STATUS"),
        *_scn("START_SCN", DT),
        *_scn("CHECKPOINT_SCN", DT),
        *_columns(B, "COMPATIBLE BASE_PIECE_ID USED_PIECE_ID PIECE_SWITCH_INTERVAL UNIT_SIZE"),
        *_columns(_v(128), "COMPRESSION"),
        *_bytes("INPUT_BYTES", size),
        *_bytes("OUTPUT_BYTES", size),
        *_ratio(precision),
        *_bytes("DELETED_INPUT_BYTES", 27),
        *_bytes("DELETED_OUTPUT_BYTES", 27),
        *(path + comment if summary else comment + path),
    )


_PIECE_COLUMNS = (
    *_columns(B, "TENANT_ID DEST_ID ROUND_ID PIECE_ID INCARNATION DEST_NO CREATE_TIMESTAMP"),
    *_columns(_v(64), "STATUS"),
    *_columns(BU, "BASE_SCN"),
    *_scn("START_SCN", _v(26)),
    *_scn("CHECKPOINT_SCN", _v(26)),
    *_columns(BU, "MAX_SCN END_SCN"),
    *_columns(B, "COMPATIBLE UNIT_SIZE"),
    *_columns(_v(128), "COMPRESSION"),
    *_bytes("INPUT_BYTES", 27),
    *_bytes("OUTPUT_BYTES", 27),
    *_ratio(23),
    *_columns(_v(64), "FILE_STATUS"),
    *_columns(_v(2048), "PATH"),
    *_columns(_v(64), "ENCRYPTION_MODE"),
)


def _as_text(expression: str) -> str:
    # The engine gives a COALESCE the widest type of its arguments; a CAST can not name longtext.
    return f"COALESCE({expression}, BACKUP_DEST)"


_BEFORE_REPLAY = (
    "'CREATE_TENANT', 'WAIT_TENANT_RESTORE_FINISH', 'RESTORE_PRE', 'RESTORE_CREATE_INIT_LS',"
    " 'PHYSICAL_RESTORE_WAIT_RESTORE_TO_CONSISTENT_SCN'"
)
_PROGRESS_COLUMNS = (
    *_columns(B, "TENANT_ID JOB_ID"),
    *_one("RESTORE_TENANT_NAME", TEXT, _as_text("RESTORE_TENANT_NAME")),
    *_columns(B, "RESTORE_TENANT_ID"),
    *_one("BACKUP_TENANT_NAME", TEXT, _as_text("BACKUP_TENANT_NAME")),
    *_one("BACKUP_TENANT_ID", TEXT, _as_text("CAST(BACKUP_TENANT_ID AS CHAR(20))")),
    *_one("BACKUP_CLUSTER_NAME", TEXT, _as_text("BACKUP_CLUSTER_NAME")),
    *_columns(TEXT, "BACKUP_DEST"),
    *_one("RESTORE_OPTION", TEXT, _as_text("RESTORE_OPTION")),
    *_scn("RESTORE_SCN", _v(26)),
    *_one(
        "STATUS",
        TEXT,
        _as_text(
            "CASE WHEN STATUS IN ('RESTORE_PRE', 'RESTORE_CREATE_INIT_LS', 'RESTORE_WAIT_LS',"
            " 'PHYSICAL_RESTORE_WAIT_RESTORE_TO_CONSISTENT_SCN') THEN 'RESTORING' ELSE STATUS END"
        ),
    ),
    *_one("START_TIMESTAMP", _v(26), "CAST(START_TIMESTAMP AS CHAR(26))"),
    *_columns(TEXT, "BACKUP_SET_LIST BACKUP_PIECE_LIST"),
    *_scn("RECOVER_SCN", _v(26)),
    *_one(
        "RECOVER_PROGRESS",
        _dec(6, 2),
        f"CAST(CASE WHEN STATUS IN ({_BEFORE_REPLAY}) THEN 0"
        " WHEN RESTORE_SCN = CONSISTENT_SCN OR RECOVER_SCN >= RESTORE_SCN THEN 100"
        " WHEN RECOVER_SCN <= CONSISTENT_SCN THEN 0 ELSE"
        " TRUNCATE((RECOVER_SCN - CONSISTENT_SCN) / (RESTORE_SCN - CONSISTENT_SCN) * 100, 2) END AS DECIMAL(6, 2))",
    ),
    *_columns(B, "TABLET_COUNT FINISH_TABLET_COUNT"),
    *_one(
        "RESTORE_PROGRESS",
        _dec(6, 2),
        "CAST(CASE WHEN TOTAL_BYTES = 0 THEN 0 WHEN FINISH_BYTES >= TOTAL_BYTES THEN 99.99"
        " ELSE TRUNCATE(FINISH_BYTES / TOTAL_BYTES * 100, 2) END AS DECIMAL(6, 2))",
    ),
    *_bytes("TOTAL_BYTES", 27),
    *_bytes("FINISH_BYTES", 27),
    *_one("DESCRIPTION", TEXT, _as_text("DESCRIPTION")),
)
_RESTORE_HISTORY_COLUMNS = (
    *_columns(B, "TENANT_ID JOB_ID"),
    *_columns(_v(128), "RESTORE_TENANT_NAME"),
    *_columns(B, "RESTORE_TENANT_ID"),
    *_columns(_v(128), "BACKUP_TENANT_NAME"),
    *_columns(B, "BACKUP_TENANT_ID"),
    *_columns(_v(128), "BACKUP_CLUSTER_NAME"),
    *_columns(TEXT, "BACKUP_DEST"),
    *_scn("RESTORE_SCN", _v(26)),
    *_columns(_v(4096), "RESTORE_OPTION"),
    *_columns(TS, "START_TIMESTAMP FINISH_TIMESTAMP"),
    *_one("STATUS", _v(64), "CAST(CASE STATUS WHEN 'RESTORE_SUCCESS' THEN 'SUCCESS' ELSE 'FAILED' END AS CHAR(64))"),
    *_columns(TEXT, "BACKUP_PIECE_LIST BACKUP_SET_LIST"),
    *_columns(B, "BACKUP_CLUSTER_VERSION LS_COUNT FINISH_LS_COUNT TABLET_COUNT FINISH_TABLET_COUNT"),
    *_bytes("TOTAL_BYTES", 27),
    *_bytes("FINISH_BYTES", 27),
    *_columns(_v(1024), "DESCRIPTION COMMENT"),
)


def _user_only(name: str) -> str:
    return f"CASE WHEN TENANT_ID = {SYS_TENANT_ID} THEN NULL ELSE {name} END"


_TENANT_COLUMNS = (
    *_TENANT_ID,
    *_columns(_v(128), "TENANT_NAME"),
    *_one("TENANT_TYPE", _v(4), f"CAST(CASE TENANT_ID WHEN {SYS_TENANT_ID} THEN 'SYS' ELSE 'USER' END AS CHAR(4))"),
    *_columns(TS, "CREATE_TIME MODIFY_TIME"),
    *_columns(_v(128), "PRIMARY_ZONE"),
    *_columns(_v(4096), "LOCALITY PREVIOUS_LOCALITY"),
    *_columns(_v(6), "COMPATIBILITY_MODE"),
    *_columns(_v(64), "STATUS"),
    *_columns(_v(3), "IN_RECYCLEBIN LOCKED"),
    *_columns(_v(100), "TENANT_ROLE SWITCHOVER_STATUS"),
    *_columns(B, "SWITCHOVER_EPOCH"),
    *(
        ViewColumn(name, BU, _user_only(name))
        for name in ("SYNC_SCN", "REPLAYABLE_SCN", "READABLE_SCN", "RECOVERY_UNTIL_SCN")
    ),
    *_columns(_v(100), "LOG_MODE"),
    *_columns(_v(64), "ARBITRATION_SERVICE_STATUS"),
    *_columns(B, "UNIT_NUM"),
    *_columns(_v(65536), "COMPATIBLE"),
    *_columns(B, "MAX_LS_ID"),
)
_POOL_COLUMNS = (
    *_columns(B, "RESOURCE_POOL_ID"),
    *_columns(_v(128), "NAME"),
    *_columns(B, "TENANT_ID"),
    *_columns(TS, "CREATE_TIME MODIFY_TIME"),
    *_columns(B, "UNIT_COUNT UNIT_CONFIG_ID"),
    *_columns(_v(8192), "ZONE_LIST"),
    *_columns(_v(4), "REPLICA_TYPE"),
)
_UNIT_COLUMNS = (
    *_columns(B, "UNIT_CONFIG_ID"),
    *_columns(_v(128), "NAME"),
    *_columns(TS, "CREATE_TIME MODIFY_TIME"),
    *_columns("double", "MAX_CPU MIN_CPU"),
    *_columns(B, "MEMORY_SIZE LOG_DISK_SIZE MAX_IOPS MIN_IOPS IOPS_WEIGHT"),
)
_EVENT_COLUMNS = (
    *_columns(TS, "TIMESTAMP"),
    *_columns(_v(32), "MODULE EVENT"),
    *(
        ViewColumn(f"{kind}{number}", _v(256) if kind == "NAME" else TEXT)
        for number in range(1, 7)
        for kind in ("NAME", "VALUE")
    ),
    *_columns(_v(512), "EXTRA_INFO"),
)
_IS_DEFAULT = _one("ISDEFAULT", _v(3), "CAST(CASE ISDEFAULT WHEN 1 THEN 'YES' ELSE 'NO' END AS CHAR(3))")
# Of what root@sys has named of the host (a path, a variable, a program) the tenant is told the kind. NONE and password have no colon.
_OWN_VALUE = "CASE WHEN NAME = 'backup_encryption' THEN SUBSTRING_INDEX(VALUE, ':', 1) ELSE VALUE END"
_PARAMETER_COLUMNS = (
    *_columns(_v(46), "SVR_IP"),
    *_columns(B, "SVR_PORT"),
    *_columns(_v(128), "ZONE"),
    *_columns(_v(64), "SCOPE"),
    *_TENANT_ID,
    *_columns(_v(128), "NAME DATA_TYPE"),
    ViewColumn("VALUE", _v(65536), own=_OWN_VALUE),
    *_columns(_v(4096), "INFO"),
    *_columns(_v(128), "SECTION EDIT_LEVEL"),
    *_columns(_v(65536), "DEFAULT_VALUE"),
    *_IS_DEFAULT,
)
_SHOW_COLUMNS = (
    *_columns(B, "tenant_id"),
    *_columns(_v(128), "zone"),
    *_one("svr_type", _v(32), "CAST('observer' AS CHAR(32))"),
    *_columns(_v(46), "svr_ip"),
    *_columns(B, "svr_port"),
    *_columns(_v(128), "name data_type"),
    ViewColumn("value", _v(65536), own=_OWN_VALUE),
    *_columns(_v(4096), "info"),
    *_columns(_v(128), "section"),
    *_columns(_v(64), "scope"),
    *_columns(_v(128), "source edit_level"),
    *_columns(_v(65536), "default_value"),
    *_columns(B, "isdefault"),
    *_one("own_value", _v(65536), _OWN_VALUE),
)

_ACTIVE = "END_TIMESTAMP IS NULL"
_ENDED = "END_TIMESTAMP IS NOT NULL"


def _tenants(
    name: str, columns: Sequence[ViewColumn], source: str, about: str, *, keeps_tenant_id_in_oracle: bool = False
) -> View:
    return View(
        name=name,
        scope=Scope.TENANTS,
        columns=tuple(columns),
        source=source,
        about=about,
        keeps_tenant_id_in_oracle=keeps_tenant_id_in_oracle,
    )


_LISTS = "DB_LIST TABLE_LIST"
_REMAPS = "REMAP_DB_LIST REMAP_TABLE_LIST REMAP_TABLEGROUP_LIST REMAP_TABLESPACE_LIST"
_RECOVER_JOB_COLUMNS = (
    *_columns(B, "TENANT_ID JOB_ID INITIATOR_TENANT_ID INITIATOR_JOB_ID"),
    *_columns(TS, "START_TIMESTAMP FINISH_TIMESTAMP"),
    *_columns(_v(64), "STATUS AUX_TENANT_NAME TARGET_TENANT_NAME"),
    *_columns("tinyint(4)", "IMPORT_ALL"),
    *_columns(TEXT, _LISTS),
    *_scn("RESTORE_SCN", DT),
    *_columns(_v(4096), "RESTORE_OPTION BACKUP_DEST"),
    *_columns(TEXT, "BACKUP_SET_LIST BACKUP_PIECE_LIST"),
    *_columns(_v(4096), "BACKUP_PASSWD EXTERNAL_KMS_INFO"),
    *_columns(TEXT, _REMAPS),
    *_columns(_v(64), "RESULT"),
    *_columns(TEXT, "COMMENT DESCRIPTION"),
)
_IMPORT_JOB_COLUMNS = (
    *_columns(B, "TENANT_ID JOB_ID INITIATOR_TENANT_ID INITIATOR_JOB_ID"),
    *_columns(TS, "START_TIMESTAMP FINISH_TIMESTAMP"),
    *_columns(_v(64), "SRC_TENANT_NAME"),
    *_columns(B, "SRC_TENANT_ID"),
    *_columns(_v(64), "STATUS"),
    *_columns("tinyint(4)", "IMPORT_ALL"),
    *_columns(TEXT, f"{_LISTS} {_REMAPS}"),
    *_columns(B, "TOTAL_TABLE_COUNT FINISHED_TABLE_COUNT FAILED_TABLE_COUNT"),
    *_columns(_v(64), "RESULT"),
    *_columns(TEXT, "COMMENT DESCRIPTION"),
)


def _import_task_columns(task_id: tuple[ViewColumn, ...]) -> tuple[ViewColumn, ...]:
    return (
        *_columns(B, "TENANT_ID"),
        *task_id,
        *_columns(B, "JOB_ID SRC_TENANT_ID"),
        *_columns(_v(128), "SRC_TABLESPACE SRC_TABLEGROUP SRC_DATABASE SRC_TABLE"),
        *_columns(_v(64), "SRC_PARTITION"),
        *_columns(_v(128), "TARGET_TABLESPACE TARGET_TABLEGROUP TARGET_DATABASE TARGET_TABLE"),
        *_columns(B, "TABLE_COLUMN"),
        *_one("STATUS", _v(64), "CAST(CASE STATUS WHEN 'RENAMING' THEN 'DOING' ELSE STATUS END AS CHAR(64))"),
        *_columns(TS, "START_TIMESTAMP COMPLETION_TIMESTAMP"),
        *_one(
            "CUMULATIVE_TS",
            B,
            "CAST(IFNULL(TIMESTAMPDIFF(MICROSECOND, START_TIMESTAMP, COMPLETION_TIMESTAMP), 0) AS SIGNED)",
        ),
        *_columns(
            B,
            " ".join(
                f"{state}_{kind}_COUNT"
                for kind in ("INDEX", "CONSTRAINT", "REF_CONSTRAINT")
                for state in ("TOTAL", "IMPORTED", "FAILED")
            ),
        ),
        *_columns(_v(64), "RESULT"),
        *_columns(TEXT, "COMMENT"),
    )


_FINISHED = "FINISH_TIMESTAMP IS NOT NULL"
VIEWS: tuple[View, ...] = (
    _tenants("BACKUP_JOBS", _JOB_COLUMNS, f"__holdfast.backup_job WHERE {_ACTIVE}", "backup jobs under way"),
    _tenants("BACKUP_JOB_HISTORY", _JOB_COLUMNS, f"__holdfast.backup_job WHERE {_ENDED}", "backup jobs that ended"),
    _tenants(
        "BACKUP_TASKS", _TASK_COLUMNS, f"__holdfast.backup_task WHERE {_ACTIVE}", "the tasks of active backup jobs"
    ),
    _tenants(
        "BACKUP_TASK_HISTORY",
        _TASK_HISTORY_COLUMNS,
        f"__holdfast.backup_task WHERE {_ENDED}",
        "backup tasks that ended",
    ),
    _tenants(
        "BACKUP_SET_FILES", _SET_COLUMNS, "__holdfast.backup_set", "backup sets, failed and deleted ones included"
    ),
    _tenants(
        "BACKUP_PARAMETER",
        (*_TENANT_ID, *_columns(_v(1024), "NAME"), *_columns(TEXT, "VALUE")),
        "__holdfast.backup_parameter",
        "DATA_BACKUP_DEST of each tenant that has one",
    ),
    _tenants(
        "ARCHIVE_DEST",
        (*_columns(B, "TENANT_ID DEST_NO"), *_columns(_v(1024), "NAME"), *_columns(_v(4096), "VALUE")),
        "__holdfast.archive_dest",
        "LOG_ARCHIVE_DEST of each tenant that has one, a row per item",
    ),
    _tenants(
        "LOG_RESTORE_SOURCE",
        (
            *_columns(B, "TENANT_ID ID"),
            *_columns(_v(32), "TYPE"),
            *_columns(TEXT, "VALUE"),
            *_columns(BU, "RECOVERY_UNTIL_SCN"),
            *_columns(_v(64), "SYNC_STATUS"),
            *_columns(_v(4096), "COMMENT"),
            *_columns(TS, "HOLD_END_TIMESTAMP"),
        ),
        "(SELECT s.tenant_id, s.id, s.type, s.value, t.recovery_until_scn, s.sync_status, s.comment, s.hold_end_timestamp"
        " FROM __holdfast.log_restore_source s"
        " JOIN __holdfast.tenant t ON t.tenant_id = s.tenant_id) source",
        "where a standby's log comes from; SYNC_STATUS and behind it are ours: what keeps the standby from following, and until when"
        " pieces it has not taken in are kept for it",
    ),
    _tenants(
        "ARCHIVELOG",
        _round_columns(summary=False),
        "__holdfast.archive_round WHERE STATUS <> 'STOP'",
        "the current archive round",
    ),
    _tenants("ARCHIVELOG_SUMMARY", _round_columns(summary=True), "__holdfast.archive_round", "all archive rounds"),
    _tenants("ARCHIVELOG_PIECE_FILES", _PIECE_COLUMNS, "__holdfast.archive_piece", "the pieces of all rounds"),
    _tenants(
        "RESTORE_PROGRESS",
        _PROGRESS_COLUMNS,
        "__holdfast.restore_job WHERE FINISH_TIMESTAMP IS NULL",
        "restores under way",
    ),
    _tenants(
        "RESTORE_HISTORY",
        _RESTORE_HISTORY_COLUMNS,
        "__holdfast.restore_job WHERE FINISH_TIMESTAMP IS NOT NULL",
        "restores that ended",
    ),
    _tenants(
        "BACKUP_STORAGE_INFO",
        _STORAGE_COLUMNS,
        "__holdfast.destination d WHERE IS_USED = 1 AND NOT EXISTS (SELECT 1 FROM __holdfast.destination_deletion x"
        " WHERE x.tenant_id = d.tenant_id AND x.dest_id = d.dest_id AND x.status = 'DELETED')",
        "every destination ever set and not given up by DELETE BACKUP ALL",
        keeps_tenant_id_in_oracle=True,
    ),
    _tenants(
        "BACKUP_STORAGE_INFO_HISTORY",
        _STORAGE_COLUMNS,
        "__holdfast.destination d WHERE IS_USED = 1",
        "every destination ever set",
        keeps_tenant_id_in_oracle=True,
    ),
    _tenants(
        "BACKUP_DELETE_POLICY",
        (*_TENANT_ID, *_columns(_v(256), "POLICY_NAME"), *_columns(_v(64), "RECOVERY_WINDOW")),
        "__holdfast.delete_policy",
        "the cleanup policy of each tenant that has one",
    ),
    _tenants(
        "BACKUP_DELETE_JOBS",
        _DELETE_JOB_COLUMNS,
        f"__holdfast.delete_job WHERE {_ACTIVE}",
        "deletions under way or waiting",
    ),
    _tenants(
        "BACKUP_DELETE_JOB_HISTORY",
        _DELETE_JOB_COLUMNS,
        f"__holdfast.delete_job WHERE {_ENDED}",
        "deletions that ended",
    ),
    _tenants(
        "BACKUP_DELETE_TASKS",
        _DELETE_TASK_COLUMNS,
        f"__holdfast.delete_task WHERE {_ACTIVE}",
        "the tasks of active deletions",
    ),
    _tenants(
        "BACKUP_DELETE_TASK_HISTORY",
        _DELETE_TASK_COLUMNS,
        f"__holdfast.delete_task WHERE {_ENDED}",
        "deletion tasks that ended",
    ),
    _tenants(
        "BACKUP_SCHEDULES",
        _SCHEDULE_COLUMNS,
        "__holdfast.backup_schedule s",
        "backups and drills that begin by themselves, when, and how the last one ended (Holdfast's own view)",
    ),
    _tenants(
        "BACKUP_VALIDATE_JOBS",
        _VALIDATE_JOB_COLUMNS,
        f"__holdfast.validate_job WHERE {_ACTIVE}",
        "validations under way or waiting",
    ),
    _tenants(
        "BACKUP_VALIDATE_JOB_HISTORY",
        _VALIDATE_JOB_COLUMNS,
        f"__holdfast.validate_job WHERE {_ENDED}",
        "validations that ended",
    ),
    _tenants(
        "BACKUP_VALIDATE_TASKS",
        _VALIDATE_TASK_COLUMNS,
        f"__holdfast.validate_task WHERE {_ACTIVE}",
        "the tasks of active validations",
    ),
    _tenants(
        "BACKUP_VALIDATE_TASK_HISTORY",
        _VALIDATE_TASK_COLUMNS,
        f"__holdfast.validate_task WHERE {_ENDED}",
        "validation tasks that ended",
    ),
    _tenants(
        "BACKUP_SET_PROOFS",
        _SET_PROOF_COLUMNS,
        "__holdfast.backup_set s WHERE STATUS = 'SUCCESS' AND FILE_STATUS <> 'DELETED'",
        "when each set was last proven good, at which level, and how much damage is open (Holdfast's own view)",
    ),
    _tenants(
        "RESTORE_DRILLS",
        (
            *_columns(B, "TENANT_ID DRILL_ID JOB_ID TASK_ID BACKUP_SET_ID"),
            *_columns(TEXT, "BACKUP_SET_LIST"),
            *_scn("FIRST_SCN", _v(26)),
            *_scn("LAST_SCN", _v(26)),
            *_scn("RESTORE_SCN", _v(26)),
            *_columns(_v(128), "AUX_TENANT_NAME"),
            *_columns(_v(64), "STATUS RESULT"),
            *_columns(TS, "START_TIMESTAMP RESTORED_TIMESTAMP FINISH_TIMESTAMP"),
            *_columns(
                B, "RESTORED_BYTES TABLE_COUNT INDEX_COUNT ASSERTION_COUNT ROW_COUNT FAILED_COUNT UNCHECKED_COUNT"
            ),
            *_columns(_v(64), "RESULT_DIGEST"),
            *_columns(TEXT, "RESTORE_FROM COMMENT"),
        ),
        "__holdfast.restore_drill",
        "restores that VALIDATE ... LEVEL = 'restore' made to prove that they can be made, and what they found (Holdfast's own view)",
    ),
    _tenants(
        "RESTORE_DRILL_CHECKS",
        (
            *_columns(B, "TENANT_ID DRILL_ID CHECK_ID"),
            *_columns(_v(64), "CHECK_TYPE"),
            *_columns(_v(128), "DATABASE_NAME TABLE_NAME"),
            *_columns(TEXT, "CHECK_NAME"),
            *_columns(_v(64), "RESULT"),
            *_columns(B, "ROW_COUNT"),
            *_columns(_v(64), "CHECKSUM"),
            *_columns(B, "ELAPSED_US"),
            *_columns(TEXT, "COMMENT"),
        ),
        "__holdfast.restore_drill_check",
        "the single checks of the last ten drills of each tenant (Holdfast's own view)",
    ),
    _tenants(
        "BACKUP_DAMAGES",
        (
            *_columns(B, "TENANT_ID DAMAGE_ID DEST_ID"),
            *_columns(_v(64), "OBJECT_TYPE"),
            *_columns(B, "OBJECT_ID ROUND_ID"),
            *_columns(_v(1024), "OBJECT_NAME"),
            *_columns(B, "OBJECT_OFFSET BLOCK_ID TABLET_ID"),
            *_columns(_v(64), "VALIDATE_LEVEL STATUS"),
            *_columns(TS, "FOUND_TIMESTAMP CLEARED_TIMESTAMP"),
            *_columns(B, "JOB_ID TASK_ID"),
            *_columns(_v(4096), "COMMENT"),
        ),
        "__holdfast.backup_damage",
        "damage validation found, and when it was proven good again or deleted (Holdfast's own view)",
    ),
    _tenants(
        "BACKUP_PINS",
        (
            *_columns(B, "TENANT_ID BACKUP_SET_ID"),
            *_columns(_v(4096), "NOTE"),
            *_columns(TS, "PIN_TIMESTAMP"),
        ),
        "__holdfast.pin",
        "sets kept for ever (Holdfast's own view)",
    ),
    _tenants(
        "QUICK_TENANTS",
        (
            *_columns(B, "TENANT_ID"),
            *_columns(_v(128), "TENANT_NAME"),
            *_columns(_v(64), "STATUS"),
            *_columns(B, "TOTAL_BYTES FINISH_BYTES"),
            *_one(
                "PROGRESS",
                _dec(6, 2),
                "CAST(CASE WHEN TOTAL_BYTES = 0 OR FINISH_BYTES >= TOTAL_BYTES THEN 100"
                " ELSE TRUNCATE(FINISH_BYTES / TOTAL_BYTES * 100, 2) END AS DECIMAL(6, 2))",
            ),
            *_columns(TS, "START_TIMESTAMP FINISH_TIMESTAMP DROP_TIMESTAMP"),
            *_columns(TEXT, "BACKUP_DEST"),
            *_columns(_v(1024), "COMMENT"),
        ),
        "__holdfast.quick_tenant",
        "tenants restored with method=quick or ttl: which blocks have arrived, when they go (Holdfast's own view)",
    ),
    _tenants(
        "RECOVER_TABLE_JOBS",
        _RECOVER_JOB_COLUMNS,
        "__holdfast.recover_table_job WHERE FINISH_TIMESTAMP IS NULL",
        "table recoveries under way",
    ),
    _tenants(
        "RECOVER_TABLE_JOB_HISTORY",
        _RECOVER_JOB_COLUMNS,
        f"__holdfast.recover_table_job WHERE {_FINISHED}",
        "table recoveries that ended",
    ),
    _tenants(
        "IMPORT_TABLE_JOBS",
        _IMPORT_JOB_COLUMNS,
        "__holdfast.import_table_job WHERE FINISH_TIMESTAMP IS NULL",
        "imports of recovered tables under way",
    ),
    _tenants(
        "IMPORT_TABLE_JOB_HISTORY",
        _IMPORT_JOB_COLUMNS,
        f"__holdfast.import_table_job WHERE {_FINISHED}",
        "imports of recovered tables that ended",
    ),
    _tenants(
        "IMPORT_TABLE_TASKS",
        _import_task_columns(_columns(B, "TASK_ID")),
        "__holdfast.import_table_task WHERE COMPLETION_TIMESTAMP IS NULL",
        "tables being imported",
    ),
    _tenants(
        "IMPORT_TABLE_TASK_HISTORY",
        _import_task_columns(_one("TASK_ID", _v(4096), "TASK_TEXT")),
        "__holdfast.import_table_task WHERE COMPLETION_TIMESTAMP IS NOT NULL",
        "tables that were imported",
    ),
    _tenants(
        "RECOVER_TABLE_PREVIEWS",
        (
            *_columns(B, "TENANT_ID JOB_ID"),
            *_columns(_v(128), "DATABASE_NAME TABLE_NAME"),
            *_columns(_v(64), "STATUS"),
            *_columns(B, "ROWS_ONLY_IN_BACKUP ROWS_ONLY_LIVE ROWS_CHANGED"),
            *_columns(TEXT, "COMMENT"),
        ),
        "__holdfast.recover_table_preview",
        "how tables in a backup differ from the live ones: what RECOVER TABLE ... PREVIEW found (Holdfast's own view)",
    ),
    _tenants(
        "RESTORABLE_WINDOWS",
        (
            *_columns(B, "TENANT_ID SPAN_ID"),
            *_columns(_v(16), "STATUS"),
            *_scn("START_SCN", _v(26)),
            *_scn("END_SCN", _v(26)),
            *_columns(TEXT, "BACKUP_SET_IDS RESTORE_FROM CAUSE REMEDY"),
            *_columns(_v(128), "TENANT_NAME"),
        ),
        "__holdfast.restorable_window",
        "which moments can be restored, and why the others can not (Holdfast's own view)",
    ),
    _tenants(
        "TENANT_HEALTH",
        (
            *_columns(B, "TENANT_ID"),
            *_columns(_v(64), "ENGINE_STATUS"),
            *_columns(_v(4096), "ENGINE_COMMENT"),
            *_columns(B, "SPOOL_BYTES"),
            *_columns(_v(4096), "SPOOL_COMMENT"),
            *_columns(_v(3), "WRITES_STALLED"),
            *_columns(_v(4096), "DESTINATION_COMMENT KEY_COMMENT ROOTS_COMMENT"),
        ),
        "__holdfast.tenant_health",
        "whether each tenant's engine answers, how much log is held for its destination, why the server must not write there, why its"
        " backup key is not at hand, and which destinations lie outside the destination roots"
        " (Holdfast's own view)",
    ),
    View(
        name="DBA_OB_TENANTS",
        scope=Scope.SHARED,
        columns=_TENANT_COLUMNS,
        source="__holdfast.tenant",
        about="tenants, their state, role and log mode",
    ),
    View(
        name="GV$OB_PARAMETERS",
        scope=Scope.SHARED,
        columns=_PARAMETER_COLUMNS,
        source="__holdfast.all_parameters",
        about="parameters of Holdfast and of the engines",
    ),
    View(
        name="V$OB_PARAMETERS",
        scope=Scope.SHARED,
        columns=_PARAMETER_COLUMNS,
        source="__holdfast.all_parameters",
        about="as GV$OB_PARAMETERS; there is one server",
    ),
    View(
        name="SHOW_PARAMETERS",
        scope=Scope.SHARED,
        columns=_SHOW_COLUMNS,
        source="__holdfast.all_parameters",
        about="what SHOW PARAMETERS prints, TENANT_ID before it, and behind it the value that a user tenant is shown",
    ),
    View(
        name="DBA_OB_RESOURCE_POOLS",
        scope=Scope.SYS,
        columns=_POOL_COLUMNS,
        source="__holdfast.resource_pool",
        about="resource pools and the tenants that have them",
    ),
    View(
        name="DBA_OB_UNIT_CONFIGS",
        scope=Scope.SYS,
        columns=_UNIT_COLUMNS,
        source="__holdfast.resource_unit",
        about="resource units",
    ),
    View(
        name="DBA_OB_ROOTSERVICE_EVENT_HISTORY",
        scope=Scope.SYS,
        columns=_EVENT_COLUMNS,
        source="__holdfast.event",
        about="what happened, newest last",
    ),
)

_SYS_HOME = "oceanbase"
_OUTSIDE_OCEANBASE = {"V$OB_PARAMETERS", "SHOW_PARAMETERS"}
"""Views of sys that lie in `__holdfast`: the engine has a V$OB_PARAMETERS of its own and refuses to replace it (-4179, measured on
1.4.0), and SHOW_PARAMETERS is no name of OceanBase's."""

# Ours and the engine's together; a name of ours hides the engine's, which is another thing with the same name.
ALL_PARAMETERS = """CREATE OR REPLACE VIEW __holdfast.all_parameters AS
SELECT t.tenant_id, s.zone, s.svr_ip, s.svr_port, d.name, d.data_type,
  COALESCE(p.value, d.default_value) AS value, d.info, d.section,
  CAST(CASE d.section WHEN 'CLUSTER' THEN 'CLUSTER' ELSE 'TENANT' END AS CHAR(64)) AS scope,
  CAST('DEFAULT' AS CHAR(128)) AS source, d.edit_level, d.default_value,
  CAST(CASE WHEN COALESCE(p.value, d.default_value) = d.default_value THEN 1 ELSE 0 END AS SIGNED) AS isdefault
FROM __holdfast.tenant t JOIN __holdfast.server s ON s.id = 1 JOIN __holdfast.parameter_definition d
    ON d.section <> 'CLUSTER' OR t.tenant_id = 1
  LEFT JOIN __holdfast.parameter p ON p.tenant_id = t.tenant_id AND p.name = d.name
UNION ALL
SELECT e.tenant_id, s.zone, s.svr_ip, s.svr_port, e.name, e.data_type, e.value, e.info, e.section, e.scope,
  e.source, e.edit_level, e.default_value, e.isdefault
FROM __holdfast.engine_parameter e JOIN __holdfast.server s ON s.id = 1
WHERE NOT EXISTS (SELECT 1 FROM __holdfast.parameter_definition d WHERE d.name = e.name)"""


def _placed(home: str, name: str, view: View, columns: tuple[ViewColumn, ...], select: str) -> PlacedView:
    return PlacedView(schema=home, name=name, columns=columns, select=select, about=view.about)


def _own_columns(view: View) -> tuple[ViewColumn, ...]:
    return tuple(column for column in view.columns if column.name != "TENANT_ID")


def _selected(view: View) -> str:
    return ", ".join(f"{column.expression or f'`{column.name}`'} AS `{column.name}`" for column in view.columns)


def _names(columns: Iterable[ViewColumn]) -> str:
    return ", ".join(f"`{column.name}`" for column in columns)


def sys_views() -> tuple[PlacedView, ...]:
    """Return every view sys has, each after those it is made from."""
    placed: list[PlacedView] = []
    for view in VIEWS:
        if view.scope is Scope.TENANTS:
            listed = _selected(view)
            cdb = f"CDB_OB_{view.name}"
            placed.append(_placed(_SYS_HOME, cdb, view, view.columns, f"SELECT {listed} FROM {view.source}"))
            own = _own_columns(view)
            select = f"SELECT {_names(own)} FROM {_SYS_HOME}.{cdb} WHERE TENANT_ID = {SYS_TENANT_ID}"
            placed.append(_placed(_SYS_HOME, f"DBA_OB_{view.name}", view, own, select))
        else:
            listed = _selected(view)
            home = "__holdfast" if view.name in _OUTSIDE_OCEANBASE else _SYS_HOME
            placed.append(_placed(home, view.name, view, view.columns, f"SELECT {listed} FROM {view.source}"))
    return tuple(placed)


def tenant_views(tenant_id: int, mode: CompatibilityMode = CompatibilityMode.MYSQL) -> tuple[PlacedView, ...]:
    """Return every view of a user tenant's schema. Types are the same in both modes: the engine has no others."""
    home = tenant_schema(tenant_id)
    placed: list[PlacedView] = []
    for view in VIEWS:
        if view.scope is Scope.SYS:
            continue
        keeps = mode is CompatibilityMode.ORACLE and view.keeps_tenant_id_in_oracle
        columns = _own_columns(view) if view.scope is Scope.TENANTS and not keeps else view.columns
        if view.scope is Scope.TENANTS:
            name, origin = f"DBA_OB_{view.name}", f"{_SYS_HOME}.CDB_OB_{view.name}"
        else:
            name = view.name
            origin = f"{'__holdfast' if name in _OUTSIDE_OCEANBASE else _SYS_HOME}.`{name}`"
        listed = ", ".join(f"{column.own or f'`{column.name}`'} AS `{column.name}`" for column in columns)
        select = f"SELECT {listed} FROM {origin} WHERE TENANT_ID = {int(tenant_id)}"
        placed.append(_placed(home, name, view, columns, select))
    return tuple(placed)


def tenant_schema(tenant_id: int) -> str:
    """Return the schema of a user tenant's views: `t1002`."""
    return f"t{int(tenant_id)}"


def tenant_user(tenant_id: int) -> str:
    """Return the user that reads a tenant's views and nothing else: `hf_t1002`."""
    return f"hf_t{int(tenant_id)}"


TENANT_VIEW_NAMES = frozenset(view.name for view in tenant_views(0))
"""The names, upper case, that the gateway sends to a user tenant's view schema."""
SYS_VIEW_SCHEMAS: dict[str, str] = {view.name: view.schema for view in sys_views()}
"""Where each view of sys lies, by upper-case name. Only those outside `oceanbase` need any help to be found."""


def render_markdown() -> str:
    """Return the reference of all views: a heading, a sentence and a table of columns for each."""
    parts = [
        "# Dictionary views",
        "",
        "Written by `holdfast.catalog.views.render_markdown()` from the table that also makes the views.",
        "",
    ]
    for view in VIEWS:
        if view.name == "SHOW_PARAMETERS":
            continue  # a source of SHOW PARAMETERS, not a name for users
        prefix = "CDB_OB_, DBA_OB_: " if view.scope is Scope.TENANTS else ""
        parts += [
            f"## {prefix}{view.name}",
            "",
            f"{view.about[:1].upper()}{view.about[1:]}. Exists as: {view.scope.value}.",
            "",
        ]
        parts += ["| Column | Type |", "| --- | --- |"]
        parts += [f"| {column.name} | {column.type} |" for column in view.columns]
        parts.append("")
    return "\n".join(parts)
