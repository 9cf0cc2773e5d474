"""What a server keeps of a tenant's backup keys: the property, the wrapping key and the master keys, in one file (0600).

Why keep them: an archive goes on and a backup is taken at any hour, whoever is there; and a key source that is lost is mended by
naming another one, as long as this server lives. It gives nothing away that the disk does not hold in the clear beside it (decision
12). A password is not kept: what is left of it is its wrapping key.

The file is replaced as a whole, so property and keys never contradict each other.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from holdfast import disk
from holdfast.backup_format.key_record import KeyRecord, Protection, WrappedMaster, master_key_place
from holdfast.errors import CorruptionError
from holdfast.keys.host_key import HostKey, Sealed
from holdfast.keys.masters import Master, new_master, unwrapped, wrapped
from holdfast.keys.password import (
    SALT_BYTES,
    SCRYPT_N,
    SCRYPT_P,
    SCRYPT_R,
    SECRET_BYTES,
    is_payable,
    stretched,
)
from holdfast.keys.source import NONE
from holdfast.values.json_text import parse_json
from holdfast.values.owner import Owner

_VAULT_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping:
    """A key made of a secret by scrypt, which wraps master keys. `key`: 32 bytes."""

    salt: bytes
    n: int
    r: int
    p: int
    key: bytes = field(repr=False)

    def is_of(self, secret: bytes) -> bool:
        """Return whether this secret makes the key. Takes a quarter of a second."""
        return secrets.compare_digest(stretched(secret, self.salt, self.n, self.r, self.p), self.key)


def new_wrapping(secret: bytes) -> Wrapping:
    salt = secrets.token_bytes(SALT_BYTES)
    key = stretched(secret, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P)
    return Wrapping(salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A tenant's backup keys.

    `source`: what `backup_encryption` says, NONE, `password` or a source's text; `masters`: the tenant's own, oldest first, the last
    seals. `others`: those of the tenant that this one was restored from, with which it reads and never seals; `readers`: sources
    that open what that tenant made since. `behind`: destinations whose key object is not known to be this vault's, by identity: they
    may need the source of before.
    """

    source: str = NONE
    protection: Protection | None = None
    wrapping: Wrapping | None = None
    masters: tuple[Master, ...] = ()
    others: tuple[Master, ...] = ()
    readers: tuple[str, ...] = field(default=(), repr=False)
    behind: tuple[str, ...] = ()

    @property
    def seals(self) -> bool:
        """Return whether what is written now is sealed."""
        return self.source != NONE

    def protected_by(self, source: str, protection: Protection, secret: bytes, now_us: int) -> "Vault":
        """Return the vault with another source and a new master key. The older ones stay, and are wrapped anew."""
        return replace(
            self,
            source=source,
            protection=protection,
            wrapping=new_wrapping(secret),
            masters=(*self.masters, new_master(now_us)),
        )

    def with_masters(self, found: Sequence[Master]) -> "Vault":
        """Return the vault with these masters among its own, for who lost them and found them in a destination."""
        known = {master.key_id for master in self.masters}
        added = [master for master in found if master.key_id not in known]
        every = sorted((*added, *self.masters), key=lambda master: master.created_us)
        return replace(self, masters=tuple(every)) if added else self

    def record(self, cluster_id: int, tenant_id: int, owner: Owner | None) -> KeyRecord:
        """Return the key object with every master key. Only of a vault that has or had a source."""
        wrapping, protection = self.wrapping, self.protection
        assert wrapping is not None, "a source was set"
        assert protection is not None, "a source was set"
        keys = tuple(
            WrappedMaster(
                key_id=master.key_id,
                created_us=master.created_us,
                wrapped_key=wrapped(
                    master.secret,
                    wrapping.key,
                    master_key_place(cluster_id=cluster_id, tenant_id=tenant_id, key_id=master.key_id),
                ),
            )
            for master in self.masters
        )
        return KeyRecord(
            cluster_id=cluster_id,
            tenant_id=tenant_id,
            protection=protection,
            scrypt_salt=wrapping.salt,
            scrypt_n=wrapping.n,
            scrypt_r=wrapping.r,
            scrypt_p=wrapping.p,
            keys=keys,
            owner=owner,
        )

    def is_in(self, record: KeyRecord) -> bool:
        """Return whether the key object holds every master key of this vault, wrapped by its wrapping key."""
        if self.wrapping is None:
            return not self.masters
        held = {master.key_id: master.secret for master in opened(record, self.wrapping.key)}
        return all(held.get(master.key_id) == master.secret for master in self.masters)


