"""Every statement of the manual parses to its command; every other text gets MySQL's own error."""

import dataclasses
import typing

import pytest
from statement_manual import MANUAL

from holdfast import codes
from holdfast.errors import HoldfastError, RefusedError, StatementError
from holdfast.statement.commands import Command, destination_command
from holdfast.statement.parser import parse
from holdfast.statement.render import render


@pytest.mark.parametrize(("text", "expected"), MANUAL, ids=[text for text, _ in MANUAL])
def test_statement_of_the_manual_parses_to_its_command(text: str, expected: Command) -> None:
    assert parse(text) == expected


def test_manual_holds_every_kind_of_command() -> None:
    assert {type(command) for _, command in MANUAL} == set(typing.get_args(Command))


@pytest.mark.parametrize("text", [text for text, _ in MANUAL], ids=str)
def test_statement_cut_anywhere_parses_or_is_refused(text: str) -> None:
    """A size cut short is none (-4736), REMAP TABLEGROUP cut short is REMAP TABLE again; all else is a syntax error."""
    found = {_outcome(text[:size]) for size in range(len(text))}
    assert found <= {"parsed", "OB_ERR_PARSE_SQL", "OB_RESOURCE_UNIT_VALUE_INVALID", "OB_OP_NOT_ALLOW"}
    assert _outcome("") == "OB_ERR_PARSE_SQL"


def _outcome(text: str) -> str:
    try:
        parse(text)
    except HoldfastError as error:
        return error.code.symbol
    return "parsed"


SYNTAX = "You have an error in your SQL syntax; check the manual that corresponds to your OceanBase version for the right syntax to use"


@pytest.mark.parametrize(
    ("text", "near", "line"),
    [
        ("", "", 1),
        ("   ;", "", 1),
        ("SELECT 1", "SELECT 1", 1),
        ("ALTER SYSTEM", "", 1),
        ("ALTER SYSTEM FROBNICATE x", "FROBNICATE x", 1),
        ("ALTER SYSTEM BACKUP DATABASE PLUS", "", 1),
        ("ALTER SYSTEM BACKUP DATABASE PLUS;", "", 1),
        ("ALTER SYSTEM BACKUP DATABASE PLUS ARCHIVELOGS", "ARCHIVELOGS", 1),
        ("ALTER SYSTEM BACKUP DATABASE TENANT = t", "TENANT = t", 1),
        ("ALTER SYSTEM BACKUP TENANT = t\n TENANT = u", "TENANT = u", 2),
        ("ALTER SYSTEM BACKUP TENANT = t,\n\n, u", ", u", 3),
        ("ALTER SYSTEM BACKUP DESCRIPTION = 'd' PLUS ARCHIVELOG", "PLUS ARCHIVELOG", 1),
        ("ALTER SYSTEM BACKUP TENANT = 't", "'t", 1),
        ("ALTER SYSTEM BACKUP TENANT = 't1' /* never ends", "/* never ends", 1),
        ("ALTER SYSTEM ARCHIVELOG; ALTER SYSTEM NOARCHIVELOG", "; ALTER SYSTEM NOARCHIVELOG", 1),
        ("ALTER SYSTEM CANCEL FOO", "FOO", 1),
        ("ALTER SYSTEM DELETE BACKUPSET", "", 1),
        ("ALTER SYSTEM DELETE BACKUPSET 1,", "", 1),
        ("ALTER SYSTEM DELETE BACKUPSET 1.5", "1.5", 1),
        ("ALTER SYSTEM DELETE BACKUPSET 123456789012345678901", "123456789012345678901", 1),
        ("ALTER SYSTEM DELETE BACKUPSET 1, 2 COPY 3", "COPY 3", 1),
        ("ALTER SYSTEM RESTORE t FROM 'd' UNTIL TIME '2026-11-23'", "'2026-11-23'", 1),
        ("ALTER SYSTEM RESTORE t FROM 'd' UNTIL SCN = '5'", "'5'", 1),
        ("ALTER SYSTEM RESTORE FROM 'd' WITH 'pool_list=p'", "WITH 'pool_list=p'", 1),
        ("ALTER SYSTEM RECOVER TABLE *.tb TO t", "tb TO t", 1),
        ("ALTER SYSTEM RECOVER TABLE tb TO t", "TO t", 1),
        ("ALTER SYSTEM SET p TENANT = t", "TENANT = t", 1),
        ("ALTER SYSTEM SET p = ", "", 1),
        ("ALTER SYSTEM SET DATA_BACKUP_DEST = 'file:///d' SCOPE = BOTH", "SCOPE = BOTH", 1),
        ("ALTER SYSTEM SET p = 1 SCOPE = DISK", "DISK", 1),
        ("CREATE RESOURCE UNIT u MAX_CPU 1 MEMORY_SIZE '1G'", "MEMORY_SIZE '1G'", 1),
        ("CREATE RESOURCE UNIT u MAX_CPU 1, MAX_CPU 2", "MAX_CPU 2", 1),
        ("CREATE TENANT t LOCALITY = 'a' LOCALITY = 'b'", "LOCALITY = 'b'", 1),
        ("CREATE TENANT t RESOURCE_POOL_LIST = 'p'", "'p'", 1),
        ("SHOW PARAMETERS WHERE", "", 1),
        ("ALTER SYSTEM BACKUP DATABASE " + "x" * 100, "x" * 80, 1),
        ("ALTER ſYSTEM BACKUP DATABASE", "ALTER ſYSTEM BACKUP DATABASE", 1),
    ],
)
def test_wrong_text_is_refused_near_its_first_wrong_token(text: str, near: str, line: int) -> None:
    with pytest.raises(StatementError) as caught:
        parse(text)
    assert caught.value.message == f"{SYNTAX} near '{near}' at line {line}"
    assert caught.value.code is codes.OB_ERR_PARSE_SQL


