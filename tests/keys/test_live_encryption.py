"""Passwords through the whole server: what is sealed, who opens it, and what shows nowhere."""

import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast.backup_format import names
from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES
from holdfast.backup_format.log_frame import FRAME_HEADER_BYTES
from holdfast.catalog.backups import PASSWD_SHOWN
from holdfast.destination.facts import open_sources, read_facts
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.version import installed
from holdfast.errors import CorruptionError, HoldfastError
from holdfast.jobs.directories import ClusterDirectory
from holdfast.keys.password import Passwords
from holdfast.restore.plan import plan_restore
from holdfast.restore.run import Progress, lay_out
from holdfast.restore.unlock import data_keys, open_keys
from holdfast.store.open import open_store
from holdfast.values.backup_set import BackupType
from holdfast.values.destination import parse_uri
from holdfast.values.pace import FixedPace
from server_rig import Client, Server, archive, running_server, wait_for, wait_restored

pytestmark = pytest.mark.live

FULL, INC = "full-Secret-4711", "inc-Secret-0815"
CONTENT = "nobody may read this line"
_JOBS = "select BACKUP_TYPE, STATUS, ENCRYPTION_MODE, PASSWD, COMMENT, RESULT from oceanbase.CDB_OB_BACKUP_JOB_HISTORY"
_ACTIVE = "select count(*) from oceanbase.CDB_OB_BACKUP_JOBS"
_TENANTS = "select count(*) from oceanbase.DBA_OB_TENANTS"


@dataclass(frozen=True, slots=True)
class Made:
    """A server whose tenant `source` has set 1 (full, sealed) and 2 and 3 (increments, sealed with another password), all PLUS
    ARCHIVELOG; rows 1, 2, 3 of test.t came before each."""

    server: Server
    place: Path


def backed_up(client: Client, statement: str) -> tuple[str, ...]:
    """Run a BACKUP and return type, status, mode, hash and comment of its tenant's job."""
    sql = f"{_JOBS} where TENANT_ID <> 1 order by TENANT_ID, JOB_ID"
    before = len(client.rows(sql))
    client.run(statement)
    row = wait_for(lambda: client.rows(sql), lambda rows: len(rows) > before)[-1]
    assert row[5] == 0, row
    return tuple(str(cell or "") for cell in row[:5])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    place = tmp_path_factory.mktemp("sealed")
    with running_server(tmp_path_factory.mktemp("cluster") / "base", "--verbose") as server:
        with server.client() as client:
            client.run("CREATE TENANT source")
            archive(client, "source", place)
            with server.client("root@source") as source:
                source.run("create table test.t(i int primary key, s varchar(100))")
                for number in (1, 2, 3):
                    source.run(f"insert into test.t values ({number}, '{CONTENT}')")
                    source.run("alter system minor freeze")
                    with server.client() as session:
                        secret = (FULL, INC, INC)[number - 1]
                        session.run(f"SET ENCRYPTION ON IDENTIFIED BY '{secret}' ONLY")
                        kind = "" if number == 1 else "INCREMENTAL "
                        row = backed_up(session, f"ALTER SYSTEM BACKUP {kind}TENANT = source PLUS ARCHIVELOG")
                    assert row == ("FULL" if number == 1 else "INC", "COMPLETED", "PASSWORD", PASSWD_SHOWN, "")
        yield Made(server, place)


def test_views_tell_mode_of_jobs_tasks_and_sets_and_nothing_of_the_password(made: Made) -> None:
    wanted = [("PASSWORD", PASSWD_SHOWN)] * 3
    with made.server.client() as client, made.server.client("root@source") as source:
        for view in ("BACKUP_JOB_HISTORY", "BACKUP_TASK_HISTORY", "BACKUP_SET_FILES"):
            columns = "select ENCRYPTION_MODE, coalesce(PASSWD, '') from oceanbase"
            order = "BACKUP_SET_ID"
            assert client.rows(f"{columns}.CDB_OB_{view} where TENANT_ID > 1 order by {order}") == wanted
            assert source.rows(f"{columns}.DBA_OB_{view} order by {order}") == wanted


