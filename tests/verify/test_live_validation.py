"""VALIDATE on a real tenant: what each level finds of a flipped bit in every kind of object, and what follows from damage."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES
from holdfast.backup_format.index import decode_index
from server_rig import archive, freeze_until, running_server, wait_doing, wait_for, wait_restored
from verify.validation_rig import Ground, block_owners, put_proofs_ahead

pytestmark = pytest.mark.live

BASIC, PHYSICAL = "basic", "physical"
SET, PIECE = "BACKUPSET", "ARCHIVELOG_PIECE"
SEALED = "sealed-Secret-0815"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Set 1 full with log, 2 an increment on it, 3 full, sealed, with log; piece 1 frozen, piece 2 active, nobody writes to it."""
    place = tmp_path_factory.mktemp("backup")
    with running_server(tmp_path_factory.mktemp("cluster") / "base") as server, server.client() as client:
        client.run("CREATE TENANT source")
        archive(client, "source", place)
        rounds = "select STATUS from oceanbase.CDB_OB_ARCHIVELOG_SUMMARY order by ROUND_ID"
        pieces = "select FILE_STATUS from oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES"
        wait_for(lambda: client.rows(pieces), lambda rows: rows == [("AVAILABLE",)])
        client.run("ALTER SYSTEM NOARCHIVELOG TENANT = source")
        wait_for(lambda: client.rows(rounds), lambda rows: rows == [("STOP",)])
        client.run("ALTER SYSTEM ARCHIVELOG TENANT = source")
        wait_for(lambda: client.rows(rounds), lambda rows: rows == [("STOP",), ("DOING",)])
        sets = "select count(*) from oceanbase.CDB_OB_BACKUP_SET_FILES where STATUS = 'SUCCESS'"
        with server.client("root@source") as source:
            source.run("create table test.t(i int primary key, s longtext)")
            source.run("create table test.large(i int primary key, s longtext)")
            for number in range(8):
                source.run(f"insert into test.large values ({number}, '{os.urandom(400_000).hex()}')")
            (tenant_id,) = server.tenant_ids()[1:]
            freeze_until(source, lambda: block_owners(server, tenant_id), bool)
            for number in (1, 2, 3):
                source.run(f"insert into test.t values ({number}, repeat(md5({number}), 30000))")
                source.run("alter system minor freeze")
                with server.client() as session:
                    if number == 3:
                        session.run(f"SET ENCRYPTION ON IDENTIFIED BY '{SEALED}' ONLY")
                    kind = "INCREMENTAL TENANT = source" if number == 2 else "TENANT = source PLUS ARCHIVELOG"
                    session.run(f"ALTER SYSTEM BACKUP {kind}")
                wait_for(lambda number=number: client.one(sets), lambda count, number=number: count == number)  # type: ignore[misc]
            source.run("insert into test.t values (4, 'in the archive alone')")
        now, checkpoint = time.time_ns(), "select max(CHECKPOINT_SCN) from oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES"
        wait_for(lambda: client.one(checkpoint), lambda scn: scn > now)
        client.run("ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE = 'DEFER' TENANT = source")
        wait_for(lambda: client.rows(rounds), lambda rows: rows == [("STOP",), ("SUSPEND",)])
        yield Ground(server, client, place, tenant_id)


