"""Rules for archiving, backup, cleanup, validation and destinations: `ALTER SYSTEM ...`, `SET ENCRYPTION ...`.

Each rule begins after the words that chose it (the tables in `parser.py`) and reads to its last clause; the parser
checks that nothing follows.
"""

from collections.abc import Callable

from holdfast.statement.clauses import (
    comma_list,
    description_clause,
    encrypted_by_clause,
    integer_clause,
    string_clause,
    tenant_clause,
)
from holdfast.statement.commands import (
    AddDeletePolicy,
    Archivelog,
    Backup,
    BackupClusterParameters,
    BackupKey,
    CancelBackup,
    CancelDelete,
    CancelValidate,
    ChangeExternalStorage,
    DeleteArchivelogPiece,
    DeleteBackupAll,
    DeleteBackupset,
    DeleteObsolete,
    DropDeletePolicy,
    Noarchivelog,
    NotOurs,
    PinBackupset,
    PreviewObsolete,
    RenewServerIdentity,
    SetDecryption,
    SetEncryption,
    UnpinBackupset,
    Validate,
    ValidateKind,
)
from holdfast.statement.cursor import Cursor
from holdfast.statement.lexer import Kind
from holdfast.values.destination import DestinationKind

_DEST_KINDS = {
    "DATA_BACKUP_DEST": DestinationKind.BACKUP_DATA,
    "LOG_ARCHIVE_DEST": DestinationKind.ARCHIVE_LOG,
}
_VALIDATE_KINDS = {str(kind): kind for kind in ValidateKind}


def not_ours(feature: str) -> Callable[[Cursor], NotOurs]:
    """Return the rule of a grammar leftover: whatever follows its first words is passed over."""

    def rule(cursor: Cursor) -> NotOurs:
        cursor.skip_rest()
        return NotOurs(feature=feature)

    return rule


# --- archiving ---


def archivelog(cursor: Cursor) -> Archivelog:
    return Archivelog(tenants=tenant_clause(cursor), description=description_clause(cursor))


def noarchivelog(cursor: Cursor) -> Noarchivelog:
    return Noarchivelog(tenants=tenant_clause(cursor), description=description_clause(cursor))


# --- backup ---


def backup(cursor: Cursor) -> Backup:
    """`[INCREMENTAL] [DATABASE]`, then TENANT, TO and PLUS ARCHIVELOG in any order, DESCRIPTION last.

    The manual prints PLUS ARCHIVELOG before and after the tenants; both are taken, and DATABASE excludes TENANT.
    """
    incremental = cursor.accept_words("INCREMENTAL")
    database = cursor.accept_words("DATABASE")
    tenants: tuple[str, ...] = ()
    to: str | None = None
    plus_archivelog = False
    while True:
        if not tenants and not database and cursor.at_words("TENANT"):
            tenants = tenant_clause(cursor)
        elif to is None and cursor.at_words("TO"):
            to = string_clause(cursor, "TO")
        elif not plus_archivelog and cursor.accept_words("PLUS"):
            cursor.expect_words("ARCHIVELOG")
            plus_archivelog = True
        else:
            break
    return Backup(
        incremental=incremental,
        database=database,
        tenants=tenants,
        to=to,
        plus_archivelog=plus_archivelog,
        description=description_clause(cursor),
    )


def cancel_backup(cursor: Cursor) -> CancelBackup:
    return CancelBackup(tenants=tenant_clause(cursor))


def set_encryption(cursor: Cursor) -> SetEncryption:
    cursor.expect_words("IDENTIFIED", "BY")
    password = cursor.expect_string()
    cursor.expect_words("ONLY")
    return SetEncryption(password=password)


def set_decryption(cursor: Cursor) -> SetDecryption:
    cursor.expect_words("BY")
    return SetDecryption(passwords=comma_list(cursor, cursor.expect_string))


def backup_key(cursor: Cursor) -> BackupKey:
    return BackupKey(
        tenants=tenant_clause(cursor),
        to=string_clause(cursor, "TO"),
        password=encrypted_by_clause(cursor),
    )


def backup_cluster_parameters(cursor: Cursor) -> BackupClusterParameters:
    cursor.expect_words("TO")
    cursor.skip_equal()
    return BackupClusterParameters(to=cursor.expect_string(), password=encrypted_by_clause(cursor))


def change_external_storage(cursor: Cursor) -> ChangeExternalStorage:
    """`PATH [=] 's' SET {ACCESS_INFO [=] 's' | ATTRIBUTE [=] 's'}`: at least one of the two."""
    cursor.expect_words("PATH")
    cursor.skip_equal()
    path = cursor.expect_string()
    cursor.accept_words("SET")
    access_info = string_clause(cursor, "ACCESS_INFO")
    attribute = string_clause(cursor, "ATTRIBUTE")
    if access_info is None and attribute is None:
        cursor.fail()
    return ChangeExternalStorage(path=path, access_info=access_info, attribute=attribute)


