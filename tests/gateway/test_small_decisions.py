"""What the gateway decides from bytes alone: KILL texts, writes, grants, charsets, SHOW WARNINGS, ids."""

import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast import codes
from holdfast.errors import refuse
from holdfast.gateway.answer import Answer
from holdfast.gateway.charsets import charset_named, lexing_codec, lexing_codec_of_collation
from holdfast.gateway.diagnostics import Diagnostics
from holdfast.gateway.kill import FIRST_CONNECTION_ID, LAST_CONNECTION_ID, is_gateway_id
from holdfast.gateway.login import engine_user
from holdfast.gateway.own_users import is_own_user
from holdfast.gateway.reads import carries_data, first_word, may_write
from holdfast.gateway.refusals import error_of
from holdfast.gateway.registry import Registry
from holdfast.gateway.views import names_mentioned
from holdfast.jobs.reply import Warn
from holdfast.mysql.flags import Status
from holdfast.mysql.packets import encode_eof, encode_ok, status_of
from holdfast.mysql.response import Received, ResponseParser, Role
from holdfast.statement.kill import read_kill
from holdfast.values.tenant import CompatibilityMode


@pytest.mark.parametrize(
    ("text", "connection_id", "query_only"),
    [
        (b"kill 7", 7, False),
        (b"KILL QUERY 1879048193;", 1879048193, True),
        (b" \n kill\tconnection /* who */ 12 ; ", 12, False),
        (b"/* app */ -- why\n# and\nkill query 3", 3, True),
    ],
)
def test_kill_is_read_with_its_id_in_place(text: bytes, connection_id: int, query_only: bool) -> None:
    kill = read_kill(text)
    assert kill is not None
    assert (kill.connection_id, kill.query_only) == (connection_id, query_only)
    assert kill.text_for(kill.connection_id) == text
    assert kill.text_for(99) == text.replace(str(connection_id).encode(), b"99")


@pytest.mark.parametrize(
    "text",
    [b"", b"kill", b"kill @id", b"kill 1 + 1", b"kill connection_id()", b"select 'kill 7'", b"killer 7", b"kill 12345678901",
     b"kill query 7; select 1", b"/*!kill 7*/", b"kill" + b" " * 2000 + b"7"],
)  # fmt: skip
def test_what_is_not_plainly_a_kill_is_the_engines(text: bytes) -> None:
    assert read_kill(text) is None


@given(st.binary(max_size=80))
def test_any_text_is_a_kill_or_not(text: bytes) -> None:
    for candidate in (text, b"kill " + text, b"/*" + text):
        kill = read_kill(candidate)
        if kill is not None:
            assert candidate.startswith(kill.before)
            assert candidate.endswith(kill.after)
            assert int(candidate[len(kill.before) : len(candidate) - len(kill.after)]) == kill.connection_id


@pytest.mark.parametrize("piece", [b"/**/", b"-- a\n", b"# b\n", b" ", b"/*!", b"/* a", b"(", b"*/", b"kill "])
def test_hostile_texts_cost_no_more_than_their_length(piece: bytes) -> None:
    """An expression that goes back over comments takes ages for a few dozen of them."""
    started = time.perf_counter()
    for text in (piece * 200 + b"kill?", b"kill " + piece * 190 + b"?", piece * 100_000 + b"?"):
        read_kill(text)
        may_write(text)
        Diagnostics().answer(text, Answer(lambda data: None))
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"select 1", b"select"),
        (b"  ((SELECT 1))", b"select"),
        (b"/* a */ -- b\n# c\n insert", b"insert"),
        (b"/*!40101 set @a = 1 */", b"set"),
        (b"", b""),
        (b"/* never ends", b""),
        (b"?", b""),
    ],
)
def test_first_word_is_found_behind_comments(text: bytes, word: bytes) -> None:
    assert first_word(text) == word


@pytest.mark.parametrize("text", ["select 1", "SHOW tables;", "set @a=1", "explain insert into t values(1)", "use x", "commit",
                                  "rollback ; ", "kill 7", "begin", "start transaction", "desc t"])  # fmt: skip