def opened(record: KeyRecord, wrapping_key: bytes) -> tuple[Master, ...]:
    """Return the master keys of a key object that a wrapping key opens, in its order."""
    found = []
    for key in record.keys:
        place = master_key_place(cluster_id=record.cluster_id, tenant_id=record.tenant_id, key_id=key.key_id)
        secret = unwrapped(key.wrapped_key, wrapping_key, place)
        if secret is not None and len(secret) == SECRET_BYTES:
            found.append(Master(key_id=key.key_id, created_us=key.created_us, secret=secret))
    return tuple(found)


def opened_by(record: KeyRecord, secret: bytes, *, name: str) -> tuple[Master, ...]:
    """Return the master keys of a key object that a secret opens. Raises CorruptionError for parameters nobody wrote."""
    cost = (record.scrypt_salt, record.scrypt_n, record.scrypt_r, record.scrypt_p)
    if not is_payable(*cost):
        raise CorruptionError(
            f"{name} describes an encryption that nobody wrote: scrypt n {cost[1]}, r {cost[2]}, p {cost[3]}",
            hint="it was changed; use another copy",
        )
    return opened(record, stretched(secret, *cost))


class VaultFile:
    """The vault in one folder, which is made with it, sealed with the key of the host. `owner`: the tenant's id."""

    def __init__(self, folder: Path, host_key: HostKey, owner: str) -> None:
        self._path = folder / "vault.json"
        self._host_key = host_key
        self._place = f"the backup keys of tenant {owner}"

    def read(self) -> Vault | None:
        """Return the vault, None when there is none, or the key of the host that sealed it is gone.

        Raises CorruptionError without showing the bytes.
        """
        try:
            with self._path.open("rb") as file:
                data = file.read(_VAULT_BYTES_MAX)
        except FileNotFoundError:
            return None
        try:
            read = cast(_Json, parse_json(data))
            kept = Sealed(host_key=str(read["host_key"]), sealed=bytes.fromhex(str(read["sealed"])))
            text = self._host_key.open(kept, self._place)
            return None if text is None else _decoded(cast(_Json, parse_json(text)))
        except (ValueError, KeyError, TypeError):
            # Not chained: the cause quotes what it failed on.
            raise CorruptionError(
                f"key file {self._path} is not valid",
                hint="move it away and SET backup_encryption again: the destinations hold the keys too",
            ) from None

    def put(self, vault: Vault) -> None:
        """Keep the vault; durable when this returns."""
        disk.make_folder(self._path.parent)
        kept = self._host_key.seal(json.dumps(_encoded(vault), sort_keys=True).encode(), self._place)
        data = json.dumps({"host_key": kept.host_key, "sealed": kept.sealed.hex()}, sort_keys=True)
        disk.write_file(self._path, data.encode())


_Json = dict[str, object]


def _encoded(vault: Vault) -> _Json:
    wrapping = vault.wrapping
    return {
        "source": vault.source,
        "protection": vault.protection,
        "wrapping": None
        if wrapping is None
        else {
            "salt": wrapping.salt.hex(),
            "n": wrapping.n,
            "r": wrapping.r,
            "p": wrapping.p,
            "key": wrapping.key.hex(),
        },
        "masters": [_master(master) for master in vault.masters],
        "others": [_master(master) for master in vault.others],
        "readers": list(vault.readers),
        "behind": list(vault.behind),
    }


def _master(master: Master) -> _Json:
    return {"key_id": master.key_id, "created_us": master.created_us, "secret": master.secret.hex()}


def _decoded(read: _Json) -> Vault:
    protection = read["protection"]
    return Vault(
        source=str(read["source"]),
        protection=None if protection is None else Protection(str(protection)),
        wrapping=_wrapping_of(read["wrapping"]),
        masters=_masters_of(read["masters"]),
        others=_masters_of(read["others"]),
        readers=tuple(str(text) for text in _listed(read["readers"])),
        behind=tuple(str(text) for text in _listed(read.get("behind", []))),  # not in a vault of an older build
    )


def _wrapping_of(value: object) -> Wrapping | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise TypeError
    return Wrapping(
        salt=bytes.fromhex(value["salt"]),
        n=int(value["n"]),
        r=int(value["r"]),
        p=int(value["p"]),
        key=_secret(value["key"]),
    )


def _masters_of(value: object) -> tuple[Master, ...]:
    found = []
    for item in _listed(value):
        if not isinstance(item, dict):
            raise TypeError
        found.append(
            Master(key_id=str(item["key_id"]), created_us=int(item["created_us"]), secret=_secret(item["secret"]))
        )
    return tuple(found)


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _secret(text: str) -> bytes:
    secret = bytes.fromhex(text)
    if len(secret) != SECRET_BYTES:
        raise ValueError
    return secret
