"""Whose statement is it? Asked for every text a client sends, so it must cost next to nothing.

Theory of operation. Three stages, each passing on only what it can not decide:

1. The first word (bytes, one short expression) says what kind of statement it is. Nearly all traffic ends here or in
   the next line: a SELECT concerns us only if it contains `_ob_` or `$ob_`, the mark of a dictionary view, and only if
   a `;` lies inside the text can there be more than one statement.
2. For the few words that begin our statements, the second word.
3. The lexer, on what is left: some ten microseconds, for statements that are ours or nearly so.

One expression of all view names would cost 59 ms on a text of 100 kB; `in` costs 0.08 ms.

What it refuses it refuses in each form that can be seen (`forms`): prepared, stored, in a text of several statements, and as an
engine in another sql_mode or charset would read it. What it can not see: a text that a procedure puts together, and what stands behind the
first statement of a text of more than 1 MiB. Their effect is put right (`engine/drift`, `engine/account_watch`).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import chain, islice, pairwise, takewhile

from holdfast.statement import forms
from holdfast.statement.cursor import Cursor
from holdfast.statement.kill import read_kill
from holdfast.statement.lexer import Kind, Token, name_value, string_value, tokens
from holdfast.statement.parser import owns
from holdfast.statement.split import split
from holdfast.values.held_parameters import BUILT_IN


class Owner(Enum):
    """OURS: parse it and ask the desk. VIEW: names a dictionary view, try `substitute_views`. REFUSED: answer with the
    reason. PREPARE: the engine's, unless what the variable `reason` holds is refused (`refusal_of_prepared`). SCRIPT: several
    statements, not all PASS: `split`, then ask for each. PASS: the engine's."""

    OURS = "ours"
    VIEW = "view"
    REFUSED = "refused"
    PREPARE = "prepare"
    SCRIPT = "script"
    PASS = "pass"


@dataclass(frozen=True, slots=True)
class Ownership:
    """`reason`: what is refused, a lower-case fact, or the variable of a PREPARE; empty for every other owner."""

    owner: Owner
    reason: str = ""


_OURS = Ownership(Owner.OURS)
_VIEW = Ownership(Owner.VIEW)
_SCRIPT = Ownership(Owner.SCRIPT)
_PASS = Ownership(Owner.PASS)

OWN_ACCOUNT = "__holdfast"
"""The account Holdfast keeps in every engine: nobody else may change, lock or drop it."""
_OWN_ACCOUNTS = (OWN_ACCOUNT, f"{OWN_ACCOUNT}_restore")
"""The second one is what sets hold (`engine/account`)."""

PARAMETERS_OURS = frozenset(
    {
        "_auto_drop_recovering_auxiliary_tenant",
        "_backup_idle_time",
        "_backup_task_keep_alive_interval",
        "_backup_task_keep_alive_timeout",
        "_object_storage_io_timeout",
        "_restore_idle_time",
        "_restore_io_max_retry_count",
        "archive_lag_target",
        "backup_backup_dest",
        "backup_backup_dest_option",
        "backup_concurrency",
        "backup_bandwidth_limit",
        "backup_drill_assertions",
        "backup_drill_schedule",
        "backup_encryption",
        "backup_full_schedule",
        "backup_incremental_schedule",
        "backup_schedule_time_zone",
        "backup_validate_reread_interval",
        "backup_data_file_size",
        "backup_destination_roots",
        "backup_dest",
        "backup_dest_option",
        "backup_log_archive_option",
        "backup_net_limit",
        "backup_recovery_window",
        "backup_region",
        "backup_zone",
        "data_backup_dest",
        "ddl_thread_score",
        "enable_log_archive",
        "external_kms_info",
        "gateway_connections_max",
        "gateway_connections_per_tenant_max",
        "gateway_connections_reserved_for_sys",
        "gateway_connections_reserved_per_tenant",
        "gc_wait_archive",
        "ha_high_thread_score",
        "ha_low_thread_score",
        "ha_mid_thread_score",
        "log_archive_batch_buffer_limit",
        "log_archive_checkpoint_interval",
        "log_archive_concurrency",
        "log_archive_dest",
        "log_archive_dest_state",
        "log_restore_concurrency",
        "log_restore_source",
        "recover_table_concurrency",
        "recover_table_dop",
        "restore_concurrency",
        "standby_db_fetch_log_rpc_timeout",
        "tde_method",
        *(f"log_archive_dest_{number}" for number in range(1, 9)),
        *(f"log_archive_dest_state_{number}" for number in range(1, 9)),
    }
)
"""Parameters that the desk keeps or refuses, whether the engine knows them or not. Any other goes to the engine, unless the
statement names a TENANT."""

