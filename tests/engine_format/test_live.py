"""The formats on a real engine that was killed under load, and the engine's verdict on a log that was cut."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine_rig import Bank, EngineRig, running_engine
from holdfast.engine_format.data_version import decode_data_version
from holdfast.engine_format.log_block import (
    LOG_BLOCK_BYTES,
    LOG_INFO_BYTES,
    block_id_of,
    decode_info_block,
    file_offset_of,
)
from holdfast.engine_format.log_cut import cut_block
from holdfast.engine_format.log_group import decode_entries
from holdfast.engine_format.log_meta import base_lsn
from holdfast.engine_format.log_walk import Position, WalkStop, groups, walk
from holdfast.engine_format.macro_block import (
    HEAD_BYTES,
    MACRO_BLOCK_BYTES,
    BlockKind,
    decode_block_head,
    is_block_whole,
)
from holdfast.engine_format.slog import walk_slog
from holdfast.engine_format.super_block import decode_super_block
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

pytestmark = pytest.mark.live


@dataclass(slots=True)
class Killed:
    """An engine killed under load, and the commit SCNs it had told just before its last second."""

    rig: EngineRig
    bank: Bank
    commits: dict[tuple[int, int], int]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    home = tmp_path_factory.mktemp("engine_format")
    with running_engine(home) as rig:
        bank = Bank(rig.socket, rig.account, log_dir=home / "bank", writers=4)
        bank.setup()
        bank.run(3, at_least=500)
        commits = bank.commit_scns(rig.session())
        bank.begin()
        rig.kill()
        bank.end()
        yield Killed(rig, bank, commits)
    shutil.rmtree(home, ignore_errors=True)


def log_blocks(killed: Killed) -> list[tuple[int, bytes]]:
    files = [path for path in killed.rig.directory.log_dir.iterdir() if path.name.isdigit()]
    return sorted((int(path.name), path.read_bytes()) for path in files)


def meta_base(directory: Path) -> Lsn:
    found = base_lsn(max(directory.iterdir(), key=lambda path: int(path.name)).read_bytes())
    assert found is not None
    return found


def test_whole_log_of_a_killed_engine_is_verified(killed: Killed) -> None:
    position = Position(lsn=meta_base(killed.rig.directory.log_meta_dir))
    total = 0
    for block_id, block in log_blocks(killed):
        if block_id != block_id_of(position.lsn):
            continue
        info = decode_info_block(block)
        if info is None:
            break
        assert info.block_id == block_id
        result = walk(memoryview(block)[LOG_INFO_BYTES:], position)
        assert result.stop in (WalkStop.BLOCK_END, WalkStop.ZERO), result.reason
        assert result.first_scn is not None
        assert result.first_scn >= info.min_scn
        position, total = result.end, total + result.group_count
    assert total > 500
    assert position.scn >= max(killed.commits.values())


def test_every_commit_is_one_entry_of_the_log(killed: Killed) -> None:
    _, block = log_blocks(killed)[-1]
    position = Position(lsn=meta_base(killed.rig.directory.log_meta_dir))
    data = memoryview(block)[file_offset_of(position.lsn) :]
    scns = {entry.scn for offset, _ in groups(data, position) for entry in decode_entries(data[offset:])}
    missing = [scn for scn in killed.commits.values() if scn not in scns]
    assert not missing
    assert len(killed.commits) > 100


def test_every_block_of_a_killed_engine_is_known_and_whole(killed: Killed) -> None:
    kinds = killed.rig.directory.version.layout.block_kinds
    met = set()
    with killed.rig.directory.block_file.open("rb") as file:
        for block_id in range(killed.rig.directory.block_file.stat().st_size // MACRO_BLOCK_BYTES):
            block = file.read(MACRO_BLOCK_BYTES)
            head = decode_block_head(block_id, block[:HEAD_BYTES], kinds)
            assert is_block_whole(head, block), block_id
            met.add(head.kind)
            if head.kind is BlockKind.SUPER:
                assert decode_super_block(block).file_size_bytes == killed.rig.directory.block_file.stat().st_size
    assert {BlockKind.SUPER, BlockKind.SHARED} <= met


def test_small_files_of_a_killed_engine_are_whole(killed: Killed) -> None:
    for folder in ("server", "sys"):
        assert walk_slog((killed.rig.directory.slog_dir / folder / "1").read_bytes()).batch_count > 0
    version = decode_data_version(killed.rig.directory.data_version_file.read_bytes())
    assert version == killed.rig.directory.version.layout.data_version


def test_engine_starts_on_a_log_cut_inside_a_group_and_shows_exactly_what_was_kept(killed: Killed) -> None:
    """Last in this file: it changes the log it shares with the tests above."""
    block_id, block = log_blocks(killed)[-1]
    path = killed.rig.directory.log_dir / str(block_id)
    position = Position(lsn=meta_base(killed.rig.directory.log_meta_dir))
    assert block_id == block_id_of(position.lsn)
    data = memoryview(block)[LOG_INFO_BYTES:]
    commits = set(killed.commits.values())
    inside = [
        (entries[0].scn, entries[-1].scn)
        for offset, _ in groups(data, position)
        if len(entries := list(decode_entries(data[offset:]))) > 1 and {one.scn for one in entries} <= commits
    ]
    target, lost = inside[-1]
    found = cut_block(block, position, target)
    assert found.stop is WalkStop.BORDER
    assert found.tail
    assert found.end.scn <= target < lost
    with path.open("r+b") as file:
        file.seek(found.keep_bytes)
        file.write(found.tail)
        file.truncate()
        file.truncate(LOG_BLOCK_BYTES)

    killed.rig.restart()

    balance = killed.bank.check(killed.rig.session())
    assert balance.is_right
    assert balance.transactions == {one for one, scn in killed.commits.items() if scn <= target}
    after = path.read_bytes()[LOG_INFO_BYTES:]
    assert walk(after, position, before_scn=Scn(target + 1)).end == found.end
    assert walk(after, position).end.lsn > found.end.lsn