def test_reads_are_let_through_while_writes_wait(text: str) -> None:
    assert not may_write(text.encode())


@pytest.mark.parametrize("text", ["insert into t values (1)", "update t set a=1", "create table t(i int)", "call p()", "truncate t",
                                  "with x as (select 1) delete from t", "select 1; delete from t", "", "/*!insert*/ into t",
                                  "/* never ends", "load data local infile 'f' into table t"])  # fmt: skip
def test_everything_else_waits(text: str) -> None:
    assert may_write(text.encode())


def test_long_texts_of_data_need_not_be_kept() -> None:
    assert carries_data(b"/* bulk */ INSERT into t values (1)")
    assert not carries_data(b"alter system backup")
    assert not carries_data(b"/* " + b"x" * 1000)


def test_charsets_whose_second_byte_may_be_a_backslash_are_lexed_decoded() -> None:
    assert lexing_codec("utf8mb4") == lexing_codec("binary") == lexing_codec("latin1") == "latin-1"
    assert lexing_codec("GBK") == lexing_codec_of_collation(28) == "gbk"
    assert lexing_codec_of_collation(45) == "latin-1"
    assert "誠'".encode("gbk").decode(lexing_codec("gbk")) == "誠'"


def test_unknown_charset_is_taken_for_utf8() -> None:
    assert charset_named("klingon").encoding == "utf-8"
    assert charset_named("LATIN1").encoding == "cp1252"


def test_refusal_carries_oceanbases_text_and_the_hint() -> None:
    error = error_of(refuse(codes.OB_ERR_NO_PRIVILEGE, "SUPER", hint="ask root"))
    assert (error.number, error.sqlstate) == (1227, "42501")
    assert error.message.endswith("SUPER privilege(s) for this operation (ask root)")


def test_names_mentioned_are_those_of_the_text() -> None:
    names = frozenset({"DBA_OB_BACKUP_JOBS", "V$OB_PARAMETERS"})
    assert names_mentioned("select * from oceanbase.`v$ob_parameters`", names) == ("V$OB_PARAMETERS",)


# --- SHOW WARNINGS


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        (b"show warnings", ["Warning", "Warning", "Error"]),
        (b"SHOW ERRORS;", ["Error"]),
        (b"show warnings limit 2", ["Warning", "Warning"]),
        (b"show warnings limit 1,1", ["Warning"]),
        (b"show warnings limit 1 offset 2", ["Error"]),
        (b"show warnings limit 0", []),
    ],
)
def test_diagnostics_are_shown_as_asked(text: bytes, levels: list[str]) -> None:
    written: list[bytes] = []
    diagnostics = Diagnostics(
        [Warn(number=1, message="a"), Warn(number=2, message="b")], error_of(refuse(codes.OB_ERR_UNEXPECTED, "c"))
    )
    assert diagnostics.answer(text, Answer(written.append))
    rows = [packet.payload for packet in ResponseParser(3).feed(written[0]) if packet.role is Role.ROW]
    assert [row[1 : 1 + row[0]].decode() for row in rows] == levels


@pytest.mark.parametrize(
    "text", [b"show tables", b"show warnings where 1", b"select 'show warnings'", b"show warnings " * 100]
)
def test_other_texts_are_not_asked_of_the_diagnostics(text: bytes) -> None:
    assert not Diagnostics().answer(text, Answer(lambda data: pytest.fail("answered")))


# --- answers


