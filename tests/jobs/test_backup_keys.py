"""A tenant's backup keys in the hands of its server: rotated, lost, found again, and never put over others."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from holdfast import codes
from holdfast.backup_format import names
from holdfast.catalog.backups import ENCRYPTION_KEY, ENCRYPTION_NONE
from holdfast.errors import ForeignOwnerError, HoldfastError, RefusedError, StoreUnavailableError
from holdfast.jobs import backup_keys as module
from holdfast.jobs.backup_keys import PARAMETER, BackupKeys, read_keys
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.session import Session
from holdfast.keys.password import Passwords
from holdfast.keys.vault import opened_by
from holdfast.store.memory import MemoryStore
from holdfast.store.store import Store
from holdfast.values.archive import FileStatus
from holdfast.values.destination import Destination, DestinationKind, Uri, parse_uri
from holdfast.values.grants import EVERYTHING
from holdfast.values.lsn import Lsn
from holdfast.values.tenant import CompatibilityMode, LogMode, Tenant, TenantRole, TenantStatus, Unit
from owner_rig import owner


def tenant_of(tenant_id: int, name: str) -> Tenant:
    return Tenant(
        tenant_id=tenant_id,
        name=name,
        role=TenantRole.PRIMARY,
        status=TenantStatus.NORMAL,
        log_mode=LogMode.ARCHIVELOG,
        mode=CompatibilityMode.MYSQL,
        unit=Unit(max_cpu=1.0, memory_size_bytes=1 << 30, log_disk_size_bytes=2 << 30),
        create_time_us=1,
        modify_time_us=1,
        data_version="1.4.0.0",
    )


OLD, NEW = b"the key of before", b"the key of now"
DATA, ARCHIVE = parse_uri("file:///there/data"), parse_uri("file:///there/archive")
TENANT = tenant_of(1002, "shop")


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def now_ns(self) -> int:
        return int(self.seconds * 1e9)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class House:
    """What outlives a server: its directory, the parameters, the destinations. `keys` is the server of now.

    `away`: does not answer. `sealed`: of them the catalog lists a sealed set or piece. `lost`: another server writes it.
    """

    base: Path
    stores: dict[Uri, MemoryStore] = field(default_factory=lambda: {DATA: MemoryStore(), ARCHIVE: MemoryStore()})
    away: set[Uri] = field(default_factory=set)
    sealed: set[Uri] = field(default_factory=set)
    lost: set[Uri] = field(default_factory=set)
    parameters: dict[int, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    environment: dict[str, bytes] = field(default_factory=dict)
    tenants: list[Tenant] = field(default_factory=lambda: [TENANT])

    def __post_init__(self) -> None:
        self.keys = self.server()

    def server(self) -> BackupKeys:
        """Begin another server on the same base directory."""
        catalog = SimpleNamespace(
            parameters=SimpleNamespace(
                get=lambda tenant_id, name: self.parameters.get(tenant_id, "NONE"),
                set=lambda tenant_id, name, value: self.parameters.update({tenant_id: value}),
            ),
            destinations=SimpleNamespace(all_of=lambda tenant_id: self.destinations()),
            backups=SimpleNamespace(sets=lambda tenant_id, dest_id: self.listed(DATA)),
            rounds=SimpleNamespace(pieces=lambda tenant_id: self.listed(ARCHIVE)),
            tenants=SimpleNamespace(hosted=lambda: tuple(self.tenants)),
        )
        self.keys = BackupKeys(
            catalog,  # type: ignore[arg-type]
            ClusterDirectory(self.base),
            self.clock,
            identity=SimpleNamespace(  # type: ignore[arg-type]
                cluster_id=1,
                server=SimpleNamespace(owner=lambda time_us, kind, job_id: owner(kind=kind, job_id=job_id)),
            ),
            open_store=self.opened,
            take=self.take,
            environment=self.environment.get,
        )
        return self.keys

    def destinations(self) -> list[SimpleNamespace]:
        kinds = {DATA: DestinationKind.BACKUP_DATA, ARCHIVE: DestinationKind.ARCHIVE_LOG}
        return [SimpleNamespace(uri=uri, tenant_id=1002, dest_id=1, kind=kinds[uri]) for uri in self.stores]

    def listed(self, uri: Uri) -> list[SimpleNamespace]:
        mode = ENCRYPTION_KEY if uri in self.sealed else ENCRYPTION_NONE
        return [SimpleNamespace(dest_id=1, encryption_mode=mode, file_status=FileStatus.AVAILABLE)]

    def opened(self, uri: Uri, *, create: bool = False) -> Store:
        if uri in self.away:
            raise StoreUnavailableError(f"{uri.identity} is away")
        return self.stores[uri]

    def take(self, destination: Destination, store: Store) -> None:
        if destination.uri in self.lost:
            raise ForeignOwnerError("another server has taken it over")

    def file(self, name: str, secret: bytes) -> str:
        path = self.base / name
        path.write_bytes(secret + b"\n")
        path.chmod(0o600)
        return f"file:{path}"

    def set(self, text: str, password: str | None = None) -> list[str]:
        """Run the statement as root@sys; return its warnings."""
        session = Session(tenant=tenant_of(1, "sys"), user="root", client_id=1)
        return [warning.message for warning in self.keys.assign(session, [TENANT], text, password).warnings]

    def opens(self, uri: Uri, secret: bytes) -> int:
        """Return how many master keys of a destination a secret opens."""
        record = read_keys(self.stores[uri])
        return 0 if record is None else len(opened_by(record, secret, name="keys"))

    def vault(self) -> Path:
        return ClusterDirectory(self.base).keys(1002) / "vault.json"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def refused(do: Callable[[], object]) -> RefusedError:
    with pytest.raises(RefusedError) as error:
        do()
    return error.value


def test_a_destination_holds_a_master_key_before_it_seals(house: House) -> None:
    house.set(house.file("old", OLD))
    assert [read_keys(store) for store in house.stores.values()] == [None, None], "nothing is sealed yet"
    store = house.stores[ARCHIVE]
    key, _ = house.keys.sealing(1002).new_key(store, root=names.piece_root(1, 1, 1), timeline="0" * 32, from_lsn=Lsn(0))
    record = read_keys(store)
    assert record is not None
    assert [one.key_id for one in record.keys] == [key.key_id]
    assert house.opens(ARCHIVE, OLD) == 1


def test_a_destination_that_was_away_is_wrapped_anew_before_more_is_sealed_there(house: House) -> None:
    house.set(house.file("old", OLD))
    for store in house.stores.values():
        house.keys.secure(1002, store)
    house.away.add(ARCHIVE)
    house.set(house.file("new", NEW))
    assert (house.opens(DATA, NEW), house.opens(DATA, OLD)) == (2, 0)
    assert (house.opens(ARCHIVE, NEW), house.opens(ARCHIVE, OLD)) == (0, 1)
    house.server().secure(1002, house.stores[ARCHIVE])
    assert (house.opens(ARCHIVE, NEW), house.opens(ARCHIVE, OLD)) == (2, 0)


def test_keys_in_a_destination_that_another_server_writes_are_left_to_it(house: House) -> None:
    house.set(house.file("old", OLD))
    for store in house.stores.values():
        house.keys.secure(1002, store)
    house.lost.add(ARCHIVE)
    (warning,) = house.set(house.file("new", NEW))
    assert "another server has taken it over" in warning
    assert (house.opens(DATA, NEW), house.opens(ARCHIVE, NEW), house.opens(ARCHIVE, OLD)) == (2, 0, 1)


def test_a_key_object_that_can_not_be_written_is_a_warning(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.set(house.file("old", OLD))
    house.keys.secure(1002, house.stores[DATA])

    def full(name: str, data: bytes) -> None:
        raise StoreUnavailableError("it is full")

    monkeypatch.setattr(house.stores[DATA], "put", full)
    (warning,) = house.set(house.file("new", NEW))
    assert "still needs the key of before" in warning
    assert house.opens(DATA, OLD) == 1


def test_a_source_that_is_gone_or_changed_is_lost_until_it_is_put_back_or_set_again(house: House) -> None:
    house.set(house.file("key", OLD))
    assert house.keys.key_id(1002)
    (house.base / "key").unlink()
    assert "No such file" in refused(lambda: house.keys.require(1002)).message
    assert "No such file" in house.keys.trouble(1002)
    house.file("key", NEW)
    assert "gives another key" in refused(lambda: house.keys.require(1002)).message
    house.server()
    assert "gives another key" in house.keys.trouble(1002), "a server that begins looks before it seals"
    house.file("key", OLD)
    house.keys.require(1002)
    assert house.keys.trouble(1002) == ""
    house.file("key", NEW)
    house.set(f"file:{house.base}/key")
    house.keys.secure(1002, house.stores[DATA])
    assert house.opens(DATA, NEW) == 2


def test_a_key_file_that_others_read_is_a_warning_and_counts(house: House, caplog: pytest.LogCaptureFixture) -> None:
    source = house.file("key", OLD)
    assert house.set(source) == []
    (house.base / "key").chmod(0o644)
    for _ in range(2):
        house.keys.require(1002)
    assert house.keys.trouble(1002) == ""
    assert [record.message for record in caplog.records if "can be read by others" in record.message] != []
    (warning,) = house.set(source)
    assert f"{source} can be read by others (mode 0644)" in warning


def test_a_tenant_is_told_the_kind_of_its_source_and_no_path(house: House) -> None:
    source = house.file("key", OLD)
    house.set(source)
    (house.base / "key").unlink()
    error = refused(lambda: house.keys.require(1002))
    for text in (str(error), house.keys.trouble(1002)):
        assert "the file that backup_encryption names can not be read" in text
        assert str(house.base) not in text
    house.file("key", NEW)
    assert str(house.base) not in str(refused(lambda: house.keys.require(1002)))


def test_a_lost_vault_seals_nothing_and_comes_back_from_the_destinations(house: House) -> None:
    source = house.file("key", OLD)
    house.set(source)
    house.keys.secure(1002, house.stores[DATA])
    before = house.keys.masters(1002).known()
    house.vault().unlink()
    keys = house.server()
    for ask in (lambda: keys.key_id(1002), lambda: keys.require(1002), keys.sealing(1002).key_id):
        assert "has lost the keys" in refused(ask).message
    assert keys.seals(1002)
    house.set(source)
    assert before.items() <= keys.masters(1002).known().items()
    assert len(keys.masters(1002).known()) == 2
    keys.secure(1002, house.stores[DATA])
    assert house.opens(DATA, OLD) == 2


def test_keys_this_server_does_not_have_are_never_replaced(house: House) -> None:
    house.set(house.file("key", OLD))
    house.keys.secure(1002, house.stores[DATA])
    held = house.stores[DATA].get(names.KEYS_FILE)
    house.vault().unlink()
    house.server()
    house.set(house.file("other", NEW))
    error = refused(lambda: house.keys.secure(1002, house.stores[DATA]))
    assert "holds 1 backup keys that this server does not have" in error.message
    assert house.stores[DATA].get(names.KEYS_FILE) == held


def test_a_damaged_or_removed_key_object_is_put_again(house: House) -> None:
    house.set(house.file("key", OLD))
    store = house.stores[DATA]
    for damage in (lambda: store.put(names.KEYS_FILE, b"{}"), lambda: store.delete(names.KEYS_FILE)):
        house.keys.secure(1002, store)
        damage()
        house.keys.secure(1002, store)
        assert house.opens(DATA, OLD) == 1


@pytest.mark.parametrize("uri", [DATA, ARCHIVE])
def test_whatever_becomes_of_a_key_object_it_is_put_again_or_told(house: House, uri: Uri) -> None:
    """The server has the keys, so it alone noticed nothing: elsewhere nothing opened any more, and check said OK."""
    house.set(house.file("key", OLD))
    store = house.stores[uri]
    store.put(names.FORMAT_FILE, b"{}")
    house.keys.keep_objects(1002)
    assert house.opens(uri, OLD) == 0, "nothing is sealed there"
    house.sealed.add(uri)
    for damage in (
        lambda: None,
        lambda: store.delete(names.KEYS_FILE),
        lambda: store.put(names.KEYS_FILE, b"{}"),
    ):
        damage()
        house.keys.keep_objects(1002)
        assert house.opens(uri, OLD) >= 1
        assert house.keys.trouble(1002) == ""
    before = store.get(names.KEYS_FILE)
    house.set(house.file("key", OLD))
    store.put(names.KEYS_FILE, before)  # an older one, with a key less
    house.keys.keep_objects(1002)
    assert house.opens(uri, OLD) == 2
    store.delete(names.KEYS_FILE)
    house.lost.add(uri)
    house.keys.keep_objects(1002)
    assert "keys.obbak" in house.keys.trouble(1002)
    assert "another server has taken it over" in house.keys.trouble(1002)
    house.lost.clear()
    house.keys.keep_objects(1002)
    assert (house.keys.trouble(1002), house.opens(uri, OLD)) == ("", len(house.keys.masters(1002).known()))


def test_a_place_that_was_away_at_a_rotation_is_told_of_and_wrapped_when_it_is_back(house: House) -> None:
    house.set(house.file("old", OLD))
    for uri, store in house.stores.items():
        store.put(names.FORMAT_FILE, b"{}")
        house.sealed.add(uri)
    house.keys.keep_objects(1002)
    house.away.add(ARCHIVE)
    (warning,) = house.set(house.file("new", NEW))
    assert "still needs the key of before" in warning
    house.keys.keep_objects(1002)
    assert ARCHIVE.identity in house.keys.trouble(1002)
    house.away.clear()
    house.keys.keep_objects(1002)
    assert (house.opens(ARCHIVE, NEW), house.opens(ARCHIVE, OLD)) == (2, 0)
    assert house.keys.trouble(1002) == ""


@pytest.mark.parametrize("died", ["after", "before"])
def test_what_a_rotation_missed_is_known_to_the_next_server_while_the_place_is_still_away(
    house: House, died: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it died behind the statement or between the vault and the destinations."""
    house.set(house.file("old", OLD))
    for uri, store in house.stores.items():
        store.put(names.FORMAT_FILE, b"{}")
        house.sealed.add(uri)
    house.keys.keep_objects(1002)
    house.away.add(ARCHIVE)
    if died == "before":

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(house.keys, "_secure_all", killed)
        with pytest.raises(KeyboardInterrupt):
            house.set(house.file("new", NEW))
    else:
        house.set(house.file("new", NEW))
    keys = house.server()
    assert "still needs the key of before" in keys.trouble(1002)
    assert ARCHIVE.identity in keys.trouble(1002)
    keys.keep_objects(1002)
    assert (DATA.identity in keys.trouble(1002), ARCHIVE.identity in keys.trouble(1002)) == (False, True)
    assert house.opens(DATA, NEW) == 2
    assert ARCHIVE.identity in house.server().trouble(1002)
    house.away.clear()
    house.keys.keep_objects(1002)
    assert (house.opens(ARCHIVE, NEW), house.keys.trouble(1002), house.server().trouble(1002)) == (2, "", "")