PARAMETERS_HELD = BUILT_IN | frozenset(
    {
        "ha_info",
        "max_syslog_file_count",
        "server_role_info",
        "base_dir",
        "cluster_id",
        "data_dir",
        "datafile_disk_percentage",
        "datafile_maxsize",
        "datafile_next",
        "datafile_size",
        "devname",
        "enable_rpc_service",
        "local_ip",
        "log_disk_percentage",
        "log_disk_size",
        "memory_budget",
        "memory_limit",
        "memory_limit_percentage",
        "mysql_port",
        "redo_dir",
        "rpc_port",
        "server_role",
        "use_ipv6",
    }
)
"""Parameters by which a tenant would take its engine out of Holdfast's hands: doors, directories, role, size, and what keeps it from
starting."""

# The first word, after blanks, whole comments, brackets and empty statements. A `/*!` comment is code and does not
# match: such a text is lexed.
_FIRST_WORD = re.compile(rb"(?:[\s(;]++|/\*(?!!)(?:[^*]++|\*(?!/))*+\*/|(?:#|--[ \t\r\n])[^\n\r]*+)*+([A-Za-z]+)")
_SECOND_WORD = re.compile(rb"(?:\s++|/\*(?!!)(?:[^*]++|\*(?!/))*+\*/)++([A-Za-z]+)")
# A name is told from its first letter on, so a long run of letters is read once.
_MARKED_NAME = re.compile(rb"(?<![\w$])[\w$]*[_$]ob_[\w$]*+", re.IGNORECASE)

# Any of these in a text of several statements is worth a look at each statement.
_CONCERNS_US = (
    b"system",
    b"tenant",
    b"resource",
    b"_ob_",
    b"$ob_",
    b"encryption",
    b"decryption",
    b"parameters",
    b"restore",
    b"secure_file_priv",
    b"prepare",
    b"procedure",
    b"function",
    b"trigger",
    b"kill",
    b"__all_",
    OWN_ACCOUNT.encode(),
)

# Only a text that names one of these can be refused.
_REFUSABLE = (b"system", b"secure_file_priv", b"kill", b"__all_", OWN_ACCOUNT.encode())

_READING = frozenset({b"select", b"with", b"table", b"show", b"desc", b"describe", b"explain"})
"""Statements that may be sent to the view schema instead of the tenant's engine."""

INNER_CHARACTERS_MAX = 3 << 18
"""Of texts in a text, all together: a stored body's pieces are half a mebibyte at most. What has more is refused, not passed."""
_DEPTH_MAX = 4

_ACCOUNT_STATEMENTS = frozenset(
    {
        (b"alter", b"user"),
        (b"alter", b"role"),
        (b"create", b"user"),
        (b"create", b"role"),
        (b"drop", b"user"),
        (b"drop", b"role"),
        (b"rename", b"user"),
        (b"set", b"password"),
        (b"set", b"default"),
    }
)


