"""A tenant whose backups and archive are sealed, from its first backup to its restore on an empty machine.

One server lives through all of it, in the order of the file: each test goes on where the one before ended.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from holdfast.backup_format import names
from holdfast.backup_format.key_record import decode_key_record
from holdfast.backup_format.log_frame import FRAME_HEADER_BYTES, FrameOpener, FrameSealer, scan_frames
from holdfast.destination.facts import Source, archived_pieces
from holdfast.destination.pieces import log_keys
from holdfast.jobs.directories import ClusterDirectory
from holdfast.keys.masters import Masters
from holdfast.keys.vault import opened_by
from holdfast.store.open import open_store
from holdfast.values.destination import DestinationKind, parse_uri
from server_rig import Client, Server, archive, backup, running_server, wait_archived, wait_for, wait_restored

pytestmark = pytest.mark.live

NEEDLE = random.Random(10).randbytes(48)
"""What must not be found. A text would not be found in the clear either: it is compressed. Random bytes lie there as they are."""
MODE = "TRANSPARENT_ENCRYPTION"
KINDS = ("data", "archive")
VARIABLE = "HOLDFAST_TEST_BACKUP_KEY"
_SETS = "select BACKUP_TYPE, ENCRYPTION_MODE, STATUS from oceanbase.CDB_OB_BACKUP_SET_FILES order by BACKUP_SET_ID"
_JOBS = "select STATUS, RESULT, COMMENT from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID > 1 order by JOB_ID"
_PIECES = "select distinct ENCRYPTION_MODE from oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES"
_KEY_COMMENT = "select KEY_COMMENT from oceanbase.CDB_OB_TENANT_HEALTH where TENANT_ID = 1002"
_ROUND = "select STATUS, COMMENT from oceanbase.CDB_OB_ARCHIVELOG"


@dataclass
class Life:
    """`old`, `new`: key files. `secrets`: of other kinds of source. `rows`: what the tenant holds."""

    server: Server
    place: Path
    old: Path
    new: Path
    secrets: dict[str, str]
    rows: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def sources(self) -> str:
        return _at(self.place)

    def grow(self) -> int:
        """Insert a row and return an SCN behind it."""
        number = len(self.rows) + 1
        self.rows.append((number, os.urandom(20_000) + NEEDLE + os.urandom(20_000)))
        with self.server.client("root@shop") as shop:
            shop.run("insert into test.t values (%s, %s)", self.rows[-1])
            return int(shop.one("select current_scn()"))

    def backup(self, client: Client, what: str = "") -> tuple[object, ...]:
        """Take a backup and return the new set's row."""
        with self.server.client() as sys_client:
            before = len(sys_client.rows(_JOBS))
            client.run(f"ALTER SYSTEM BACKUP {what}")
            job = wait_for(lambda: sys_client.rows(_JOBS), lambda rows: len(rows) > before)[-1]
            assert job[:2] == ("COMPLETED", 0), job
            return tuple(sys_client.rows(_SETS)[-1])

    def bytes_in_the_clear(self) -> bool:
        """Return whether a row's bytes can be read in the archive's log once it is opened, compressed as in an archive in the clear."""
        vault = ClusterDirectory(self.server.base).vault(1002).read()
        assert vault is not None
        masters = Masters({master.key_id: master.secret for master in vault.masters})
        store = open_store(parse_uri(f"file://{self.place}/archive"))
        (piece,) = archived_pieces(Source(store=store, kind=DestinationKind.ARCHIVE_LOG, masters=masters))
        opener, sealer = FrameOpener(key=log_keys(piece, masters)), FrameSealer()
        for item in piece.objects:
            with store.reader(item.name) as reader:
                for found in scan_frames(reader.read, item.size_bytes, durable_size_bytes=item.size_bytes).frames:
                    stored = reader.read(found.offset + FRAME_HEADER_BYTES, found.header.stored_size_bytes)
                    sealed = sealer.seal(found.header.frame, opener.open(found.header, stored))
                    if NEEDLE in bytes(sealed.body):
                        return True
        return False

    def bytes_found(self) -> list[Path]:
        """Return the objects of the destinations in which a row's bytes can be read."""
        return [path for path in self.place.rglob("*") if path.is_file() and NEEDLE in path.read_bytes()]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    place = tmp_path_factory.mktemp("sealed")
    secrets = {"env": os.urandom(32).hex(), "password": "a tenant s own"}
    old, new = place / "old.key", place / "new.key"
    for path in (old, new, place / "there" / "of_command.key"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(os.urandom(32).hex() + "\n")
        path.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, secrets["env"])
        with running_server(place / "base") as server:
            with server.client() as client:
                client.run("CREATE TENANT shop")
            yield Life(server, place / "there", old, new, secrets)


