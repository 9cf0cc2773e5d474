"""Who may write a destination: two servers of one name over one store in memory."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.writer_record import decode_writer_record
from holdfast.catalog.catalog import Catalog
from holdfast.errors import EngineError, ForeignOwnerError, StoreUnavailableError
from holdfast.jobs.identity import ClusterIdentity, ServerIdentity
from holdfast.jobs.tenure import _PUTS_REMEMBERED, BEAT_SECONDS, SILENCE_SECONDS, Tenure
from holdfast.store.memory import MemoryStore
from holdfast.values.backup_set import BackupType
from holdfast.values.buffers import Buffer
from holdfast.values.destination import Destination, DestinationKind, parse_uri
from holdfast.values.owner import Lineage, Opening
from owner_rig import SERVER

COPIED = Lineage(openings=(Opening(server_id=SERVER, token="1" * 32),))
HERE, THERE = "a" * 32, "b" * 32


class Hand:
    """A clock that a test moves."""

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
    """One life of the server: a start from the same copied directory, with what its catalog knows."""

    token: str
    clock: Hand
    place: str = HERE
    set_id: int = 1
    round_id: int = 1
    kind: DestinationKind = DestinationKind.ARCHIVE_LOG
    lineage: Lineage = COPIED
    told: list[str] = field(default_factory=list)
    is_away: bool = False

    def __post_init__(self) -> None:
        opened = self.lineage.opened(Opening(server_id=SERVER, token=self.token))
        self.server = ServerIdentity(opened, generation=2, place=self.place)
        catalog: Any = SimpleNamespace(
            backups=SimpleNamespace(last_set_id=self._last_set, raise_set_id=self._raise_set),
            rounds=SimpleNamespace(
                last_round_id=lambda tenant_id: self.round_id,
                raise_round_id=self._raise_round,
                raise_piece_id=lambda tenant_id, least: None,
            ),
        )
        uri = parse_uri("file:///d")
        self.tenure = Tenure(
            Destination(tenant_id=1002, dest_id=1001, kind=self.kind, uri=uri),
            cast(Catalog, catalog),
            ClusterIdentity(name="c", cluster_id=7, server=self.server),
            self.clock,
            lambda destination, message: self.told.append(message),
        )

    def _last_set(self, tenant_id: int) -> int:
        if self.is_away:
            raise EngineError("the catalog is away")
        return self.set_id

    def _raise_set(self, tenant_id: int, least: int) -> None:
        self.set_id = max(self.set_id, least)

    def _raise_round(self, tenant_id: int, least: int) -> None:
        self.round_id = max(self.round_id, least)


@pytest.fixture
def clock() -> Hand:
    return Hand()


def writer(store: MemoryStore) -> str:
    return decode_writer_record(store.get(names.WRITER_FILE)).owner.token


def test_first_writer_of_a_destination_takes_it_at_once(clock: Hand) -> None:
    store, life = MemoryStore(), Life("2" * 32, clock)
    life.tenure.take(store, watches=True)
    life.tenure.keep(store)
    assert writer(store) == "2" * 32
    assert not life.told


def test_next_start_of_the_same_directory_takes_it_at_once(clock: Hand) -> None:
    """The lock of the base directory proves that the one before is dead, killed or not."""
    store, first = MemoryStore(), Life("2" * 32, clock)
    first.tenure.take(store)
    second = Life("3" * 32, clock, lineage=first.server.lineage)
    second.tenure.take(store, watches=True)
    record = decode_writer_record(store.get(names.WRITER_FILE))
    assert (record.owner.token, record.predecessor) == ("3" * 32, "2" * 32)


def test_copy_that_starts_while_the_other_lives_stops_and_the_other_goes_on(clock: Hand) -> None:
    store, original = MemoryStore(), Life("2" * 32, clock)
    original.tenure.take(store)
    copy = Life("3" * 32, clock, place=THERE, lineage=original.server.lineage)
    with pytest.raises(StoreUnavailableError, match="may still live"):
        copy.tenure.take(store, watches=True)
    clock.seconds += BEAT_SECONDS
    original.tenure.keep(store)
    with pytest.raises(ForeignOwnerError, match="of which this base directory is a copy, writes there now"):
        copy.tenure.take(store, watches=True)
    assert writer(store) == "2" * 32
    assert len(copy.told) == 1


def test_copy_waits_for_silence_before_it_believes_the_other_dead(clock: Hand) -> None:
    store, original = MemoryStore(), Life("2" * 32, clock)
    original.tenure.take(store)
    copy = Life("3" * 32, clock, place=THERE, lineage=original.server.lineage)
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            copy.tenure.take(store, watches=True)
        clock.seconds += SILENCE_SECONDS / 3 - 0.1
    clock.seconds += 0.5
    copy.tenure.take(store, watches=True)
    assert writer(store) == "3" * 32


def test_after_an_orderly_end_nobody_waits(clock: Hand) -> None:
    store, original = MemoryStore(), Life("2" * 32, clock)
    original.tenure.take(store)
    original.tenure.leave(store)
    Life("3" * 32, clock, place=THERE, lineage=original.server.lineage).tenure.take(store, watches=True)
    assert writer(store) == "3" * 32


def test_running_server_finds_before_its_next_write_that_it_was_overtaken(clock: Hand) -> None:
    store, original = MemoryStore(), Life("2" * 32, clock)
    original.tenure.take(store)
    copy = Life("3" * 32, clock, place=THERE, lineage=original.server.lineage)
    copy.tenure.take(store)
    for attempt in (original.tenure.keep, original.tenure.take):
        with pytest.raises(ForeignOwnerError, match="has taken it over while this server ran"):
            attempt(store)
    assert writer(store) == "3" * 32, "and writes nothing"
    copy.tenure.keep(store)


def test_directory_that_was_put_back_stops(clock: Hand) -> None:
    store, later = MemoryStore(), Life("2" * 32, clock)
    later.tenure.take(store)
    later.tenure.leave(store)
    put_back = Life("3" * 32, clock)
    with pytest.raises(ForeignOwnerError, match="copied, or put back"):
        put_back.tenure.take(store)
    assert put_back.tenure.trouble


def test_snapshot_of_a_running_server_that_was_put_back_stops_by_the_ids(clock: Hand) -> None:
    """Its newest start is the one that wrote; only that it wrote more than the snapshot knows tells."""
    store, later = MemoryStore(), Life("2" * 32, clock, set_id=5)
    later.tenure.take(store)
    put_back = Life("3" * 32, clock, set_id=4, lineage=later.server.lineage)
    with pytest.raises(ForeignOwnerError, match="backup set 5 is known there, the last this server gave was 4"):
        put_back.tenure.take(store)


def test_machine_copied_with_its_memory_is_noticed(clock: Hand) -> None:
    """Both are the same start with the same token: the record is not what this one put."""
    store, one = MemoryStore(), Life("2" * 32, clock)
    other = Life("2" * 32, clock)
    one.tenure.take(store)
    clock.seconds += 1
    other.tenure.take(store)
    clock.seconds += 1
    with pytest.raises(ForeignOwnerError, match="a copy of this running server writes there too"):
        one.tenure.keep(store)


@pytest.mark.parametrize(
    ("kind", "mark"),
    [
        (
            DestinationKind.BACKUP_DATA,
            names.set_placeholder(
                names.SetPlaceholder(set=names.SetRef(set_id=9, type=BackupType.INC), event=names.SetEvent.START)
            ),
        ),
        (
            DestinationKind.ARCHIVE_LOG,
            names.round_placeholder(names.RoundPlaceholder(dest_id=1001, round_id=9, edge=names.Edge.START)),
        ),
    ],
)
def test_numbers_that_lie_there_tell_without_a_record(clock: Hand, kind: DestinationKind, mark: str) -> None:
    """A copy of before there were owners wrote there: no record, but numbers that this server never gave."""
    store, life = MemoryStore(), Life("2" * 32, clock, kind=kind)
    store.put(mark, b"holdfast\n")
    with pytest.raises(ForeignOwnerError, match=" 9 is known there"):
        life.tenure.take(store)
    assert store.stat(names.WRITER_FILE) is None


def test_renewed_server_takes_it_over_and_counts_on_behind_what_is_there(clock: Hand) -> None:
    store, later = MemoryStore(), Life("2" * 32, clock, set_id=5, round_id=4)
    later.tenure.take(store)
    put_back = Life("3" * 32, clock)
    with pytest.raises(ForeignOwnerError):
        put_back.tenure.take(store)
    put_back.server.renew()
    put_back.tenure.take_over(store)
    assert (put_back.set_id, put_back.round_id, put_back.tenure.trouble) == (5, 4, "")
    put_back.tenure.take(store)
    put_back.tenure.keep(store)
    with pytest.raises(ForeignOwnerError, match="has taken it over"):
        later.tenure.keep(store)
    assert decode_writer_record(store.get(names.WRITER_FILE)).owner.server_id != SERVER


def test_of_two_that_take_it_at_the_same_moment_one_goes_on(clock: Hand) -> None:
    other = Life("3" * 32, clock, place=THERE)

    class Racing(MemoryStore):
        raced = False

        def put(self, name: str, data: Buffer) -> None:
            if not self.raced:
                self.raced = True
                other.tenure.take(self)
            super().put(name, data)

    store, one = Racing(), Life("2" * 32, clock)
    one.tenure.take(store)
    one.tenure.keep(store)
    with pytest.raises(ForeignOwnerError):
        other.tenure.keep(store)
    assert writer(store) == "2" * 32


def test_put_that_failed_and_took_effect_is_ones_own(clock: Hand) -> None:
    class Torn(MemoryStore):
        is_torn = False

        def put(self, name: str, data: Buffer) -> None:
            super().put(name, data)
            if self.is_torn:
                self.is_torn = False
                raise StoreUnavailableError("the answer was lost")

    store, life = Torn(), Life("2" * 32, clock)
    life.tenure.take(store)
    store.is_torn = True
    clock.seconds += BEAT_SECONDS
    with pytest.raises(StoreUnavailableError):
        life.tenure.keep(store)
    life.tenure.keep(store)


class FailsFirst(MemoryStore):
    """Refuses the next puts; `takes_effect`: only the answer is lost."""

    failures = 0
    takes_effect = False

    def put(self, name: str, data: Buffer) -> None:
        if not self.failures:
            return super().put(name, data)
        self.failures -= 1
        if self.takes_effect:
            super().put(name, data)
        raise StoreUnavailableError("the destination stumbled")


@pytest.mark.parametrize("place", [HERE, THERE])
@pytest.mark.parametrize("takes_effect", [False, True])
def test_first_put_that_failed_over_an_own_record_is_only_repeated(
    clock: Hand, place: str, *, takes_effect: bool
) -> None:
    """The record before it is this server's own: nobody has overtaken it, whether the put took effect or not."""
    store, before = FailsFirst(), Life("2" * 32, clock)
    before.tenure.take(store)
    life = Life("3" * 32, clock, place=place, lineage=before.server.lineage)
    if place == THERE:
        with pytest.raises(StoreUnavailableError, match="may still live"):
            life.tenure.take(store, watches=True)
        clock.seconds += SILENCE_SECONDS
    store.failures, store.takes_effect = 2, takes_effect
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="stumbled"):
            life.tenure.take(store, watches=True)
        assert not life.tenure.is_held, "what is not confirmed is not held"
    life.tenure.take(store, watches=True)
    assert life.tenure.is_held
    assert not life.told
    assert writer(store) == "3" * 32