@dataclass(slots=True)
class _Reading:
    """How far the reading of one text a client sent has come: of it and of the texts in it, which are read as if they were sent.

    `depth`: prepared texts around what is read. `bodies`: stored bodies around it. `is_piece`: it is a piece of one, of which every
    other beginning is a piece too. `left`: characters of texts in the text that may still be read, for all of them together.
    """

    depth: int = 0
    bodies: int = 0
    is_piece: bool = False
    left: int = INNER_CHARACTERS_MAX

    def spend(self, text: bytes) -> bool:
        """Return whether `text` may be read. What alone is prepared is read once, as if it were sent, and costs nothing here."""
        if self.bodies or self.depth > 1:
            self.left -= len(text)
        return self.left >= 0 and self.depth <= _DEPTH_MAX


def ownership(text: bytes | str, view_names: frozenset[str] = frozenset()) -> Ownership:
    """Return who answers `text`. Never raises, whatever the bytes. `view_names`: in upper case.

    Bytes must be ASCII compatible (utf8, latin1, and with care gbk: pass str decoded by the client's charset for gbk,
    big5 and sjis, whose second bytes may look like a backslash).
    """
    # From here on one byte or one character: UTF-8 keeps every byte below 0x80 an ASCII character.
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return _ownership(data, view_names, _Reading())


def is_plain(data: bytes) -> bool:
    """Return whether `ownership` lets these bytes pass whatever the names of views, without lexing more of them than their beginning.

    False for much else that it lets pass. Costs some looks at the bytes, 40 ms a MiB of comments at the most, 5 ms of anything else.
    """
    inner = data.find(b";")
    if inner >= 0 and not _is_blank(data, inner + 1):
        return not _several_concern_us(data)
    match = _FIRST_WORD.match(data)
    if match is None:
        return b"/*!" not in data
    if match[1].lower() not in _PLAIN and match[1].lower() in _RULES:
        return False
    lower = data.lower()
    return not any(mark in lower for mark in (b"_ob_", b"$ob_", b"__all_"))


def _ownership(data: bytes, view_names: frozenset[str], reading: _Reading) -> Ownership:
    inner = data.find(b";")
    if inner >= 0 and not _is_blank(data, inner + 1):
        return _of_several(data, view_names, reading)
    return _of_one(data, view_names, reading)


def _is_blank(data: bytes, start: int) -> bool:
    # The usual trailing `;` costs no copy of a large text.
    return len(data) - start < 64 and not data[start:].strip(b"; \t\r\n")


def _of_several(data: bytes, view_names: frozenset[str], reading: _Reading) -> Ownership:
    """Return SCRIPT, or what the only statement is when the semicolons lie in strings and comments."""
    if not _several_concern_us(data):
        return _PASS
    lower = data.lower()
    pieces = split(data.decode("latin-1"))
    owners = [_of_one(piece.text.encode("latin-1"), view_names, reading) for piece in pieces]
    refused = _refused_otherwise(data, reading) if any(word in lower for word in _REFUSABLE) else _PASS
    if refused is not _PASS:
        return refused
    if len(owners) == 1:
        return owners[0]
    return _PASS if all(owner is _PASS for owner in owners) else _SCRIPT


def _several_concern_us(data: bytes) -> bool:
    lower = data.lower()
    return b"/*!" in lower or any(word in lower for word in _CONCERNS_US)


def _refused_otherwise(data: bytes, reading: _Reading) -> Ownership:
    """Return REFUSED if a statement is refused that only another reading of the text shows, PASS otherwise."""
    for other in forms.other_readings(data):
        for piece in split(other.decode("latin-1")):
            owned = _of_one(piece.text.encode("latin-1"), frozenset(), reading)
            if owned.owner is Owner.REFUSED:
                return owned
    return _PASS


