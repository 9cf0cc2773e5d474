"""The words of retention: what is judged, by which policy, and what comes out. Pure.

A set or piece is judged by what the catalog says of it together with what its own destination says: a set's manifest
(`Image`), a piece's record (`Extent`). What should be readable and is not has `trouble`, and then nothing is removed.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from holdfast.codes import Code
from holdfast.values.archive import FileStatus, PieceStatus
from holdfast.values.backup_set import BackupType, SetStatus
from holdfast.values.lsn import Lsn
from holdfast.values.scn import SCN_NONE, Scn


class PolicyName(StrEnum):
    DEFAULT = "default"
    LOG_ONLY = "log_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`recovery_window_us` None: nothing ever leaves the window. REDUNDANCY is always 1."""

    name: PolicyName = PolicyName.DEFAULT
    recovery_window_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A set that is kept for ever, with what it rests on and the log up to its MIN_RESTORE_SCN."""

    backup_set_id: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What a set's manifest says: the sets it refers to, and the log it needs, `[base_lsn, end_lsn)` at least."""

    chain: tuple[int, ...]
    timeline: str
    round_id: int
    base_lsn: Lsn
    end_lsn: Lsn


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFact:
    """A backup set. `end_us`: when it ended, None while it is made. `has_log`: PLUS ARCHIVELOG."""

    dest_id: int
    backup_set_id: int
    type: BackupType
    status: SetStatus
    file_status: FileStatus
    end_us: int | None
    prev_full_backup_set_id: int = 0
    prev_inc_backup_set_id: int = 0
    start_replay_scn: Scn = SCN_NONE
    min_restore_scn: Scn = SCN_NONE
    has_log: bool = False
    is_canceled: bool = False
    image: Image | None = None
    trouble: str = ""

    @property
    def is_usable(self) -> bool:
        """Return whether the set counts for restores and as a base. Its log is another question."""
        return self.status is SetStatus.SUCCESS and self.file_status is FileStatus.AVAILABLE

    @property
    def is_worth_keeping(self) -> bool:
        """Return whether a pin, or a set that rests on it, keeps the set: one found BROKEN may be proven good again."""
        return self.is_usable or (self.status is SetStatus.SUCCESS and self.file_status is FileStatus.BROKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What a piece's record says: the log `[begin_lsn, end_lsn)`, whose last group has `end_scn`."""

    timeline: str
    begin_lsn: Lsn
    end_lsn: Lsn
    end_scn: Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceFact:
    """An archive piece. `is_open`: it is, or may yet be, written to: the last piece of a round that has not stopped."""

    dest_id: int
    round_id: int
    piece_id: int
    status: PieceStatus
    file_status: FileStatus
    start_scn: Scn
    end_scn: Scn
    checkpoint_scn: Scn
    is_open: bool = False
    extent: Extent | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Everything of one tenant that retention looks at, former destinations included.

    `data_dest_id`, `archive_dest_id`: the current destinations, None while there is none. Rows of what is DELETED are in it.
    """

    sets: tuple[SetFact, ...] = ()
    pieces: tuple[PieceFact, ...] = ()
    data_dest_id: int | None = None
    archive_dest_id: int | None = None
    pins: tuple[Pin, ...] = ()

    def without(self, set_ids: frozenset[int], pieces: frozenset[tuple[int, int]]) -> "Estate":
        """Return what is left when these sets, and these pieces by (round, piece), are gone."""
        return replace(
            self,
            sets=tuple(fact for fact in self.sets if fact.backup_set_id not in set_ids),
            pieces=tuple(fact for fact in self.pieces if (fact.round_id, fact.piece_id) not in pieces),
        )


class Action(StrEnum):
    KEEP = "KEEP"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVerdict:
    fact: SetFact
    action: Action
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceVerdict:
    fact: PieceFact
    action: Action
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The points from `first_scn` to `last_scn`, both included."""

    first_scn: Scn
    last_scn: Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a cleanup does nothing at all; `comment` is what its job says."""

    code: Code
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a cleanup does, and why. With a refusal every verdict is KEEP.

    `sets` newest first, `pieces` oldest first, which is the order in which they are removed. `lost`: moments that can be
    restored now and can not be afterwards, ascending and apart. `clean_point`: the set the window's start rests on.
    """

    sets: tuple[SetVerdict, ...]
    pieces: tuple[PieceVerdict, ...]
    lost: tuple[Moments, ...] = ()
    clean_point: int | None = None
    refusal: Refusal | None = None

    @property
    def doomed_sets(self) -> tuple[SetFact, ...]:
        return tuple(verdict.fact for verdict in self.sets if verdict.action is Action.DELETE)

    @property
    def doomed_pieces(self) -> tuple[PieceFact, ...]:
        return tuple(verdict.fact for verdict in self.pieces if verdict.action is Action.DELETE)
