"""What the lexer and the view substitution rest on, asked of a real engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine_rig import EngineRig, running_engine
from holdfast.engine.session import SqlError
from holdfast.statement.lexer import tokens
from holdfast.statement.views import substitute_views

pytestmark = pytest.mark.live

VIEWS = frozenset({"DBA_OB_BACKUP_JOBS", "DBA_OB_TENANTS"})


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRig]:
    folder: Path = tmp_path_factory.mktemp("statement")
    with running_engine(folder) as rig:
        rig.sql("create database t1002")
        rig.sql("create table test.jobs(JOB_ID bigint, STATUS varchar(20))")
        rig.sql("insert into test.jobs values (7, 'DOING')")
        for view in VIEWS:
            rig.sql(f"create view t1002.{view} as select JOB_ID, STATUS from test.jobs")
        yield rig


def outcome(engine: EngineRig, text: str) -> object:
    """Return the rows of a text, or the number of its error, each on a new session."""
    session = engine.session()
    try:
        return session.query(text)
    except SqlError as error:
        return error.errno
    finally:
        session.close()


@pytest.mark.parametrize(
    "text",
    [
        "select 1 -- x\r+1",
        "select 1 # c\r+1",
        "select 5 --\n+1",
        "select 5 --4",
        "select /*!99999 7*/",
        "select /*!500001*/",
        "select /*! 1 /* b */ + 2 */ + 4",
        "select/**/2*/**/3",
        "select /*/ 9 */ 8",
        "select /*+ parallel(2) */ 6",
        "select 'a' 'b', \"c\"\"d\", 'e''f', 'g\\'h', '--', '/*'",
        "select 1e2, .5, 0x41, 1.e1",
        "select 1e5x",
        "set @a:=1",
        "set @`a`=1, @'b'=2",
        "set @@global . secure_file_priv /* x */ = '/'",
        "set @@global.`secure_file_priv` = '/'",
        "/*!ALTER*/ /*!SYSTEM*/ SET no_such_parameter = 1",
        "alter /*+ hint */ system/*!00000set*/no_such_parameter=1",
        "ſelect 1",
        "se/**/lect 1",
        "`select` 1",
        "select 1;",
    ],
)
def test_engine_reads_our_tokens_as_it_reads_the_text(engine: EngineRig, text: str) -> None:
    plain = " ".join(token.text for token in tokens(text))
    assert outcome(engine, plain) == outcome(engine, text)


@pytest.mark.parametrize(
    ("text", "current_schema"),
    [
        ("SELECT * FROM oceanbase.DBA_OB_BACKUP_JOBS", "test"),
        ("SELECT oceanbase.dba_ob_backup_jobs.JOB_ID, STATUS FROM `oceanbase` . DBA_OB_BACKUP_JOBS", "test"),
        ("SELECT * FROM SYS.DBA_OB_BACKUP_JOBS j WHERE EXISTS (SELECT 1 FROM oceanbase.DBA_OB_TENANTS t WHERE t.JOB_ID = j.JOB_ID)", ""),
        ("WITH a AS (SELECT * FROM oceanbase.DBA_OB_BACKUP_JOBS) SELECT * FROM a", "test"),
        ("SELECT DBA_OB_BACKUP_JOBS.JOB_ID, DBA_OB_BACKUP_JOBS.STATUS FROM DBA_OB_BACKUP_JOBS", "oceanbase"),
        ("SELECT a.* FROM (DBA_OB_BACKUP_JOBS a LEFT JOIN DBA_OB_TENANTS b USING (JOB_ID))", "oceanbase"),
        ("SELECT a.* FROM DBA_OB_BACKUP_JOBS a, DBA_OB_TENANTS DBA_OB_BACKUP_JOBS", "sys"),
        ("WITH DBA_OB_TENANTS AS (SELECT * FROM DBA_OB_TENANTS) SELECT * FROM DBA_OB_TENANTS", "oceanbase"),
        ("WITH c(x) AS (SELECT 1), DBA_OB_TENANTS (a, b) AS (SELECT 7, 'DOING') SELECT a, b FROM c, DBA_OB_TENANTS, DBA_OB_BACKUP_JOBS j",
         "sys"),
        ("(SELECT * FROM oceanbase.DBA_OB_BACKUP_JOBS) UNION SELECT * FROM DBA_OB_TENANTS", "oceanbase"),
        ("SELECT JOB_ID, STATUS FROM DBA_OB_BACKUP_JOBS GROUP BY JOB_ID, STATUS WITH ROLLUP LIMIT 1", "oceanbase"),
        ("SELECT /*! * FROM oceanbase.DBA_OB_BACKUP_JOBS */", "test"),
    ],
)  # fmt: skip
def test_substituted_query_reads_the_view(engine: EngineRig, text: str, current_schema: str) -> None:
    substituted = substitute_views(text, VIEWS, "t1002", current_schema)
    assert substituted is not None
    assert [list(row) for row in outcome(engine, substituted)] == [[7, "DOING"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "current_schema"),
    [
        ("DESC oceanbase.DBA_OB_BACKUP_JOBS", "test"),
        ("DESC DBA_OB_BACKUP_JOBS", "oceanbase"),
        ("SHOW COLUMNS FROM DBA_OB_BACKUP_JOBS FROM oceanbase", "test"),
        ("SHOW COLUMNS IN DBA_OB_BACKUP_JOBS IN SYS", "oceanbase"),
        ("SHOW COLUMNS FROM DBA_OB_BACKUP_JOBS", "oceanbase"),
        ("SHOW CREATE VIEW DBA_OB_BACKUP_JOBS", "oceanbase"),
        ("EXPLAIN SELECT * FROM DBA_OB_BACKUP_JOBS", "oceanbase"),
    ],
)
def test_substituted_description_finds_the_view(engine: EngineRig, text: str, current_schema: str) -> None:
    substituted = substitute_views(text, VIEWS, "t1002", current_schema)
    assert substituted is not None
    assert isinstance(outcome(engine, substituted), list | tuple)
