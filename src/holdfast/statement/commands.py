"""One frozen value per statement of the backup and restore surface.

A command holds what the text says, already typed, and nothing a session or the catalog must decide: timestamps and URIs
stay text, `tenants` are names as written. Fields that may hold a password or an access key are kept out of `repr`.

Conventions, for every command:
- `tenants` is the TENANT clause in the order written, duplicates kept; empty means there was no such clause. A clause
  that takes one tenant is `tenant: str | None`.
- `description` is the DESCRIPTION text, empty when there was none.
- `sources` are the comma separated paths of a FROM string, stripped, repeats dropped; empty means there was no FROM.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from holdfast.values.destination import DestinationKind
from holdfast.values.tenant import TenantRole

ALL_TENANTS = frozenset({"all", "all_user", "all_meta"})
"""Names that stand for many tenants, in lower case: compare `name.lower()`."""


def names_everyone(tenants: tuple[str, ...]) -> bool:
    """Return whether a name in the list stands for many tenants (ALL, all_user, all_meta in any case)."""
    return any(name.lower() in ALL_TENANTS for name in tenants)


# --- points in time -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class UntilTime:
    """`UNTIL TIME = 'text'`. The text is read in the session's time zone, by the desk."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UntilScn:
    """`UNTIL SCN = n`. Units: nanoseconds since the epoch. May be 0, which the desk refuses."""

    scn: int


Until = UntilTime | UntilScn


class RecoverPoint(StrEnum):
    """Where a standby's replay goes, when not to a point."""

    UNLIMITED = "UNTIL UNLIMITED"
    CANCEL = "CANCEL"


# --- destinations ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLogArchiveDest:
    """`SET LOG_ARCHIVE_DEST[_n] = 'items'`. `archive_dest.parse_archive_dest` reads `text`; empty clears.

    `slot`: 0 for the plain name, else the suffix 1 to 8. Only the first destination works: slots 0 and 1.
    """

    text: str = field(repr=False)
    slot: int = 0
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLogArchiveDestState:
    """`SET LOG_ARCHIVE_DEST_STATE[_n] = 'ENABLE' | 'DEFER'`. `text` as written: the desk checks it, in any case."""

    text: str
    slot: int = 0
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDataBackupDest:
    """`SET DATA_BACKUP_DEST = 'uri'`; empty clears."""

    text: str = field(repr=False)
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLogRestoreSource:
    """`SET LOG_RESTORE_SOURCE = 'LOCATION=..' | 'SERVICE=.. USER=.. PASSWORD=..'`; empty clears."""

    text: str = field(repr=False)
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeExternalStorage:
    """`CHANGE | ALTER | MODIFY EXTERNAL_STORAGE_DEST PATH = 'path' SET ACCESS_INFO .. | ATTRIBUTE ..`."""

    path: str = field(repr=False)
    access_info: str | None = field(default=None, repr=False)
    attribute: str | None = None


# --- log archiving --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Archivelog:
    tenants: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noarchivelog:
    tenants: tuple[str, ...] = ()
    description: str = ""


# --- backup ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """`BACKUP [INCREMENTAL] {DATABASE | TENANT = ...}`. With neither, `database` is false and `tenants` empty."""

    incremental: bool = False
    database: bool = False
    tenants: tuple[str, ...] = ()
    to: str | None = field(default=None, repr=False)
    plus_archivelog: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBackup:
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetEncryption:
    """`SET ENCRYPTION ON IDENTIFIED BY 'password' ONLY`."""

    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDecryption:
    """`SET DECRYPTION IDENTIFIED BY 'pw' [, ...]`, in the order written."""

    passwords: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupKey:
    tenants: tuple[str, ...] = ()
    to: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupClusterParameters:
    to: str = field(repr=False)
    password: str | None = field(default=None, repr=False)


# --- cleanup --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDeletePolicy:
    """`ADD DELETE BACKUP POLICY`. None: the clause was absent. The window stays text: the desk checks it."""

    name: str
    recovery_window: str | None = None
    redundancy: int | None = None
    backup_copies: int | None = None
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DropDeletePolicy:
    name: str
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteObsolete:
    tenants: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteBackupset:
    """`ids` in the order written, at least one."""

    ids: tuple[int, ...]
    tenants: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteArchivelogPiece:
    """`ids` in the order written, at least one."""

    ids: tuple[int, ...]
    tenants: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteBackupAll:
    """`DELETE BACKUP ALL {DATA_BACKUP_DEST | LOG_ARCHIVE_DEST} = 'path'`."""

    kind: DestinationKind
    path: str = field(repr=False)
    tenants: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelDelete:
    tenants: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewObsolete:
    """`DELETE OBSOLETE BACKUP PREVIEW`, Holdfast's own: what the next cleanup would do, as a result set."""

    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PinBackupset:
    """`PIN BACKUPSET id [NOTE = 's']`, Holdfast's own: the set and all it needs are kept for ever."""

    backup_set_id: int
    note: str = ""
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpinBackupset:
    backup_set_id: int
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewServerIdentity:
    """`RENEW SERVER IDENTITY`, Holdfast's own: of two servers of one name, this is the one that goes on (decision 42)."""


