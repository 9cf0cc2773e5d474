"""From one statement's text to a command: recursive descent, one function per statement.

The first words choose the function in one of the tables of this file; the grammar files hold the functions. A keyword
is a keyword only where the grammar expects one, so a tenant may be named `restore` or `tenant`.
"""

from collections.abc import Callable, Mapping

from holdfast.statement import backup_grammar as backup
from holdfast.statement import parameter_grammar as parameter
from holdfast.statement import restore_grammar as restore
from holdfast.statement import tenant_grammar as tenant
from holdfast.statement.commands import Command
from holdfast.statement.cursor import Cursor

Rule = Callable[[Cursor], Command]
Words = tuple[str, ...]

# The words before, then the rule for what follows. Longer entries first where one begins another.
_ALTER_SYSTEM: Mapping[Words, Rule] = {
    ("SET",): parameter.set_parameters,
    ("RESET",): parameter.reset_parameters,
    ("ARCHIVELOG",): backup.archivelog,
    ("NOARCHIVELOG",): backup.noarchivelog,
    ("BACKUP", "KEY"): backup.backup_key,
    ("BACKUP", "CLUSTER", "PARAMETERS"): backup.backup_cluster_parameters,
    ("BACKUP", "BACKUPSET"): backup.not_ours("BACKUP BACKUPSET"),
    ("BACKUP", "BACKUPPIECE"): backup.not_ours("BACKUP BACKUPPIECE"),
    ("BACKUP",): backup.backup,
    ("CANCEL", "BACKUP", "BACKUPSET"): backup.not_ours("CANCEL BACKUP BACKUPSET"),
    ("CANCEL", "BACKUP", "BACKUPPIECE"): backup.not_ours("CANCEL BACKUP BACKUPPIECE"),
    ("CANCEL", "BACKUP"): backup.cancel_backup,
    ("CANCEL", "ALL", "BACKUP", "FORCE"): backup.not_ours("CANCEL ALL BACKUP FORCE"),
    ("CANCEL", "DELETE", "BACKUP"): backup.cancel_delete,
    ("CANCEL", "VALIDATE", "BACKUP"): backup.cancel_validate,
    ("CANCEL", "VALIDATE"): backup.not_ours("CANCEL VALIDATE"),
    ("CANCEL", "RESTORE"): restore.cancel_restore,
    ("CANCEL", "RECOVER", "TABLE"): restore.cancel_recover_table,
    ("ADD", "DELETE", "BACKUP"): backup.add_delete_policy,
    ("ADD", "RESTORE", "SOURCE"): restore.add_restore_source,
    ("CLEAR", "RESTORE", "SOURCE"): restore.clear_restore_source,
    ("DROP", "DELETE", "BACKUP"): backup.drop_delete_policy,
    ("DELETE", "OBSOLETE", "BACKUP", "PREVIEW"): backup.preview_obsolete,
    ("DELETE", "OBSOLETE", "BACKUP"): backup.delete_obsolete,
    ("PIN", "BACKUPSET"): backup.pin_backupset,
    ("UNPIN", "BACKUPSET"): backup.unpin_backupset,
    ("RENEW", "SERVER", "IDENTITY"): backup.renew_server_identity,
    ("DELETE", "BACKUPSET"): backup.delete_backupset,
    ("DELETE", "ARCHIVELOG_PIECE"): backup.delete_archivelog_piece,
    ("DELETE", "BACKUP", "ALL"): backup.delete_backup_all,
    ("DELETE", "BACKUPPIECE"): backup.not_ours("DELETE BACKUPPIECE"),
    ("DELETE", "BACKUPROUND"): backup.not_ours("DELETE BACKUPROUND"),
    ("DELETE", "EXPIRED", "BACKUP"): backup.not_ours("DELETE EXPIRED BACKUP"),
    ("VALIDATE", "DATABASE"): backup.not_ours("VALIDATE DATABASE"),
    ("VALIDATE",): backup.validate,
    ("START", "BACKUP", "ARCHIVELOG"): backup.not_ours("START BACKUP ARCHIVELOG"),
    ("STOP", "BACKUP", "ARCHIVELOG"): backup.not_ours("STOP BACKUP ARCHIVELOG"),
    ("SUSPEND", "BACKUP"): backup.not_ours("SUSPEND BACKUP"),
    ("RESUME", "BACKUP"): backup.not_ours("RESUME BACKUP"),
    ("RESTORE",): restore.restore,
    ("RECOVER", "STANDBY"): restore.recover_standby,
    ("RECOVER", "TABLE"): restore.recover_table,
    ("ACTIVATE", "STANDBY"): restore.activate_standby,
    ("SWITCHOVER", "TO"): restore.switchover,
    ("RUN", "UPGRADE", "JOB"): restore.run_upgrade_job,
    ("CHANGE", "EXTERNAL_STORAGE_DEST"): backup.change_external_storage,
    ("ALTER", "EXTERNAL_STORAGE_DEST"): backup.change_external_storage,
    ("MODIFY", "EXTERNAL_STORAGE_DEST"): backup.change_external_storage,
}
_STATEMENTS: Mapping[Words, Rule] = {
    ("SET", "ENCRYPTION", "ON"): backup.set_encryption,
    ("SET", "DECRYPTION", "IDENTIFIED"): backup.set_decryption,
    ("SHOW", "PARAMETERS"): parameter.show_parameters,
    ("SHOW", "RESTORE", "PREVIEW"): restore.show_restore_preview,
    ("SHOW", "TENANT"): tenant.show_tenants,
    ("SHOW", "TENANTS"): tenant.show_tenants,
    ("CREATE", "TENANT"): tenant.create_tenant,
    ("CREATE", "RESOURCE", "UNIT"): tenant.create_resource_unit,
    ("CREATE", "RESOURCE", "POOL"): tenant.create_resource_pool,
    ("DROP", "TENANT"): tenant.drop_tenant,
    ("DROP", "RESOURCE", "UNIT"): tenant.drop_resource_unit,
    ("DROP", "RESOURCE", "POOL"): tenant.drop_resource_pool,
}