def test_the_key_of_the_host_is_set_by_sys_alone(life: Life) -> None:
    with life.server.client() as client, life.server.client("root@shop") as shop:
        for text in (f"file:{life.old}", "env:KEY", "command:/bin/cat /etc/passwd"):
            assert shop.refused(f"ALTER SYSTEM SET backup_encryption = '{text}'")[0] == 1227
        assert client.refused(f"ALTER SYSTEM SET backup_encryption = 'file:{life.place}/none' TENANT = shop")[0] == 9047
        number, text = client.refused("ALTER SYSTEM SET backup_encryption = 'hush-hush' TENANT = shop")
        assert (number, "hush" in text) == (1210, False)
        assert client.refused(f"ALTER SYSTEM SET backup_encryption = 'file:{life.old}'")[0] == 1235
        shop.run(f"ALTER SYSTEM SET backup_encryption = 'password' IDENTIFIED BY '{life.secrets['password']}'")
        client.run(f"ALTER SYSTEM SET backup_encryption = 'file:{life.old}' TENANT = shop")
        assert shop.refused("ALTER SYSTEM SET backup_encryption = 'NONE'")[0] == 1227
        shown = "select VALUE from oceanbase.GV$OB_PARAMETERS where NAME = 'backup_encryption' and TENANT_ID = 1002"
        assert client.one(shown) == f"file:{life.old}"
        for view in ("GV$OB_PARAMETERS", "V$OB_PARAMETERS"):
            assert shop.one(f"select VALUE from oceanbase.{view} where NAME = 'backup_encryption'") == "file"
        (row,) = shop.rows("SHOW PARAMETERS LIKE 'backup_encryption'")
        assert ("file" in row, str(life.old) in repr(row)) == (True, False)
        assert shop.rows("SHOW PARAMETERS WHERE value LIKE 'file:%'") == []
        assert len(client.rows(f"SHOW PARAMETERS WHERE value LIKE 'file:{life.old}' TENANT = shop")) == 1


def test_every_backup_is_sealed_whoever_takes_it(life: Life) -> None:
    with life.server.client() as client, life.server.client("root@shop") as shop:
        archive(client, "shop", life.place)
        shop.run("create table test.t(i int primary key, s varbinary(60000))")
        life.grow()
        shop.run("alter system minor freeze")
        assert life.backup(client, "TENANT = shop") == ("FULL", MODE, "SUCCESS")
        life.grow()
        shop.run("alter system minor freeze")
        assert life.backup(shop, "INCREMENTAL DATABASE PLUS ARCHIVELOG") == ("INC", MODE, "SUCCESS")
        life.grow()
        # It comes within a minute, and is looked at below.
        client.run("ALTER SYSTEM SET backup_incremental_schedule = '* * * * *' TENANT = shop")
        assert client.rows(_PIECES) == [(MODE,)]
    assert life.bytes_in_the_clear(), "what is looked for can be found where it is not sealed"


def test_a_killed_server_goes_on_with_the_piece(life: Life) -> None:
    life.server.kill()
    life.server.start()
    with life.server.client() as client:
        wait_archived(client, life.grow())
        assert client.rows(_PIECES) == [(MODE,)]
        assert life.bytes_found() == []


