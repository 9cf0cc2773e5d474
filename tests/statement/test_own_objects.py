"""Nothing of Holdfast's own in the sys engine is changed by a text that shows it; reading, copying and granting a view are anybody's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.catalog.views import SYS_VIEW_SCHEMAS
from holdfast.statement.own_objects import hides_its_target, is_own_schema, may_touch, mentions, touched

VIEWS = frozenset(SYS_VIEW_SCHEMAS)

TOUCHING = (
    "create view test.v as select * from oceanbase.CDB_OB_BACKUP_TASKS",
    "create view test.v as select * from (select * from oceanbase.CDB_OB_BACKUP_TASKS limit 1) x",
    "DROP VIEW oceanbase.CDB_OB_BACKUP_TASKS",
    "drop view `oceanbase` . `cdb_ob_backup_tasks`",
    "drop view mydb.x, oceanbase.CDB_OB_BACKUP_TASKS",
    "drop view if exists CDB_OB_BACKUP_TASKS",
    "DROP TABLE __holdfast.backup_set",
    "drop database __holdfast",
    "drop schema if exists t1002",
    "use __holdfast",
    "use `t1002`",
    "ALTER TABLE __holdfast.backup_set ADD x int",
    "rename table __holdfast.backup_set to test.x",
    "rename table test.x to oceanbase.CDB_OB_BACKUP_TASKS",
    "truncate table __holdfast.pin",
    "truncate __holdfast.pin",
    "insert into __holdfast.pin values (1)",
    "insert ignore into oceanbase.CDB_OB_BACKUP_PINS(NOTE) values (1)",
    "replace __holdfast.pin values (1)",
    "update __holdfast.pin set note='x'",
    "update oceanbase.CDB_OB_BACKUP_PINS set note='x'",
    "update test.a join __holdfast.pin p on 1 set p.note = 1",
    "delete from __holdfast.pin",
    "delete p from __holdfast.pin p",
    "with x as (select 1) delete from __holdfast.pin",
    "create or replace view oceanbase.CDB_OB_BACKUP_TASKS as select 1",
    "create or replace algorithm=merge definer=root@'%' sql security invoker view oceanbase.CDB_OB_BACKUP_TASKS as select 1",
    "create view test.v as select * from __holdfast.pin",
    "create trigger test.t before insert on __holdfast.pin for each row set @a=1",
    "grant all on __holdfast.* to u",
    "grant insert on oceanbase.CDB_OB_BACKUP_TASKS to u",
    "grant select on __holdfast.pin to u",
    "drop user hf_t1002",
    "alter user 'hf_t1002'@'%' identified by 'x'",
    "grant all on *.* to hf_t1002",
    "prepare p from 'drop view oceanbase.CDB_OB_BACKUP_TASKS'",
    "prepare p from 'drop table __hold\\fast.pin'",
    "create procedure test.p() begin drop view oceanbase.CDB_OB_BACKUP_TASKS; end",
    "create procedure test.p() delete from __holdfast.pin",
    "create procedure test.p() begin prepare s from 'drop view oceanbase.CDB_OB_BACKUP_TASKS'; execute s; end",
    "create event e on schedule every 1 day do truncate table __holdfast.pin",
    "select 1; drop view oceanbase.CDB_OB_BACKUP_TASKS",
    "/*!drop view oceanbase.CDB_OB_BACKUP_TASKS*/",
    "/* x */ drop /* y */ view /* z */ oceanbase/**/./**/CDB_OB_BACKUP_TASKS",
    "select * from __holdfast.tenant for update",
    "select * from oceanbase.CDB_OB_BACKUP_PINS lock in share mode",
    "create table test.c(i int, foreign key (i) references __holdfast.tenant(tenant_id))",
    "lock tables __holdfast.pin write",
    "drop table __holdfást.pin",
    "drop view oceanbase.CDB_OB_BÁCKUP_TASKS",
    "create table __holdfast.x (i int)",
    "create table if not exists oceanbase.CDB_OB_BACKUP_TASKS(i int)",
    "create index i on __holdfast.pin(note)",
    "load data infile 'x' into table __holdfast.pin",
    "fork table __holdfast.pin to test.x",
    "comment on table __holdfast.pin is 'x'",
    "drop index i on __holdfast.pin",
    "alter view oceanbase.CDB_OB_BACKUP_TASKS as select 1",
    "create user hf_t1002",
    "set password for hf_t1002 = 'x'",
    "revoke select on t1002.* from hf_t1002",
    "call test.run('drop view oceanbase.CDB_OB_BACKUP_TASKS')",
    "DROP VIEW `OceanBase`.`DBA_OB_TENANTS`",
    "replace into t1002.DBA_OB_TENANTS values (1)",
    "alter database __holdfast default character set latin1",
    "drop trigger __holdfast.t",
    "create definer = root procedure __holdfast.p() select 1",
    "alter event e do truncate __holdfast.pin",
    "(select * from __holdfast.tenant) for update",
    "with a as (select 1) update __holdfast.pin set note = 1",
    "explain analyze select 1; truncate table __holdfast.pin",
)

HARMLESS = (
    "select * from oceanbase.CDB_OB_BACKUP_TASKS",
    "select * from __holdfast.tenant",
    "insert into test.x select * from oceanbase.CDB_OB_BACKUP_TASKS",
    "insert into test.x values ('__holdfast', 'drop view oceanbase.CDB_OB_BACKUP_TASKS')",
    "create table test.x as select * from oceanbase.CDB_OB_BACKUP_TASKS",
    "create table test.x like __holdfast.pin",
    "create view test.v as select distinct * from oceanbase.CDB_OB_BACKUP_TASKS",
    "create view test.v as select * from oceanbase.CDB_OB_BACKUP_TASKS limit 10",
    "grant select on oceanbase.CDB_OB_BACKUP_TASKS to u",
    "grant select on oceanbase.* to u",
    "grant all on *.* to u",
    "revoke select on __holdfast.* from u",
    "update test.x set a = (select count(*) from oceanbase.CDB_OB_BACKUP_TASKS)",
    "delete from test.x where a in (select 1 from __holdfast.tenant)",
    "drop view test.CDB_OB_BACKUP_TASKS",
    "create procedure test.p() select * from oceanbase.CDB_OB_BACKUP_TASKS",
    "set @a = (select count(*) from oceanbase.CDB_OB_BACKUP_TASKS)",
    "drop table test.t1002",
    "create table t1002 (i int)",
    "prepare p from 'select * from oceanbase.CDB_OB_BACKUP_TASKS'",
    "show create view oceanbase.CDB_OB_BACKUP_TASKS",
    "drop user bob",
    "use oceanbase",
    "analyze table __holdfast.pin",
    "alter system set data_backup_dest = '' tenant = t1002",
    "explain update test.x set a = 1",
    "call test.run('select 1')",
    "set password for bob = 'x'",
    "select * from oceanbase.CDB_OB_BACKUP_TASKS where COMMENT = 'for'",
    "delete from test.t1002",
    "insert into t1002 values (1)",
    "drop user t1002",
)


@pytest.mark.parametrize("text", TOUCHING)
def test_a_text_that_would_change_what_is_ours_is_told(text: str) -> None:
    assert may_touch(text.encode())
    assert touched(text, VIEWS)


@pytest.mark.parametrize("text", HARMLESS)
def test_a_text_that_reads_or_is_about_other_things_passes(text: str) -> None:
    assert not touched(text, VIEWS)


@pytest.mark.parametrize("text", TOUCHING)
@pytest.mark.parametrize("form", ["/* a */ {}", "{};", "select 1; {}", "-- a\n{}", "set @a = 1;{};select 2"])
def test_neither_comments_nor_neighbours_hide_it(text: str, form: str) -> None:
    found = form.format(text)
    assert may_touch(found.encode())
    assert touched(found, VIEWS)


def test_plain_questions_are_not_looked_at_closely() -> None:
    """They are asked often, and each closer look costs a question to the engine."""
    for text in (
        "select * from oceanbase.CDB_OB_BACKUP_JOBS",
        "show create view oceanbase.CDB_OB_BACKUP_JOBS",
        "select 1",
    ):
        assert not may_touch(text.encode())
    assert not may_touch(b"insert into test.t values (1)")


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    touched(text, VIEWS)
    may_touch(text.encode("utf-8", "surrogatepass"))
    hides_its_target(text)


def test_schemas_of_ours_are_known_in_every_spelling() -> None:
    for name in ("__holdfast", "__HOLDFAST", "__holdfást", "t1002", "T1002"):
        assert is_own_schema(name)
    for name in ("test", "oceanbase", "t1", "t0999", "t10x", ""):
        assert not is_own_schema(name)


def test_the_beginning_of_a_long_text_that_is_all_comment_says_nothing() -> None:
    assert hides_its_target("insert /* " + "x" * 1000)
    assert not hides_its_target("insert into t values ('" + "x" * 1000)


def test_a_name_of_ours_is_found_in_any_bytes() -> None:
    assert mentions(b"...; drop view oceanbase.cdb_ob_backup_tasks", VIEWS)
    assert mentions(b"__Holdfast.pin", VIEWS)
    assert not mentions(b"x_ob_y __hold fast CDB_OB_NO_VIEW", VIEWS)