@pytest.mark.parametrize(
    ("user", "statement"),
    [
        ("root@sys", "ALTER SYSTEM BACKUP INCREMENTAL TENANT = source"),
        ("root@sys", "ALTER SYSTEM BACKUP INCREMENTAL DATABASE PLUS ARCHIVELOG"),
        ("root@source", "ALTER SYSTEM BACKUP INCREMENTAL DATABASE"),
    ],
)
def test_an_increment_in_the_clear_on_a_sealed_base_is_refused(made: Made, user: str, statement: str) -> None:
    """Whoever asks; a schedule gives this very statement."""
    with made.server.client(user) as client:
        number, text = client.refused(statement)
        assert client.one(_ACTIVE if user == "root@sys" else "select 0") == 0
    assert number == 9040
    if "DATABASE PLUS" not in statement:  # of everybody nobody is left, which has its own words
        assert "backup set 3 is encrypted" in text


@pytest.mark.parametrize("given", [None, ["wrong"], [FULL], [INC], [FULL, "wrong"]])
def test_a_missing_or_wrong_password_is_refused_before_anything_is_created(made: Made, given: list[str] | None) -> None:
    with made.server.client() as client:
        before = client.one(_TENANTS)
        if given is not None:
            client.run("SET DECRYPTION IDENTIFIED BY " + ", ".join(f"'{password}'" for password in given))
        # Set 2 and the full it rests on; set 3 may hold anew all that set 2 held, and then needs one password only.
        scn = client.one("select MIN_RESTORE_SCN from oceanbase.CDB_OB_BACKUP_SET_FILES where BACKUP_SET_ID = 2")
        number, text = client.refused(f"ALTER SYSTEM RESTORE lost FROM 'file://{made.place}/data' UNTIL SCN = {scn}")
        assert number == 9047
        assert "invalid password for backup" in text
        assert client.one(_TENANTS) == before
        assert client.rows("select * from oceanbase.CDB_OB_RESTORE_HISTORY where RESTORE_TENANT_NAME = 'lost'") == []


def test_the_chain_restores_with_all_its_passwords_without_archive_on_a_machine_that_never_saw_it(
    made: Made, tmp_path: Path
) -> None:
    """In any order; the server is killed in between and goes on without being told the passwords again."""
    shutil.copytree(made.place / "data", tmp_path / "data")
    with running_server(tmp_path / "other") as server:
        with server.client() as client:
            client.run(f"SET DECRYPTION IDENTIFIED BY '{INC}', 'of another set', '{FULL}'")
            client.run(f"ALTER SYSTEM RESTORE back FROM 'file://{tmp_path}/data'")
        server.kill()
        server.start()
        with server.client() as client:
            assert wait_restored(client, "back") == ("SUCCESS", "")
            with server.client("root@back") as back:
                assert back.rows("select i, s from test.t order by i") == [(i, CONTENT) for i in (1, 2, 3)]
        wait_for(lambda: list((tmp_path / "other" / "restore").iterdir()), lambda left: not left)


def test_a_table_comes_back_out_of_sealed_sets(made: Made) -> None:
    """Its blocks come one by one, each opened with the key of the set that holds it."""
    recover = (
        f"ALTER SYSTEM RECOVER TABLE test.t TO TENANT source FROM 'file://{made.place}/data' REMAP TABLE test.t:back"
    )
    with made.server.client() as client:
        assert client.refused(recover)[0] == 9047
        client.run(f"SET DECRYPTION IDENTIFIED BY '{INC}', '{FULL}'")
        client.run(recover)
        history = "select STATUS, RESULT, COMMENT from oceanbase.CDB_OB_RECOVER_TABLE_JOB_HISTORY"
        assert wait_for(lambda: client.rows(history), bool)[0] == ("COMPLETED", "SUCCESS", "")
    with made.server.client("root@source") as source:
        assert source.rows("select i, s from test.back order by i") == [(i, CONTENT) for i in (1, 2, 3)]
        source.run("drop table test.back")