def test_validation_and_drill_read_it(life: Life) -> None:
    history = "select STATUS, RESULT, COMMENT from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY where TENANT_ID > 1"
    with life.server.client() as client:
        for number, level in enumerate(("physical", "restore"), 1):
            client.run(f"ALTER SYSTEM VALIDATE BACKUP LEVEL = '{level}' TENANT = shop")
            rows = wait_for(lambda: client.rows(history), lambda rows, number=number: len(rows) == number)
            assert [row[:2] for row in rows] == [("COMPLETED", 0)] * number, rows
        tasks = "select COMMENT from oceanbase.CDB_OB_BACKUP_VALIDATE_TASK_HISTORY where TENANT_ID > 1"
        assert [row for row in client.rows(tasks) if "key" in (row[0] or "")] == [], "it looked into everything"
        assert client.rows("select RESULT from oceanbase.CDB_OB_RESTORE_DRILLS") == [("PASSED",)]


def test_so_are_scheduled_backups(life: Life) -> None:
    with life.server.client() as client:
        wait_for(lambda: client.rows(_SETS), lambda rows: len(rows) > 2 and rows[2][2] == "SUCCESS", seconds=120)
        client.run("ALTER SYSTEM SET backup_incremental_schedule = '' TENANT = shop")
        wait_for(lambda: client.rows("select 1 from oceanbase.CDB_OB_BACKUP_JOBS"), lambda rows: not rows)
        assert set(client.rows(_SETS)[2:]) == {("INC", MODE, "SUCCESS")}


def test_rotation_wraps_the_keys_anew_and_touches_nothing_else(life: Life) -> None:
    with life.server.client() as client:
        client.run(f"ALTER SYSTEM RESTORE behind FROM {life.sources}")
        assert wait_restored(client, "behind") == ("SUCCESS", "")
        client.run("ALTER SYSTEM RECOVER STANDBY TENANT = behind UNTIL UNLIMITED")
        manifest = life.place / "data" / "backup_set_1_full" / "manifest.json"
        before = manifest.read_bytes()
        client.run(f"ALTER SYSTEM SET backup_encryption = 'file:{life.new}' TENANT = shop")
        assert manifest.read_bytes() == before
        for kind in KINDS:
            record = decode_key_record((life.place / kind / names.KEYS_FILE).read_bytes())
            opened = opened_by(record, life.new.read_bytes().strip(), name=kind)
            assert len(opened) == len(record.keys) == 3, "the password's, the old file's, the new one's"
            assert opened_by(record, life.old.read_bytes().strip(), name=kind) == ()
        wait_archived(client, life.grow())


def test_a_standby_follows_through_the_rotation(life: Life) -> None:
    count = "select count(*) from test.t"

    def held() -> int:
        with life.server.client("root@behind") as behind:
            return int(behind.one(count))

    assert wait_for(held, lambda found: found == len(life.rows)) == len(life.rows)
    with life.server.client() as client:
        client.run("DROP TENANT behind FORCE")


def test_a_lost_key_is_said_at_once_and_nothing_is_put_in_the_clear(life: Life) -> None:
    hidden = life.new.with_suffix(".hidden")
    life.new.rename(hidden)
    with life.server.client() as client:
        assert "No such file" in wait_for(lambda: client.one(_KEY_COMMENT), bool, seconds=15)
        number, text = client.refused("ALTER SYSTEM BACKUP TENANT = shop")
        assert (number, "no backup key" in text) == (9047, True)
        with life.server.client("root@shop") as shop:
            number, text = shop.refused("ALTER SYSTEM BACKUP DATABASE")
            seen = shop.rows("select KEY_COMMENT from oceanbase.DBA_OB_TENANT_HEALTH")
        assert (number, str(life.place.parent) in text + repr(seen)) == (9047, False), (
            "the host is not the tenant's business"
        )
        life.grow()
        status, comment = wait_for(lambda: client.rows(_ROUND), lambda rows: bool(rows[0][1]))[0]
        assert (status, comment.startswith("waiting: no backup key")) == ("DOING", True)
        checked = subprocess.run(
            [sys.executable, "-m", "holdfast", "check", "--port", str(life.server.port), "--json"],
            check=False,
            capture_output=True,
            text=True,
        )
        rules = {one["rule"] for one in json.loads(checked.stdout)["findings"]}
        assert "key-lost" in rules
        hidden.rename(life.new)
        wait_for(lambda: client.one(_KEY_COMMENT), lambda said: not said, seconds=15)
        wait_archived(client, life.grow())
        assert life.backup(client, "INCREMENTAL TENANT = shop") == ("INC", MODE, "SUCCESS")
    assert life.bytes_found() == []


