"""May these sets, pieces, destinations be deleted by hand? Pure; the reasons and codes are OceanBase's.

Where the guide and the engine's source disagree the source is followed: on the current path, while a policy is set,
the policy alone deletes. Ours beside them: what a pin keeps, what a running restore of this cluster reads, and what a standby of
this cluster has not taken in.
"""

from collections.abc import Mapping, Sequence

from holdfast import codes
from holdfast.codes import Code
from holdfast.retention.plan import awaited_by, pieces_of, pin_of, pinned_by, pinned_sets
from holdfast.retention.reach import ancestors, lost_moments, restorable, restorable_sets, sets_by_id
from holdfast.retention.verdict import Estate, PieceEntry, Refusal, SetEntry
from holdfast.values.archive import FileStatus, PieceStatus
from holdfast.values.backup_set import BackupType, SetStatus

SET_CODE = codes.OB_BACKUP_DELETE_BACKUP_SET_NOT_ALLOWED
PIECE_CODE = codes.OB_BACKUP_DELETE_BACKUP_PIECE_NOT_ALLOWED
MULTIPLE_DESTINATIONS = "delete from multiple dest is not supported"
NOT_CONNECTED = "dest connectivity check failed"


def refusal_of(code: Code, object_id: int, reason: str) -> Refusal:
    """Return the refusal in the form COMMENT has: `id=3(already deleted)`."""
    return Refusal(code=code, comment=f"id={object_id}({reason})")


def refuse_sets(
    estate: Estate, ids: Sequence[int], *, has_policy: bool, unreachable: Mapping[int, Code]
) -> Refusal | None:
    """Return why not all of these sets may be deleted, None when they may. The first reason of the first set counts.

    `unreachable`: by DEST_ID, with what code the destination's check failed.

    FAILED sets may always go, damaged ones, and those whose deletion was begun. A set is judged by what would stay: an increment outside
    the list rests on it, or nothing newer could be restored.
    """
    by_id = sets_by_id(estate.sets)
    latest_full = _latest_full(estate)
    dest_ids = {by_id[set_id].dest_id for set_id in ids if set_id in by_id}
    for set_id in ids:
        entry = by_id.get(set_id)
        if set_id < 1:
            return refusal_of(SET_CODE, set_id, "invalid")
        if entry is None:
            return refusal_of(SET_CODE, set_id, "get set failed")
        if entry.status is SetStatus.DOING:
            return refusal_of(SET_CODE, set_id, "status=DOING")
        if entry.file_status is FileStatus.DELETED:
            return refusal_of(SET_CODE, set_id, "already deleted")
        if len(dest_ids) > 1:
            return refusal_of(codes.OB_NOT_SUPPORTED, set_id, MULTIPLE_DESTINATIONS)
        if entry.dest_id in unreachable:
            return refusal_of(unreachable[entry.dest_id], set_id, NOT_CONNECTED)
        if not entry.is_usable or (entry.is_damaged and entry.fact is None):
            if entry.is_worth_keeping and (pin := pin_of(estate, set_id)) is not None:
                return refusal_of(SET_CODE, set_id, f"pinned id={pin.backup_set_id}")
            continue
        reason = _why_a_set_stays(estate, entry, frozenset(ids), latest_full, has_policy=has_policy)
        if reason:
            return refusal_of(SET_CODE, set_id, reason)
    return None


def _why_a_set_stays(
    estate: Estate, entry: SetEntry, going: frozenset[int], latest_full: SetEntry | None, *, has_policy: bool
) -> str:
    set_id = entry.backup_set_id
    if entry.dest_id == estate.data_dest_id:
        if has_policy:
            return "cannot delete backup set in current path when delete policy is set"
        if latest_full is None:
            return "no full backup exists"
        if set_id >= latest_full.backup_set_id:
            return "newer than latest full backupset"
    by_id = sets_by_id(estate.sets)
    for other in sorted(estate.sets, key=lambda one: one.backup_set_id):
        stays = (other.is_usable or other.status is SetStatus.DOING) and other.backup_set_id not in going
        if stays and set_id in ancestors(other, by_id):
            return f"dependent by backup set id={other.backup_set_id}"
    pin = pin_of(estate, set_id)
    return "" if pin is None else f"pinned id={pin.backup_set_id}"


