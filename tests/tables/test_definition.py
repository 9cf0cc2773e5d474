"""SHOW CREATE TABLE taken apart at its foreign keys."""

import pytest

from holdfast.errors import CorruptionError
from holdfast.tables.definition import foreign_key_for, split_definition, without_name
from holdfast.tables.plan import TableName

TEXT = """CREATE TABLE `c` (
  `id` int(11) NOT NULL DEFAULT '1, FOREIGN KEY (',
  `co``l, x` decimal(10,2) COMMENT 'a)b',
  PRIMARY KEY (`id`, `co``l, x`),
  CONSTRAINT `f``k` FOREIGN KEY (`id`) REFERENCES `d``1`.`p`(`id`) ON UPDATE RESTRICT ON DELETE CASCADE ,
  FOREIGN KEY (`id`) REFERENCES `d2`.`q`(`id`),
  CONSTRAINT `ck` CHECK ((`id` > 0))
) ORGANIZATION INDEX COMMENT = 'it\\'s' partition by hash(id) (partition `p0`)"""


def test_foreign_keys_leave_and_nothing_else_does() -> None:
    found = split_definition(TEXT)
    assert [key.split(" REFERENCES")[0] for key in found.foreign_keys] == [
        "CONSTRAINT `f``k` FOREIGN KEY (`id`)",
        "FOREIGN KEY (`id`)",
    ]
    assert "REFERENCES" not in found.create
    for kept in ("DEFAULT '1, FOREIGN KEY ('", "COMMENT 'a)b'", "PRIMARY KEY (`id`, `co``l, x`)", "CHECK ((`id` > 0))"):
        assert kept in found.create
    assert found.create.endswith("partition by hash(id) (partition `p0`)")


def test_a_foreign_key_follows_its_table() -> None:
    key = split_definition(TEXT).foreign_keys[0]
    moved = foreign_key_for(key, lambda name: TableName(database="new", table=name.table + "2"))
    assert "REFERENCES `new`.`p2`(`id`) ON UPDATE RESTRICT" in moved
    assert without_name(moved).startswith("FOREIGN KEY (`id`) REFERENCES `new`.`p2`")
    assert without_name("FOREIGN KEY (`a`) REFERENCES `d`.`t`(`b`)") == "FOREIGN KEY (`a`) REFERENCES `d`.`t`(`b`)"
    assert foreign_key_for(key, lambda name: name).replace(" ", "") == key.replace(" ", "")


@pytest.mark.parametrize("text", ["", "CREATE VIEW v AS SELECT 1", "CREATE TABLE `t`", "CREATE TABLE `t` (`a` int"])
def test_what_is_no_definition_is_refused(text: str) -> None:
    with pytest.raises(CorruptionError):
        split_definition(text)
