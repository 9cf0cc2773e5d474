"""The keys of what a plan reads, from passwords and master keys, before anything is created."""

from collections.abc import Callable

from holdfast import codes
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.manifest import EncryptionMode, check_authentic
from holdfast.backup_format.reach import SetFact
from holdfast.destination.pieces import log_keys
from holdfast.errors import refuse
from holdfast.keys.masters import NO_MASTERS, Masters, key_missing
from holdfast.keys.password import Passwords, SetKey, place_of
from holdfast.restore.plan import RestorePlan

Secrets = dict[int, SetKey]
"""The keys of encrypted sets, by set id."""


def open_keys(plan: RestorePlan, passwords: Passwords | None, masters: Masters = NO_MASTERS) -> Secrets:
    """Return the key of every encrypted set in the plan's chain.

    Raises RefusedError -9047 when a password or a master key is missing or wrong, CorruptionError for a manifest that was changed.
    """

    def secret_of(fact: SetFact) -> bytes | None:
        if fact.manifest.encryption.mode is EncryptionMode.KEY:
            return masters.secret_of(fact.manifest, name=fact.root)
        if passwords is None:
            return None
        return passwords.secret_of(fact.manifest.encryption, place_of(fact.manifest), name=fact.root)

    return _keys(plan, secret_of, "restore")


def _keys(plan: RestorePlan, secret_of: Callable[[SetFact], bytes | None], what: str) -> Secrets:
    """`what`: what is to be done in the session that names the passwords."""
    found: Secrets = {}
    for fact in plan.chain:
        manifest = fact.manifest
        if manifest.encryption.mode is EncryptionMode.NONE:
            continue
        secret = secret_of(fact)
        if secret is None and manifest.encryption.mode is EncryptionMode.KEY:
            raise key_missing(fact.root)
        if secret is None:
            raise refuse(
                codes.OB_BACKUP_INVALID_PASSWORD,
                hint=f"{fact.root} is encrypted: run SET DECRYPTION IDENTIFIED BY '...' with the password of every set of"
                f" its chain ({', '.join(plan.set_roots)}), then {what} in the same session",
            )
        found[manifest.backup_set_id] = SetKey(secret=secret, encryption=manifest.encryption)
    return found


def require_log_keys(plan: RestorePlan, masters: Masters) -> None:
    """Raise RefusedError -9047 unless every piece of an archive that the plan reads can be opened; CorruptionError for a changed one."""
    for step in plan.steps:
        if not log_keys(step.piece, masters).can_open:
            raise key_missing(step.piece.root)


def kept_keys(plan: RestorePlan, kept: Callable[[int], SetKey | None], masters: Masters = NO_MASTERS) -> Secrets:
    """Return the key of every encrypted set in the plan's chain from keys this server keeps. Raises RefusedError -9047."""

    def secret_of(fact: SetFact) -> bytes | None:
        key = kept(fact.manifest.backup_set_id)
        if key is None and fact.manifest.encryption.mode is EncryptionMode.KEY:
            return masters.secret_of(fact.manifest, name=fact.root)
        return None if key is None else key.secret

    return _keys(plan, secret_of, "try again")


def data_keys(plan: RestorePlan, kept: Callable[[int], SetKey | None]) -> dict[int, DataKey]:
    """Return the data keys of a plan from keys that were kept, by set id, each manifest checked against its key.

    Raises RefusedError -9047 when one is not kept, CorruptionError for a manifest that is not as it was written.
    """

    keys = {set_id: DataKey(key.secret) for set_id, key in kept_keys(plan, kept).items()}
    for fact in plan.chain:
        key = keys.get(fact.manifest.backup_set_id)
        if key is not None:
            check_authentic(fact.manifest, key, name=fact.root)
    return keys
