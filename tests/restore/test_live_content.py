"""What else must come back right: DDL in the log, bulk loads, full-text and vector indexes, users, open transactions.
And what must be refused: damage, each kind named, nothing created."""

import math
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from restore_rig import facts_of, layout, plan_of, restored

from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES
from holdfast.backup_format.index import decode_index
from holdfast.backup_format.log_frame import scan_frames
from holdfast.backup_format.reach import LogObjectFact
from holdfast.destination.facts import Facts
from holdfast.engine import facts as engine_facts
from holdfast.engine.role import EngineRole
from holdfast.engine.session import SqlError, connect
from holdfast.engine_format.log_block import first_lsn_of
from holdfast.errors import HoldfastError
from server_rig import Client, Server, archive, backup, running_server, wait_archived, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]


@dataclass(slots=True)
class Source:
    server: Server
    client: Client
    user: Client
    place: Path
    home: Path

    def settle(self) -> int:
        """Return the SCN of now, once the archive holds it."""
        scn = int(self.user.one("select current_scn()"))
        wait_archived(self.client, scn)
        return scn

    def facts(self) -> Facts:
        return facts_of(self.place / "data", self.place / "archive")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    home = tmp_path_factory.mktemp("content")
    with running_server(home / "base") as server, server.client() as client:
        client.run("CREATE TENANT content")
        with server.client("root@content", database="test") as user:
            user.run("create table big(id int primary key, v int, pad varchar(200))")
            user.run("create table ft(id int primary key, body text, fulltext index fx(body))")
            user.run(
                "create table vt(id int primary key, emb vector(8), vector index vx(emb) with "
                "(distance=l2, type=hnsw, lib=vsag))"
            )
            for start in range(0, 4000, 500):
                rows = ",".join(f"({i}, {i % 97}, repeat('p', {i % 150}))" for i in range(start, start + 500))
                user.run(f"insert into big values {rows}")
            archive(client, "content", home / "backup")
            assert backup(client, "content")[0] == "COMPLETED"
            yield Source(server, client, user, home / "backup", home)
    shutil.rmtree(home, ignore_errors=True)


def test_ddl_and_bulk_loads_in_the_log_are_replayed(source: Source, tmp_path: Path) -> None:
    user = source.user
    user.run("create index iv on big(v)")
    user.run("create table copied as select id, v from big where id < 1000")
    user.run("alter table big modify column pad varchar(50000)")
    user.run("create table loaded(id int primary key, v int, pad varchar(200))")
    user.run("insert /*+ append direct(true,0) enable_parallel_dml parallel(2) */ into loaded select * from big")
    user.run("create table emptied(id int primary key)")
    user.run("insert into emptied values (1), (2)")
    user.run("truncate table emptied")
    user.run("insert into emptied values (3)")
    user.run("alter table copied modify column v bigint not null")
    user.run("alter table copied add column w int default 7")
    truth = _content(user)
    scn = source.settle()
    user.run("drop table copied")
    user.run("truncate table loaded")
    source.settle()
    with restored(source.facts(), scn, tmp_path / "r") as back, back.rig.session("test") as session:
        found = [tuple(session.query(sql)) for sql in _CONTENT]
        assert found == truth
        by_index = session.query("select count(*) from big use index(iv) where v = 3")
        assert by_index == session.query("select count(*) from big ignore index(iv) where v = 3")


_CONTENT = (
    "select count(*), sum(crc32(concat_ws('/', id, v, pad))) from big",
    "select count(*), sum(crc32(concat_ws('/', id, v, w))) from copied",
    "select count(*), sum(crc32(concat_ws('/', id, v, pad))) from loaded",
    "select id from emptied",
    "select table_name, table_type from information_schema.tables where table_schema = 'test' order by 1",
    "select column_name, column_type, is_nullable from information_schema.columns where table_schema = 'test' order by table_name, 1",
    "select table_name, index_name, column_name from information_schema.statistics where table_schema = 'test' order by 1, 2, 3",
)


def _content(user: Client) -> list[tuple[tuple[object, ...], ...]]:
    return [tuple(user.rows(sql)) for sql in _CONTENT]


def test_full_text_and_vector_indexes_answer_right_after_a_restore(source: Source, tmp_path: Path) -> None:
    chance = random.Random(5)
    vectors = [[round(chance.random(), 3) for _ in range(8)] for _ in range(300)]
    for number, vector in enumerate(vectors[:200]):
        source.user.run("insert into ft values (%s, %s)", (number, f"common word{number % 50} text{number}"))
        source.user.run("insert into vt values (%s, %s)", (number, str(vector)))
    scn = source.settle()
    source.user.run("delete from ft where id < 100")
    source.user.run("delete from vt where id < 100")
    source.settle()
    wanted = sorted(range(200), key=lambda i: math.dist(vectors[i], vectors[250]))[:3]
    with (
        restored(source.facts(), scn, tmp_path / "r", as_role=EngineRole.PRIMARY) as back,
        back.rig.session("test") as session,
    ):
        assert session.query("select count(*) from ft where match(body) against('common')") == [(200,)]
        assert session.query("select count(*) from ft where match(body) against('word7')") == [(4,)]
        near = session.query(
            "select id from vt order by l2_distance(emb, %s) approximate limit 3", (str(vectors[250]),)
        )
        assert [row[0] for row in near] == wanted
        session.execute("insert into ft values (1001, 'common new')")
        assert session.query("select count(*) from ft where match(body) against('common')") == [(201,)]


