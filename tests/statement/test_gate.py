"""Whose statement it is, decided cheaply and the same for bytes and text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statement_manual import MANUAL

from holdfast.statement import lexer
from holdfast.statement.commands import NotOurs, ParameterAssignments, ResetParameters
from holdfast.statement.gate import Owner, Ownership, is_plain, ownership

VIEWS = frozenset({"DBA_OB_BACKUP_JOBS", "DBA_OB_TENANTS", "V$OB_PARAMETERS"})


def owner_of(text: str) -> Owner:
    """Return the owner, having checked that bytes and text agree."""
    found = ownership(text, VIEWS)
    assert ownership(text.encode(), VIEWS) == found
    assert bool(found.reason) == (found.owner is Owner.REFUSED)
    return found.owner


@pytest.mark.parametrize(
    "text", [text for text, command in MANUAL if not isinstance(command, ParameterAssignments | ResetParameters)]
)
def test_statement_of_the_manual_is_ours(text: str) -> None:
    assert owner_of(text) is Owner.OURS


@pytest.mark.parametrize("text", [text for text, command in MANUAL if isinstance(command, NotOurs)])
def test_leftover_of_the_old_grammar_is_answered_here(text: str) -> None:
    assert owner_of(text) is Owner.OURS


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ";",
        "-- comment",
        "/* comment */",
        "SELECT * FROM t WHERE id = 1",
        "SELECT * FROM t WHERE id = 1;",
        "INSERT INTO t VALUES ('ALTER SYSTEM BACKUP DATABASE; SHOW PARAMETERS')",
        "select 'oceanbase.DBA_OB_NOTHING'",
        "select * from job_ob_list",
        "begin; select 1; commit",
        "update t set a = 'x;y' where system = 1; select 2",
        "ALTER TABLE t ADD COLUMN system int",
        "ALTER SYSTEM MAJOR FREEZE",
        "ALTER SYSTEM MINOR FREEZE",
        "ALTER SYSTEM CHECKPOINT",
        "ALTER SYSTEM CANCEL TTL",
        "ALTER SYSTEM DELETE SERVER '127.0.0.1:2882'",
        "ALTER SYSTEM ADD SERVER '127.0.0.1:2882'",
        "ALTER SYSTEM DROP TABLES IN SESSION 1",
        "ALTER SYSTEM SUSPEND MERGE",
        "ALTER SYSTEM SET enable_sql_audit = true",
        "ALTER SYSTEM SET enable_sql_audit = 'memory_budget'",
        "ALTER SYSTEM enable_sql_audit = true, trace_log_slow_query_watermark = '1s'",
        "ALTER SYSTEM RESET enable_sql_audit",
        "ALTER SYSTEM BAKCUP DATABASE",
        "ALTER SYSTEM",
        "ALTER USER u IDENTIFIED BY '__holdfast_not'",
        "SET NAMES utf8mb4",
        "SET encryption = 1",
        "SET @a = @@secure_file_priv",
        "SET @a = 'secure_file_priv = 1'",
        "SET PASSWORD = 'x'",
        "SHOW TABLES",
        "SHOW VARIABLES LIKE 'secure_file_priv'",
        "CREATE TABLE tenant (a int)",
        "CREATE TABLE __holdfast (a int)",
        "CREATE USER u",
        "DROP TABLE resource",
        "DROP USER u, v",
        "GRANT SELECT ON *.* TO u",
        "CREATE PROCEDURE p() BEGIN ALTER SYSTEM ARCHIVELOG; END",
        "INSERT INTO t SELECT * FROM oceanbase.DBA_OB_BACKUP_JOBS",
        "PREPARE s FROM 'ALTER SYSTEM BACKUP DATABASE'",
        "\xff\xfe",
        "名前",
    ],
)
def test_statement_of_the_engine_passes(text: str) -> None:
    assert owner_of(text) is Owner.PASS


@pytest.mark.parametrize(
    "text",
    [
        "alter system backup database",
        " \n\t/* a *//* b */ -- c\n# d\n ;; ALTER/**/SYSTEM/* */BACKUP DATABASE ; ; -- end\n",
        "/*! ALTER SYSTEM BACKUP DATABASE */",
        "/*!50000 ALTER */ SYSTEM BACKUP DATABASE",
        "ALTER /*!SYSTEM*/ BACKUP DATABASE",
        "ALTER # x\n SYSTEM BACKUP DATABASE",
        "ALTER SYSTEM SET ha_low_thread_score = 10",
        "ALTER SYSTEM SET HA_LOW_THREAD_SCORE 10",
        "ALTER SYSTEM SET `archive_lag_target` = '1s'",
        "ALTER SYSTEM ha_low_thread_score = 10",
        "ALTER SYSTEM RESET ha_low_thread_score",
        "ALTER SYSTEM SET enable_sql_audit = true, ddl_thread_score = 1",
        "ALTER SYSTEM SET enable_sql_audit = true TENANT = t",
        "ALTER SYSTEM RESET enable_sql_audit TENANT = t",
        "ALTER SYSTEM BACKUP DATABASE PLUS",
        "SET ENCRYPTION ON IDENTIFIED",
        "SHOW PARAMETERS LIKE 'x;y'",
    ],
)
def test_statement_of_ours_is_found_however_it_is_written(text: str) -> None:
    assert owner_of(text) is Owner.OURS


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM oceanbase.DBA_OB_BACKUP_JOBS",
        "select * from oceanbase.`dba_ob_backup_jobs`;",
        "(select * from oceanbase.DBA_OB_TENANTS)",
        "with x as (select 1) select * from dba_ob_tenants, x",
        "select * from oceanbase.v$ob_parameters",
        "desc oceanbase.DBA_OB_BACKUP_JOBS",
        "EXPLAIN SELECT * FROM oceanbase.DBA_OB_BACKUP_JOBS",
        "SHOW COLUMNS FROM DBA_OB_BACKUP_JOBS FROM oceanbase",
        "SHOW CREATE VIEW oceanbase.DBA_OB_BACKUP_JOBS",
        "/*! select * from oceanbase.DBA_OB_BACKUP_JOBS */",
    ],
)
def test_query_that_names_a_view_is_found(text: str) -> None:
    assert owner_of(text) is Owner.VIEW
    assert ownership(text).owner is Owner.PASS


@pytest.mark.parametrize(
    "text",
    [
        "ALTER SYSTEM SET mysql_port = 3306",
        "ALTER SYSTEM SET MYSQL_PORT 3306",
        "alter system mysql_port=3306",
        "ALTER SYSTEM /*!SET*/ `mysql_port` = 3306",
        "ALTER SYSTEM SET enable_sql_audit = true, memory_budget = '8G'",
        "ALTER SYSTEM SET memory_budget = '8G' TENANT = t",
        "ALTER SYSTEM SET ha_low_thread_score = 1, log_disk_size = '1G'",
        "ALTER SYSTEM SET rpc_port = 1 SCOPE = SPFILE",
        "ALTER SYSTEM SET data_dir = '/tmp'",
        "ALTER SYSTEM SET datafile_maxsize = '1T'",
        "ALTER SYSTEM RESET memory_budget",
        "ALTER SYSTEM RESET enable_sql_audit, mysql_port",
        "SET GLOBAL secure_file_priv = '/'",
        "set @@global.secure_file_priv := '/'",
        "SET @@GLOBAL.`secure_file_priv` = '/'",
        "SET GLOBAL `secure_file_priv` = '/'",
        "SET autocommit = 1, GLOBAL SECURE_FILE_PRIV='/'",
        "DROP USER __holdfast",
        "DROP USER __holdfast_restore",
        "ALTER USER __Holdfast_Restore@'%' REQUIRE NONE",
        "DROP USER IF EXISTS u, '__holdfast'@'%'",
        "ALTER USER `__holdfast` IDENTIFIED BY 'x'",
        "RENAME USER __HOLDFAST TO me",
        "CREATE USER __holdfast",
        "SET PASSWORD FOR '__holdfast' = 'x'",
        "GRANT SELECT ON *.* TO __holdfast",
        "REVOKE ALL PRIVILEGES ON *.* FROM '__holdfast'@'localhost'",
        "/*! DROP USER __holdfast */",
    ],
)
def test_statement_that_would_take_the_engine_away_is_refused(text: str) -> None:
    assert owner_of(text) is Owner.REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "select 1; ALTER SYSTEM BACKUP DATABASE",
        "ALTER SYSTEM BACKUP DATABASE; select 1;",
        "select 1; select * from oceanbase.DBA_OB_BACKUP_JOBS",
        "begin; SET GLOBAL secure_file_priv = '/'",
        "select 1;/*! DROP USER __holdfast */;",
        "select 1; SHOW PARAMETERS",
        "select 1; /*!drop*/ user __holdfast",
    ],
)
def test_several_statements_with_one_that_is_not_the_engines_are_a_script(text: str) -> None:
    assert owner_of(text) is Owner.SCRIPT


def test_refusal_says_what_is_refused() -> None:
    assert "mysql_port" in ownership("ALTER SYSTEM SET mysql_port = 1").reason
    assert "secure_file_priv" in ownership("SET GLOBAL secure_file_priv = ''").reason
    assert "__holdfast" in ownership("DROP USER __holdfast").reason


@given(st.binary(max_size=60))
def test_any_bytes_have_an_owner(data: bytes) -> None:
    assert ownership(data, VIEWS).owner in Owner
    assert ownership(b"alter system set " + data, VIEWS).owner in Owner
    assert ownership(b"/*!" + data + b"; drop user " + data, VIEWS).owner in Owner


BITS = (
    b"select |insert into t values |update t set |alter |set |system |;|'|/*|*/|/*!|--\n|_ob_|DBA_OB_TENANTS|__all_user|__holdfast"
    b"|kill| with |prepare s from |a|(|show |explain "
).split(b"|")


@given(st.lists(st.one_of(st.sampled_from(BITS), st.binary(max_size=3)), max_size=8).map(b"".join))
def test_what_is_plain_passes_whatever_the_views_and_is_not_lexed(data: bytes) -> None:
    for text in (data, data + b" " * 8192):
        if is_plain(text):
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(lexer, "_TOKEN", None)
                assert ownership(text, VIEWS) == Ownership(Owner.PASS)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("select 1", True), ("/* x */ insert into t values ('a;b')", True), ("select 1; select 2;", True), ("", True),
     ("update t set a = 'system'", True), ("with x as (select 1) select * from x", True), ("explain select 1", True),
     ("select * from DBA_OB_TENANTS", False), ("select 1; alter system x", False), ("/*! alter system x */", False),
     ("update __all_user set a = 1", False), ("set a = 1", False), ("create table t(a int)", False), ("kill 1", False)],
)  # fmt: skip
def test_data_and_queries_are_plain(text: str, *, plain: bool) -> None:
    assert is_plain(text.encode()) is plain


UNCOMMENTED = [text for text, _ in MANUAL if not set("'\"#/-") & set(text)]


@pytest.mark.parametrize("blank", ["  ", "\n", "/* x */", " -- x\n", "/**/", " # x\r"])
def test_blanks_and_comments_between_words_change_nothing(blank: str) -> None:
    assert len(UNCOMMENTED) > 40
    for text in UNCOMMENTED:
        assert owner_of(blank + blank.join(text.split(" "))) is owner_of(text)


@pytest.mark.parametrize(
    "text",
    [b"(" * 200_000, b"/*" * 100_000, b"/**/" * 50_000, b" " * 200_000 + b"x", b"a_ob_" * 40_000, b"select " + b"a" * 200_000 + b"_ob_",
     b";" * 200_000, b"select ';" + b"_ob_" * 50_000, b"--\n" * 60_000, b"alter system set " + b"a=1," * 40_000,
     b"/*!" * 60_000 + b"system"],
    ids=lambda text: text[:12].decode(),
)  # fmt: skip
def test_hostile_text_takes_linear_time(text: bytes) -> None:
    """The bound is loose for a busy machine: a quadratic search would take minutes."""
    begin = time.process_time()
    ownership(text, VIEWS)
    assert time.process_time() - begin < 2


def test_point_select_passes_within_microseconds() -> None:
    """Measured 0.6 us; the bound only catches a stage that became an order of magnitude dearer."""
    text = b"SELECT c FROM sbtest1 WHERE id=500123"
    begin = time.process_time()
    for _ in range(20_000):
        ownership(text, VIEWS)
    assert (time.process_time() - begin) / 20_000 < 20e-6
