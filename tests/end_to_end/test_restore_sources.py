"""Restore sources, previews and restorable windows: what lies where, named piece by piece."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.engine.process import EngineProcess
from holdfast.restore.block_mount import find_obstacle
from server_rig import (
    Client,
    Server,
    archive,
    backup,
    running_server,
    wait_archived,
    wait_doing,
    wait_for,
    wait_restored,
)

pytestmark = pytest.mark.live

WINDOWS = (
    "select STATUS, START_SCN, END_SCN, BACKUP_SET_IDS, RESTORE_FROM, CAUSE, REMEDY from oceanbase.{} order by SPAN_ID"
)


class Story:
    """A tenant with a full set, an increment and archived log; the moments between them."""

    def __init__(self, server: Server, place: Path) -> None:
        self.server = server
        self.place = place
        self.client = server.client()
        self.client.run("CREATE TENANT src")
        archive(self.client, "src", place)
        with server.client("root@src") as src:
            src.run("create table test.t (i int primary key)")
            src.run("insert into test.t values (1)")
            assert backup(self.client, "src")[0] == "COMPLETED"
            src.run("insert into test.t values (2)")
            self.client.run("ALTER SYSTEM BACKUP INCREMENTAL TENANT = src")
            sets = "select count(*) from oceanbase.CDB_OB_BACKUP_SET_FILES where STATUS = 'SUCCESS'"
            wait_for(lambda: self.client.one(sets), lambda count: count == 2)
            src.run("insert into test.t values (3)")
            self.end = int(src.one("select max(ora_rowscn) from test.t"))
        wait_archived(self.client, self.end)
        self.full = f"file://{place}/data/backup_set_1_full"
        self.inc = f"file://{place}/data/backup_set_2_inc"
        (piece,) = (path.name for path in (place / "archive").iterdir() if path.name.startswith("piece_d"))
        self.piece = f"file://{place}/archive/{piece}"

    def rows_of(self, name: str) -> list[tuple[int, ...]]:
        assert wait_restored(self.client, name)[0] == "SUCCESS"
        with self.server.client(f"root@{name}") as client:
            rows = client.rows("select i from test.t order by i")
        self.client.run(f"DROP TENANT {name} FORCE")
        return rows


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    root = tmp_path_factory.mktemp("sources")
    with running_server(root / "base") as server:
        found = Story(server, root / "place")
        yield found
        found.client.close()


@pytest.fixture
def session(story: Story) -> Iterator[Client]:
    """A session of its own: sources and previews live and die with it."""
    with story.server.client() as client:
        yield client


def test_single_sets_and_pieces_restore_and_are_forgotten(story: Story, session: Client) -> None:
    session.run(f"ALTER SYSTEM ADD RESTORE SOURCE '{story.full},{story.inc}'")
    session.run(f"ALTER SYSTEM ADD RESTORE SOURCE '{story.piece}'")
    session.run(f"ALTER SYSTEM RESTORE picked UNTIL SCN = {story.end}")
    assert story.rows_of("picked") == [(1,), (2,), (3,)]
    assert session.refused(f"ALTER SYSTEM RESTORE again UNTIL SCN = {story.end}")[0] == 1235


def test_folders_carried_elsewhere_restore_without_their_destination(
    story: Story, session: Client, tmp_path: Path
) -> None:
    for number, uri in enumerate((story.full, story.piece)):
        folder = Path(uri.removeprefix("file://"))
        shutil.copytree(folder, tmp_path / str(number) / folder.name)
        session.run(f"ALTER SYSTEM ADD RESTORE SOURCE 'file://{tmp_path}/{number}/{folder.name}'")
    session.run(f"ALTER SYSTEM RESTORE carried UNTIL SCN = {story.end}")
    assert story.rows_of("carried") == [(1,), (2,), (3,)]


def test_from_and_sources_exclude_each_other(story: Story, session: Client) -> None:
    session.run(f"ALTER SYSTEM ADD RESTORE SOURCE '{story.full}'")
    number, text = session.refused(f"ALTER SYSTEM RESTORE x FROM 'file://{story.place}/data'")
    assert number == 1235
    assert "have backup_dest and restore_source at the same time" in text
    session.run(f"ALTER SYSTEM ADD RESTORE SOURCE '{story.full}'")
    session.run("ALTER SYSTEM CLEAR RESTORE SOURCE")
    assert "restore without FROM" in session.refused("ALTER SYSTEM RESTORE x")[1]


@pytest.mark.parametrize(
    ("sources", "until", "text"),
    [
        (("inc", "piece"), 0, "no full backup set exists"),
        (("piece",), 0, "no backup set is available"),
        (("full",), 0, "no enough log for restore"),
        (("full", "piece"), -3_600_000_000_000, "minimum restorable time is 20"),
        (("full", "piece"), 3_600_000_000_000, "maximum restorable time is 20"),
    ],
)
def test_sources_that_do_not_suffice_have_9119(
    story: Story, session: Client, sources: tuple[str, ...], until: int, text: str
) -> None:
    session.run(f"ALTER SYSTEM ADD RESTORE SOURCE '{','.join(getattr(story, name) for name in sources)}'")
    number, message = session.refused(f"ALTER SYSTEM RESTORE x UNTIL SCN = {story.end + until}")
    assert number == 9119
    assert text in message
    assert session.rows("select 1 from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'x'") == []


@pytest.mark.parametrize("path", ["nothing", "data/nothing", "."])
def test_a_path_that_is_no_source_is_refused_when_it_is_added(story: Story, session: Client, path: str) -> None:
    assert session.refused(f"ALTER SYSTEM ADD RESTORE SOURCE 'file://{story.place}/{path}'")[0] == 9120


def test_a_preview_lists_sets_and_pieces(story: Story, session: Client) -> None:
    assert "show restore preview before" in session.refused("SHOW RESTORE PREVIEW")[1]
    sources = f"'file://{story.place}/data,file://{story.place}/archive'"
    assert session.refused(f"ALTER SYSTEM RESTORE FROM {sources} PREVIEW")[0] == 4179
    session.run(f"ALTER SYSTEM RESTORE FROM {sources} UNTIL SCN = {story.end} PREVIEW")
    expected = [("BACKUP_SET", "1", story.full), ("BACKUP_SET", "2", story.inc), ("BACKUP_PIECE", "1", story.piece)]
    assert [(kind, str(number), dest) for kind, number, dest, _ in session.rows("SHOW RESTORE PREVIEW")] == expected
    session.run(f"ALTER SYSTEM RESTORE FROM {sources} UNTIL SCN = {story.end + 3_600_000_000_000} PREVIEW")
    assert session.refused("SHOW RESTORE PREVIEW")[0] == 4018


def test_the_window_is_what_a_restore_reaches(story: Story, session: Client) -> None:
    first = session.one("select min(MIN_RESTORE_SCN) from oceanbase.CDB_OB_BACKUP_SET_FILES")
    (row,) = session.rows(WINDOWS.format("CDB_OB_RESTORABLE_WINDOWS"))
    status, start, end, sets, paths, _, _ = row
    assert (status, start, sets) == ("REACHABLE", first, "1,2")
    assert end >= story.end
    assert paths == f"file://{story.place}/archive,file://{story.place}/data"
    with story.server.client("root@src") as src:
        assert src.rows(WINDOWS.format("DBA_OB_RESTORABLE_WINDOWS"))[0][:2] == ("REACHABLE", start)
    number, text = session.refused(f"ALTER SYSTEM RESTORE x FROM '{paths}' UNTIL SCN = {int(start) - 1}")
    assert number == 4018
    assert f"reachable: SCN {start} (" in text


def test_a_name_under_restore_is_taken(story: Story, session: Client) -> None:
    session.run(f"ALTER SYSTEM RESTORE taken FROM '{story.full},{story.piece}'")
    number, text = session.refused(f"ALTER SYSTEM RESTORE taken FROM '{story.full},{story.piece}'")
    assert number == 9014
    assert text.startswith("Another restore is in progress")
    session.run("ALTER SYSTEM CANCEL RESTORE taken")


def test_an_engine_that_ends_on_the_restored_files_fails_the_restore_and_leaves_its_log(
    story: Story, session: Client
) -> None:
    before = set(story.server.tenant_ids())
    session.run(f"ALTER SYSTEM RESTORE ended FROM '{story.full},{story.piece}'")
    running = "select 1 from oceanbase.CDB_OB_RESTORE_PROGRESS"
    wait_for(lambda: _end_new_engine(story.server, before) or session.rows(running), lambda found: not found)
    status, comment = wait_restored(session, "ended")
    assert status == "FAILED"
    assert comment.startswith("Restore log stream failed: the engine did not ")  # -9094
    kept = Path(comment.partition(" kept in ")[2].partition(";")[0])
    assert kept.is_file(), comment
    assert set(story.server.tenant_ids()) == before


def _end_new_engine(server: Server, before: set[int]) -> bool:
    """Kill the engine of the tenant that came; it is started again a few times."""
    found = set(server.tenant_ids()) - before
    directory = server.directory(found.pop()) if found else None
    engine = EngineProcess.adopt(directory) if directory is not None and directory.server_log.exists() else None
    if engine is not None:
        os.kill(engine.pid, signal.SIGKILL)
    return engine is not None


def test_a_table_recovery_whose_backup_does_not_restore_tells_the_restores_reason(
    story: Story, session: Client, tmp_path: Path
) -> None:
    folder, data = _copy_of_full_set(story, tmp_path)
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    session.run("CREATE RESOURCE UNIT u MAX_CPU 1, MEMORY_SIZE '1G', LOG_DISK_SIZE '2G'")
    session.run("CREATE RESOURCE POOL p UNIT = 'u', UNIT_NUM = 1, ZONE_LIST = ('zone1')")
    status, comment = _recover(session, folder, story, "WITH 'pool_list=p&method=full'")
    assert status == "FAILED"
    assert " restore failed, " in comment  # the text of -9099
    assert data.name in comment


@pytest.mark.skipif(find_obstacle() is not None, reason=f"no FUSE on this machine: {find_obstacle()}")
def test_a_table_recovery_that_meets_damage_while_its_blocks_come_names_the_object(
    story: Story, session: Client, tmp_path: Path
) -> None:
    folder, data = _copy_of_full_set(story, tmp_path)
    content = bytearray(data.read_bytes())
    for place in range(0, len(content), 4096):
        content[place] ^= 1
    data.write_bytes(content)
    status, comment = _recover(session, folder, story)
    assert status == "FAILED"
    assert data.name in comment


def _copy_of_full_set(story: Story, place: Path) -> tuple[Path, Path]:
    """Return the folder of a copy of the full set, the log beside it, and its data object."""
    shutil.copytree(story.place, place / "copy")
    folder = place / "copy" / "data" / "backup_set_1_full"
    return folder, max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def _recover(session: Client, folder: Path, story: Story, options: str = "") -> tuple[str, str]:
    """Recover test.t from a copy, to the side; return (STATUS, COMMENT) of the job."""
    history = "select STATUS, COMMENT from oceanbase.CDB_OB_RECOVER_TABLE_JOB_HISTORY order by JOB_ID desc"
    before = len(session.rows(history))
    sources = f"file://{folder},file://{folder.parents[1]}/archive/{story.piece.rpartition('/')[2]}"
    session.run(f"ALTER SYSTEM RECOVER TABLE test.t TO TENANT src FROM '{sources}' {options} REMAP TABLE test.t:again")
    status, comment = wait_for(lambda: session.rows(history), lambda rows: len(rows) > before)[0]
    return str(status), str(comment)


def test_windows_tell_gaps_unknowns_and_outlive_their_tenant(story: Story, session: Client) -> None:
    windows = WINDOWS.format("CDB_OB_RESTORABLE_WINDOWS")
    session.run("CREATE TENANT bare")
    bare = "select STATUS, CAUSE, REMEDY from oceanbase.DBA_OB_RESTORABLE_WINDOWS"
    with story.server.client("root@bare") as client:
        ((status, cause, remedy),) = client.rows(bare)
        assert (status, cause) == ("GAP", "there is no complete backup set")
        assert "full backup" in remedy
    session.run("DROP TENANT bare FORCE")
    session.run("ALTER SYSTEM NOARCHIVELOG TENANT = src")
    rows = wait_for(lambda: session.rows(windows), lambda found: len(found) == 2)
    assert [row[0] for row in rows] == ["REACHABLE", "GAP"]
    assert rows[1][1] == rows[0][2]  # it begins where the interval ends
    assert rows[1][5] == "the log is not archived"
    session.run("ALTER SYSTEM ARCHIVELOG TENANT = src")
    wait_doing(session, "src")
    wait_for(lambda: session.rows(windows), lambda found: found[-1][5] != "the log is not archived")
    manifest = story.place / "data" / "backup_set_1_full" / "manifest.json"
    kept = manifest.read_bytes()
    manifest.write_bytes(kept.replace(b'"tenant_name"', b'"tenant_nome"'))
    rows = wait_for(lambda: session.rows(windows), lambda found: found[-1][0] == "DAMAGED")
    assert "manifest.json" in rows[-1][5]
    assert "from a copy" in rows[-1][6]
    manifest.write_bytes(kept)
    wait_for(lambda: session.rows(windows), lambda found: found[0][0] == "REACHABLE")
    session.run("DROP TENANT src FORCE")
    rows = wait_for(lambda: session.rows(windows), bool)
    assert rows[0][0] == "REACHABLE"
    session.run(f"ALTER SYSTEM RESTORE back FROM '{rows[0][4]}' UNTIL SCN = {story.end}")
    assert story.rows_of("back") == [(1,), (2,), (3,)]