@pytest.mark.parametrize(
    "text",
    [
        "SET ENCRYPTION ON IDENTIFIED BY 'hunter2'",
        "SET ENCRYPTION ON IDENTIFIED BY 'hunter2' ONLYY",
        "SET ENCRYPTION ON IDENTIFIED BY 'hunter2",
        "SET ENCRYPTION ON IDENTIFIEDD BY 'hunter2' ONLY",
        "/* a */ SET ENCRYPTION ON IDENTIFIED BYY 'hunter2' ONLY",
        "-- a\nSET /* b */ ENCRYPTION ON IDENTIFIED 'hunter2' ONLY",
        "SET ENCRYPTION ON IDENTIFIED BY hunter2 ONLY",
        "SET DECRYPTION IDENTIFIED BY 'a', 'hunter2' 7",
        "SET DECRYPTION IDENTIFIED BY 7, 'hunter2'",
        "ALTER SYSTEM BACKUP KEYS TO 'file:///x' ENCRYPTED BY 'hunter2'",
        "ALTER SYSTEM SETT DATA_BACKUP_DEST = 's3://b/p?host=h&access_id=hunter2&access_key=hunter2'",
        "ALTER SYSTEM SETT LOG_RESTORE_SOURCE = 'SERVICE=a:1 USER=u@t PASSWORD=hunter2'",
        "ALTER SYSTEM CHANGE EXTERNAL_STORAGE_DEST 'p' SET ACCESS_INFO = 'access_id=hunter2&access_key=hunter2'",
        "ALTER SYSTEM CHANGE EXTERNAL_STORAGE_DEST 'p' SET ACCESS_INFO 'hunter2'",
    ],
)
def test_error_quotes_no_secret(text: str) -> None:
    with pytest.raises(StatementError) as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("word", ["TABLE", "TABLEGROUP", "TABLESPACE"])
def test_remap_clause_written_twice_is_refused(word: str) -> None:
    item = "d.a:b" if word == "TABLE" else "a:b"
    with pytest.raises(RefusedError) as caught:
        parse(f"ALTER SYSTEM RECOVER TABLE d.a TO t REMAP {word} {item} REMAP {word} {item}")
    assert caught.value.code is codes.OB_OP_NOT_ALLOW
    assert caught.value.message == f"duplicate REMAP {word} is not allowed"


@pytest.mark.parametrize("clause", ["MAX_CPU = '1e9'", "MEMORY_SIZE = 'much'", "MEMORY_SIZE = '5X'", "MIN_IOPS = '-1'"])
def test_resource_unit_value_that_is_none_is_refused(clause: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse(f"CREATE RESOURCE UNIT u {clause}")
    assert caught.value.code is codes.OB_RESOURCE_UNIT_VALUE_INVALID


@pytest.mark.parametrize(("text", "expected"), MANUAL, ids=[text for text, _ in MANUAL])
def test_repr_of_a_command_shows_no_sensitive_field(text: str, expected: Command) -> None:
    """Fields that may hold secrets are kept out of repr: replacing their text changes no repr."""
    hidden = [field.name for field in dataclasses.fields(expected) if not field.repr]
    for name in hidden:
        assert repr(dataclasses.replace(expected, **{name: "x"})) == repr(expected)
    assert {"password", "passwords", "key_password", "access_info", "to"}.isdisjoint(
        field.name for field in dataclasses.fields(expected) if field.repr and type(expected).__name__ != "Switchover"
    )


def test_destination_in_a_list_of_assignments_turns_into_its_command() -> None:
    command = parse("ALTER SYSTEM SET archive_lag_target = '1s', LOG_ARCHIVE_DEST_STATE_2 = 'DEFER' TENANT = t")
    first, second = command.assignments  # type: ignore[union-attr]
    assert destination_command(first) is None
    assert destination_command(second) == parse("ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE_2 = 'DEFER' TENANT = t")


def test_long_hostile_texts_are_refused_quickly() -> None:
    for text in (
        "ALTER SYSTEM BACKUP TENANT = " + "(" * 100_000,
        "ALTER SYSTEM BACKUP TENANT = " + "'" * 100_001,
        "ALTER SYSTEM BACKUP TENANT = '" + "\\" * 100_000,
        "ALTER SYSTEM BACKUP TENANT = " + "/*" * 50_000,
        "ALTER SYSTEM BACKUP TENANT = t " + "&a" * 50_000,
        "SET DECRYPTION IDENTIFIED BY " + "'a'," * 20_000,
    ):
        with pytest.raises(StatementError):
            parse(text)


def test_render_is_one_spelling_for_all_spellings() -> None:
    assert len({render(command, reveal=True) for _, command in MANUAL}) == len({command for _, command in MANUAL})