def test_everything_sound_is_read_once_and_proven_until_the_deadline(ground: Ground) -> None:
    first = ground.validate()
    assert (first.status, first.result, first.comment) == ("COMPLETED", 0, "")
    kinds = {
        (SET, 1, "OFF"),
        (PIECE, 1, "ON"),
        (SET, 2, "OFF"),
        (SET, 3, "OFF"),
        (PIECE, 3, "ON"),
        (PIECE, 1, "OFF"),
        (PIECE, 2, "OFF"),
    }
    assert set(first.tasks) == kinds
    assert all(status == "COMPLETED" and total == read for status, total, read, _ in first.tasks.values())
    data = sum(path.stat().st_size for path in (ground.place / "data").glob("backup_set_*/data/*"))
    read = sum(task[2] for task in first.tasks.values())
    assert read > data
    proofs = "select BACKUP_SET_ID, LAST_PHYSICAL_TIMESTAMP > now() - interval 10 minute, LAST_BASIC_TIMESTAMP, OPEN_DAMAGE_COUNT"
    assert ground.client.rows(f"{proofs} from oceanbase.CDB_OB_BACKUP_SET_PROOFS order by 1") == [
        (set_id, 1, None, 0) for set_id in (1, 2, 3)
    ]
    again = ground.validate()
    assert again.status == "COMPLETED"
    assert sum(task[2] for task in again.tasks.values()) < read / 20  # manifests, indexes and records only
    assert "objects were proven before" in again.tasks[SET, 1, "OFF"][3]
    ground.client.run("ALTER SYSTEM SET backup_validate_reread_interval = '0' TENANT = source")
    anew = ground.validate()
    ground.client.run("ALTER SYSTEM RESET backup_validate_reread_interval TENANT = source")
    assert sum(task[2] for task in anew.tasks.values()) == read
    basic = ground.validate(level=BASIC)
    assert basic.status == "COMPLETED"
    assert sum(task[2] for task in basic.tasks.values()) < read / 20
    # A clock that was a year ahead, and is right again.
    ages = "select PROOF_AGE_SECONDS between 0 and 600 from oceanbase.CDB_OB_BACKUP_SET_PROOFS"
    assert ground.client.rows(ages) == [(1,)] * 3
    put_proofs_ahead(ground.server, 365)
    assert ground.client.rows(ages) == [(None,)] * 3, "a proof ahead of the clock is none"
    assert sum(task[2] for task in ground.validate().tasks.values()) == read
    assert ground.client.rows(ages) == [(1,)] * 3


@dataclass(frozen=True, slots=True)
class Flip:
    """One bit flipped at `offset` of an object, and which task finds it. `by_basic`: whether LEVEL basic can."""

    kind: str
    path: str
    offset: int | bytes
    task: tuple[str, int, str]
    by_basic: bool
    rests: frozenset[tuple[str, int, str]] = frozenset()


ON_1 = frozenset({(SET, 2, "OFF")})
"""Set 2 rests on set 1."""
FLIPS = (
    Flip("manifest", "data/backup_set_1_full/manifest.json", 700, (SET, 1, "OFF"), True, ON_1),
    Flip("version in a manifest", "data/backup_set_3_full/manifest.json", b'"format_version": ', (SET, 3, "OFF"), True),
    Flip("index", "data/backup_set_1_full/index", 200, (SET, 1, "OFF"), True, ON_1),
    Flip("index of an increment", "data/backup_set_2_inc/index", 70, (SET, 2, "OFF"), True),
    Flip("chunk header", "data/backup_set_1_full/data/000001", 40, (SET, 1, "OFF"), False, ON_1),
    Flip("chunk body", "data/backup_set_1_full/data/000001", CHUNK_HEADER_BYTES + 50, (SET, 1, "OFF"), False, ON_1),
    Flip("sealed chunk body", "data/backup_set_3_full/data/000001", CHUNK_HEADER_BYTES + 50, (SET, 3, "OFF"), False),
    Flip("small file", "data/backup_set_2_inc/meta/account", -3, (SET, 2, "OFF"), False),
    Flip("sealed small file", "data/backup_set_3_full/meta/account", -3, (SET, 3, "OFF"), False),
    Flip("log of a set", "data/backup_set_1_full/log/piece_*/logstream_1/log/0.obarc", 5000, (PIECE, 1, "ON"), False),
    Flip(
        "piece record of a set",
        "data/backup_set_1_full/log/piece_*/single_piece_info.obarc",
        99,
        (PIECE, 1, "ON"),
        True,
    ),
    Flip("archived log", "archive/piece_*p1/logstream_1/log/0.obarc", 3000, (PIECE, 1, "OFF"), False),
    Flip("record of a frozen piece", "archive/piece_*p1/single_piece_info.obarc", 200, (PIECE, 1, "OFF"), True),
    Flip(
        "record of an active piece",
        "archive/piece_*p2/checkpoint/checkpoint_info.0.obarc",
        200,
        (PIECE, 2, "OFF"),
        True,
    ),
)


