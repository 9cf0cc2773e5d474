"""What is said when no set reaches a moment: what is missing, and which moments can be reached. Pure.

The texts and codes are OceanBase's: -4018 for RESTORE ... FROM, -9119 after ADD RESTORE SOURCE; the hint is ours.
"""

from collections.abc import Sequence
from enum import Enum

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.reach import (
    Damage,
    OtherEngine,
    Path,
    PieceFact,
    SetFact,
    missing_of,
    other_engine_of,
    path_of,
    usable_sets,
)
from holdfast.engine_format.layout import layout_of
from holdfast.errors import RefusedError, UnknownVersionError, refuse
from holdfast.restore.window import ONE_OF_THEM, Interval, listed, spans_of
from holdfast.values.scn import Scn

_INTERVALS_LISTED_MAX = 3


class Form(Enum):
    """How the paths were named: the two forms have texts of their own."""

    FROM = "FROM"
    SOURCE = "ADD RESTORE SOURCE"


def out_of_reach(
    sets: tuple[SetFact, ...],
    pieces: tuple[PieceFact, ...],
    target: Scn | None,
    form: Form,
    damaged: tuple[Damage, ...] = (),
) -> RefusedError:
    """Return why `target` (None: any moment) can not be reached, what can, and what was left out as damaged."""
    error = _out_of_reach(sets, pieces, target, form)
    if not damaged:
        return error
    ways_out = "; ".join(dict.fromkeys(one.way_out for one in damaged))
    hint = f"{error.hint}; left aside as damaged: {', '.join(one.text for one in damaged)}; {ways_out}"
    return RefusedError(error.message, hint=hint, code=error.code)


def hidden_behind(
    usable: tuple[tuple[SetFact, Path], ...], pieces: tuple[PieceFact, ...], damaged: tuple[Damage, ...]
) -> Damage | None:
    """Return damage without which a newer moment than the newest of these sets might be reached, None when there is none."""
    newest = max(path.reach for _, path in usable)
    reaching = [(fact, path) for fact, path in usable if path.reach == newest]
    last_set = max(fact.manifest.backup_set_id for fact, _ in reaching)
    last = max((path.steps[-1].piece for _, path in reaching), key=lambda piece: (not piece.damage, piece.end.lsn))
    # A set's own log may reach further in a later set; an archive's holds what any set has of it.
    is_end_known = not last.set_id and not any(piece.end.scn > newest for piece in pieces)
    for damage in damaged:
        folder = damage.root.rpartition("/")[2]
        piece, one = names.parse_piece_root(folder), names.parse_set_root(folder)
        if piece is not None:
            # Another copy was read to its end; a set's own log is a copy of a part, each set's of another.
            is_whole = damage.root == last.root and not last.damage and not last.set_id
            if (piece.round_id, piece.piece_id) >= (last.round_id, last.piece_id) and not is_whole:
                return damage
        elif not is_end_known and (one is None or one.set_id > last_set):
            return damage
    return None


def newest_is_hidden(newest: Scn, damage: Damage, form: Form) -> RefusedError:
    """Return why a restore without UNTIL is refused: the newest moment may lie behind the damage."""
    return _refused(
        form,
        "No enough log for restore",
        f"no enough log, maximum restorable time is {newest.display()}",
        f"newer moments may be hidden by damage: {damage.text}; {damage.way_out}; or name the moment: up to SCN {_moment(newest)} is"
        " reachable without it",
    )


def two_histories(rivals: Sequence[tuple[SetFact, PieceFact]], target: Scn | None) -> RefusedError:
    """Return why a restore is refused that could mean either of two histories. `rivals`: of each the set and the log of the moment."""
    named = " and ".join(f"{fact.root} with {piece.root} (round {piece.round_id})" for fact, piece in rivals)
    moment = "the newest moment" if target is None else f"SCN {_moment(target)}"
    return RefusedError(
        codes.OB_OP_NOT_ALLOW.text("restoring a moment of two histories is"),
        hint=f"{moment} is in {named}, which hold different log: a copy of the server wrote on beside it; {ONE_OF_THEM}",
    )


def of_other_engine(
    other: OtherEngine, fact: SetFact, sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...], near: Scn | None
) -> RefusedError:
    """Return why the set does not go on: what stands in its way was made by another engine. It names moments that can be reached."""
    own = fact.manifest.engine_data_version
    made_by = other.engine_data_version
    hint = f"{other.root} was made by engine {made_by}, what it is to be restored with by engine {own}"
    if near is not None and usable_sets(sets, pieces):
        hint = f"{hint}; {_reachable(sets, pieces, near)}"
    return version_refused(other.root, made_by, own, hint)