def test_living_writer_that_is_met_after_a_first_put_that_failed_is_left_alone(clock: Hand) -> None:
    store, original = FailsFirst(), Life("2" * 32, clock)
    original.tenure.take(store)
    copy = Life("3" * 32, clock, place=THERE, lineage=original.server.lineage)
    with pytest.raises(StoreUnavailableError, match="may still live"):
        copy.tenure.take(store, watches=True)
    clock.seconds += SILENCE_SECONDS
    store.failures = 1
    with pytest.raises(StoreUnavailableError, match="stumbled"):
        copy.tenure.take(store, watches=True)
    original.tenure.keep(store)  # it stood still, and goes on
    clock.seconds += BEAT_SECONDS
    with pytest.raises(StoreUnavailableError, match="may still live"):
        copy.tenure.take(store, watches=True)
    original.tenure.keep(store)
    with pytest.raises(ForeignOwnerError, match="writes there now"):
        copy.tenure.take(store, watches=True)
    original.tenure.keep(store)


class Full(MemoryStore):
    """Has no byte free while `is_full`."""

    is_full = False

    def put(self, name: str, data: Buffer) -> None:
        if self.is_full:
            raise StoreUnavailableError("no room", code=codes.OB_BACKUP_DEVICE_OUT_OF_SPACE)
        super().put(name, data)


