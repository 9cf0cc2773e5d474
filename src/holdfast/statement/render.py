"""Commands back to text: one spelling for every command, for logs, job rows and tests.

One function per command, found by the command's class; clauses are written in the grammar's order.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from holdfast.statement.commands import (
    ActivateStandby,
    AddDeletePolicy,
    AddRestoreSource,
    Archivelog,
    Assignment,
    Backup,
    BackupClusterParameters,
    BackupKey,
    CancelBackup,
    CancelDelete,
    CancelRecoverTable,
    CancelRestore,
    CancelValidate,
    ChangeExternalStorage,
    ClearRestoreSource,
    Command,
    CreateResourcePool,
    CreateResourceUnit,
    CreateTenant,
    DeleteArchivelogPiece,
    DeleteBackupAll,
    DeleteBackupset,
    DeleteObsolete,
    DropDeletePolicy,
    DropResourcePool,
    DropResourceUnit,
    DropTenant,
    Noarchivelog,
    NotOurs,
    OptionPairs,
    ParameterAssignments,
    ParameterReset,
    PinBackupset,
    PreviewObsolete,
    RecoverPoint,
    RecoverStandby,
    RecoverTable,
    RemapTable,
    RenewServerIdentity,
    ResetParameters,
    Restore,
    RestorePreview,
    RunUpgradeJob,
    SetDataBackupDest,
    SetDecryption,
    SetEncryption,
    SetLogArchiveDest,
    SetLogArchiveDestState,
    SetLogRestoreSource,
    ShowParameters,
    ShowRestorePreview,
    ShowTenants,
    Switchover,
    TableItem,
    UnpinBackupset,
    Until,
    UntilTime,
    Validate,
)
from holdfast.statement.lexer import quoted
from holdfast.statement.mask import MASK, mask_secrets
from holdfast.values.capacity import capacity_text
from holdfast.values.destination import DestinationKind

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*", re.ASCII)
# Words of the grammar: legal as bare names where one is expected, but clearer in backticks.
_CLAUSE_WORDS = frozenset({
    "ALL", "BACKUP", "BY", "CANCEL", "CHARACTER", "CHARSET", "COLLATE", "COMMENT", "COPY", "DATABASE", "DEFAULT",
    "DESCRIPTION", "ENCRYPTED", "EXISTS", "FORCE", "FROM", "GLOBAL", "IDENTIFIED", "IF", "KEY", "LEVEL", "LIKE",
    "LOCALITY", "NOT", "ON", "ONLY", "PARTITION", "PLUS", "PREVIEW", "PRIMARY_ZONE", "PURGE", "READ", "REMAP", "RESET",
    "RESOURCE_POOL_LIST", "RESTORE", "SCOPE", "SELECT", "SERVER", "SET", "TABLE", "TENANT", "TO", "UNIT", "UNTIL",
    "VARIABLES", "VERIFY", "WHERE", "WITH", "ZONE", "ZONE_LIST",
})  # fmt: skip
_SECRET_NAME = re.compile(r"kms|key|passw|secret|credential|token|backup_encryption", re.ASCII)
_DEST_WORDS = {DestinationKind.BACKUP_DATA: "DATA_BACKUP_DEST", DestinationKind.ARCHIVE_LOG: "LOG_ARCHIVE_DEST"}


def render(command: Command, *, reveal: bool = False) -> str:
    """Return the canonical text. Without `reveal`, passwords and keys read `***`; with it, parse() gives `command` back."""
    renderer = _Renderer(reveal=reveal)
    return " ".join(word for word in _RULES[type(command)](renderer, command) if word)


_Words = Iterable[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Renderer:
    """Writes the clauses; knows whether secrets may be seen."""

    reveal: bool

    def password(self, text: str) -> str:
        return quoted(text if self.reveal else MASK)

    def uri(self, text: str) -> str:
        return quoted(text if self.reveal else mask_secrets(text))

    def paths(self, sources: tuple[str, ...]) -> str:
        return self.uri(",".join(sources))

    def sources(self, sources: tuple[str, ...]) -> str:
        return f"FROM {self.paths(sources)}" if sources else ""

    def encrypted_by(self, password: str | None) -> str:
        return "" if password is None else f"ENCRYPTED BY {self.password(password)}"

    def to(self, uri: str | None) -> str:
        return "" if uri is None else f"TO = {self.uri(uri)}"

    def key_source(self, text: str) -> str:
        """A command's arguments may be a token."""
        return self.password(text) if text.strip().lower().startswith("command:") else self.uri(text)

    def value(self, name: str, value: str) -> str:
        return self.password(value) if _SECRET_NAME.search(name) else self.uri(value)


