"""What the gateway itself says no to, in MySQL's own numbers. None of these ever reaches a RESULT column.

Everything the desk refuses comes from `holdfast.codes` by way of `error_of`.
"""

from holdfast import codes
from holdfast.engine.unusable import Reach
from holdfast.errors import HoldfastError
from holdfast.mysql.packets import ServerError
from holdfast.statement.mask import mask_secrets
from holdfast.values.outside import one_line
from holdfast.values.places import PlaceLimits, Want

TOO_MANY_LOGINS = ServerError(
    1040, "08004", "Too many connections (too many logins are unfinished; try again in some seconds)"
)
TOO_SLOW = ServerError(1159, "08S01", "Got timeout reading communication packets (the login was not finished in time)")
BAD_HANDSHAKE = ServerError(1043, "08S01", "Bad handshake")
UNKNOWN_COMMAND = ServerError(1047, "08S01", "Unknown command")
SHUTTING_DOWN = ServerError(1053, "08S01", "Server shutdown in progress")
CLIENT_TOO_OLD = ServerError(
    1251,
    "08004",
    "Client does not support authentication protocol requested by server; consider upgrading MySQL client",
)
NOT_PREPARABLE = ServerError(1295, "HY000", "This command is not supported in the prepared statement protocol yet")
INTERRUPTED = ServerError(1317, "70100", "Query execution was interrupted")
TOO_MANY_PREPARED = ServerError(
    1461, "42000", "Can't create more than max_prepared_stmt_count statements (current value: 1024)"
)
MALFORMED_PACKET = ServerError(1835, "HY000", "Malformed communication packet")
LOCAL_FILE_IN_SCRIPT = ServerError(
    1235,
    "0A000",
    "LOAD DATA LOCAL in a text with several statements, some of them Holdfast's, not supported (send it alone)",
)
VIEW_TEXT_TOO_LONG = ServerError(1235, "0A000", "parameters of more than 1 MiB for a dictionary view not supported")
TEXT_TOO_LONG = ServerError(
    1235,
    "0A000",
    "a text of more than 1 MiB that does not begin with data, a query or a definition of a table not supported (send this statement"
    " without its comment, as a text of its own)",
)
INTERNAL = ServerError(4016, "HY000", "Internal error (the server's log has the cause)")
CLUSTER_NOT_FOUND = ServerError(4669, "HY000", "cluster not exist")
NOT_INVITED = ServerError(
    1227, "42501", "Access denied (this client's address is not among the tenant's ob_tcp_invited_nodes)"
)
TENANT_NOT_REACHABLE = ServerError(4012, "HY000", "tenant is not ready (its engine does not answer; try again)")
TENANT_LOST = ServerError(4012, "HY000", "the tenant's engine closed the connection")
MULTI_STATEMENTS_OFF = 1064
COMPRESSION_NOT_OFFERED = ServerError(
    1043, "08S01", "Bad handshake (compression is not offered here: connect without it, as with compress=False)"
)
TOO_MANY_VIEW_CONNECTIONS = ServerError(
    1040,
    "08004",
    "Too many connections (of this tenant keep statements prepared on dictionary views; close some of these statements)",
)
_NAME_CHARACTERS_MAX = 128
_NEAR_READ_CHARACTERS_MAX = 1000
"""Of what stands near an error; a string that is cut is masked as a whole one is."""


_HOST_OF_ANYBODY = "xxx.xxx.xxx.xxx"


def access_denied(user: str, *, with_password: bool) -> ServerError:
    """Return the engine's answer to a wrong password, for a login that leads nowhere. An engine shows no address."""
    used = "YES" if with_password else "NO"
    return ServerError(
        1045,
        "42000",
        f"Access denied for user '{one_line(user, _NAME_CHARACTERS_MAX)}'@'{_HOST_OF_ANYBODY}' (using password: {used})",
    )


def perhaps_unusable(denied: ServerError, reach: Reach) -> ServerError:
    """Return the engine's 1045 in a tenant with accounts that let nobody in. The same for each account, known or not."""
    return ServerError(denied.number, denied.sqlstate, denied.message + reach.hint)


