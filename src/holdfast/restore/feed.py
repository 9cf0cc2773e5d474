"""What a standby gets of an archive: group after group up to a bound, and at the bound the leading entries of the group it lies in.

Theory of operation. `until` is the bound. Groups whose max SCN is not above it go out whole. Of the first group beyond, the leading
entries up to the bound go out as a rebuilt group: then the standby shows every transaction up to the bound and none after it, and it
has *arrived*. That cut group is an end: what lies behind it in the archive does not chain to it. A standby that stands behind one
asks for an LSN inside the archive's group; it gets nothing, and `needs_mending` says that its log's tail must be replaced
(`log_tail.mend_tail`) before it can go further.

A feed begins nowhere: `join` gives it an archive that keeps to the standby's own history, and the LSN where the standby's log ends. It
gives log only to one who goes on from there. An engine that asks for another LSN has other log than was looked at, or has lost some
of it in a crash before a place where the archive's next history begins: `needs_joining` says that its log must be looked at again.

Nothing in here raises to the engine (see `engine.log_service`): what went wrong is kept in `trouble`, and asked again.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from holdfast.defects import DefectError
from holdfast.engine.log_service import LogGroup
from holdfast.engine_format.log_cut import cut
from holdfast.engine_format.log_group import group_spans
from holdfast.engine_format.log_walk import position_behind
from holdfast.errors import HoldfastError
from holdfast.restore.archived_log import ArchivedLog, InsideGroupError, LogRun, LostPlaceError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import SCN_NONE, Scn

log = logging.getLogger("holdfast.feed")

_GAP_PROOF_SECONDS = 10.0
_GAP_REST_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What a feed knows now. `end_scn`: max SCN of the last group given out by this feed, 0 before the first.

    `arrived_scn`: the bound, once the engine has everything up to it and the archive is known to go on behind it; else None.
    `needs_mending`: the standby's log ends with a cut group, and the bound lies behind that cut.
    `needs_joining`: the engine asks to go on from where it is not known to be.
    `trouble`: what keeps log from being given out, "" if nothing does; `is_at_gap`: log between the standby's end and later log of
    the archive is gone. `calls`: how often the engine has asked.
    """

    end_scn: Scn = SCN_NONE
    arrived_scn: Scn | None = None
    needs_mending: bool = False
    needs_joining: bool = False
    trouble: str = ""
    is_at_gap: bool = False
    calls: int = 0


@dataclass(frozen=True, slots=True)
class _Gap:
    """Where log is missing, since when that is seen (a piece that is being begun looks the same for a moment), and until when nobody
    looks again. Seconds of a monotonic clock."""

    lsn: Lsn
    since: float
    rests_until: float = 0.0

    def seen(self, now: float) -> "_Gap":
        return replace(self, rests_until=now + _GAP_REST_SECONDS) if now - self.since >= _GAP_PROOF_SECONDS else self


