"""What the gate refuses, in each form that a text can show it in; and what it must not refuse."""

import time
from typing import Any

import pytest

from holdfast.gateway.reads import hides_beginning
from holdfast.statement import gate
from holdfast.statement.gate import Owner, ownership, refusal_of_prepared

KEPT = [
    "drop user __holdfast",
    "drop role __holdfast",
    "rename user `__holdfast` to x",
    "alter user '__HOLDFAST' account lock",
    "revoke super on *.* from __holdfast",
    "alter system set memory_budget = '6G'",
    "alter system set _ob_max_thread_num = 1",
    "alter system set `stack_size` = '20M'",
    "alter system server_role_info = 'STANDBY'",
    "alter system reset datafile_size",
    "set global secure_file_priv = '/'",
    "delete from oceanbase.__all_user",
    "update `oceanbase`.`__all_user` set is_locked = 1",
    "insert into oceanbase.__all_user (user_name) values ('x')",
    "replace into __all_user select * from x",
    "truncate table oceanbase.__all_user",
]


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


@pytest.mark.parametrize("text", KEPT)
@pytest.mark.parametrize(
    "form",
    [
        "{text}",
        "/* a */ {text}",
        "-- a\n{text};",
        "/*!50000 {text} */",
        "prepare p from {quoted}",
        "/* */ PREPARE p FROM /* */ {quoted};",
        "prepare p from {double}",
        "create procedure p() {text}",
        "create or replace definer = 'u'@'h' procedure p() begin {text}; end",
        "create function f() returns int begin if 1 then {text}; end if; return 1; end",
        "create trigger t before insert on x for each row begin prepare p from {quoted}; end",
    ],
)
def test_each_form_that_shows_it_is_refused(text: str, form: str) -> None:
    double = '"' + text.replace('"', '""') + '"'
    whole = form.format(text=text, quoted=quoted(text), double=double)
    assert ownership(whole).owner is Owner.REFUSED
    assert ownership(whole.encode()).owner is Owner.REFUSED


@pytest.mark.parametrize("text", KEPT)
@pytest.mark.parametrize(
    "before",
    [
        "select '\\'; {text}; -- '",  # NO_BACKSLASH_ESCAPES
        'select "\\"; {text}; -- "',  # ANSI_QUOTES with it
    ],
)
def test_a_statement_that_another_sql_mode_would_see_is_refused(text: str, before: str) -> None:
    assert ownership(before.format(text=text)).owner is Owner.REFUSED


def test_a_second_byte_that_looks_like_a_backslash_hides_nothing() -> None:
    assert ownership(b"select '\xbf\\'; drop user __holdfast; -- '").owner is Owner.REFUSED


@pytest.mark.parametrize("text", [f"select 1; {kept}" for kept in KEPT])
def test_one_of_several_is_judged_by_itself(text: str) -> None:
    assert ownership(text).owner is Owner.SCRIPT


@pytest.mark.parametrize("variable", ["@s", "@`s`", "@'s'"])
def test_what_a_variable_holds_is_to_be_asked(variable: str) -> None:
    found = ownership(f"prepare p from {variable}")
    assert (found.owner, found.reason) == (Owner.PREPARE, variable)
    assert ownership(f"set @s = 'x'; prepare p from {variable}; execute p").owner is Owner.SCRIPT


@pytest.mark.parametrize("text", ["kill 5", "KILL QUERY 5;", "/* a */ kill connection 5"])
def test_a_plain_kill_is_let_through_and_prepared_by_nobody(text: str) -> None:
    assert ownership(text).owner is Owner.PASS
    assert refusal_of_prepared(text)


@pytest.mark.parametrize(
    "text",
    [
        "kill 5 + 0",
        "kill @a",
        "kill (select 5)",
        "/*! kill 5 */",
        "kill /*! 5 */",
        "/* " + "x" * 2000 + " */ kill 5",
        "prepare p from 'kill 5'",
        "create procedure p() begin kill 5; end",
        "create procedure p() kill 5",
    ],
)
def test_a_kill_that_does_not_say_whom_is_refused(text: str) -> None:
    assert ownership(text).owner is Owner.REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "prepare p from 'select 1'",
        'prepare p from "insert into t values (?)"',
        "create procedure p() begin update t set a = 1; delete from t; end",
        "create procedure p() begin set @x = 1; alter table t add column kill int; end",
        "create table t (a varchar(20) default 'drop user __holdfast')",
        "insert into t values ('drop user __holdfast; kill 5'); select 2",
        "insert into t values ('oceanbase.__all_user')",
        "insert into t select * from oceanbase.__all_user",
        "select * from oceanbase.__all_user; select 1",
        "select 'it\\'s'; select 2",
        "create user x identified by 'secret'",
        "set @x = 'secure_file_priv'",
        "alter system set syslog_level = 'INFO'",
        "alter system set undo_retention = 100",
        "grant select on test.* to someone",
    ],
)
def test_what_is_a_tenants_own_is_let_through(text: str) -> None:
    assert ownership(text).owner is Owner.PASS


