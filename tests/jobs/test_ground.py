"""What a path may lead to when a statement names it, and what is opened afterwards, whatever was put into the path meanwhile."""

import ast
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import holdfast
from holdfast import codes
from holdfast.backup_format.names import FORMAT_FILE
from holdfast.backup_format.piece_record import FormatFile, encode_format_file
from holdfast.errors import HoldfastError, RefusedError, StoreUnavailableError
from holdfast.jobs import ground
from holdfast.jobs.ground import Ground, named_uri, owned_by
from holdfast.jobs.session import Session
from holdfast.store.folder import make_folder_at
from holdfast.values.destination import Destination, DestinationKind, Uri, parse_uri
from holdfast.values.grants import EVERYTHING
from holdfast.values.roots import SYSTEM_TREES
from holdfast.values.tenant import (
    CompatibilityMode,
    LogMode,
    Tenant,
    TenantRole,
    TenantStatus,
    Unit,
)
from source_rig import trees

CLUSTER_ID, TENANT_ID, OTHER_ID = 7, 1002, 1004
OWN = owned_by(CLUSTER_ID, TENANT_ID)


def session_of(tenant_id: int) -> Session:
    tenant = Tenant(
        tenant_id=tenant_id,
        name="sys" if tenant_id == 1 else "t",
        role=TenantRole.PRIMARY,
        status=TenantStatus.NORMAL,
        log_mode=LogMode.NOARCHIVELOG,
        mode=CompatibilityMode.MYSQL,
        unit=Unit(max_cpu=1.0, memory_size_bytes=1 << 30, log_disk_size_bytes=1 << 31),
        create_time_us=1,
        modify_time_us=1,
        data_version="1.4.0.0",
    )
    return Session(tenant=tenant, user="root", client_id=1, grants=EVERYTHING)


SYS, MINE = session_of(1), session_of(TENANT_ID)


def claimed(place: Path, tenant_id: int, cluster_id: int = CLUSTER_ID, kind: str = "backup_data") -> Path:
    """Make the directory a destination of the tenant."""
    place.mkdir(parents=True, exist_ok=True)
    record = FormatFile(
        cluster_name="c",
        cluster_id=cluster_id,
        tenant_id=tenant_id,
        tenant_name="t",
        dest_id=1001,
        kind=DestinationKind(kind),
        path=f"file://{place}",
        created_us=1,
    )
    (place / FORMAT_FILE).write_bytes(encode_format_file(record))
    return place


class World:
    """A base directory, a place for backups, and one that is nobody's business."""

    def __init__(self, home: Path) -> None:
        self.home = Path(os.path.realpath(home))
        self.base, self.backup, self.outside = (self.home / name for name in ("base", "backup", "outside"))
        for place in (self.base / "tenants", self.backup, self.outside):
            place.mkdir(parents=True)
        self.roots: tuple[str, ...] = ()
        self.ground = Ground(self.base, lambda: self.roots)

    def names(self, path: Path | str, session: Session = MINE, current: Destination | None = None) -> Uri:
        return self.ground.destination(session, named_uri(f"file://{path}"), is_own=OWN, current=current)

    def reads(self, path: Path | str, session: Session | None = MINE) -> Uri:
        return self.ground.source(session, named_uri(f"file://{path}"), is_own=OWN)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def refused(call: Callable[[], object]) -> RefusedError:
    with pytest.raises(RefusedError) as error:
        call()
    return error.value