def test_what_was_missed_at_a_place_that_needs_no_key_any_more_is_forgotten(house: House) -> None:
    house.set(house.file("old", OLD))
    for uri, store in house.stores.items():
        store.put(names.FORMAT_FILE, b"{}")
        house.sealed.add(uri)
    house.away.add(ARCHIVE)
    house.set(house.file("new", NEW))
    house.sealed.discard(ARCHIVE)
    house.server().keep_objects(1002)
    assert (house.keys.trouble(1002), house.server().trouble(1002)) == ("", "")


def test_a_look_that_hangs_costs_its_own_tenant_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS_MAX", 0.05)
    house.tenants.append(tenant_of(1004, "other"))
    hangs, looks, seen = threading.Event(), Counter[int](), threading.Event()

    def look(tenant_id: int) -> None:
        looks[tenant_id] += 1
        if tenant_id == 1002:
            hangs.wait(30)
        elif looks[1004] == 3:
            seen.set()

    watch = threading.Thread(target=house.keys._watch, args=(0.01, look))
    watch.start()
    try:
        assert seen.wait(10)
        assert looks[1002] == 1, "one thread for each tenant, however long it hangs"
    finally:
        house.keys.end()
        watch.join(10)
        hangs.set()
    assert not watch.is_alive(), "the end does not wait for it"