def _name(name: str) -> str:
    """Return a name as it must be written: bare, or in backticks."""
    if _PLAIN_NAME.fullmatch(name) and name.upper() not in _CLAUSE_WORDS:
        return name
    return "`" + name.replace("`", "``") + "`"


def _name_or_all(name: str) -> str:
    return name if name == "*" else _name(name)


def _tenants(tenants: tuple[str, ...]) -> str:
    return f"TENANT = {', '.join(map(_name, tenants))}" if tenants else ""


def _description(text: str) -> str:
    return f"DESCRIPTION = {quoted(text)}" if text else ""


def _until(until: Until | None) -> str:
    if until is None:
        return ""
    return f"UNTIL TIME = {quoted(until.text)}" if isinstance(until, UntilTime) else f"UNTIL SCN = {until.scn}"


def _clause(word: str, text: str | None) -> str:
    return "" if text is None else f"{word} = {quoted(text)}"


def _number(word: str, number: object) -> str:
    return "" if number is None else f"{word} = {number}"


def _flag(words: str, is_set: bool) -> str:
    return words if is_set else ""


_C = TypeVar("_C", bound=Command)
_RULES: dict[type[object], Callable[..., _Words]] = {}


def _of(kind: type[_C]) -> Callable[[Callable[[_Renderer, _C], _Words]], Callable[[_Renderer, _C], _Words]]:
    """Register the function that writes commands of one class."""

    def register(rule: Callable[[_Renderer, _C], _Words]) -> Callable[[_Renderer, _C], _Words]:
        _RULES[kind] = rule
        return rule

    return register


# --- destinations and archiving ---


def _slotted(name: str, slot: int) -> str:
    return f"{name}_{slot}" if slot else name


@_of(SetLogArchiveDest)
def _(r: _Renderer, c: SetLogArchiveDest) -> _Words:
    return "ALTER SYSTEM SET", _slotted("LOG_ARCHIVE_DEST", c.slot), "=", r.uri(c.text), _tenants(c.tenants)


@_of(SetLogArchiveDestState)
def _(r: _Renderer, c: SetLogArchiveDestState) -> _Words:
    return "ALTER SYSTEM SET", _slotted("LOG_ARCHIVE_DEST_STATE", c.slot), "=", quoted(c.text), _tenants(c.tenants)


@_of(SetDataBackupDest)
def _(r: _Renderer, c: SetDataBackupDest) -> _Words:
    return "ALTER SYSTEM SET DATA_BACKUP_DEST =", r.uri(c.text), _tenants(c.tenants)


@_of(SetLogRestoreSource)
def _(r: _Renderer, c: SetLogRestoreSource) -> _Words:
    return "ALTER SYSTEM SET LOG_RESTORE_SOURCE =", r.uri(c.text), _tenants(c.tenants)


@_of(ChangeExternalStorage)
def _(r: _Renderer, c: ChangeExternalStorage) -> _Words:
    access_info = None if c.access_info is None else f"ACCESS_INFO = {r.password(c.access_info)}"
    head = "ALTER SYSTEM CHANGE EXTERNAL_STORAGE_DEST PATH ="
    return head, r.uri(c.path), "SET", access_info or "", _clause("ATTRIBUTE", c.attribute)


