"""What a validation reads again, what it looks at for the sake of what, and what lists alone say. No disk."""

from dataclasses import replace

import pytest

from backup_format.samples import BEGIN, END, MANIFEST, PIECE
from holdfast.backup_format.index import BlockTable, IndexRecord
from holdfast.backup_format.piece_record import PieceBlock
from holdfast.values.lsn import Lsn
from holdfast.verify.plan import (
    Level,
    Proof,
    chain_closure,
    check_index,
    check_piece,
    check_references,
    check_set,
    is_fresh,
    log_digest,
    log_end,
    parse_ids,
)

DAY_US = 86_400_000_000
ROOT = "backup_set_2_inc"
PIECE_ROOT = "piece_d1002r1p3"
SIZES = {f"{ROOT}/{item.name}": item.size_bytes for item in MANIFEST.objects}
LOGS = {f"{PIECE_ROOT}/logstream_1/log/{block.block_id}.obarc": block.size_bytes for block in PIECE.blocks}


@pytest.mark.parametrize(("text", "ids"), [("1", (1,)), ("3,1,3", (1, 3)), (" 7 , 8 ", (7, 8))])
def test_ids_are_read_once_each_and_ascending(text: str, ids: tuple[int, ...]) -> None:
    assert parse_ids(text) == ids


@pytest.mark.parametrize("text", ["", "0", "1,0", "x", "1,", ",1", "1 2", "-1", "1,2\n;", "9" * 512, "١"])
def test_what_is_no_list_of_ids_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_ids(text)


@pytest.mark.parametrize(
    ("proof", "reread_us", "fresh"),
    [
        (Proof(name="a", size_bytes=1, digest="d", proven_us=100 * DAY_US), 30 * DAY_US, True),
        (Proof(name="a", size_bytes=1, digest="d 00 1 2 3", proven_us=100 * DAY_US), 30 * DAY_US, True),
        (Proof(name="a", size_bytes=1, digest="d", proven_us=81 * DAY_US), 30 * DAY_US, True),
        (Proof(name="a", size_bytes=1, digest="d", proven_us=80 * DAY_US), 30 * DAY_US, False),  # the deadline
        (Proof(name="a", size_bytes=1, digest="e", proven_us=110 * DAY_US), 30 * DAY_US, False),  # another object
        (Proof(name="a", size_bytes=1, digest="d", proven_us=110 * DAY_US), 0, False),  # everything, always
        (Proof(name="a", size_bytes=1, digest="d", proven_us=110 * DAY_US), 30 * DAY_US, True),
        (Proof(name="a", size_bytes=1, digest="d", proven_us=110 * DAY_US + 1), 30 * DAY_US, False),  # ahead
        (Proof(name="a", size_bytes=1, digest="d", proven_us=475 * DAY_US), 30 * DAY_US, False),  # a year ahead
        (None, 30 * DAY_US, False),
    ],
)
def test_a_proof_counts_for_its_digest_until_its_deadline(proof: Proof | None, reread_us: int, fresh: bool) -> None:
    assert is_fresh(proof, "d", now_us=110 * DAY_US, reread_us=reread_us) is fresh


def test_a_level_takes_back_what_it_looks_at() -> None:
    assert Level.BASIC.covered == (Level.BASIC,)
    assert set(Level.PHYSICAL.covered) == {Level.BASIC, Level.PHYSICAL}
    assert Level.RESTORE.covered == (), "a drill reads what one moment needs"


def test_an_increment_is_validated_with_the_sets_its_index_names() -> None:
    full = replace(MANIFEST, backup_set_id=1, chain=(1,))
    other = replace(MANIFEST, backup_set_id=3, chain=(3,))
    manifests = {1: full, 2: MANIFEST, 3: other}
    assert chain_closure([2], manifests) == (1, 2)
    assert chain_closure([3, 2], manifests) == (1, 2, 3)
    assert chain_closure([2, 9], {2: MANIFEST}) == (2, 9)  # its own check names the missing member


def test_a_complete_set_has_nothing_to_tell() -> None:
    assert check_set(MANIFEST, ROOT, SIZES, [1, 2]) == ()


def test_missing_short_and_left_alone_are_told_by_name() -> None:
    sizes = {**SIZES, f"{ROOT}/data/000001": 5}
    del sizes[f"{ROOT}/index"]
    found = {damage.name: damage.what for damage in check_set(MANIFEST, ROOT, sizes, [2])}
    assert found == {
        f"{ROOT}/data/000001": "it has 5 bytes, expected 1234000",
        f"{ROOT}/index": "it is not there, expected 864 bytes",
        f"{ROOT}/manifest.json": "it needs backup set 1, which is not there",
    }


def record(block_id: int, set_id: int, offset: int = 0) -> IndexRecord:
    return IndexRecord(
        block_id=block_id,
        set_id=set_id,
        object_number=1,
        offset=offset,
        stored_size_bytes=10,
        payload_size_bytes=2 << 20,
        block_type=1,
        digest=bytes(16),
        head_hash=bytes(16),
    )


def table_of(*records: IndexRecord) -> BlockTable:
    table = BlockTable(8)
    for one in records:
        table.put(one)
    return table


def test_an_index_fits_its_manifest_or_says_where_it_does_not() -> None:
    manifest = replace(MANIFEST, block_count=2)
    assert check_index(table_of(record(0, 1), record(3, 2)), manifest, ROOT) == ()
    words = [damage.what for damage in check_index(table_of(record(0, 7)), manifest, ROOT)]
    assert words == ["it lists 1 blocks, the manifest says 2", "it refers to sets [7] outside the chain"]


def test_a_reference_is_to_the_chunk_its_holder_names() -> None:
    held = table_of(record(0, 1), record(1, 1, 500))
    assert check_references(table_of(record(0, 1), record(3, 2)), held, 1, ROOT) is None
    for strange in (record(1, 1, 600), record(5, 1)):
        damage = check_references(table_of(record(0, 1), strange), held, 1, ROOT)
        assert damage is not None
        assert damage.block_id == strange.block_id


def test_a_piece_goes_on_where_the_one_before_ends() -> None:
    first = replace(PIECE, piece_id=2, begin=BEGIN, end=END)
    begin = replace(END)
    later = replace(
        PIECE,
        begin=begin,
        blocks=(PieceBlock(block_id=2, size_bytes=1000, first_lsn=END.lsn, end_lsn=Lsn(END.lsn + 9)),),
        end=replace(END, lsn=Lsn(END.lsn + 9)),
    )
    sizes = {f"{PIECE_ROOT}/logstream_1/log/2.obarc": 2000}  # longer than promised: it grew
    assert check_piece(later, PIECE_ROOT, sizes, first) == ()
    assert check_piece(later, PIECE_ROOT, sizes, None) == ()
    for end in (replace(END, lsn=Lsn(END.lsn - 1)), replace(END, accumulated=1), replace(END, log_id=1)):
        (gap,) = check_piece(later, PIECE_ROOT, sizes, replace(first, end=end))
        assert gap.name == PIECE_ROOT
    # What is not known contradicts nothing.
    assert check_piece(replace(later, begin=replace(begin, accumulated=None)), PIECE_ROOT, sizes, first) == ()


def test_log_objects_shorter_than_their_record_are_told() -> None:
    assert check_piece(PIECE, PIECE_ROOT, LOGS, None) == ()
    found = check_piece(PIECE, PIECE_ROOT, {name: size - 1 for name, size in LOGS.items()}, None)
    assert [damage.name for damage in found] == list(LOGS)


def test_where_a_proven_log_object_ends_is_read_back() -> None:
    assert log_end(log_digest("-", END)) == END