@pytest.mark.parametrize("flip", FLIPS, ids=lambda flip: flip.kind)
def test_a_flipped_bit_is_found_named_and_taken_back(ground: Ground, flip: Flip) -> None:
    """By level basic where it reads the object, by physical always; afterwards a pass over the mended object clears it."""
    (path,) = ground.place.glob(flip.path)
    ground.client.run("ALTER SYSTEM SET backup_validate_reread_interval = '0' TENANT = source")
    with ground.flipped(path, flip.offset):
        basic = ground.validate(level=BASIC)
        assert (basic.status == "FAILED") is flip.by_basic, basic
        physical = ground.validate()
        assert physical.status == "FAILED"
        assert physical.result == -4103
        assert flip.task in physical.failed
        assert physical.failed == {flip.task} | flip.rests
        damage = ground.open_damage()
        name = str(path.relative_to(ground.place)).partition("/")[2]
        assert {row[0] for row in damage} <= {name, name.partition("/single")[0], name.partition("/check")[0]}
        broken = {set_id for set_id, status in ground.file_status().items() if status == "BROKEN"}
        pieces = {piece_id for piece_id, status in ground.piece_status().items() if status == "BROKEN"}
        if path.is_relative_to(ground.place / "data"):
            assert (broken, pieces) == ({int(path.relative_to(ground.place / "data").parts[0].split("_")[2])}, set())
        else:
            assert (broken, pieces) == (set(), {flip.task[1]})
    mended = ground.validate()
    ground.client.run("ALTER SYSTEM RESET backup_validate_reread_interval TENANT = source")
    assert mended.status == "COMPLETED", mended
    assert ground.open_damage() == []
    assert set(ground.file_status().values()) | set(ground.piece_status().values()) == {"AVAILABLE"}


def test_damage_in_a_block_of_one_table_names_its_tablet(ground: Ground) -> None:
    """Sealed set, keyed head hash; the table has large rows of its own, so a block of its own."""
    owners = block_owners(ground.server, ground.tenant_id)
    for set_id in (1, 3):
        root = ground.place / "data" / f"backup_set_{set_id}_full"
        table = decode_index([(root / "index").read_bytes()]).table
        record = next(one for one in table if one.block_id in owners and one.set_id == set_id)
        path = root / "data" / f"{record.object_number:06d}"
        ground.client.run("ALTER SYSTEM SET backup_validate_reread_interval = '0' TENANT = source")
        with ground.flipped(path, record.offset + CHUNK_HEADER_BYTES + 9):
            assert ground.validate(f"BACKUPSET = '{set_id}'").status == "FAILED"
            named = ground.client.rows(
                "select BLOCK_ID, TABLET_ID from oceanbase.CDB_OB_BACKUP_DAMAGES where STATUS = 'OPEN'"
            )
        assert named == [(record.block_id, owners[record.block_id])]
        assert ground.validate(f"BACKUPSET = '{set_id}'").status == "COMPLETED"
    ground.client.run("ALTER SYSTEM RESET backup_validate_reread_interval TENANT = source")


def test_a_damaged_owner_record_ends_the_job_and_blames_no_set(ground: Ground) -> None:
    for level in (BASIC, PHYSICAL):
        with ground.flipped(ground.place / "data" / "format.obbak", 40):
            outcome = ground.validate(level=level)
        assert (outcome.status, outcome.tasks) == ("FAILED", {})
        assert "format.obbak" in outcome.comment
    assert ground.open_damage() == []


def test_a_restore_goes_round_damage_and_is_refused_with_its_words_where_it_can_not(ground: Ground) -> None:
    """Set 1 damaged: 1 and 2 are left aside, 3 is taken where it reaches; an increment on 2 becomes full and says why."""
    client = ground.client
    first, third = (
        client.one(f"select MIN_RESTORE_SCN from oceanbase.CDB_OB_BACKUP_SET_FILES where BACKUP_SET_ID = {number}")
        for number in (1, 3)
    )
    source = f"FROM 'file://{ground.place}/data,file://{ground.place}/archive'"
    data = ground.place / "data" / "backup_set_1_full" / "data" / "000001"
    ground.client.run("ALTER SYSTEM SET backup_validate_reread_interval = '0' TENANT = source")
    with ground.flipped(data, CHUNK_HEADER_BYTES + 50):
        assert ground.validate("BACKUPSET = '1'").status == "FAILED"
        number, text = client.refused(f"ALTER SYSTEM RESTORE lost {source} UNTIL SCN = {first}")
        assert number == 4018
        assert "left aside as damaged: backup_set_1_full (backup_set_1_full/data/000001 at offset 0: " in text
        assert "found 20" in text
        client.run("SET DECRYPTION IDENTIFIED BY '" + SEALED + "'")
        client.run(f"ALTER SYSTEM RESTORE back {source} UNTIL SCN = {third}")
        assert wait_restored(client, "back")[0] == "SUCCESS"
        listed = client.one(
            "select BACKUP_SET_LIST from oceanbase.CDB_OB_RESTORE_HISTORY where TENANT_ID = 1 and RESTORE_TENANT_NAME = 'back'"
        )
        assert listed.endswith("backup_set_3_full")
        client.run("DROP TENANT back")
    assert ground.validate("BACKUPSET = '1'").status == "COMPLETED"
    ground.client.run("ALTER SYSTEM RESET backup_validate_reread_interval TENANT = source")