def test_users_and_passwords_are_those_of_the_target(source: Source, tmp_path: Path) -> None:
    user = source.user
    user.run("create user early identified by 'first'")
    scn_first = source.settle()
    user.run("alter user early identified by 'second'")
    user.run("create user late identified by 'x'")
    source.settle()
    with restored(source.facts(), scn_first, tmp_path / "r") as back:
        connect(back.rig.socket, "early", "first").close()
        for name, password in (("early", "second"), ("late", "x")):
            with pytest.raises(SqlError) as refused:
                connect(back.rig.socket, name, password)
            assert refused.value.errno == 1045


def test_transactions_under_way_at_the_target_are_reported_with_what_avoids_them(source: Source) -> None:
    """Their redo is in the log, their end is not: the engine keeps their locks, and the job's COMMENT says so."""
    source.user.run("create table held(id int primary key, pad varchar(60000))")
    with source.server.client("root@content", database="test", autocommit=False) as writer:
        for number in range(300):
            writer.run("insert into held values (%s, repeat(%s, 50000))", (number, "abcdefghij"[number % 10]))
        scn = source.settle()
        writer.connection.rollback()
    places = f"file://{source.place}/data,file://{source.place}/archive"
    source.client.run(f"ALTER SYSTEM RESTORE with_orphan FROM '{places}' UNTIL SCN = {scn}")
    sql = "select STATUS, COMMENT from oceanbase.CDB_OB_RESTORE_HISTORY where TENANT_ID = 1 and RESTORE_TENANT_NAME = 'with_orphan'"
    status, comment = wait_for(lambda: source.client.rows(sql), bool)[0]
    assert status == "SUCCESS"
    assert "keep their row locks" in comment
    avoiding = int(comment.partition("below SCN ")[2].split(",")[0])
    assert avoiding <= scn
    source.client.run("DROP TENANT with_orphan FORCE")
    source.client.run(f"ALTER SYSTEM RESTORE without FROM '{places}' UNTIL SCN = {avoiding - 1}")
    again = wait_for(lambda: source.client.rows(sql.replace("with_orphan", "without")), bool)[0]
    assert again[0] == "SUCCESS"
    lost = comment.partition("trans_id ")[2].partition(")")[0].split(", ")
    assert not any(f"trans_id {number}" in again[1] for number in lost)
    source.client.run("DROP TENANT without FORCE")


def test_a_cut_where_a_log_block_ends_starts(source: Source, tmp_path: Path) -> None:
    """The target's last entry fills block 0; nothing of block 1 is kept, so its file is there and all zero."""
    source.user.run("create table filler(id int primary key auto_increment, pad varchar(60000))")
    while len([item for item in _log_items(source.facts()) if item.block_id == 1]) == 0:
        for _ in range(40):
            source.user.run("insert into filler(pad) values (%s)", (os.urandom(25000).hex(),))
    source.settle()
    facts = source.facts()
    item = next(item for item in _log_items(facts) if item.block_id == 0)
    stored = facts.sources[facts.pieces[0].source].store.get(item.name)
    frames = scan_frames(lambda offset, size: stored[offset : offset + size], item.size_bytes).frames
    target = int(frames[-1].header.frame.max_scn)
    directory, laid_out, _ = layout(facts, target, tmp_path / "look")
    assert sorted(os.listdir(directory.log_dir)) == ["0", "1"]
    assert not any((directory.log_dir / "1").read_bytes())
    assert laid_out.end.lsn == first_lsn_of(1)
    shutil.rmtree(tmp_path / "look")
    with restored(facts, target, tmp_path / "s") as back:
        assert back.rig.sql("select count(*) from test.filler")[0][0] > 0
    with restored(facts, target, tmp_path / "r", as_role=EngineRole.PRIMARY) as back:
        count = back.rig.sql("select count(*), count(pad) from test.filler")[0]
        assert count[0] == count[1] > 0
        back.rig.sql("insert into test.filler(pad) values ('goes on in block 1')")
        back.rig.kill()
        back.rig.restart()
        assert back.rig.sql("select count(*) from test.filler")[0][0] == count[0] + 1


def _log_items(facts: Facts) -> list[LogObjectFact]:
    return [item for piece in facts.pieces for item in piece.objects]


# --- damage


def _copy(source: Source, tmp_path: Path) -> Path:
    place = tmp_path / "copy"
    shutil.copytree(source.place, place)
    return place


