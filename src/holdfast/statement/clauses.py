"""The clauses that many statements share."""

from collections.abc import Callable
from typing import TypeVar

from holdfast import codes
from holdfast.errors import refuse
from holdfast.statement.commands import Until, UntilScn, UntilTime
from holdfast.statement.cursor import Cursor

DESCRIPTION_CHARACTERS_MAX = 1024
"""What the narrowest of the views that show one holds."""
_T = TypeVar("_T")


def comma_list(cursor: Cursor, item: Callable[[], _T]) -> tuple[_T, ...]:
    """Return one or more items parted by commas."""
    items = [item()]
    while cursor.accept_mark(","):
        items.append(item())
    return tuple(items)


def tenant_clause(cursor: Cursor) -> tuple[str, ...]:
    """Return the names of `[TENANT [=] t1 [, t2 ...]]`, or ()."""
    if not cursor.accept_words("TENANT"):
        return ()
    cursor.skip_equal()
    return comma_list(cursor, cursor.expect_name_or_string)


def description_clause(cursor: Cursor) -> str:
    """Return the text of `[DESCRIPTION [=] 's']`, or ""."""
    text = string_clause(cursor, "DESCRIPTION") or ""
    if len(text) > DESCRIPTION_CHARACTERS_MAX:
        raise refuse(
            codes.OB_INVALID_ARGUMENT,
            "description",
            hint=f"at most {DESCRIPTION_CHARACTERS_MAX} characters, found {len(text)}",
        )
    return text


def string_clause(cursor: Cursor, *words: str) -> str | None:
    """Return the string of `[words [=] 's']`, or None."""
    if not cursor.accept_words(*words):
        return None
    cursor.skip_equal()
    return cursor.expect_string()


def integer_clause(cursor: Cursor, word: str) -> int | None:
    """Return the number of `[word [=] n]`, or None."""
    if not cursor.accept_words(word):
        return None
    cursor.skip_equal()
    return cursor.expect_integer()


def until_clause(cursor: Cursor) -> Until | None:
    """Return the point of `[UNTIL {TIME = 'ts' | SCN = n}]`, or None. The equal sign is required."""
    if not cursor.accept_words("UNTIL"):
        return None
    if cursor.expect_one_of("TIME", "SCN") == "TIME":
        cursor.expect_mark("=")
        return UntilTime(text=cursor.expect_string())
    cursor.expect_mark("=")
    return UntilScn(scn=cursor.expect_integer())


def encrypted_by_clause(cursor: Cursor) -> str | None:
    """Return the password of `[ENCRYPTED BY 'pw']`, or None."""
    if not cursor.accept_words("ENCRYPTED"):
        return None
    cursor.expect_words("BY")
    return cursor.expect_string()


def path_list(text: str) -> tuple[str, ...]:
    """Return the comma separated paths of a string: stripped, empty ones and repeats dropped, order kept.

    A string without any path gives one empty path, so that it is told from an absent clause and refused as a URI.
    """
    paths = (path.strip() for path in text.split(","))
    return tuple(dict.fromkeys(path for path in paths if path)) or ("",)


def name_list_in_parentheses(cursor: Cursor) -> tuple[str, ...]:
    """Return the names of `('a' [, b ...])`."""
    cursor.expect_mark("(")
    names = comma_list(cursor, cursor.expect_name_or_string)
    cursor.expect_mark(")")
    return names
