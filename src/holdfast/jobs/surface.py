"""Every statement of the surface in one table: who may run it, what the others are told, and how far it goes.

The desk asks `admit` before it looks at what a statement means, so rights lie here and nowhere else; `docs/compatibility.md`
and `docs/rights.md` are written from the same rows. `state` is what the page says: the desk refuses a statement it has no case
for, whatever the row says, and a test finds rows that disagree with it.

Source: the tables of rights, of tenant list errors and of statements in the project's statements specification. Of `right`: the
sections "Required privileges" of OceanBase's manual V4.2.5 and V4.3.3, SQL reference, "System tenants", which name the privilege
for `ALTER SYSTEM [SET] parameter` and `ADD RESTORE SOURCE`, and for the others root@sys or the tenant's administrator; what
administrators have that others lack is in the engine's own check, oceanbase/seekdb src/sql/resolver/ob_stmt_type.h (one function
for each statement) and src/sql/privilege_check/ob_privilege_check.cpp. "Privilege types in MySQL mode" has what each stands for.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import get_args

from holdfast import codes
from holdfast.codes import Code
from holdfast.errors import RefusedError, refuse
from holdfast.jobs.rights import require, require_root_of_sys
from holdfast.jobs.session import Session
from holdfast.statement import commands as c
from holdfast.values.grants import Right


class State(StrEnum):
    """How a statement, view or parameter compares with OceanBase V4.x."""

    SAME = "same"
    BEYOND = "beyond"
    PART = "part"
    LATER = "later"
    NEVER = "never"


class Callers(Enum):
    """Which tenants may run a statement, as the page prints it: (sys, user tenant)."""

    BOTH = ("yes", "yes")
    SYS = ("yes", "no")
    USER = ("no", "yes")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A code and what fills its pattern."""

    code: Code
    detail: str

    def error(self) -> RefusedError:
        return refuse(self.code, self.detail)