def refusal_of_prepared(text: bytes | str) -> str:
    """Return why an engine must not prepare `text` at a client's word, empty if it may."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return _refusal_of_inner(data, _Reading())


def _refusal_of_inner(data: bytes, reading: _Reading) -> str:
    if not reading.spend(data):
        return _TOO_DEEP
    if _begins_with_kill(data):
        return _KILL_ALONE
    owned = _ownership(data, frozenset(), reading)
    return owned.reason if owned.owner is Owner.REFUSED else ""


def _of_one(data: bytes, view_names: frozenset[str], reading: _Reading) -> Ownership:
    match = _FIRST_WORD.match(data)
    if match is None:
        return _of_odd(data, view_names, reading)
    first = match[1].lower()
    if first == b"show":
        # Before the views: SHOW PARAMETERS WHERE may name one, and is ours all the same.
        owned = _by_words(data, match.end(), first, reading)
        if owned is not _PASS:
            return owned
    if first in _READING:
        lower = data.lower()
        if (b"_ob_" in lower or b"$ob_" in lower) and _names_view(data, view_names):
            return _VIEW
    rule = _RULES.get(first)
    return _PASS if rule is None else rule(data, match.end(), first, reading)


def _names_view(data: bytes, view_names: frozenset[str]) -> bool:
    return any(found.decode("latin-1").upper() in view_names for found in _MARKED_NAME.findall(data))


def _of_odd(data: bytes, view_names: frozenset[str], reading: _Reading) -> Ownership:
    """Decide a text that begins with neither a word nor an ordinary comment: only a `/*!` comment can hide one."""
    lower = data.lower()
    if b"/*!" not in data or not any(word in lower for word in _CONCERNS_US):
        return _PASS
    # The same statement without its comments: names and marks stay apart, which is all the rules look at.
    cursor = Cursor(data.decode("latin-1"))
    plain = " ".join(token.text for token in cursor.rest())
    encoded = plain.encode("latin-1")
    if _begins_with_kill(encoded):
        return Ownership(Owner.REFUSED, _KILL_ALONE)
    return _of_one(encoded, view_names, reading) if _FIRST_WORD.match(encoded) else _PASS


# --- one rule per first word: (text, end of the first word, first word in lower case, how far the reading has come) ---


def _second_word(data: bytes, end: int) -> bytes:
    match = _SECOND_WORD.match(data, end)
    if match is not None:
        return match[1].lower()
    # A comment that is code, or one that ends a line, may stand before the word: let the lexer say.
    if data[end : end + 256].lstrip()[:1] not in {b"/", b"#", b"-"}:
        return b""
    return _head(data).token(ahead=1).text.lower().encode("latin-1")


def _alter(data: bytes, end: int, first: bytes, reading: _Reading) -> Ownership:
    second = _second_word(data, end)
    if second == b"system":
        return _alter_system(data)
    if b"__all_" in data.lower() and forms.is_view(list(Cursor(data[:_STORED_HEAD_BYTES].decode("latin-1")).rest())):
        return _naming_dictionary(_tokens(data))
    return _account(data, first, second)


def _tokens(data: bytes) -> Iterator[Token]:
    """Yield the tokens one by one: a list of those of a mebibyte is what takes longest."""
    return tokens(data.decode("latin-1"))


def _head(data: bytes) -> Cursor:
    """Return the first words: no statement of ours is told by more of them."""
    return Cursor(data.decode("latin-1"), tokens_max=_HEAD_TOKENS)


def _alter_system(data: bytes) -> Ownership:
    cursor = _head(data)
    action = cursor.token(ahead=2)
    if action.word in {"SET", "RESET"} or cursor.at_mark("=", ahead=3):
        return _parameters(islice(_tokens(data), 2, None))
    return _OURS if owns(cursor) else _PASS


def _parameters(found: Iterator[Token]) -> Ownership:
    """Decide ALTER SYSTEM [SET] p = v, ... and RESET p, ... by the names at the places of names.

    A name is the word before an equal sign, and the first word after SET, RESET or a comma.
    """
    names = set()
    names_tenant = False
    at_name = True
    for token, following in pairwise(chain(found, (None,))):
        assert token is not None  # None is the last alone
        is_before_equal = following is not None and following.text == "="
        word = token.word
        if at_name and not is_before_equal and word in {"SET", "RESET"}:
            continue
        if word == "TENANT" and not at_name:
            names_tenant = True
        if (at_name or is_before_equal) and token.kind in {Kind.NAME, Kind.QUOTED_NAME}:
            names.add(name_value(token).lower())
        at_name = token.text == "," and token.kind is Kind.PUNCTUATION
    held = sorted(names & PARAMETERS_HELD)
    if held:
        return Ownership(Owner.REFUSED, f"parameter {held[0]} is set by holdfast for every engine")
    return _OURS if names_tenant or names & PARAMETERS_OURS else _PASS


def _set(data: bytes, end: int, first: bytes, reading: _Reading) -> Ownership:
    second = _second_word(data, end)
    if second in {b"encryption", b"decryption"}:
        # Misspelt ones too: whatever goes to the engine stands in its log, and these texts hold passwords.
        return _PASS if _head(data).token(ahead=2).text in {"=", ":="} else _OURS
    if b"secure_file_priv" in data.lower() and _assigns_file_priv(_tokens(data)):
        return Ownership(Owner.REFUSED, "secure_file_priv is set by holdfast for every engine")
    return _account(data, first, second)


def _assigns_file_priv(found: Iterator[Token]) -> bool:
    return any(
        following.text in {"=", ":="} and _variable_name(token) == "secure_file_priv"
        for token, following in pairwise(found)
    )


def _variable_name(token: Token) -> str:
    """Return the last part of a variable's name: of secure_file_priv, @@global.secure_file_priv and the like."""
    if token.kind is Kind.QUOTED_NAME:
        return name_value(token).lower()
    if token.kind in {Kind.NAME, Kind.VARIABLE}:
        return token.text.lower().rpartition(".")[2].strip("@`")
    return ""