# --- validation -----------------------------------------------------------------------------------------------------


class ValidateKind(StrEnum):
    DATABASE = "BACKUP"
    BACKUPSET = "BACKUPSET"
    ARCHIVELOG_PIECE = "ARCHIVELOG_PIECE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validate:
    """`VALIDATE {BACKUP | BACKUPSET | ARCHIVELOG_PIECE}`. Any kind may carry any clause: the desk refuses bad pairs.

    `ids_text` and `level` stay as written because their errors are the desk's (1210).
    """

    kind: ValidateKind
    ids_text: str | None = None
    dest_kind: DestinationKind | None = None
    path: str | None = field(default=None, repr=False)
    level: str | None = None
    tenants: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelValidate:
    tenants: tuple[str, ...] = ()


# --- restore --------------------------------------------------------------------------------------------------------

OptionPairs = tuple[tuple[str, str], ...]
"""`key=value` items of a restore WITH string in order; keys in lower case, an item without `=` has an empty value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """`RESTORE t [FROM ..] [UNTIL ..] [WITH ..]`. `restore_options.read_options` types `options`.

    `key_source` and `key_password` are WITH KEY FROM .. ENCRYPTED BY; `password` is ENCRYPTED BY right after WITH.
    """

    tenant: str
    sources: tuple[str, ...] = field(default=(), repr=False)
    until: Until | None = None
    options: OptionPairs = ()
    password: str | None = field(default=None, repr=False)
    key_source: str | None = field(default=None, repr=False)
    key_password: str | None = field(default=None, repr=False)
    sts_credential: str | None = field(default=None, repr=False)
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePreview:
    """`RESTORE FROM 'uri[,uri]' [UNTIL ..] [WITH KEY FROM 'source'] PREVIEW`. A missing UNTIL is the desk's error (-4179)."""

    sources: tuple[str, ...] = field(repr=False)
    until: Until | None = None
    key_source: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRestorePreview:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRestoreSource:
    sources: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearRestoreSource:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRestore:
    tenant: str


# --- standby tenants ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverStandby:
    """`point` None: none was given, which is the desk's error (1210)."""

    point: Until | RecoverPoint | None = None
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateStandby:
    tenants: tuple[str, ...] = ()
    verify: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchover:
    """`SWITCHOVER TO {PRIMARY | STANDBY}`."""

    to: TenantRole
    tenants: tuple[str, ...] = ()
    verify: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUpgradeJob:
    job: str
    tenants: tuple[str, ...] = ()


# --- table recovery -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TableItem:
    """`db.tb`, `db.*` or `*.*`: `*` stands for all. `partitions` is not empty when the text named some."""

    database: str
    table: str
    partitions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemapTable:
    """`db.t:t2` (no target database), `db.t:db2.t2` or ``db.`*`:db2.`*` ``: `*` stands for all."""

    database: str
    table: str
    to_database: str | None
    to_table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverTable:
    """`RECOVER TABLE items TO [TENANT] t FROM .. WITH ..`. `target` None: no TO, the desk's error (-4179).

    `preview`: PREVIEW at the end (ours): compare, and copy nothing.
    """

    items: tuple[TableItem, ...]
    target: str | None = None
    sources: tuple[str, ...] = field(default=(), repr=False)
    until: Until | None = None
    options: OptionPairs = ()
    password: str | None = field(default=None, repr=False)
    key_source: str | None = field(default=None, repr=False)
    key_password: str | None = field(default=None, repr=False)
    sts_credential: str | None = field(default=None, repr=False)
    remap_tables: tuple[RemapTable, ...] = ()
    remap_tablegroups: tuple[tuple[str, str], ...] = ()
    remap_tablespaces: tuple[tuple[str, str], ...] = ()
    description: str = ""
    preview: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRecoverTable:
    tenant: str


# --- parameters -----------------------------------------------------------------------------------------------------


