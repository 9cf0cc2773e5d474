"""The key of the host: what seals the secrets that this server keeps for itself.

One file (0600) of 32 random bytes in hexadecimal, `<base>/sys/host.key`, beside the account of the sys tenant. It is made by whoever
first has something to seal, durably, and never written over: two that make it at once get the same one.

    secret --AES-256-GCM(host key, place)--> {"host_key": which key, "sealed": nonce and secret}

The place (what it is, whose it is) is authenticated: a sealed secret that is moved elsewhere does not open. So a copy of a tenant's
directory, of the catalog or of a table of it opens nothing. A copy of the whole base directory does, as it has the tenants' data.

Lost, the secrets are lost with it, and whoever kept them says what that means: `open` returns None, never an error, for what another
key sealed.
"""

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast import disk
from holdfast.errors import CorruptionError

_KEY_BYTES = 32
_NONCE_BYTES = 12
_FILE_BYTES_MAX = 4096
_MARK = "holdfast host key 1 "


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A secret as it is kept. `host_key`: which key opens it; `sealed`: nonce, secret and tag."""

    host_key: str
    sealed: bytes = field(repr=False)


def path_in(base: Path) -> Path:
    """Return where the key of the host lies below the base directory."""
    return base / "sys" / "host.key"


class HostKey:
    """The key at `path`, read when it is needed. Safe from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key: bytes | None = None

    def __repr__(self) -> str:
        return "HostKey(...)"

    def seal(self, secret: bytes, place: str) -> Sealed:
        """Return `secret` as it may be kept at `place`; the key is made first if there is none. Raises OSError, CorruptionError."""
        key = self._read() or self._make()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return Sealed(host_key=_name(key), sealed=nonce + AESGCM(key).encrypt(nonce, secret, _associated(place)))

    def open(self, kept: Sealed, place: str) -> bytes | None:
        """Return the secret, None when it was sealed with a key that is not here.

        Raises CorruptionError for one that was changed or belongs to another place, and for a key file that is damaged.
        """
        key = self._read()
        if key is None or _name(key) != kept.host_key:
            return None
        nonce, sealed = kept.sealed[:_NONCE_BYTES], kept.sealed[_NONCE_BYTES:]
        try:
            return AESGCM(key).decrypt(nonce, sealed, _associated(place))
        except (InvalidTag, ValueError):
            raise CorruptionError(f"what is kept of {place} was changed, or is another's") from None

    def opens(self, kept: Sealed) -> bool:
        """Return whether this is the key that sealed it."""
        key = self._read()
        return key is not None and _name(key) == kept.host_key

    def _read(self) -> bytes | None:
        if self._key is None:
            try:
                text = disk.read_file(self._path, size_bytes_max=_FILE_BYTES_MAX)
            except FileNotFoundError:
                return None
            except ValueError:
                text = b""
            self._key = _decode(text, self._path)
        return self._key

    def _make(self) -> bytes:
        disk.make_folder(self._path.parent)
        fresh = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
        disk.write_file(fresh, secrets.token_bytes(_KEY_BYTES).hex().encode() + b"\n")
        try:
            with suppress(FileExistsError):  # another made it first: that one counts
                os.link(fresh, self._path)
        finally:
            fresh.unlink()
        # Durable before anything is sealed with it.
        disk.sync_folder(self._path.parent)
        key = self._read()
        assert key is not None
        return key


def _name(key: bytes) -> str:
    """Return what tells a key from others and says nothing of it."""
    return hashlib.blake2b(key, digest_size=8, person=b"hf host key").hexdigest()


def _associated(place: str) -> bytes:
    return (_MARK + place).encode()


def _decode(text: bytes, path: Path) -> bytes:
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise CorruptionError(
            f"{path}, the key of this host, is damaged",
            hint="put it back from a copy of the base directory; without it what it sealed is lost: move it away, and a new one is made",
        )
    return key