@_of(Archivelog)
def _(r: _Renderer, c: Archivelog) -> _Words:
    return "ALTER SYSTEM ARCHIVELOG", _tenants(c.tenants), _description(c.description)


@_of(Noarchivelog)
def _(r: _Renderer, c: Noarchivelog) -> _Words:
    return "ALTER SYSTEM NOARCHIVELOG", _tenants(c.tenants), _description(c.description)


# --- backup ---


@_of(Backup)
def _(r: _Renderer, c: Backup) -> _Words:
    return (
        "ALTER SYSTEM BACKUP",
        _flag("INCREMENTAL", c.incremental),
        _flag("DATABASE", c.database),
        _tenants(c.tenants),
        r.to(c.to),
        _flag("PLUS ARCHIVELOG", c.plus_archivelog),
        _description(c.description),
    )


@_of(CancelBackup)
def _(r: _Renderer, c: CancelBackup) -> _Words:
    return "ALTER SYSTEM CANCEL BACKUP", _tenants(c.tenants)


@_of(SetEncryption)
def _(r: _Renderer, c: SetEncryption) -> _Words:
    return "SET ENCRYPTION ON IDENTIFIED BY", r.password(c.password), "ONLY"


@_of(SetDecryption)
def _(r: _Renderer, c: SetDecryption) -> _Words:
    return "SET DECRYPTION IDENTIFIED BY", ", ".join(map(r.password, c.passwords))


@_of(BackupKey)
def _(r: _Renderer, c: BackupKey) -> _Words:
    return "ALTER SYSTEM BACKUP KEY", _tenants(c.tenants), r.to(c.to), r.encrypted_by(c.password)


@_of(BackupClusterParameters)
def _(r: _Renderer, c: BackupClusterParameters) -> _Words:
    return "ALTER SYSTEM BACKUP CLUSTER PARAMETERS TO", r.uri(c.to), r.encrypted_by(c.password)


# --- cleanup and validation ---


@_of(AddDeletePolicy)
def _(r: _Renderer, c: AddDeletePolicy) -> _Words:
    return (
        "ALTER SYSTEM ADD DELETE BACKUP POLICY =",
        quoted(c.name),
        _clause("RECOVERY_WINDOW", c.recovery_window),
        _number("REDUNDANCY", c.redundancy),
        _number("BACKUP_COPIES", c.backup_copies),
        _tenants(c.tenants),
    )


@_of(DropDeletePolicy)
def _(r: _Renderer, c: DropDeletePolicy) -> _Words:
    return "ALTER SYSTEM DROP DELETE BACKUP POLICY =", quoted(c.name), _tenants(c.tenants)


@_of(DeleteObsolete)
def _(r: _Renderer, c: DeleteObsolete) -> _Words:
    return "ALTER SYSTEM DELETE OBSOLETE BACKUP", _tenants(c.tenants), _description(c.description)


@_of(DeleteBackupset)
def _(r: _Renderer, c: DeleteBackupset) -> _Words:
    ids = ", ".join(map(str, c.ids))
    return "ALTER SYSTEM DELETE BACKUPSET", ids, _tenants(c.tenants), _description(c.description)


@_of(DeleteArchivelogPiece)
def _(r: _Renderer, c: DeleteArchivelogPiece) -> _Words:
    ids = ", ".join(map(str, c.ids))
    return "ALTER SYSTEM DELETE ARCHIVELOG_PIECE", ids, _tenants(c.tenants), _description(c.description)


@_of(DeleteBackupAll)
def _(r: _Renderer, c: DeleteBackupAll) -> _Words:
    head = f"ALTER SYSTEM DELETE BACKUP ALL {_DEST_WORDS[c.kind]} ="
    return head, r.uri(c.path), _tenants(c.tenants), _description(c.description)


