"""What of Holdfast's own in the sys engine a text would change, lock or give away: it is refused to everybody, root@sys included.

Theory of operation. The engine keeps nothing from root, and a view passes a write on to the table below it. So the gateway asks here
for every text that may concern us (`may_touch`, one look at the bytes), decoded as the client's session means it, and answers with
`touched`. It is told by what a statement writes to, its target, and not by what it reads: to copy from a dictionary view, or to
grant SELECT on one, is anybody's who may. A view on one must not be one that the engine writes through. Where the target is hard to
tell, in a routine or in joins that are updated, what merely might be one counts.

Not seen: a text that a routine puts together and prepares. What that does is found and put right (`jobs.dictionary`).

Ours are the schemas `__holdfast` and `t<tenant_id>`, our views in `oceanbase`, and the accounts `hf_...` that read them; the account
`__holdfast` is the gate's, in every tenant.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.statement.lexer import Kind, Token, name_value, string_value, tokens
from holdfast.statement.split import split

_SCHEMA = re.compile(r"__holdfast|t[1-9][0-9]{3,}")
"""User tenants are numbered from 1002."""
_ACCOUNT = re.compile(r"hf_t[1-9][0-9]{3,}|hf_nobody")
_HOMES = frozenset({"oceanbase"})

_MENTION = re.compile(rb"__holdfast|\bt[1-9][0-9]{3,}\b|hf_t[1-9]|hf_nobody|_ob_|\$ob_|\bprepare\b", re.IGNORECASE)
"""PREPARE too: escapes in its literal may hide a name."""
# A name is told from its first letter on, so a long run of letters is read once.
_NAME = re.compile(rb"__holdfast|(?<![\w$])[\w$]*[_$]ob_[\w$]++", re.IGNORECASE)
_READING = frozenset(b"select with table values show desc describe explain help commit rollback kill".split())
_MAY_LOCK_OR_WRITE = re.compile(rb"\b(?:for|lock|share|delete|update)\b|;", re.IGNORECASE)

_NAME_KINDS = frozenset({Kind.NAME, Kind.QUOTED_NAME})
_HARMLESS = frozenset({"ANALYZE", "CHECK", "CHECKSUM", "EXECUTE", "KILL", "DO", "HELP", "DEALLOCATE"})
_READ = frozenset({"SELECT", "WITH", "TABLE", "VALUES", "SHOW", "DESC", "DESCRIBE", "EXPLAIN", "("})
_INSERT_MODIFIERS = frozenset({"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO", "OVERWRITE"})
_OF_ACCOUNTS = frozenset({"USER", "ROLE"})
_KINDS = frozenset(
    {
        "TABLE",
        "VIEW",
        "DATABASE",
        "SCHEMA",
        "PROCEDURE",
        "FUNCTION",
        "TRIGGER",
        "EVENT",
        "PACKAGE",
        "INDEX",
        "USER",
        "ROLE",
    }
)
_STORED_CODE = frozenset({"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"})
_BEFORE_TARGETS = frozenset({"VIEW", "TABLE", "EXISTS", "INTO", "UPDATE", "TRUNCATE", "RENAME", "TO"})
_DML_ENDS = {"UPDATE": frozenset({"SET"}), "DELETE": frozenset({"WHERE", "ORDER", "LIMIT"})}
_MAKES_READ_ONLY = frozenset({"DISTINCT", "GROUP", "UNION", "LIMIT"})
"""A view with one of these takes no writes (1288, measured on 1.4.0)."""
_GRANTABLE = frozenset({"SELECT", "SHOW", "VIEW", "CREATE", ","})
"""GRANT SELECT, SHOW VIEW on a dictionary view; CREATE VIEW is not meant, and opens nothing where `touched` stands before it."""
_NESTED_MAX = 3
"""Texts in texts: PREPARE of a literal, a literal in a routine."""


@dataclass(frozen=True, slots=True)
class _Own:
    """A name of ours. Shape: tokens `[start, end)`, the schema before it included. `schema`: it is, or lies in, a schema of ours."""

    start: int
    end: int
    words: str
    is_in_own_schema: bool


def may_touch(data: bytes) -> bool:
    """Return whether a text is worth `touched`: it names something of ours and does more than read, or hides what it names."""
    return (not data.isascii() or _MENTION.search(data) is not None) and not _is_plain_reading(data)


def mentions(data: bytes, view_names: frozenset[str]) -> bool:
    """Return whether some bytes hold the name of a schema or view of ours, in whatever place: where nothing better can be told."""
    lower = data.lower()
    if not any(mark in lower for mark in (b"__holdfast", b"_ob_", b"$ob_")):
        return False  # ten times as fast as the expression
    for match in _NAME.finditer(data):
        name = match[0].decode("ascii")
        if name.lower() == "__holdfast" or name.upper() in view_names:
            return True
    return False


def is_own_schema(name: str) -> bool:
    """Return whether a schema of the sys engine is ours: nobody may make it his session's, where bare names would mean our tables."""
    return _SCHEMA.fullmatch(_folded(name)) is not None


