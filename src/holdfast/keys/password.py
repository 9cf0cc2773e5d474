"""From a password to the key of a set, and back.

    password --scrypt(salt, n, r, p)--> wrapping key --AES-256-GCM(place)--> wrapped data key, in the manifest
                                                                             data key: random, one for each set

The associated data of the wrap name cluster, tenant and set, so a wrapped key moved to another manifest does not open.
Nothing here is ever printed.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from holdfast import codes
from holdfast.backup_format.manifest import Encryption, EncryptionMode, Manifest
from holdfast.errors import CorruptionError, refuse

SECRET_BYTES = 32
SALT_BYTES = 16
_NONCE_BYTES = 12
_WRAPPED_BYTES = _NONCE_BYTES + SECRET_BYTES + 16

SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 15, 8, 3
"""32 MiB and a quarter of a second for each guess: one of OWASP's equal choices for scrypt, the one with the memory a server of
300 MiB can spare."""
_MEMORY_BYTES_MAX = 256 << 20
_WORK_MAX = (1 << 20) * 16 * 4
"""What a manifest may ask for: 16 times what we write. More is a forgery that wants to exhaust the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPlace:
    """Which set a wrapped key belongs to."""

    cluster_id: int
    tenant_id: int
    backup_set_id: int

    def associated(self) -> bytes:
        return f"holdfast data key 1 {self.cluster_id} {self.tenant_id} {self.backup_set_id}".encode()


def place_of(manifest: Manifest) -> SetPlace:
    return SetPlace(cluster_id=manifest.cluster_id, tenant_id=manifest.tenant_id, backup_set_id=manifest.backup_set_id)


class BackupPassword:
    """SET ENCRYPTION of a session: the password is stretched once, when it is set, and then forgotten.

    Every set of the session wraps a key of its own with the same wrapping key.
    """

    __slots__ = ("_salt", "_wrapping_key")

    def __init__(self, password: str) -> None:
        """Raises RefusedError (1210) for an empty password."""
        if not password:
            raise refuse(
                codes.OB_INVALID_ARGUMENT,
                "encryption password",
                hint="a set is encrypted with a password or not at all",
            )
        self._salt = secrets.token_bytes(SALT_BYTES)
        self._wrapping_key = stretched(password, self._salt, SCRYPT_N, SCRYPT_R, SCRYPT_P)

    def __repr__(self) -> str:
        return "BackupPassword(...)"

    def new_key(self, place: SetPlace) -> "SetKey":
        """Return a new random key for one set, and what its manifest says of it."""
        secret, nonce = secrets.token_bytes(SECRET_BYTES), secrets.token_bytes(_NONCE_BYTES)
        wrapped = AESGCM(self._wrapping_key).encrypt(nonce, secret, place.associated())
        encryption = Encryption(
            mode=EncryptionMode.PASSWORD,
            scrypt_salt=self._salt,
            scrypt_n=SCRYPT_N,
            scrypt_r=SCRYPT_R,
            scrypt_p=SCRYPT_P,
            wrapped_key=nonce + wrapped,
        )
        return SetKey(secret=secret, encryption=encryption)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetKey:
    """The key of one set. `secret`: 32 bytes."""

    secret: bytes = field(repr=False)
    encryption: Encryption = field(repr=False)


class Passwords:
    """SET DECRYPTION of a session: passwords to try, in any order. Stretching is remembered, for it is slow."""

    __slots__ = ("_passwords", "_stretched")

    def __init__(self, passwords: Sequence[str]) -> None:
        self._passwords = tuple(dict.fromkeys(passwords))
        self._stretched: dict[tuple[bytes, int, int, int, str], bytes] = {}

    def __repr__(self) -> str:
        return "Passwords(...)"

    def secrets(self) -> tuple[bytes, ...]:
        """Return the passwords as they are stretched."""
        return tuple(password.encode() for password in self._passwords)

    def secret_of(self, encryption: Encryption, place: SetPlace, *, name: str) -> bytes | None:
        """Return the set's data key, None when no password opens it.

        Raises CorruptionError when `encryption` can not be what any backup wrote; `name`: what messages call its manifest.
        """
        _check(encryption, name)
        nonce, wrapped = encryption.wrapped_key[:_NONCE_BYTES], encryption.wrapped_key[_NONCE_BYTES:]
        for password in self._passwords:
            wrapping_key = self._wrapping_key(password, encryption)
            try:
                return AESGCM(wrapping_key).decrypt(nonce, wrapped, place.associated())
            except InvalidTag:
                continue
        return None

    def _wrapping_key(self, password: str, encryption: Encryption) -> bytes:
        cost = (encryption.scrypt_salt, encryption.scrypt_n, encryption.scrypt_r, encryption.scrypt_p)
        known = self._stretched.get((*cost, password))
        if known is None:
            known = self._stretched[*cost, password] = stretched(password, *cost)
        return known


def _check(encryption: Encryption, name: str) -> None:
    n, r, p = encryption.scrypt_n, encryption.scrypt_r, encryption.scrypt_p
    if len(encryption.wrapped_key) != _WRAPPED_BYTES or not is_payable(encryption.scrypt_salt, n, r, p):
        raise CorruptionError(
            f"{name} describes an encryption that no backup wrote: scrypt n {n}, r {r}, p {p}, a wrapped key of"
            f" {len(encryption.wrapped_key)} bytes",
            hint="the manifest was changed; use another copy of the set",
        )


def is_payable(salt: bytes, n: int, r: int, p: int) -> bool:
    """Return whether these may be parameters of scrypt that we wrote: what costs more is a forgery."""
    return (
        len(salt) >= SALT_BYTES
        and n >= 2
        and n & (n - 1) == 0
        and r >= 1
        and p >= 1
        and 128 * n * r <= _MEMORY_BYTES_MAX
        and n * r * p <= _WORK_MAX
    )


def stretched(password: str | bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    """Return the wrapping key, 32 bytes, that scrypt makes of a password or of what a key source gave."""
    secret = password.encode() if isinstance(password, str) else password
    return Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(secret)