@_of(CancelDelete)
def _(r: _Renderer, c: CancelDelete) -> _Words:
    return "ALTER SYSTEM CANCEL DELETE BACKUP", _tenants(c.tenants), _description(c.description)


@_of(PreviewObsolete)
def _(r: _Renderer, c: PreviewObsolete) -> _Words:
    return "ALTER SYSTEM DELETE OBSOLETE BACKUP PREVIEW", _tenants(c.tenants)


@_of(PinBackupset)
def _(r: _Renderer, c: PinBackupset) -> _Words:
    note = _clause("NOTE", c.note or None)
    return f"ALTER SYSTEM PIN BACKUPSET {c.backup_set_id}", note, _tenants(c.tenants)


@_of(UnpinBackupset)
def _(r: _Renderer, c: UnpinBackupset) -> _Words:
    return f"ALTER SYSTEM UNPIN BACKUPSET {c.backup_set_id}", _tenants(c.tenants)


@_of(RenewServerIdentity)
def _(r: _Renderer, c: RenewServerIdentity) -> _Words:
    return ("ALTER SYSTEM RENEW SERVER IDENTITY",)


@_of(Validate)
def _(r: _Renderer, c: Validate) -> _Words:
    return (
        "ALTER SYSTEM VALIDATE",
        c.kind,
        "" if c.ids_text is None else f"= {quoted(c.ids_text)}",
        "" if c.dest_kind is None or c.path is None else f"{_DEST_WORDS[c.dest_kind]} = {r.uri(c.path)}",
        _clause("LEVEL", c.level),
        _tenants(c.tenants),
        _description(c.description),
    )


@_of(CancelValidate)
def _(r: _Renderer, c: CancelValidate) -> _Words:
    return "ALTER SYSTEM CANCEL VALIDATE BACKUP", _tenants(c.tenants)


# --- restore ---


def _with(r: _Renderer, c: Restore | RecoverTable) -> _Words:
    options = "" if not c.options and c.password is None else f"WITH {_options(r, c.options)}"
    key = "" if c.key_source is None else f"WITH KEY FROM {r.key_source(c.key_source)}"
    sts = "" if c.sts_credential is None else f"WITH TENANT_STS_CREDENTIAL {r.password(c.sts_credential)}"
    return options, r.encrypted_by(c.password), key, r.encrypted_by(c.key_password), sts


def _options(r: _Renderer, options: OptionPairs) -> str:
    return r.uri("&".join(f"{key}={value}" for key, value in options))


@_of(Restore)
def _(r: _Renderer, c: Restore) -> _Words:
    head = "ALTER SYSTEM RESTORE", _name(c.tenant), r.sources(c.sources), _until(c.until)
    return *head, *_with(r, c), _description(c.description)


@_of(RestorePreview)
def _(r: _Renderer, c: RestorePreview) -> _Words:
    key = "" if c.key_source is None else f"WITH KEY FROM {r.key_source(c.key_source)}"
    return "ALTER SYSTEM RESTORE", r.sources(c.sources), _until(c.until), key, "PREVIEW"


@_of(ShowRestorePreview)
def _(r: _Renderer, c: ShowRestorePreview) -> _Words:
    return ("SHOW RESTORE PREVIEW",)


@_of(AddRestoreSource)
def _(r: _Renderer, c: AddRestoreSource) -> _Words:
    return "ALTER SYSTEM ADD RESTORE SOURCE", r.paths(c.sources)


@_of(ClearRestoreSource)
def _(r: _Renderer, c: ClearRestoreSource) -> _Words:
    return ("ALTER SYSTEM CLEAR RESTORE SOURCE",)


@_of(CancelRestore)
def _(r: _Renderer, c: CancelRestore) -> _Words:
    return "ALTER SYSTEM CANCEL RESTORE", _name(c.tenant)


# --- standby tenants ---


@_of(RecoverStandby)
def _(r: _Renderer, c: RecoverStandby) -> _Words:
    point = c.point.value if isinstance(c.point, RecoverPoint) else _until(c.point)
    return "ALTER SYSTEM RECOVER STANDBY", _tenants(c.tenants), point


