"""The WITH string of RESTORE and RECOVER TABLE."""

from dataclasses import dataclass

from holdfast import codes
from holdfast.errors import refuse
from holdfast.statement.commands import OptionPairs

CONCURRENCY_MAX = 100
_METHODS = frozenset({"full", "quick"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """None or empty: not written. `concurrency`: 0 to 100, 0 stands for the default."""

    pools: tuple[str, ...] = ()
    locality: str | None = None
    primary_zone: str | None = None
    concurrency: int | None = None
    method: str = "full"
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

    Raises RefusedError: 1210 "restore concurrency" outside 0 to 100, 1210 for an unknown method or a kms_encrypt that is
    neither true nor false.
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
    )


def _concurrency(text: str) -> int:
    # Few digits first: int() of a very long text takes long and may raise.
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= CONCURRENCY_MAX):
        raise refuse(codes.OB_INVALID_ARGUMENT, "restore concurrency", hint=f"write 0 to {CONCURRENCY_MAX}")
    return int(text)