def _flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    for place in range(offset % len(data), min(offset % len(data) + 8, len(data))):
        data[place] ^= 0x55
    path.chmod(0o600)
    path.write_bytes(bytes(data))


def _data_object(place: Path) -> Path:
    return next((place / "data" / "backup_set_1_full" / "data").iterdir())


def _inside_a_live_chunk(place: Path, where: float) -> tuple[Path, int]:
    """Return an object and an offset that a restore reads: chunks copied again leave dead bytes behind, which it does not."""
    root = place / "data" / "backup_set_1_full"
    records = list(decode_index([(root / "index").read_bytes()]).table)
    record = max(records, key=lambda one: one.stored_size_bytes)
    inside = CHUNK_HEADER_BYTES + int(record.stored_size_bytes * where)
    return root / "data" / f"{record.object_number:06d}", record.offset + inside


def _log_object(place: Path) -> Path:
    return max((place / "archive").glob("piece_*/logstream_1/log/*.obarc"))


DAMAGE: dict[str, Callable[[Path], Path]] = {
    "manifest": lambda place: place / "data" / "backup_set_1_full" / "manifest.json",
    "index": lambda place: place / "data" / "backup_set_1_full" / "index",
    "chunk": _data_object,
    "log part": _log_object,
    "piece record": lambda place: next((place / "archive").glob("piece_*/checkpoint/*")),
    "small file": lambda place: place / "data" / "backup_set_1_full" / "meta" / "store" / "sstable" / "meta.db",
}


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_flipped_byte_is_refused_and_named(source: Source, tmp_path: Path, kind: str, where: float) -> None:
    place = _copy(source, tmp_path)
    path = DAMAGE[kind](place)
    if kind == "chunk":
        path, offset = _inside_a_live_chunk(place, where)
    else:
        offset = int(path.stat().st_size * where)
    _flip(path, offset)
    with pytest.raises(HoldfastError) as refused:
        layout(facts_of(place / "data", place / "archive"), None, tmp_path / "r")
    assert path.relative_to(place).as_posix().partition("/")[2] in str(refused.value)


@pytest.mark.parametrize("kind", ["index", "chunk", "small file", "log part"])
def test_a_missing_object_is_refused_and_named(source: Source, tmp_path: Path, kind: str) -> None:
    place = _copy(source, tmp_path)
    path = DAMAGE[kind](place)
    path.unlink()
    with pytest.raises(HoldfastError) as refused:
        layout(facts_of(place / "data", place / "archive"), None, tmp_path / "r")
    assert path.name in str(refused.value)


def test_a_damaged_set_creates_no_tenant(source: Source, tmp_path: Path) -> None:
    place = _copy(source, tmp_path)
    for path in (DAMAGE["manifest"](place), DAMAGE["chunk"](place)):
        _flip(path, path.stat().st_size // 2)
    sql = f"ALTER SYSTEM RESTORE damaged FROM 'file://{place}/data,file://{place}/archive'"
    number, text = source.client.refused(sql)
    assert number == 4018
    assert "left aside as damaged: backup_set_1_full (" in text
    assert "manifest.json" in text
    shutil.copy(DAMAGE["manifest"](source.place), DAMAGE["manifest"](place))
    source.client.run(sql)
    history = "select STATUS, COMMENT from oceanbase.CDB_OB_RESTORE_HISTORY where RESTORE_TENANT_NAME = 'damaged'"
    rows = wait_for(lambda: source.client.rows(history), lambda rows: len(rows) == 2)
    assert {row[0] for row in rows} == {"FAILED"}
    assert all("data/000001" in row[1] for row in rows), rows
    wait_for(lambda: source.client.rows("SHOW TENANTS"), lambda rows: "damaged" not in {row[1] for row in rows})
    assert list((source.server.base / "restore").iterdir()) == []


def test_the_newest_set_that_reaches_is_chosen(source: Source) -> None:
    first = plan_of(source.facts(), None)
    assert backup(source.client, "content")[0] == "COMPLETED"
    source.settle()
    newest = plan_of(source.facts(), None)
    assert newest.set.manifest.backup_set_id > first.set.manifest.backup_set_id
    earlier = plan_of(source.facts(), int(first.set.manifest.min_restore_scn))
    assert earlier.set.manifest.backup_set_id == first.set.manifest.backup_set_id


def test_a_restored_engine_survives_its_own_restart_as_standby(source: Source, tmp_path: Path) -> None:
    with restored(source.facts(), None, tmp_path / "r") as back:
        before = back.rig.sql("select count(*) from test.big")
        back.rig.kill()
        back.rig.restart()
        with back.rig.session("test") as session:
            wait_for(lambda: session.query("select count(*) from big"), lambda rows: rows == before)
            with pytest.raises(SqlError) as refused:
                session.execute("insert into emptied values (9)")
            assert refused.value.errno == 4688
            assert engine_facts.orphan_transactions(session) == ()