def test_a_table_comes_back_out_of_it(life: Life) -> None:
    with life.server.client() as client, life.server.client("root@shop") as shop:
        client.run(f"ALTER SYSTEM RECOVER TABLE test.t TO TENANT shop FROM {life.sources} REMAP TABLE test.t:back")
        history = "select STATUS, RESULT, COMMENT from oceanbase.CDB_OB_RECOVER_TABLE_JOB_HISTORY"
        assert wait_for(lambda: client.rows(history), bool)[0] == ("COMPLETED", "SUCCESS", "")
        assert shop.rows("select i, s from test.back order by i") == life.rows
        shop.run("drop table test.back")


def test_a_session_s_password_counts_for_its_sets(life: Life) -> None:
    """ONLY says so. The archive stays sealed with the tenant's key, which alone opens what the tenant's own increments make next."""
    with life.server.client() as client:
        client.run("SET ENCRYPTION ON IDENTIFIED BY 'of this session' ONLY")
        assert life.backup(client, "TENANT = shop") == ("FULL", "PASSWORD", "SUCCESS")
    with life.server.client() as client:
        newest = client.one("select max(BACKUP_SET_ID) from oceanbase.CDB_OB_BACKUP_SET_FILES")
        end = life.grow()
        wait_archived(client, end)
        previews = _previews(client, f"{life.sources} UNTIL SCN = {end}", f"'file:{life.new}'")
        (chosen, named), (taken, unnamed) = previews
        locked = f"backup_set_{newest}_full"
        assert (locked in chosen, locked in taken) == (False, True), "the key opens an older set, and the log since"
        assert f"{locked} is left aside: it needs the password" in named
        assert ("would be refused" in named, "would be refused" in unnamed) == (False, True)
        assert life.backup(client, "INCREMENTAL TENANT = shop") == ("FULL", MODE, "SUCCESS")
        comment = (
            "select COMMENT from oceanbase.CDB_OB_BACKUP_TASK_HISTORY where TENANT_ID > 1 order by TASK_ID desc limit 1"
        )
        assert "is sealed with a session's password" in client.one(comment)
        wait_archived(client, life.grow())
        assert life.backup(client, "INCREMENTAL TENANT = shop") == ("INC", MODE, "SUCCESS")
    assert life.bytes_found() == []


def test_no_key_stands_anywhere(life: Life) -> None:
    """Not in a log, a view's row on the disk, an object or a command line; the vault alone holds what the server needs."""
    secrets = [life.old.read_text().strip(), life.new.read_text().strip(), life.secrets["password"], "of this session"]
    for secret in secrets:
        places = (life.server.base, life.place, life.server.log)
        found = subprocess.run(
            ["grep", "-rlaF", secret, *map(str, places)], check=False, capture_output=True, text=True
        )
        assert found.stdout == "", secret
    listed = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    assert not [secret for secret in secrets if secret in listed.replace("grep", "")]