def test_results_of_a_script_are_numbered_through_and_chained() -> None:
    written: list[bytes] = []
    answer = Answer(written.append)
    answer.has_more = True
    answer.ok(affected=1)
    answer.relay([Received(Role.OK, 1, encode_ok(), ends=True)])
    answer.relay([Received(Role.COLUMNS_END, 1, encode_eof()), Received(Role.ROWS_END, 2, encode_eof(), ends=True)])
    answer.has_more = False
    answer.status = Status.AUTOCOMMIT | Status.MORE_RESULTS
    answer.ok()
    data = b"".join(written)
    assert [data[0], data[3]] == [7, 1]
    payloads = [encode_ok(affected=1), encode_ok(), encode_eof(), encode_eof(), encode_ok()]
    at = 0
    for number, payload in enumerate(payloads, 1):
        size = data[at]
        assert data[at + 3] == number
        status = status_of(data[at + 4 : at + 4 + size])
        assert bool(status & Status.MORE_RESULTS) == (number < len(payloads))
        assert size == len(payload)
        at += 4 + size
    assert at == len(data)


# --- ids


@dataclass
class Somebody:
    client_id: int
    tenant_id: int
    engine_connection_id: int
    user: str = "root"


def test_ids_are_high_unique_and_wrap_around_those_in_use() -> None:
    registry: Registry[Somebody] = Registry()
    first = registry.new_id()
    assert first == FIRST_CONNECTION_ID
    registry.add(Somebody(first, 1, 5))
    registry._last_id = LAST_CONNECTION_ID
    assert registry.new_id() == FIRST_CONNECTION_ID + 1
    assert is_gateway_id(first)
    assert not is_gateway_id(5)
    assert not is_gateway_id(LAST_CONNECTION_ID + 1)


def test_connection_is_found_within_its_tenant_only() -> None:
    registry: Registry[Somebody] = Registry()
    one, other = Somebody(FIRST_CONNECTION_ID, 1002, 5), Somebody(FIRST_CONNECTION_ID + 1, 1004, 5)
    registry.add(one)
    registry.add(other)
    assert registry.find(one.client_id, 1002) is one
    assert registry.find(one.client_id, 1004) is None
    assert registry.find(5, 1004) is other
    registry.remove(other.client_id)
    registry.remove(other.client_id)
    assert registry.find(5, 1004) is None


@pytest.mark.parametrize(
    ("mode", "user", "known_as"),
    [
        (CompatibilityMode.ORACLE, "sys", "SYS"),
        (CompatibilityMode.ORACLE, "Sys", "SYS"),
        (CompatibilityMode.ORACLE, "scott", "scott"),
        (CompatibilityMode.ORACLE, "root", "root"),
        (CompatibilityMode.MYSQL, "sys", "sys"),
    ],
)
def test_an_oracle_tenants_administrator_is_known_in_any_case(
    mode: CompatibilityMode, user: str, known_as: str
) -> None:
    assert engine_user(mode, user) == known_as


@pytest.mark.parametrize(
    "name",
    ["__holdfast", "__HOLDFAST", "__Holdfast_restore", "__holdfást", "__holdfast ", " __holdfast", "__hold\u200bfast", "__hold\x01fast",
     "\uff3f\uff3fｈｏｌｄｆａｓｔ", "__holdfaſt"],
)  # fmt: skip
@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16-le", "utf-16-be"])
def test_our_own_users_are_known_however_they_are_spelled(name: str, codec: str) -> None:
    assert is_own_user(name.encode(codec), is_sys=False)
    assert is_own_user(name.encode(codec), is_sys=True)


@pytest.mark.parametrize("name", ["hf_t1002", "HF_T7", "hf_nobody", "Hf_Nobody "])
def test_users_of_the_sys_engine_are_ours_in_sys_alone(name: str) -> None:
    assert is_own_user(name.encode(), is_sys=True)
    assert not is_own_user(name.encode(), is_sys=False)


@pytest.mark.parametrize(
    "name", ["", "root", "holdfast", "_holdfast", "a__holdfast", "hf_t", "hf_t1002x", "hf_test", "наш", "日本"]
)
def test_other_users_are_not_ours(name: str) -> None:
    assert not is_own_user(name.encode(), is_sys=True)


@given(st.binary(max_size=40))
def test_any_name_of_a_user_is_ours_or_not(name: bytes) -> None:
    assert is_own_user(b"__holdfast" + name, is_sys=False)
    is_own_user(name, is_sys=True)