def test_record_that_lies_there_stays_known_however_long_the_disk_is_full(clock: Hand) -> None:
    store, life = Full(), Life("2" * 32, clock)
    life.tenure.take(store)
    store.is_full = True
    for _ in range(3 * _PUTS_REMEMBERED):
        clock.seconds += BEAT_SECONDS
        with pytest.raises(StoreUnavailableError, match="no room"):
            life.tenure.keep(store)
    store.is_full = False
    life.tenure.keep(store)
    assert not life.told


@pytest.mark.parametrize("is_next_life", [False, True])
def test_deletion_needs_no_room_for_a_record_where_its_own_lies(clock: Hand, *, is_next_life: bool) -> None:
    store, life = Full(), Life("2" * 32, clock)
    life.tenure.take(store)
    if is_next_life:
        life = Life("3" * 32, clock, lineage=life.server.lineage)
    store.is_full = True
    clock.seconds += BEAT_SECONDS
    for _ in range(2 * _PUTS_REMEMBERED):
        life.tenure.take(store, removes=True)
    with pytest.raises(StoreUnavailableError, match="no room"):
        life.tenure.take(store)
    later = Life("4" * 32, clock, place=THERE, lineage=life.server.lineage, set_id=2)
    store.is_full = False
    later.tenure.take(store)
    store.is_full = True
    with pytest.raises(ForeignOwnerError):
        life.tenure.take(store, removes=True)