@pytest.mark.parametrize("level", ["physical", "restore"])
def test_a_set_whose_key_is_not_here_is_said_so_and_looked_into_with_its_passwords(
    made: Made, tmp_path: Path, level: str
) -> None:
    """A physical validation holds what needs no key against its checksums. A drill, which restores, fails and blames no bytes."""
    kept = {path: tmp_path / path.name for path in made.server.base.glob("tenants/*/keys/set_*.key")}
    assert len(kept) >= 3
    tasks = "select STATUS, RESULT, COMMENT from oceanbase.CDB_OB_BACKUP_VALIDATE_TASK_HISTORY where TENANT_ID > 1 and JOB_ID ="
    jobs = "select JOB_ID from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY where TENANT_ID > 1 order by JOB_ID desc"
    words = "does not keep" if level == "physical" else "is encrypted: run SET DECRYPTION"

    def validated(client: Client) -> list[tuple[str, int, str]]:
        before = client.rows(jobs)
        client.run(f"ALTER SYSTEM VALIDATE BACKUPSET = '3' LEVEL = '{level}' TENANT = source")
        after = wait_for(lambda: client.rows(jobs), lambda rows: len(rows) > len(before), seconds=120)
        return [(status, result, comment or "") for status, result, comment in client.rows(f"{tasks} {after[0][0]}")]

    for path, aside in kept.items():
        shutil.move(path, aside)
    try:
        with made.server.client() as client:
            found = validated(client)
            if level == "physical":
                assert {row[:2] for row in found} == {("COMPLETED", 0)}, found
                assert len([row for row in found if words in row[2]]) >= 2, found
            else:
                ((status, result, comment),) = found
                assert (status, result, words in comment) == ("FAILED", -9047, True), found
            client.run(f"SET DECRYPTION IDENTIFIED BY '{INC}', '{FULL}'")
            found = validated(client)
            assert {row[:2] for row in found} == {("COMPLETED", 0)}, found
            assert [row for row in found if " key" in row[2]] == [], "it looked into everything"
        assert list(made.server.base.glob("tenants/*/keys/set_*.key")) == [], (
            "a session's passwords leave no key behind"
        )
    finally:
        for path, aside in kept.items():
            shutil.move(aside, path)


def test_reconnecting_cancels_and_repeating_replaces(made: Made) -> None:
    """A job is enough; it is cancelled at once so that no set comes of it."""
    with made.server.client() as client:
        hashes = []
        for statements in (["first"], ["first", "second"], []):
            with made.server.client() as session:
                for password in statements:
                    session.run(f"SET ENCRYPTION ON IDENTIFIED BY '{password}' ONLY")
                session.run("ALTER SYSTEM BACKUP TENANT = source")
                session.run("ALTER SYSTEM CANCEL BACKUP")
                wait_for(lambda: client.one(_ACTIVE), lambda count: count == 0)
                rows = client.rows(f"{_JOBS} where TENANT_ID <> 1 order by JOB_ID")
                hashes.append((rows[-1][2], rows[-1][3] or ""))
    assert hashes == [("PASSWORD", PASSWD_SHOWN), ("PASSWORD", PASSWD_SHOWN), ("NONE", "")]


def test_a_text_of_several_statements_encrypts(made: Made) -> None:
    from pymysql.constants import CLIENT

    with made.server.client(client_flag=CLIENT.MULTI_STATEMENTS) as session:
        with session.connection.cursor() as cursor:
            cursor.execute("SET ENCRYPTION ON IDENTIFIED BY 'of a script' ONLY; ALTER SYSTEM BACKUP TENANT = source")
            while cursor.nextset():
                pass
        session.run("ALTER SYSTEM CANCEL BACKUP")
        wait_for(lambda: session.one(_ACTIVE), lambda count: count == 0)
        row = session.rows(f"{_JOBS} where TENANT_ID <> 1 order by JOB_ID")[-1]
    assert (row[2], row[3]) == ("PASSWORD", PASSWD_SHOWN)


@pytest.mark.parametrize(
    ("user", "statement", "wanted"),
    [
        ("root@source", "SET DECRYPTION IDENTIFIED BY 'x'", (1235, "non-sys tenant set decryption is not supported")),
        ("root@sys", "SET ENCRYPTION ON IDENTIFIED BY '' ONLY", (1210, "Incorrect arguments to encryption password")),
        ("root@sys", "SET ENCRYPTION ON IDENTIFIED BY 'hush-hush'", (1064, "")),
        ("root@sys", "SET ENCRYPTION IDENTIFIED BY 'hush-hush' ONLY", (1064, "")),
        ("root@sys", "SET DECRYPTION BY 'hush-hush'", (1064, "")),
    ],
)
def test_bad_statements_are_refused_without_their_password(
    made: Made, user: str, statement: str, wanted: tuple[int, str]
) -> None:
    with made.server.client(user) as client:
        number, text = client.refused(statement)
    assert number == wanted[0]
    assert wanted[1] in text
    assert "hush" not in text


