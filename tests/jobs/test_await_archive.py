"""What a server that does not archive may delete or write: two lives of one base directory over the same stores in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.piece_record import encode_format_file
from holdfast.backup_format.writer_record import decode_writer_record
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.cleanup import DeleteJob
from holdfast.errors import ForeignOwnerError, RefusedError, StoreUnavailableError
from holdfast.jobs.cleanup_worker import CleanupRun, CleanupSurroundings
from holdfast.jobs.destinations import format_file_of
from holdfast.jobs.identity import ClusterIdentity, ServerIdentity
from holdfast.jobs.stops import Stops
from holdfast.jobs.tenure import BEAT_SECONDS, SILENCE_SECONDS, Tenures
from holdfast.store.memory import MemoryStore
from holdfast.store.store import Store
from holdfast.values.archive import RoundStatus
from holdfast.values.buffers import Buffer
from holdfast.values.destination import Destination, DestinationKind, Uri, parse_uri
from holdfast.values.owner import Lineage, Opening
from holdfast.values.tenant import Tenant
from owner_rig import SERVER

DATA = Destination(tenant_id=1002, dest_id=1001, kind=DestinationKind.BACKUP_DATA, uri=parse_uri("file:///data"))
LOG = Destination(tenant_id=1002, dest_id=1002, kind=DestinationKind.ARCHIVE_LOG, uri=parse_uri("file:///log"))
TENANT = cast(Tenant, SimpleNamespace(tenant_id=1002, name="mysql_tenant"))
HERE, THERE = "a" * 32, "b" * 32
BEFORE = Lineage(openings=(Opening(server_id=SERVER, token="1" * 32),))


class Hand:
    """A clock that a test moves; who rests on it lets the other server beat."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now_ns(self) -> int:
        return int(self.seconds * 1e9)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Life:
    """One life of the server, its current round in `status` (None: it has no round)."""

    stores: dict[str, MemoryStore]
    clock: Hand
    token: str
    place: str
    status: RoundStatus | None
    lineage: Lineage = BEFORE
    beats: Callable[[], None] = lambda: None
    has_archive: bool = True
    rested: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        opened = self.lineage.opened(Opening(server_id=SERVER, token=self.token))
        server = ServerIdentity(opened, generation=2, place=self.place)
        identity = ClusterIdentity(name="holdfast", cluster_id=1, server=server)
        current = None if self.status is None else SimpleNamespace(dest_id=LOG.dest_id, status=self.status)
        archive = SimpleNamespace(destination=LOG) if self.has_archive else None
        catalog: Any = SimpleNamespace(
            cleanup=None,
            tenants=SimpleNamespace(by_id=lambda tenant_id: TENANT),
            events=SimpleNamespace(add=lambda *_, **__: None),
            destinations=SimpleNamespace(
                by_id=lambda tenant_id, dest_id: {1001: DATA, 1002: LOG}[dest_id],
                data=lambda tenant_id: DATA,
                archive=lambda tenant_id: archive,
            ),
            backups=SimpleNamespace(last_set_id=lambda tenant_id: 1),
            rounds=SimpleNamespace(current=lambda tenant_id: current, last_round_id=lambda tenant_id: 1),
        )
        for destination in (DATA, LOG):
            store = self.stores[destination.uri.path]
            store.put(names.FORMAT_FILE, encode_format_file(format_file_of(identity, TENANT, destination, 1)))
        self.tenures = Tenures(cast(Catalog, catalog), identity, self.clock)
        surroundings = cast(
            CleanupSurroundings,
            SimpleNamespace(
                catalog=catalog, tenures=self.tenures, open_store=self.open, clock=self.clock, identity=identity
            ),
        )
        stops = cast(Stops, SimpleNamespace(rest=self.rest, check=lambda: None))
        job = cast(DeleteJob, SimpleNamespace(tenant_id=1002))
        self.deletion = CleanupRun(surroundings, job, stops)

    def open(self, uri: Uri, *, create: bool = False) -> Store:
        return self.stores[uri.path]

    def rest(self, seconds: float) -> None:
        self.clock.seconds += seconds
        self.rested += seconds
        self.beats()

    def await_archive(self) -> None:
        self.tenures.await_archive(1002, self.open, self.rest)

    def keep(self) -> None:
        self.tenures.of(LOG).keep(self.stores["/log"])


@dataclass
class Scene:
    stores: dict[str, MemoryStore] = field(default_factory=lambda: {"/data": MemoryStore(), "/log": MemoryStore()})
    clock: Hand = field(default_factory=Hand)

    def __post_init__(self) -> None:
        self.original = Life(self.stores, self.clock, "2" * 32, HERE, RoundStatus.DOING)
        for destination in (DATA, LOG):
            self.original.tenures.of(destination).take(self.stores[destination.uri.path])

    def copy(self, status: RoundStatus | None) -> Life:
        """Return a copy of the base directory that is restarted: of its former start it knows nothing but the round's status."""
        lineage = self.original.tenures._identity.server.lineage
        return Life(self.stores, self.clock, "3" * 32, THERE, status, lineage=lineage)

    def writers(self) -> set[str]:
        return {decode_writer_record(one.get(names.WRITER_FILE)).owner.token for one in self.stores.values()}


