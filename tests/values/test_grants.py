"""What rows of SHOW GRANTS allow, and what only looks as if it did."""

import pytest

from holdfast.values.grants import EVERYTHING, NOTHING, Right, parse_grants

VIEW = ("oceanbase", "DBA_OB_BACKUP_JOBS")


@pytest.mark.parametrize(
    ("grant", "allows"),
    [
        ("GRANT ALL PRIVILEGES ON *.* TO 'root' WITH GRANT OPTION", True),
        ("GRANT ALTER SYSTEM ON *.* TO 'u1'", True),
        ("GRANT SUPER, ALTER SYSTEM ON *.* TO 'u1'", True),
        ("GRANT CREATE USER, SUPER ON *.* TO 'u1'", True),
        ("GRANT ALL PRIVILEGES ON `test`.* TO 'root'", False),
        ("GRANT ALTER, SELECT ON *.* TO 'u1'", False),
        ("GRANT USAGE ON *.* TO 'u1'", False),
        ("GRANT ALTER TENANT ON *.* TO 'u1'", False),
        ("GRANT SELECT ON `GRANT SUPER ON *.* TO `.* TO 'u1'", False),
        ("GRANT SELECT ON *.* TO 'ALTER SYSTEM ON *.* TO '", False),
        ("GRANT SELECT ON *.* TO ', ALTER SYSTEM ON *.* TO '", False),
        ("GRANT CREATE RESOURCE POOL ON *.* TO 'u1'", False),
        ("GRANT SELECT(`a), ALL PRIVILEGES ON *.* TO `) ON `test`.`t` TO 'u1'", False),
        ("GRANT SELECT ON `, ALL PRIVILEGES ON *.* TO `.* TO 'u1'", False),
    ],
)
def test_grant_that_allows_alter_system(grant: str, allows: bool) -> None:
    assert parse_grants([grant]).allow(Right.ALTER_SYSTEM) is allows


@pytest.mark.parametrize("right", Right)
def test_a_right_is_allowed_by_its_name_by_super_and_by_all(right: Right) -> None:
    assert parse_grants([f"GRANT {right} ON *.* TO 'u'"]).allow(right)
    assert parse_grants(["GRANT SUPER ON *.* TO 'u'"]).allow(right)
    assert EVERYTHING.allow(right)
    others = ", ".join(other for other in Right if other not in {right, Right.SUPER})
    assert not parse_grants([f"GRANT SELECT, {others} ON *.* TO 'u'"]).allow(right)
    assert not NOTHING.allow(right)


@pytest.mark.parametrize(
    ("grant", "sees"),
    [
        ("GRANT SELECT ON *.* TO 'u'", True),
        ("GRANT ALL PRIVILEGES ON *.* TO 'u' WITH GRANT OPTION", True),
        ("GRANT SELECT ON `oceanbase`.* TO 'u'", True),
        ("GRANT INSERT, SELECT ON `OceanBase`.* TO 'u'", True),
        ("GRANT SELECT ON `ocean%`.* TO 'u'", True),
        ("GRANT SELECT ON `oceanbas_`.* TO 'u'", True),
        ("GRANT SELECT ON `oceanbas\\_`.* TO 'u'", False),
        ("GRANT SELECT ON `test`.* TO 'u'", False),
        ("GRANT INSERT ON `oceanbase`.* TO 'u'", False),
        ("GRANT ALTER SYSTEM ON *.* TO 'u'", False),
        ("GRANT CREATE, SELECT ON `oceanbase`.`DBA_OB_BACKUP_JOBS` TO 'u'", True),
        ("GRANT CREATE, SELECT ON `oceanbase`.`dba_ob_backup_jobs` TO 'u'", True),
        ("GRANT SELECT ON `oceanbase`.`DBA_OB_USERS` TO 'u'", False),
        ("GRANT SELECT(`TENANT_ID`) ON `oceanbase`.`DBA_OB_BACKUP_JOBS` TO 'u'", False),
        ("GRANT SELECT ON `ocean%`.`DBA_OB_BACKUP_JOBS` TO 'u'", False),
        ("GRANT SELECT ON `x``.* TO 'u', ``oceanbase`.* TO 'u'", False),
        ("GRANT USAGE ON *.* TO 'u'", False),
        ("GRANT 'r'@'%' TO 'u'@'%'", False),
    ],
)
def test_a_grant_shows_the_views_it_covers(grant: str, sees: bool) -> None:
    assert parse_grants([grant]).may_select(*VIEW) is sees