def test_a_user_tenant_encrypts_its_own_backup_and_a_killed_server_goes_on_with_it(tmp_path: Path) -> None:
    """Killed right after the statement: the next server knows the key, not the password. A lost key costs a full set."""
    with running_server(tmp_path / "base") as server:
        with server.client() as client:
            client.run("CREATE TENANT t")
            archive(client, "t", tmp_path / "place")
        with server.client("root@t") as tenant:
            tenant.run(f"SET ENCRYPTION ON IDENTIFIED BY '{FULL}' ONLY")
            tenant.run("ALTER SYSTEM BACKUP DATABASE")
        server.kill()
        server.start()
        with server.client() as client:
            sql = f"{_JOBS} where TENANT_ID <> 1"
            row = wait_for(lambda: client.rows(sql), bool)[0]
            assert row[:4] == ("FULL", "COMPLETED", "PASSWORD", PASSWD_SHOWN), row
            increment = "ALTER SYSTEM BACKUP INCREMENTAL TENANT = t"
            assert client.refused(increment)[0] == 9040
            client.run(f"SET ENCRYPTION ON IDENTIFIED BY '{INC}' ONLY")
            assert backed_up(client, increment)[:3] == ("INC", "COMPLETED", "PASSWORD")
            for key in (tmp_path / "base").glob("tenants/*/keys/*"):
                key.unlink()
            assert backed_up(client, increment)[:3] == ("FULL", "COMPLETED", "PASSWORD")


@pytest.mark.parametrize("source", ["file:/etc/hostname", "env:HOME", "command:/bin/touch {mark}"])
def test_things_of_the_host_are_named_by_root_of_sys_alone(made: Made, source: str, tmp_path: Path) -> None:
    named = source.format(mark=tmp_path / "ran")
    paths = f"file://{made.place}/data,file://{made.place}/archive"
    until = "UNTIL TIME = '2026-01-01 00:00:00'"
    with made.server.client() as root:
        root.run("create user if not exists operator identified by 'secret'")
        root.run("grant super, alter system on *.* to operator")
    with made.server.client("operator@sys", "secret") as operator:
        for statement in (
            f"SET backup_encryption = '{named}' TENANT = source",
            f"RESTORE t9 FROM '{paths}' WITH KEY FROM '{named}'",
            f"RESTORE FROM '{paths}' {until} WITH KEY FROM '{named}' PREVIEW",
            f"RECOVER TABLE test.t TO TENANT source FROM '{paths}' {until} WITH KEY FROM '{named}'",
        ):
            number, text = operator.refused(f"ALTER SYSTEM {statement}")
            assert (number, "root@sys alone" in text, str(tmp_path) in text) == (1227, True, False), text
        operator.run("ALTER SYSTEM SET backup_encryption = NONE TENANT = source")
    assert not (tmp_path / "ran").exists()


def test_secrets_show_nowhere(made: Made) -> None:
    """Backed up, archived and restored, sealed: each secret that can be known lies in its one private file and nowhere else."""
    base = made.server.base
    keys = sorted(base.glob("tenants/*/keys/*.key"))
    assert len(keys) >= 2
    own = {path: path.read_text() for path in (base / "sys" / "account.json", *base.glob("tenants/*/account.json"))}
    own |= {path: path.read_text() for path in base.glob("tenants/*/account.json.set")}
    certificates = list(base.glob("tenants/*/account.json.client.pem"))
    needles = [FULL, INC, *(text.split('"password": "')[1].split('"')[0] for text in own.values())]
    needles.append((base / "sys" / "host.key").read_text().strip())
    for path in keys:
        kept = ClusterDirectory(base).keyring(int(path.parts[-3])).get(int(path.stem.removeprefix("set_")))
        assert kept is not None
        needles += [kept.secret.hex(), kept.secret.decode("latin-1")]
    needles += [path.read_text().split("PRIVATE KEY-----\n")[1].partition("\n")[0] for path in certificates]
    private = {*own, *certificates, base / "sys" / "host.key"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (*private, *keys)} == {0o600}
    with made.server.client() as client, made.server.client("root@source") as source:
        seen: list[object] = []
        for who in (client, source):
            seen += who.rows("show full processlist") + who.rows("select * from information_schema.processlist")
            seen += who.rows("select query_sql from oceanbase.GV$OB_SQL_AUDIT") if _has_audit(who) else []
        views = client.rows(
            "select TABLE_SCHEMA, TABLE_NAME from information_schema.TABLES where TABLE_SCHEMA = '__holdfast'"
        )
        for schema, name in views:
            seen += client.rows(f"select * from `{schema}`.`{name}`") if _readable(client, schema, name) else []
        text = repr(seen)
    files = [made.server.log, *(path for path in made.place.rglob("*") if path.is_file())]
    files += [path for path in base.rglob("*") if path.is_file() and path not in private]
    processes = [made.server.pid, *_engine_pids(made.server)]
    files += [Path(f"/proc/{pid}/{name}") for pid in processes for name in ("cmdline", "environ")]
    for needle in needles:
        assert needle not in text
    for path in files:
        found = _holds(path, [needle.encode("latin-1") for needle in needles])
        assert not found, path


