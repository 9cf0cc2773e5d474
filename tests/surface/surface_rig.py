"""The cast of the tests of rights: sys, a MySQL and an Oracle tenant, and users with and without ALTER SYSTEM."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql

from holdfast.errors import StatementError
from holdfast.jobs.surface import OF_COMMAND, State
from holdfast.statement.parser import parse
from server_rig import Client, Server


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement is answered: 0 for OK, else number, SQLSTATE and the beginning of the text."""

    number: int
    state: str = ""
    text: str = ""


CONNECTION_LOST = 2013
"""PyMySQL says 0 of a connection that was lost before."""

OK = Answer(0)
SYS_ONLY = Answer(
    1227, "42501", "Access denied; you need (at least one of) the SYS TENANT privilege(s) for this operation"
)


def unprivileged(right: str) -> Answer:
    named = right if right == "SUPER" else f"SUPER or {right}"
    return Answer(
        1227, "42501", f"Access denied; you need (at least one of) the {named} privilege(s) for this operation"
    )


RIGHTS = {
    "ALTER SYSTEM": ("ALTER SYSTEM", ""),
    "SUPER": ("SUPER", "ALTER SYSTEM, "),
    "CREATE RESOURCE POOL": ("SUPER", "ALTER SYSTEM, "),
    "CREATE RESOURCE UNIT": ("SUPER", "ALTER SYSTEM, "),
}
"""The privileges that statements of Holdfast's need, spelled as OceanBase's manual has them: what the engine's GRANT has for each, and
what beside the others leaves only it out. seekdb's GRANT does not know the last two (1064): SUPER stands for them."""
_OTHER_PRIVILEGES = "ALTER, CREATE, DELETE, DROP, INSERT, UPDATE, SELECT, CREATE USER, PROCESS, FILE"
UNKNOWN_TENANT = Answer(5160, "HY000", "invalid tenant name specified in connection string")


def unsupported(what: str) -> Answer:
    return Answer(1235, "0A000", f"{what} not supported")


def wrong_argument(what: str) -> Answer:
    return Answer(1210, "HY000", f"Incorrect arguments to {what}")


def not_allowed(what: str) -> Answer:
    return Answer(4179, "HY000", f"{what} not allowed")


def can_not_start(why: str) -> Answer:
    return Answer(9040, "HY000", f"backup can not start, because {why}")


@dataclass(frozen=True, slots=True)
class WhenBuilt:
    """`answer` once the statement's row in `holdfast.jobs.surface` is not LATER any more; until then 1235."""

    answer: Answer


def expected(statement: str, wanted: Answer | WhenBuilt) -> Answer:
    """Return what `statement` must be answered by this build."""
    if isinstance(wanted, Answer):
        return wanted
    return Answer(1235, "0A000") if is_later(statement) else wanted.answer


def is_later(statement: str) -> bool:
    """Return whether this build refuses the statement because it comes later. False for what is the engine's."""
    try:
        command = parse(statement)
    except StatementError:
        return False
    return OF_COMMAND[type(command)].state in {State.LATER, State.NEVER}


def answer_of(client: Client, statement: str) -> Answer:
    """Run the statement and return what it was answered, the whole text."""
    try:
        client.run(statement)
    except pymysql.MySQLError as error:
        number = int(error.args[0]) or CONNECTION_LOST
        return Answer(number, str(getattr(error, "sqlstate", "")), str(error.args[1]))
    return OK


def agrees(found: Answer, wanted: Answer) -> bool:
    """Return whether the answer is the wanted one. A hint in brackets may follow the text."""
    if not wanted.number or not found.number:
        return found.number == wanted.number
    return (found.number, found.state) == (wanted.number, wanted.state) and found.text.startswith(wanted.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    server: Server
    place: Path
    sys: Client
    mysql: Client
    oracle: Client
    operator: Client
    weak: Client
    weak_sys: Client
    exact: dict[tuple[str, str], Client]
    """By tenant and right, a user who has this right and no other."""
    lacking: dict[tuple[str, str], Client]
    """By tenant and right, a user who has every privilege but this right, and SUPER, which stands for it."""

    def tenant_id(self, name: str) -> int:
        return int(self.sys.one("select TENANT_ID from oceanbase.DBA_OB_TENANTS where TENANT_NAME = %s", (name,)))


@contextmanager
def cast_of(server: Server, place: Path) -> Iterator[Cast]:
    """Make the tenants and users; yield everybody logged in."""
    with ExitStack() as stack:

        def login(user: str) -> Client:
            return stack.enter_context(server.client(user))

        sys = login("root@sys")
        sys.run("CREATE TENANT mysql_tenant")
        sys.run("CREATE TENANT oracle_tenant SET ob_compatibility_mode = 'oracle'")
        sys.run("create user weak")
        mysql = login("root@mysql_tenant")
        mysql.run("create user weak")
        mysql.run("create user operator")
        mysql.run("grant alter system on *.* to operator")
        exact: dict[tuple[str, str], Client] = {}
        lacking: dict[tuple[str, str], Client] = {}
        for admin, tenant in ((sys, "sys"), (mysql, "mysql_tenant")):
            for right, who, other in _made_for_rights(admin, tenant, login):
                exact[tenant, right], lacking[tenant, right] = who, other
        yield Cast(
            server=server,
            place=place,
            sys=sys,
            mysql=mysql,
            oracle=login("sys@oracle_tenant"),
            operator=login("operator@mysql_tenant"),
            weak=login("weak@mysql_tenant"),
            weak_sys=login("weak@sys"),
            exact=exact,
            lacking=lacking,
        )


def _made_for_rights(
    admin: Client, tenant: str, login: Callable[[str], Client]
) -> Iterator[tuple[str, Client, Client]]:
    """Make the two users for each right of a tenant; yield (right, who has only it, who lacks only it)."""
    for number, (right, (granted, others)) in enumerate(RIGHTS.items()):
        admin.run(f"create user only{number}")
        admin.run(f"grant {granted} on *.* to only{number}")
        admin.run(f"create user all_but{number}")
        admin.run(f"grant {others}{_OTHER_PRIVILEGES} on *.* to all_but{number}")
        yield right, login(f"only{number}@{tenant}"), login(f"all_but{number}@{tenant}")