def prepared(world: World) -> dict[str, str]:
    """Return hostile paths by what they are. The root, where one is named, is `world.backup`."""
    home = world.home
    taken = claimed(world.backup / "neighbour" / "data", OTHER_ID)
    (world.outside / "full").mkdir()
    (world.outside / "full" / "file").touch()
    (world.outside / "folders" / "only").mkdir(parents=True)
    (world.outside / "own").mkdir()
    (world.backup / "way out").symlink_to(world.outside)
    (world.backup / "to etc").symlink_to("/etc")
    (world.backup / "to nowhere").symlink_to("/etc/never-made")
    (world.backup / "shm").symlink_to("/dev/shm")
    (world.backup / "cwd").symlink_to("/proc/self/cwd")
    (world.home / "to neighbour").symlink_to(taken)
    return {
        "etc": "/etc/x",
        "home of root": "/root",
        "below it": "/root/backup",
        "programs": "/usr/lib",
        "cron": "/var/spool/cron",
        "cron's own": "/var/spool/cron/crontabs",
        "not there": f"{home}/never/made",
        "not empty": f"{world.outside}/full",
        "holds folders": f"{world.outside}/folders",
        "spelled otherwise": f"{world.outside}//full/./",
        "base directory": f"{world.base}/tenants",
        "above the base directory": f"{home}",
        "link to nowhere": f"{world.backup}/to nowhere",
        "link to etc": f"{world.backup}/to etc",
        "below a link": f"{world.backup}/to etc/x",
        "not made below a link": f"{world.backup}/way out/new/one",
        "above the neighbour": f"{world.backup}/neighbour",
        "the neighbour's": str(taken),
        "in the neighbour's": f"{taken}/inner",
        "link to the neighbour's": f"{home}/to neighbour",
        "memory": "/dev/shm",
        "in memory": "/dev/shm/backup",
        "link to memory": f"{world.backup}/shm",
        "below a link to memory": f"{world.backup}/shm/x",
        "the server's own directory": "/proc/self/cwd",
        "a process": "/proc/self/root/backup",
        "the kernel": "/sys/fs",
    }


NOT_BOUND_BY_ROOTS = {"above the neighbour", "the neighbour's", "in the neighbour's", "link to the neighbour's"}
"""Below the root: whose they are is found when they are claimed or read."""


def test_without_roots_no_hostile_path_is_taken_from_a_tenant(world: World) -> None:
    for what, path in prepared(world).items():
        for name in (world.names, world.reads):
            error = refused(lambda name=name, path=path: name(path))  # type: ignore[misc]
            assert error.code is codes.OB_INVALID_BACKUP_DEST, what
    assert not (world.home / "never").exists()
    assert not (world.outside / "new").exists()


def test_below_roots_no_hostile_path_leads_out(world: World) -> None:
    world.roots = (str(world.backup),)
    for what, path in prepared(world).items():
        if what in NOT_BOUND_BY_ROOTS:
            continue
        for name in (world.names, world.reads):
            error = refused(lambda name=name, path=path: name(path))  # type: ignore[misc]
            assert error.code is codes.OB_INVALID_BACKUP_DEST, what
    error = refused(lambda: world.names(world.backup))
    assert error.code is codes.OB_INVALID_BACKUP_DEST, "the root itself would leave no place for others"
    assert not (world.outside / "new").exists()


@pytest.mark.parametrize("path", ["/backup/../etc", "/..", "etc/x", "/", "//", "/.", "/a,b", "/a\0b"])
def test_a_path_that_is_none_is_refused_before_it_is_looked_at(world: World, path: str) -> None:
    for session in (MINE, SYS):
        assert refused(lambda session=session: world.names(path, session)).code is codes.OB_INVALID_BACKUP_DEST  # type: ignore[misc]


def test_nobody_names_the_kernels_trees_and_the_base_directory(world: World) -> None:
    found = prepared(world)
    kernel = [path for path in found.values() if path.startswith(("/dev", "/proc", "/sys"))]
    bases = (found["base directory"], found["above the base directory"], str(world.base))
    for path in (*kernel, found["link to memory"], found["below a link to memory"], *bases):
        for session in (MINE, SYS):
            for roots in ((), ("/",)):
                world.roots = roots
                assert refused(lambda p=path, s=session: world.names(p, s)).code is codes.OB_INVALID_BACKUP_DEST  # type: ignore[misc]
                assert refused(lambda p=path, s=session: world.reads(p, s)).code is codes.OB_INVALID_BACKUP_DEST  # type: ignore[misc]


