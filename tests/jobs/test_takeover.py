"""RENEW SERVER IDENTITY: what lies at a destination and is not known is entered; numbers go on behind it."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from backup_format.samples import MANIFEST, PIECE, ROUND
from holdfast.backup_format import names
from holdfast.backup_format.manifest import encode_manifest
from holdfast.backup_format.owner_record import encode_placeholder
from holdfast.backup_format.piece_record import (
    decode_format_file,
    encode_format_file,
    encode_piece_record,
    encode_round_record,
)
from holdfast.catalog.backups import BackupSet
from holdfast.catalog.catalog import Catalog
from holdfast.clock import SystemClock
from holdfast.errors import ForeignOwnerError, RefusedError, StoreUnavailableError
from holdfast.jobs.destinations import format_file_of
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.takeover import Takeover
from holdfast.jobs.tenure import Tenures
from holdfast.store.memory import MemoryStore
from holdfast.store.store import Store
from holdfast.values.archive import FileStatus, Piece, PieceStatus, Round, RoundStatus
from holdfast.values.backup_set import SetStatus
from holdfast.values.destination import Destination, DestinationKind, Uri, parse_uri
from holdfast.values.tenant import Tenant
from owner_rig import owner

CLOCK = SystemClock()
DATA = Destination(tenant_id=1002, dest_id=1001, kind=DestinationKind.BACKUP_DATA, uri=parse_uri("file:///data"))
LOG = Destination(tenant_id=1002, dest_id=1002, kind=DestinationKind.ARCHIVE_LOG, uri=parse_uri("file:///log"))
TENANT = cast(Tenant, SimpleNamespace(tenant_id=1002, name="mysql_tenant"))


@dataclass
class World:
    """A catalog that knows nothing of what lies in two stores."""

    stores: dict[str, MemoryStore] = field(default_factory=lambda: {"/data": MemoryStore(), "/log": MemoryStore()})
    identity: ClusterIdentity = field(default_factory=lambda: ClusterIdentity(name="holdfast", cluster_id=1))
    sets: list[BackupSet] = field(default_factory=list)
    saved: list[tuple[Round, tuple[Piece, ...]]] = field(default_factory=list)
    least: dict[str, int] = field(default_factory=dict)
    away: str = ""
    current: tuple[Destination, Destination] = (DATA, LOG)

    def __post_init__(self) -> None:
        for destination in (DATA, LOG):
            store = self.stores[destination.uri.path]
            store.put(names.FORMAT_FILE, encode_format_file(format_file_of(self.identity, TENANT, destination, 1)))

        def keeps(what: str) -> Any:
            return lambda tenant_id, least: self.least.update({what: max(least, self.least.get(what, 0))})

        catalog: Any = SimpleNamespace(
            tenants=SimpleNamespace(user_tenants=lambda: (TENANT,)),
            events=SimpleNamespace(add=lambda *_, **__: None),
            destinations=SimpleNamespace(
                all_of=lambda tenant_id: (DATA, LOG),
                data=lambda tenant_id: self.current[0],
                archive=lambda tenant_id: SimpleNamespace(destination=self.current[1]),
            ),
            backups=SimpleNamespace(
                sets=lambda tenant_id: tuple(self.sets),
                insert_set=self.sets.append,
                last_set_id=lambda tenant_id: self.least.get("set", 0),
                raise_set_id=keeps("set"),
            ),
            rounds=SimpleNamespace(
                current=lambda tenant_id: None,
                summary=lambda tenant_id: tuple(one for one, _ in self.saved),
                pieces=lambda tenant_id: tuple(piece for _, pieces in self.saved for piece in pieces),
                save=lambda one, pieces: self.saved.append((one, pieces)),
                last_round_id=lambda tenant_id: self.least.get("round", 0),
                raise_round_id=keeps("round"),
                raise_piece_id=keeps("piece"),
            ),
        )
        self.tenures = Tenures(cast(Catalog, catalog), self.identity, CLOCK)
        self.takeover = Takeover(
            cast(Catalog, catalog), self.identity, CLOCK, open_store=self._open, tenures=self.tenures
        )

    def _open(self, uri: Uri, *, create: bool = False) -> Store:
        if uri.path == self.away:
            raise StoreUnavailableError("it is away")
        return self.stores[uri.path]


def put_strange_things(world: World) -> None:
    """Set 2 and piece 2 of round 2, left open by another server."""
    made_by = owner(server_id="9" * 32)
    data, log = world.stores["/data"], world.stores["/log"]
    ref = names.SetRef(set_id=2, type=MANIFEST.type)
    data.put(
        names.set_placeholder(names.SetPlaceholder(set=ref, event=names.SetEvent.START)), encode_placeholder(made_by)
    )
    data.put(names.manifest_name(names.set_root(2, MANIFEST.type)), encode_manifest(replace(MANIFEST, owner=made_by)))
    piece = names.PieceRef(dest_id=1002, round_id=2, piece_id=2)
    log.put(
        names.piece_placeholder(names.PiecePlaceholder(piece=piece, edge=names.Edge.START, tag="20261117T000000")),
        encode_placeholder(made_by),
    )
    record = replace(PIECE, dest_id=1002, round_id=2, piece_id=2, owner=made_by)
    log.put(names.checkpoint_name(names.piece_root(1002, 2, 2)), encode_piece_record(record))
    mark = names.RoundPlaceholder(dest_id=1002, round_id=2, edge=names.Edge.START)
    started = replace(ROUND, dest_id=1002, round_id=2, status=RoundStatus.BEGINNING, owner=made_by)
    log.put(names.round_placeholder(mark), encode_round_record(started))


def test_sets_rounds_and_pieces_of_another_server_are_entered_once_and_numbers_go_on_behind_them() -> None:
    world = World()
    put_strange_things(world)
    for _ in range(2):
        world.takeover.renew()
    (entered,) = world.sets
    assert (entered.backup_set_id, entered.status, entered.file_status) == (2, SetStatus.SUCCESS, FileStatus.AVAILABLE)
    assert (entered.min_restore_scn, entered.path) == (MANIFEST.min_restore_scn, "file:///data")
    assert entered.comment.startswith("made by server 99999999")
    ((one, (piece,)),) = world.saved
    assert (one.round_id, one.status, one.used_piece_id) == (2, RoundStatus.STOP, max(2, ROUND.used_piece_id))
    assert (piece.piece_id, piece.status, piece.checkpoint_scn) == (2, PieceStatus.FROZEN, PIECE.checkpoint_scn)
    assert world.least == {"set": 2, "round": 2, "piece": 2}
    assert world.tenures.trouble_of(1002) == ""


def test_set_that_is_known_is_not_entered_over() -> None:
    world = World()
    put_strange_things(world)
    world.sets.append(cast(BackupSet, SimpleNamespace(backup_set_id=2)))
    world.takeover.renew()
    assert len(world.sets) == 1


def test_damaged_manifest_is_left_out_and_its_number_is_not_given_again() -> None:
    world = World()
    put_strange_things(world)
    world.stores["/data"].put(names.manifest_name(names.set_root(2, MANIFEST.type)), b"{}")
    world.takeover.renew()
    assert world.sets == []
    assert world.least["set"] == 2


def test_destination_that_is_away_is_named_and_the_others_are_taken() -> None:
    world = World(away="/log")
    with pytest.raises(StoreUnavailableError, match="1 destinations are not taken over, the first is file:///log"):
        world.takeover.renew()
    assert world.stores["/data"].stat(names.WRITER_FILE)
    assert world.stores["/log"].stat(names.WRITER_FILE) is None


def test_copy_that_is_given_destinations_of_its_own_goes_on_there() -> None:
    """What it finds against itself at a former destination holds only there."""
    world = World()
    put_strange_things(world)  # with numbers that this server never gave
    for destination in (DATA, LOG):
        with pytest.raises(ForeignOwnerError):
            world.tenures.of(destination).take(world.stores[destination.uri.path])
    for refusal in (world.tenures.refuse_backup, world.tenures.refuse_deletion):
        with pytest.raises(RefusedError, match="is known there"):
            refusal(1002)
    world.current = (replace(DATA, dest_id=1003), replace(LOG, dest_id=1004))
    world.tenures.refuse_backup(1002)
    world.tenures.refuse_deletion(1002)


def test_destination_of_another_tenant_is_not_taken() -> None:
    world = World()
    stored = decode_format_file(world.stores["/data"].get(names.FORMAT_FILE))
    world.stores["/data"].put(names.FORMAT_FILE, encode_format_file(replace(stored, tenant_id=1004)))
    with pytest.raises(StoreUnavailableError, match="file:///data"):
        world.takeover.renew()
    assert world.stores["/data"].stat(names.WRITER_FILE) is None


@pytest.mark.parametrize("other", [{"tenant_id": 1004}, {"cluster_id": 99}], ids=["tenant", "cluster"])
def test_what_was_copied_there_from_another_tenant_is_not_entered(other: dict[str, int]) -> None:
    world = World()
    put_strange_things(world)
    manifest = replace(MANIFEST, owner=owner(), **other)  # type: ignore[arg-type]
    world.stores["/data"].put(names.manifest_name(names.set_root(2, MANIFEST.type)), encode_manifest(manifest))
    record = replace(PIECE, dest_id=1002, round_id=2, piece_id=2, owner=owner(), **other)  # type: ignore[arg-type]
    world.stores["/log"].put(names.checkpoint_name(names.piece_root(1002, 2, 2)), encode_piece_record(record))
    world.takeover.renew()
    assert (world.sets, world.saved) == ([], [])
    assert world.least["set"] == 2, "its number is not given again"
