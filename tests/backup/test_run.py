"""A backup of an image that changes under its hands, over a store in memory."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest
from fake_image import FREE, FakeClock, FakeImage, FakeTail, shared, torn, write_once
from stand_ins import ListJournal, plan_of

from holdfast import codes
from holdfast.backup.plan import PassPolicy
from holdfast.backup.run import BackupPlan, BackupResult, BaseSet, run_backup
from holdfast.backup_format import names
from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, ChunkOpener, decode_chunk_header, open_file
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.index import decode_index
from holdfast.backup_format.manifest import Encryption, EncryptionMode, ObjectKind, check_authentic
from holdfast.engine_format.layout import layout_of
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES
from holdfast.errors import (
    CanceledError,
    CorruptionError,
    EngineError,
    HoldfastError,
    RefusedError,
    StoreUnavailableError,
)
from holdfast.store.memory import MemoryStore
from holdfast.store.store import Store
from holdfast.values.backup_set import BackupType, TaskStatus
from holdfast.values.lsn import Lsn
from holdfast.values.pace import FixedPace
from holdfast.values.scn import Scn

ROOT = "backup_set_1_full"
SUPERS = [FREE, FREE]  # blocks 0 and 1 of the file; a pass reads them by themselves


def image_with(*blocks: bytes) -> FakeImage:
    return FakeImage(blocks=[*SUPERS, *blocks])


def backed_up(
    image: FakeImage,
    store: Store,
    *,
    plan: BackupPlan | None = None,
    tail: FakeTail | None = None,
    journal: ListJournal | None = None,
) -> BackupResult:
    return run_backup(plan or plan_of(), image, store, tail or FakeTail(), journal or ListJournal(), FakeClock())


def stored_blocks(store: Store, root: str = ROOT, keys: Mapping[int, DataKey] | None = None) -> dict[int, bytes]:
    """Return the content of every block of a set, by way of its index. `keys`: of encrypted sets, by set id."""
    index = decode_index([store.get(names.index_name(root))])
    found: dict[int, bytes] = {}
    for record in index.table:
        type_ = BackupType.FULL if record.set_id == 1 else BackupType.INC
        name = names.data_name(names.set_root(record.set_id, type_), record.object_number)
        stored = store.get(name, record.offset, CHUNK_HEADER_BYTES + record.stored_size_bytes)
        header = decode_chunk_header(stored)
        assert header is not None
        opener = ChunkOpener(key=(keys or {}).get(record.set_id))
        content = bytes(opener.open(header, stored[CHUNK_HEADER_BYTES:], place=record.place))
        found[record.block_id] = content.ljust(MACRO_BLOCK_BYTES, b"\0")
    return found


def blocks_of(image: FakeImage) -> dict[int, bytes]:
    """Return what the stored blocks of a quiet image must be."""
    used = {block_id: block for block_id, block in enumerate(image.blocks) if block_id > 1 and block != FREE}
    return {0: image.supers[0], 1: image.supers[1], **used}


def small_file(store: Store, result: BackupResult, name: str) -> bytes:
    (record,) = (item for item in result.manifest.objects if item.name == f"meta/{name}")
    assert record.kind is ObjectKind.FILE
    return open_file(
        store.get(f"{ROOT}/{record.name}"), set_id=1, file_number=record.number, opener=ChunkOpener(), name=name
    )


def test_a_set_lists_every_used_block_with_its_content_and_no_free_one() -> None:
    image, store = image_with(write_once(1), FREE, shared(2), write_once(3)), MemoryStore()
    result = backed_up(image, store)
    assert stored_blocks(store) == blocks_of(image)
    assert result.manifest.block_count == 5
    assert result.comment == ""


def test_small_files_are_stored_whole_with_the_zeros_left_off_and_the_account_beside_them() -> None:
    image, store = image_with(write_once(1)), MemoryStore()
    result = backed_up(image, store, plan=plan_of(account=b"secret"))
    assert small_file(store, result, "store/redo/sys/log_stream/meta/0") == b"meta".ljust(8192, b"\0")
    assert small_file(store, result, "store/slog/sys/1") == b"slog"
    assert small_file(store, result, "account") == b"secret"


class Losing(ListJournal):
    """Somebody else's hand in the destination, when all that is left to put is the log, the index and the manifest."""

    def __init__(self, meddle: Callable[[], object]) -> None:
        super().__init__()
        self._meddle = meddle

    def begin_phase(self, phase: TaskStatus) -> None:
        super().begin_phase(phase)
        if phase is TaskStatus.BACKUP_LOG:
            self._meddle()


