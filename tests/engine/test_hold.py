from pathlib import Path

import pytest

from holdfast.engine.hold import SpoolHold
from holdfast.errors import EngineError


@pytest.fixture
def hold(tmp_path: Path) -> SpoolHold:
    (tmp_path / "log").mkdir()
    for block_id in (3, 4, 5, 10):
        (tmp_path / "log" / str(block_id)).write_bytes(b"block %d" % block_id)
    (tmp_path / "log" / "11.tmp").write_bytes(b"not yet a block")
    hold = SpoolHold(tmp_path / "log", tmp_path / "spool")
    hold.prepare()
    return hold


def test_a_held_block_outlives_the_engines_own_name(hold: SpoolHold, tmp_path: Path) -> None:
    assert hold.link(3)
    (tmp_path / "log" / "3").unlink()
    assert hold.path(3).read_bytes() == b"block 3"


def test_nothing_is_held_or_made_where_the_log_is_gone(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="log is not there"):
        SpoolHold(tmp_path / "tenant" / "log", tmp_path / "tenant" / "spool").prepare()
    assert not list(tmp_path.iterdir())


def test_a_spool_that_goes_is_had_again_as_long_as_the_log_is_there(hold: SpoolHold, tmp_path: Path) -> None:
    (tmp_path / "spool").rmdir()
    assert hold.link(3)
    assert not hold.link(9)
    assert hold.block_ids() == (3,)


def test_linking_twice_is_harmless_and_keeps_the_first_bytes(hold: SpoolHold, tmp_path: Path) -> None:
    assert hold.link(3)
    (tmp_path / "log" / "3").unlink()
    (tmp_path / "log" / "3").write_bytes(b"another timeline")
    assert hold.link(3)
    assert hold.path(3).read_bytes() == b"block 3"


def test_a_vanished_block_is_not_held(hold: SpoolHold) -> None:
    assert not hold.link(2)
    assert hold.block_ids() == ()


def test_link_all_takes_blocks_only_and_says_which_are_new(hold: SpoolHold) -> None:
    hold.link(4)
    assert hold.link_all() == (3, 5, 10)
    assert hold.block_ids() == (3, 4, 5, 10)
    assert hold.link_all() == ()


def test_release_lets_go_of_lower_blocks_only_and_repeats(hold: SpoolHold) -> None:
    hold.link_all()
    assert hold.release(below=5) == (3, 4)
    assert hold.release(below=5) == ()
    assert [block_id for block_id, _ in hold.links()] == [5, 10]


def test_the_spools_own_size_counts_only_what_the_engine_let_go(hold: SpoolHold, tmp_path: Path) -> None:
    hold.link_all()
    assert hold.size_bytes() == 0
    (tmp_path / "log" / "3").unlink()
    assert hold.size_bytes() == hold.path(3).stat().st_blocks * 512 > 0


def test_a_new_hold_finds_the_links_of_a_dead_server(hold: SpoolHold, tmp_path: Path) -> None:
    hold.link_all()
    assert SpoolHold(tmp_path / "log", tmp_path / "spool").block_ids() == (3, 4, 5, 10)
