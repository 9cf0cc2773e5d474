"""Who may run what: every statement by every caller, on one live cluster, with code, SQLSTATE and text."""

import typing
from dataclasses import dataclass

import pytest

from holdfast.jobs.surface import STATEMENTS
from holdfast.statement import commands
from holdfast.statement.parser import parse
from surface.surface_rig import (
    OK,
    SYS_ONLY,
    Answer,
    Cast,
    WhenBuilt,
    agrees,
    answer_of,
    can_not_start,
    expected,
    not_allowed,
    unprivileged,
    unsupported,
    wrong_argument,
)

pytestmark = pytest.mark.live

NO_NAMES = unsupported("user tenant cannot specify tenant names")
NO_NAMES_IN_VALIDATION = unsupported("specify tenant under user tenant")
NOTHING_TO_VALIDATE = wrong_argument("validate: tenant has not set backup dest or archive dest")
NO_NAMES_FOR_STANDBYS = wrong_argument("tenant name, please don't specify tenant name")
FOR_SYS = unsupported("a destination for tenant sys is")
NO_STANDBY = not_allowed("tenant role is not STANDBY, recover is")
NOT_ARCHIVING = can_not_start("log archive status is not doing.")
NOBODY = can_not_start(
    "no tenant meets the backup condition, please check the tenant status, log archive status, backup data dest, and"
    " backup status for each tenant"
)
TOO_FEW = unsupported("Too little tenant names specified, only one tenant name can be specified")
TOO_MANY = unsupported("Too many tenant names specified, only one tenant name can be specified")
NEED_TENANT = unsupported("need to specify a tenant name")
NO_POLICY = Answer(4018, "HY000")
LATER = WhenBuilt(OK)
NOWHERE = Answer(9120, "HY000")


@dataclass(frozen=True, slots=True)
class Row:
    """One statement and what it answers to sys and to a tenant's administrator.

    `{own}` is the caller's tenant (mysql_tenant for sys), `{other}` another's. `right`: the privilege that OceanBase asks for, "" for
    none; it is written here once more, from the manual and the engine's source, so that a slip in the table is seen.
    """

    statement: str
    sys: Answer | WhenBuilt
    tenant: Answer | WhenBuilt
    right: str = "ALTER SYSTEM"


