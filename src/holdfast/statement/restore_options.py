"""The WITH string of RESTORE and RECOVER TABLE."""

import re
from dataclasses import dataclass

from holdfast import codes
from holdfast.errors import refuse
from holdfast.statement.commands import OptionPairs

CONCURRENCY_MAX = 100
_TTL = re.compile(r"(\d{1,9})([smhd])", re.IGNORECASE)
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
TTL_SECONDS_MAX = 366 * 86400
_METHODS = frozenset({"full", "quick"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """None or empty: not written. `concurrency`: 0 to 100, 0 stands for the default.

    `ttl_seconds` is Holdfast's own: how long the tenant lives once it is open.
    """

    pools: tuple[str, ...] = ()
    locality: str | None = None
    primary_zone: str | None = None
    concurrency: int | None = None
    method: str = "full"
    ttl_seconds: int | None = None
    kms_encrypt: bool = False


def option_pairs(text: str) -> OptionPairs:
    """Return the `key=value` items of a WITH string, parted by `&`, keys in lower case, empty items dropped."""
    pairs = []
    for item in text.split("&"):
        key, _, value = item.partition("=")
        if item.strip():
            pairs.append((key.strip().lower(), value.strip()))
    return tuple(pairs)


def read_options(pairs: OptionPairs) -> RestoreOptions:
    """Return typed options. Unknown keys are ignored, as OceanBase does; of a repeated key the last counts.

    Raises RefusedError (1210): "restore concurrency" outside 0 to 100, "restore ttl" for what is no time to live, an unknown
    method, or a kms_encrypt that is neither true nor false.
    """
    given = dict(pairs)
    method = given.get("method", "full").lower()
    if method not in _METHODS:
        raise refuse(codes.OB_INVALID_ARGUMENT, "restore method", hint="write method=full or method=quick")
    kms_encrypt = given.get("kms_encrypt", "false").lower()
    if kms_encrypt not in {"true", "false"}:
        raise refuse(codes.OB_INVALID_ARGUMENT, "kms_encrypt", hint="write kms_encrypt=true or leave it out")
    return RestoreOptions(
        pools=tuple(name for name in (part.strip() for part in given.get("pool_list", "").split(",")) if name),
        locality=given.get("locality"),
        primary_zone=given.get("primary_zone"),
        concurrency=_concurrency(given["concurrency"]) if "concurrency" in given else None,
        method=method,
        kms_encrypt=kms_encrypt == "true",
        ttl_seconds=_ttl_seconds(given["ttl"]) if "ttl" in given else None,
    )


def _ttl_seconds(text: str) -> int:
    match = _TTL.fullmatch(text)
    seconds = int(match[1]) * _UNIT_SECONDS[match[2].lower()] if match else 0
    if not 0 < seconds <= TTL_SECONDS_MAX:
        raise refuse(codes.OB_INVALID_ARGUMENT, "restore ttl", hint="write a time to live such as 90s, 30m, 2h or 7d")
    return seconds


def _concurrency(text: str) -> int:
    # Few digits first: int() of a very long text takes long and may raise.
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= CONCURRENCY_MAX):
        raise refuse(codes.OB_INVALID_ARGUMENT, "restore concurrency", hint=f"write 0 to {CONCURRENCY_MAX}")
    return int(text)