def test_without_roots_a_tenant_takes_an_empty_directory_of_the_account_or_its_own(world: World) -> None:
    place = world.outside / "own"
    place.mkdir()
    uri = world.names(place)
    assert uri.resolved == str(place)
    world.ground.open(uri).put("a", b"1")
    refused(lambda: world.names(place))  # what lies there says nothing of whose it is
    refused(lambda: world.reads(place))
    claimed(place, TENANT_ID)
    assert world.names(f"{place}/").resolved == str(place)
    assert world.reads(place / "backup_set_1_full").resolved == str(place)
    claimed(place, TENANT_ID, CLUSTER_ID + 1)
    refused(lambda: world.names(place))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a directory away")
def test_without_roots_another_accounts_directory_is_not_taken(world: World) -> None:
    place = world.outside / "given"
    place.mkdir()
    os.chown(place, 12345, 12345)
    refused(lambda: world.names(place))
    assert not world.names(place, SYS).resolved
    world.roots = (str(world.outside),)
    assert world.names(place).resolved == str(place), "the operator says where"


def test_trees_of_the_system_are_taken_from_no_tenant_though_root_owns_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/var/spool/cron/crontabs is empty and root's on most machines."""
    for tree in SYSTEM_TREES:
        refused(lambda tree=tree: world.names(f"{tree}/holdfast"))  # type: ignore[misc]
    spool = world.outside / "spool"
    spool.mkdir()
    assert world.names(spool).resolved == str(spool)
    monkeypatch.setattr(ground, "SYSTEM_TREES", (str(world.outside),))
    refused(lambda: world.names(spool))
    assert not world.names(spool, SYS).resolved
    world.roots = (str(world.outside),)
    assert world.names(spool).resolved == str(spool), "the operator says where"


def test_the_refusal_names_the_way_out_and_tells_nothing_of_the_path(world: World) -> None:
    texts = set()
    (world.outside / "full").mkdir()
    (world.outside / "full" / "file").touch()
    for path in (world.home / "never", world.outside / "full", world.outside):
        error = refused(lambda path=path: world.names(path))  # type: ignore[misc]
        assert "--destination-root" in error.hint
        assert "backup_destination_roots" in error.hint
        texts.add(str(error).replace(str(path), ""))
    assert len(texts) == 1
    world.roots = (str(world.backup),)
    error = refused(lambda: world.names(world.outside))
    assert str(world.backup) in error.hint
    assert "--destination-root" in error.hint


def test_sys_is_bound_by_no_root_and_hears_where_it_is(world: World) -> None:
    for roots in ((), (str(world.backup),)):
        world.roots = roots
        uri = world.names(world.outside / "new", SYS)
        assert not uri.resolved
        told = [warning.message for warning in world.ground.warnings(SYS, uri)]
        assert [f"file://{world.outside}/new lies outside the destination roots"] * len(roots) == told
    world.roots = (str(world.backup),)
    assert world.ground.warnings(SYS, world.names(world.backup / "new", SYS)) == ()
    (world.backup / "out").symlink_to(world.outside)
    (warning,) = world.ground.warnings(SYS, world.names(world.backup / "out" / "x", SYS))
    assert "outside the destination roots" in warning.message, "a link is followed"
    shared = world.backup / "shared"
    shared.mkdir()
    for mode, is_told in ((0o777, True), (0o1777, False), (0o770, False)):
        shared.chmod(mode)
        told = [warning.message for warning in world.ground.warnings(SYS, world.names(shared, SYS))]
        assert any("every user of the machine" in words for words in told) == is_told


def test_what_a_tenant_has_now_it_may_set_again(world: World) -> None:
    uri = parse_uri(f"file://{world.outside}/old")
    current = Destination(tenant_id=TENANT_ID, dest_id=1001, kind=DestinationKind.BACKUP_DATA, uri=uri)
    world.roots = (str(world.backup),)
    assert not world.names(f"{world.outside}/old", current=current).resolved, "as sys set it"
    kept = replace(current, uri=replace(uri, resolved="/x"))
    assert world.names(f"{world.outside}/old", current=kept).resolved == "/x"
    refused(lambda: world.names(f"{world.outside}/other", current=current))


