from dataclasses import dataclass

from holdfast.engine_format.checksum import Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SlogWalk:
    """What a slog file holds. `last_sequence` is None if it holds no entry; `end_offset` is where the next batch goes."""

    batch_count: int
    last_sequence: int | None
    end_offset: int


def walk_slog(buffer: Bytes) -> SlogWalk:
    """Return what a whole slog file holds, every batch and entry verified."""
    raise NotImplementedError