def test_damaged_log_can_be_restored_up_to_the_damage(ground: Ground) -> None:
    """The active piece is damaged at its end: what lies before is still reachable, what lies behind is refused."""
    client = ground.client
    (log,) = ground.place.glob("archive/piece_*p2/logstream_1/log/0.obarc")
    source = f"FROM 'file://{ground.place}/data,file://{ground.place}/archive'"
    checkpoint = client.one("select max(MAX_SCN) from oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES")
    client.run("ALTER SYSTEM SET backup_validate_reread_interval = '0' TENANT = source")
    with ground.flipped(log, -20):
        assert ground.validate("ARCHIVELOG_PIECE = '2'").status == "FAILED"
        ((name, offset, _),) = ground.open_damage()
        assert name.endswith("p2/logstream_1/log/0.obarc")
        assert 0 < offset < log.stat().st_size - 20
        client.run("SET DECRYPTION IDENTIFIED BY '" + SEALED + "'")
        number, text = client.refused(f"ALTER SYSTEM RESTORE lost {source} UNTIL SCN = {checkpoint}")
        assert number == 4018
        assert "reachable: SCN" in text
        assert "left aside as damaged: piece_" in text
    assert ground.validate("ARCHIVELOG_PIECE").status == "COMPLETED"
    client.run("ALTER SYSTEM RESET backup_validate_reread_interval TENANT = source")


def test_without_its_key_a_sealed_set_is_looked_at_as_far_as_can_be_and_says_so(ground: Ground) -> None:
    """Pinned: a flipped bit in a sealed chunk's body is not found then, one in its header is; with the session's password both are."""
    (key,) = (ground.server.base / "tenants" / str(ground.tenant_id) / "keys").glob("set_3.key")
    kept = key.read_bytes()
    data = ground.place / "data" / "backup_set_3_full" / "data" / "000001"
    ground.client.run("ALTER SYSTEM SET backup_validate_reread_interval = '0' TENANT = source")
    ground.client.run("SET DECRYPTION IDENTIFIED BY 'of no set'")
    key.unlink()
    try:
        with ground.flipped(data, CHUNK_HEADER_BYTES + 50):
            blind = ground.validate("BACKUPSET = '3'")
        with ground.flipped(data, 40):
            seen = ground.validate("BACKUPSET = '3'")
        ground.client.run(f"SET DECRYPTION IDENTIFIED BY '{SEALED}'")
        with ground.flipped(data, CHUNK_HEADER_BYTES + 50):
            opened = ground.validate("BACKUPSET = '3'")
    finally:
        key.write_bytes(kept)
    assert blind.status == "COMPLETED"
    assert "does not keep the set's key" in blind.tasks[SET, 3, "OFF"][3]
    assert blind.tasks[SET, 3, "OFF"][2] < data.stat().st_size
    assert seen.failed == {(SET, 3, "OFF")}
    assert opened.failed == {(SET, 3, "OFF")}
    assert ground.validate("BACKUPSET = '3'").status == "COMPLETED"
    ground.client.run("ALTER SYSTEM RESET backup_validate_reread_interval TENANT = source")