def hides_its_target(head: str) -> bool:
    """Return whether the beginning of a long text of data ends within a comment, so that it does not say what it writes to."""
    found = list(tokens(head))
    return bool(found) and found[-1].kind is Kind.BROKEN and found[-1].text.startswith("/*")


def _is_plain_reading(data: bytes) -> bool:
    first = re.match(rb"[\s(]*([A-Za-z]+)", data)
    return first is not None and first[1].lower() in _READING and _MAY_LOCK_OR_WRITE.search(data) is None


def touched(text: str, view_names: frozenset[str], *, depth: int = 0) -> str:
    """Return what of ours `text` would change, lock or give away, in words; "" for none. Never raises.

    `text`: one statement or several, decoded by the client's charset; `view_names` of sys, in upper case.
    """
    for piece in split(text):
        found = list(tokens(piece.text))
        words = _touched_by_one(found, view_names, depth)
        if words:
            return words
    return ""


def _touched_by_one(found: list[Token], view_names: frozenset[str], depth: int) -> str:
    first = found[0].word or found[0].text if found else ""
    own = _own_names(found, view_names)
    second = found[1].word if len(found) > 1 else ""
    if first in {"PREPARE", "CALL"}:
        return _in_literals(found, view_names, depth)
    if first == "SET":
        return _accounts(found) if second in {"PASSWORD", "DEFAULT"} else ""
    if first == "USE":
        return own[0].words if own and own[0].is_in_own_schema else ""
    if first in _READ:
        return _by_reading(found, own)
    if first in _HARMLESS or (first == "ALTER" and second == "SYSTEM"):
        return ""
    if first in {"INSERT", "REPLACE"}:
        return _at(own, _first_past(found, 1, _INSERT_MODIFIERS))
    if first in _DML_ENDS:
        return _words(_before(found, own, 1, _DML_ENDS[first]))
    if first == "CREATE":
        return _by_create(found, own, view_names, depth)
    if first in {"GRANT", "REVOKE"}:
        return _by_grant(found, own)
    return (_accounts(found) if second in _OF_ACCOUNTS else "") or _words(own)


def _by_reading(found: list[Token], own: list[_Own]) -> str:
    """Return what a reading statement locks, or what a WITH before a DELETE or UPDATE changes."""
    words = [token.word for token in found]
    if found[0].word == "WITH":
        for index, level in _levels(found):
            if level == 0 and words[index] in _DML_ENDS:
                return _words(_before(found, own, index + 1, _DML_ENDS[words[index]]))
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if (word == "FOR" and following in {"UPDATE", "SHARE"}) or (word == "LOCK" and following == "IN"):
            return _words(own)
    return ""


def _by_create(found: list[Token], own: list[_Own], view_names: frozenset[str], depth: int) -> str:
    place = next((index for index, token in enumerate(found[:40]) if token.word in _KINDS), None)
    kind = "" if place is None else found[place].word
    if place is None or kind in {"DATABASE", "SCHEMA", "INDEX"}:
        return _words(own)
    if kind in _OF_ACCOUNTS:
        return _accounts(found)
    if kind in _STORED_CODE:
        return _by_stored_code(found, own, view_names, depth)
    target = _at(own, _first_past(found, place + 1, frozenset({"IF", "NOT", "EXISTS"})))
    # A view on our tables would pass writes on, a foreign key would keep our rows from being deleted.
    further = [
        one
        for one in own
        if one.is_in_own_schema and (kind == "VIEW" or (one.start and found[one.start - 1].word == "REFERENCES"))
    ]
    if kind == "VIEW" and not any(
        level == 0 and found[index].word in _MAKES_READ_ONLY for index, level in _levels(found)
    ):
        further = own  # the engine passes a write through it, and through ours
    return target or _words(further)


def _by_stored_code(found: list[Token], own: list[_Own], view_names: frozenset[str], depth: int) -> str:
    """Return what a routine, trigger or event might change: all of our schemas that it names, our views where a target may stand."""
    for one in own:
        before = found[one.start - 1].word if one.start else ""
        is_trigger_on = (
            before == "ON" and found[0].word == "CREATE" and "TRIGGER" in {token.word for token in found[:40]}
        )
        if one.is_in_own_schema or before in _BEFORE_TARGETS or is_trigger_on:
            return one.words
    return _in_literals(found, view_names, depth)


