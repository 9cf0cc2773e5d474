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
it rests on, and the log up to the MIN_RESTORE_SCN of each; whatever a set that stays rests on stays; and while one set or
piece could not be read, everything stays.
"""

from collections.abc import Mapping

from holdfast import codes
from holdfast.engine_format.log_block import block_id_of
from holdfast.retention.reach import ancestors, lost_moments, reach, restorable, sets_by_id
from holdfast.retention.verdict import (
    Action,
    Estate,
    PieceFact,
    PieceVerdict,
    Pin,
    Plan,
    Policy,
    PolicyName,
    Refusal,
    SetFact,
    SetVerdict,
)
from holdfast.values.archive import FileStatus, PieceStatus
from holdfast.values.backup_set import BackupType, SetStatus
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn


def judge(estate: Estate, policy: Policy, now_us: int) -> Plan:
    """Return what a cleanup by this policy does at `now_us`: a verdict for every set and piece of the current paths."""
    refusal = _refusal(estate, policy)
    if refusal is not None:
        return _all_stay(estate, refusal.comment, refusal)
    expired_us = None if policy.recovery_window_us is None else now_us - policy.recovery_window_us
    by_id = sets_by_id(estate.sets)
    clean = _clean_point(estate, by_id, expired_us) if policy.name is PolicyName.DEFAULT else None
    sets = _with_what_stays(estate, [_judge_set(fact, expired_us, clean) for fact in _current_sets(estate)])
    if policy.name is PolicyName.DEFAULT:
        pieces, active = _judge_pieces(estate, sets, clean)
    else:
        pieces, active = _judge_pieces_alone(estate, expired_us)
    if active is not None:
        comment = f"id={active.piece_id}(is active piece)"
        return _all_stay(
            estate, comment, Refusal(code=codes.OB_BACKUP_DELETE_BACKUP_PIECE_NOT_ALLOWED, comment=comment)
        )
    plan = Plan(sets=sets, pieces=pieces, clean_point=clean.backup_set_id if clean else None)
    before, after = restorable(estate), restorable(_after(estate, plan))
    # log_only keeps no set: what it gives up is told in `lost`.
    assert policy.name is not PolicyName.DEFAULT or not before or after, "the last restorable chain is never removed"
    return Plan(sets=sets, pieces=pieces, clean_point=plan.clean_point, lost=lost_moments(before, after), refusal=None)


def _after(estate: Estate, plan: Plan) -> Estate:
    return estate.without(
        frozenset(fact.backup_set_id for fact in plan.doomed_sets),
        frozenset((fact.round_id, fact.piece_id) for fact in plan.doomed_pieces),
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
    trouble = next((fact.trouble for fact in _current_sets(estate) if fact.trouble), "")
    code = codes.OB_BACKUP_DELETE_BACKUP_SET_NOT_ALLOWED
    if not trouble:
        trouble = next((fact.trouble for fact in _current_pieces(estate) if fact.trouble), "")
        code = codes.OB_BACKUP_DELETE_BACKUP_PIECE_NOT_ALLOWED
    if trouble:
        return Refusal(code=code, comment=f"nothing is removed while something can not be read: {trouble}")
    return None


def _all_stay(estate: Estate, reason: str, refusal: Refusal) -> Plan:
    return Plan(
        sets=tuple(SetVerdict(fact=fact, action=Action.KEEP, reason=reason) for fact in _current_sets(estate)),
        pieces=tuple(PieceVerdict(fact=fact, action=Action.KEEP, reason=reason) for fact in _current_pieces(estate)),
        refusal=refusal,
    )


def _current_sets(estate: Estate) -> tuple[SetFact, ...]:
    """Return the sets of the current data path that are not gone, newest first."""
    found = [
        fact
        for fact in estate.sets
        if fact.dest_id == estate.data_dest_id and fact.file_status is not FileStatus.DELETED
    ]
    return tuple(sorted(found, key=lambda fact: fact.backup_set_id, reverse=True))


def _current_pieces(estate: Estate) -> tuple[PieceFact, ...]:
    """Return the pieces of the current archive path that are not gone, oldest first."""
    return pieces_of(estate, estate.archive_dest_id)


def pieces_of(estate: Estate, dest_id: int | None) -> tuple[PieceFact, ...]:
    """Return the pieces of one archive destination that are not gone, oldest first."""
    found = [fact for fact in estate.pieces if fact.dest_id == dest_id and fact.file_status is not FileStatus.DELETED]
    return tuple(sorted(found, key=lambda fact: (fact.round_id, fact.piece_id)))


# --- sets


def _is_expired(fact: SetFact, expired_us: int | None) -> bool:
    return expired_us is not None and fact.end_us is not None and fact.end_us <= expired_us


def _clean_point(estate: Estate, by_id: dict[int, SetFact], expired_us: int | None) -> SetFact | None:
    """Return the newest usable full set, with its log, that ended before the window begins."""
    for fact in _current_sets(estate):
        is_candidate = _is_expired(fact, expired_us) and fact.type is BackupType.FULL and fact.is_usable
        if is_candidate and reach(fact, by_id, estate.pieces) is not None:
            return fact
    return None


def _judge_set(fact: SetFact, expired_us: int | None, clean: SetFact | None) -> SetVerdict:
    """Return the verdict of the rules on the set alone; what others need of it comes later."""

    def verdict(action: Action, reason: str) -> SetVerdict:
        return SetVerdict(fact=fact, action=action, reason=reason)

    if fact.file_status is FileStatus.DELETING:
        return verdict(Action.DELETE, "its deletion was begun")
    if fact.status is SetStatus.DOING:
        return verdict(Action.KEEP, "it is being made")
    if fact.status is SetStatus.FAILED and fact.is_canceled:
        return verdict(Action.DELETE, "its backup was cancelled")
    if expired_us is None:
        return verdict(Action.KEEP, "the policy has no recovery window")
    if not _is_expired(fact, expired_us):
        return verdict(Action.KEEP, "it ended inside the recovery window")
    if fact.status is SetStatus.FAILED:
        return verdict(Action.DELETE, "it failed, and its end has left the recovery window")
    if clean is None:
        return verdict(Action.KEEP, "no usable full set ended before the recovery window")
    if fact.backup_set_id == clean.backup_set_id:
        return verdict(Action.KEEP, "it is the newest usable full set that ended before the recovery window")
    if fact.backup_set_id > clean.backup_set_id:
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
        stays = verdict.action is Action.KEEP and verdict.fact.status is not SetStatus.FAILED
        if stays:
            for set_id in ancestors(verdict.fact, by_id):
                reasons.setdefault(set_id, f"set {verdict.fact.backup_set_id} rests on it")
    return tuple(
        SetVerdict(fact=verdict.fact, action=Action.KEEP, reason=reasons[verdict.fact.backup_set_id])
        if verdict.action is Action.DELETE and verdict.fact.is_worth_keeping and verdict.fact.backup_set_id in reasons
        else verdict
        for verdict in verdicts
    )


# --- pieces


def _judge_pieces(
    estate: Estate, sets: tuple[SetVerdict, ...], clean: SetFact | None
) -> tuple[tuple[PieceVerdict, ...], PieceFact | None]:
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
            verdicts.append(PieceVerdict(fact=piece, action=Action.DELETE, reason="its deletion was begun"))
            continue
        if clean is None:
            reason = "no usable full set ended before the recovery window"
        elif stopped_by:
            reason = stopped_by
        elif piece.checkpoint_scn > clean.start_replay_scn:
            reason = stopped_by = f"log from START_REPLAY_SCN of full set {clean.backup_set_id} on is needed"
        elif floor_lsn is not None and piece.extent is not None and piece.extent.end_lsn > floor_lsn:
            # An older set stays for the sake of one that rests on it. Or START_REPLAY_SCN, which is that of the base block's
            # first group, is also the SCN this piece ends with: it holds that very group.
            reason = stopped_by = "a set that stays needs its log"
        elif keeper is not None:
            reason = f"pinned set {keeper.backup_set_id} needs it"
        elif piece.status is PieceStatus.ACTIVE:
            return (), piece
        elif piece.is_open:
            reason = stopped_by = "its round goes on from it"
        else:
            reason = f"it ends before the log of full set {clean.backup_set_id}, which the window's start needs"
            verdicts.append(PieceVerdict(fact=piece, action=Action.DELETE, reason=reason))
            continue
        verdicts.append(PieceVerdict(fact=piece, action=Action.KEEP, reason=reason))
    return tuple(verdicts), None


def _judge_pieces_alone(estate: Estate, expired_us: int | None) -> tuple[tuple[PieceVerdict, ...], PieceFact | None]:
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
            verdicts.append(PieceVerdict(fact=piece, action=Action.DELETE, reason="its deletion was begun"))
            continue
        if stopped_by:
            reason = stopped_by
        elif expired_us is None or piece.checkpoint_scn > expired:
            reason = "it reaches into the recovery window"
            stopped_by = "a piece before it stays"
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
                PieceVerdict(fact=piece, action=Action.DELETE, reason="all of it lies before the recovery window")
            )
            continue
        verdicts.append(PieceVerdict(fact=piece, action=Action.KEEP, reason=reason))
    return tuple(verdicts), None


def _floor_lsn(sets: tuple[SetVerdict, ...], estate: Estate) -> Lsn | None:
    """Return where the log begins that the sets which stay need, pinned ones apart: those have their own rule."""
    pinned = pinned_sets(estate)
    needed = [
        verdict.fact.image.base_lsn
        for verdict in sets
        if verdict.action is Action.KEEP
        and verdict.fact.is_usable
        and verdict.fact.image is not None
        and verdict.fact.backup_set_id not in pinned
    ]
    return min(needed, default=None)


def pinned_sets(estate: Estate) -> dict[int, SetFact]:
    """Return by id every set that a pin keeps: the pinned ones and what they rest on."""
    by_id = sets_by_id(estate.sets)
    found: dict[int, SetFact] = {}
    for pin in estate.pins:
        pinned = by_id.get(pin.backup_set_id)
        if pinned is not None:
            found[pinned.backup_set_id] = pinned
            found |= {set_id: by_id[set_id] for set_id in ancestors(pinned, by_id) if set_id in by_id}
    return found


def pinned_by(piece: PieceFact, pinned: Mapping[int, SetFact]) -> SetFact | None:
    """Return a set a pin keeps whose restore to its MIN_RESTORE_SCN needs the piece."""
    return next((fact for fact in pinned.values() if needs_piece(fact, piece)), None)


def needs_piece(fact: SetFact, piece: PieceFact) -> bool:
    """Return whether the set's restore to its MIN_RESTORE_SCN needs the piece; not when it has log of its own.

    By LSN where manifest and record are known, else by SCN, where a round's first piece may hold older log than it says.
    """
    if fact.has_log:
        return False
    if fact.image is not None and piece.extent is not None:
        # With the last group of the image: `end_lsn` may be the end of the piece before.
        return piece.extent.begin_lsn <= fact.image.end_lsn and piece.extent.end_lsn > fact.image.base_lsn
    return piece.start_scn <= fact.min_restore_scn and piece.checkpoint_scn >= fact.start_replay_scn


def _shares_file(piece: PieceFact, following: PieceFact) -> bool:
    if piece.extent is None or following.extent is None or piece.extent.end_lsn == piece.extent.begin_lsn:
        return False
    return block_id_of(Lsn(piece.extent.end_lsn - 1)) == block_id_of(following.extent.begin_lsn)


def pin_of(estate: Estate, set_id: int) -> Pin | None:
    """Return the pin that keeps a set: its own, or that of a set which rests on it."""
    by_id = sets_by_id(estate.sets)
    for pin in estate.pins:
        fact = by_id.get(pin.backup_set_id)
        if pin.backup_set_id == set_id or (fact is not None and set_id in ancestors(fact, by_id)):
            return pin
    return None