def test_ids_paths_and_callers_choose_what_is_looked_at(ground: Ground, tmp_path: Path) -> None:
    chain = ground.validate("BACKUPSET = '2'")
    assert set(chain.tasks) == {
        (SET, 1, "OFF"),
        (PIECE, 1, "ON"),
        (SET, 2, "OFF"),
    }  # an increment is proven with its chain
    data, archived = f"file://{ground.place}/data", f"file://{ground.place}/archive"
    assert set(ground.validate(f"BACKUPSET DATA_BACKUP_DEST = '{data}/backup_set_3_full'").tasks) == {
        (SET, 3, "OFF"),
        (PIECE, 3, "ON"),
    }
    piece = next((ground.place / "archive").glob("piece_*p1")).name
    assert set(ground.validate(f"ARCHIVELOG_PIECE LOG_ARCHIVE_DEST = '{archived}/{piece}'").tasks) == {
        (PIECE, 1, "OFF")
    }
    types = (
        "select TYPE, PATH_TYPE, VALIDATE_LEVEL from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY where TENANT_ID > 1"
    )
    assert ground.client.rows(f"{types} order by JOB_ID desc limit 2") == [
        (PIECE, "ARCHIVELOG_PIECE_DEST", PHYSICAL),
        (SET, "BACKUP_SET_DEST", PHYSICAL),
    ]
    unknown = ground.validate("BACKUPSET = '1,9'")
    assert (unknown.status, unknown.result, unknown.comment) == ("FAILED", -4018, "some specified backup set not found")
    # A copy elsewhere is judged by itself: nothing that is found there is told of the original.
    copy = tmp_path / "copy"
    shutil.copytree(ground.place / "data", copy)
    with ground.flipped(copy / "backup_set_3_full" / "data" / "000001", 40):
        damaged = ground.validate(f"BACKUPSET DATA_BACKUP_DEST = 'file://{copy}'")
    assert damaged.failed == {(SET, 3, "OFF")}
    assert (ground.open_damage(), ground.file_status()[3]) == ([], "AVAILABLE")
    with ground.server.client("root@source") as own:
        own.run("ALTER SYSTEM VALIDATE BACKUPSET = '2' LEVEL 'basic' DESCRIPTION = 'mine'")
        jobs = "select STATUS, DESCRIPTION, INITIATOR_JOB_ID from oceanbase.DBA_OB_BACKUP_VALIDATE_JOB_HISTORY"
        wait_for(
            lambda: own.rows(f"{jobs} where DESCRIPTION = 'mine'"), lambda rows: rows == [("COMPLETED", "mine", 0)]
        )


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("BACKUP LEVEL = 'deep' TENANT = source", "set validate level"),
        ("BACKUPSET = '1,x' TENANT = source", "check set/piece ids string"),
        ("BACKUPSET = '0' TENANT = source", "check set/piece ids string"),
        (f"BACKUPSET = '{'1,' * 255}11' TENANT = source", "check set/piece ids string"),
        ("BACKUP = '1' TENANT = source", "validate database with set set or piece ids"),
        (
            "BACKUPSET LOG_ARCHIVE_DEST = 'file:///x' TENANT = source",
            "only validate type archivelog_piece can set log_archive_dest",
        ),
        (
            "ARCHIVELOG_PIECE DATA_BACKUP_DEST = 'file:///x' TENANT = source",
            "only validate type backupset can set data_backup_dest",
        ),
        (
            "BACKUPSET DATA_BACKUP_DEST = 'file:///x'",
            "validate data for a specified path: A unique user tenant must also be specified.",
        ),
        ("BACKUPSET DATA_BACKUP_DEST = 'file://{empty}' TENANT = source", "validate: empty directory"),
        (
            "BACKUPSET DATA_BACKUP_DEST = 'file://{place}' TENANT = source",
            "validate: missing format file and metadata file to identify the path type.",
        ),
        ("BACKUP TENANT = bare", "validate: tenant has not set backup dest or archive dest"),
    ],
)
def test_what_can_be_refused_is_refused_at_once(ground: Ground, tmp_path: Path, statement: str, text: str) -> None:
    if statement.endswith("bare"):
        ground.client.run("CREATE TENANT bare")
    statement = statement.replace("{empty}", str(tmp_path)).replace("{place}", str(ground.place))
    number, said = ground.client.refused(f"ALTER SYSTEM VALIDATE {statement}")
    assert number == 1210
    assert said.startswith(f"Incorrect arguments to {text}")