def _has_audit(client: Client) -> bool:
    try:
        client.rows("select query_sql from oceanbase.GV$OB_SQL_AUDIT limit 1")
    except Exception:  # noqa: BLE001 - an engine without it has nothing to hide there
        return False
    return True


def _readable(client: Client, schema: str, name: str) -> bool:
    try:
        client.rows(f"select 1 from `{schema}`.`{name}` limit 1")
    except Exception:  # noqa: BLE001 - what its administrator can not read, nobody can
        return False
    return True


def _engine_pids(server: Server) -> list[int]:
    return [
        int((server.directory(tenant_id).pid_file).read_text().split()[0])
        for tenant_id in server.tenant_ids()
        if server.directory(tenant_id).pid_file.exists()
    ]


def _holds(path: Path, needles: list[bytes]) -> bool:
    """Return whether a file holds one of the needles. Files vanish while an engine runs."""
    try:
        if path.stat().st_size > 32 << 20:
            # Block and log files: the tenant's own data, statements among it. Looked at with grep, which streams.
            words = [word for needle in needles if needle.isascii() for word in ("-e", needle.decode())]
            return subprocess.run(["grep", "-qF", *words, "--", str(path)], check=False).returncode == 0
        data = path.read_bytes()
    except (FileNotFoundError, PermissionError, OSError):
        return False
    return any(needle in data for needle in needles)


def test_the_destination_shows_neither_rows_nor_login(made: Made) -> None:
    """Sealed sets and their logs; the archive itself is not sealed without `backup_encryption`."""
    login = (
        next(made.server.base.glob("tenants/*/account.json.set")).read_text().split('"password": "')[1].split('"')[0]
    )
    roots = (names.set_root(1, BackupType.FULL), names.set_root(2, BackupType.INC))
    for root in roots:
        for path in (made.place / "data" / root).rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                assert CONTENT.encode() not in data, path
                assert login.encode() not in data, path


# --- damage


Damage = Callable[[Path], None]
ROOT_1, ROOT_2 = names.set_root(1, BackupType.FULL), names.set_root(2, BackupType.INC)


def flip(name: str, offset: int) -> Damage:
    """Return the damage of one bit; a negative offset counts from the end."""

    def damage(data: Path) -> None:
        (path,) = data.glob(name)
        octets = bytearray(path.read_bytes())
        octets[offset] ^= 1
        path.write_bytes(octets)

    return damage


def cut_off(name: str, size_bytes: int) -> Damage:
    def damage(data: Path) -> None:
        (path,) = data.glob(name)
        path.write_bytes(path.read_bytes()[:-size_bytes])

    return damage


def swapped(one: str, other: str) -> Damage:
    def damage(data: Path) -> None:
        (first,), (second,) = data.glob(one), data.glob(other)
        first_bytes, second_bytes = first.read_bytes(), second.read_bytes()
        first.write_bytes(second_bytes)
        second.write_bytes(first_bytes)

    return damage


def edited(name: str, old: str, new: str) -> Damage:
    """Return the change of one field by somebody who knows the format and writes the right digest, but has no key."""

    def damage(data: Path) -> None:
        from blake3 import blake3

        path = data / name
        text = path.read_text()
        assert old in text
        text = text.replace(old, new, 1)
        head, mark, rest = text.partition('"digest": "blake3:')
        zeroed = f"{head}{mark}{'0' * 64}{rest[64:]}"
        # The last one is the document's own; those of objects have no "blake3:".
        path.write_text(zeroed.replace("blake3:" + "0" * 64, "blake3:" + blake3(zeroed.encode()).hexdigest(), 1))

    return damage


