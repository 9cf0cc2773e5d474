"""What the gateway itself says no to, in MySQL's own numbers. None of these ever reaches a RESULT column.

Everything the desk refuses comes from `holdfast.codes` by way of `error_of`.
"""

from holdfast.errors import HoldfastError
from holdfast.mysql.packets import ServerError
from holdfast.statement.mask import mask_secrets

TOO_MANY_CONNECTIONS = ServerError(1040, "08004", "Too many connections")
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
INTERNAL = ServerError(4016, "HY000", "Internal error (the server's log has the cause)")
CLUSTER_NOT_FOUND = ServerError(4669, "HY000", "cluster not exist")
TENANT_NOT_REACHABLE = ServerError(4012, "HY000", "tenant is not ready (its engine does not answer; try again)")
TENANT_LOST = ServerError(4012, "HY000", "the tenant's engine closed the connection")
MULTI_STATEMENTS_OFF = 1064


def access_denied(user: str, host: str, *, with_password: bool) -> ServerError:
    """Return MySQL's answer to a login that leads nowhere."""
    used = "YES" if with_password else "NO"
    return ServerError(1045, "42000", f"Access denied for user '{user}'@'{host}' (using password: {used})")


def unknown_thread(connection_id: int) -> ServerError:
    """Return the answer to KILL of an id that is not one of this tenant's."""
    return ServerError(1094, "HY000", f"Unknown thread id: {connection_id}")


def unknown_statement(statement_id: int, command: str) -> ServerError:
    """Return the answer to a prepared statement id nobody gave out."""
    return ServerError(1243, "HY000", f"Unknown prepared statement handler ({statement_id}) given to {command}")


def not_supported(what: str) -> ServerError:
    """Return MySQL's 1235."""
    return ServerError(1235, "0A000", f"{what} not supported")


def not_allowed(reason: str) -> ServerError:
    """Return the answer to a statement that would break the tenant for Holdfast."""
    return ServerError(1227, "42501", f"Access denied; {reason}")


def several_statements(near: str) -> ServerError:
    """Return what the engine says to a text of several statements when the client did not announce such texts."""
    message = (
        "You have an error in your SQL syntax; check the manual that corresponds to your OceanBase version for the"
        f" right syntax to use near '{mask_secrets(near)[:80]}' at line 1"
    )
    return ServerError(1064, "42000", message)


def error_of(error: HoldfastError) -> ServerError:
    """Return how a client sees an error of the desk: OceanBase's text, then the hint in parentheses."""
    return ServerError(error.code.client, error.code.sqlstate, str(error))