def _create(data: bytes, end: int, first: bytes, reading: _Reading) -> Ownership:
    owned = _by_words(data, end, first, reading)
    if owned is not _PASS or _second_word(data, end) in _NEVER_STORED:
        return owned
    found = list(Cursor(data[:_STORED_HEAD_BYTES].decode("latin-1")).rest())
    if b"__all_" in data.lower() and forms.is_view(found):
        # The engine writes through a view.
        return _naming_dictionary(_tokens(data))
    if reading.is_piece or not forms.is_stored(found) or not any(word in data.lower() for word in _REFUSABLE):
        return _PASS
    # A piece that makes stored code itself is not read for its own pieces: each of them is one here. Read again they were 2^n.
    reading.is_piece = True
    reading.bodies += 1
    texts = (text.encode("latin-1") for text in forms.stored_statements(data.decode("latin-1")))
    reason = next(filter(None, (_refusal_of_inner(text, reading) for text in texts)), "")
    reading.bodies -= 1
    reading.is_piece = False
    return Ownership(Owner.REFUSED, reason) if reason else _PASS


def _prepare(data: bytes, end: int, first: bytes, reading: _Reading) -> Ownership:
    source = forms.prepared(_tokens(data))
    if isinstance(source, str):
        return Ownership(Owner.PREPARE, source)
    if source is None:
        return _PASS
    was_piece, reading.is_piece = reading.is_piece, False
    reading.depth += 1
    reason = _refusal_of_inner(source, reading)
    reading.depth -= 1
    reading.is_piece = was_piece
    return Ownership(Owner.REFUSED, reason) if reason else _PASS


def _kill(data: bytes, end: int, first: bytes, reading: _Reading) -> Ownership:
    # Whom it means must be told: nobody is asked for a privilege, so a client could end sessions of Holdfast's.
    return _PASS if read_kill(data) is not None else Ownership(Owner.REFUSED, _KILL_ALONE)


def _begins_with_kill(data: bytes) -> bool:
    match = _FIRST_WORD.match(data)
    return match is not None and match[1].lower() == b"kill"


def _dictionary(data: bytes, end: int, first: bytes, reading: _Reading) -> Ownership:
    """Refuse what changes rows of the engine's own tables: they hold its accounts, and a client's root may write them (measured)."""
    # The table of an INSERT stands at its beginning, and what follows may be long.
    head = data[:_STORED_HEAD_BYTES] if first in _INSERTING else data
    if b"__all_" not in head.lower():
        return _PASS
    return _naming_dictionary(takewhile(lambda token: token.word not in _ROWS_BEGIN, _tokens(head)))