def test_an_archive_gets_its_key_object_back_while_it_goes_on(house: House) -> None:
    house.set(house.file("key", OLD))
    store, sealing = house.stores[ARCHIVE], house.keys.sealing(1002)
    sealing.keep(store)
    store.delete(names.KEYS_FILE)
    sealing.keep(store)
    assert house.opens(ARCHIVE, OLD) == 0, "not at each second"
    house.clock.sleep(module._KEEP_SECONDS)
    sealing.keep(store)
    assert house.opens(ARCHIVE, OLD) == 1


def test_a_damaged_key_object_of_one_path_hides_nothing_of_another(house: House) -> None:
    house.set("password", "a tenant s own")
    for store in house.stores.values():
        house.keys.secure(1002, store)
    house.stores[DATA].put(names.KEYS_FILE, b"{}")
    _, others = house.keys.for_restore(list(house.stores.values()), Passwords(["a tenant s own"]), None)
    assert len(others) == 1


def test_the_vault_counts_where_a_server_died_before_the_parameter(house: House) -> None:
    house.set(house.file("key", OLD))
    house.parameters[1002] = "NONE"
    assert house.server().key_id(1002)
    assert house.parameters[1002] == f"file:{house.base}/key"


def test_what_can_not_be_read_is_no_reason_to_seal_nothing(house: House) -> None:
    house.set(house.file("key", OLD))
    house.vault().write_bytes(b"{")
    assert "is not valid" in refused(lambda: house.server().key_id(1002)).message