@pytest.mark.parametrize("name", [names.data_name(ROOT, 1), names.meta_name(ROOT, "account")])
@pytest.mark.parametrize("how", ["gone", "short", "long"])
@pytest.mark.parametrize("is_resumed", [False, True], ids=["first attempt", "taken up"])
def test_set_whose_object_was_removed_or_changed_meanwhile_fails_and_names_it(
    name: str, how: str, is_resumed: bool
) -> None:
    store = MemoryStore()

    def meddle() -> None:
        octets = store.get(name)
        if how == "gone":
            store.delete(name)
        else:
            store.put(name, octets[:-1] if how == "short" else octets + b"x")

    image = image_with(write_once(1), write_once(2))
    if is_resumed:

        def die() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            backed_up(image, store, journal=Losing(die))
    with pytest.raises(CorruptionError, match=f"{name} (is not there any more|has [0-9]+ bytes now)"):
        backed_up(image, store, journal=Losing(meddle))
    assert store.stat(names.manifest_name(ROOT)) is None
    assert backed_up(image, store).manifest.objects, "the next attempt writes what is missing again"


def test_the_account_is_not_in_the_plans_repr() -> None:
    assert "secret" not in repr(plan_of(account=b"secret"))


def test_manifest_names_every_object_of_the_set_with_its_size() -> None:
    store = MemoryStore()
    result = backed_up(image_with(write_once(1), shared(2)), store)
    there = {item.name: item.size_bytes for item in store.list(ROOT + "/")}
    del there[names.manifest_name(ROOT)]
    del there[names.set_claim_name(ROOT)]  # says whose the folder is, before there is a manifest
    summary = [name for name in there if name.endswith(".obbak")]
    assert len(summary) == 1  # for people only, and not vouched for
    del there[summary[0]]
    assert there == {f"{ROOT}/{item.name}": item.size_bytes for item in result.manifest.objects}


def test_a_block_that_changes_during_a_pass_is_seen_by_the_next() -> None:
    image, store = image_with(write_once(1), write_once(2)), MemoryStore()

    def change(count: int) -> None:
        if count == 2:
            image.blocks[2] = write_once(99)

    image.on_slog = change
    result = backed_up(image, store)
    assert image.slog_reads == 3
    assert stored_blocks(store) == blocks_of(image)
    assert result.manifest.dead_bytes > 0


def test_the_slog_of_the_accepted_pass_is_stored_never_an_older_one() -> None:
    image, store = image_with(write_once(1)), MemoryStore()

    def grow(count: int) -> None:
        image.slog = b"slog after %d" % count
        if count < 3:
            image.blocks[2] = write_once(count)

    image.on_slog = grow
    result = backed_up(image, store)
    # The file is read before the hook, so the read of the last pass holds what the pass before it left.
    assert small_file(store, result, "store/slog/sys/1") == b"slog after %d" % (image.slog_reads - 1)