def test_deletion_needs_room_where_no_record_says_whose_it_is(clock: Hand) -> None:
    store, life = Full(), Life("2" * 32, clock)
    store.is_full = True
    with pytest.raises(StoreUnavailableError, match="no room"):
        life.tenure.take(store, removes=True)


def test_server_that_has_left_does_not_write_there_again_and_blames_nobody(clock: Hand) -> None:
    """A thread that is still at work when its server ends finds a record that was released, by nobody but this server."""
    store, life = MemoryStore(), Life("2" * 32, clock)
    life.tenure.take(store)
    life.tenure.leave(store)
    left = store.get(names.WRITER_FILE)
    for attempt in (life.tenure.keep, life.tenure.take, life.tenure.take_over):
        with pytest.raises(StoreUnavailableError, match="this server ends"):
            attempt(store)
    assert store.get(names.WRITER_FILE) == left
    assert not life.told
    assert not life.tenure.is_held


def test_damaged_record_stops_nobody_for_good(clock: Hand) -> None:
    """It is waited for, as for a destination that is away: a person looks, and removes it."""
    store, life = MemoryStore(), Life("2" * 32, clock)
    life.tenure.take(store)
    store.put(names.WRITER_FILE, b"{}")
    with pytest.raises(StoreUnavailableError, match="remove writer"):
        life.tenure.keep(store)
    store.delete(names.WRITER_FILE)
    life.tenure.keep(store)
    assert writer(store) == "2" * 32


def test_writer_goes_on_while_its_catalog_is_away_and_a_newcomer_waits(clock: Hand) -> None:
    store, life = MemoryStore(), Life("2" * 32, clock)
    life.tenure.take(store)
    newcomer = Life("3" * 32, clock, lineage=life.server.lineage)
    life.is_away = newcomer.is_away = True
    clock.seconds += BEAT_SECONDS
    life.tenure.take(store)
    with pytest.raises(EngineError):
        newcomer.tenure.take(store)


def test_quiet_destination_is_written_every_beat_and_not_more(clock: Hand) -> None:
    store, life = MemoryStore(), Life("2" * 32, clock)
    life.tenure.take(store)
    first = store.get(names.WRITER_FILE)
    clock.seconds += BEAT_SECONDS - 0.1
    life.tenure.keep(store)
    life.tenure.take(store)
    assert store.get(names.WRITER_FILE) == first
    clock.seconds += 0.2
    life.tenure.keep(store)
    assert store.get(names.WRITER_FILE) != first
