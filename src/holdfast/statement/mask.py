"""Secrets out of statement texts, and values of rows out of what an engine says, before anything is logged or quoted in an error.

What is harmless is listed, everything else is masked: an option nobody has heard of may be a key, and an engine quotes what it
refuses (`Duplicate entry 'secret' for key 'v'`).
"""

import re

from holdfast.statement.lexer import Kind, tokens

MASK = "***"

# Options of URIs and of the restore string that say nothing secret.
_OPEN_OPTIONS = (
    "host|delete_mode|checksum_type|addressing_model|s3_region|enable_worm|max_iops|max_bandwidth"
    "|pool_list|locality|primary_zone|concurrency|method|kms_encrypt"
)
# Option of a URI: what follows `?` or `&`. A value ends where the URI may end: at & , ; a quote or a blank. Not anchored
# to a scheme, so ACCESS_INFO='access_id=..&access_key=..' is covered by the second expression.
_URI_OPTION = re.compile(rf"([?&](?!(?:{_OPEN_OPTIONS})=)[\w.-]+=)[^&,;'\"\s]*", re.ASCII | re.IGNORECASE)
_NAMED = re.compile(
    r"\b((?:access_id|access_key|encrypt_key|appid|secret\w*+|password|passwd|token)\s*+=)(?!=)\s*+[^&,;'\"\s]+",
    re.ASCII | re.IGNORECASE,
)
# The string after these words, or what there is of it when it never ends. Several strings may follow BY, comma parted;
# BY alone counts, because the word before it may be the misspelt one.
_STRING = r"(?:'(?:[^'\\]++|\\.|'')*+'?|\"(?:[^\"\\]++|\\.|\"\")*+\"?)"
# Possessive throughout: a long run of blanks must not be tried in every way it can be parted.
_AFTER_WORDS = re.compile(
    rf"\b((?:by(?:\s++password\b)?|key\s++from|access_info|tenant_sts_credential|external_kms_info|backup_encryption|password)\s*+=?\s*+)"
    rf"{_STRING}(?:\s*+(?:,\s*+)?{_STRING})*+",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
# In these statements every string is a password, whatever stands around it, and a word that is none of the grammar's may be one
# whose quotes were forgotten. Blanks and comments may stand before and between the first words.
_BLANK = r"(?:\s++|/\*(?:[^*]++|\*(?!/))*+\*/|(?:#|--[ \t])[^\n]*+\n)"
_ALL_SECRET = re.compile(rf"{_BLANK}*+set{_BLANK}++(?:en|de)cryption\b", re.ASCII | re.IGNORECASE)
_SECRET = re.compile(rf"{_STRING}|(?!(?:on|identified|by|only)\b)[^\s,;'\"]++", re.ASCII | re.IGNORECASE | re.DOTALL)


def mask_secrets(text: str) -> str:
    """Return `text` with passwords, access keys and unknown URI options replaced by `***`.

    Works on whole statements and on parts of them, such as a URI alone, and does not need them to be well formed.
    """
    first_words = _ALL_SECRET.match(text)
    if first_words is not None:
        return first_words[0] + _SECRET.sub(f"'{MASK}'", text[first_words.end() :])
    masked = _AFTER_WORDS.sub(lambda match: f"{match[1]}'{MASK}'", text)
    masked = _NAMED.sub(rf"\g<1>{MASK}", masked)
    return _URI_OPTION.sub(rf"\g<1>{MASK}", masked)


_SHOWN_CHARACTERS_MAX = 1000
_WRITING = frozenset({"INSERT", "REPLACE", "UPDATE", "DELETE", "SET"})
_VALUES = frozenset({Kind.STRING, Kind.BROKEN})
# An engine's sentences that name tables and columns and can not hold a value (measured on 1.4.0).
_NAMING = re.compile(
    r"[A-Za-z ]+ for column '[^']*' at row \d+|Column '[^']*' cannot be null|Table '[^']*' (?:doesn't exist|already exists)"
    r"|Unknown (?:column|database|table) '[^']*'(?: in '[^']*')?|Can't create database '[^']*'; database exists"
)
_LEADING_WORDS = re.compile(r"[A-Za-z][A-Za-z ,-]*")


def mask_values(sql: str) -> str:
    """Return the beginning of a statement without its strings, and without its numbers if it writes: either may be a row's value."""
    text = sql[:_SHOWN_CHARACTERS_MAX]
    parts: list[str] = []
    end, is_writing = 0, False
    for number, token in enumerate(tokens(text)):
        is_writing = is_writing or (number == 0 and token.word in _WRITING)
        if token.kind in _VALUES or (is_writing and token.kind is Kind.NUMBER):
            parts += (text[end : token.start], MASK)
            end = token.end
    parts.append(text[end:])
    return "".join(parts) + ("..." if len(sql) > len(text) else "")


def engine_words(text: str) -> str:
    """Return what an engine says of a statement, without a value it may quote: the words its sentence begins with.

    Whole are those sentences that name tables and columns and have no place for a value.
    """
    if _NAMING.fullmatch(text):
        return text
    found = _LEADING_WORDS.match(text)
    return found[0].rstrip(" ,-") if found else "it says nothing that can be shown"
