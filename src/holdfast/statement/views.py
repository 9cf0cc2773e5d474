"""Dictionary views of a user tenant: the same text, with another schema before the view's name.

A user tenant's DBA_OB_* views live in the sys engine, in a schema of their own. The gateway sends such a query there,
with `oceanbase.` or `SYS.` before a known view replaced by that schema and nothing else touched, so that column
headings stay as typed. Rights are not decided here: the user that runs the query can read that schema only.

A right that seekdb 1.4.0 does not check is decided here: within a common table expression it lets every user read every table
(measured). So the caller asks which of `schemas_named` are schemas of the sys engine and refuses the text.

Where a schema is replaced:
- `oceanbase.v`, anywhere, as a table or before a column; blanks, comments and backticks in between change nothing;
- `SHOW COLUMNS FROM v FROM oceanbase` and its relatives: the schema at the end.
Where one is put in, when the current schema is oceanbase or SYS: before a bare `v` where a table stands (after FROM,
JOIN, a comma of a FROM list, DESC ...). Not before `v.column`, which finds its table by itself, not for a common table
expression of that name where it is visible, and not for an alias.
"""

from dataclasses import dataclass, field

from holdfast import codes
from holdfast.errors import refuse
from holdfast.statement.lexer import Kind, Token, name_value, string_value, tokens

_HOME_SCHEMAS = frozenset({"oceanbase", "sys"})
_NAME_KINDS = frozenset({Kind.NAME, Kind.QUOTED_NAME})
# After these words a table stands.
_TABLE_FOLLOWS = frozenset({"FROM", "JOIN", "STRAIGHT_JOIN", "DESC", "DESCRIBE", "EXPLAIN", "TABLE", "VIEW"})
# These end a FROM list: a comma after them parts something else.
_LIST_ENDS = frozenset({"SELECT", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "WINDOW", "UNION", "EXCEPT", "INTERSECT",
                        "MINUS", "PROCEDURE", "INTO", "FOR", "LOCK", "SET", "VALUES"})  # fmt: skip
_DEPTH_MAX = 1000
"""Brackets deeper than this are left to the engine, which refuses them long before."""


@dataclass(slots=True)
class _Frame:
    """What is known inside one pair of brackets."""

    in_list: bool = False  # within a FROM list
    expressions: set[str] = field(default_factory=set)  # common table expressions visible from here on, upper case
    in_with: bool = False  # a name of a common table expression may stand here
    is_recursive: bool = False
    pending: str = ""  # the expression whose body comes next or is being read


def substitute_views(text: str, names: frozenset[str], schema: str, current_schema: str = "") -> str | None:
    """Return `text` reading `schema`.v wherever it read oceanbase.v or SYS.v, or None if it names none of `names`.

    `names` in upper case. With current schema oceanbase or SYS, bare names count too. `schema` is put in as it is.
    Raises RefusedError (1227, 1235) when the text would show the sys engine's own sessions or settings beside a view.
    """
    found = list(tokens(text))
    edits = _schema_edits(found, names, schema)
    if current_schema.lower() in _HOME_SCHEMAS:
        edits += _bare_edits(found, names, schema)
    if not edits:
        return None
    _refuse_subquery_in_show(found)
    _refuse_other_sessions(found)
    parts: list[str] = []
    end = 0
    for start, stop, replacement in sorted(edits):
        parts += (text[end:start], replacement)
        end = stop
    parts.append(text[end:])
    return "".join(parts)


def schemas_named(text: str) -> frozenset[str]:
    """Return every name, as written, that stands before a dot and may be a schema: aliases and tables among them.

    A string counts too, since under ANSI_QUOTES it is a name. The text must be lexed as the engine will lex it.
    """
    found = list(tokens(text))
    named: set[str] = set()
    for before, token, following in zip([None, *found], found, [*found[1:], None], strict=False):
        if following is None or not following.text.startswith(".") or (before is not None and before.text == "."):
            continue
        if token.kind in _NAME_KINDS or token.kind is Kind.NUMBER:
            named.add(name_value(token))
        elif token.kind is Kind.STRING:
            named.add(string_value(token))
    return frozenset(named)


def views_named(text: str, names: frozenset[str]) -> tuple[str, ...]:
    """Return those of `names`, in upper case and sorted, that stand in `text` as names: what it reads, and perhaps an alias."""
    return tuple(sorted({name_value(token).upper() for token in tokens(text) if _is_view(token, names)}))


def _refuse_subquery_in_show(found: list[Token]) -> None:
    """Refuse a SHOW that reads a view in its WHERE: what it shows would be the sys engine's variables or parameters."""
    if found[0].word == "SHOW" and any(token.word == "SELECT" for token in found):
        raise refuse(codes.OB_NOT_SUPPORTED, "a subquery on dictionary views in SHOW is")


