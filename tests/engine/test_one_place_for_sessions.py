"""Sessions with an engine are made in one place, which gives each of them its whole state; found in the source, not from memory."""

import ast
from collections.abc import Iterator

from source_rig import trees

MAKERS = {
    "engine/session.py": "the place itself",
    "cli/connection.py": "a client of the port; sets the same state, but for a person's own statements",
    "demo.py": "a client of the port, whose figures come of rows it counts itself",
}
LINKS = {
    "gateway/login.py": "a client's own session: it begins with the tenant's globals, as reached directly",
    "gateway/views.py": "ours: `open` orders the state before anything is asked",
    "gateway/link.py": "the function itself",
}


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def test_nothing_else_in_the_source_logs_in_to_an_engine() -> None:
    makers = {
        name
        for name, tree in trees().items()
        for _, called in _calls(tree)
        if called in ("pymysql.connect", "pymysql.Connect", "pymysql.connections.Connection", "pymysql.Connection")
    }
    assert makers == set(MAKERS)


def test_nothing_else_takes_the_connect_of_pymysql_by_another_name() -> None:
    taken = {
        (name, alias.name)
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "pymysql"
        for alias in node.names
        if alias.name not in ("Cursor", "Connection")
    }
    assert taken == set()


def test_nothing_else_opens_a_link_with_an_engines_socket() -> None:
    openers = {
        name
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("create_unix_connection", "open_unix_connection")
    }
    assert openers == {"gateway/link.py"}
    callers = {name for name, tree in trees().items() for _, called in _calls(tree) if called.endswith("open_link")}
    assert callers | {"gateway/link.py"} == set(LINKS)


def test_only_the_place_itself_makes_a_session_of_a_connection() -> None:
    makers = {
        name
        for name, tree in trees().items()
        if name.startswith(("engine/", "catalog/", "tables/", "jobs/", "restore/", "backup/"))
        for call, called in _calls(tree)
        if called == "Session" and any(isinstance(arg, ast.Name) and "connection" in arg.id for arg in call.args)
    }
    assert makers == {"engine/session.py"}
