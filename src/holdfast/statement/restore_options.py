"""The WITH string of RESTORE and RECOVER TABLE."""

from dataclasses import dataclass

from holdfast.statement.commands import OptionPairs


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """None or empty: not written. `concurrency`: 0 to 100, 0 stands for the default."""

    pools: tuple[str, ...] = ()
    locality: str | None = None
    primary_zone: str | None = None
    concurrency: int | None = None
    method: str = "full"
    kms_encrypt: bool = False


def read_options(pairs: OptionPairs) -> RestoreOptions:
    """Return typed options. Unknown keys are ignored, as OceanBase does; of a repeated key the last counts.

    Raises RefusedError: 1210 "restore concurrency" outside 0 to 100, 1210 for an unknown method.
    """
    raise NotImplementedError
