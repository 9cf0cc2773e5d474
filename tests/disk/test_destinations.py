"""A power cut at any step of a backup, an archive, a cleanup and a restore's layout: what is left is complete or invisible.

What is read afterwards is read by those who read destinations anyway, and the same work is done again on what is left.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.archive_reader import read_archive
from archive.follower_rig import KeptJournal, Rig, new_round, wait_until
from archive.log_maker import LogMaker, write_meta
from backup.fake_image import BASE, FREE, FakeClock, FakeImage, FakeTail, shared, write_once
from backup_format.samples import PIECE, TIMELINE
from holdfast.backup.run import ArchiveRef, BackupPlan, BaseSet, run_backup
from holdfast.backup_format import names
from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, ChunkOpener, decode_chunk_header
from holdfast.backup_format.index import decode_index
from holdfast.backup_format.manifest import ObjectDigest, ObjectKind, check_object
from holdfast.destination.facts import Source, read_facts
from holdfast.engine.account import Account
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.version import installed
from holdfast.engine_format.log_block import first_lsn_of
from holdfast.errors import NotFoundError
from holdfast.restore.lazy_layout import lay_out_lazily
from holdfast.restore.lazy_place import LazyPlace
from holdfast.restore.plan import plan_restore
from holdfast.restore.run import Progress, lay_out
from holdfast.retention.run import Remover
from holdfast.store.file import FileStore
from holdfast.store.folder import make_folder_at
from holdfast.store.memory import MemoryStore
from holdfast.store.store import Store
from holdfast.values.archive import Piece, Round
from holdfast.values.backup_set import BackupType
from holdfast.values.destination import DestinationKind
from holdfast.values.lsn import Lsn
from holdfast.values.pace import FixedPace
from holdfast.values.scn import Scn
from power_cut import Recording, State
from restore.archive_maker import ArchiveMaker
from retention.test_removal import CASES, STAYS, filled, is_whole_or_invisible, listed
from retention.test_removal import ListJournal as CleanupJournal

SEED = 20261129
START = 1_800_000_000_000_000_000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    return made


def opened(state: State) -> FileStore | None:
    """Return the destination that a cut left, None when there is not even its folder."""
    place = state.root / "data"
    return FileStore(str(place)) if place.is_dir() else None


def made(place: Path, *, judged: bool) -> FileStore:
    """Return a new destination, made by its path or, as a user tenant's, where that was judged to lead."""
    if judged:
        make_folder_at(os.path.realpath(place))
    return FileStore(str(place), create=not judged)


