"""SHOW WARNINGS after a statement of Holdfast's. The engine never saw that statement, so the gateway answers."""

import re
from collections.abc import Sequence

from holdfast.gateway.answer import Answer
from holdfast.jobs.reply import Warn
from holdfast.mysql.packets import ServerError
from holdfast.mysql.resultset import ResultColumn

_SHOW = re.compile(
    rb"\s*show\s+(?P<what>warnings|errors)(?:\s+limit\s+(?P<first>\d+)(?:\s*(?P<how>,|\soffset\s)\s*(?P<second>\d+))?)?\s*;?\s*",
    re.IGNORECASE,
)
_COUNT = re.compile(rb"\s*show\s+count\s*\(\s*\*\s*\)\s+(?P<what>warnings|errors)\s*;?\s*", re.IGNORECASE)
# Longer texts are no SHOW WARNINGS; the bound keeps the expressions off data.
_TEXT_BYTES_MAX = 200

_COLUMNS = (
    ResultColumn(name="Level"),
    ResultColumn(name="Code", is_integer=True, is_unsigned=True),
    ResultColumn(name="Message"),
)
_Row = tuple[str, int, str]


class Diagnostics:
    """What one statement left to be asked about: Holdfast's, or an engine's of which Holdfast has something to say."""

    __slots__ = ("_rows",)

    def __init__(
        self, warnings: Sequence[Warn] = (), error: ServerError | None = None, *, told: Sequence[_Row] = ()
    ) -> None:
        """`told`: what the engine says of the statement, where it was the engine's; (level, code, message) each."""
        self._rows: list[_Row] = [*told, *((warn.level, warn.number, warn.message) for warn in warnings)]
        if error is not None:
            self._rows.append(("Error", error.number, error.message))

    def answer(self, text: bytes, answer: Answer) -> bool:
        """Answer `text` if it asks for diagnostics; return whether it did."""
        if len(text) > _TEXT_BYTES_MAX:
            return False
        count = _COUNT.fullmatch(text)
        if count is not None:
            what = count["what"].lower()
            name = f"@@session.{'warning' if what == b'warnings' else 'error'}_count"
            answer.rows([ResultColumn(name=name, is_integer=True)], [(len(self._select(what)),)])
            return True
        show = _SHOW.fullmatch(text)
        if show is None:
            return False
        answer.rows(_COLUMNS, _limited(self._select(show["what"].lower()), show))
        return True

    def _select(self, what: bytes) -> list[_Row]:
        return [row for row in self._rows if what == b"warnings" or row[0] == "Error"]


def _limited(rows: list[_Row], show: "re.Match[bytes]") -> list[_Row]:
    if show["first"] is None:
        return rows
    first = int(show["first"])
    if show["second"] is None:
        return rows[:first]
    second = int(show["second"])
    offset, count = (first, second) if show["how"] == b"," else (second, first)
    return rows[offset : offset + count]