def parse(text: str) -> Command:
    """Return the command that `text` (one statement, a trailing `;` allowed) stands for.

    Raises StatementError (1064) with MySQL's own sentence: near which text, in which line. A few statements are refused
    while they are read (RefusedError): a REMAP clause written twice, a resource unit value that is no size.
    """
    cursor = Cursor(text)
    if cursor.accept_words("ALTER", "SYSTEM"):
        rule = parameter.set_parameters if cursor.at_mark("=", ahead=1) else _rule(cursor, _ALTER_SYSTEM)
    else:
        rule = _rule(cursor, _STATEMENTS)
    command = rule(cursor)
    cursor.expect_end()
    return command


def owns(cursor: Cursor) -> bool:
    """Return whether a statement that begins here, parameters apart, is one that `parse` knows by its first words."""
    if cursor.accept_words("ALTER", "SYSTEM"):
        return _longest(cursor, _ALTER_SYSTEM) is not None
    return _longest(cursor, _STATEMENTS) is not None


def _rule(cursor: Cursor, table: Mapping[Words, Rule]) -> Rule:
    """Return the rule for the words here and move past them. Fails near the first word that no statement goes on with."""
    words = _longest(cursor, table)
    if words is None:
        best = max((_shared(cursor, words) for words in table), default=0)
        for _ in range(best):
            cursor.advance()
        cursor.fail()
    cursor.expect_words(*words)
    return table[words]


def _longest(cursor: Cursor, table: Mapping[Words, Rule]) -> Words | None:
    # The tables list longer entries before those they begin with, so the first that fits is the longest.
    first = cursor.token().word
    return next((words for words in table if words[0] == first and cursor.at_words(*words)), None)


def _shared(cursor: Cursor, words: Words) -> int:
    """Return how many of the first tokens here are the first of `words`."""
    return next((count for count in range(len(words), 0, -1) if cursor.at_words(*words[:count])), 0)