ROWS = (
    # destinations; nothing is set, so clearing is the deed
    Row("ALTER SYSTEM SET LOG_ARCHIVE_DEST = ''", FOR_SYS, OK),
    Row("ALTER SYSTEM SET LOG_ARCHIVE_DEST = '' TENANT = {own}", OK, SYS_ONLY),
    Row("ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE = 'DEFER'", FOR_SYS, Answer(4018, "HY000", "log_archive_dest is not set")),
    Row("ALTER SYSTEM SET DATA_BACKUP_DEST = ''", FOR_SYS, OK),
    Row("ALTER SYSTEM SET DATA_BACKUP_DEST = '' TENANT = {other}", OK, SYS_ONLY),
    Row("ALTER SYSTEM SET LOG_RESTORE_SOURCE = ''", FOR_SYS, OK),
    Row("ALTER SYSTEM SET LOG_RESTORE_SOURCE = '' TENANT = {own}", OK, SYS_ONLY),
    Row(
        "ALTER SYSTEM SET LOG_RESTORE_SOURCE = 'LOCATION=file:///nowhere' TENANT = {own}",
        not_allowed("tenant role is not STANDBY, set log_restore_source is"),
        SYS_ONLY,
    ),
    Row(
        "ALTER SYSTEM SET LOG_RESTORE_SOURCE = 'SERVICE=127.0.0.1:2881 USER=u@t PASSWORD=x' TENANT = {own}",
        unsupported("log_restore_source SERVICE is"),
        SYS_ONLY,
    ),
    Row(
        "ALTER SYSTEM SET LOG_RESTORE_SOURCE = 'nowhere' TENANT = {own}",
        wrong_argument("log_restore_source"),
        SYS_ONLY,
    ),
    Row(
        "ALTER SYSTEM CHANGE EXTERNAL_STORAGE_DEST PATH = 'file:///never/used' SET ATTRIBUTE = 'zone=zone1'",
        unsupported("change external storage dest by sys tenant is"),
        Answer(4018, "HY000", "the path does not exist"),
    ),
    # archiving is off
    Row("ALTER SYSTEM NOARCHIVELOG TENANT = {own}", Answer(9092, "HY000", "Already in NOARCHIVELOG mode"), SYS_ONLY),
    Row("ALTER SYSTEM NOARCHIVELOG", OK, Answer(9092, "HY000", "Already in NOARCHIVELOG mode")),
    Row("ALTER SYSTEM ARCHIVELOG TENANT = {own}, {own}", unsupported("duplicate tenant {own} is"), SYS_ONLY),
    # backup: without destinations the start checks answer
    Row("ALTER SYSTEM BACKUP DATABASE", NOBODY, can_not_start("backup dest is not set.")),
    Row("ALTER SYSTEM BACKUP INCREMENTAL DATABASE PLUS ARCHIVELOG", NOBODY, can_not_start("backup dest is not set.")),
    Row("ALTER SYSTEM BACKUP TENANT = {own}", NOT_ARCHIVING, NO_NAMES),
    Row("ALTER SYSTEM BACKUP TENANT = {other}", NOT_ARCHIVING, NO_NAMES),
    Row("ALTER SYSTEM BACKUP", unsupported("No tenant name specified"), can_not_start("backup dest is not set.")),
    Row("ALTER SYSTEM CANCEL BACKUP", OK, OK),
    Row("ALTER SYSTEM CANCEL BACKUP TENANT = {other}", OK, NO_NAMES),
    Row("SET ENCRYPTION ON IDENTIFIED BY 'pw' ONLY", LATER, LATER, right=""),
    Row("SET DECRYPTION IDENTIFIED BY 'pw'", LATER, unsupported("non-sys tenant set decryption is"), right="SUPER"),
    Row("ALTER SYSTEM BACKUP KEY", unsupported("BACKUP KEY is"), unsupported("BACKUP KEY is")),
    Row("ALTER SYSTEM BACKUP KEY TENANT = {other}", unsupported("BACKUP KEY is"), NO_NAMES),
    Row("ALTER SYSTEM BACKUP CLUSTER PARAMETERS TO 'file://{place}/parameters'", OK, SYS_ONLY),
    # cleanup; no policy
    Row(
        "ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = 'x'",
        WhenBuilt(TOO_FEW),
        WhenBuilt(unsupported("recovery window is not be time string")),
    ),
    Row("ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = '7d' TENANT = {own}, {other}",
        WhenBuilt(TOO_MANY), NO_NAMES),
    Row("ALTER SYSTEM DROP DELETE BACKUP POLICY = 'default'", WhenBuilt(TOO_FEW), WhenBuilt(NO_POLICY)),
    Row("ALTER SYSTEM DROP DELETE BACKUP POLICY = 'default' TENANT = {own}", WhenBuilt(NO_POLICY), NO_NAMES),
    Row(
        "ALTER SYSTEM DELETE OBSOLETE BACKUP TENANT = {other}",
        WhenBuilt(Answer(4018, "HY000", "no delete policy for some user tenant")),
        NO_NAMES,
    ),
    Row("ALTER SYSTEM DELETE BACKUPSET 1", WhenBuilt(NEED_TENANT), LATER),
    Row("ALTER SYSTEM DELETE BACKUPSET 1 TENANT = {other}", LATER, NO_NAMES),
    Row("ALTER SYSTEM DELETE ARCHIVELOG_PIECE 1", WhenBuilt(NEED_TENANT), LATER),
    Row("ALTER SYSTEM DELETE ARCHIVELOG_PIECE 1 TENANT = {other}", LATER, NO_NAMES),
    Row("ALTER SYSTEM DELETE BACKUP ALL DATA_BACKUP_DEST = 'file:///never'", WhenBuilt(NEED_TENANT), WhenBuilt(NO_POLICY)),
    Row("ALTER SYSTEM DELETE BACKUP ALL DATA_BACKUP_DEST = 'file:///never' TENANT = {other}", WhenBuilt(NO_POLICY), NO_NAMES),
    Row("ALTER SYSTEM DELETE OBSOLETE BACKUP PREVIEW TENANT = {other}", NO_POLICY, NO_NAMES),
    Row("ALTER SYSTEM PIN BACKUPSET 9", NEED_TENANT, NO_POLICY),
    Row("ALTER SYSTEM PIN BACKUPSET 9 TENANT = {other}", NO_POLICY, NO_NAMES),
    Row("ALTER SYSTEM UNPIN BACKUPSET 9 TENANT = {other}", NO_POLICY, NO_NAMES),
    Row("ALTER SYSTEM RENEW SERVER IDENTITY", OK, SYS_ONLY),
    Row("ALTER SYSTEM CANCEL DELETE BACKUP", LATER, LATER),
    Row("ALTER SYSTEM CANCEL DELETE BACKUP TENANT = {other}", LATER, NO_NAMES),
    # validation, restore, standby, table recovery
    Row("ALTER SYSTEM VALIDATE BACKUP", NOTHING_TO_VALIDATE, NOTHING_TO_VALIDATE),
    Row("ALTER SYSTEM VALIDATE BACKUP TENANT = {other}", NOTHING_TO_VALIDATE, NO_NAMES_IN_VALIDATION),
    Row("ALTER SYSTEM CANCEL VALIDATE BACKUP", OK, OK),
    Row("ALTER SYSTEM CANCEL VALIDATE BACKUP TENANT = {other}", OK, NO_NAMES_IN_VALIDATION),
    Row("ALTER SYSTEM RESTORE stolen FROM 'file:///nowhere'", Answer(9120, "HY000", "cannot find object"), SYS_ONLY),
    Row("ALTER SYSTEM RESTORE FROM 'file:///nowhere' UNTIL SCN = 1 PREVIEW", LATER, SYS_ONLY),
    Row("SHOW RESTORE PREVIEW", WhenBuilt(NOWHERE), SYS_ONLY, right=""),
    Row("ALTER SYSTEM ADD RESTORE SOURCE 'file:///nowhere'", WhenBuilt(NOWHERE), SYS_ONLY),
    Row("ALTER SYSTEM CLEAR RESTORE SOURCE", LATER, SYS_ONLY),
    Row("ALTER SYSTEM CANCEL RESTORE {other}", Answer(4179, "HY000"), SYS_ONLY),
    Row("ALTER SYSTEM RECOVER STANDBY UNTIL UNLIMITED", unsupported("omitting tenant name is "), NO_STANDBY),
    Row("ALTER SYSTEM RECOVER STANDBY TENANT = {other} UNTIL UNLIMITED", NO_STANDBY, NO_NAMES_FOR_STANDBYS),
    Row("ALTER SYSTEM RECOVER STANDBY TENANT = {own} CANCEL", NO_STANDBY, NO_NAMES_FOR_STANDBYS),
    Row(
        "ALTER SYSTEM RECOVER STANDBY TENANT = {own}",
        wrong_argument("restore until, should specify restore until point"),
        NO_NAMES_FOR_STANDBYS,
    ),
    Row(
        "ALTER SYSTEM RECOVER STANDBY TENANT = {own} UNTIL TIME = 'tomorrow'",
        Answer(1525, "HY000"),
        NO_NAMES_FOR_STANDBYS,
    ),
    Row(
        "ALTER SYSTEM RECOVER STANDBY TENANT = sys UNTIL UNLIMITED",
        wrong_argument("tenant name, only support operating user tenant"),
        NO_NAMES_FOR_STANDBYS,
    ),
    Row("ALTER SYSTEM ACTIVATE STANDBY", unsupported("omitting tenant name is "), OK, right="SUPER"),
    Row("ALTER SYSTEM ACTIVATE STANDBY TENANT = {own}", OK, NO_NAMES_FOR_STANDBYS, right="SUPER"),
    Row(
        "ALTER SYSTEM ACTIVATE STANDBY TENANT = sys",
        wrong_argument("tenant name, only support operating user tenant"),
        NO_NAMES_FOR_STANDBYS, right="SUPER"),
    Row("ALTER SYSTEM SWITCHOVER TO STANDBY TENANT = {other}", LATER, NO_NAMES_FOR_STANDBYS, right="SUPER"),
    Row("ALTER SYSTEM RUN UPGRADE JOB 'UPGRADE_ALL' TENANT = {own}", LATER, SYS_ONLY),
    Row(
        "ALTER SYSTEM RECOVER TABLE a.b TO TENANT = {other} FROM 'file:///nowhere' WITH 'pool_list=p'",
        WhenBuilt(Answer(1049, "42000", "Unknown database 'a'")),
        not_allowed("user tenant initiate recover table is"),
    ),
    Row("ALTER SYSTEM CANCEL RECOVER TABLE {other}", LATER, not_allowed("user tenant cancel recover table is")),
    # parameters
    Row("ALTER SYSTEM SET ha_low_thread_score = 0", OK, OK),
    Row("ALTER SYSTEM SET ha_low_thread_score = 0 TENANT = {other}", OK, SYS_ONLY),
    Row("ALTER SYSTEM SET ha_low_thread_score = 0 TENANT = all_user", OK, SYS_ONLY),
    Row("ALTER SYSTEM SET _backup_idle_time = '5m'", OK, SYS_ONLY),
    Row("ALTER SYSTEM RESET ha_low_thread_score TENANT = {other}", OK, SYS_ONLY),
    Row("SHOW PARAMETERS LIKE 'ha_low%'", OK, OK, right=""),
    Row("SHOW PARAMETERS LIKE 'ha_low%' TENANT = {other}", OK, SYS_ONLY, right=""),
    # resources and tenants
    Row(
        "CREATE RESOURCE UNIT u MAX_CPU = 1, MEMORY_SIZE = '1K'",
        Answer(4659, "HY000", "invalid MEMORY_SIZE value"),
        SYS_ONLY, right="CREATE RESOURCE UNIT"),
    Row("CREATE RESOURCE POOL p UNIT = 'u', UNIT_NUM = 1", Answer(4648, "HY000", "resource unit 'u' not exist"), SYS_ONLY,
        right="CREATE RESOURCE POOL"),
    Row("DROP RESOURCE UNIT u", Answer(4648, "HY000", "resource unit 'u' not exist"), SYS_ONLY, right="CREATE RESOURCE UNIT"),
    Row("DROP RESOURCE POOL p", Answer(4650, "HY000", "resource pool 'p' not exist"), SYS_ONLY, right="CREATE RESOURCE POOL"),
    Row("CREATE TENANT {other}", Answer(5156, "HY000", "tenant '{other}' already exist"), SYS_ONLY, right="SUPER"),
    Row("DROP TENANT nobody", Answer(5157, "HY000", "Unknown tenant 'nobody'"), SYS_ONLY, right="SUPER"),
    Row("SHOW TENANTS", OK, OK, right=""),
    Row("ALTER SYSTEM START BACKUP ARCHIVELOG", unsupported("START BACKUP ARCHIVELOG is"), unsupported("START BACKUP ARCHIVELOG is")),
)  # fmt: skip