class TestObjects:
    """The store itself, call by call."""

    @pytest.mark.parametrize("judged", [False, True])
    def test_an_object_is_whole_from_its_commit_on_and_never_in_part(
        self, home: Path, tmp_path: Path, judged: bool
    ) -> None:
        old, new = b"o" * 9000, b"n" * 20000
        with Recording(home) as recording:
            store = made(home / "data", judged=judged)
            store.put("a/b/one", old)
            recording.mark("old")
            store.put("a/b/one", new)
            recording.mark("new")
            store.put_new("a/c/two", new)
            recording.mark("two")
        for state in recording.states(tmp_path, seed=SEED):
            found = opened(state)
            one, two = (_octets(found, name) for name in ("a/b/one", "a/c/two"))
            allowed = [None, old, new][len(state.marks[:2]) :][: 2 if len(state.marks) < 2 else 1]
            assert one in allowed, state
            assert two == new or (two is None and "two" not in state.marks), state

    def test_what_was_deleted_does_not_come_back(self, home: Path, tmp_path: Path) -> None:
        store = FileStore(str(home / "data"), create=True)
        for name in ("a/one", "a/two", "b/c/three", "b/four"):
            store.put(name, name.encode())
        with Recording(home) as recording:
            store.delete("a/one")
            recording.mark("a/one")
            store.delete_tree("b")
            recording.mark("b/")
        for state in recording.states(tmp_path, seed=SEED):
            there = listed(FileStore(str(state.root / "data")))
            assert not [name for name in there if name.startswith(state.marks or ("-",))], state
            assert "a/two" in there, state
            # A tree goes in one step: all of it or nothing is to be seen.
            assert len([name for name in there if name.startswith("b/")]) in (0, 2), state

    def test_what_was_appended_stays_and_what_follows_it_is_cut_off_by_the_next(
        self, home: Path, tmp_path: Path
    ) -> None:
        parts = [bytes([65 + number]) * 3000 for number in range(4)]
        with Recording(home) as recording:
            store = FileStore(str(home / "data"), create=True)
            with store.appender("log/7", 0) as appender:
                recording.mark("0")
                for part in parts:
                    appender.append(part)
                    recording.mark(str(appender.size_bytes))
        whole = b"".join(parts)
        for state in recording.states(tmp_path, seed=SEED):
            found = opened(state)
            known = int(state.marks[-1]) if state.marks else 0
            octets = _octets(found, "log/7") or b""
            assert octets[:known] == whole[:known], state
            if found is not None and state.marks:
                with found.appender("log/7", known) as again:
                    again.append(whole[known:])
                assert found.get("log/7") == whole, state

    @pytest.mark.parametrize("judged", [False, True])
    def test_a_folder_or_bytes_of_a_server_that_died_before_its_sync_are_made_durable_by_the_next(
        self, home: Path, tmp_path: Path, judged: bool
    ) -> None:
        with Recording(home) as recording:
            (home / "data" / "log").mkdir(parents=True)
            (home / "data" / "log" / "7").write_bytes(b"dead")
            store = made(home / "data", judged=judged)
            with store.appender("log/7", 4):
                recording.mark("taken up")
        for state in recording.states(tmp_path, seed=SEED):
            assert not state.marks or _octets(opened(state), "log/7") == b"dead", state


def _octets(store: Store | None, name: str) -> bytes | None:
    try:
        return None if store is None else store.get(name)
    except NotFoundError:
        return None


# --- backup


def test_a_backup_is_complete_or_invisible_and_goes_on(home: Path, tmp_path: Path) -> None:
    image = FakeImage(blocks=[FREE, FREE, *(write_once(seed, 400) for seed in range(3)), shared(50)])
    first, second = _plan(1), _plan(2)
    contents: dict[int, dict[int, bytes]] = {}
    with Recording(home) as recording:
        store = FileStore(str(home / "data"), create=True)
        contents[1] = _blocks(image)
        _back_up(first, image, store)
        recording.mark("1")
        image.blocks[3] = write_once(99, 400)
        contents[2] = _blocks(image)
        table = decode_index([store.get(names.index_name(first.root))]).table
        second = replace(second, base=BaseSet(backup_set_id=1, full_backup_set_id=1, table=table))
        _back_up(second, image, store)
        recording.mark("2")
    visible = 0
    for number, state in enumerate(recording.states(tmp_path, seed=SEED, limit=40)):
        found = opened(state)
        there = _complete_sets(found, contents) if found is not None else set()
        assert there >= {int(mark) for mark in state.marks}, state
        visible += len(there)
        if number % 12 == 0:  # the rest is the cost of a backup for each
            again = FileStore(str(state.root / "data"), create=True)
            missing = [plan for plan in (first, second)[: len(state.marks) + 1] if plan.backup_set_id not in there]
            for plan in missing:
                _back_up(plan, replace(image, blocks=list(image.blocks)), again)
            renewed = {plan.backup_set_id: _blocks(image) for plan in missing}
            assert _complete_sets(again, {**contents, **renewed}) == there | renewed.keys(), state
    assert visible > 50


def _plan(set_id: int) -> BackupPlan:
    from backup.stand_ins import plan_of

    return plan_of(set_id=set_id)


def _back_up(plan: BackupPlan, image: FakeImage, store: Store) -> None:
    from backup.stand_ins import ListJournal

    run_backup(plan, image, store, FakeTail(), ListJournal(), FakeClock())


