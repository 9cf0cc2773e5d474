"""Queries on dictionary views: another schema before the view's name, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import RefusedError
from holdfast.statement.views import schemas_named, substitute_views

NAMES = frozenset({"DBA_OB_BACKUP_JOBS", "DBA_OB_TENANTS", "V$OB_PARAMETERS"})


def substitute(text: str, current_schema: str = "test") -> str | None:
    return substitute_views(text, NAMES, "t1002", current_schema)


# `<` marks where a schema was replaced or put in: `<oceanbase` becomes `t1002`, a lone `<` becomes `t1002.`.
@pytest.mark.parametrize(
    "marked",
    [
        "SELECT * FROM <oceanbase.DBA_OB_BACKUP_JOBS",
        "SELECT * FROM <oceanbase . DBA_OB_BACKUP_JOBS j JOIN <SYS.dba_ob_tenants t ON j.TENANT_ID = t.TENANT_ID",
        "SELECT * FROM <`oceanbase`.`DBA_OB_BACKUP_JOBS` AS `oceanbase`",
        "SELECT <oceanbase.DBA_OB_BACKUP_JOBS.STATUS FROM <OceanBase./* why */DBA_OB_BACKUP_JOBS",
        "SELECT 'oceanbase.DBA_OB_BACKUP_JOBS', \"oceanbase.DBA_OB_TENANTS\" FROM <oceanbase.DBA_OB_BACKUP_JOBS",
        "SELECT 1 /* oceanbase.DBA_OB_TENANTS */ FROM <oceanbase.DBA_OB_BACKUP_JOBS -- oceanbase.DBA_OB_TENANTS",
        "SELECT DATE_FORMAT(a, '%H:%i:%s'), if(1, 2, 3) FROM <oceanbase.DBA_OB_BACKUP_JOBS",
        "SELECT a IN (SELECT b FROM <oceanbase.DBA_OB_TENANTS) FROM t UNION ALL SELECT * FROM <oceanbase.V$OB_PARAMETERS",
        "SELECT * FROM <oceanbase.DBA_OB_BACKUP_JOBS FOR UPDATE",
        "SELECT * FROM <oceanbase.DBA_OB_BACKUP_JOBS INTO OUTFILE 'x.csv'",
        "SELECT * FROM <oceanbase.DBA_OB_BACKUP_JOBS AS OF SNAPSHOT 1",
        "WITH a AS (SELECT * FROM <oceanbase.DBA_OB_BACKUP_JOBS) SELECT * FROM a",
        "DESC <oceanbase.DBA_OB_BACKUP_JOBS",
        "EXPLAIN SELECT * FROM <oceanbase.DBA_OB_BACKUP_JOBS",
        "SHOW COLUMNS FROM <oceanbase.DBA_OB_BACKUP_JOBS LIKE 'S%'",
        "SHOW COLUMNS FROM DBA_OB_BACKUP_JOBS FROM <oceanbase",
        "SHOW FULL FIELDS IN `dba_ob_backup_jobs` IN <`OCEANBASE` WHERE 1",
        "SHOW INDEX FROM DBA_OB_BACKUP_JOBS FROM <sys",
        "SHOW CREATE VIEW <oceanbase.DBA_OB_BACKUP_JOBS",
        "(SELECT * FROM <oceanbase.DBA_OB_BACKUP_JOBS)",
        "SELECT /*! * FROM <oceanbase.DBA_OB_BACKUP_JOBS */",
        "SELECT * FROM t, <oceanbase.DBA_OB_TENANTS, oceanbase.something_else, x.DBA_OB_TENANTS",
        "SELECT x.oceanbase.DBA_OB_TENANTS FROM <oceanbase.DBA_OB_TENANTS",
    ],
)
@pytest.mark.parametrize("current_schema", ["test", "oceanbase", "SYS", ""])
def test_written_out_schema_is_replaced(marked: str, current_schema: str) -> None:
    text = marked.replace("<", "")
    expected = marked
    for schema in ("`oceanbase`", "`OCEANBASE`", "oceanbase", "OceanBase", "SYS", "sys"):
        expected = expected.replace("<" + schema, "t1002")
    assert substitute(text, current_schema) == expected


@pytest.mark.parametrize(
    "marked",
    [
        "SELECT * FROM <DBA_OB_BACKUP_JOBS",
        "select * from <`dba_ob_backup_jobs` j, <DBA_OB_TENANTS t, (select 1) s where j.a = t.a",
        "SELECT DBA_OB_BACKUP_JOBS.STATUS FROM <DBA_OB_BACKUP_JOBS WHERE DBA_OB_BACKUP_JOBS.JOB_ID IN (1, 2)",
        "SELECT * FROM (<DBA_OB_BACKUP_JOBS a LEFT JOIN <DBA_OB_TENANTS b USING (TENANT_ID)), <V$OB_PARAMETERS",
        "SELECT (SELECT count(*) FROM <DBA_OB_TENANTS), DBA_OB_BACKUP_JOBS FROM t ORDER BY a, DBA_OB_BACKUP_JOBS",
        "SELECT * FROM <DBA_OB_BACKUP_JOBS AS DBA_OB_TENANTS",
        "SELECT * FROM <DBA_OB_BACKUP_JOBS DBA_OB_TENANTS, x",
        "WITH DBA_OB_TENANTS AS (SELECT * FROM <DBA_OB_TENANTS) SELECT * FROM DBA_OB_TENANTS, <DBA_OB_BACKUP_JOBS",
        "WITH RECURSIVE DBA_OB_TENANTS AS (SELECT * FROM DBA_OB_TENANTS) SELECT * FROM DBA_OB_TENANTS, <DBA_OB_BACKUP_JOBS",
        "WITH a(x, y) AS (SELECT 1, 2), `dba_ob_tenants` (z) AS (SELECT 3) SELECT * FROM a, DBA_OB_TENANTS, <V$OB_PARAMETERS",
        "SELECT * FROM (WITH DBA_OB_TENANTS AS (SELECT 1) SELECT * FROM DBA_OB_TENANTS) s JOIN <DBA_OB_TENANTS t",
        "SELECT a FROM <DBA_OB_TENANTS GROUP BY a WITH ROLLUP HAVING a IN (SELECT a FROM <DBA_OB_TENANTS)",
        "DESCRIBE <DBA_OB_BACKUP_JOBS",
        "SHOW COLUMNS FROM <DBA_OB_BACKUP_JOBS",
        "SHOW INDEX IN <DBA_OB_BACKUP_JOBS",
        "SHOW CREATE VIEW <DBA_OB_BACKUP_JOBS",
        "TABLE <DBA_OB_BACKUP_JOBS",
        "EXPLAIN SELECT * FROM <DBA_OB_BACKUP_JOBS",
        "SELECT * FROM t STRAIGHT_JOIN <DBA_OB_BACKUP_JOBS",
        "SELECT EXTRACT(YEAR FROM DBA_OB_BACKUP_JOBS.START_TIMESTAMP) FROM <DBA_OB_BACKUP_JOBS",
    ],
)
@pytest.mark.parametrize("current_schema", ["oceanbase", "OceanBase", "sys"])
def test_bare_name_counts_where_a_table_stands_in_the_views_schema(marked: str, current_schema: str) -> None:
    text = marked.replace("<", "")
    assert substitute(text, current_schema) == marked.replace("<", "t1002.")
    assert substitute(text, "test") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT 1",
        "SELECT * FROM oceanbase.DBA_OB_OTHER",
        "SELECT 'oceanbase.DBA_OB_BACKUP_JOBS'",
        "SELECT * FROM mine.DBA_OB_BACKUP_JOBS",
        "SELECT a.oceanbase FROM a",
        "SELECT oceanbase. FROM DBA_OB_BACKUP_JOBS_2",
        "SHOW TABLES FROM oceanbase LIKE 'DBA_OB_%'",
        "SELECT * FROM 'oceanbase.DBA_OB_BACKUP_JOBS",
        "(" * 2000 + "DBA_OB_BACKUP_JOBS",
    ],
)
@pytest.mark.parametrize("current_schema", ["test", "oceanbase"])
def test_text_without_a_view_is_left_alone(text: str, current_schema: str) -> None:
    assert substitute(text, current_schema) is None


@given(
    st.lists(
        st.sampled_from(["SELECT", "FROM", ",", "(", ")", "DBA_OB_TENANTS", "oceanbase", ".", "WITH", "AS", "x", "'y'"])
    ).map(" ".join)
)
def test_no_text_breaks_the_substitution(text: str) -> None:
    """Whatever the order of the words, only schemas change: without them, text before and after are the same."""
    found = substitute(text, "oceanbase")
    if found is not None:
        assert found.replace("t1002.", "").replace("t1002", "oceanbase") == text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("select a, b from v where c = 1.5 and d in (.5, 1.)", set()),
        ("select j.a from t1002.v j", {"j", "t1002"}),
        ("with x as (select * from t1004 . v) select x.* from x", {"t1004", "x"}),
        ("select * from `a``b`.`c`, /* d.e */ f/**/./**/g -- h.i", {"a`b", "f"}),
        ("select 'k.l', \"m\".n from /*!o.p */", {"m", "o"}),
        ("select def.q.r, 's' .t", {"def", "s"}),
        ("select * from 1004.v, 5db.w, größe.z", {"1004", "5db", "größe"}),
        ("select u.5 from u.1e5", {"u"}),
        ("select @@global.x, @y.z", set()),
        ("select 'never ends .", set()),
    ],
)
def test_names_before_dots_are_found(text: str, named: set[str]) -> None:
    assert schemas_named(text) == named


@given(st.text(alphabet="ab.`'\"\\/*!-# \nwith", max_size=60))
def test_any_text_has_its_names(text: str) -> None:
    assert all(name in text.replace("``", "`") or "'" in text or '"' in text for name in schemas_named(text))


@pytest.mark.parametrize("what", ["VARIABLES", "STATUS", "FULL TABLES FROM oceanbase", "DATABASES"])
def test_a_subquery_in_show_is_refused(what: str) -> None:
    with pytest.raises(RefusedError):
        substitute(f"SHOW {what} WHERE exists (select 1 from oceanbase.DBA_OB_TENANTS)")


@pytest.mark.parametrize("name", ["processlist", "`PROCESSLIST`", "processlíst", "`procesßlist`"])
def test_the_process_list_beside_a_view_is_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        substitute(f"select * from oceanbase.DBA_OB_TENANTS, information_schema.{name}")
