"""The states of a span of restorable time."""

from enum import StrEnum


class WindowStatus(StrEnum):
    """REACHABLE: every moment in it can be restored. GAP: none of it can.

    FOREIGN: every moment in it can be restored, of a history that is not this server's: a copy of it wrote on, or it was put back.

    UNKNOWN: a path could not be read, so what it holds is not known. ABSENT: a destination of the tenant is not there, or is none any
    more. FORMER: so is a path that the tenant does not use any more, of which the catalog still lists sets or pieces. DAMAGED: a set or
    piece is there and can not be used: bytes are wrong, objects are missing, or it is another tenant's.
    """

    REACHABLE = "REACHABLE"
    FOREIGN = "FOREIGN"
    GAP = "GAP"
    UNKNOWN = "UNKNOWN"
    ABSENT = "ABSENT"
    FORMER = "FORMER"
    DAMAGED = "DAMAGED"