def _blocks(image: FakeImage) -> dict[int, bytes]:
    used = {number: block for number, block in enumerate(image.blocks) if number > 1 and block != FREE}
    return {0: image.supers[0], 1: image.supers[1], **used}


def _complete_sets(store: Store, contents: dict[int, dict[int, bytes]]) -> set[int]:
    """Return the sets that readers see; fail if one of them is not all there, or not with these blocks."""
    facts = read_facts((Source(store=store, kind=DestinationKind.BACKUP_DATA),))
    for fact in facts.sets:
        for record in fact.manifest.objects:
            data, digest = store.get(f"{fact.root}/{record.name}"), ObjectDigest()
            digest.update(data)
            # Of a data object the digest is that of its chunks' headers; `_stored` opens each chunk.
            said = record.digest if record.kind is ObjectKind.DATA else digest.text()
            check_object(record, size_bytes=len(data), digest=said)
        assert _stored(store, fact.root) == contents[fact.manifest.backup_set_id]
    return {fact.manifest.backup_set_id for fact in facts.sets}


def _stored(store: Store, root: str) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for record in decode_index([store.get(names.index_name(root))]).table:
        type_ = BackupType.FULL if record.set_id == 1 else BackupType.INC
        name = names.data_name(names.set_root(record.set_id, type_), record.object_number)
        stored = store.get(name, record.offset, CHUNK_HEADER_BYTES + record.stored_size_bytes)
        header = decode_chunk_header(stored)
        assert header is not None
        content = bytes(ChunkOpener().open(header, stored[CHUNK_HEADER_BYTES:], place=record.place))
        found[record.block_id] = content.ljust(2 << 20, b"\0")
    return found


# --- archive


