"""The data keys a server keeps of the sets it made or restores: one file (0600) for each set.

Why keep them: a backup that a killed server began must go on under the next one, whose sessions know no password; and an
increment compares the heads of blocks with hashes that are keyed with the base's key. They lie beside the tenant's account,
outside its engine's fence, on the disk that holds the tenant's data in the clear anyway. A server without them (another machine,
a lost base directory) still restores with the password, and takes a full backup instead of an increment.

A file is complete or absent: it is written aside, synced and renamed. What it holds is sealed with the key of the host, so that a copy
of a tenant's directory opens no set. Files of servers before that key are in the clear; `seal_all` ends that.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from holdfast import disk
from holdfast.backup_format.manifest import Encryption, EncryptionMode
from holdfast.errors import CorruptionError
from holdfast.keys.host_key import HostKey, Sealed
from holdfast.keys.password import SECRET_BYTES, SetKey
from holdfast.values.json_text import parse_json

_FILE_BYTES_MAX = 1 << 16


class Keyring:
    """The keys in one folder, by backup set id. The folder is made with the first key.

    `owner`: the tenant's id, as its directory is named; with the set's id it is the place for which a key is sealed.
    """

    def __init__(self, folder: Path, host_key: HostKey, owner: str) -> None:
        self._folder = folder
        self._host_key = host_key
        self._owner = owner

    def put(self, backup_set_id: int, key: SetKey) -> None:
        """Keep a key; durable when this returns."""
        disk.make_folder(self._folder)
        kept = self._host_key.seal(_encode(key), self._place(backup_set_id))
        disk.write_file(self._path(backup_set_id), _encode_sealed(kept))

    def get(self, backup_set_id: int) -> SetKey | None:
        """Return the key of a set, None when it is not kept here or the host's key is not the one that sealed it.

        Raises CorruptionError without showing the bytes.
        """
        path = self._path(backup_set_id)
        try:
            data = _read(path)
        except FileNotFoundError:
            return None
        kept = _decode_sealed(data)
        if kept is None:
            return _decode(data, path)
        opened = self._host_key.open(kept, self._place(backup_set_id))
        return None if opened is None else _decode(opened, path)

    def seal_all(self) -> tuple[int, ...]:
        """Seal what lies here in the clear; return the sets, ascending, whose keys the host's key does not open. Repeatable.

        A damaged file stays as it is: whoever asks for it is told.
        """
        lost = []
        for set_id in sorted(self._set_ids()):
            path = self._path(set_id)
            try:
                data = _read(path)
                kept = _decode_sealed(data)
                clear = _decode(data, path) if kept is None else None
            except CorruptionError:
                continue
            if clear is not None:
                self.put(set_id, clear)
            elif kept is not None and not self._host_key.opens(kept):
                lost.append(set_id)
        return tuple(lost)

    def _set_ids(self) -> Iterator[int]:
        for path in self._folder.glob("set_*.key"):
            number = path.stem.removeprefix("set_")
            if number.isdecimal():
                yield int(number)

    def _place(self, backup_set_id: int) -> str:
        return f"the key of set {int(backup_set_id)} of tenant {self._owner}"

    def remove(self, backup_set_id: int) -> None:
        """Forget a key. Repeatable."""
        disk.remove_file(self._path(backup_set_id))

    def _path(self, backup_set_id: int) -> Path:
        return self._folder / f"set_{int(backup_set_id)}.key"


def _read(path: Path) -> bytes:
    try:
        return disk.read_file(path, size_bytes_max=_FILE_BYTES_MAX)
    except ValueError as error:
        raise CorruptionError(f"key file {path} is {error}") from None


def _encode_sealed(kept: Sealed) -> bytes:
    return json.dumps({"host_key": kept.host_key, "sealed": kept.sealed.hex()}, sort_keys=True).encode()


def _decode_sealed(data: bytes) -> Sealed | None:
    """Return what a file holds, None for one that is in the clear or damaged."""
    try:
        read = cast(dict[str, Any], parse_json(data))
        return Sealed(host_key=str(read["host_key"]), sealed=bytes.fromhex(read["sealed"]))
    except (ValueError, KeyError, TypeError):
        return None


def _encode(key: SetKey) -> bytes:
    encryption = key.encryption
    return json.dumps(
        {
            "secret": key.secret.hex(),
            "scrypt_salt": encryption.scrypt_salt.hex(),
            "scrypt_n": encryption.scrypt_n,
            "scrypt_r": encryption.scrypt_r,
            "scrypt_p": encryption.scrypt_p,
            "wrapped_key": encryption.wrapped_key.hex(),
            "mode": encryption.mode,
            "key_id": encryption.key_id,
        },
        sort_keys=True,
    ).encode()


def _decode(data: bytes, path: Path) -> SetKey:
    try:
        read = cast(dict[str, Any], parse_json(data))
        secret = bytes.fromhex(read["secret"])
        if len(secret) != SECRET_BYTES:
            raise ValueError
        return SetKey(
            secret=secret,
            encryption=Encryption(
                mode=EncryptionMode(read.get("mode", EncryptionMode.PASSWORD)),
                key_id=str(read.get("key_id", "")),
                scrypt_salt=bytes.fromhex(read["scrypt_salt"]),
                scrypt_n=int(read["scrypt_n"]),
                scrypt_r=int(read["scrypt_r"]),
                scrypt_p=int(read["scrypt_p"]),
                wrapped_key=bytes.fromhex(read["wrapped_key"]),
            ),
        )
    except (ValueError, KeyError, TypeError):
        # Not chained: the cause quotes what it failed on.
        raise CorruptionError(
            f"key file {path} is not valid", hint="remove it: the password still opens the set"
        ) from None
