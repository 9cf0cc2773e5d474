"""Secrets out of statement texts, before anything is logged or quoted in an error.

What is harmless is listed, everything else is masked: an option nobody has heard of may be a key.
"""

import re

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
    rf"\b((?:by(?:\s++password\b)?|access_info|tenant_sts_credential|external_kms_info|password)\s*+=?\s*+)"
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