class Feed:
    """One archive for one standby. Safe from several threads; one of them reads at a time."""

    def __init__(
        self, archive: ArchivedLog | None, until: Scn, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Without an archive it gives nothing before `join`; with one it takes any first LSN."""
        self._archive = archive
        self._begin: Lsn | None = None
        self._monotonic = monotonic
        self._gap: _Gap | None = None
        self._until = until
        self._lock = threading.Lock()
        self._state = FeedState()
        self._is_closed = False

    @property
    def state(self) -> FeedState:
        return self._state

    @property
    def until(self) -> Scn:
        return self._until

    def set_until(self, until: Scn) -> None:
        """Move the bound; what was given out before stays given out."""
        with self._lock:
            self._until = until
            self._gap = None
            self._state = replace(self._state, arrived_scn=None, needs_mending=False)

    def join(self, archive: ArchivedLog, lsn: Lsn) -> None:
        """Give the archive's log, which is now the feed's to close, to an engine whose log ends at `lsn`."""
        with self._lock:
            self._leave()
            self._archive, self._begin = archive, lsn
            self._state = replace(self._state, needs_joining=False)

    def leave(self) -> None:
        """Give out nothing before the next `join`; returns when no group is on its way."""
        with self._lock:
            self._leave()

    def close(self) -> None:
        """Give out nothing more; returns when no group is on its way."""
        with self._lock:
            self._is_closed = True
            self._leave()

    def _leave(self) -> None:
        archive, self._archive = self._archive, None
        if archive is not None:
            archive.close()

    def fetch(self, start_lsn: Lsn, max_bytes: int) -> Iterator[LogGroup]:
        """Yield the groups from `start_lsn` on (see LogSource)."""
        self._note_call()
        sent_bytes, lsn = 0, start_lsn
        while sent_bytes < max_bytes:
            found = self._groups(lsn, max_bytes - sent_bytes, is_asked=lsn == start_lsn)
            if not found:
                return
            for one in found:
                yield one
                sent_bytes += len(one[0])
            lsn = Lsn(found[-1][1] + len(found[-1][0]))

    def _groups(self, lsn: Lsn, max_bytes: int, *, is_asked: bool) -> list[LogGroup]:
        """Return some groups from `lsn` on; none if there are none to give.

        `is_asked`: the engine itself has asked for this LSN, so it has what lies before: what was only given to it may be lost.
        """
        with self._lock:
            archive = self._archive
            if self._is_closed or archive is None or self._rests(lsn):
                return []
            if self._begin is not None and self._begin != lsn:
                self._state = replace(self._state, needs_joining=True)
                return []
            self._begin = None
            try:
                trouble = self._state.trouble
                found = self._read(archive, lsn, max_bytes, is_asked=is_asked)
                if trouble and found:
                    self._note("")
                return found
            except InsideGroupError as error:
                if is_asked:
                    self._look_inside(lsn, error)
            except LostPlaceError as error:
                log.warning("a standby's log is looked at again: %s", error)
                self._state = replace(self._state, needs_joining=True)
            except HoldfastError as error:
                self._note(str(error))
            except Exception as error:
                log.exception("feed from LSN %s", lsn.text())
                self._note(str(DefectError(error)))
            return []

    def _read(self, archive: ArchivedLog, lsn: Lsn, max_bytes: int, *, is_asked: bool) -> list[LogGroup]:
        run = archive.read(lsn)
        if run is None:
            gap = archive.gap_behind(lsn)
            if gap is not None:
                words = f"log is missing from LSN {lsn.text()} to {gap.begin.lsn.text()}, where {gap.root} begins"
                self._note(words, is_at_gap=True)
                self._gap = (
                    _Gap(lsn, self._monotonic())
                    if self._gap is None or self._gap.lsn != lsn
                    else self._gap.seen(self._monotonic())
                )
            return []
        found: list[LogGroup] = []
        taken, position = 0, run.begin
        for at, size_bytes, max_scn in group_spans(run.log):
            if taken >= max_bytes:
                break
            if max_scn > self._until:
                part = cut(run.log[at:], position, self._until)
                if part:
                    found.append(LogGroup((memoryview(part), position.lsn, self._until)))
                if not found and is_asked:  # it has everything up to the bound
                    self._state = replace(self._state, arrived_scn=self._until)
                break
            found.append(LogGroup((run.log[at : at + size_bytes], Lsn(run.begin.lsn + at), Scn(max_scn))))
            taken += size_bytes
            position = position_behind(run.log[at:], Lsn(run.begin.lsn + at))
        if taken < len(run.log):
            archive.put_back(LogRun(begin=position, log=run.log[taken:]))
        if found:
            self._state = replace(self._state, end_scn=found[-1][2])
        return found

    def _look_inside(self, lsn: Lsn, error: InsideGroupError) -> None:
        """The standby's log ends inside a group: say whether the bound lets it have more of that group."""
        wanted = cut(error.group, error.begin, self._until)
        if error.begin.lsn + len(wanted) > lsn:
            self._state = replace(self._state, needs_mending=True)
        else:
            self._state = replace(self._state, arrived_scn=self._until)

    def _note_call(self) -> None:
        with self._lock:
            self._state = replace(self._state, calls=self._state.calls + 1)

    def _rests(self, lsn: Lsn) -> bool:
        """Return whether this LSN lies at a gap that was looked at a moment ago: what is gone comes back by a person's hand only."""
        return self._gap is not None and self._gap.lsn == lsn and self._monotonic() < self._gap.rests_until

    def _note(self, trouble: str, *, is_at_gap: bool = False) -> None:
        if trouble != self._state.trouble:
            if trouble:
                log.error("a standby gets no log: %s", trouble)
            self._state = replace(self._state, trouble=trouble, is_at_gap=is_at_gap)
