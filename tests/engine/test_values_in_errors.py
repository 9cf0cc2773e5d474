"""What an engine says of a statement quotes what it refuses. Nothing of ours shows that: no message, log line, COMMENT or view."""

import ast

import pymysql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.catalog.connections import _said, _translated
from holdfast.engine.session import SqlError
from holdfast.statement.mask import engine_words, mask_values
from source_rig import trees

SECRET = "the secret"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Duplicate entry 'the secret' for key 'v'", "Duplicate entry"),
        ("Duplicate entry 'it's for column 'v' at row 1", "Duplicate entry"),
        ("Incorrect integer value: 'the secret' for column 'id' at row 1", "Incorrect integer value"),
        ("BIGINT value is out of range in ''(9223372036854775807 + 771)''", "BIGINT value is out of range in"),
        ("You have an error in your SQL syntax; check the manual near 'the secret' at line 1", "You have an error in your SQL syntax"),
        ("inconsistent dimension: expected 2 got 3", "inconsistent dimension"),
        ("Latitude 77.1 is out of range", "Latitude"),
        ("Invalid JSON text: \"the secret\" at position 3", "Invalid JSON text"),
        ("'the secret'", "it says nothing that can be shown"),
        ("", "it says nothing that can be shown"),
        ("Out of range value for column 'id' at row 1", "Out of range value for column 'id' at row 1"),
        ("Column 'c' cannot be null", "Column 'c' cannot be null"),
        ("Table 'test.t' doesn't exist", "Table 'test.t' doesn't exist"),
        ("Unknown column 'c' in 'field list'", "Unknown column 'c' in 'field list'"),
        ("Internal error", "Internal error"),
    ],
)  # fmt: skip
def test_an_engines_sentence_is_shown_up_to_where_a_value_may_stand(text: str, shown: str) -> None:
    assert engine_words(text) == shown


@given(value=st.text(min_size=1), key=st.sampled_from(["'v'", "'PRIMARY'"]))
def test_no_value_is_shown_whatever_quotes_it_holds(value: str, key: str) -> None:
    assert engine_words(f"Duplicate entry '{value}' for key {key}") == "Duplicate entry"


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT a FROM t WHERE MATCH(a) AGAINST ('the secret')", "SELECT a FROM t WHERE MATCH(a) AGAINST (***)"),
        ("INSERT INTO t VALUES (771, 'the secret', x'00')", "INSERT INTO t VALUES (***, ***, x***)"),
        ('select `it\'s`, "the secret", 5 from t limit 1', "select `it's`, ***, 5 from t limit 1"),
        ("select 'never ends", "select ***"),
        ("create user if not exists 'x' identified by %s", "create user if not exists *** identified by %s"),
        ("select 1", "select 1"),
    ],
)
def test_a_statement_is_shown_without_what_may_be_a_value(sql: str, shown: str) -> None:
    assert mask_values(sql) == shown


def test_a_long_statement_is_cut() -> None:
    assert mask_values("select " + "a, " * 100_000).endswith("a, a, ...")


def test_no_error_of_a_session_shows_a_value() -> None:
    error = SqlError(1062, "Duplicate entry 'the secret' for key 'v'", "insert into t values ('the secret', 771)")
    assert str(error) == "engine error 1062: Duplicate entry, statement: insert into t values (***, ***)"
    assert SECRET not in error.text
    assert SECRET not in repr(error)
    assert SECRET in error.unmasked
    assert SqlError(2013, "Lost connection: [Errno 104]", "select 1").text == "Lost connection: [Errno 104]"


@pytest.mark.parametrize(
    "error",
    [
        pymysql.err.DataError(1366, "Incorrect string value: 'the secret' for column 'comment' at row 1"),
        pymysql.err.ProgrammingError(1064, "You have an error in your SQL syntax near 'the secret'"),
        pymysql.err.OperationalError(1235, "'the secret' not supported"),
        pymysql.err.IntegrityError(1062, "Duplicate entry 'the secret' for key 'v'"),
        pymysql.err.OperationalError(1060, "Duplicate column name 'the secret'"),
        pymysql.err.InterfaceError("the secret"),
        pymysql.err.Error(),
    ],
)
def test_no_error_of_the_catalog_shows_a_value(error: pymysql.MySQLError) -> None:
    assert SECRET not in str(_translated(error)) + _said(error)


# --- the census

TELLS_ITS_OWN_CLIENT = {
    "catalog/conditions.py": "the condition is the client's, over rows the client may read",
    "demo.py": "its rows are its own, and it tells the person who runs it",
    "cli/connection.py": "the command's user wrote the statement and gets the server's own words",
}
MASKED_BY = {"_sql_error", "_said", "_refused", "_translated", "isinstance"}


def test_every_handler_of_the_clients_errors_masks_what_the_engine_said() -> None:
    wrong, seen = [], set()
    for room, tree in trees().items():
        for handler in ast.walk(tree):
            if not isinstance(handler, ast.ExceptHandler) or handler.type is None or handler.name is None:
                continue
            if "pymysql" not in ast.unparse(handler.type):
                continue
            seen.add(room)
            if room in TELLS_ITS_OWN_CLIENT:
                continue
            allowed: set[ast.AST] = set()
            for node in ast.walk(handler):
                if isinstance(node, ast.Raise) and node.cause is not None:
                    allowed |= set(ast.walk(node.cause))
                if isinstance(node, ast.Call):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
                    allowed |= set(ast.walk(node)) if name in MASKED_BY else set()
                if isinstance(node, ast.Compare):
                    allowed |= set(ast.walk(node))  # of its number
            for node in ast.walk(handler):
                if isinstance(node, ast.Name) and node.id == handler.name and node not in allowed:
                    wrong.append(f"{room}:{node.lineno}")
    assert not wrong
    assert seen == {"engine/session.py", "catalog/connections.py", *TELLS_ITS_OWN_CLIENT}


def test_an_engines_own_words_are_for_the_client_who_wrote_the_values() -> None:
    found = {
        room
        for room, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "unmasked"
    }
    assert found == {"engine/session.py", "jobs/settings.py"}
