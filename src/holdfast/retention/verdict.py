"""The words of retention: what is judged, by which policy, and what comes out. Pure.

A set or piece is an entry: the catalog's row, and the fact that its destination tells a restore as well (`backup_format.reach`).
Without a fact it restores nothing. What should be readable and is not has `trouble`, and then nothing is removed; what is known to
be damaged has a fact of what is left of it, or none, and holds nothing up.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from holdfast.backup_format.reach import Moments, PieceFact, SetFact
from holdfast.codes import Code
from holdfast.values.archive import FileStatus, PieceStatus
from holdfast.values.backup_set import BackupType, SetStatus
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
class SetEntry:
    """A backup set. `end_us`: when it ended, None while it is made. `has_log`: PLUS ARCHIVELOG.

    `fact`: what a restore is told of it, None when there is nothing to restore. `log`: its own log.
    `is_damaged`: it, or its own log, is not as it was written.
    """

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
    fact: SetFact | None = None
    log: tuple[PieceFact, ...] = ()
    is_damaged: bool = False
    trouble: str = ""

    @property
    def is_usable(self) -> bool:
        """Return whether the set counts as a base, by its row. Whether it can be restored is another question."""
        return self.status is SetStatus.SUCCESS and self.file_status is FileStatus.AVAILABLE

    @property
    def is_worth_keeping(self) -> bool:
        """Return whether a pin, or a set that rests on it, keeps the set: one found BROKEN may be proven good again."""
        return self.is_usable or (self.status is SetStatus.SUCCESS and self.file_status is FileStatus.BROKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceEntry:
    """An archive piece. `is_open`: it is, or may yet be, written to: the last piece of a round that has not stopped.

    `fact`: what a restore is told of it, None when no log of it is left. `is_damaged`: it is not as it was written.
    """

    dest_id: int
    round_id: int
    piece_id: int
    status: PieceStatus
    file_status: FileStatus
    start_scn: Scn
    end_scn: Scn
    checkpoint_scn: Scn
    is_open: bool = False
    fact: PieceFact | None = None
    is_damaged: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A standby of this cluster whose LOG_RESTORE_SOURCE is an archive destination; it has taken in the log up to `sync_scn`.

    `hold_end_timestamp_us`: when the log it has not taken in is kept no longer for its sake, unless it takes in some before.
    `is_lapsed`: that moment is past.
    """

    dest_id: int
    tenant_id: int
    name: str
    sync_scn: Scn
    hold_end_timestamp_us: int
    is_lapsed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Everything of one tenant that retention looks at, former destinations included.

    `data_dest_id`, `archive_dest_id`: the current destinations, None while there is none. Rows of what is DELETED are in it.
    """

    sets: tuple[SetEntry, ...] = ()
    pieces: tuple[PieceEntry, ...] = ()
    data_dest_id: int | None = None
    archive_dest_id: int | None = None
    pins: tuple[Pin, ...] = ()
    followers: tuple[Follower, ...] = ()

    def without(self, set_ids: frozenset[int], pieces: frozenset[tuple[int, int]]) -> "Estate":
        """Return what is left when these sets, and these pieces by (round, piece), are gone."""
        return replace(
            self,
            sets=tuple(entry for entry in self.sets if entry.backup_set_id not in set_ids),
            pieces=tuple(entry for entry in self.pieces if (entry.round_id, entry.piece_id) not in pieces),
        )


class Action(StrEnum):
    KEEP = "KEEP"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVerdict:
    entry: SetEntry
    action: Action
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceVerdict:
    entry: PieceEntry
    action: Action
    reason: str


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
    `lapsed`: standbys for whose sake no piece is kept any more.
    """

    sets: tuple[SetVerdict, ...]
    pieces: tuple[PieceVerdict, ...]
    lost: tuple[Moments, ...] = ()
    clean_point: int | None = None
    refusal: Refusal | None = None
    lapsed: tuple[Follower, ...] = ()

    @property
    def doomed_sets(self) -> tuple[SetEntry, ...]:
        return tuple(verdict.entry for verdict in self.sets if verdict.action is Action.DELETE)

    @property
    def doomed_pieces(self) -> tuple[PieceEntry, ...]:
        return tuple(verdict.entry for verdict in self.pieces if verdict.action is Action.DELETE)
