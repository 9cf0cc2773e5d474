"""Master keys: they wrap the data keys of sets and pieces, and are known by id wherever a key has to be opened.

Whoever reads a destination is handed the master keys it may use; what needs another one stays closed, and says so.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast import codes
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.key_record import KEY_ID_BYTES
from holdfast.backup_format.log_frame import LogKey, LogKeys
from holdfast.backup_format.manifest import Encryption, EncryptionMode, Manifest
from holdfast.backup_format.piece_keys import PieceKey, piece_key_place
from holdfast.errors import CorruptionError, RefusedError
from holdfast.keys.password import SECRET_BYTES, SetKey, SetPlace, place_of
from holdfast.values.lsn import Lsn

_NONCE_BYTES = 12


def wrapped(secret: bytes, by: bytes, associated: bytes) -> bytes:
    """Return `secret` sealed with the key `by` for one place: nonce, then AES-256-GCM with its tag."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(by).encrypt(nonce, secret, associated)


def unwrapped(sealed: bytes, by: bytes, associated: bytes) -> bytes | None:
    """Return what was wrapped, None when the key or the place is another."""
    try:
        return AESGCM(by).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated)
    except InvalidTag:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Master:
    """One master key of a tenant. `key_id`: 32 hex digits; `secret`: 32 bytes."""

    key_id: str
    created_us: int
    secret: bytes = field(repr=False)


def new_master(created_us: int) -> Master:
    return Master(
        key_id=secrets.token_hex(KEY_ID_BYTES), created_us=created_us, secret=secrets.token_bytes(SECRET_BYTES)
    )


class Masters:
    """Master keys by id. `more`: asked for one that is not among them; it may look somewhere, and answers None otherwise."""

    __slots__ = ("_known", "_more")

    def __init__(
        self, known: Mapping[str, bytes] | None = None, more: Callable[[str], bytes | None] | None = None
    ) -> None:
        self._known = dict(known or {})
        self._more = more

    def __repr__(self) -> str:
        return "Masters(...)"

    def known(self) -> dict[str, bytes]:
        """Return what is known by now, by id."""
        return dict(self._known)

    def get(self, key_id: str) -> bytes | None:
        """Return the key, None when it is not known."""
        found = self._known.get(key_id)
        if found is None and self._more is not None and (found := self._more(key_id)) is not None:
            self._known[key_id] = found
        return found

    def secret_of(self, manifest: Manifest, *, name: str) -> bytes | None:
        """Return the data key of a set that is sealed with a master key, None when that is not known.

        Raises CorruptionError for a wrapped key that its own master key does not open.
        """
        encryption = manifest.encryption
        master = self.get(encryption.key_id)
        if master is None:
            return None
        return _opened(encryption.wrapped_key, master, place_of(manifest).associated(), name)

    def log_keys(
        self, keys: Sequence[PieceKey], *, cluster_id: int, tenant_id: int, root: str, timeline: str
    ) -> LogKeys:
        """Return what opens a piece's log; a key that is not known is marked so. Raises CorruptionError as `secret_of`."""
        entries = []
        for key in keys:
            master = self.get(key.key_id) if key.is_sealed else None
            secret = None
            if master is not None:
                place = piece_key_place(
                    cluster_id=cluster_id, tenant_id=tenant_id, root=root, timeline=timeline, from_lsn=key.from_lsn
                )
                secret = _opened(key.wrapped_key, master, place, root)
            entries.append(
                LogKey(from_lsn=key.from_lsn, is_sealed=key.is_sealed, key=None if secret is None else DataKey(secret))
            )
        return LogKeys(entries)


NO_MASTERS = Masters()


def _opened(sealed: bytes, master: bytes, place: bytes, name: str) -> bytes:
    secret = unwrapped(sealed, master, place)
    if secret is None:
        raise CorruptionError(
            f"{name} names a key that does not open with its master key",
            hint="the record was changed, or moved here from another place; use another copy",
        )
    return secret


def new_set_key(master: Master, place: SetPlace) -> SetKey:
    """Return a new random key for one set, wrapped by a master key."""
    secret = secrets.token_bytes(SECRET_BYTES)
    encryption = Encryption(
        mode=EncryptionMode.KEY,
        key_id=master.key_id,
        wrapped_key=wrapped(secret, master.secret, place.associated()),
    )
    return SetKey(secret=secret, encryption=encryption)


def new_piece_key(
    master: Master, *, cluster_id: int, tenant_id: int, root: str, timeline: str, from_lsn: Lsn
) -> tuple[PieceKey, DataKey]:
    """Return a new random key for a piece's log from an LSN on, wrapped by a master key."""
    secret = secrets.token_bytes(SECRET_BYTES)
    place = piece_key_place(cluster_id=cluster_id, tenant_id=tenant_id, root=root, timeline=timeline, from_lsn=from_lsn)
    wrap = wrapped(secret, master.secret, place)
    return PieceKey(from_lsn=from_lsn, key_id=master.key_id, wrapped_key=wrap), DataKey(secret)


def key_missing(what: str) -> RefusedError:
    """Return the refusal (-9047) to open something whose key is not known."""
    return RefusedError(
        f"{what} is encrypted and its key is not known here",
        hint="name what its tenant's backup_encryption names: RESTORE ... WITH KEY FROM 'file:...', 'env:...' or 'command:...', or"
        " its password by SET DECRYPTION IDENTIFIED BY '...'",
        code=codes.OB_BACKUP_INVALID_PASSWORD,
    )