@pytest.mark.parametrize("what", ["super block", "slog name", "base block"])
def test_a_pass_in_which_the_frame_moves_is_not_accepted(what: str) -> None:
    image, store = image_with(write_once(1)), MemoryStore()

    def move(count: int) -> None:
        if what == "super block" and count == 2:
            image.supers = (b"\3" * MACRO_BLOCK_BYTES, image.supers[1])
        if what == "slog name" and count == 2:
            image.names = ("store/slog/sys/2",)
        if what == "base block":
            image.base = None if count == 1 else FakeImage(blocks=[]).base

    if what == "super block":
        # Between the reading of the frame and the end of the pass.
        image.on_slog = lambda count: None
        reads = iter([image.supers, image.supers, image.supers, (b"\3" * MACRO_BLOCK_BYTES, image.supers[1])])
        last = (b"\3" * MACRO_BLOCK_BYTES, image.supers[1])
        image.super_blocks = lambda: next(reads, last)  # type: ignore[method-assign]
        backed_up(image, store)
        assert stored_blocks(store)[0] == last[0]
    else:
        image.on_slog = move
        backed_up(image, store)
    assert image.slog_reads == 3


def test_a_torn_block_is_read_again_and_never_stored_torn() -> None:
    image, store = image_with(write_once(1), write_once(2)), MemoryStore()
    whole, reads = image.blocks[2], 0

    def tear(block_id: int) -> None:
        nonlocal reads
        if block_id == 2:
            reads += 1
            image.blocks[2] = torn(whole) if reads <= 4 else whole

    image.on_read = tear
    backed_up(image, store)
    assert stored_blocks(store)[2] == whole


def test_a_block_that_stays_wrong_and_is_in_use_fails_the_backup() -> None:
    image, store = image_with(torn(write_once(1))), MemoryStore()
    image.in_use = frozenset({2})
    with pytest.raises(CorruptionError, match="macro block 2"):
        backed_up(image, store)
    assert store.stat(names.manifest_name(ROOT)) is None


def test_a_block_that_stays_wrong_fails_the_backup_when_the_engine_can_not_say_whether_it_is_used() -> None:
    image = image_with(torn(write_once(1)))
    image.in_use = None
    with pytest.raises(CorruptionError):
        backed_up(image, MemoryStore())


def test_a_block_that_stays_wrong_and_is_free_is_copied_as_it_is_and_reported() -> None:
    """A killed engine leaves a half-written block in a place that is free; it must not end all backups."""
    image, store = image_with(torn(write_once(1)), write_once(2)), MemoryStore()
    result = backed_up(image, store)
    assert stored_blocks(store) == blocks_of(image)
    assert "1 unused blocks fail their checksum" in result.comment


def test_a_shared_block_is_stored_again_only_when_its_content_changed() -> None:
    image, store = image_with(shared(1), shared(2)), MemoryStore()

    def append(count: int) -> None:
        if count == 2:
            image.blocks[2] = shared(1, used=500)
            image.supers = (b"\3" * MACRO_BLOCK_BYTES, image.supers[1])

    image.on_slog = append
    result = backed_up(image, store)
    assert stored_blocks(store) == blocks_of(image)
    data_bytes = sum(item.size_bytes for item in result.manifest.objects if item.kind is ObjectKind.DATA)
    chunks = list(walk_all(store))
    assert sorted(chunks) == [0, 1, 2, 2, 3]
    assert 0 < result.manifest.dead_bytes < data_bytes


def walk_all(store: Store) -> Iterator[int]:
    """Yield the block id of every chunk in the set's data objects."""
    for item in store.list(names.data_folder(ROOT) + "/"):
        data, offset = store.get(item.name), 0
        while offset < len(data):
            header = decode_chunk_header(data[offset:])
            assert header is not None
            yield header.place.block_id
            offset = header.end_offset


# --- the pause


HURRIED = PassPolicy(passes_max=2)


def test_an_image_that_never_rests_is_taken_in_a_pause_which_is_reported() -> None:
    image, store = image_with(write_once(1), shared(2)), MemoryStore()
    seeds = iter(range(1000, 2000))
    image.on_slog = lambda count: image.blocks.__setitem__(2, write_once(next(seeds)))
    taken: list[dict[int, bytes]] = []
    image.on_pause_end = lambda count: taken.append(blocks_of(image))
    result = backed_up(image, store, plan=plan_of(policy=HURRIED))
    assert image.pauses == 1
    assert stored_blocks(store) == taken[0]
    assert result.comment == "engine paused 5.0 ms after 3 passes"