@_of(ActivateStandby)
def _(r: _Renderer, c: ActivateStandby) -> _Words:
    return "ALTER SYSTEM ACTIVATE STANDBY", _tenants(c.tenants), _flag("VERIFY", c.verify)


@_of(Switchover)
def _(r: _Renderer, c: Switchover) -> _Words:
    return "ALTER SYSTEM SWITCHOVER TO", c.to.value, _tenants(c.tenants), _flag("VERIFY", c.verify)


@_of(RunUpgradeJob)
def _(r: _Renderer, c: RunUpgradeJob) -> _Words:
    return "ALTER SYSTEM RUN UPGRADE JOB", quoted(c.job), _tenants(c.tenants)


# --- table recovery ---


def _item(item: TableItem) -> str:
    partitions = f" PARTITION ({', '.join(map(_name, item.partitions))})" if item.partitions else ""
    return f"{_name_or_all(item.database)}.{_name_or_all(item.table)}{partitions}"


def _remap(item: RemapTable) -> str:
    target = _name_or_all(item.to_table)
    if item.to_database is not None:
        target = f"{_name_or_all(item.to_database)}.{target}"
    return f"{_name(item.database)}.{_name_or_all(item.table)}:{target}"


def _remap_names(word: str, pairs: tuple[tuple[str, str], ...]) -> str:
    return f"REMAP {word} {', '.join(f'{_name(old)}:{_name(new)}' for old, new in pairs)}" if pairs else ""


@_of(RecoverTable)
def _(r: _Renderer, c: RecoverTable) -> _Words:
    return (
        "ALTER SYSTEM RECOVER TABLE",
        ", ".join(map(_item, c.items)),
        "" if c.target is None else f"TO TENANT = {_name(c.target)}",
        r.sources(c.sources),
        _until(c.until),
        *_with(r, c),
        f"REMAP TABLE {', '.join(map(_remap, c.remap_tables))}" if c.remap_tables else "",
        _remap_names("TABLEGROUP", c.remap_tablegroups),
        _remap_names("TABLESPACE", c.remap_tablespaces),
        _description(c.description),
        "PREVIEW" if c.preview else "",
    )


@_of(CancelRecoverTable)
def _(r: _Renderer, c: CancelRecoverTable) -> _Words:
    return "ALTER SYSTEM CANCEL RECOVER TABLE", _name(c.tenant)


# --- parameters ---


def _assignment(r: _Renderer, a: Assignment) -> str:
    words = (
        f"{_name(a.name)} = {r.value(a.name, a.value)}",
        "" if a.password is None else f"IDENTIFIED BY {r.password(a.password)}",
        f"COMMENT {quoted(a.comment)}" if a.comment else "",
        f"SCOPE = {a.scope}" if a.scope else "",
        _clause("SERVER", a.server),
        "" if a.zone is None else f"ZONE = {_name(a.zone)}",
        _tenants(a.tenants),
    )
    return " ".join(word for word in words if word)


def _reset(reset: ParameterReset) -> str:
    words = _name(reset.name), f"SCOPE = {reset.scope}" if reset.scope else "", _tenants(reset.tenants)
    return " ".join(word for word in words if word)


@_of(ParameterAssignments)
def _(r: _Renderer, c: ParameterAssignments) -> _Words:
    return "ALTER SYSTEM SET", ", ".join(_assignment(r, assignment) for assignment in c.assignments)


@_of(ResetParameters)
def _(r: _Renderer, c: ResetParameters) -> _Words:
    return "ALTER SYSTEM RESET", ", ".join(map(_reset, c.resets))


@_of(ShowParameters)
def _(r: _Renderer, c: ShowParameters) -> _Words:
    return (
        "SHOW PARAMETERS",
        "" if c.like is None else f"LIKE {quoted(c.like)}",
        "" if c.where is None else f"WHERE {c.where}",
        "" if c.tenant is None else f"TENANT = {_name(c.tenant)}",
    )


