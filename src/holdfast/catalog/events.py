"""The history of events that DBA_OB_ROOTSERVICE_EVENT_HISTORY shows to sys."""

from collections.abc import Sequence

from holdfast.catalog.connections import Cell, Connections
from holdfast.catalog.records import time_from_us
from holdfast.clock import Clock
from holdfast.values.outside import one_line

PAIRS_MAX = 6
"""The view has columns NAME1, VALUE1 to NAME6, VALUE6."""
_EXTRA_CHARACTERS_MAX = 512


class Events:
    """Every method is one transaction."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock

    def add(self, module: str, event: str, pairs: Sequence[tuple[str, object]] = (), extra_info: str = "") -> None:
        """Record an event of now, such as `backup_data`, `start_backup_data`, with up to six named values."""
        assert len(pairs) <= PAIRS_MAX, f"{len(pairs)} values do not fit the view"
        padded = [*((name, one_line(str(value))) for name, value in pairs), *[("", "")] * (PAIRS_MAX - len(pairs))]
        cells: list[Cell] = [cell for pair in padded for cell in pair]
        names = ", ".join(f"name{number}, value{number}" for number in range(1, PAIRS_MAX + 1))
        places = ", ".join(["%s"] * (4 + 2 * PAIRS_MAX))
        with self._connections.transaction() as transaction:
            transaction.execute(
                f"INSERT INTO __holdfast.event (timestamp, module, event, extra_info, {names}) VALUES ({places})",
                [
                    time_from_us(self._clock.now_ns() // 1000),
                    module,
                    event,
                    one_line(extra_info, _EXTRA_CHARACTERS_MAX),
                    *cells,
                ],
            )