def test_a_pause_the_guard_ended_is_taken_again() -> None:
    image, store = image_with(write_once(1)), MemoryStore()
    seeds = iter(range(1000, 2000))
    image.on_slog = lambda count: image.blocks.__setitem__(2, write_once(next(seeds)))
    taken: list[dict[int, bytes]] = []

    def end(count: int) -> None:
        if count < 3:
            raise EngineError("pause of process 1 was over its bound of 500 ms")
        taken.append(blocks_of(image))

    image.on_pause_end = end
    result = backed_up(image, store, plan=plan_of(policy=HURRIED))
    assert image.pauses == 3
    assert stored_blocks(store) == taken[0]
    assert result.comment.startswith("engine paused 15.0 ms")


def test_more_changes_than_a_pause_has_time_for_end_it_and_the_backup_after_five() -> None:
    image, store = image_with(*(write_once(seed) for seed in range(9))), MemoryStore()
    seeds = iter(range(1000, 100000))

    def change(count: int) -> None:
        for block_id in range(2, 11):
            image.blocks[block_id] = write_once(next(seeds))

    image.on_slog = change
    with pytest.raises(EngineError, match="5 pauses: more blocks changed") as refused:
        backed_up(image, store, plan=plan_of(policy=replace(HURRIED, paused_blocks_max=8)))
    assert refused.value.code is codes.OB_TIMEOUT
    assert image.pauses == 5
    assert store.stat(names.manifest_name(ROOT)) is None


def test_a_block_that_was_being_written_in_the_pause_is_not_part_of_the_image() -> None:
    image, store = image_with(write_once(1), FREE, write_once(3)), MemoryStore()
    seeds = iter(range(1000, 2000))
    image.on_slog = lambda count: image.blocks.__setitem__(2, write_once(next(seeds)))
    image.on_pause = lambda count: image.blocks.__setitem__(3, torn(write_once(7)))
    image.on_pause_end = lambda count: image.blocks.__setitem__(3, write_once(7))
    result = backed_up(image, store, plan=plan_of(policy=HURRIED))
    assert 3 not in stored_blocks(store)
    assert "1 blocks were being written" in result.comment


# --- the archive


def test_a_round_that_begins_behind_the_base_block_is_refused() -> None:
    store = MemoryStore()
    with pytest.raises(RefusedError, match="LSN 5000") as refused:
        backed_up(image_with(write_once(1)), store, tail=FakeTail(start=Lsn(5000)))
    assert refused.value.code.number == -9064
    assert store.stat(names.manifest_name(ROOT)) is None


def test_the_manifest_waits_for_the_archive_to_reach_min_restore_scn() -> None:
    store, tail = MemoryStore(), FakeTail(behind=40)
    journal = ListJournal()
    seen: list[int | None] = []
    journal.note = lambda figures: seen.append(store.stat(names.manifest_name(ROOT)))  # type: ignore[method-assign]
    result = backed_up(image_with(write_once(1)), store, tail=tail, journal=journal)
    assert tail.behind == 0
    assert tail.flushes == [result.manifest.min_restore_scn]
    assert seen
    assert not any(seen)


def test_phases_and_scns_are_told_in_order() -> None:
    journal = ListJournal()
    tail = FakeTail()
    backed_up(image_with(write_once(1)), MemoryStore(), journal=journal, tail=tail)
    assert journal.phases == [TaskStatus.BACKUP_META, TaskStatus.BACKUP_DATA, TaskStatus.BACKUP_LOG]
    assert journal.scns == [(tail.end[1], None), (tail.end[1], tail.end[1])]