def _in_literals(found: list[Token], view_names: frozenset[str], depth: int) -> str:
    if depth >= _NESTED_MAX:
        return ""
    for token in found:
        if token.kind is Kind.STRING and (words := touched(string_value(token), view_names, depth=depth + 1)):
            return words
    return ""


def _by_grant(found: list[Token], own: list[_Own]) -> str:
    """Return what a GRANT or REVOKE is about that is ours: an account; of what is granted, all but SELECT on a dictionary view."""
    if accounts := _accounts(found):
        return accounts
    if found[0].word == "REVOKE":
        return ""
    until = next((index for index, token in enumerate(found) if token.word == "ON"), len(found))
    privileges = {token.word or token.text for token in found[1:until]}
    return _words(own if not privileges <= _GRANTABLE else [one for one in own if one.is_in_own_schema])


# --- names


def _own_names(found: Sequence[Token], view_names: frozenset[str]) -> list[_Own]:
    """Return the names of ours in order, as they stand."""
    names = [_folded(name_value(token)) if token.kind in _NAME_KINDS else "" for token in found]
    own: list[_Own] = []
    for index, name in enumerate(names):
        if not name or (index and _is_joined(found[index - 1])):
            continue  # the second part of a name is told with its first
        is_schema = index + 1 < len(found) and _is_joined(found[index + 1])
        if _SCHEMA.fullmatch(name) and (is_schema or name == "__holdfast" or _stands_for_schema(found, index)):
            own.append(_Own(index, index + (3 if is_schema else 1), f"schema {name}", is_in_own_schema=True))
        elif is_schema:
            last = _last_part(found, index)
            if name in _HOMES and last and _folded(last).upper() in view_names:
                own.append(_Own(index, index + 3, f"view {last}", is_in_own_schema=False))
        elif name.upper() in view_names:
            own.append(_Own(index, index + 1, f"view {name.upper()}", is_in_own_schema=False))
    return own


def _stands_for_schema(found: Sequence[Token], index: int) -> bool:
    """Return whether a bare name may be a schema: `DROP DATABASE IF EXISTS t1002`, `USE t1002`."""
    return any(token.word in {"DATABASE", "SCHEMA", "USE"} for token in found[max(0, index - 3) : index])


def _last_part(found: Sequence[Token], index: int) -> str:
    """Return what follows the dot after the token at `index`. The lexer gives `.x` as one mark and a name, or a number."""
    after = found[index + 2] if index + 2 < len(found) else None
    return name_value(after) if after is not None and after.kind in _NAME_KINDS else ""


def _is_joined(token: Token) -> bool:
    return token.text.startswith(".")


def _folded(name: str) -> str:
    """Return a name as the engine compares it: without accents and case."""
    if name.isascii():
        return name.lower().strip()
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).lower().strip()


def _accounts(found: Sequence[Token]) -> str:
    for token in found:
        name = string_value(token) if token.kind is Kind.STRING else name_value(token)
        if _ACCOUNT.fullmatch(_folded(name)):
            return f"account {_folded(name)}"
    return ""


# --- places


def _levels(found: Sequence[Token]) -> list[tuple[int, int]]:
    """Return each token's index and how many brackets are open before it."""
    level = 0
    levels: list[tuple[int, int]] = []
    for index, token in enumerate(found):
        if token.text == ")" and token.kind is Kind.PUNCTUATION:
            level -= 1
        levels.append((index, level))
        if token.text == "(" and token.kind is Kind.PUNCTUATION:
            level += 1
    return levels


def _before(found: Sequence[Token], own: list[_Own], start: int, ends: frozenset[str]) -> list[_Own]:
    """Return the names that stand outside brackets between `start` and the first of the words `ends`."""
    levels = _levels(found)
    stop = next((i for i, level in levels if i >= start and level == 0 and found[i].word in ends), len(found))
    return [one for one in own if start <= one.start < stop and levels[one.start][1] == 0]


def _first_past(found: Sequence[Token], start: int, words: frozenset[str]) -> int:
    """Return the index of the first token from `start` that is none of `words`."""
    return next((index for index in range(start, len(found)) if found[index].word not in words), len(found))


def _at(own: list[_Own], index: int) -> str:
    return next((one.words for one in own if one.start == index), "")


def _words(own: list[_Own]) -> str:
    return own[0].words if own else ""
