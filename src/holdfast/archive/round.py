"""The states of an archive round, as a table. Code looks transitions up here and nowhere else.

    (none)     -> PREPARE       ARCHIVELOG, destination set, state ENABLE
    PREPARE    -> BEGINNING     destination and format file were found good
    BEGINNING  -> DOING         the first log is durable in the destination
    BEGINNING or DOING -> SUSPENDING -> SUSPEND       LOG_ARCHIVE_DEST_STATE = DEFER
    SUSPEND    -> BEGINNING     state ENABLE: the same round goes on
    any of BEGINNING, DOING, SUSPENDING, SUSPEND -> INTERRUPTED       log was lost; never heals
    all but STOP -> STOPPING -> STOP          NOARCHIVELOG

Source: OceanBase's manual, ARCHIVELOG views; PREPARE -> STOPPING is ours (a round that never found its destination
must end too).
"""

from enum import Enum
from typing import Final

from holdfast.values.archive import RoundStatus


class Wanted(Enum):
    """What the tenant's settings ask of its round."""

    RUN = "archive"
    SUSPEND = "rest, keep the log at hand"
    STOP = "end the round"


class RoundEvent(Enum):
    """What moves a round."""

    DESTINATION_GOOD = "the destination passed its checks"
    FIRST_DURABLE = "log is durable in the destination"
    DEFERRED = "the destination's state became DEFER"
    RESTED = "everything in hand is durable and recorded"
    ENABLED = "the destination's state became ENABLE"
    LOG_LOST = "log can not be archived any more"
    STOP_ASKED = "the tenant left ARCHIVELOG mode"
    ENDED = "every piece is frozen"


_PREPARE, _BEGINNING, _DOING = RoundStatus.PREPARE, RoundStatus.BEGINNING, RoundStatus.DOING
_SUSPENDING, _SUSPEND, _INTERRUPTED = RoundStatus.SUSPENDING, RoundStatus.SUSPEND, RoundStatus.INTERRUPTED
_STOPPING, _STOP = RoundStatus.STOPPING, RoundStatus.STOP

TRANSITIONS: Final[dict[tuple[RoundStatus, RoundEvent], RoundStatus]] = {
    (_PREPARE, RoundEvent.DESTINATION_GOOD): _BEGINNING,
    (_PREPARE, RoundEvent.STOP_ASKED): _STOPPING,
    (_BEGINNING, RoundEvent.FIRST_DURABLE): _DOING,
    (_BEGINNING, RoundEvent.DEFERRED): _SUSPENDING,
    (_BEGINNING, RoundEvent.LOG_LOST): _INTERRUPTED,
    (_BEGINNING, RoundEvent.STOP_ASKED): _STOPPING,
    (_DOING, RoundEvent.DEFERRED): _SUSPENDING,
    (_DOING, RoundEvent.LOG_LOST): _INTERRUPTED,
    (_DOING, RoundEvent.STOP_ASKED): _STOPPING,
    (_SUSPENDING, RoundEvent.RESTED): _SUSPEND,
    (_SUSPENDING, RoundEvent.LOG_LOST): _INTERRUPTED,
    (_SUSPENDING, RoundEvent.STOP_ASKED): _STOPPING,
    (_SUSPEND, RoundEvent.ENABLED): _BEGINNING,
    (_SUSPEND, RoundEvent.LOG_LOST): _INTERRUPTED,
    (_SUSPEND, RoundEvent.STOP_ASKED): _STOPPING,
    (_INTERRUPTED, RoundEvent.STOP_ASKED): _STOPPING,
    (_STOPPING, RoundEvent.ENDED): _STOP,
}


def next_status(status: RoundStatus, event: RoundEvent) -> RoundStatus | None:
    """Return the status `event` leads to, or None where it changes nothing (DEFER does nothing to a round that rests)."""
    return TRANSITIONS.get((status, event))


def is_over(status: RoundStatus) -> bool:
    """Return whether the round has ended for good; an INTERRUPTED one still waits for NOARCHIVELOG."""
    return status is RoundStatus.STOP


def holds_log(status: RoundStatus) -> bool:
    """Return whether the engine's log must be held for this round: it is owed to the destination."""
    return status in {_BEGINNING, _DOING, _SUSPENDING, _SUSPEND}


def follows_log(status: RoundStatus) -> bool:
    """Return whether log is being archived in this status."""
    return status in {_BEGINNING, _DOING}