def test_progress_reaches_its_end_only_with_the_manifest() -> None:
    journal, clock = ListJournal(), FakeClock()
    image = image_with(*(write_once(seed) for seed in range(40)))

    def pass_time(block_id: int) -> None:
        clock.now += 0.2

    image.on_read = pass_time
    result = run_backup(plan_of(), image, MemoryStore(), FakeTail(behind=20), journal, clock, pace=FixedPace(threads=1))
    assert journal.notes
    assert all(figures.block_done_count < figures.block_count for figures in journal.notes)
    assert result.figures.block_done_count == result.figures.block_count == 42


# --- the end before the end


class CancelAfter(ListJournal):
    """Cancels when `check` was asked some times."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self.left = checks

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise CanceledError


def test_cancelled_anywhere_a_set_has_no_manifest_and_the_next_attempt_completes_it() -> None:
    cancelled = 0
    for checks in range(100):
        image, store = image_with(write_once(1), shared(2), write_once(3)), MemoryStore()
        try:
            backed_up(image, store, journal=CancelAfter(checks), tail=FakeTail(behind=2))
        except CanceledError:
            cancelled += 1
            assert store.stat(names.manifest_name(ROOT)) is None
            backed_up(image, store)
            assert stored_blocks(store) == blocks_of(image)
            continue
        break
    assert cancelled >= 5


class StopsAfter:
    """A store that fails at its n-th change, before (`early`) or after it took effect, and ever after."""

    def __init__(self, store: MemoryStore, changes: int, *, early: bool) -> None:
        self._store = store
        self._left = changes
        self._early = early

    def __getattr__(self, name: str) -> Callable[..., object]:
        found: Callable[..., object] = getattr(self._store, name)
        if name in {"put", "put_new"}:
            return lambda *args: self.change(lambda: found(*args))
        if name == "writer":
            return lambda *args: _StoppingWriter(self, found(*args))
        return found

    def change(self, act: Callable[[], object]) -> object:
        self._left -= 1
        if self._left < 0 and self._early:
            raise StoreUnavailableError("no space", code=codes.OB_BACKUP_DEVICE_OUT_OF_SPACE)
        result = act()
        if self._left < 0:
            raise StoreUnavailableError("cut off", code=codes.OB_OBJECT_STORAGE_IO_ERROR)
        return result


class _StoppingWriter:
    def __init__(self, owner: StopsAfter, writer: object) -> None:
        self._owner = owner
        self._writer = writer

    def __getattr__(self, name: str) -> object:
        found = getattr(self._writer, name)
        if name in {"write", "commit"}:
            return lambda *args: self._owner.change(lambda: found(*args))
        return found

    def __enter__(self) -> "_StoppingWriter":
        return self

    def __exit__(self, *args: object) -> None:
        self._writer.abort()  # type: ignore[attr-defined]


@pytest.mark.parametrize("early", [True, False], ids=["full", "cut off"])
def test_stopped_after_any_change_to_the_store_a_set_is_complete_or_invisible(early: bool) -> None:
    """After the manifest is put it is complete whatever follows; before, it is invisible, and can be taken up."""
    failures = 0
    for changes in range(200):
        image, store = image_with(write_once(1), shared(2), write_once(3)), MemoryStore()
        try:
            backed_up(image, StopsAfter(store, changes, early=early))  # type: ignore[arg-type]
            completed = True
        except HoldfastError:
            completed = False
            failures += 1
        if store.stat(names.manifest_name(ROOT)) is not None:
            assert stored_blocks(store) == blocks_of(image)
        else:
            assert not completed
            backed_up(image, store)
            assert stored_blocks(store) == blocks_of(image)
        if completed and changes > failures + 2:
            break
    assert failures >= 10


def test_a_set_that_is_complete_is_found_so_and_not_made_again() -> None:
    image, store = image_with(write_once(1)), MemoryStore()
    first = backed_up(image, store)
    image.reads.clear()
    image.blocks[2] = write_once(2)
    second = backed_up(image, store)
    assert second.manifest == first.manifest
    assert image.reads == []


def leftovers_of_a_cancelled_backup(image: FakeImage) -> MemoryStore:
    """Return a store with all data objects of a set and nothing that makes it visible."""
    store = MemoryStore()
    backed_up(image, store)
    store.delete(names.manifest_name(ROOT))
    store.delete(names.index_name(ROOT))
    image.reads.clear()
    return store


def test_resumed_blocks_are_compared_by_head_and_not_read_again() -> None:
    image = image_with(write_once(1), write_once(2), shared(3), FREE)
    store = leftovers_of_a_cancelled_backup(image)
    image.blocks[3] = write_once(99)
    image.blocks[4] = shared(3, used=700)
    result = backed_up(image, store)
    assert stored_blocks(store) == blocks_of(image)
    assert 2 not in image.reads
    assert "took up 1 data objects" in result.comment


def test_a_leftover_object_that_is_damaged_is_removed_and_its_blocks_are_copied_anew() -> None:
    image = image_with(write_once(1), write_once(2))
    store = leftovers_of_a_cancelled_backup(image)
    name = names.data_name(ROOT, 1)
    data = bytearray(store.get(name))
    data[CHUNK_HEADER_BYTES + 3] ^= 1
    store.put(name, data)
    result = backed_up(image, store)
    assert stored_blocks(store) == blocks_of(image)
    assert "removed 1 damaged" in result.comment


# --- increments


def base_of(store: Store) -> BaseSet:
    table = decode_index([store.get(names.index_name(ROOT))]).table
    return BaseSet(backup_set_id=1, full_backup_set_id=1, table=table)


def test_an_increment_copies_what_changed_and_refers_to_the_rest() -> None:
    image, store = image_with(*(write_once(seed) for seed in range(20)), shared(50), FREE), MemoryStore()
    backed_up(image, store)
    image.reads.clear()
    image.blocks[5] = write_once(500)
    image.blocks[23] = write_once(600)
    plan = replace(plan_of(set_id=2), base=base_of(store))
    result = backed_up(image, store, plan=plan)
    assert stored_blocks(store, "backup_set_2_inc") == blocks_of(image)
    assert set(image.reads) == {5, 22, 23}
    manifest = result.manifest
    assert (manifest.type, manifest.chain, manifest.prev_full_backup_set_id) == (BackupType.INC, (1, 2), 1)


def test_an_increment_of_an_unchanged_image_copies_nothing() -> None:
    image, store = image_with(write_once(1), shared(2)), MemoryStore()
    backed_up(image, store)
    result = backed_up(image, store, plan=replace(plan_of(set_id=2), base=base_of(store)))
    assert [item for item in result.manifest.objects if item.kind is ObjectKind.DATA] == []
    assert stored_blocks(store, "backup_set_2_inc") == blocks_of(image)


@pytest.mark.parametrize(("data_version", "type_"), [("1.4.0.0", 7), ("1.4.0.0", 8), ("1.3.0.0", 8), ("1.3.0.0", 9)])
def test_an_increment_takes_what_a_shared_block_gained_whatever_its_engine_numbers_it(
    data_version: str, type_: int
) -> None:
    """Its head tells nothing. With the types of another engine an increment held a block of before, and did not start."""
    image, store = image_with(write_once(1), shared(2, type_=type_)), MemoryStore()
    image.block_kinds = layout_of(data_version, "a fake").block_kinds
    backed_up(image, store)
    image.blocks[3] = shared(2, used=900, type_=type_)
    backed_up(image, store, plan=replace(plan_of(set_id=2), base=base_of(store)))
    assert stored_blocks(store, "backup_set_2_inc") == blocks_of(image)


# --- encrypted sets

KEYS = {1: DataKey(b"1" * 32), 2: DataKey(b"2" * 32)}
SEALED = Encryption(
    mode=EncryptionMode.PASSWORD, scrypt_salt=b"s" * 16, scrypt_n=2, scrypt_r=1, scrypt_p=1, wrapped_key=b"w" * 60
)


def sealed(plan: BackupPlan) -> BackupPlan:
    return replace(plan, key=KEYS[plan.backup_set_id], encryption=SEALED)


def plain(plan: BackupPlan) -> BackupPlan:
    return plan


@pytest.mark.parametrize(("full", "inc"), [(sealed, sealed), (sealed, plain), (plain, sealed)])
def test_an_increment_finds_what_changed_whatever_its_base_is_sealed_with(
    full: Callable[[BackupPlan], BackupPlan], inc: Callable[[BackupPlan], BackupPlan]
) -> None:
    image, store = image_with(*(write_once(seed) for seed in range(20)), shared(50), FREE), MemoryStore()
    backed_up(image, store, plan=full(plan_of()))
    image.reads.clear()
    image.blocks[5] = write_once(500)
    image.blocks[6] = FREE
    image.blocks[22] = shared(50, used=900)
    image.blocks[23] = write_once(600)
    base = replace(base_of(store), keys={1: KEYS[1]} if full is sealed else {})
    backed_up(image, store, plan=inc(replace(plan_of(set_id=2), base=base)))
    assert set(image.reads) == {5, 6, 22, 23}
    keys = {number: KEYS[number] for number, how in ((1, full), (2, inc)) if how is sealed}
    assert stored_blocks(store, "backup_set_2_inc", keys) == blocks_of(image)


def test_nothing_of_a_sealed_sets_content_is_readable_and_its_manifest_is_known_by_its_key() -> None:
    image, store = image_with(write_once(1), shared(2)), MemoryStore()
    image.slog = b"a slog nobody may read"
    result = backed_up(image, store, plan=sealed(plan_of(account=b"login secret")))
    everything = b"".join(store.get(item.name) for item in store.list())
    for content in (b"login secret", image.slog, write_once(1)[24:200]):
        assert content not in everything
    check_authentic(result.manifest, KEYS[1], name="m")
    for forged in (
        replace(result.manifest, tenant_name="other"),
        replace(result.manifest, encryption=SEALED),
        replace(result.manifest, objects=result.manifest.objects[1:]),
    ):
        with pytest.raises(CorruptionError, match="authentication code"):
            check_authentic(forged, KEYS[1], name="m")
    with pytest.raises(CorruptionError, match="authentication code"):
        check_authentic(result.manifest, KEYS[2], name="m")


def test_a_sealed_backup_is_resumed_with_its_key() -> None:
    image, store = image_with(write_once(1), write_once(2), shared(3)), MemoryStore()
    plan = sealed(plan_of())
    backed_up(image, store, plan=plan)
    for name in (names.manifest_name(ROOT), names.index_name(ROOT)):
        store.delete(name)
    image.reads.clear()
    result = backed_up(image, store, plan=plan)
    assert "took up 1 data objects" in result.comment
    assert 2 not in image.reads
    assert stored_blocks(store, keys=KEYS) == blocks_of(image)


@pytest.mark.parametrize(
    ("looks", "walks"),
    [
        ([True, True], 1),
        ([False, True, True], 2),
        ([True, False, True, True], 3),
        ([False] * 1000, 102),  # a tenant that always has one under way: 5 s of looks 50 ms apart
    ],
)
def test_a_set_ends_where_no_transaction_is_under_way_if_that_comes_soon(looks: list[bool], walks: int) -> None:
    answers = iter(looks)
    found: list[tuple[Lsn, Scn]] = []

    class WalkedTail(FakeTail):
        def tail_after(self) -> tuple[Lsn, Scn]:
            found.append((Lsn(1000 + len(found)), Scn(self.end[1] + len(found))))
            return found[-1]

        def checkpoint_scn(self) -> Scn:
            return found[-1][1]

    result = run_backup(
        plan_of(),
        image_with(write_once(1)),
        MemoryStore(),
        WalkedTail(),
        ListJournal(),
        FakeClock(),
        is_quiet=lambda: next(answers),
    )
    assert len(found) == 1 + walks  # the first is where the backup began
    assert result.manifest.min_restore_scn == found[-1][1]