class Scope(StrEnum):
    MEMORY = "MEMORY"
    SPFILE = "SPFILE"
    BOTH = "BOTH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """`p = v [COMMENT ..] [SCOPE = ..] [SERVER .. | ZONE ..] [TENANT = ..]`.

    `name` in lower case. `value` is the text of the constant without quotes: 10 and '10' are the same. `password`: of IDENTIFIED BY,
    which follows the value of `backup_encryption` alone.
    """

    name: str
    value: str = field(repr=False)  # some parameters hold keys
    password: str | None = field(default=None, repr=False)
    comment: str = ""
    scope: Scope | None = None
    server: str | None = None
    zone: str | None = None
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterAssignments:
    """`ALTER SYSTEM [SET] p = v [, ...]`, at least one.

    A single assignment of a destination is its own command (SetDataBackupDest ...); in a longer list destinations stay
    assignments, which `destination_command` turns into those commands.
    """

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterReset:
    """`name` in lower case."""

    name: str
    scope: Scope | None = None
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetParameters:
    """`ALTER SYSTEM RESET p [, ...]`, at least one."""

    resets: tuple[ParameterReset, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowParameters:
    """`SHOW PARAMETERS [LIKE 'pattern' | WHERE condition] [TENANT = t]`.

    `like`: None when absent; the string with its wildcard escapes (`\\_`, `\\%`) kept. `where`: the condition's own text.
    """

    like: str | None = None
    where: str | None = None
    tenant: str | None = None


# --- resources and tenants ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateResourceUnit:
    """None: the clause was absent. Sizes in bytes."""

    name: str
    if_not_exists: bool = False
    max_cpu: Decimal | None = None
    min_cpu: Decimal | None = None
    memory_size_bytes: int | None = None
    log_disk_size_bytes: int | None = None
    data_disk_size_bytes: int | None = None
    max_iops: int | None = None
    min_iops: int | None = None
    iops_weight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateResourcePool:
    """None: the clause was absent."""

    name: str
    if_not_exists: bool = False
    unit: str | None = None
    unit_num: int | None = None
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DropResourceUnit:
    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DropResourcePool:
    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTenant:
    """`CREATE TENANT`. None: the clause was absent. `pools` empty: no RESOURCE_POOL_LIST.

    `unit`: UNIT [=] u, ours: the unit of the pool that is made when no pool is named.
    `variables`: SET var = value, names in lower case, values without quotes. `other`: clauses that mean nothing on one
    node (REPLICA_NUM, ENABLE_ARBITRATION_SERVICE ...), names in lower case.
    """

    name: str
    if_not_exists: bool = False
    charset: str | None = None
    collation: str | None = None
    locality: str | None = None
    primary_zone: str | None = None
    unit: str | None = None
    pools: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    comment: str = ""
    other: OptionPairs = ()
    variables: OptionPairs = ()


class DropMode(StrEnum):
    PURGE = "PURGE"
    FORCE = "FORCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTenant:
    """`mode` None: neither PURGE nor FORCE."""

    name: str
    if_exists: bool = False
    mode: DropMode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTenants:
    pass


# --- leftovers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NotOurs:
    """A statement the old grammar knows and nobody carries out: the desk answers 1235. `feature`: its keywords."""

    feature: str


Command = (
    SetLogArchiveDest
    | SetLogArchiveDestState
    | SetDataBackupDest
    | SetLogRestoreSource
    | ChangeExternalStorage
    | Archivelog
    | Noarchivelog
    | Backup
    | CancelBackup
    | SetEncryption
    | SetDecryption
    | BackupKey
    | BackupClusterParameters
    | AddDeletePolicy
    | DropDeletePolicy
    | DeleteObsolete
    | DeleteBackupset
    | DeleteArchivelogPiece
    | DeleteBackupAll
    | CancelDelete
    | PreviewObsolete
    | PinBackupset
    | UnpinBackupset
    | RenewServerIdentity
    | Validate
    | CancelValidate
    | Restore
    | RestorePreview
    | ShowRestorePreview
    | AddRestoreSource
    | ClearRestoreSource
    | CancelRestore
    | RecoverStandby
    | ActivateStandby
    | Switchover
    | RunUpgradeJob
    | RecoverTable
    | CancelRecoverTable
    | ParameterAssignments
    | ResetParameters
    | ShowParameters
    | CreateResourceUnit
    | CreateResourcePool
    | DropResourceUnit
    | DropResourcePool
    | CreateTenant
    | DropTenant
    | ShowTenants
    | NotOurs
)

DestinationCommand = SetLogArchiveDest | SetLogArchiveDestState | SetDataBackupDest | SetLogRestoreSource


def destination_command(assignment: Assignment) -> DestinationCommand | None:
    """Return the command an assignment of a destination name stands for, or None for any other parameter."""
    name, slot = _slot_of(assignment.name)
    if name == "log_archive_dest":
        return SetLogArchiveDest(text=assignment.value, slot=slot, tenants=assignment.tenants)
    if name == "log_archive_dest_state":
        return SetLogArchiveDestState(text=assignment.value, slot=slot, tenants=assignment.tenants)
    if name == "data_backup_dest":
        return SetDataBackupDest(text=assignment.value, tenants=assignment.tenants)
    if name == "log_restore_source":
        return SetLogRestoreSource(text=assignment.value, tenants=assignment.tenants)
    return None


def _slot_of(name: str) -> tuple[str, int]:
    """Return a parameter's name without the _1 to _8 of an archive destination, and that number or 0."""
    base, _, digit = name.rpartition("_")
    if base in {"log_archive_dest", "log_archive_dest_state"} and digit in set("12345678"):
        return base, int(digit)
    return name, 0