# --- cleanup ---


def add_delete_policy(cursor: Cursor) -> AddDeletePolicy:
    return AddDeletePolicy(
        name=_policy_name(cursor),
        recovery_window=string_clause(cursor, "RECOVERY_WINDOW"),
        redundancy=integer_clause(cursor, "REDUNDANCY"),
        backup_copies=integer_clause(cursor, "BACKUP_COPIES"),
        tenants=tenant_clause(cursor),
    )


def drop_delete_policy(cursor: Cursor) -> DropDeletePolicy:
    return DropDeletePolicy(name=_policy_name(cursor), tenants=tenant_clause(cursor))


def _policy_name(cursor: Cursor) -> str:
    cursor.expect_words("POLICY")
    cursor.skip_equal()
    return cursor.expect_string()


def delete_obsolete(cursor: Cursor) -> DeleteObsolete:
    return DeleteObsolete(tenants=tenant_clause(cursor), description=description_clause(cursor))


def delete_backupset(cursor: Cursor) -> DeleteBackupset | NotOurs:
    """`id [, id ...]`; the old `n COPY n` is not ours."""
    ids = comma_list(cursor, cursor.expect_integer)
    if len(ids) == 1 and cursor.accept_words("COPY"):
        cursor.skip_rest()
        return NotOurs(feature=f"DELETE BACKUPSET {ids[0]} COPY")
    return DeleteBackupset(ids=ids, tenants=tenant_clause(cursor), description=description_clause(cursor))


def delete_archivelog_piece(cursor: Cursor) -> DeleteArchivelogPiece:
    return DeleteArchivelogPiece(
        ids=comma_list(cursor, cursor.expect_integer),
        tenants=tenant_clause(cursor),
        description=description_clause(cursor),
    )


def delete_backup_all(cursor: Cursor) -> DeleteBackupAll:
    kind = _DEST_KINDS[cursor.expect_one_of(*_DEST_KINDS)]
    cursor.skip_equal()
    return DeleteBackupAll(
        kind=kind,
        path=cursor.expect_string(),
        tenants=tenant_clause(cursor),
        description=description_clause(cursor),
    )


def cancel_delete(cursor: Cursor) -> CancelDelete:
    return CancelDelete(tenants=tenant_clause(cursor), description=description_clause(cursor))


def preview_obsolete(cursor: Cursor) -> PreviewObsolete:
    return PreviewObsolete(tenants=tenant_clause(cursor))


def pin_backupset(cursor: Cursor) -> PinBackupset:
    return PinBackupset(
        backup_set_id=cursor.expect_integer(),
        note=string_clause(cursor, "NOTE") or "",
        tenants=tenant_clause(cursor),
    )


def unpin_backupset(cursor: Cursor) -> UnpinBackupset:
    return UnpinBackupset(backup_set_id=cursor.expect_integer(), tenants=tenant_clause(cursor))


def renew_server_identity(_: Cursor) -> RenewServerIdentity:
    return RenewServerIdentity()


# --- validation ---


def validate(cursor: Cursor) -> Validate | NotOurs:
    """`{BACKUP | BACKUPSET | ARCHIVELOG_PIECE} [= 'ids']`, then DEST, LEVEL, TENANT in any order, DESCRIPTION last."""
    kind = _VALIDATE_KINDS[cursor.expect_one_of(*_VALIDATE_KINDS)]
    if kind is ValidateKind.BACKUPSET and cursor.token().kind is Kind.NUMBER:
        number = cursor.expect_integer()
        cursor.skip_rest()
        return NotOurs(feature=f"VALIDATE BACKUPSET {number}")
    ids_text: str | None = None
    if cursor.accept_mark("=") or cursor.at_string():
        ids_text = cursor.expect_string()
    dest_kind: DestinationKind | None = None
    path: str | None = None
    level: str | None = None
    tenants: tuple[str, ...] = ()
    while True:
        if path is None and (word := cursor.accept_one_of(*_DEST_KINDS)):
            dest_kind = _DEST_KINDS[word]
            cursor.skip_equal()
            path = cursor.expect_string()
        elif level is None and cursor.at_words("LEVEL"):
            level = string_clause(cursor, "LEVEL")
        elif not tenants and cursor.at_words("TENANT"):
            tenants = tenant_clause(cursor)
        else:
            break
    return Validate(
        kind=kind,
        ids_text=ids_text,
        dest_kind=dest_kind,
        path=path,
        level=level,
        tenants=tenants,
        description=description_clause(cursor),
    )


def cancel_validate(cursor: Cursor) -> CancelValidate:
    return CancelValidate(tenants=tenant_clause(cursor))