class _MarkingJournal(KeptJournal):
    """Promises what the catalog is told: a checkpoint is what a restore relies on."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording
        self.saved: list[tuple[Round, dict[int, Piece]]] = []

    def save(self, current: Round, pieces: tuple[Piece, ...]) -> None:
        super().save(current, pieces)
        self.saved.append((current, dict(self.pieces)))
        self._recording.mark(str(len(self.saved) - 1))


def test_an_archive_has_all_log_up_to_the_checkpoint_it_told_and_goes_on(home: Path, tmp_path: Path) -> None:
    log = LogMaker(tmp_path / "engine" / "log", first_block=3, scn=START)
    meta = tmp_path / "engine" / "meta"
    log.group(b"first" * 20, b"second")
    write_meta(meta, int(first_lsn_of(3)))
    with Recording(home) as recording:
        journal = _MarkingJournal(recording)
        rig = Rig(
            log_dir=log.log_dir,
            log_meta_dir=meta,
            spool_dir=tmp_path / "spool",
            store=FileStore(str(home / "data"), create=True),
            round=new_round(START, interval_us=10),  # a piece every ten groups
            journal=journal,
        )
        try:
            rig.follower()
            for turn in range(1, 6):
                for number in range(5):
                    log.group(b"x" * (turn * 10 + number))
                wait_until(lambda: rig.followers[-1].checkpoint_scn() >= log.scn)
        finally:
            rig.close()
    assert len(journal.saved) > 4
    for number, state in enumerate(recording.states(tmp_path, seed=SEED, limit=30)):
        told = journal.saved[int(state.marks[-1])] if state.marks else None
        found = opened(state)
        if told is not None and told[0].checkpoint_scn > 0:
            assert found is not None, state
            there = read_archive(found)
            assert there.end.scn >= told[0].checkpoint_scn, state
            assert not there.differences_from(log.log_dir), state
            assert max(piece.checkpoint_scn for piece in there.pieces) <= log.scn
        if number % 30 == 7 and told is not None:
            _archive_on(state, log, meta, tmp_path, told)


def _archive_on(state: State, log: LogMaker, meta: Path, tmp_path: Path, told: tuple[Round, dict[int, Piece]]) -> None:
    """Take the round up again as the next server does, from what the catalog was told last."""
    journal = KeptJournal()
    journal.round, journal.pieces = told[0], dict(told[1])
    rig = Rig(
        log_dir=log.log_dir,
        log_meta_dir=meta,
        spool_dir=tmp_path / "spool",
        store=FileStore(str(state.root / "data"), create=True),
        round=told[0],
        journal=journal,
        owns_destination=False,
    )
    try:
        rig.follower()
        wait_until(lambda: rig.followers[-1].checkpoint_scn() >= log.scn)
    finally:
        rig.close()
    there = read_archive(rig.store)
    assert int(there.end.lsn) == log.lsn, state
    assert not there.differences_from(log.log_dir), state


# --- cleanup


@pytest.mark.parametrize("kind", CASES)
def test_what_a_cleanup_leaves_is_whole_or_invisible_and_the_next_ends_it(
    home: Path, tmp_path: Path, kind: str
) -> None:
    act, goes = CASES[kind]
    store = filled(FileStore(str(home / "data"), create=True), goes)
    with Recording(home) as recording:
        act(Remover(store, CleanupJournal(), 2))
        recording.mark("gone")
    for state in recording.states(tmp_path, seed=SEED, limit=40):
        left = FileStore(str(state.root / "data"))
        assert is_whole_or_invisible(set(listed(left))), state
        if state.marks:
            assert listed(left) == sorted(STAYS), state
        else:
            act(Remover(left, CleanupJournal(), 2))
            assert listed(left) == sorted(STAYS), state


# --- restore


@pytest.mark.parametrize("is_lazy", [False, True], ids=["whole", "blocks later"])
def test_a_directory_that_was_laid_out_is_all_there(home: Path, tmp_path: Path, is_lazy: bool) -> None:
    made = ArchiveMaker(tmp_path / "log")
    for number in range(20):
        made.maker.group(b"row" * (number + 1), b"second")
    made.append()
    data = MemoryStore()
    account = Account(user="u", password="p").encode()
    image = FakeImage(
        blocks=[FREE, FREE, *(write_once(seed, 400) for seed in range(3))],
        base=replace(BASE, min_scn=Scn(made.maker.scn - 19_000)),
    )
    plan = replace(
        _plan(1),
        account=account,
        cluster_id=PIECE.cluster_id,
        tenant_id=PIECE.tenant_id,
        engine_data_version=PIECE.engine_data_version,
        archive=ArchiveRef(dest_id=PIECE.dest_id, round_id=PIECE.round_id, timeline=TIMELINE),
    )
    from backup.stand_ins import ListJournal

    tail = FakeTail(end=(Lsn(made.archived.lsn), Scn(made.maker.scn)))
    run_backup(plan, image, data, tail, ListJournal(), FakeClock())
    sources = (Source(store=data, kind=DestinationKind.BACKUP_DATA), made.source)
    facts = read_facts(sources)
    restore = plan_restore(facts.sets, facts.pieces, None, installed_versions=(PIECE.engine_data_version,))
    with Recording(home) as recording:
        place = home / "1004"
        directory = EngineDirectory(place / "engine", installed())
        stores = tuple(source.store for source in sources)
        lay_out(
            restore,
            stores,
            directory,
            pace=FixedPace(threads=2),
            progress=Progress(),
            check=lambda: None,
            lazily=(lambda index: lay_out_lazily(LazyPlace(place), directory, restore, stores, index, {}))
            if is_lazy
            else None,
        )
        recording.mark("laid out")
    wanted = _tree(home)
    assert len(wanted) == (9 if is_lazy else 5)
    states = [state for state in _kept(recording.states(tmp_path, seed=SEED, limit=0), wanted) if state.marks]
    assert states


def _kept(states: Iterator[State], wanted: dict[str, bytes]) -> Iterator[State]:
    for state in states:
        assert not state.marks or _tree(state.root) == wanted, state
        yield state


def _tree(root: Path) -> dict[str, bytes]:
    """Return every file but the pace of quick restores, which is asked for again and again."""
    files = (path for path in root.rglob("*") if path.is_file() and path.name != "pace.json")
    return {str(path.relative_to(root)): path.read_bytes() for path in files}