def no_place(want: Want, limits: PlaceLimits) -> ServerError:
    """Return the answer to a login that finds no place."""
    if want is Want.SHARE:
        words = (
            f"this tenant has all the {limits.per_tenant_max} connections that it may have: close some, or let root@sys raise"
            " gateway_connections_per_tenant_max"
        )
    else:
        words = (
            f"the server's {limits.connections_max} are taken or kept for others: close some, or let root@sys raise"
            " gateway_connections_max"
        )
    return ServerError(1040, "08004", f"Too many connections ({words})")


def view_took_too_long(seconds: float) -> ServerError:
    """Return the answer to a question to dictionary views that our clock has ended."""
    words = f"Timeout, a query of dictionary views may take {seconds:g} s at most, whatever its hints say"
    return ServerError(codes.OB_TIMEOUT.client, codes.OB_TIMEOUT.sqlstate, words)


def views_spent(user: str, seconds: float, wait_seconds: float) -> ServerError:
    """Return the answer to a question to dictionary views of a tenant whose questions took all that they may take for now."""
    words = (
        f"User '{user}' has exceeded the 'view_seconds_per_minute' resource (current value: {seconds:g}) (the queries of dictionary"
        f" views of this tenant took as long; try again in {max(1, round(wait_seconds))} s)"
    )
    return ServerError(1226, "42000", words)


def no_default_tenant(name: str) -> ServerError:
    """Return the answer to a login that names no tenant while the default one is not there."""
    code = codes.OB_TENANT_NOT_EXIST
    words = f"{code.text(name)} (the server's --default-tenant: name a tenant, as in user@tenant; root@sys makes it by CREATE TENANT)"
    return ServerError(code.client, code.sqlstate, words)


def unknown_thread(connection_id: int) -> ServerError:
    """Return the answer to KILL of an id that is not one of this tenant's."""
    return ServerError(1094, "HY000", f"Unknown thread id: {connection_id}")


def not_owner(connection_id: int) -> ServerError:
    """Return MySQL's answer to KILL of another user's session by who has not SUPER."""
    return ServerError(1095, "HY000", f"You are not owner of thread {connection_id}")


def with_denied(user: str) -> ServerError:
    """Return the answer to a WITH clause in sys from who has not SELECT on everything: behind one the engine asks for no rights."""
    return ServerError(
        1142,
        "42000",
        f"SELECT command denied to user '{user}'@'%' in a WITH clause (the engine does not look at rights behind WITH, so it needs SELECT"
        " on *.* here: write a derived table, SELECT ... FROM (SELECT ...) x)",
    )


def unknown_statement(statement_id: int, command: str) -> ServerError:
    """Return the answer to a prepared statement id nobody gave out."""
    return ServerError(1243, "HY000", f"Unknown prepared statement handler ({statement_id}) given to {command}")


def not_supported(what: str) -> ServerError:
    """Return MySQL's 1235."""
    return ServerError(1235, "0A000", f"{what} not supported")


def not_allowed(reason: str) -> ServerError:
    """Return the answer to a statement that would break the tenant for Holdfast."""
    return ServerError(1227, "42501", f"Access denied; {reason}")


def own_and_read_only(what: str) -> ServerError:
    """Return the answer to a statement that would change, lock or give away what is Holdfast's own in the sys tenant."""
    return not_allowed(f"{what} is holdfast's own, and read-only (its statements change it; docs/rights.md)")


def several_statements(near: str) -> ServerError:
    """Return what the engine says to a text of several statements when the client did not announce such texts."""
    message = (
        "You have an error in your SQL syntax; check the manual that corresponds to your OceanBase version for the"
        f" right syntax to use near '{one_line(mask_secrets(near[:_NEAR_READ_CHARACTERS_MAX])[:80])}' at line 1"
    )
    return ServerError(1064, "42000", message)


def error_of(error: HoldfastError) -> ServerError:
    """Return how a client sees an error of the desk: OceanBase's text, then the hint in parentheses."""
    return ServerError(error.code.client, error.code.sqlstate, str(error))
