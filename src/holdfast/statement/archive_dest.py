"""The items of LOG_ARCHIVE_DEST."""

from dataclasses import dataclass, field

from holdfast.values.destination import Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveDest:
    """`location` is the URI as written. `piece_switch_interval_us`: microseconds, 1 to 7 days."""

    location: str = field(repr=False)
    binding: Binding = Binding.OPTIONAL
    piece_switch_interval_us: int = 86_400_000_000
    piece_switch_interval_text: str = "1d"
    compression: bool | None = None


def parse_archive_dest(text: str) -> ArchiveDest:
    """Return the items of a LOG_ARCHIVE_DEST string (not the empty one, which clears the destination).

    `compression` None: not written. Raises RefusedError with OceanBase's codes (statements 3.1).
    """
    raise NotImplementedError