def moved_chunks(root: str) -> Damage:
    """Return the exchange of the first two chunks' bodies and headers within an object, each whole in itself."""

    def damage(data: Path) -> None:
        from holdfast.backup_format.chunk import walk_chunks

        path = sorted((data / root / "data").iterdir())[0]
        octets = path.read_bytes()
        number = names.parse_data_name(f"{root}/data/{path.name}")
        assert number is not None
        set_id = 1 if root == ROOT_1 else 2
        headers = list(
            walk_chunks(lambda o, s: octets[o : o + s], len(octets), set_id=set_id, object_number=number, name="x")
        )
        assert len(headers) > 2
        first, second = headers[0], headers[1]
        one = octets[first.place.offset : first.end_offset]
        two = octets[second.place.offset : second.end_offset]
        path.write_bytes(two + one + octets[second.end_offset :])

    return damage


LOG_1 = f"{ROOT_2}/log/piece_*/logstream_1/log/*"
DAMAGES: dict[str, Damage] = {
    "a manifest's byte": flip(f"{ROOT_2}/manifest.json", 200),
    "a manifest's field, with a right digest": edited(
        f"{ROOT_2}/manifest.json", '"tenant_name": "source"', '"tenant_name": "sourca"'
    ),
    "the base's manifest, with a right digest": edited(
        f"{ROOT_1}/manifest.json", '"tenant_name": "source"', '"tenant_name": "sourca"'
    ),
    "the encryption, taken away": edited(f"{ROOT_2}/manifest.json", '"mode": "PASSWORD"', '"mode": "NONE"'),
    "an index record": flip(f"{ROOT_2}/index*", 64 + 20),
    "the index's end": cut_off(f"{ROOT_2}/index*", 64),
    "the index of another set": swapped(f"{ROOT_2}/index*", f"{ROOT_1}/index*"),
    "a chunk header": flip(f"{ROOT_1}/data/*1*", 30),
    "a chunk body": flip(f"{ROOT_1}/data/*1*", CHUNK_HEADER_BYTES + 40),
    "a chunk's place": moved_chunks(ROOT_1),
    "a data object's end": cut_off(f"{ROOT_1}/data/*1*", 100),
    "a small file": flip(f"{ROOT_2}/meta/account*", CHUNK_HEADER_BYTES + 3),
    "a small file's tag": flip(f"{ROOT_2}/meta/account*", -1),
    "a small file of another set": swapped(f"{ROOT_2}/meta/account*", f"{ROOT_1}/meta/account*"),
    "a log frame's header": flip(LOG_1, 40),
    "a log frame's body": flip(LOG_1, FRAME_HEADER_BYTES + 50),
    "a log object's end": cut_off(LOG_1, 40),
}


@pytest.fixture(scope="module")
def sealed_chain(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data destination with sets 1 and 2 only."""
    data = tmp_path_factory.mktemp("chain") / "data"
    data.mkdir()
    for name in (names.FORMAT_FILE, ROOT_1, ROOT_2):
        source = made.place / "data" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, data / name)
    return data


def laid_out(data: Path, root: Path) -> None:
    """Read everything a restore of the chain reads, up to the start of an engine."""
    found = read_facts(open_sources([parse_uri(f"file://{data}")], open_store))
    versions = (installed().data_version,)
    plan = plan_restore(found.sets, found.pieces, None, installed_versions=versions, damaged=found.damaged)
    assert plan.set_roots == (ROOT_1, ROOT_2)
    secrets = open_keys(plan, Passwords([FULL, INC]))
    keys = data_keys(plan, secrets.get)
    lay_out(
        plan,
        tuple(source.store for source in found.sources),
        EngineDirectory(root / "engine", installed()),
        pace=FixedPace(threads=2),
        progress=Progress(),
        check=lambda: None,
        keys=keys,
    )


def test_an_undamaged_chain_is_read_whole(sealed_chain: Path, tmp_path: Path) -> None:
    laid_out(sealed_chain, tmp_path)
    shutil.rmtree(tmp_path / "engine")


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_of_a_sealed_set_is_refused_and_named(sealed_chain: Path, tmp_path: Path, what: str) -> None:
    data = tmp_path / "data"
    shutil.copytree(sealed_chain, data)
    DAMAGES[what](data)
    begun = time.monotonic()
    with pytest.raises(HoldfastError) as refused:
        laid_out(data, tmp_path)
    assert isinstance(refused.value, CorruptionError) or refused.value.code.number == -4018
    assert "backup_set_" in str(refused.value)
    assert time.monotonic() - begun < 60
    shutil.rmtree(tmp_path / "engine", ignore_errors=True)