def test_a_password_is_not_kept_and_opens_elsewhere(house: House, tmp_path: Path) -> None:
    house.set("password", "a tenant s own")
    house.keys.secure(1002, house.stores[DATA])
    assert "a tenant s own" not in house.vault().read_text()
    assert house.parameters[1002] == "password"
    elsewhere = House(tmp_path / "elsewhere", stores=house.stores, tenants=[])
    for given, count in ((None, 0), (Passwords(["wrong"]), 0), (Passwords(["wrong", "a tenant s own"]), 1)):
        masters, others = elsewhere.keys.for_restore([house.stores[DATA]], given, None)
        assert (len(masters.known()), len(others)) == (count, count)


def test_a_restore_by_sys_uses_what_sys_has_set_and_no_tenants_password(house: House) -> None:
    house.set(house.file("key", OLD))
    house.keys.secure(1002, house.stores[DATA])
    _, others = house.keys.for_restore([house.stores[DATA]], None, None)
    assert len(others) == 1
    house.set("password", "a tenant s own")
    masters, others = house.keys.for_restore([house.stores[DATA]], None, None)
    assert (masters.known(), others) == ({}, ())
    error = refused(lambda: house.keys.for_restore([house.stores[DATA]], None, house.file("none", NEW)))
    assert "opens none of the paths" in error.message