def _behind_with(data: bytes, end: int, first: bytes, reading: _Reading) -> Ownership:
    """Refuse what may change rows of the engine's own tables behind WITH: there it may stand anywhere. To read them is let through."""
    if b"__all_" not in data.lower():
        return _PASS
    writes = any(token.word in _WRITING and before.word != "FOR" for before, token in pairwise(_tokens(data)))
    return _naming_dictionary(_tokens(data)) if writes else _PASS


def _naming_dictionary(found: Iterable[Token]) -> Ownership:
    """Return REFUSED if one of the engine's own tables is named."""
    for token in found:
        if token.kind in {Kind.NAME, Kind.QUOTED_NAME} and name_value(token).lower().startswith("__all_"):
            return Ownership(Owner.REFUSED, f"table {name_value(token).lower()[:64]} belongs to the engine")
    return _PASS


def _by_words(data: bytes, end: int, first: bytes, reading: _Reading) -> Ownership:
    second = _second_word(data, end)
    if (first, second) in _OWN_SECOND_WORDS:
        return _OURS if owns(_head(data)) else _PASS
    return _account(data, first, second)


def _any_account(data: bytes, _: int, first: bytes, reading: _Reading) -> Ownership:
    return _refused_account(data)


def _account(data: bytes, first: bytes, second: bytes) -> Ownership:
    return _refused_account(data) if (first, second) in _ACCOUNT_STATEMENTS else _PASS


def _refused_account(data: bytes) -> Ownership:
    """Refuse an account statement that names Holdfast's own account, as a name or as a string."""
    if OWN_ACCOUNT.encode() not in data.lower():
        return _PASS
    for reading in (data, *forms.other_readings(data)):
        for token in _tokens(reading):
            name = string_value(token) if token.kind is Kind.STRING else name_value(token)
            if name.lower() in _OWN_ACCOUNTS:
                return Ownership(Owner.REFUSED, f"account {name.lower()} belongs to holdfast")
    return _PASS


_TOO_DEEP = "texts in texts are read to a depth of 4, and not without end"
_KILL_ALONE = "kill is taken as a statement of its own with a number alone"
_WRITING = frozenset({"DELETE", "UPDATE", "INSERT", "REPLACE"})
_NEVER_STORED = frozenset({b"table", b"database", b"schema", b"index", b"user", b"temporary", b"unique"})
_STORED_HEAD_BYTES = 4096
_HEAD_TOKENS = 16
_INSERTING = frozenset({b"insert", b"replace"})
_PLAIN = _INSERTING | frozenset({b"update", b"delete", b"truncate", b"load", b"with"})
"""These have a rule that lexes only what names a table of the engine's own."""
_ROWS_BEGIN = frozenset({"VALUES", "VALUE", "SELECT", "SET"})

_OWN_SECOND_WORDS = frozenset(
    {
        (b"show", b"parameters"),
        (b"show", b"restore"),
        (b"show", b"tenant"),
        (b"show", b"tenants"),
        (b"create", b"tenant"),
        (b"create", b"resource"),
        (b"drop", b"tenant"),
        (b"drop", b"resource"),
    }
)

_RULES: Mapping[bytes, Callable[[bytes, int, bytes, _Reading], Ownership]] = {
    b"alter": _alter,
    b"set": _set,
    b"show": _by_words,
    b"create": _create,
    b"drop": _by_words,
    b"rename": _by_words,
    b"grant": _any_account,
    b"revoke": _any_account,
    b"prepare": _prepare,
    b"kill": _kill,
    b"insert": _dictionary,
    b"replace": _dictionary,
    b"update": _dictionary,
    b"delete": _dictionary,
    b"truncate": _dictionary,
    b"load": _dictionary,
    b"with": _behind_with,
}
