"""From a password to a set's key and back; what is kept is private and whole."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast import codes
from holdfast.backup_format.digest import DataKey
from holdfast.errors import CorruptionError, RefusedError
from holdfast.keys.host_key import HostKey
from holdfast.keys.keyring import Keyring
from holdfast.keys.password import BackupPassword, Passwords, SetKey, SetPlace

PLACE = SetPlace(cluster_id=7, tenant_id=1002, backup_set_id=3)


@pytest.fixture(scope="module")
def password() -> BackupPassword:
    return BackupPassword("correct horse")


@pytest.fixture(scope="module")
def key(password: BackupPassword) -> SetKey:
    return password.new_key(PLACE)


def test_a_key_opens_with_its_password_among_others_in_any_order(key: SetKey) -> None:
    for given in (["correct horse"], ["wrong", "correct horse"], ["correct horse", "wrong"]):
        assert Passwords(given).secret_of(key.encryption, PLACE, name="m") == key.secret


def test_a_wrong_password_opens_nothing(key: SetKey) -> None:
    assert Passwords(["wrong", ""]).secret_of(key.encryption, PLACE, name="m") is None


@pytest.mark.parametrize("change", [{"cluster_id": 8}, {"tenant_id": 1004}, {"backup_set_id": 4}])
def test_a_wrapped_key_belongs_to_one_set(key: SetKey, change: dict[str, int]) -> None:
    assert Passwords(["correct horse"]).secret_of(key.encryption, replace(PLACE, **change), name="m") is None


def test_every_set_has_a_key_of_its_own_and_one_password_opens_all(password: BackupPassword, key: SetKey) -> None:
    other = password.new_key(replace(PLACE, backup_set_id=4))
    assert other.secret != key.secret
    found = Passwords(["correct horse"]).secret_of(other.encryption, replace(PLACE, backup_set_id=4), name="m")
    assert found == other.secret


@pytest.mark.parametrize(
    "change",
    [
        {"scrypt_n": 1 << 30},
        {"scrypt_n": 1000},
        {"scrypt_n": 0},
        {"scrypt_r": 1 << 20},
        {"scrypt_r": 0},
        {"scrypt_p": 1 << 20},
        {"scrypt_p": 0},
        {"wrapped_key": b"short"},
        {"scrypt_salt": b""},
    ],
)
def test_a_manifest_can_not_make_the_server_stretch_for_ever(key: SetKey, change: dict[str, object]) -> None:
    forged = replace(key.encryption, **change)
    with pytest.raises(CorruptionError, match="no backup wrote"):
        Passwords(["correct horse"]).secret_of(forged, PLACE, name="m")


def test_an_empty_password_is_refused() -> None:
    with pytest.raises(RefusedError) as refused:
        BackupPassword("")
    assert refused.value.code is codes.OB_INVALID_ARGUMENT


def test_nothing_secret_is_printed(password: BackupPassword, key: SetKey) -> None:
    shown = f"{password!r} {key!r} {Passwords(['correct horse'])!r} {DataKey(key.secret)!r}"
    for secret in ("correct", key.secret.hex(), repr(key.secret), key.encryption.wrapped_key.hex()):
        assert secret not in shown


def test_a_kept_key_is_found_again_by_nobody_else(tmp_path: Path, key: SetKey) -> None:
    host_key = HostKey(tmp_path / "host.key")
    keyring = Keyring(tmp_path / "keys", host_key, "1002")
    assert keyring.get(3) is None
    keyring.put(3, key)
    keyring.put(3, key)
    assert Keyring(tmp_path / "keys", HostKey(tmp_path / "host.key"), "1002").get(3) == key
    (path,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "host.key").stat().st_mode) == 0o600
    for hidden in (key.secret, key.secret.hex().encode(), key.encryption.wrapped_key.hex().encode()):
        assert hidden not in path.read_bytes()
    keyring.remove(3)
    keyring.remove(3)
    assert keyring.get(3) is None


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b'{"secret": "00"}', b"\xff\xfe"])
def test_a_damaged_key_file_is_named_and_not_shown(tmp_path: Path, key: SetKey, damage: bytes) -> None:
    keyring = Keyring(tmp_path, HostKey(tmp_path / "host.key"), "1002")
    keyring.put(3, key)
    (tmp_path / "set_3.key").write_bytes(damage)
    with pytest.raises(CorruptionError, match=r"set_3\.key is not valid"):
        keyring.get(3)
