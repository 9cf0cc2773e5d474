"""Master keys at rest: wrapped in a destination, kept by the server, rotated, and found again."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.backup_format.key_record import KEYS_MAX, Protection, decode_key_record, encode_key_record
from holdfast.backup_format.manifest import EncryptionMode
from holdfast.errors import CorruptionError
from holdfast.keys.host_key import HostKey
from holdfast.keys.keyring import Keyring
from holdfast.keys.masters import Masters, new_set_key, unwrapped
from holdfast.keys.password import SetPlace
from holdfast.keys.vault import Vault, VaultFile, opened_by
from owner_rig import owner


def vault_file(folder: Path, owner: str = "1002") -> VaultFile:
    return VaultFile(folder, HostKey(folder.parent / "host.key"), owner)


def keyring_in(folder: Path) -> Keyring:
    return Keyring(folder, HostKey(folder.parent / "host.key"), "1002")


OLD, NEW = b"the key of before", b"the key of now"
PLACE = SetPlace(cluster_id=1, tenant_id=1002, backup_set_id=3)


def rotated() -> tuple[Vault, Vault]:
    before = Vault().protected_by("file:/old", Protection.FILE, OLD, 1)
    return before, before.protected_by("env:NEW", Protection.ENVIRONMENT, NEW, 2)


def test_a_vault_reads_back_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    _, vault = rotated()
    vault = replace(vault, others=vault.masters[:1], readers=("file:/theirs",))
    file = vault_file(tmp_path / "keys")
    assert file.read() is None
    file.put(vault)
    assert file.read() == vault
    (path,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [master for master in vault.masters if master.secret.hex() in path.read_text()]
    with pytest.raises(CorruptionError, match="is another's"):
        vault_file(tmp_path / "keys", "1004").read()
    (tmp_path / "host.key").unlink()
    assert vault_file(tmp_path / "keys").read() is None, (
        "without the key of the host it is lost, and comes back from a destination"
    )
    shown = repr(vault)
    assert not [master for master in vault.masters if repr(master.secret) in shown]
    assert vault.wrapping is not None
    assert repr(vault.wrapping.key) not in shown


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"masters": 3}', b"\xff"])
def test_a_vault_that_is_not_valid_is_refused_without_its_bytes(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "vault.json").write_bytes(text)
    with pytest.raises(CorruptionError, match="is not valid"):
        vault_file(tmp_path).read()


def test_rotation_wraps_every_key_anew_and_seals_with_a_new_one() -> None:
    before, after = rotated()
    assert after.masters[:-1] == before.masters
    record = after.record(1, 1002, owner())
    assert opened_by(record, NEW, name="keys") == after.masters
    assert opened_by(record, OLD, name="keys") == ()
    assert opened_by(before.record(1, 1002, None), OLD, name="keys") == before.masters
    assert after.is_in(record)
    assert not after.is_in(before.record(1, 1002, None))
    assert not before.is_in(record), "the same keys, wrapped by another source"


def test_a_key_object_reads_back_and_names_no_source() -> None:
    record = rotated()[1].record(1, 1002, owner())
    text = encode_key_record(record)
    assert decode_key_record(text) == record
    assert b"ENVIRONMENT" in text
    assert b"env:NEW" not in text


def test_a_key_object_of_another_tenant_does_not_open() -> None:
    record = rotated()[1].record(1, 1002, None)
    assert opened_by(replace(record, tenant_id=1004), NEW, name="keys") == ()


def test_a_key_object_that_costs_too_much_or_names_too_many_is_refused() -> None:
    record = rotated()[0].record(1, 1002, None)
    with pytest.raises(CorruptionError, match="nobody wrote"):
        opened_by(replace(record, scrypt_n=1 << 30), OLD, name="keys")
    many = tuple(replace(record.keys[0], key_id=f"{number:032x}") for number in range(KEYS_MAX + 1))
    for keys in ((), many, record.keys * 2):
        with pytest.raises(CorruptionError, match="expected 1 to"):
            encode_key_record(replace(record, keys=keys))


def test_keys_that_a_server_lost_come_back_from_a_destination() -> None:
    _, after = rotated()
    found = opened_by(after.record(1, 1002, None), NEW, name="keys")
    fresh = Vault().with_masters(found).protected_by("file:/x", Protection.FILE, OLD, 3)
    assert fresh.masters[:-1] == after.masters


def test_a_sets_key_is_kept_with_the_master_key_that_wraps_it(tmp_path: Path) -> None:
    vault = rotated()[0]
    key = new_set_key(vault.masters[-1], PLACE)
    keyring = Keyring(tmp_path, HostKey(tmp_path / "host.key"), "1002")
    keyring.put(3, key)
    assert keyring.get(3) == key
    assert key.encryption.mode is EncryptionMode.KEY
    master = Masters({one.key_id: one.secret for one in vault.masters}).get(key.encryption.key_id)
    assert master is not None
    assert unwrapped(key.encryption.wrapped_key, master, PLACE.associated()) == key.secret
    assert unwrapped(key.encryption.wrapped_key, master, replace(PLACE, backup_set_id=4).associated()) is None