@pytest.mark.parametrize(
    "text",
    [
        "with x as (select 1) delete from oceanbase.__all_user where user_name = '__x'",
        "with x as (select 1) update oceanbase.`__all_user` set is_locked = 0",
        "/*! with */ x as (select 1) delete from oceanbase.__all_user_history",
        "load data infile 'x' into table oceanbase.__all_user",
        "load data local infile 'x' replace into table `oceanbase`.`__ALL_user` fields terminated by ','",
        "create view test.vu as select * from oceanbase.__all_user",
        "create or replace algorithm = merge definer = root@'%' view test.vu as select * from oceanbase.__all_user",
        "alter view test.vu as select * from oceanbase.__all_user",
        "create procedure p() begin with x as (select 1) delete from oceanbase.__all_user; end",
    ],
)
def test_rows_of_the_engines_own_tables_are_nobodys_behind_with_load_and_views_either(text: str) -> None:
    assert ownership(text).owner is Owner.REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "with x as (select * from oceanbase.__all_user) select * from x for update",
        "select * from oceanbase.__all_user",
        "with x as (select 1) delete from mine where a = '__all_'",
        "create view v as select '__all_'",
        "load data infile 'x' into table mine",
    ],
)
def test_reading_them_is_let_through(text: str) -> None:
    assert ownership(text).owner is Owner.PASS


@pytest.mark.parametrize(
    "text",
    [
        "create procedure " * 60 + "system",
        "create procedure " * 7000 + "system",
        "create procedure p() "
        + "prepare a from 'create procedure q() prepare b from \"create procedure r system\"' " * 900,
        "create procedure p() "
        + "prepare a from \"create event prepare b from 'create trigger prepare c from x kill'\" " * 800,
    ],
)
def test_texts_in_texts_cost_no_more_than_a_budget(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Each of n nested CREATE was read again with all those in it, 2^n: a text of a kilobyte held the server for ever."""
    read = 0
    judge = gate._of_one

    def counted(data: bytes, *rest: Any) -> Any:
        nonlocal read
        read += len(data)
        return judge(data, *rest)

    monkeypatch.setattr(gate, "_of_one", counted)
    ownership(text)
    assert read <= len(text) + gate.INNER_CHARACTERS_MAX


def test_what_is_too_deep_is_refused_and_not_passed() -> None:
    text = "select 1"
    for _ in range(6):
        text = "prepare s from " + "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    assert ownership(text).owner is Owner.REFUSED
    assert ownership("prepare s from '" + "x" * 1_000_000 + "'").owner is Owner.PASS


def test_a_long_body_is_judged_within_seconds() -> None:
    body = "create procedure p() begin " + "set system = 1 " * 20_000 + "; end"
    begin = time.process_time()
    ownership(body)
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    ("head", "hides"),
    [
        (b"insert into t values (", False),
        (b"/* ours */ select '", False),
        (b"create table t (", False),
        (b"create or replace view v as", False),
        (b"alter table t add partition (", False),
        (b"set @x = '", False),
        (b"/* " + b"x" * 1000, True),
        (b"/*!50000 drop user __holdfast */", True),
        (b"drop user __holdfast /*", True),
        (b"alter system set memory_budget = '6G' /*", True),
        (b"set global secure_file_priv = '/' /*", True),
        (b"set @@global.secure_file_priv = '/' /*", True),
        (b"prepare p from '", True),
        (b"kill 5 /*", True),
        (b"create user x", True),
        (b"", True),
    ],
)
def test_a_text_too_long_to_be_read_begins_with_nothing_that_is_refused(head: bytes, hides: bool) -> None:
    assert hides_beginning(head) is hides
