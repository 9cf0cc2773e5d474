"""The data keys a server keeps of the sets it made or restores: one file (0600) for each set.

Why keep them: a backup that a killed server began must go on under the next one, whose sessions know no password; and an
increment compares the heads of blocks with hashes that are keyed with the base's key. They lie beside the tenant's account,
outside its engine's fence, on the disk that holds the tenant's data in the clear anyway. A server without them (another machine,
a lost base directory) still restores with the password, and takes a full backup instead of an increment.

A file is complete or absent: it is written aside, synced and renamed.
"""

import json
import os
from pathlib import Path

from holdfast.backup_format.manifest import Encryption, EncryptionMode
from holdfast.errors import CorruptionError
from holdfast.keys.password import SECRET_BYTES, SetKey


class Keyring:
    """The keys in one folder, by backup set id. The folder is made with the first key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, backup_set_id: int, key: SetKey) -> None:
        """Keep a key; durable when this returns."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(backup_set_id)
        aside = path.with_suffix(".new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, _encode(key))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        aside.rename(path)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def get(self, backup_set_id: int) -> SetKey | None:
        """Return the key of a set, None when it is not kept here. Raises CorruptionError without showing the bytes."""
        path = self._path(backup_set_id)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        return _decode(data, path)

    def remove(self, backup_set_id: int) -> None:
        """Forget a key. Repeatable."""
        self._path(backup_set_id).unlink(missing_ok=True)

    def _path(self, backup_set_id: int) -> Path:
        return self._folder / f"set_{int(backup_set_id)}.key"


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
        },
        sort_keys=True,
    ).encode()


def _decode(data: bytes, path: Path) -> SetKey:
    try:
        read = json.loads(data)
        secret = bytes.fromhex(read["secret"])
        if len(secret) != SECRET_BYTES:
            raise ValueError
        return SetKey(
            secret=secret,
            encryption=Encryption(
                mode=EncryptionMode.PASSWORD,
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
