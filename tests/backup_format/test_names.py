"""Names: OceanBase's where it has one (spec/layout.md), and each can be read back from a listing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.backup_format import names
from holdfast.backup_format.names import Edge, PiecePlaceholder, PieceRef, RoundPlaceholder, SetEvent, SetPlaceholder
from holdfast.values.backup_set import BackupType
from holdfast.values.scn import Scn

FULL = names.set_root(1, BackupType.FULL)
PIECE = names.piece_root(1001, 2, 3)
TAG = "20261123T101500"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (names.FORMAT_FILE, "format.obbak"),
        (names.check_file(1002, TAG), "check_file/1002_connect_file_20261123T101500.obbak"),
        (
            names.cluster_parameters_name(Scn(1_795_424_400_000_000_000)),
            "cluster_parameters.01795424400000000000.obbak",
        ),
        (FULL, "backup_set_1_full"),
        (names.set_root(12, BackupType.INC), "backup_set_12_inc"),
        (names.manifest_name(FULL), "backup_set_1_full/manifest.json"),
        (names.index_name(FULL), "backup_set_1_full/index"),
        (names.data_name(FULL, 1), "backup_set_1_full/data/000001"),
        (names.meta_name(FULL, "store/slog/sys/1"), "backup_set_1_full/meta/store/slog/sys/1"),
        (names.set_summary_name(FULL, TAG, TAG), f"backup_set_1_full/backup_set_1_full_{TAG}_{TAG}.obbak"),
        (PIECE, "piece_d1001r2p3"),
        (names.log_name(PIECE, 17), "piece_d1001r2p3/logstream_1/log/17.obarc"),
        (names.checkpoint_name(PIECE), "piece_d1001r2p3/checkpoint/checkpoint_info.0.obarc"),
        (names.piece_info_name(PIECE), "piece_d1001r2p3/single_piece_info.obarc"),
        (names.piece_infos_name(PIECE), "piece_d1001r2p3/tenant_archive_piece_infos.obarc"),
        (names.piece_summary_name(PIECE, TAG, TAG), f"piece_d1001r2p3/piece_d1001r2p3_{TAG}_{TAG}.obarc"),
        (names.log_name(f"{names.set_log_root(FULL)}/{PIECE}", 1), f"{FULL}/log/{PIECE}/logstream_1/log/1.obarc"),
    ],
)
def test_name_is_the_promised_one(name: str, expected: str) -> None:
    assert name == expected


SETS = st.builds(names.SetRef, set_id=st.integers(1, 10**9), type=st.sampled_from(BackupType))
PIECES = st.builds(
    PieceRef, dest_id=st.integers(0, 10**6), round_id=st.integers(1, 10**6), piece_id=st.integers(1, 10**6)
)


@given(SETS)
def test_set_is_read_back_from_its_names(ref: names.SetRef) -> None:
    assert names.parse_set_root(names.set_root(ref.set_id, ref.type)) == ref
    for placeholder in (
        SetPlaceholder(set=ref, event=SetEvent.START),
        SetPlaceholder(set=ref, event=SetEvent.SUCCESS, tag=TAG),
        SetPlaceholder(set=ref, event=SetEvent.FAILED, tag=TAG),
    ):
        assert names.parse_set_placeholder(names.set_placeholder(placeholder)) == placeholder


def test_set_placeholders_are_oceanbases() -> None:
    ref = names.SetRef(set_id=3, type=BackupType.INC)
    assert names.set_placeholder(SetPlaceholder(set=ref, event=SetEvent.START)) == (
        "backup_sets/backup_set_3_inc_start.obbak"
    )
    assert names.set_placeholder(SetPlaceholder(set=ref, event=SetEvent.SUCCESS, tag=TAG)) == (
        f"backup_sets/backup_set_3_inc_end_success_{TAG}.obbak"
    )


@given(PIECES, st.sampled_from(Edge), st.integers(0, 10**9))
def test_piece_and_round_are_read_back_from_their_names(piece: PieceRef, edge: Edge, block_id: int) -> None:
    root = names.piece_root(piece.dest_id, piece.round_id, piece.piece_id)
    assert names.parse_piece_root(root) == piece
    for above in ("", "backup_set_1_full/log/"):
        assert names.parse_log_name(names.log_name(above + root, block_id)) == (piece, block_id)
    placeholder = PiecePlaceholder(piece=piece, edge=edge, tag=TAG)
    assert names.parse_piece_placeholder(names.piece_placeholder(placeholder)) == placeholder
    mark = RoundPlaceholder(dest_id=piece.dest_id, round_id=piece.round_id, edge=edge)
    assert names.parse_round_placeholder(names.round_placeholder(mark)) == mark


def test_piece_and_round_placeholders_are_oceanbases() -> None:
    piece = PieceRef(dest_id=1001, round_id=2, piece_id=3)
    assert names.piece_placeholder(PiecePlaceholder(piece=piece, edge=Edge.START, tag=TAG)) == (
        f"pieces/piece_d1001r2p3_start_{TAG}.obarc"
    )
    assert names.round_placeholder(RoundPlaceholder(dest_id=1001, round_id=2, edge=Edge.END)) == (
        "rounds/round_d1001r2_end.obarc"
    )


@given(st.integers(0, 10**9))
def test_data_number_is_read_back_and_sorts(number: int) -> None:
    assert names.parse_data_name(names.data_name(FULL, number)) == number
    if number < 10**6 - 1:
        assert names.data_name(FULL, number) < names.data_name(FULL, number + 1)


def test_meta_file_is_read_back() -> None:
    assert names.parse_meta_name(FULL, names.meta_name(FULL, "etc/x")) == "etc/x"
    for other in ("backup_set_1_full/meta/", "backup_set_1_full/index", "backup_set_11_full/meta/x"):
        assert names.parse_meta_name(FULL, other) is None


@given(
    st.text(max_size=40)
    | st.sampled_from(
        [
            "backup_set_0_full",
            "backup_set_01_full",
            "backup_set_1_FULL",
            "backup_set_1_full ",
            "backup_set_1_full\n",
            "backup_set_\u0661_full",
            "piece_d1r0p1",
            "piece_d1r1p1/x",
            "backup_sets/backup_set_1_full_start.obbak.tmp",
            "data/00001",
            "data/00000\u0661",
            "rounds/round_d1r1_middle.obarc",
            "piece_d1r1p1/logstream_2/log/1.obarc",
        ]
    )
)
def test_what_is_not_a_name_is_nothing(text: str) -> None:
    for parse in (
        names.parse_set_root,
        names.parse_set_placeholder,
        names.parse_data_name,
        names.parse_piece_root,
        names.parse_piece_placeholder,
        names.parse_round_placeholder,
        names.parse_log_name,
    ):
        assert parse(text) is None


def test_cluster_parameters_are_known_by_their_name() -> None:
    assert names.is_cluster_parameters_name(names.cluster_parameters_name(Scn(1)))
    for other in ("format.obbak", "cluster_parameters.1.obbak", "x/cluster_parameters.01795424400000000000.obbak"):
        assert not names.is_cluster_parameters_name(other)