def test_below_the_roots_another_tenants_destination_is_not_read(world: World) -> None:
    world.roots = (str(world.backup),)
    place = claimed(world.backup / "theirs", OTHER_ID)
    for path in (place, place / "backup_set_1_full", place / "piece_d1001r1p1"):
        assert refused(lambda path=path: world.reads(path)).code is codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH  # type: ignore[misc]
        assert world.reads(path, SYS) == parse_uri(f"file://{path}")
    own = claimed(world.backup / "ours", TENANT_ID)
    assert world.reads(own).resolved == str(own)


def test_a_new_directory_is_made_where_it_was_judged_to_be(world: World) -> None:
    world.roots = (str(world.backup),)
    uri = world.names(world.backup / "a" / "b")
    world.ground.open(uri, create=True).put("x", b"1")
    assert (world.backup / "a" / "b" / "x").read_bytes() == b"1"
    late = world.names(world.backup / "c" / "d")
    (world.backup / "c").symlink_to(world.outside)
    with pytest.raises(StoreUnavailableError):
        world.ground.open(late, create=True)
    assert not list(world.outside.iterdir())


@pytest.mark.parametrize("roots", [True, False], ids=["roots", "no roots"])
def test_a_path_that_leads_elsewhere_later_is_neither_read_nor_written(world: World, roots: bool) -> None:
    world.roots = (str(world.backup),) if roots else ()
    place = world.backup / "mine"
    place.mkdir()
    uri = world.names(place)
    store = world.ground.open(uri)
    store.put("a", b"1")
    secret = Path("/etc") if not roots else world.outside
    place.rename(world.backup / "moved")
    place.symlink_to(secret)
    before = sorted(secret.iterdir())
    calls: list[Callable[[], object]] = [
        lambda: store.get("a"),
        lambda: list(store.list()),
        lambda: store.put("hostile", b"1"),
        lambda: store.delete("hostname"),
        lambda: store.appender("hostile", 0),
        lambda: world.ground.open(uri),
        lambda: world.ground.open(uri, create=True),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailableError) as error:
            call()
        assert error.value.code is codes.OB_INVALID_BACKUP_DEST
    assert sorted(secret.iterdir()) == before
    place.unlink()
    (world.backup / "moved").rename(place)
    assert store.get("a") == b"1", "put back it goes on"


def test_an_operator_moves_a_destination_within_the_roots(world: World) -> None:
    world.roots = (str(world.backup),)
    place = world.backup / "mine"
    place.mkdir()
    uri = world.names(place)
    world.ground.open(uri).put("a", b"1")
    (world.backup / "bigger").mkdir()
    place.rename(world.backup / "bigger" / "mine")
    place.symlink_to(world.backup / "bigger" / "mine")
    assert world.ground.open(uri).get("a") == b"1"


def test_what_was_set_before_there_were_roots_goes_on_and_is_told_of(world: World) -> None:
    old = parse_uri(f"file://{world.outside}")
    own = world.names(world.outside)  # by the tenant, without roots
    world.roots = (str(world.backup),)
    for uri in (old, own):
        world.ground.open(uri).put("a", b"1")
        assert world.ground.outside([uri]) == f"file://{world.outside} lies outside the destination roots"
    inside = parse_uri(f"file://{world.backup}/x")
    assert world.ground.outside([inside]) == ""
    assert "lie outside" in world.ground.outside([old, inside, replace(old, path="/elsewhere")])
    world.roots = ()
    assert world.ground.outside([old]) == ""


def test_a_root_may_be_a_link_of_the_operators(world: World) -> None:
    (world.home / "root").symlink_to(world.backup)
    world.roots = (str(world.home / "root"),)
    assert world.names(world.home / "root" / "x").resolved == f"{world.backup}/x"
    assert world.names(world.backup / "y").resolved == f"{world.backup}/y"