_SYS_ONLY = Refusal(codes.OB_ERR_NO_PRIVILEGE, "SYS TENANT")
_NO_NAMES = Refusal(codes.OB_NOT_SUPPORTED, "user tenant cannot specify tenant names")
_NO_NAMES_IN_SETTINGS = Refusal(codes.OB_ERR_NO_PRIVILEGE, "SYS TENANT")
_NO_NAMES_IN_VALIDATION = Refusal(codes.OB_NOT_SUPPORTED, "specify tenant under user tenant")
_NO_NAMES_FOR_STANDBYS = Refusal(codes.OB_INVALID_ARGUMENT, "tenant name, please don't specify tenant name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement.

    `outsiders`: what the tenants hear that may not run it. `names`: what a user tenant hears for a TENANT clause, None
    where it may write one or the grammar has none. `right`: the privilege of OceanBase's that is needed, None for none.
    """

    command: type
    text: str
    state: State
    note: str = ""
    callers: Callers = Callers.BOTH
    outsiders: Refusal = _SYS_ONLY
    names: Refusal | None = None
    right: Right | None = Right.ALTER_SYSTEM


STATEMENTS: tuple[Statement, ...] = (
    Statement(
        command=c.SetLogArchiveDest,
        text="`SET LOG_ARCHIVE_DEST`",
        state=State.SAME,
        note="`file://` only; `_1` is the same destination, `_2` to `_8` refused; refused within another destination;"
        " of a user tenant below the destination roots (decision 52)",
        names=_NO_NAMES_IN_SETTINGS,
    ),
    Statement(
        command=c.SetLogArchiveDestState,
        text="`SET LOG_ARCHIVE_DEST_STATE`",
        state=State.SAME,
        names=_NO_NAMES_IN_SETTINGS,
    ),
    Statement(
        command=c.SetDataBackupDest,
        text="`SET DATA_BACKUP_DEST`",
        state=State.SAME,
        note="`file://` only; refused within another destination; of a user tenant below the destination roots (decision 52)",
        names=_NO_NAMES_IN_SETTINGS,
    ),
    Statement(
        command=c.SetLogRestoreSource,
        text="`SET LOG_RESTORE_SOURCE`",
        state=State.PART,
        note="`LOCATION=file://...`, an archive, on a standby; of a running tenant name its archive: `SERVICE` and `RAWPATH` are refused;"
        " of a user tenant below the destination roots, and of the tenant it was restored from",
        names=_NO_NAMES_IN_SETTINGS,
    ),
    Statement(
        command=c.ChangeExternalStorage,
        text="`CHANGE EXTERNAL_STORAGE_DEST`",
        state=State.PART,
        note="ATTRIBUTE is checked and shown in EXTENSION; there are no keys to change: `file://` only",
        callers=Callers.USER,
        outsiders=Refusal(codes.OB_NOT_SUPPORTED, "change external storage dest by sys tenant is"),
    ),
    Statement(
        command=c.Archivelog,
        text="`ARCHIVELOG`",
        state=State.SAME,
        note="warns where no round can begin: no destination, DEFER; of all tenants, of each that is not switched",
        names=_NO_NAMES_IN_SETTINGS,
    ),
    Statement(
        command=c.Noarchivelog,
        text="`NOARCHIVELOG`",
        state=State.SAME,
        note="no tenant snapshot can stand in its way: seekdb has none",
        names=_NO_NAMES_IN_SETTINGS,
    ),
    Statement(
        command=c.Backup,
        text="`BACKUP [INCREMENTAL] {DATABASE, TENANT} [TO]`",
        state=State.SAME,
        note="`PLUS ARCHIVELOG` in both word orders; an increment without a usable base becomes full, COMMENT says why; a second backup"
        " is refused whoever began the first (-9036); of all tenants each that is left out is a warning and in sys's COMMENT",
        names=_NO_NAMES,
    ),
    Statement(
        command=c.CancelBackup,
        text="`CANCEL BACKUP`",
        state=State.SAME,
        note="under 2 s at any moment, queued jobs and hanging destinations included; too late once the manifest is on its way",
        names=_NO_NAMES,
    ),
    Statement(
        command=c.SetEncryption,
        text="`SET ENCRYPTION`",
        state=State.SAME,
        note="the bytes are really encrypted, logs of `PLUS ARCHIVELOG` included (decision 11); `PASSWD` shows `***`, no hash (53)",
        right=None,
    ),
    Statement(
        command=c.SetDecryption,
        text="`SET DECRYPTION`",
        state=State.SAME,
        callers=Callers.SYS,
        outsiders=Refusal(codes.OB_NOT_SUPPORTED, "non-sys tenant set decryption is"),
        right=Right.SUPER,
    ),
    Statement(
        command=c.BackupKey,
        text="`BACKUP KEY`",
        state=State.NEVER,
        note="seekdb has no transparent encryption: there is no master key to save, and `tde_method` takes `none` only",
        names=_NO_NAMES,
    ),
    Statement(
        command=c.BackupClusterParameters,
        text="`BACKUP CLUSTER PARAMETERS`",
        state=State.PART,
        note="one readable object per statement (format.md 6.1); `ENCRYPTED BY` refused: no secret is in it, and people read it",
        callers=Callers.SYS,
    ),
    Statement(
        command=c.AddDeletePolicy,
        text="`ADD DELETE BACKUP POLICY`",
        state=State.SAME,
        note="`default` and `log_only`",
        names=_NO_NAMES,
    ),
    Statement(
        command=c.DropDeletePolicy,
        text="`DROP DELETE BACKUP POLICY`",
        state=State.SAME,
        names=_NO_NAMES,
    ),
    Statement(
        command=c.DeleteObsolete,
        text="`DELETE OBSOLETE BACKUP`",
        state=State.BEYOND,
        note="nothing goes while something can not be read; cancelled sets go at once; without a policy -4018",
        names=_NO_NAMES,
    ),
    Statement(
        command=c.DeleteBackupset,
        text="`DELETE BACKUPSET`",
        state=State.SAME,
        note="on the current path refused while a policy is set, as the engine's source has it",
        names=_NO_NAMES,
    ),
    Statement(
        command=c.DeleteArchivelogPiece,
        text="`DELETE ARCHIVELOG_PIECE`",
        state=State.SAME,
        note="as above",
        names=_NO_NAMES,
    ),
    Statement(
        command=c.DeleteBackupAll,
        text="`DELETE BACKUP ALL`",
        state=State.SAME,
        note="the format file and others' files stay; the path can not be set again (-9081); of a path that is absent or an empty"
        " directory the rows become `DELETED`",
        names=_NO_NAMES,
    ),
    Statement(
        command=c.CancelDelete,
        text="`CANCEL DELETE BACKUP`",
        state=State.SAME,
        names=_NO_NAMES,
    ),
    Statement(
        command=c.PreviewObsolete,
        text="`DELETE OBSOLETE BACKUP PREVIEW`",
        state=State.BEYOND,
        note="Holdfast's own: every verdict, its reason, and the moments that would be lost",
        names=_NO_NAMES,
    ),
    Statement(
        command=c.PinBackupset,
        text="`PIN BACKUPSET n [NOTE = 's']`",
        state=State.BEYOND,
        note="Holdfast's own: the set, its chain and its log stay for ever; view `CDB_OB_BACKUP_PINS`, `DBA_OB_BACKUP_PINS`",
        names=_NO_NAMES,
    ),
    Statement(
        command=c.UnpinBackupset,
        text="`UNPIN BACKUPSET n`",
        state=State.BEYOND,
        note="Holdfast's own",
        names=_NO_NAMES,
    ),
    Statement(
        command=c.RenewServerIdentity,
        text="`RENEW SERVER IDENTITY`",
        state=State.BEYOND,
        note="Holdfast's own: of two servers of one name (a copied base directory, one that was put back) this one goes on; its ids"
        " continue behind what its destinations hold (decision 42)",
        callers=Callers.SYS,
    ),
    Statement(
        command=c.Validate,
        text="`VALIDATE {BACKUP, BACKUPSET, ARCHIVELOG_PIECE}`",
        state=State.BEYOND,
        note="objects proven within `backup_validate_reread_interval` are not read again; damage is named in `x_BACKUP_DAMAGES` and"
        " makes a set or piece `BROKEN` until a validation proves it good or it is deleted;"
        " the other tasks go on (decision 29); `LEVEL = 'restore'`"
        " (ours) restores a random moment into a scratch tenant and checks it, see `RESTORE_DRILLS` (decision 37)",
        names=_NO_NAMES_IN_VALIDATION,
    ),
    Statement(
        command=c.CancelValidate,
        text="`CANCEL VALIDATE BACKUP`",
        state=State.SAME,
        note="the jobs have ended when it returns",
        names=_NO_NAMES_IN_VALIDATION,
    ),
    Statement(
        command=c.Restore,
        text="`RESTORE t FROM ... [UNTIL ...] [WITH ...]`",
        state=State.PART,
        note="`WITH` may be left out (beyond); `WITH KEY FROM` names what `backup_encryption` named: `file:`, `env:`, `command:`,"
        " for root@sys alone (decision 56);"
        " `method=quick` needs FUSE, else it restores fully and warns;"
        " `ttl=2h` (beyond): the tenant goes by itself; view `CDB_OB_QUICK_TENANTS`;"
        " needs the engine of the set's data version, else -4179",
        callers=Callers.SYS,
    ),
    Statement(
        command=c.RestorePreview,
        text="`RESTORE ... PREVIEW`",
        state=State.SAME,
        note="`WITH KEY FROM` may stand before `PREVIEW` (beyond): what a restore with it reads",
        callers=Callers.SYS,
    ),
    Statement(
        command=c.ShowRestorePreview,
        text="`SHOW RESTORE PREVIEW`",
        state=State.SAME,
        note="may be shown again until the next `PREVIEW`; SHOW WARNINGS says what the restore would warn of, or why it would be refused",
        callers=Callers.SYS,
        right=None,
    ),
    Statement(
        command=c.AddRestoreSource,
        text="`ADD RESTORE SOURCE`",
        state=State.SAME,
        note="takes whole destinations too",
        callers=Callers.SYS,
    ),
    Statement(command=c.ClearRestoreSource, text="`CLEAR RESTORE SOURCE`", state=State.SAME, callers=Callers.SYS),
    Statement(
        command=c.CancelRestore,
        text="`CANCEL RESTORE`",
        state=State.SAME,
        note="at any moment; what the restore made is gone when the statement returns",
        callers=Callers.SYS,
    ),
    Statement(
        command=c.RecoverStandby,
        text="`RECOVER STANDBY`",
        state=State.SAME,
        note="exact to the SCN; readers stay; going on from inside a log group restarts its engine, 2 to 8 s; not on an engine 1.3",
        names=_NO_NAMES_FOR_STANDBYS,
    ),
    Statement(
        command=c.ActivateStandby,
        text="`ACTIVATE STANDBY`",
        state=State.SAME,
        note="on an engine 1.3, and where transactions were under way at the end of the log, it restarts the tenant's engine, 2 to 3 s",
        names=_NO_NAMES_FOR_STANDBYS,
        right=Right.SUPER,
    ),
    Statement(
        command=c.Switchover, text="`SWITCHOVER TO`", state=State.LATER, names=_NO_NAMES_FOR_STANDBYS, right=Right.SUPER
    ),
    Statement(
        command=c.RunUpgradeJob,
        text="`RUN UPGRADE JOB`",
        state=State.LATER,
        note="sets are bound to the engine version that made them",
        callers=Callers.SYS,
    ),
    Statement(
        command=c.RecoverTable,
        text="`RECOVER TABLE`",
        state=State.BEYOND,
        note="`PREVIEW` at its end (ours) only compares with the live tables, see `RECOVER_TABLE_PREVIEWS`; `WITH` may be left"
        " out; reads only the blocks it touches unless `method=full` or FUSE is missing; each table appears whole or not at all;"
        " foreign keys and, of whole databases, views come too; no table groups or"
        " tablespaces here (-5151, -4354)",
        callers=Callers.SYS,
        outsiders=Refusal(codes.OB_OP_NOT_ALLOW, "user tenant initiate recover table is"),
    ),
    Statement(
        command=c.CancelRecoverTable,
        text="`CANCEL RECOVER TABLE`",
        state=State.SAME,
        note="tables that are in place stay",
        callers=Callers.SYS,
        outsiders=Refusal(codes.OB_OP_NOT_ALLOW, "user tenant cancel recover table is"),
    ),
    Statement(
        command=c.ParameterAssignments,
        text="`ALTER SYSTEM SET p = v [TENANT = t]`",
        state=State.SAME,
        note="ours in the catalog, the engine's on that tenant's engine",
    ),
    Statement(command=c.ResetParameters, text="`ALTER SYSTEM RESET p`", state=State.SAME),
    Statement(
        command=c.ShowParameters,
        text="`SHOW PARAMETERS [LIKE, WHERE] [TENANT = t]`",
        state=State.SAME,
        note="a condition can not hold a subquery (decision 20)",
        right=None,
    ),
    Statement(
        command=c.CreateResourceUnit,
        text="`CREATE RESOURCE UNIT`",
        state=State.SAME,
        note="memory and log disk bind the engine; CPU and IOPS are kept and shown",
        callers=Callers.SYS,
        right=Right.CREATE_RESOURCE_UNIT,
    ),
    Statement(
        command=c.CreateResourcePool,
        text="`CREATE RESOURCE POOL`",
        state=State.SAME,
        note="one server: `UNIT_NUM = 1`",
        callers=Callers.SYS,
        right=Right.CREATE_RESOURCE_POOL,
    ),
    Statement(
        command=c.DropResourceUnit,
        text="`DROP RESOURCE UNIT`",
        state=State.SAME,
        callers=Callers.SYS,
        right=Right.CREATE_RESOURCE_UNIT,
    ),
    Statement(
        command=c.DropResourcePool,
        text="`DROP RESOURCE POOL`",
        state=State.SAME,
        callers=Callers.SYS,
        right=Right.CREATE_RESOURCE_POOL,
    ),
    Statement(
        command=c.CreateTenant,
        text="`CREATE TENANT`",
        state=State.BEYOND,
        note="a pool may be left out; `ob_compatibility_mode = 'oracle'` gives the management surface only, with a warning;"
        " `holdfast_engine_version` (ours) picks an installed engine",
        callers=Callers.SYS,
        right=Right.SUPER,
    ),
    Statement(
        command=c.DropTenant,
        text="`DROP TENANT`",
        state=State.SAME,
        note="no recycle bin: always `FORCE`",
        callers=Callers.SYS,
        right=Right.SUPER,
    ),
    Statement(
        command=c.ShowTenants,
        text="`SHOW TENANTS`",
        state=State.SAME,
        note="a user tenant sees itself",
        right=None,
    ),
    Statement(
        command=c.NotOurs, text="grammar leftovers of V3", state=State.NEVER, note="refused with 1235, as V4 does"
    ),
)

OF_COMMAND: dict[type, Statement] = {row.command: row for row in STATEMENTS}
assert OF_COMMAND.keys() == set(get_args(c.Command)), "every command has one row"


def admit(session: Session, command: c.Command) -> None:
    """Raise RefusedError when this session may not run this statement: privilege first, then tenant, then TENANT clause."""
    row = OF_COMMAND[type(command)]
    if row.right is not None:
        require(session, row.right)
    if session.tenant.is_sys:
        if row.callers is Callers.USER:
            raise row.outsiders.error()
        if getattr(command, "key_source", None) is not None:
            require_root_of_sys(
                session, "names a file, a variable or a command of the server's machine in WITH KEY FROM"
            )
        return
    if row.callers is Callers.SYS:
        raise row.outsiders.error()
    if row.names is not None and getattr(command, "tenants", None):
        raise row.names.error()
