"""What a cleanup removes, and why. Pure: an estate, a policy and the time in, verdicts with reasons out.

The rules for sets, step by step as OceanBase's engine has them; sets of the current data path, newest first:

    1  DOING                                                  stays
    2  FAILED and its end left the window, or DELETING        goes
    3  no clean point yet, full, usable, with its log         stays, and is the clean point
    4  no clean point yet, anything else                      stays
    5  younger than the clean point                           stays
    6  older than the clean point                             goes

Only sets whose end lies before the window are examined for 3 to 6, the others stay. So the newest usable full set that
ended before the window begins survives with all its increments, and without one nothing that can be restored is removed.

Ours beside them: a cancelled set goes at once; a set whose deletion was begun goes whatever its age; a pin keeps a set, what
it rests on, and the log up to the MIN_RESTORE_SCN of each; whatever a set that stays rests on stays; a standby of this cluster keeps the
log it has not taken in, until its lease ends; and while one set or piece could not be read, everything stays.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from holdfast import codes
from holdfast.backup_format.reach import Moments
from holdfast.engine_format.log_block import block_id_of
from holdfast.retention.reach import ancestors, lost_moments, restorable, restorable_sets, sets_by_id
from holdfast.retention.verdict import (
    Action,
    Estate,
    Follower,
    PieceEntry,
    PieceVerdict,
    Pin,
    Plan,
    Policy,
    PolicyName,
    Refusal,
    SetEntry,
    SetVerdict,
)
from holdfast.values.archive import FileStatus, PieceStatus
from holdfast.values.backup_set import BackupType, SetStatus
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

_LAST_GROUP_NS_MAX = 60 * 10**9
"""How far before a standby's SYNC_SCN its log's last group may lie: an engine writes some log every second, also when nobody asks it to."""
_WAY_OUT = (
    "bring it back from a copy, or let ALTER SYSTEM VALIDATE put the damage on record: cleanup then goes on with what is left,"
    " and DELETE by its id takes it away"
)


def judge(estate: Estate, policy: Policy, now_us: int) -> Plan:
    """Return what a cleanup by this policy does at `now_us`: a verdict for every set and piece of the current paths.

    By policy `default` no moment inside the window is lost, nor the last that can be restored: a clean point whose log ends
    early, or is another history's, gives way to an older one, and if none will do nothing that can be restored is removed.
    """
    plan = _judge(estate, policy, now_us)
    return replace(plan, lapsed=tuple(one for one in estate.followers if one.is_lapsed))


def _judge(estate: Estate, policy: Policy, now_us: int) -> Plan:
    refusal = _refusal(estate, policy)
    if refusal is not None:
        return _all_stay(estate, refusal.comment, refusal)
    expired_us = None if policy.recovery_window_us is None else now_us - policy.recovery_window_us
    before = restorable(estate)
    if policy.name is not PolicyName.DEFAULT:
        # It keeps no set: what it gives up is told in `lost`.
        plan = _with_refusal(estate, _judge_sets(estate, expired_us, None), _judge_pieces_alone(estate, expired_us))
        return _with_lost(estate, plan, before)
    for clean in (*_clean_points(estate, expired_us), None):
        sets = _judge_sets(estate, expired_us, clean)
        plan = _with_refusal(estate, sets, _judge_pieces(estate, sets, clean))
        plan = replace(_with_lost(estate, plan, before), clean_point=clean.backup_set_id if clean else None)
        if clean is None or plan.refusal is not None or _is_lawful(plan, before, expired_us):
            return plan
    raise AssertionError("without a clean point a plan is always made")


def _with_refusal(
    estate: Estate, sets: tuple[SetVerdict, ...], judged: tuple[tuple[PieceVerdict, ...], PieceEntry | None]
) -> Plan:
    pieces, active = judged
    if active is None:
        return Plan(sets=sets, pieces=pieces)
    comment = f"id={active.piece_id}(is active piece)"
    return _all_stay(estate, comment, Refusal(code=codes.OB_BACKUP_DELETE_BACKUP_PIECE_NOT_ALLOWED, comment=comment))


def _with_lost(estate: Estate, plan: Plan, before: tuple[Moments, ...]) -> Plan:
    return replace(plan, lost=lost_moments(before, restorable(_after(estate, plan))))


def _is_lawful(plan: Plan, before: tuple[Moments, ...], expired_us: int | None) -> bool:
    """Return whether all that is lost lies before the window, and something is left of what could be restored."""
    assert expired_us is not None, "there is no clean point without a window"
    return not plan.lost or (plan.lost != before and all(span.last_scn < expired_us * 1000 for span in plan.lost))


def _after(estate: Estate, plan: Plan) -> Estate:
    return estate.without(
        frozenset(entry.backup_set_id for entry in plan.doomed_sets),
        frozenset((entry.round_id, entry.piece_id) for entry in plan.doomed_pieces),
    )


def _refusal(estate: Estate, policy: Policy) -> Refusal | None:
    """Return why the cleanup may not even begin: its job fails."""
    if policy.recovery_window_us == 0:
        return Refusal(code=codes.OB_NOT_SUPPORTED, comment=codes.OB_NOT_SUPPORTED.text("recovery window 0"))
    if policy.name is PolicyName.LOG_ONLY and estate.data_dest_id is not None:
        return Refusal(
            code=codes.OB_BACKUP_DELETE_BACKUP_PIECE_NOT_ALLOWED,
            comment="log_only policy is not allowed while a data backup dest is set",
        )
    for entries, code in (
        (_current_sets(estate), codes.OB_BACKUP_DELETE_BACKUP_SET_NOT_ALLOWED),
        (_current_pieces(estate), codes.OB_BACKUP_DELETE_BACKUP_PIECE_NOT_ALLOWED),
    ):
        for entry in entries:
            if entry.trouble:
                way_out = f"; {_WAY_OUT}" if entry.is_damaged else ""
                comment = f"nothing is removed while something can not be read: {entry.trouble}{way_out}"
                return Refusal(code=code, comment=comment)
    return None


def _all_stay(estate: Estate, reason: str, refusal: Refusal) -> Plan:
    return Plan(
        sets=tuple(SetVerdict(entry=entry, action=Action.KEEP, reason=reason) for entry in _current_sets(estate)),
        pieces=tuple(PieceVerdict(entry=entry, action=Action.KEEP, reason=reason) for entry in _current_pieces(estate)),
        refusal=refusal,
    )


def _current_sets(estate: Estate) -> tuple[SetEntry, ...]:
    """Return the sets of the current data path that are not gone, newest first."""
    found = [
        entry
        for entry in estate.sets
        if entry.dest_id == estate.data_dest_id and entry.file_status is not FileStatus.DELETED
    ]
    return tuple(sorted(found, key=lambda entry: entry.backup_set_id, reverse=True))


def _current_pieces(estate: Estate) -> tuple[PieceEntry, ...]:
    """Return the pieces of the current archive path that are not gone, oldest first."""
    return pieces_of(estate, estate.archive_dest_id)


def pieces_of(estate: Estate, dest_id: int | None) -> tuple[PieceEntry, ...]:
    """Return the pieces of one archive destination that are not gone, oldest first."""
    found = [
        entry for entry in estate.pieces if entry.dest_id == dest_id and entry.file_status is not FileStatus.DELETED
    ]
    return tuple(sorted(found, key=lambda entry: (entry.round_id, entry.piece_id)))


# --- sets


def _is_expired(entry: SetEntry, expired_us: int | None) -> bool:
    return expired_us is not None and entry.end_us is not None and entry.end_us <= expired_us


def _clean_points(estate: Estate, expired_us: int | None) -> Iterator[SetEntry]:
    """Yield the full sets that ended before the window begins and can be restored, newest first."""
    restorable_ids = restorable_sets(estate)
    for entry in _current_sets(estate):
        if (
            _is_expired(entry, expired_us)
            and entry.type is BackupType.FULL
            and entry.is_usable
            and entry.backup_set_id in restorable_ids
        ):
            yield entry


def _judge_sets(estate: Estate, expired_us: int | None, clean: SetEntry | None) -> tuple[SetVerdict, ...]:
    return _with_what_stays(estate, [_judge_set(entry, expired_us, clean) for entry in _current_sets(estate)])


def _judge_set(entry: SetEntry, expired_us: int | None, clean: SetEntry | None) -> SetVerdict:
    """Return the verdict of the rules on the set alone; what others need of it comes later."""

    def verdict(action: Action, reason: str) -> SetVerdict:
        return SetVerdict(entry=entry, action=action, reason=reason)

    if entry.file_status is FileStatus.DELETING:
        return verdict(Action.DELETE, "its deletion was begun")
    if entry.status is SetStatus.DOING:
        return verdict(Action.KEEP, "it is being made")
    if entry.status is SetStatus.FAILED and entry.is_canceled:
        return verdict(Action.DELETE, "its backup was cancelled")
    if expired_us is None:
        return verdict(Action.KEEP, "the policy has no recovery window")
    if not _is_expired(entry, expired_us):
        return verdict(Action.KEEP, "it ended inside the recovery window")
    if entry.status is SetStatus.FAILED:
        return verdict(Action.DELETE, "it failed, and its end has left the recovery window")
    if clean is None:
        return verdict(Action.KEEP, "no usable full set ended before the recovery window")
    if entry.backup_set_id == clean.backup_set_id:
        return verdict(Action.KEEP, "it is the newest usable full set that ended before the recovery window")
    if entry.backup_set_id > clean.backup_set_id:
        return verdict(
            Action.KEEP, f"it is younger than full set {clean.backup_set_id}, which the window's start needs"
        )
    return verdict(Action.DELETE, f"it is older than full set {clean.backup_set_id}, which the window's start needs")


def _with_what_stays(estate: Estate, verdicts: list[SetVerdict]) -> tuple[SetVerdict, ...]:
    """Turn the verdict of what is pinned, or needed by a set that stays, into KEEP. A pin counts from any path."""
    by_id = sets_by_id(estate.sets)
    reasons: dict[int, str] = {}
    for pin in estate.pins:
        pinned = by_id.get(pin.backup_set_id)
        if pinned is not None:
            reasons[pinned.backup_set_id] = f"it is pinned: {pin.note}" if pin.note else "it is pinned"
            for set_id in ancestors(pinned, by_id):
                reasons.setdefault(set_id, f"pinned set {pinned.backup_set_id} rests on it")
    for verdict in verdicts:
        stays = verdict.action is Action.KEEP and verdict.entry.status is not SetStatus.FAILED
        if stays:
            for set_id in ancestors(verdict.entry, by_id):
                reasons.setdefault(set_id, f"set {verdict.entry.backup_set_id} rests on it")
    return tuple(
        SetVerdict(entry=verdict.entry, action=Action.KEEP, reason=reasons[verdict.entry.backup_set_id])
        if verdict.action is Action.DELETE and verdict.entry.is_worth_keeping and verdict.entry.backup_set_id in reasons
        else verdict
        for verdict in verdicts
    )


# --- pieces


def _judge_pieces(
    estate: Estate, sets: tuple[SetVerdict, ...], clean: SetEntry | None
) -> tuple[tuple[PieceVerdict, ...], PieceEntry | None]:
    """Return the verdicts of policy `default`, and the active piece that would have to go, if there is one.

    A piece goes when it ends before the clean point's log begins, by SCN as OceanBase has it and by LSN as the sets that
    stay have it, and all before it go. One kept for a pin alone holds up nothing behind it.
    """
    verdicts: list[PieceVerdict] = []
    stopped_by = ""
    floor_lsn = _floor_lsn(sets, estate)
    pinned = pinned_sets(estate)
    for piece in _current_pieces(estate):
        keeper = pinned_by(piece, pinned)
        if piece.file_status is FileStatus.DELETING:
            verdicts.append(PieceVerdict(entry=piece, action=Action.DELETE, reason="its deletion was begun"))
            continue
        if clean is None:
            reason = "no usable full set ended before the recovery window"
        elif stopped_by:
            reason = stopped_by
        elif piece.checkpoint_scn > clean.start_replay_scn:
            reason = stopped_by = f"log from START_REPLAY_SCN of full set {clean.backup_set_id} on is needed"
        elif floor_lsn is not None and piece.fact is not None and piece.fact.end.lsn > floor_lsn:
            # An older set stays for the sake of one that rests on it. Or START_REPLAY_SCN, which is that of the base block's
            # first group, is also the SCN this piece ends with: it holds that very group.
            reason = stopped_by = "a set that stays needs its log"
        elif (follower := awaited_by(piece, estate)) is not None:
            reason = stopped_by = f"standby {follower.name} has not taken in its log"
        elif keeper is not None:
            reason = f"pinned set {keeper.backup_set_id} needs it"
        elif piece.status is PieceStatus.ACTIVE:
            return (), piece
        elif piece.is_open:
            reason = stopped_by = "its round goes on from it"
        else:
            reason = f"it ends before the log of full set {clean.backup_set_id}, which the window's start needs"
            verdicts.append(PieceVerdict(entry=piece, action=Action.DELETE, reason=reason))
            continue
        verdicts.append(PieceVerdict(entry=piece, action=Action.KEEP, reason=reason))
    return tuple(verdicts), None


def _judge_pieces_alone(estate: Estate, expired_us: int | None) -> tuple[tuple[PieceVerdict, ...], PieceEntry | None]:
    """Return the verdicts of policy `log_only`: a piece goes when all of it lies before the window, and so do all before
    it, and no piece that stays holds log of the same log file."""
    verdicts: list[PieceVerdict] = []
    expired = Scn(0) if expired_us is None else Scn(max(0, expired_us * 1000))
    stopped_by = ""
    pieces = _current_pieces(estate)
    pinned = pinned_sets(estate)
    for number, piece in enumerate(pieces):
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        keeper = pinned_by(piece, pinned)
        if piece.file_status is FileStatus.DELETING:
            verdicts.append(PieceVerdict(entry=piece, action=Action.DELETE, reason="its deletion was begun"))
            continue
        if stopped_by:
            reason = stopped_by
        elif expired_us is None or piece.checkpoint_scn > expired:
            reason = "it reaches into the recovery window"
            stopped_by = "a piece before it stays"
        elif (follower := awaited_by(piece, estate)) is not None:
            reason = stopped_by = f"standby {follower.name} has not taken in its log"
        elif keeper is not None:
            reason = f"pinned set {keeper.backup_set_id} needs it"
        elif piece.status is PieceStatus.ACTIVE:
            return (), piece
        elif piece.is_open:
            reason, stopped_by = "its round goes on from it", "a piece before it stays"
        elif following is not None and following.checkpoint_scn > expired and _shares_file(piece, following):
            reason = f"piece {following.piece_id}, which stays, begins in the same log file"
            stopped_by = "a piece before it stays"
        else:
            verdicts.append(
                PieceVerdict(entry=piece, action=Action.DELETE, reason="all of it lies before the recovery window")
            )
            continue
        verdicts.append(PieceVerdict(entry=piece, action=Action.KEEP, reason=reason))
    return tuple(verdicts), None


def _floor_lsn(sets: tuple[SetVerdict, ...], estate: Estate) -> Lsn | None:
    """Return where the log begins that the sets which stay need, pinned ones apart: those have their own rule."""
    pinned = pinned_sets(estate)
    needed = [
        verdict.entry.fact.manifest.base_lsn
        for verdict in sets
        if verdict.action is Action.KEEP
        and verdict.entry.is_usable
        and verdict.entry.fact is not None
        and verdict.entry.backup_set_id not in pinned
    ]
    return min(needed, default=None)


def pinned_sets(estate: Estate) -> dict[int, SetEntry]:
    """Return by id every set that a pin keeps: the pinned ones and what they rest on."""
    by_id = sets_by_id(estate.sets)
    found: dict[int, SetEntry] = {}
    for pin in estate.pins:
        pinned = by_id.get(pin.backup_set_id)
        if pinned is not None:
            found[pinned.backup_set_id] = pinned
            found |= {set_id: by_id[set_id] for set_id in ancestors(pinned, by_id) if set_id in by_id}
    return found


def pinned_by(piece: PieceEntry, pinned: Mapping[int, SetEntry]) -> SetEntry | None:
    """Return a set a pin keeps whose restore to its MIN_RESTORE_SCN needs the piece."""
    return next((entry for entry in pinned.values() if needs_piece(entry, piece)), None)


def awaited_by(piece: PieceEntry, estate: Estate) -> Follower | None:
    """Return a standby that has yet to take in log of the piece, or whose log ends in it: there it goes on from the whole last group."""
    return next(
        (
            one
            for one in estate.followers
            if not one.is_lapsed
            and one.dest_id == piece.dest_id
            and piece.checkpoint_scn + _LAST_GROUP_NS_MAX >= one.sync_scn
        ),
        None,
    )


def needs_piece(entry: SetEntry, piece: PieceEntry) -> bool:
    """Return whether the set's restore to its MIN_RESTORE_SCN needs the piece; not when it has log of its own.

    By LSN where manifest and record are known, else by SCN, where a round's first piece may hold older log than it says.
    """
    if entry.has_log:
        return False
    if entry.fact is not None and piece.fact is not None and not piece.is_damaged:
        # With the last group of the image: `end_lsn` may be the end of the piece before.
        return piece.fact.begin.lsn <= entry.fact.manifest.end_lsn and piece.fact.end.lsn > entry.fact.manifest.base_lsn
    return piece.start_scn <= entry.min_restore_scn and piece.checkpoint_scn >= entry.start_replay_scn


def _shares_file(piece: PieceEntry, following: PieceEntry) -> bool:
    if piece.fact is None or following.fact is None or piece.fact.end.lsn == piece.fact.begin.lsn:
        return False
    return block_id_of(Lsn(piece.fact.end.lsn - 1)) == block_id_of(following.fact.begin.lsn)


def pin_of(estate: Estate, set_id: int) -> Pin | None:
    """Return the pin that keeps a set: its own, or that of a set which rests on it."""
    by_id = sets_by_id(estate.sets)
    for pin in estate.pins:
        entry = by_id.get(pin.backup_set_id)
        if pin.backup_set_id == set_id or (entry is not None and set_id in ancestors(entry, by_id)):
            return pin
    return None
