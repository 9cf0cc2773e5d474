"""Who made an object: the record that every object committed by presence carries, and by which a server knows its own work.

A server has an identity (random, made at its first start) and a token for each of its starts. Whoever copies or puts back a
base directory copies the identity, but what was written by a start of the other one bears a token that this one never had: so
work is one's own only if one's own base directory remembers the start that made it.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

_HEX = re.compile(r"[0-9a-f]{32}", re.ASCII)
COUNT_MAX = 2**63 - 1
OPENINGS_MAX = 16_384
"""Starts that a base directory remembers, the newest that wrote anything: 1.9 MB. A round goes on from its newest record, a job survives
3 starts; a data destination's last writer may be older, and 512 were used up in 43 minutes by a failing server started every 5 s."""


class JobKind(StrEnum):
    """For which kind of work an object was made."""

    NONE = "NONE"
    BACKUP = "BACKUP"
    ARCHIVE = "ARCHIVE"
    RESTORE = "RESTORE"
    RECOVER_TABLE = "RECOVER_TABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who made an object, in which start, for which job.

    `server_id`, `token`: 32 lower-case hex digits, random. `generation`: of `serve.lock`, from 1. `job_id`: of a backup its job's,
    of an archive its round's, 0 without a job; unique for a tenant and kind. `time_us`: since the epoch. Raises ValueError.
    """

    server_id: str
    generation: int
    job_kind: JobKind = JobKind.NONE
    job_id: int = 0
    token: str
    time_us: int

    def __post_init__(self) -> None:
        for name, text in (("server_id", self.server_id), ("token", self.token)):
            if not _HEX.fullmatch(text):
                raise ValueError(f"{name} is not 32 hex digits")
        for name, least, number in (
            ("generation", 1, self.generation),
            ("job_id", 0, self.job_id),
            ("time_us", 0, self.time_us),
        ):
            if not least <= number <= COUNT_MAX:
                raise ValueError(f"{name} is not between {least} and {COUNT_MAX}")
        if (self.job_kind is JobKind.NONE) != (self.job_id == 0):
            raise ValueError("a job has a kind and an id, or neither")

    @property
    def words(self) -> str:
        """Return how messages name it: short enough to read, long enough to find in a log."""
        job = "" if self.job_kind is JobKind.NONE else f" for {self.job_kind.lower().replace('_', ' ')} {self.job_id}"
        return f"server {self.server_id[:8]}, start {self.generation} ({self.token[:8]}){job}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One start of a server. `server_id`, `token` as in Owner. Raises ValueError."""

    server_id: str
    token: str

    def __post_init__(self) -> None:
        for name, text in (("server_id", self.server_id), ("token", self.token)):
            if not _HEX.fullmatch(text):
                raise ValueError(f"{name} is not 32 hex digits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """The starts that led to the one that runs, oldest first, that one last: what a base directory knows of itself."""

    openings: tuple[Opening, ...]
    _known: frozenset[Opening] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        assert self.openings, "a server that runs was started"
        object.__setattr__(self, "_known", frozenset(self.openings))

    @property
    def current(self) -> Opening:
        return self.openings[-1]

    def made(self, owner: Owner | None) -> bool:
        """Return whether one of these starts made it. What has no owner was made by nobody who is known."""
        return owner is not None and Opening(server_id=owner.server_id, token=owner.token) in self._known

    def made_for(self, owner: Owner | None, kind: JobKind, job_id: int) -> bool:
        """Return whether one of these starts made it for this job, of whichever tenant: that the object itself must tell."""
        return owner is not None and (owner.job_kind, owner.job_id) == (kind, job_id) and self.made(owner)

    def opened(self, opening: Opening) -> "Lineage":
        """Return the lineage after one more start; the oldest are forgotten."""
        return Lineage(openings=(*self.openings, opening)[-OPENINGS_MAX:])
