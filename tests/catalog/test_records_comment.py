"""Every COMMENT comes to the catalog through one door, which escapes it."""

from dataclasses import dataclass

from holdfast.catalog.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A row with a text of each kind."""

    name: str
    comment: str
    last_comment: str | None


def cells(comment: str, last: str | None) -> list[object]:
    record = Record("noted", Noted, key=("name",))
    return list(record._cells(Noted(name="a\nb", comment=comment, last_comment=last), record._columns))


def test_a_comment_is_escaped_and_grows_no_longer_than_its_column() -> None:
    assert cells("two\nlines\x1b", None) == ["a\nb", "two\\nlines\\x1b", None]
    (_, comment, last) = cells("\x1b" * 1024, "\n" * 100)
    assert isinstance(comment, str)
    assert len(comment) == 1024
    assert last == "\\n" * 100
