"""Tokens of ordinary and of hostile texts."""

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.statement.lexer import Kind, Token, name_value, quoted, string_value, tokens


def texts_of(text: str) -> list[str]:
    return [token.text for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1", ["select", "1"]),
        ("a=1.5e-3,.5,0xFF", ["a", "=", "1.5e-3", ",", ".5", ",", "0xFF"]),
        ("1abc $x a$b_1 名前", ["1abc", "$x", "a$b_1", "名前"]),
        ("'it''s' \"a\"\"b\" 'a\\'b' `a``b`", ["'it''s'", '"a""b"', "'a\\'b'", "`a``b`"]),
        ("'a;b' /* ; */ -- ;\n# ;\n;", ["'a;b'", ";"]),
        ("a--b", ["a", "-", "-", "b"]),
        ("a --", ["a"]),
        ("a -- x\rb", ["a", "b"]),
        ("/*/ x */ y", ["y"]),
        ("/**/x/***/y/*a**/", ["x", "y"]),
        ("select /*! 1 */", ["select", "1"]),
        ("select /*!50000 1 */ + 2", ["select", "1", "+", "2"]),
        ("/*!500001*/", ["1"]),
        ("select /*+ parallel(4) */ 1", ["select", "1"]),
        ("2*/3", ["2", "*", "/", "3"]),
        ("2*/**/3", ["2", "*", "3"]),
        ("2*/*!3*/", ["2", "*", "3"]),
        ("/*! a /* b */ c */ d", ["a", "c", "d"]),
        ("@x @@global.y @'a b' @`c` u@h @", ["@x", "@@global.y", "@'a b'", "@`c`", "u", "@h", "@"]),
        ("@@global.`y`=1", ["@@global.`y`", "=", "1"]),
        ("db.`t`.*", ["db", ".", "`t`", ".", "*"]),
        ("a\0b", ["a", "\0", "b"]),
        ("x:=1;", ["x", ":=", "1", ";"]),
        ("''", ["''"]),
        ("``", ["``"]),
    ],
)
def test_text_is_cut_into_tokens(text: str, expected: list[str]) -> None:
    assert texts_of(text) == expected


@pytest.mark.parametrize("text", ["'abc", '"abc', "`abc", "/* abc", "'abc\\'", "/*", "'"])
def test_what_never_ends_is_one_broken_token_to_the_end(text: str) -> None:
    *_, last = tokens("a " + text)
    assert last == Token(Kind.BROKEN, text, 2, 2 + len(text))


def test_keyword_is_an_unquoted_ascii_name() -> None:
    assert [token.word for token in tokens("Set `set` 'set' ſet 1 @set")] == ["SET", "", "", "", "", ""]


@given(st.text())
def test_tokens_carry_their_offsets_and_never_raise(text: str) -> None:
    end = 0
    for token in tokens(text):
        assert token.text == text[token.start : token.end]
        assert token.start >= end
        end = token.end


@given(st.text("ab '\"`\\*/#-;\n!@.1\0é", max_size=30))
def test_latin1_view_of_utf8_bytes_has_the_same_tokens(text: str) -> None:
    data = text.encode()
    seen = [data[token.start : token.end].decode() for token in tokens(data.decode("latin-1"))]
    assert seen == texts_of(text)


@given(st.text() | st.text("\\%_'\"n0\n"))
def test_quoted_text_reads_back(text: str) -> None:
    literal = quoted(text)
    (token,) = tokens(literal)
    assert token.kind is Kind.STRING
    assert string_value(token) == text
    assert "\n" not in literal


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (r"'a\nb\t\0\Z\q\\'", "a\nb\t\0\x1aq\\"),
        (r"'ha\_low\%'", r"ha\_low\%"),
        ("'a\"\"b'", 'a""b'),
        ("\"a''b\"", "a''b"),
        ("'it''s'", "it's"),
    ],
)
def test_string_value_follows_mysql_escapes(literal: str, value: str) -> None:
    (token,) = tokens(literal)
    assert string_value(token) == value


@given(st.text(string.printable, min_size=1).filter(lambda name: "\0" not in name))
def test_backticked_name_reads_back(name: str) -> None:
    (token,) = tokens("`" + name.replace("`", "``") + "`")
    assert name_value(token) == name


@pytest.mark.parametrize(
    "text",
    ["'" + "\\" * 200_001, "'a" * 100_001, "/*" * 100_000, "`" * 200_001, "/*!" * 60_000, "1" * 200_000 + "x", "-" * 200_000,
     "@" * 200_000, "*/" * 100_000, " " * 200_000, "a." * 100_000, "0x" * 100_000, "'" * 200_000, "/*" + "*" * 200_000],
    ids=lambda text: text[:6],
)  # fmt: skip
def test_hostile_text_takes_linear_time(text: str) -> None:
    """A quadratic expression would need minutes for these 200 kB; the bound is loose for a busy machine."""
    begin = time.process_time()
    for _ in tokens(text):
        pass
    assert time.process_time() - begin < 2