def test_switched_off_it_still_reads_and_nothing_new_is_sealed(house: House) -> None:
    house.set(house.file("key", OLD))
    house.set("NONE")
    assert house.keys.key_id(1002) == ""
    assert house.keys.require(1002) is None
    assert len(house.keys.masters(1002).known()) == 1
    (house.base / "key").unlink()
    assert house.server().trouble(1002) == ""


def test_a_command_is_looked_at_once_a_minute_and_before_each_use(house: House, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    program = tmp_path / "give"
    program.write_text(f"#!/bin/sh\necho x >> {calls}\necho {OLD.decode()}\n")
    program.chmod(0o700)
    house.set(f"command:{program} --token hush")
    assert house.parameters[1002] == f"command:{program} ***"

    def count() -> int:
        return len(calls.read_text().split())

    state = house.keys._loaded(1002)
    before = count()
    house.keys._look(1002, state, is_regular=True)
    assert count() == before
    house.keys.require(1002)
    assert count() == before + 1
    house.clock.sleep(module._COMMAND_LOOK_SECONDS + 1)
    house.keys._look(1002, state, is_regular=True)
    assert count() == before + 2


def test_a_standby_finds_newer_keys_at_its_primary_or_by_its_source(house: House, tmp_path: Path) -> None:
    house.set(house.file("key", OLD))
    house.keys.secure(1002, house.stores[ARCHIVE])
    standby = tenant_of(1004, "behind")
    house.tenants.append(standby)
    masters = house.keys.of_log_source(1004, house.stores[ARCHIVE])
    assert masters.get(house.keys.key_id(1002)) is not None
    assert masters.get("0" * 32) is None
    # On another machine, restored WITH KEY FROM.
    elsewhere = House(tmp_path / "elsewhere", stores=house.stores, tenants=[standby])
    _, others = elsewhere.keys.for_restore([house.stores[ARCHIVE]], None, f"file:{house.base}/key")
    ClusterDirectory(elsewhere.base).vault(1004).put(module.Vault(others=others, readers=(f"file:{house.base}/key",)))
    house.set(f"file:{house.base}/key")
    newest = house.keys.key_id(1002)
    assert elsewhere.keys.of_log_source(1004, house.stores[ARCHIVE]).get(newest) is not None
    assert newest in elsewhere.server().masters(1004).known(), "what was found is kept"


def test_only_sys_names_things_of_the_host_and_nobody_seals_sys(house: House) -> None:
    tenant = Session(tenant=TENANT, user="root", client_id=2)
    source = house.file("key", OLD)
    assert refused(lambda: house.keys.assign(tenant, [TENANT], source, None)).code is codes.OB_ERR_NO_PRIVILEGE
    assert refused(lambda: house.set("password")).code is codes.OB_INVALID_ARGUMENT
    assert refused(lambda: house.set(source, "and a password")).code is codes.OB_INVALID_ARGUMENT
    assert refused(lambda: house.set("password", "short")).code is codes.OB_BACKUP_INVALID_PASSWORD
    operator = Session(tenant=tenant_of(1, "sys"), user="operator", client_id=3, grants=EVERYTHING)
    error = refused(lambda: house.keys.assign(operator, [TENANT], source, None))
    assert (error.code, error.hint.startswith("root@sys alone: ")) == (codes.OB_ERR_NO_PRIVILEGE, True)
    house.keys.assign(operator, [TENANT], "password", "of eight at least")
    house.keys.assign(operator, [TENANT], "NONE", None)
    sys = Session(tenant=tenant_of(1, "sys"), user="root", client_id=1)
    error = refused(lambda: house.keys.assign(sys, [tenant_of(1, "sys")], source, None))
    assert error.code is codes.OB_NOT_SUPPORTED
    house.set(source)
    assert refused(lambda: house.keys.assign(tenant, [TENANT], "NONE", None)).code is codes.OB_ERR_NO_PRIVILEGE
    assert house.keys.key_id(1002)
    assert PARAMETER == "backup_encryption"
    assert TENANT.status is TenantStatus.NORMAL
    with pytest.raises(HoldfastError):
        house.keys.assign(sys, [TENANT], "env:NOT_THERE", None)
