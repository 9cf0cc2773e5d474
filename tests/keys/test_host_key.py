"""The key of the host: what it seals opens here alone, and what is lost with it is said."""

import json
import logging
import stat
import threading
from pathlib import Path

import pytest

from holdfast.backup_format.manifest import Encryption, EncryptionMode
from holdfast.errors import CorruptionError
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.kept_keys import seal_kept_keys
from holdfast.keys.host_key import HostKey, Sealed, path_in
from holdfast.keys.keyring import _encode
from holdfast.keys.password import SECRET_BYTES, SetKey
from holdfast.restore.lazy_place import LazyPlace

SECRET = b"what nobody may know"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sys" / "host.key"


def test_what_it_seals_opens_at_its_place_and_nowhere_else(path: Path) -> None:
    kept = HostKey(path).seal(SECRET, "a")
    assert SECRET not in kept.sealed
    assert HostKey(path).open(kept, "a") == SECRET
    with pytest.raises(CorruptionError, match="what is kept of b was changed, or is another's"):
        HostKey(path).open(kept, "b")
    for at in range(len(kept.sealed)):
        changed = bytearray(kept.sealed)
        changed[at] ^= 1
        with pytest.raises(CorruptionError):
            HostKey(path).open(Sealed(host_key=kept.host_key, sealed=bytes(changed)), "a")
    with pytest.raises(CorruptionError):
        HostKey(path).open(Sealed(host_key=kept.host_key, sealed=b"short"), "a")


def test_the_file_is_private_and_never_written_over(path: Path) -> None:
    first = HostKey(path).seal(SECRET, "a")
    data = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert HostKey(path).seal(SECRET, "a") != first
    HostKey(path)._make()
    assert path.read_bytes() == data
    assert [found.name for found in path.parent.iterdir()] == ["host.key"]
    assert data.decode().strip() not in f"{HostKey(path)!r} {first!r}"


def test_many_that_make_it_at_once_get_one(path: Path) -> None:
    kept: list[Sealed] = []
    threads = [threading.Thread(target=lambda: kept.append(HostKey(path).seal(SECRET, "a"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {HostKey(path).open(one, "a") for one in kept} == {SECRET}


def test_without_its_key_a_secret_is_lost_and_not_damaged(path: Path) -> None:
    kept = HostKey(path).seal(SECRET, "a")
    path.unlink()
    assert HostKey(path).open(kept, "a") is None
    assert not path.exists(), "opening makes no key"
    HostKey(path).seal(SECRET, "other")
    assert HostKey(path).open(kept, "a") is None


@pytest.mark.parametrize("damage", [b"", b"00", b"\xff\xfe", b"g" * 64, b"00" * 33])
def test_a_damaged_key_is_refused_by_name_and_stays(path: Path, damage: bytes) -> None:
    kept = HostKey(path).seal(SECRET, "a")
    path.write_bytes(damage)
    for use in (lambda: HostKey(path).open(kept, "a"), lambda: HostKey(path).seal(SECRET, "a")):
        with pytest.raises(CorruptionError, match=r"host\.key, the key of this host, is damaged"):
            use()
    assert path.read_bytes() == damage


def _key(number: int) -> SetKey:
    encryption = Encryption(mode=EncryptionMode.PASSWORD, scrypt_salt=b"s" * 16, scrypt_n=2, scrypt_r=1, scrypt_p=1)
    return SetKey(secret=bytes([number]) * SECRET_BYTES, encryption=encryption)


def test_keys_in_the_clear_of_older_servers_are_sealed_at_the_start(tmp_path: Path) -> None:
    directories = ClusterDirectory(tmp_path)
    lazy = LazyPlace(directories.tenant(1004))
    folders = (directories.keys(1002), directories.restore_keys(1003), lazy.keys)
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "set_7.key").write_bytes(_encode(_key(7)))
    (directories.keys(1002) / "set_8.key").write_bytes(b"damaged")
    readers = (directories.keyring(1002), directories.restore_keyring(1003), lazy.keyring())
    assert [reader.get(7) for reader in readers] == [_key(7)] * 3
    assert seal_kept_keys(directories) == {}
    assert [reader.get(7) for reader in readers] == [_key(7)] * 3
    for folder in folders:
        assert json.loads((folder / "set_7.key").read_bytes()).keys() == {"host_key", "sealed"}
    assert (directories.keys(1002) / "set_8.key").read_bytes() == b"damaged"


def test_a_lost_host_key_is_said_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    directories = ClusterDirectory(tmp_path)
    for number in (2, 1):
        directories.keyring(1002).put(number, _key(number))
    kept = path_in(tmp_path).rename(tmp_path / "aside")
    with caplog.at_level(logging.ERROR):
        assert seal_kept_keys(directories) == {1002: (1, 2)}
    assert "sealed sets 1, 2" in caplog.text
    assert str(path_in(tmp_path)) in caplog.text
    assert directories.keyring(1002).get(1) is None
    directories.keyring(1002).put(3, _key(3))
    assert seal_kept_keys(directories) == {1002: (1, 2)}
    kept.rename(path_in(tmp_path))
    assert seal_kept_keys(directories) == {1002: (3,)}
    assert directories.keyring(1002).get(2) == _key(2)


def test_a_key_that_is_moved_to_another_tenant_or_set_does_not_open(tmp_path: Path) -> None:
    directories = ClusterDirectory(tmp_path)
    directories.keyring(1002).put(1, _key(1))
    data = (directories.keys(1002) / "set_1.key").read_bytes()
    directories.keys(1003).mkdir(parents=True)
    for target in (directories.keys(1002) / "set_2.key", directories.keys(1003) / "set_1.key"):
        target.write_bytes(data)
    with pytest.raises(CorruptionError):
        directories.keyring(1002).get(2)
    with pytest.raises(CorruptionError):
        directories.keyring(1003).get(1)


def test_a_damaged_host_key_stops_the_start_and_nothing_is_lost(tmp_path: Path) -> None:
    directories = ClusterDirectory(tmp_path)
    directories.keyring(1002).put(1, _key(1))
    good = path_in(tmp_path).read_bytes()
    path_in(tmp_path).write_bytes(good[:-5])
    with pytest.raises(CorruptionError, match="the key of this host, is damaged"):
        seal_kept_keys(directories)
    path_in(tmp_path).write_bytes(good)
    assert seal_kept_keys(directories) == {}
    assert directories.keyring(1002).get(1) == _key(1)
