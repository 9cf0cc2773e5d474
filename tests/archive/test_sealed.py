"""An archive that is sealed: which frames are, with which key, and what becomes of it when that changes or is lost."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from archive_reader import read_archive
from follower_rig import FlakyStore, Rig, new_round, wait_until
from log_maker import LogMaker, write_meta

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.log_frame import FRAME_HEADER_BYTES, LogKeys, decode_frame_header, scan_frames, seal_frame
from holdfast.backup_format.payload import Cipher
from holdfast.backup_format.piece_keys import PieceKey
from holdfast.backup_format.piece_record import PieceRecord, decode_piece_record
from holdfast.destination.facts import Source, archived_pieces, read_facts
from holdfast.engine_format.log_block import first_lsn_of
from holdfast.errors import CorruptionError, RefusedError
from holdfast.keys.masters import Master, Masters, new_master, new_piece_key
from holdfast.restore.archived_log import ArchivedLog
from holdfast.store.memory import MemoryStore
from holdfast.store.store import Store
from holdfast.values.destination import DestinationKind
from holdfast.values.lsn import Lsn

START = 1_800_000_000_000_000_000
ROOT = names.piece_root(1001, 1, 1)
LOG = names.log_name(ROOT, 3)
SECRET = random.Random(3).randbytes(120)  # what is compressed is not found in the clear either


@dataclass
class Keys:
    """Seals with the newest of `masters` while `is_on`; opens with all of them, unless `is_lost`."""

    masters: list[Master] = field(default_factory=lambda: [new_master(1)])
    is_on: bool = True
    is_lost: bool = False

    def key_id(self) -> str:
        if self.is_lost:
            raise RefusedError("no backup key: file:/gone", hint="put it back", code=codes.OB_BACKUP_INVALID_PASSWORD)
        return self.masters[-1].key_id if self.is_on else ""

    def keep(self, store: Store) -> None:
        self.key_id()

    def new_key(self, store: Store, *, root: str, timeline: str, from_lsn: Lsn) -> tuple[PieceKey, DataKey]:
        self.key_id()
        return new_piece_key(
            self.masters[-1], cluster_id=1, tenant_id=1002, root=root, timeline=timeline, from_lsn=from_lsn
        )

    def log_keys(self, keys: tuple[PieceKey, ...], *, root: str, timeline: str) -> LogKeys:
        return self.opener().log_keys(keys, cluster_id=1, tenant_id=1002, root=root, timeline=timeline)

    def opener(self) -> Masters:
        return Masters({} if self.is_lost else {one.key_id: one.secret for one in self.masters})


@pytest.fixture
def log(tmp_path: Path) -> LogMaker:
    made = LogMaker(tmp_path / "engine" / "log", first_block=3, scn=START)
    made.group(SECRET)
    write_meta(tmp_path / "engine" / "meta", int(first_lsn_of(3)))
    return made


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def rig(log: LogMaker, keys: Keys, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(
        log_dir=log.log_dir,
        log_meta_dir=tmp_path / "engine" / "meta",
        spool_dir=tmp_path / "spool",
        store=MemoryStore(),
        round=new_round(START + 5000),
        sealing=keys,
    )
    yield made
    made.close()


def archived(rig: Rig, log: LogMaker) -> None:
    wait_until(lambda: rig.followers[-1].checkpoint_scn() >= log.scn)


def grown(rig: Rig, log: LogMaker) -> None:
    log.group(SECRET)
    archived(rig, log)


def record(rig: Rig) -> PieceRecord:
    return decode_piece_record(rig.store.get(names.checkpoint_name(ROOT)))


def ciphers(store: Store) -> str:
    """Return one letter for each frame: s sealed, c in the clear."""
    size = store.stat(LOG)
    assert size is not None
    scan = scan_frames(lambda offset, count: store.get(LOG, offset, count), size, name=LOG, opens=False)
    return "".join("c" if found.header.cipher is Cipher.NONE else "s" for found in scan.frames)


def test_every_frame_is_sealed_and_opens_with_the_master_key_alone(rig: Rig, log: LogMaker, keys: Keys) -> None:
    rig.follower()
    archived(rig, log)
    grown(rig, log)
    assert ciphers(rig.store) == "ss"
    found = read_archive(rig.store, masters=keys.opener())
    assert (int(found.end.lsn), found.group_count) == (log.lsn, 2)
    assert not found.differences_from(log.log_dir)
    assert SECRET not in rig.store.get(LOG)
    with pytest.raises(RefusedError) as refused:
        read_archive(rig.store)
    assert refused.value.code is codes.OB_BACKUP_INVALID_PASSWORD


def test_in_the_clear_the_rows_can_be_read(rig: Rig, log: LogMaker, keys: Keys) -> None:
    keys.is_on = False
    rig.follower()
    archived(rig, log)
    assert ciphers(rig.store) == "c"
    assert SECRET in rig.store.get(LOG)


def test_a_restart_goes_on_with_the_pieces_key(rig: Rig, log: LogMaker, keys: Keys) -> None:
    rig.follower()
    archived(rig, log)
    rig.followers[-1].stop(drain=False)
    rig.follower()
    grown(rig, log)
    assert len(record(rig).keys) == 1
    assert read_archive(rig.store, masters=keys.opener()).group_count == 2


def test_what_is_switched_counts_from_the_next_frame_on(rig: Rig, log: LogMaker, keys: Keys) -> None:
    """On, another master key, off and on again, all inside one piece; a restart in between."""
    keys.is_on = False
    rig.follower()
    archived(rig, log)
    keys.is_on = True
    grown(rig, log)
    keys.masters.append(new_master(2))
    grown(rig, log)
    rig.followers[-1].stop(drain=False)
    rig.follower()
    keys.is_on = False
    grown(rig, log)
    keys.is_on = True
    grown(rig, log)
    assert ciphers(rig.store) == "csscs"
    wait_until(lambda: rig.journal.pieces[1].encryption_mode == "PARTIAL")
    first, second = keys.masters
    assert [key.key_id for key in record(rig).keys] == [first.key_id, second.key_id, "", second.key_id]
    assert read_archive(rig.store, masters=keys.opener()).group_count == 5


def test_each_piece_has_a_key_of_its_own(rig: Rig, log: LogMaker, keys: Keys) -> None:
    rig.round = new_round(START, interval_us=1_000_000)
    rig.follower()
    archived(rig, log)
    log.scn = START + 2_500_000_000
    grown(rig, log)
    wait_until(lambda: 3 in rig.journal.pieces and rig.journal.pieces[3].max_scn)
    pieces = read_archive(rig.store, masters=keys.opener()).pieces
    wraps = [key.wrapped_key for piece in pieces for key in piece.keys]
    assert len(wraps) == len(set(wraps)) == 2  # the second piece is empty and has none


def test_a_lost_key_is_waited_for_and_nothing_is_put_in_the_clear(rig: Rig, log: LogMaker, keys: Keys) -> None:
    follower = rig.follower()
    archived(rig, log)
    keys.is_lost = True
    log.group(SECRET)
    wait_until(lambda: "no backup key" in follower.status().comment)
    assert ciphers(rig.store) == "s"
    keys.is_lost = False
    archived(rig, log)
    wait_until(lambda: follower.status().comment == "")
    assert ciphers(rig.store) == "ss"


def test_a_round_whose_key_is_gone_does_not_go_on(rig: Rig, log: LogMaker, keys: Keys) -> None:
    rig.follower()
    archived(rig, log)
    rig.followers[-1].stop(drain=False)
    keys.masters, known = [new_master(3)], keys.masters
    log.group(SECRET)
    follower = rig.follower()
    wait_until(lambda: "its key is not known here" in follower.status().comment)
    keys.masters = [*known, *keys.masters]
    archived(rig, log)


def test_a_frame_in_the_clear_in_the_place_of_a_sealed_one_is_refused(rig: Rig, log: LogMaker, keys: Keys) -> None:
    """Who can write to the destination, but has no key, can not slip other log in."""
    rig.follower()
    archived(rig, log)
    rig.followers[-1].stop(drain=True)
    stored = rig.store.get(LOG)
    header = decode_frame_header(stored)
    assert header is not None
    forged = seal_frame(header.frame, bytes(header.frame.payload_size_bytes))
    rig.store.put(LOG, forged.header_bytes + bytes(forged.body))
    found = scan_frames(
        lambda offset, count: rig.store.get(LOG, offset, count),
        rig.store.stat(LOG) or 0,
        key=keys.log_keys(record(rig).keys, root=ROOT, timeline=header.frame.timeline),
    )
    assert (found.frames, "lies in the clear" in found.torn) == ((), True)


def test_a_key_that_was_moved_to_another_piece_does_not_open(rig: Rig, log: LogMaker, keys: Keys) -> None:
    rig.follower()
    archived(rig, log)
    other = names.piece_root(1001, 1, 2)
    with pytest.raises(CorruptionError, match="does not open with its master key"):
        keys.log_keys(record(rig).keys, root=other, timeline=record(rig).timeline)


def test_the_end_of_an_active_piece_is_opened_where_the_key_is_known(rig: Rig, log: LogMaker, keys: Keys) -> None:
    """Without it frames behind the record count by their headers: a broken one is noticed by its reader only."""
    rig.follower()
    archived(rig, log)
    rig.followers[-1].stop(drain=True)
    torn = bytearray(rig.store.get(LOG))
    size = len(torn)
    torn += torn[:FRAME_HEADER_BYTES]  # a header without its log
    rig.store.put(LOG, bytes(torn))
    source = Source(store=rig.store, kind=DestinationKind.ARCHIVE_LOG)
    for masters in (keys.opener(), Masters()):
        (piece,) = read_facts((Source(store=source.store, kind=source.kind, masters=masters),)).pieces
        assert (piece.objects[-1].size_bytes, piece.keys[0].key_id) == (size, keys.masters[0].key_id)


def test_a_standby_reads_on_through_a_key_that_changes(rig: Rig, log: LogMaker, keys: Keys) -> None:
    rig.follower()
    archived(rig, log)
    asked: list[str] = []

    def more(key_id: str) -> bytes | None:
        asked.append(key_id)
        return keys.opener().get(key_id)

    source = Source(store=rig.store, kind=DestinationKind.ARCHIVE_LOG, masters=Masters(more=more))
    archive = ArchivedLog(source, lambda: float(len(asked)), engine_data_version="1.4.0.0")
    run = archive.read(first_lsn_of(3))
    assert run is not None
    keys.masters.append(new_master(2))
    grown(rig, log)
    run = archive.read(Lsn(run.begin.lsn + len(run.log)))
    assert run is not None
    assert run.begin.lsn + len(run.log) == log.lsn
    assert set(asked) == {one.key_id for one in keys.masters}
    assert len(archived_pieces(source)) == 1


def test_a_key_is_in_the_record_before_the_frame_that_a_crash_tore(rig: Rig, log: LogMaker, keys: Keys) -> None:
    """The next start seals from there with that key, or with the one that counts by then."""
    flaky = FlakyStore(rig.store)  # type: ignore[arg-type]
    rig.store = flaky  # type: ignore[assignment]
    rig.follower()
    archived(rig, log)
    for is_changed in (False, True):
        keys.masters.append(new_master(len(keys.masters) + 1))
        before, count = int(log.lsn), len(record(rig).keys)
        flaky.tears = True
        log.group(SECRET)
        wait_until(lambda count=count: len(record(rig).keys) > count)  # type: ignore[misc]
        wait_until(lambda: "in the middle" in rig.followers[-1].status().comment)
        rig.followers[-1].stop(drain=False)
        if is_changed:
            keys.masters.append(new_master(len(keys.masters) + 1))
        flaky.tears = False
        rig.follower()
        archived(rig, log)
        last = record(rig).keys[-1]
        assert (int(last.from_lsn), last.key_id, len(record(rig).keys)) == (before, keys.masters[-1].key_id, count + 1)
    assert read_archive(rig.store, masters=keys.opener()).group_count == 3
