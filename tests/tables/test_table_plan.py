"""Which tables a recovery copies, under what names; and what is refused before anything is looked at."""

import pytest

from holdfast import codes
from holdfast.errors import RefusedError
from holdfast.statement.commands import RecoverTable
from holdfast.statement.parser import parse
from holdfast.tables.plan import TableName, check_items, plan_tables

THERE = tuple(
    TableName(database=database, table=table)
    for database, table in [
        ("a", "t"),
        ("a", "u"),
        ("b", "t"),
        ("mysql", "user"),
        ("__holdfast", "job"),
        ("oceanbase", "x"),
    ]
)


def command(text: str) -> RecoverTable:
    found = parse(f"ALTER SYSTEM RECOVER TABLE {text}".replace("|", " TO TENANT t FROM 'file:///d' "))
    assert isinstance(found, RecoverTable)
    return found


def planned(text: str) -> list[str]:
    found = command(text)
    check_items(found.items, found.remap_tables)
    return [f"{copy.source.text}>{copy.target.text}" for copy in plan_tables(found.items, found.remap_tables, THERE)]


@pytest.mark.parametrize(
    ("text", "copies"),
    [
        ("a.t |", ["a.t>a.t"]),
        ("a.t, b.t |", ["a.t>a.t", "b.t>b.t"]),
        ("a.* |", ["a.t>a.t", "a.u>a.u"]),
        ("*.* |", ["a.t>a.t", "a.u>a.u", "b.t>b.t"]),
        ("a.t | REMAP TABLE a.t:t2", ["a.t>a.t2"]),
        ("a.t | REMAP TABLE a.t:c.t", ["a.t>c.t"]),
        ("a.t | REMAP TABLE a.t:c.t2", ["a.t>c.t2"]),
        ("a.* | REMAP TABLE a.`*`:c.`*`", ["a.t>c.t", "a.u>c.u"]),
        ("*.* | REMAP TABLE a.`*`:c.`*`, a.t:d.x", ["a.t>d.x", "a.u>c.u", "b.t>b.t"]),
    ],
)
def test_items_and_rules_give_pairs(text: str, copies: list[str]) -> None:
    assert planned(text) == copies


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("a.t partition (p0) |", codes.OB_NOT_SUPPORTED, "recover partition"),
        ("a.t, a.t |", codes.OB_NOT_SUPPORTED, "a.t twice"),
        ("a.t, a.* |", codes.OB_NOT_SUPPORTED, "a.t together with a.*"),
        ("a.*, *.* |", codes.OB_NOT_SUPPORTED, "a.* together with *.*"),
        ("a.t | REMAP TABLE a.u:x", codes.OB_NOT_SUPPORTED, "remap not exist recover table"),
        ("a.t | REMAP TABLE a.`*`:c.`*`", codes.OB_NOT_SUPPORTED, "remap not exist recover database"),
        ("a.* | REMAP TABLE a.`*`:c.t", codes.OB_NOT_SUPPORTED, "remap a.*"),
        ("a.t | REMAP TABLE a.t:x, a.t:y", codes.OB_NOT_SUPPORTED, "remap a.t twice"),
        ("a.* | REMAP TABLE a.t:u", codes.OB_NOT_SUPPORTED, "two tables as a.u"),
        ("a.nothing |", codes.OB_TABLE_NOT_EXIST, "a.nothing"),
        ("nothing.* |", codes.OB_ERR_BAD_DATABASE, "nothing"),
        ("mysql.user |", codes.OB_TABLE_NOT_EXIST, "mysql.user"),
        ("oceanbase.* |", codes.OB_ERR_BAD_DATABASE, "oceanbase"),
    ],
)
def test_contradictions_are_refused_by_name(text: str, code: codes.Code, words: str) -> None:
    with pytest.raises(RefusedError) as caught:
        planned(text)
    assert caught.value.code is code
    assert words in caught.value.message