def test_a_validation_of_everybody_names_whom_it_leaves_out(ground: Ground) -> None:
    client = ground.client
    client.run("CREATE TENANT IF NOT EXISTS bare")
    client.run("ALTER SYSTEM VALIDATE BACKUP LEVEL = 'basic' DESCRIPTION = 'of all'")
    ((level, number, said),) = client.rows("show warnings")
    assert (level, number, said.startswith("tenant bare: ")) == ("Warning", 1210, True)
    of_sys = "select COMMENT from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY where TENANT_ID = 1 and DESCRIPTION = 'of all'"
    ((comment,),) = wait_for(lambda: client.rows(of_sys), bool)
    assert "not all tenants, 1 left out: bare (" in comment


def test_a_validation_is_cancelled_at_once_and_outlives_a_killed_server(ground: Ground) -> None:
    """Slowed down by the tenant's bandwidth; progress is told meanwhile, and only the second of two at once is refused."""
    client = ground.client
    for name, value in (("backup_validate_reread_interval", "0"), ("backup_bandwidth_limit", "200K")):
        client.run(f"ALTER SYSTEM SET {name} = '{value}' TENANT = source")
    doing = "select VALIDATED_BYTES, TOTAL_BYTES from oceanbase.CDB_OB_BACKUP_VALIDATE_TASKS where STATUS = 'DOING'"
    client.run("ALTER SYSTEM VALIDATE BACKUPSET TENANT = source")
    ((read, total),) = wait_for(lambda: client.rows(doing), lambda rows: bool(rows) and rows[0][1] > 0)
    assert 0 <= read < total
    number, text = client.refused("ALTER SYSTEM VALIDATE BACKUP TENANT = source")
    assert (number, text.split(" (")[0]) == (
        1235,
        "creating new backup validate job when other validate jobs exist not supported",
    )
    began = time.monotonic()
    client.run("ALTER SYSTEM CANCEL VALIDATE BACKUP TENANT = source")
    assert time.monotonic() - began < 10  # 2 s are promised, on a machine without other work
    cancelled = ground.ended()
    assert (cancelled.status, cancelled.result) == ("CANCELED", -4072)
    assert {task[0] for task in cancelled.tasks.values()} <= {"COMPLETED", "CANCELED"}
    client.run("ALTER SYSTEM VALIDATE BACKUPSET TENANT = source")
    wait_for(lambda: client.rows(doing), lambda rows: bool(rows) and rows[0][1] > 0)
    ground.server.kill()
    ground.server.start()
    with ground.server.client() as after:
        after.run("ALTER SYSTEM RESET backup_bandwidth_limit TENANT = source")
        after.run("ALTER SYSTEM RESET backup_validate_reread_interval TENANT = source")
        resumed = Ground(ground.server, after, ground.place, ground.tenant_id).ended()
        retries = after.one("select max(RETRY_COUNT) from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY")
    assert (resumed.status, retries) == ("COMPLETED", 1)


def test_an_increment_does_not_rest_on_damage(ground: Ground) -> None:
    """Last of all: it makes another set. The job becomes full, and its COMMENT names the damage."""
    with ground.server.client() as client:
        here = Ground(ground.server, client, ground.place, ground.tenant_id)
        client.run("ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE = 'ENABLE' TENANT = source")
        with here.flipped(ground.place / "data" / "backup_set_3_full" / "index", 70):
            assert here.validate("BACKUPSET = '3'", BASIC).status == "FAILED"
            wait_doing(client, "source")
            client.run(f"SET ENCRYPTION ON IDENTIFIED BY '{SEALED}' ONLY")  # as set 3, or it would be refused
            client.run("ALTER SYSTEM BACKUP INCREMENTAL TENANT = source")
            job = "select BACKUP_TYPE, STATUS, COMMENT from oceanbase.CDB_OB_BACKUP_SET_FILES where BACKUP_SET_ID = 4"
            kind, status, comment = wait_for(
                lambda: client.rows(job), lambda rows: bool(rows) and rows[0][1] != "DOING"
            )[0]
        assert (kind, status) == ("FULL", "SUCCESS")
        # Log that grew is read from where it was proven on, not from its beginning.
        grown = here.validate("ARCHIVELOG_PIECE = '2'")
        archived = next(ground.place.glob("archive/piece_*p2/logstream_1/log/0.obarc")).stat().st_size
        assert grown.status == "COMPLETED"
        assert 0 < grown.tasks[PIECE, 2, "OFF"][2] < archived - 500_000
        assert "backup set 3 is damaged: backup_set_3_full/index: " in comment
        assert "found 20" in comment
