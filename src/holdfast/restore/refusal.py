"""What is said when no set reaches a moment: what is missing, and which moments can be reached. Pure.

The texts and codes are OceanBase's: -4018 for RESTORE ... FROM, -9119 after ADD RESTORE SOURCE; the hint is ours.
"""

from enum import Enum

from holdfast import codes
from holdfast.errors import RefusedError, refuse
from holdfast.restore.plan import Path, PieceFact, SetFact, path_of, usable_sets
from holdfast.restore.window import Interval, spans_of
from holdfast.values.scn import Scn

_INTERVALS_LISTED_MAX = 3


class Form(Enum):
    """How the paths were named: the two forms have texts of their own."""

    FROM = "FROM"
    SOURCE = "ADD RESTORE SOURCE"


def out_of_reach(
    sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...], target: Scn | None, form: Form
) -> RefusedError:
    """Return why `target` (None: any moment) can not be reached, and what can."""
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
    path = max((path for fact, path in usable if fact.manifest.min_restore_scn <= target), key=lambda path: path.reach)
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
    ids = {fact.manifest.backup_set_id for fact in sets}
    missing = [str(number) for number in manifest.chain if number not in ids]
    if missing:
        return _refused(
            form,
            "no backup set path or log piece can be used to restore",
            "no full backup set exists",
            f"{newest.root} rests on backup set {', '.join(missing)}, which is not there",
        )
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