@pytest.mark.parametrize("roots", [True, False], ids=["roots", "no roots"])
def test_whoever_swaps_a_link_while_tenants_set_and_write_moves_nothing_out(world: World, roots: bool) -> None:
    """One thread flips a path between a good directory and one outside, at any moment; not one byte may go there."""
    world.roots = (str(world.backup),) if roots else ()
    good, path, spare = world.backup / "good", world.backup / "path", world.backup / "spare"
    claimed(good, TENANT_ID)
    bad = world.outside if roots else world.base
    before = sorted(bad.rglob("*"))
    path.symlink_to(good)
    ended = threading.Event()

    def flip() -> None:
        while not ended.is_set():
            for target in (bad, good):
                spare.symlink_to(target)
                os.rename(spare, path)
                time.sleep(pauses.random() / 500)  # a tenant's set and write takes about as long

    pauses = random.Random(52)
    flipping = threading.Thread(target=flip)
    flipping.start()
    done = kept_out = 0
    found: set[codes.Code] = set()
    try:
        for number in range(100_000):
            try:
                store = world.ground.open(world.names(path), create=True)
                store.put(f"{number % 8}", b"1")
                store.get(FORMAT_FILE)
                done += 1
            except HoldfastError as error:
                kept_out += 1
                found.add(error.code)
            if min(done, kept_out) >= 20:
                break
    finally:
        ended.set()
        flipping.join()
    assert min(done, kept_out) >= 20, (done, kept_out)
    assert found == {codes.OB_INVALID_BACKUP_DEST}
    assert sorted(bad.rglob("*")) == before


def test_a_link_in_a_path_that_is_made_is_an_error(tmp_path: Path) -> None:
    home = Path(os.path.realpath(tmp_path))
    (home / "link").symlink_to(home)
    make_folder_at(f"{home}/a/b/c")
    make_folder_at(f"{home}/a/b/c")
    assert (home / "a" / "b" / "c").stat().st_mode & 0o777 == 0o750
    for path in (f"{home}/link", f"{home}/link/x"):
        with pytest.raises(NotADirectoryError):
            make_folder_at(path)
    (home / "file").touch()
    with pytest.raises(NotADirectoryError):
        make_folder_at(f"{home}/file/x")


_STORED = "of a row that the statement's own judgement made"
PARSERS = {
    "jobs/backups.py:Backups.backup": "for the warnings, when the path was judged",
    "jobs/cleanup.py:Cleanup.delete_all": "compared with what the tenant has, and not opened",
    "jobs/cleanup_worker.py:CleanupRun._readers": _STORED,
    "jobs/desk.py:HoldfastDesk._change_storage": "compared with what the tenant has, and not opened",
    "jobs/drill_worker.py:DrillRun._restored": _STORED,
    "jobs/drill_worker.py:DrillRun._sources": "the location of a store that was opened",
    "jobs/ground.py:named_uri": "is the door",
    "jobs/restore_worker.py:RestoreWorkers._run": _STORED,
    "jobs/standbys.py:Standbys._follow": f"{_STORED}, with the place it led to",
    "jobs/validation_worker.py:place_of": f"{_STORED}; a user tenant's is judged again by `_named`",
    "restore/block_server.py:main": "what sys named in RESTORE",
}
OPENERS = {"jobs/ground.py": "is the door", "restore/block_server.py": "reads what sys named in RESTORE"}


def calls_of(tree: ast.AST, name: str, within: str = "") -> Iterator[str]:
    """Yield the function around each call of a plain name."""
    for node in ast.iter_child_nodes(tree):
        inner = within
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inner = f"{within}.{node.name}".strip(".")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield inner
        yield from calls_of(node, name, inner)


def test_every_text_that_becomes_a_path_and_every_open_goes_through_the_ground() -> None:
    """A new statement that takes a path names it by `named_uri`; whatever opens a destination is given `Ground.open`."""
    source = Path(holdfast.__file__).parent
    parsers, openers = set(), set()
    for path in sorted(source.rglob("*.py")):
        name, text = str(path.relative_to(source)), path.read_text()
        if not name.startswith(("store/", "values/")):
            parsers |= {f"{name}:{place}" for place in calls_of(trees()[name], "parse_uri")}
            openers |= {name} if "from holdfast.store.open import" in text else set()
    assert parsers == PARSERS.keys()
    assert openers == OPENERS.keys()
