"""Rules for parameters: `ALTER SYSTEM [SET] ...`, `ALTER SYSTEM RESET ...`, `SHOW PARAMETERS ...`."""

from holdfast.statement.clauses import comma_list
from holdfast.statement.commands import (
    Assignment,
    DestinationCommand,
    ParameterAssignments,
    ParameterReset,
    ResetParameters,
    Scope,
    ShowParameters,
    destination_command,
)
from holdfast.statement.cursor import Cursor
from holdfast.statement.lexer import Kind, Token

BACKUP_ENCRYPTION = "backup_encryption"
_SCOPES = {str(scope): scope for scope in Scope}
# A TENANT right after one of these belongs to the condition of SHOW PARAMETERS WHERE.
_OPERATORS = frozenset({"AND", "OR", "NOT", "XOR", "LIKE", "IN", "IS", "BETWEEN", "REGEXP", "RLIKE", "DIV", "MOD"})


def set_parameters(cursor: Cursor) -> ParameterAssignments | DestinationCommand:
    """`p [=] v [IDENTIFIED BY 's'] [COMMENT 's'] [SCOPE = ..] [SERVER [=] 's' | ZONE [=] z] [TENANT [=] t [, ...]] [, p ...]`.

    One assignment of a destination is its own command; destinations take TENANT only.
    """
    assignments = comma_list(cursor, lambda: _assignment(cursor))
    if len(assignments) == 1:
        command = destination_command(assignments[0])
        if command is not None:
            return command
    return ParameterAssignments(assignments=assignments)


def _assignment(cursor: Cursor) -> Assignment:
    name = cursor.expect_name().lower()
    has_equal = cursor.accept_mark("=")
    value = _constant(cursor, bare=has_equal)
    password: str | None = None
    if name == BACKUP_ENCRYPTION and cursor.accept_words("IDENTIFIED", "BY"):
        password = cursor.expect_string()
    # A destination takes no SCOPE, SERVER or ZONE: such a clause is then an error near itself.
    is_destination = destination_command(Assignment(name=name, value=value)) is not None
    comment = ""
    scope: Scope | None = None
    server: str | None = None
    zone: str | None = None
    if not is_destination:
        if cursor.accept_words("COMMENT"):
            cursor.skip_equal()
            comment = cursor.expect_string()
        scope = _scope(cursor)
        if word := cursor.accept_one_of("SERVER", "ZONE"):
            cursor.skip_equal()
            place = cursor.expect_name_or_string()
            server, zone = (place, None) if word == "SERVER" else (None, place)
    return Assignment(
        name=name,
        value=value,
        password=password,
        comment=comment,
        scope=scope,
        server=server,
        zone=zone,
        tenants=_tenants(cursor),
    )


def _constant(cursor: Cursor, *, bare: bool) -> str:
    """Return a constant's text without quotes. A bare word counts as one only after an equal sign.

    Without that, `SET p TENANT = t` would read as a parameter p with the value TENANT.
    """
    if cursor.at_string():
        return cursor.expect_string()
    sign = "-" if cursor.at_mark("-") and cursor.token(ahead=1).kind is Kind.NUMBER else ""
    if sign:
        cursor.expect_mark("-")
    token = cursor.token()
    if token.kind is not Kind.NUMBER and not (bare and token.kind is Kind.NAME):
        cursor.fail()
    return sign + cursor.advance().text


def _scope(cursor: Cursor) -> Scope | None:
    if not cursor.accept_words("SCOPE"):
        return None
    cursor.skip_equal()
    return _SCOPES[cursor.expect_one_of(*_SCOPES)]


def _tenants(cursor: Cursor) -> tuple[str, ...]:
    """Return the names of `[TENANT [=] t1 [, t2 ...]]`, stopping before `, p =`, which begins the next assignment."""
    if not cursor.accept_words("TENANT"):
        return ()
    cursor.skip_equal()
    names = [cursor.expect_name_or_string()]
    while cursor.at_mark(",") and not cursor.at_mark("=", ahead=2):
        cursor.expect_mark(",")
        names.append(cursor.expect_name_or_string())
    return tuple(names)


def reset_parameters(cursor: Cursor) -> ResetParameters:
    """`p [SCOPE = ..] [TENANT = t] [, p ...]`. One tenant each: a comma goes on with the next parameter."""
    return ResetParameters(resets=comma_list(cursor, lambda: _reset(cursor)))


def _reset(cursor: Cursor) -> ParameterReset:
    name = cursor.expect_name().lower()
    scope = _scope(cursor)
    tenants: tuple[str, ...] = ()
    if cursor.accept_words("TENANT"):
        cursor.skip_equal()
        tenants = (cursor.expect_name_or_string(),)
    return ParameterReset(name=name, scope=scope, tenants=tenants)


def show_parameters(cursor: Cursor) -> ShowParameters:
    """`[LIKE 'pattern' | WHERE condition] [TENANT [=] t]`. The condition is kept as text, not read."""
    like: str | None = None
    where: str | None = None
    if cursor.accept_words("LIKE"):
        like = cursor.expect_string()
    elif cursor.accept_words("WHERE"):
        where = cursor.take_text_to_last(_trailing_tenant_tokens(cursor.from_end(4)))
    tenant: str | None = None
    if cursor.accept_words("TENANT"):
        cursor.skip_equal()
        tenant = cursor.expect_name_or_string()
    return ShowParameters(like=like, where=where, tenant=tenant)


def _trailing_tenant_tokens(last: tuple[Token, ...]) -> int:
    """Return how many of the tokens at the very end of a condition are `TENANT [=] t`: 3, 2 or 0."""
    for count in (3, 2):
        if len(last) <= count:
            continue
        before, word, *between, _ = last[-count - 1 :]
        goes_on = before.word in _OPERATORS or (before.kind is Kind.PUNCTUATION and before.text != ")")
        if word.word == "TENANT" and [mark.text for mark in between] == ["="] * (count - 2) and not goes_on:
            return count
    return 0