def _refuse_other_sessions(found: list[Token]) -> None:
    """Refuse to read the process list where views are read.

    The engine shows every user every session with its statement, without asking for a privilege (measured on 1.4.0); in
    the sys engine those are other people's.
    """
    names = [name_value(token) if token.kind in _NAME_KINDS else token.text for token in found]
    # To the engine `processlíst` is the same name; nothing else there has a letter beyond ASCII.
    is_disguised = any(
        schema.lower() == "information_schema" and dot == "." and not table.isascii()
        for schema, dot, table in zip(names, names[1:], names[2:], strict=False)
    )
    if is_disguised or any(name.lower() == "processlist" for name in names):
        raise refuse(
            codes.OB_ERR_NO_PRIVILEGE, "PROCESS", hint="read the process list and the dictionary views one at a time"
        )


_Edit = tuple[int, int, str]


def _is_view(token: Token, names: frozenset[str]) -> bool:
    return token.kind in _NAME_KINDS and name_value(token).upper() in names


def _is_home(token: Token) -> bool:
    return token.kind in _NAME_KINDS and name_value(token).lower() in _HOME_SCHEMAS


def _schema_edits(found: list[Token], names: frozenset[str], schema: str) -> list[_Edit]:
    """Return the replacements of schemas that are written out: `oceanbase . v` and `FROM v FROM oceanbase`."""
    edits: list[_Edit] = []
    for index, token in enumerate(found[:-2]):
        second, third = found[index + 1], found[index + 2]
        if _is_home(token) and second.text == "." and _is_view(third, names):
            if index == 0 or found[index - 1].text != ".":
                edits.append((token.start, token.end, schema))
        elif (
            _is_view(token, names)
            and second.word in {"FROM", "IN"}
            and _is_home(third)
            and _word_before(found, index) in {"FROM", "IN"}
            and found[0].word == "SHOW"
        ):
            edits.append((third.start, third.end, schema))
    return edits


def _word_before(found: list[Token], index: int) -> str:
    return found[index - 1].word if index else ""


def _bare_edits(found: list[Token], names: frozenset[str], schema: str) -> list[_Edit]:
    """Return the places where a bare view name needs the schema put before it."""
    edits: list[_Edit] = []
    frames = [_Frame()]
    before = ""  # the word or mark before the token, in upper case
    is_show = bool(found) and found[0].word == "SHOW"
    for index, token in enumerate(found):
        frame = frames[-1]
        following = found[index + 1] if index + 1 < len(found) else None
        mark = token.text if token.kind is Kind.PUNCTUATION else ""
        if mark == "(":
            if len(frames) > _DEPTH_MAX:
                return []
            frames.append(_Frame(in_list=_table_stands_after(before, frame)))
        elif mark == ")" and len(frames) > 1:
            frames.pop()
            _end_expression(frames[-1], following)
        elif _is_view(token, names) and not (following and following.text == "."):
            is_place = _table_stands_after(before, frame) or (is_show and before == "IN")
            names_schema = is_show and following is not None and following.word in {"FROM", "IN"}
            is_expression = any(name_value(token).upper() in outer.expressions for outer in frames)
            if is_place and not names_schema and not is_expression:
                edits.append((token.start, token.start, f"{schema}."))
        _follow(frame, token, following, before)
        before = token.word or token.text
    return edits


def _table_stands_after(before: str, frame: _Frame) -> bool:
    return before in _TABLE_FOLLOWS or (frame.in_list and before in {",", "("})


def _follow(frame: _Frame, token: Token, following: Token | None, before: str) -> None:
    """Bring `frame` up to date with one token inside its brackets."""
    word = token.word
    if word == "FROM":
        frame.in_list = True
    elif word in _LIST_ENDS:
        frame.in_list = False
    if word == "WITH":
        frame.in_with, frame.is_recursive = True, False
    elif frame.in_with and word == "RECURSIVE" and before == "WITH":
        frame.is_recursive = True
    elif frame.in_with and token.kind in _NAME_KINDS and before in {"WITH", "RECURSIVE", ","}:
        frame.pending = name_value(token).upper()
        # WITH ROLLUP and its like begin no list of expressions.
        frame.in_with = following is not None and (following.word == "AS" or following.text == "(")
        if frame.in_with and frame.is_recursive:
            frame.expressions.add(frame.pending)


def _end_expression(frame: _Frame, following: Token | None) -> None:
    """Note the end of a bracket inside `frame`: after its body, a common table expression is visible.

    The bracket of a column list, `WITH v (a, b) AS (...)`, is followed by AS and ends no body.
    """
    if not frame.in_with or (following is not None and following.word == "AS"):
        return
    frame.expressions.add(frame.pending)
    frame.in_with = following is not None and following.text == ","