def test_it_comes_back_on_an_empty_machine_with_what_the_source_names_alone(
    life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For each kind of source: what was sealed under all the others before opens with it, and with nothing else. Its last log lies in
    the clear, because it was switched off; a restore says so."""
    monkeypatch.setenv(VARIABLE, life.secrets["env"])
    with life.server.client() as client:
        client.run("ALTER SYSTEM SET backup_encryption = 'NONE' TENANT = shop")
        assert backup(client, "shop")[0] == "COMPLETED"
        newest = client.one("select max(BACKUP_SET_ID) from oceanbase.CDB_OB_BACKUP_SET_FILES")
        in_the_clear = f"backup_set_{newest}_full"
        end = life.grow()
        wait_archived(client, end)
    there = tmp_path / "there"
    for kind in KINDS:
        shutil.copytree(life.place / kind, there / kind)
    sources = {
        "file": f"'file:{life.new}'",
        "env": f"'env:{VARIABLE}'",
        "command": f"'command:/bin/cat {life.place}/of_command.key'",
        "password": f"'password' IDENTIFIED BY '{life.secrets['password']}'",
    }
    with life.server.client() as client:
        for name, source in sources.items():
            client.run(f"ALTER SYSTEM SET backup_encryption = {source} TENANT = shop")
            # Nothing but the key object is another one.
            for kind in KINDS:
                shutil.copytree(there / kind, tmp_path / name / kind, copy_function=os.link)
                (tmp_path / name / kind / names.KEYS_FILE).unlink()
                shutil.copy(life.place / kind / names.KEYS_FILE, tmp_path / name / kind)
            if name != "command":
                shutil.rmtree(tmp_path / name / "data" / in_the_clear)
                for told in (tmp_path / name / "data" / "backup_sets").glob(f"{in_the_clear}*"):
                    told.unlink()
    with running_server(tmp_path / "other") as server:
        with server.client() as client:
            client.run("SET DECRYPTION IDENTIFIED BY 'of this session'")
            restore = f"ALTER SYSTEM RESTORE of_file FROM {_at(tmp_path / 'file')}"
            for key in ("", f"WITH KEY FROM 'file:{life.old}'", f"WITH KEY FROM 'file:{tmp_path}/none'"):
                assert client.refused(f"{restore} {key}")[0] == 9047
            assert client.rows("select * from oceanbase.CDB_OB_RESTORE_PROGRESS") == []
            client.run(f"{restore} WITH KEY FROM {sources['file']}")
            warnings = [row[2] for row in client.rows("show warnings")]
            for told in ("are not: ALTER SYSTEM SET backup_encryption", "holds log in the clear behind a sealed set"):
                assert [one for one in warnings if told in one], told
        server.kill()
        server.start()
        with server.client() as client:
            client.run("SET DECRYPTION IDENTIFIED BY 'of this session'")
            previews = _previews(client, f"{_at(tmp_path / 'command')} UNTIL SCN = {end}", sources["command"])
            (chosen, named), (taken, unnamed) = previews
            assert (in_the_clear in chosen, in_the_clear in taken) == (False, True), (
                "as the restore chooses, with the key and without"
            )
            assert f"{in_the_clear} is left aside" in named
            assert ("would be refused" in named, "would be refused" in unnamed) == (False, True)
            for name in ("env", "command"):
                restore = f"ALTER SYSTEM RESTORE of_{name} FROM {_at(tmp_path / name)}"
                assert client.refused(f"{restore} WITH KEY FROM {sources['file']}")[0] == 9047
                client.run(f"{restore} WITH KEY FROM {sources[name]}")
            restore = f"ALTER SYSTEM RESTORE of_password FROM {_at(tmp_path / 'password')}"
            assert client.refused(restore)[0] == 9047
            client.run(f"SET DECRYPTION IDENTIFIED BY 'of this session', '{life.secrets['password']}'")
            client.run(restore)
            for name in sources:
                assert wait_restored(client, f"of_{name}") == ("SUCCESS", "")
                # Who names the key gets no set that somebody without it can have made the newest.
                sets = "select BACKUP_SET_LIST from oceanbase.CDB_OB_RESTORE_HISTORY where RESTORE_TENANT_NAME = %s limit 1"
                assert in_the_clear not in client.one(sets, (f"of_{name}",)), name
                with server.client(f"root@of_{name}") as back:
                    assert back.rows("select i, s from test.t order by i") == life.rows, name
            shown = "select distinct VALUE from oceanbase.GV$OB_PARAMETERS where NAME = 'backup_encryption'"
            assert client.rows(shown) == [("NONE",)], "a restored tenant has no key of its own until it is given one"


def _previews(client: Client, what: str, key: str) -> list[tuple[str, str]]:
    """Return what SHOW RESTORE PREVIEW lists and warns of, as texts, with the key named and without."""
    found = []
    for named in (f"WITH KEY FROM {key}", ""):
        client.run(f"ALTER SYSTEM RESTORE FROM {what} {named} PREVIEW")
        rows = client.rows("SHOW RESTORE PREVIEW")
        found.append((repr(rows), repr(client.rows("show warnings"))))
    return found


def _at(place: Path) -> str:
    return f"'file://{place}/data,file://{place}/archive'"