def test_the_matrix_has_every_statement() -> None:
    asked = {type(parse(row.statement.format(own="a", other="b", place="/p"))) for row in ROWS}
    assert set(typing.get_args(commands.Command)) == asked
    assert {row.command for row in STATEMENTS} == asked


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.statement)
def test_each_caller_gets_its_answer(cast: Cast, row: Row) -> None:
    denied = unprivileged(row.right)
    weak_at_sys = (
        row.sys if row.statement != "SHOW RESTORE PREVIEW" else Answer(1235, "0A000", "show restore preview before")
    )
    callers = {
        "sys": (cast.sys, "mysql_tenant", row.sys),
        "weak@sys": (cast.weak_sys, "mysql_tenant", denied if row.right else weak_at_sys),
        "mysql": (cast.mysql, "mysql_tenant", row.tenant),
        "weak": (cast.weak, "mysql_tenant", denied if row.right else row.tenant),
        "oracle": (cast.oracle, "oracle_tenant", row.tenant),
    }
    if row.right:
        callers |= {
            "who has only the right, at sys": (cast.exact["sys", row.right], "mysql_tenant", row.sys),
            "who lacks only the right, at sys": (cast.lacking["sys", row.right], "mysql_tenant", denied),
            "who has only the right": (cast.exact["mysql_tenant", row.right], "mysql_tenant", row.tenant),
            "who lacks only the right": (cast.lacking["mysql_tenant", row.right], "mysql_tenant", denied),
        }
    for name, (client, own, wanted) in callers.items():
        other = "oracle_tenant" if own == "mysql_tenant" else "mysql_tenant"
        places = {"own": own, "other": other, "place": cast.place}
        statement = row.statement.format(**places)
        answer = expected(statement, wanted)
        answer = Answer(answer.number, answer.state, answer.text.format(**places))
        found = answer_of(client, statement)
        assert agrees(found, answer), f"{name}: {statement}\n  wanted {answer}\n  found {found}"
