"""What Python's JSON reader would take in silence is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.values.json_text import NUMBER_MAX, NUMBER_MIN, parse_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(NUMBER_MIN, NUMBER_MAX)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(VALUES, st.booleans())
def test_what_is_json_is_read(value: object, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"max_cpu": NaN}', "NaN or Infinity"),
        (b"[Infinity]", "NaN or Infinity"),
        (b"[-Infinity]", "NaN or Infinity"),
        (b"[1e999]", "too large"),
        (b"[-1e999]", "too large"),
        (b"[18446744073709551616]", "64 bits"),
        (b"[-9223372036854775809]", "64 bits"),
        (b"[" + b"9" * 5000 + b"]", "64 bits"),
        (b'{"a": 1, "a": 2}', "one key twice"),
        (b'["\\ud800"]', "half a character|half character"),
        (b'{"\\udc00": 1}', "half character"),
        (b"[" * 100_000, "nested too deeply|no JSON"),
        (b"\xff\xfe[\x00]\x00", "no UTF-8 at byte 0"),
        ("[1]".encode("utf-16-be"), "no JSON"),
        (b'["row value", oops]', "no JSON at line 1, column 15"),
        (b"", "no JSON"),
        (b"[1] [2]", "no JSON"),
    ],
)
def test_what_no_writer_of_ours_writes_is_refused_without_quoting_it(text: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        parse_json(text)
    assert "row value" not in str(refused.value)
    assert len(str(refused.value)) < 100


def test_a_pair_of_halves_is_a_character() -> None:
    assert parse_json(b'["\\ud83d\\ude00"]') == ["\U0001f600"]