# --- resources and tenants ---


def _size(word: str, size_bytes: int | None) -> str:
    return "" if size_bytes is None else f"{word} = {quoted(capacity_text(size_bytes))}"


def _if(words: str, is_set: bool) -> str:
    return f"IF {words}" if is_set else ""


def _names_in_parentheses(word: str, names: tuple[str, ...]) -> str:
    return f"{word} = ({', '.join(map(quoted, names))})" if names else ""


@_of(CreateResourceUnit)
def _(r: _Renderer, c: CreateResourceUnit) -> _Words:
    options = (
        _number("MAX_CPU", None if c.max_cpu is None else f"{c.max_cpu:f}"),
        _number("MIN_CPU", None if c.min_cpu is None else f"{c.min_cpu:f}"),
        _size("MEMORY_SIZE", c.memory_size_bytes),
        _size("LOG_DISK_SIZE", c.log_disk_size_bytes),
        _size("DATA_DISK_SIZE", c.data_disk_size_bytes),
        _number("MAX_IOPS", c.max_iops),
        _number("MIN_IOPS", c.min_iops),
        _number("IOPS_WEIGHT", c.iops_weight),
    )
    head = "CREATE RESOURCE UNIT", _if("NOT EXISTS", c.if_not_exists), _name(c.name)
    return *head, ", ".join(option for option in options if option)


@_of(CreateResourcePool)
def _(r: _Renderer, c: CreateResourcePool) -> _Words:
    options = (
        _clause("UNIT", c.unit),
        _number("UNIT_NUM", c.unit_num),
        _names_in_parentheses("ZONE_LIST", c.zones),
    )
    head = "CREATE RESOURCE POOL", _if("NOT EXISTS", c.if_not_exists), _name(c.name)
    return *head, ", ".join(option for option in options if option)


@_of(DropResourceUnit)
def _(r: _Renderer, c: DropResourceUnit) -> _Words:
    return "DROP RESOURCE UNIT", _if("EXISTS", c.if_exists), _name(c.name)


@_of(DropResourcePool)
def _(r: _Renderer, c: DropResourcePool) -> _Words:
    return "DROP RESOURCE POOL", _if("EXISTS", c.if_exists), _name(c.name)


@_of(CreateTenant)
def _(r: _Renderer, c: CreateTenant) -> _Words:
    options = (
        _clause("CHARSET", c.charset),
        _clause("COLLATE", c.collation),
        _clause("LOCALITY", c.locality),
        _clause("PRIMARY_ZONE", c.primary_zone),
        _clause("UNIT", c.unit),
        _names_in_parentheses("RESOURCE_POOL_LIST", c.pools),
        _names_in_parentheses("ZONE_LIST", c.zones),
        f"COMMENT = {quoted(c.comment)}" if c.comment else "",
        *(_tenant_option(name, value) for name, value in c.other),
    )
    variables = ", ".join(f"{_name(name)} = {quoted(value)}" for name, value in c.variables)
    head = "CREATE TENANT", _if("NOT EXISTS", c.if_not_exists), _name(c.name)
    return *head, ", ".join(option for option in options if option), f"SET {variables}" if variables else ""


def _tenant_option(name: str, value: str) -> str:
    return f"READ {value.upper()}" if name == "read" else f"{name.upper()} = {quoted(value)}"


@_of(DropTenant)
def _(r: _Renderer, c: DropTenant) -> _Words:
    return "DROP TENANT", _if("EXISTS", c.if_exists), _name(c.name), c.mode.value if c.mode else ""


@_of(ShowTenants)
def _(r: _Renderer, c: ShowTenants) -> _Words:
    return ("SHOW TENANTS",)


@_of(NotOurs)
def _(r: _Renderer, c: NotOurs) -> _Words:
    return "ALTER SYSTEM", c.feature
