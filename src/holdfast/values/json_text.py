"""JSON from outside, read strictly: what no writer of ours writes is refused, whatever Python's reader would make of it.

Python reads `NaN`, `Infinity`, `1e999`, numbers of 4,300 digits, the same key twice (the last wins), half characters that no encoding
can write, and UTF-16.
"""

import json
import math
import re

NUMBER_MIN, NUMBER_MAX = -(2**63), 2**64 - 1
_NUMBER_CHARACTERS_MAX = 20
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")


def parse_json(data: bytes) -> object:
    """Return what the UTF-8 text says. Whole numbers have at most 64 bits, others are finite.

    Raises ValueError on anything else; its words say where, and quote nothing of the text.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"no UTF-8 at byte {error.start}") from None
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_int=_whole, parse_float=_finite, object_pairs_hook=_object
        )
        if _HALF_CHARACTER.search(data):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON at line {error.lineno}, column {error.colno}") from None
    except UnicodeEncodeError:
        raise ValueError("a half character, which no encoding can write") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def _refuse_constant(_: str) -> object:
    raise ValueError("NaN or Infinity, which are no numbers")


def _whole(text: str) -> int:
    value = int(text) if len(text) <= _NUMBER_CHARACTERS_MAX else NUMBER_MAX + 1
    if not NUMBER_MIN <= value <= NUMBER_MAX:
        raise ValueError("a number of more than 64 bits")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number too large for any reader")
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("one key twice in one object")
    return found