QUIET = [None, *(one for one in RoundStatus if one not in {RoundStatus.BEGINNING, RoundStatus.DOING, RoundStatus.STOP})]


@pytest.mark.parametrize("status", QUIET)
def test_restarted_copy_takes_nothing_of_a_living_server_whatever_its_own_round_does(
    status: RoundStatus | None,
) -> None:
    """It stood down, so no follower of its own looks: the deletion looks itself."""
    scene = Scene()
    copy = scene.copy(status)
    copy.beats = scene.original.keep
    with pytest.raises(ForeignOwnerError, match="writes there now"):
        copy.await_archive()
    assert scene.writers() == {"2" * 32}
    assert copy.rested <= BEAT_SECONDS + 1
    scene.original.await_archive()


@pytest.mark.parametrize("status", QUIET)
def test_statement_that_changes_keys_does_so_in_no_destination_of_a_living_server(
    status: RoundStatus | None,
) -> None:
    """It does not wait for another's silence either: SET backup_encryption answers in seconds."""
    scene = Scene()
    copy = scene.copy(status)
    began = scene.clock.seconds
    for destination in (DATA, LOG):
        with pytest.raises((ForeignOwnerError, StoreUnavailableError)):
            copy.tenures.take_at_once(destination, scene.stores[destination.uri.path], copy.open)
    assert scene.clock.seconds - began < SILENCE_SECONDS
    assert scene.writers() == {"2" * 32}
    scene.original.tenures.take_at_once(DATA, scene.stores["/data"], scene.original.open)


@pytest.mark.parametrize("status", QUIET)
def test_where_the_other_is_dead_its_silence_is_waited_for(status: RoundStatus | None) -> None:
    scene = Scene()
    copy = scene.copy(status)
    copy.await_archive()
    assert SILENCE_SECONDS - 0.1 < copy.rested < SILENCE_SECONDS + 1
    copy.await_archive()
    assert copy.rested < SILENCE_SECONDS + 1, "once"


def test_next_start_of_the_same_directory_waits_for_nothing() -> None:
    scene = Scene()
    again = scene.copy(RoundStatus.INTERRUPTED)
    again = Life(scene.stores, scene.clock, "4" * 32, HERE, RoundStatus.INTERRUPTED, lineage=again.lineage)
    again.await_archive()
    assert not again.rested


def test_tenant_that_was_never_archived_has_nobody_to_wait_for() -> None:
    scene = Scene()
    copy = scene.copy(None)
    copy = Life(scene.stores, scene.clock, "4" * 32, THERE, None, lineage=copy.lineage, has_archive=False)
    copy.await_archive()
    assert not copy.rested


def test_follower_that_takes_the_archive_is_waited_for_and_no_longer_than_it_may_take() -> None:
    scene = Scene()
    copy = scene.copy(RoundStatus.DOING)
    with pytest.raises(StoreUnavailableError, match="does not tell who writes it"):
        copy.await_archive()
    assert scene.writers() == {"2" * 32}


def test_archive_that_is_not_mounted_is_not_taken_for_one_without_a_writer() -> None:
    scene = Scene()
    copy = scene.copy(None)
    empty = scene.stores["/log"] = MemoryStore()
    with pytest.raises(RefusedError):
        copy.await_archive()
    assert empty.stat(names.WRITER_FILE) is None


def test_deletion_takes_an_archive_of_former_times_only_after_its_writer_was_silent() -> None:
    scene = Scene()
    copy = scene.copy(None)
    copy.beats = scene.original.keep
    with pytest.raises(ForeignOwnerError, match="writes there now"):
        copy.deletion._taken_store(LOG.dest_id)
    assert scene.writers() == {"2" * 32}


def test_look_at_whether_a_destination_answers_takes_nothing() -> None:
    scene = Scene()
    copy = scene.copy(None)
    assert not copy.deletion._unreachable({DATA.dest_id, LOG.dest_id})
    assert scene.writers() == {"2" * 32}


class Full(MemoryStore):
    """Has no byte free any more."""

    def put(self, name: str, data: Buffer) -> None:
        raise StoreUnavailableError("no room", code=codes.OB_BACKUP_DEVICE_OUT_OF_SPACE)


@pytest.mark.parametrize("status", [RoundStatus.DOING, RoundStatus.INTERRUPTED])
def test_deletion_of_the_next_start_does_not_wait_for_an_archive_that_is_full(status: RoundStatus) -> None:
    """Its follower takes it when there is room again, and it is the deletion that makes room."""
    scene = Scene()
    lineage = scene.original.tenures._identity.server.lineage
    again = Life(scene.stores, scene.clock, "4" * 32, HERE, status, lineage=lineage)
    for path, store in list(scene.stores.items()):
        full = Full()
        for item in list(store.list()):
            MemoryStore.put(full, item.name, store.get(item.name))
        scene.stores[path] = full
    again.tenures.await_archive(1002, again.open, again.rest, removes=True)
    assert again.rested == 0
    assert again.deletion._taken_store(DATA.dest_id) is scene.stores["/data"]
    assert not again.deletion._unreachable({DATA.dest_id, LOG.dest_id})
    with pytest.raises(StoreUnavailableError):
        again.await_archive()
