"""Who sees which dictionary view: every view by a user with exactly the right and one with every other, in every form."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from gateway.wire_rig import WireClient, error_of
from holdfast.catalog.views import TENANT_VIEW_NAMES, sys_views
from holdfast.mysql.flags import CommandCode
from holdfast.mysql.packets import decode_prepare_ok
from server_rig import Client
from surface.surface_rig import Answer, Cast, answer_of

pytestmark = pytest.mark.live

DENIED = Answer(1142, "42000")
VIEW = "DBA_OB_BACKUP_SET_FILES"
ENGINES_OWN = "DBA_OB_USERS"
SYS_NAMES = sorted(view.name for view in sys_views() if view.schema == "oceanbase")
FORMS = (
    "select * from oceanbase.{view}",
    "select 1 from oceanbase.{view} limit 0",
    "SELECT count(*) FROM `OceanBase` . `{lower}`",
    "/* c */ select * from oceanbase/**/.{view} -- x",
    "select * from (select * from oceanbase.{view}) v",
    "select (select count(*) from oceanbase.{view})",
    "select 1 where exists (select 1 from oceanbase.{view})",
    "select 1 union all select 2 from oceanbase.{view}",
    "with x as (select * from oceanbase.{view}) select * from x",
    "explain select * from oceanbase.{view}",
    "desc oceanbase.{view}",
    "show columns from {view} from oceanbase",
    "select * from oceanbase.{view} for update",
)


@pytest.fixture(scope="module")
def reader(cast: Cast) -> Iterator[Client]:
    """A user of mysql_tenant who may read `test` and nothing else."""
    cast.mysql.run("create user rd")
    cast.mysql.run("grant select on test.* to rd")
    with cast.server.client("rd@mysql_tenant") as client:
        yield client


@pytest.fixture(scope="module")
def observers(cast: Cast) -> Iterator[dict[str, Client]]:
    """At sys and in a tenant, a user with SELECT on oceanbase and nothing else."""
    with ExitStack() as stack:
        made = {}
        for admin, tenant in ((cast.sys, "sys"), (cast.mysql, "mysql_tenant")):
            admin.run("create user observer")
            admin.run("grant select on oceanbase.* to observer")
            made[tenant] = stack.enter_context(cast.server.client(f"observer@{tenant}"))
        yield made


def test_every_view_of_sys_is_seen_by_who_may_select_and_by_nobody_else(
    cast: Cast, observers: dict[str, Client]
) -> None:
    for name in SYS_NAMES:
        assert answer_of(observers["sys"], f"select * from oceanbase.{name} limit 0").number == 0, name
        found = answer_of(cast.exact["sys", "SUPER"], f"select * from oceanbase.{name} limit 0")
        assert (found.number, found.state) == (DENIED.number, DENIED.state), name


def test_every_view_of_a_tenant_is_seen_by_who_may_select_and_by_nobody_else(
    cast: Cast, observers: dict[str, Client]
) -> None:
    for name in sorted(TENANT_VIEW_NAMES - {"SHOW_PARAMETERS"}):
        assert answer_of(observers["mysql_tenant"], f"select * from oceanbase.{name} limit 0").number == 0, name
        found = answer_of(cast.exact["mysql_tenant", "SUPER"], f"select * from oceanbase.{name} limit 0")
        assert (found.number, found.state) == (DENIED.number, DENIED.state), name
        assert name.lower() in found.text


@pytest.mark.parametrize("form", FORMS)
def test_a_view_is_denied_in_every_form_as_the_engines_own(
    reader: Client, observers: dict[str, Client], form: str
) -> None:
    places = {"view": VIEW, "lower": VIEW.lower()}
    assert answer_of(observers["mysql_tenant"], form.format(**places)).number != DENIED.number
    assert answer_of(reader, form.format(**places)).number == DENIED.number
    own = answer_of(reader, form.format(view=ENGINES_OWN, lower=ENGINES_OWN.lower()))
    assert own.number in {0, DENIED.number}, own  # of SHOW and DESC the engine tells columns to whoever asks


def test_a_denied_view_is_neither_prepared_nor_executed(cast: Cast, reader: Client) -> None:
    client = WireClient.dial(cast.server.port)
    client.log_in("rd@mysql_tenant")
    text = f"select * from oceanbase.{VIEW}".encode()
    assert error_of(client.ask(CommandCode.STMT_PREPARE, text))[0] == DENIED.number
    cast.mysql.run("grant select on oceanbase.* to rd")
    prepared = decode_prepare_ok(client.ask(CommandCode.STMT_PREPARE, text)[0].payload).statement_id
    execution = prepared.to_bytes(4, "little") + b"\0\x01\0\0\0"
    assert client.ask(CommandCode.STMT_EXECUTE, execution)[0].payload[0] not in {0, 0xFF}
    cast.mysql.run("revoke select on oceanbase.* from rd")
    assert error_of(client.ask(CommandCode.STMT_EXECUTE, execution))[0] == DENIED.number
    client.close()
    assert reader.one("select 1") == 1


def test_a_grant_and_a_revoke_count_at_once_also_for_what_is_prepared(cast: Cast, reader: Client) -> None:
    text = f"select BACKUP_SET_ID, PASSWD from oceanbase.{VIEW}"
    for grant in (
        "select on oceanbase.*",
        "select on *.*",
        f"create, select on oceanbase.{VIEW}",
        "select on `ocean%`.*",
    ):
        assert answer_of(reader, text).number == DENIED.number
        cast.mysql.run(f"grant {grant} to rd")
        assert answer_of(reader, text).number == 0, grant
        assert reader.run(f"select 1 from oceanbase.{VIEW} where 1 = %s", (1,)) == 0
        cast.mysql.run(f"revoke {grant} from rd")
    assert answer_of(reader, text).number == DENIED.number


def test_a_role_counts_where_it_is_active(cast: Cast, reader: Client) -> None:
    cast.mysql.run("create role lookers")
    cast.mysql.run("grant select, alter system on *.* to lookers")
    cast.mysql.run("grant lookers to rd")
    text = f"select * from oceanbase.{VIEW}"
    assert answer_of(reader, text).number == DENIED.number
    reader.run("set role lookers")
    assert answer_of(reader, text).number == 0
    assert answer_of(reader, "ALTER SYSTEM CANCEL BACKUP").number == 0
    reader.run("set role none")
    assert answer_of(reader, text).number == DENIED.number
    assert answer_of(reader, "ALTER SYSTEM CANCEL BACKUP").number == 1227
    cast.mysql.run("drop role lookers")


def test_a_right_on_one_view_opens_no_other(cast: Cast, reader: Client) -> None:
    cast.mysql.run(f"grant create, select on oceanbase.{VIEW} to rd")
    try:
        assert answer_of(reader, f"select * from oceanbase.{VIEW}").number == 0
        assert answer_of(reader, f"select * from oceanbase.{VIEW} a, oceanbase.DBA_OB_BACKUP_JOBS b").number == 1142
        assert answer_of(reader, "select * from oceanbase.DBA_OB_BACKUP_JOBS").number == DENIED.number
    finally:
        cast.mysql.run(f"revoke create, select on oceanbase.{VIEW} from rd")


def test_the_engines_own_view_opens_none_of_ours(cast: Cast, reader: Client) -> None:
    cast.mysql.run(f"grant select on oceanbase.{ENGINES_OWN} to rd")
    try:
        assert answer_of(reader, f"select 1 from oceanbase.{ENGINES_OWN} limit 0").number == 0
        assert answer_of(reader, f"select * from oceanbase.{VIEW}").number == DENIED.number
    finally:
        cast.mysql.run(f"revoke select on oceanbase.{ENGINES_OWN} from rd")


def test_an_oracle_tenants_views_are_its_administrators_and_those_he_grants_them_to(cast: Cast) -> None:
    cast.oracle.run("create user rd")
    with cast.server.client("rd@oracle_tenant") as reader:
        for name in (f"SYS.{VIEW}", f"oceanbase.{VIEW}", VIEW):
            assert answer_of(cast.oracle, f"select * from {name}").number == 0, name
            assert answer_of(reader, f"select * from {name}").number == DENIED.number, name
        cast.oracle.run("grant select on SYS.* to rd")
        for name in (f"SYS.{VIEW}", f"oceanbase.{VIEW}", VIEW):
            assert answer_of(reader, f"select * from {name}").number == 0, name


def test_who_may_only_alter_system_reads_no_view_and_makes_no_tenant(cast: Cast) -> None:
    """Fault 2.6: as in OceanBase, each statement and each view asks for its own right."""
    client = cast.exact["sys", "ALTER SYSTEM"]
    assert answer_of(client, "CREATE TENANT sneaked").number == 1227
    assert answer_of(client, "DROP TENANT mysql_tenant").number == 1227
    assert answer_of(client, "select * from oceanbase.CDB_OB_BACKUP_JOBS").number == DENIED.number
    assert answer_of(client, "ALTER SYSTEM CANCEL BACKUP").number == 0