def refuse_pieces(
    estate: Estate, ids: Sequence[int], *, has_policy: bool, unreachable: Mapping[int, Code]
) -> Refusal | None:
    """Return why not all of these pieces may be deleted, None when they may. Piece ids are unique over rounds.

    A damaged piece may go from any path, policy or not, once no moment that can be restored needs what is left of it.
    """
    by_id = {piece.piece_id: piece for piece in estate.pieces}
    dest_ids = {by_id[piece_id].dest_id for piece_id in ids if piece_id in by_id}
    for piece_id in ids:
        piece = by_id.get(piece_id)
        if piece is None:
            return refusal_of(PIECE_CODE, piece_id, "not exist")
        if piece.file_status is FileStatus.DELETED:
            return refusal_of(PIECE_CODE, piece_id, "already deleted")
        if piece.status is PieceStatus.ACTIVE or piece.is_open:
            return refusal_of(PIECE_CODE, piece_id, "is active piece")
        if len(dest_ids) > 1:
            return refusal_of(codes.OB_NOT_SUPPORTED, piece_id, MULTIPLE_DESTINATIONS)
        if piece.dest_id in unreachable:
            return refusal_of(unreachable[piece.dest_id], piece_id, NOT_CONNECTED)
        if piece.file_status is FileStatus.DELETING:
            continue
        reason = _why_a_piece_stays(estate, piece, frozenset(ids), has_policy=has_policy)
        if reason:
            return refusal_of(PIECE_CODE, piece_id, reason)
    return None


def _why_a_piece_stays(estate: Estate, piece: PieceEntry, going: frozenset[int], *, has_policy: bool) -> str:
    keeper = pinned_by(piece, pinned_sets(estate))
    if piece.is_damaged and keeper is None and not _costs_moments(estate, going):
        return ""
    if piece.dest_id == estate.archive_dest_id:
        if has_policy:
            return "cannot delete backup piece in current path when delete policy is set"
        if estate.data_dest_id is None:
            return "no backup set dest"
        fulls = _fulls(estate)
        if not fulls:
            return "no full backup exists"
        oldest = fulls[0]
        base = oldest.fact.manifest.base_lsn if oldest.fact else None
        reaches_in = base is not None and piece.fact is not None and piece.fact.end.lsn > base
        if piece.end_scn > oldest.start_replay_scn or reaches_in:
            return "needed for oldest full backup"
    if reason := _why_a_standby_keeps(estate, piece):
        return reason
    pinned = pinned_sets(estate)
    for other in pieces_of(estate, piece.dest_id):
        is_older = (other.round_id, other.piece_id) < (piece.round_id, piece.piece_id)
        # A piece that only a pin keeps may stay alone, as it does when the policy deletes.
        if is_older and other.piece_id not in going and pinned_by(other, pinned) is None:
            return f"smaller piece exists id={other.piece_id}"
    return "" if keeper is None else f"needed for pinned backup set id={keeper.backup_set_id}"


def _why_a_standby_keeps(estate: Estate, piece: PieceEntry) -> str:
    follower = awaited_by(piece, estate)
    return "" if follower is None else f"needed by standby {follower.name}"


def _costs_moments(estate: Estate, going: frozenset[int]) -> bool:
    """Return whether anything that can be restored can not be without these pieces."""
    pieces = frozenset((one.round_id, one.piece_id) for one in estate.pieces if one.piece_id in going)
    return bool(lost_moments(restorable(estate), restorable(estate.without(frozenset(), pieces))))


def refuse_all_data(estate: Estate, dest_id: int, *, is_written: bool) -> Refusal | None:
    """Return why a data destination may not be emptied. `is_written`: a backup writes there."""
    if dest_id == estate.data_dest_id or is_written:
        return Refusal(code=SET_CODE, comment="cannot delete current writing backup dest")
    for entry in estate.sets:
        if entry.dest_id == dest_id and entry.is_worth_keeping and (pin := pin_of(estate, entry.backup_set_id)):
            return refusal_of(SET_CODE, entry.backup_set_id, f"pinned id={pin.backup_set_id}")
    return None


def refuse_all_archive(estate: Estate, dest_id: int, *, is_written: bool) -> Refusal | None:
    """Return why an archive destination may not be emptied. `is_written`: a round that has not stopped archives there."""
    if dest_id == estate.archive_dest_id or is_written:
        return Refusal(code=PIECE_CODE, comment="cannot delete current writing archive dest")
    pinned = pinned_sets(estate)
    for piece in pieces_of(estate, dest_id):
        keeper = pinned_by(piece, pinned)
        if keeper is not None:
            return refusal_of(PIECE_CODE, piece.piece_id, f"needed for pinned backup set id={keeper.backup_set_id}")
        if reason := _why_a_standby_keeps(estate, piece):
            return refusal_of(PIECE_CODE, piece.piece_id, reason)
    return None


def _fulls(estate: Estate) -> list[SetEntry]:
    """Return the usable full sets of the current path, oldest first."""
    found = [
        entry
        for entry in estate.sets
        if entry.dest_id == estate.data_dest_id and entry.type is BackupType.FULL and entry.is_usable
    ]
    return sorted(found, key=lambda entry: entry.backup_set_id)


def _latest_full(estate: Estate) -> SetEntry | None:
    """Return the newest full set of the current path that can be restored. One that can not be read can not."""
    restorable_ids = restorable_sets(estate)
    fulls = [entry for entry in _fulls(estate) if entry.backup_set_id in restorable_ids]
    return fulls[-1] if fulls else None
