"""Words from outside show as what they are: on one line, printable, bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import CorruptionError
from holdfast.values.outside import MESSAGE_CHARACTERS_MAX, escaped, is_one_line, one_line, shown

TEXTS = st.text(st.characters(exclude_categories=()), max_size=60) | st.text(
    "\x00\n\x1b\x9b\u202e\u2028\ud800a", max_size=60
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop", "shop"),
        ("día ü 数据 \U0001f600", "día ü 数据 \U0001f600"),
        ("a\nERROR b", "a\\nERROR b"),
        ("a\r\tb\x00", "a\\r\\tb\\x00"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202etxt.exe", "abc\\u202etxt.exe"),
        ("two\u2028lines", "two\\u2028lines"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_what_a_terminal_or_a_log_would_obey_is_escaped(text: str, expected: str) -> None:
    assert escaped(text) == expected
    assert one_line(text) == expected
    assert is_one_line(text) == (text == expected)


def test_lines_are_kept_where_they_are_wanted() -> None:
    assert escaped("one\ntwo\x1b[1m", keep_lines=True) == "one\ntwo\\x1b[1m"


@given(TEXTS, st.integers(8, 80))
def test_one_line_is_one_line_of_at_most_its_bound_and_utf_8(text: str, most: int) -> None:
    line = one_line(text, most)
    assert len(line) <= most
    assert is_one_line(line)
    assert len(line.encode().decode().splitlines()) <= 1


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    line = one_line(f"{'a' * 5000} has a wrong digest", 100)
    assert len(line) == 100
    assert line.startswith("aaaa")
    assert line.endswith(" has a wrong digest")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("shop", "'shop'"),
        ("x" * 100, f"'{'x' * 80}'..."),
        (b"\x00\xff", "b'\\x00\\xff'"),
        (7, "7"),
        (True, "True"),
        (None, "None"),
        (1.5, "1.5"),
        (1 << 200, "a number of 201 bits"),
        (["secret"], "a list of 1"),
        ({"secret": 1}, "an object of 1"),
        (object(), "object"),
    ],
)
def test_a_foreign_value_is_shown_cut_and_of_lists_the_kind_alone(value: object, expected: str) -> None:
    assert shown(value) == expected


def test_a_number_too_long_to_print_is_shown() -> None:
    assert shown(10**5000) == "a number of 16610 bits"


def test_every_error_is_printable_on_one_line_and_cut() -> None:
    error = CorruptionError(f"x\n{'y' * 9000}\x1b", hint="do\nthis\u202e")
    assert len(error.message) <= MESSAGE_CHARACTERS_MAX
    assert is_one_line(str(error))
    assert error.hint == "do\\nthis\\u202e"
    assert error.args == (error.message,)
