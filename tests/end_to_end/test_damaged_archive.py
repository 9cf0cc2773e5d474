"""An archive whose newest log object was cut while the server was down: what does not need it goes on, and the way out is named."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.backup_format.log_frame import scan_frames
from server_rig import Client, archive, backup, restore, running_server, wait_archived, wait_doing, wait_for

pytestmark = pytest.mark.live

WINDOWS = (
    "select STATUS, START_SCN, END_SCN, BACKUP_SET_IDS, CAUSE, REMEDY from oceanbase.CDB_OB_RESTORABLE_WINDOWS"
    " order by SPAN_ID"
)
PREVIEW = "ALTER SYSTEM DELETE OBSOLETE BACKUP PREVIEW TENANT = t"


class Story:
    """`first`, `lost`, `later`: moments before the cut, behind it, and of the set that was made after it."""

    def __init__(self, place: Path, client: Client, port: int) -> None:
        self.place = place
        self.port = port
        self.client = client
        self.first = self.lost = self.later = 0

    def rows_of(self, name: str) -> list[tuple[int, ...]]:
        with Client(self.port, f"root@{name}") as client:
            return client.rows("select i from test.t order by i")


def write(client: Client, number: int, text: str = "x") -> int:
    client.run("insert into test.t values (%s, %s)", (number, text))
    return int(client.one("select max(ora_rowscn) from test.t"))


def frame_end(log: Path, scn: int) -> int:
    """Return the offset behind the frame that holds the moment: how much log comes into one depends on how busy the machine is."""
    octets = log.read_bytes()
    scan = scan_frames(
        lambda offset, size: octets[offset : offset + size], len(octets), durable_size_bytes=len(octets), name=log.name
    )
    return next(found.end_offset for found in scan.frames if found.header.frame.end_position.scn >= scn)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    root = tmp_path_factory.mktemp("cut")
    place = root / "place"
    with running_server(root / "base") as server:
        with server.client() as client:
            client.run("CREATE TENANT t")
            archive(client, "t", place)
            with server.client("root@t") as t:
                t.run("create table test.t (i int primary key, s longtext)")
                write(t, 1)
                assert backup(client, "t")[0] == "COMPLETED"
                first = write(t, 2)
                wait_archived(client, first)
                lost = 0
                for number in range(3, 23):
                    lost = write(t, number, str(number) * 1_000)
                wait_archived(client, lost)
        server.stop()
        (log,) = place.glob("archive/piece_*/logstream_1/log/*.obarc")
        os.truncate(log, (frame_end(log, first) + frame_end(log, lost)) // 2)
        server.start()
        client = server.client()
        found = Story(place, client, server.port)
        found.first, found.lost = first, lost
        state = "select STATUS from oceanbase.CDB_OB_ARCHIVELOG"
        wait_for(lambda: client.one(state), lambda status: status == "INTERRUPTED")
        client.run("ALTER SYSTEM NOARCHIVELOG TENANT = t")
        wait_for(lambda: client.rows(state), lambda rows: not rows or rows[0][0] == "STOP")
        client.run("ALTER SYSTEM ARCHIVELOG TENANT = t")
        wait_doing(client, "t")
        assert backup(client, "t")[0] == "COMPLETED"
        with server.client("root@t") as t:
            found.later = write(t, 100)
        wait_archived(client, found.later)
        yield found
        client.close()


def test_moments_that_need_only_the_new_set_and_piece_restore(story: Story) -> None:
    assert restore(story.client, "new", story.place, f"UNTIL SCN = {story.later}")[0] == "SUCCESS"
    assert story.rows_of("new")[-1] == (100,)
    story.client.run("DROP TENANT new FORCE")


def test_moments_before_the_cut_restore_from_what_is_left(story: Story) -> None:
    assert restore(story.client, "old", story.place, f"UNTIL SCN = {story.first}")[0] == "SUCCESS"
    assert story.rows_of("old") == [(1,), (2,)]
    story.client.run("DROP TENANT old FORCE")


def test_what_was_behind_the_cut_comes_from_the_next_round_where_that_holds_it(story: Story) -> None:
    """The new round begins at a log block's start, behind the cut: its chain there is the old one's, so the path goes over."""
    assert restore(story.client, "over", story.place, f"UNTIL SCN = {story.lost}")[0] == "SUCCESS"
    assert [row[0] for row in story.rows_of("over")] == list(range(1, 23))
    pieces = story.client.one(
        "select BACKUP_PIECE_LIST from oceanbase.CDB_OB_RESTORE_HISTORY where TENANT_ID = 1 and RESTORE_TENANT_NAME = 'over'"
    )
    assert [name[-4:] for name in pieces.split(",")] == ["r1p1", "r2p2"]
    story.client.run("DROP TENANT over FORCE")


def test_the_window_view_shows_what_is_left_and_names_the_damage_and_the_way_out(story: Story) -> None:
    rows = story.client.rows(WINDOWS)
    assert [row[0] for row in rows] == ["REACHABLE", "DAMAGED"], rows
    (_, begin, end, sets, *_), (*_, cause, remedy) = rows
    assert begin <= story.first < story.lost < story.later <= end
    assert sets == "1,2"
    assert ".obarc has " in cause
    assert "its record promises" in cause
    assert "from a copy" in remedy


def test_cleanup_stops_at_damage_it_meets_and_goes_by_what_is_left_once_it_is_on_record(story: Story) -> None:
    """Set 1 and its cut piece stay while a moment of the window needs them."""
    client = story.client
    client.run("ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = '1d' TENANT = t")

    def verdicts() -> dict[tuple[str, int | None], tuple[str, str]]:
        return {(row[1], row[2]): (row[4], row[5]) for row in client.rows(PREVIEW)}

    refused = verdicts()["CLEANUP", None]
    assert refused[0] == "REFUSED"
    assert "nothing is removed while something can not be read: archive piece 1: " in refused[1]
    assert "VALIDATE" in refused[1]
    client.run("ALTER SYSTEM VALIDATE ARCHIVELOG_PIECE = '1' LEVEL = 'basic' TENANT = t")
    status = "select FILE_STATUS from oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES where PIECE_ID = 1"
    wait_for(lambda: client.one(status), lambda found: found == "BROKEN")
    kept = verdicts()
    assert {kept["BACKUP SET", 1][0], kept["BACKUP SET", 2][0], kept["BACKUP PIECE", 1][0]} == {"KEEP"}
    client.run("ALTER SYSTEM DROP DELETE BACKUP POLICY = 'default' TENANT = t")
    client.run("ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = '1s' TENANT = t")
    wait_for(verdicts, lambda found: found["BACKUP SET", 1][0] == "DELETE")
    assert verdicts()["BACKUP SET", 2][0] == "KEEP"
    client.run("ALTER SYSTEM DELETE OBSOLETE BACKUP TENANT = t")
    history = "select STATUS, RESULT, COMMENT from oceanbase.CDB_OB_BACKUP_DELETE_JOB_HISTORY where TENANT_ID > 1"
    jobs = wait_for(lambda: client.rows(history), bool)
    assert jobs[-1][0] == "COMPLETED", jobs
    sets = "select FILE_STATUS from oceanbase.CDB_OB_BACKUP_SET_FILES order by BACKUP_SET_ID"
    wait_for(lambda: client.rows(sets), lambda rows: rows == [("DELETED",), ("AVAILABLE",)])
    (row,) = (row for row in client.rows(WINDOWS) if row[0] == "REACHABLE")
    assert row[1] <= story.later <= row[2]
    assert row[3] == "2"


def test_a_backup_whose_log_is_lost_fails_and_its_hint_is_a_way_out(story: Story) -> None:
    """The engine's checkpoint is older than the loss, so every backup needs the log that is gone, until a new round holds it."""
    client = story.client
    folder = "archive/piece_d*r2p*/logstream_1/log"
    with Client(story.port, "root@t") as t:
        t.run("create table test.much (i int primary key, s longtext)")
        for number in range(10):
            t.run("insert into test.much values (%s, repeat(md5(%s), 250000))", (number, number))
        wait_for(lambda: len(list(story.place.glob(f"{folder}/*.obarc"))), lambda count: count > 1)
        end = int(t.one("select max(ora_rowscn) from test.much"))
    wait_archived(client, end)
    lost = sorted(story.place.glob(f"{folder}/*.obarc"), key=lambda path: int(path.stem))[-2]
    lost.unlink()
    status, result, _ = backup(client, "t")
    assert (status, result) == ("FAILED", -9064)
    comment = client.rows(
        "select COMMENT from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID > 1 order by JOB_ID"
    )[-1][0]
    assert f"{lost.name} is not there" in comment
    assert "NOARCHIVELOG" in comment
    made = client.rows("select STATUS, FILE_STATUS from oceanbase.CDB_OB_BACKUP_SET_FILES order by BACKUP_SET_ID")[-1]
    assert made == ("FAILED", "INCOMPLETE")
    client.run("ALTER SYSTEM NOARCHIVELOG TENANT = t")
    state = "select STATUS from oceanbase.CDB_OB_ARCHIVELOG"
    wait_for(lambda: client.rows(state), lambda rows: not rows or rows[0][0] == "STOP")
    client.run("ALTER SYSTEM ARCHIVELOG TENANT = t")
    wait_doing(client, "t")
    assert backup(client, "t")[0] == "COMPLETED"
    (newest,) = (row for row in client.rows(WINDOWS) if row[0] == "REACHABLE" and row[3].endswith("4"))
    assert newest[1] <= newest[2]