def version_refused(root: str, made_by: str, than: str, hint: str) -> RefusedError:
    """Return the refusal of what an engine of another version than `than` made; of one that is not known the hint says that."""
    what = "higher" if numbers_of(made_by) > numbers_of(than) else "lower"
    try:
        layout_of(made_by, root)
    except UnknownVersionError as error:
        hint = f"{error.message}: {error.hint}"
    return RefusedError(codes.OB_OP_NOT_ALLOW.text(f"restore from {what} data version is"), hint=hint)


def numbers_of(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _out_of_reach(
    sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...], target: Scn | None, form: Form
) -> RefusedError:
    usable = usable_sets(sets, pieces)
    if not usable or target is None:
        return _nothing_usable(sets, pieces, form)
    before = max((path.reach for _, path in usable if path.reach < target), default=None)
    reachable = _reachable(sets, pieces, target)
    if before is None:
        after = min(fact.manifest.min_restore_scn for fact, _ in usable)
        return _refused(
            form,
            "no backup set path or log piece can be used to restore",
            f"no full backup set can be used to restore to given time, minimum restorable time is {after.display()}",
            f"SCN {_moment(target)} is before the first consistent moment of every set; {reachable}",
        )
    # The set that comes closest tells what is missing.
    closest, path = max(
        (one for one in usable if one[0].manifest.min_restore_scn <= target), key=lambda one: one[1].reach
    )
    if path.other_engine is not None:
        return of_other_engine(path.other_engine, closest, sets, pieces, target)
    return _refused(
        form,
        "No enough log for restore",
        f"no enough log, maximum restorable time is {before.display()}",
        f"{_gap(path, target)}; {reachable}",
    )


def _reachable(sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...], target: Scn) -> str:
    """Return the intervals nearest to the target, in the order of time."""
    intervals = [span for span in spans_of(sets, pieces) if isinstance(span, Interval)]

    def distance(one: Interval) -> int:
        return min(abs(int(one.first_scn) - int(target)), abs(int(one.last_scn) - int(target)))

    listed = sorted(sorted(intervals, key=distance)[:_INTERVALS_LISTED_MAX], key=lambda one: one.first_scn)
    return "reachable: " + "; ".join(f"SCN {_moment(one.first_scn)} to {_moment(one.last_scn)}" for one in listed)


def _nothing_usable(sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...], form: Form) -> RefusedError:
    if not sets:
        return _refused(
            form,
            "no backup set path or log piece can be used to restore",
            "no backup set is available",
            "there is no complete backup set",
        )
    newest = max(sets, key=lambda fact: fact.manifest.backup_set_id)
    manifest = newest.manifest
    missing = [str(number) for number in missing_of(newest, sets)]
    if missing:
        return _refused(
            form,
            "no backup set path or log piece can be used to restore",
            "no full backup set exists",
            f"{newest.root} rests on backup set {', '.join(missing)}, which is not there",
        )
    other = other_engine_of(newest, sets, pieces)
    if other is not None:
        return of_other_engine(other, newest, sets, pieces, None)
    path = path_of(newest, pieces)
    if path is None:
        why = (
            f"{newest.root} needs the log from LSN {manifest.base_lsn.text()} to SCN {_moment(manifest.min_restore_scn)} "
            f"of round {manifest.round_id}, and no piece holds LSN {manifest.base_lsn.text()}"
        )
    else:
        why = f"{newest.root} is consistent from SCN {_moment(manifest.min_restore_scn)} on; {_gap(path)}"
    return _refused(form, "No enough log for restore", "no enough log for restore", why)


def _gap(path: Path, target: Scn | None = None) -> str:
    """Return the missing range in words."""
    begin = f"log from LSN {path.end.lsn.text()}, SCN {_moment(path.end.scn)}"
    if path.rivals:
        return f"two histories go on at LSN {path.end.lsn.text()}, SCN {_moment(path.end.scn)}: {listed(path.rivals)}; {ONE_OF_THEM}"
    if path.damage:
        return f"missing: {begin} on: {path.steps[-1].piece.root} is damaged there"
    if path.stopped_by is not None:
        behind = path.stopped_by
        return (
            f"missing: {begin} up to LSN {behind.begin.lsn.text()}, where {behind.root} begins "
            f"(SCN {_moment(behind.begin.scn if behind.begin.scn else behind.start_scn)})"
        )
    end = f" up to SCN {_moment(target)}" if target is not None else " on"
    return f"missing: {begin}{end}: the archive ends there"


def _moment(scn: Scn) -> str:
    return f"{int(scn)} ({scn.display()} UTC)"


def _refused(form: Form, from_text: str, source_text: str, hint: str) -> RefusedError:
    if form is Form.FROM:
        return RefusedError(from_text, code=codes.OB_ENTRY_NOT_EXIST, hint=hint)
    return refuse(codes.OB_RESTORE_SOURCE_NOT_ENOUGH, source_text, hint=hint)
