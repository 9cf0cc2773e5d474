"""Which set and which log a restore to a moment reads. Pure: facts in, a plan or a refusal out.

Which moments a set reaches, and with which log, is `backup_format.reach`'s to say.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast import codes
from holdfast.backup_format.manifest import EncryptionMode
from holdfast.backup_format.piece_keys import encryption_mode
from holdfast.backup_format.reach import (
    Damage,
    LogStep,
    Path,
    PieceFact,
    SetFact,
    chain_of,
    do_differ,
    histories_of,
    usable_sets,
)
from holdfast.errors import RefusedError
from holdfast.restore.refusal import (
    Form,
    hidden_behind,
    newest_is_hidden,
    numbers_of,
    of_other_engine,
    out_of_reach,
    two_histories,
    version_refused,
)
from holdfast.values.owner import Owner
from holdfast.values.scn import Scn

_FOLDERS_TOLD_MAX = 5
"""The strangers are told first, and mostly are few; one is enough to look for the others."""

_Usable = tuple[tuple[SetFact, Path], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePlan:
    """What to restore: one set's complete index, then its log up to and including `target`.

    `left_aside`: sets that were not looked at, see `left_aside_in_the_clear` and `left_aside_without_password`.
    """

    set: SetFact
    chain: tuple[SetFact, ...]
    steps: tuple[LogStep, ...]
    target: Scn
    left_aside: tuple[Damage, ...] = ()

    @property
    def set_roots(self) -> tuple[str, ...]:
        return tuple(fact.root for fact in self.chain)

    @property
    def roots_in_the_clear(self) -> tuple[str, ...]:
        """Return the pieces with log in the clear behind a set that the tenant's own key seals.

        Behind where its image was complete: replay begins before that, at the engine's checkpoint, which may be older than the key. What
        counts there counted when the set was made.
        """
        manifest = self.set.manifest
        if manifest.encryption.mode is not EncryptionMode.KEY:
            return ()
        behind = [
            (step.piece, max(step.from_lsn, manifest.end_lsn))
            for step in self.steps
            if not step.piece.set_id and step.piece.end.lsn > manifest.end_lsn
        ]
        return tuple(
            piece.root
            for piece, from_lsn in behind
            if encryption_mode(piece.keys, from_lsn, piece.end.lsn) != "TRANSPARENT_ENCRYPTION"
        )

    @property
    def reads_sealed(self) -> bool:
        """Return whether anything that is read is sealed."""
        return any(fact.manifest.encryption.mode is not EncryptionMode.NONE for fact in self.chain) or any(
            key.is_sealed for step in self.steps for key in step.piece.keys
        )

    @property
    def piece_roots(self) -> tuple[str, ...]:
        return tuple(step.piece.root for step in self.steps)


def plan_restore(
    sets: tuple[SetFact, ...],
    pieces: tuple[PieceFact, ...],
    target: Scn | None,
    *,
    installed_versions: tuple[str, ...],
    damaged: tuple[Damage, ...] = (),
    form: Form = Form.FROM,
    is_own: Callable[[Owner | None], bool] = lambda owner: False,
) -> RestorePlan:
    """Return the plan for `target`, or for the newest reachable moment when it is None.

    The newest set that can reach the target is taken: least log to replay. `installed_versions`: the engines' data versions
    that can be started here; a set needs its own. `damaged`: what was left out of the facts. `is_own`: whether this server made it;
    where two histories hold the moment (a cloned machine wrote on beside the original) its own is taken, else none of them.
    Raises RefusedError: what is missing and what can be reached (-4018, or -9119 for restore sources), and -4179 for sets of two
    tenants, of an engine that is not installed or not known, or that goes on with log of another. Without a target also when damage,
    or log of another engine, may hide newer moments: an older one than asked for would be given in silence.
    """
    _refuse_mixture(sets)
    usable = _of_one_history(usable_sets(sets, pieces), target, is_own)
    if target is None and usable:
        target = max(path.reach for _, path in usable)
        hidden = hidden_behind(usable, pieces, damaged)
        if hidden is not None:
            raise newest_is_hidden(target, hidden, form)
        for fact, path in usable:
            if path.reach == target and path.other_engine is not None:
                raise of_other_engine(path.other_engine, fact, sets, pieces, target)
    for fact, path in usable:
        if target is not None and fact.manifest.min_restore_scn <= target <= path.reach:
            chain = chain_of(fact, sets)
            assert chain is not None, "a usable set has its chain"
            plan = RestorePlan(set=fact, chain=chain, steps=_needed(path, target), target=target)
            _refuse_version(plan, installed_versions)
            return plan
    raise out_of_reach(sets, pieces, target, form, damaged)


def left_aside_in_the_clear(
    sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...]
) -> tuple[tuple[SetFact, ...], tuple[PieceFact, ...], tuple[Damage, ...]]:
    """Return the facts for one who names the key of what he restores, and what is left out of them: sets in the clear behind a sealed one.

    A set in the clear says nothing of who made it: its digests have no key, so whoever may write to a destination can put one there that
    is newer than all others. Sets from before anything was sealed stay.
    """
    sealed = [fact.manifest.backup_set_id for fact in sets if fact.manifest.encryption.mode is not EncryptionMode.NONE]
    if not sealed:
        return sets, pieces, ()
    aside = [
        fact
        for fact in sets
        if fact.manifest.encryption.mode is EncryptionMode.NONE and fact.manifest.backup_set_id > min(sealed)
    ]
    return _without(
        aside,
        sets,
        pieces,
        "it is in the clear and newer than a sealed set: who writes there can have made it; RESTORE without WITH KEY FROM takes it",
    )


def left_aside_without_password(
    sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...]
) -> tuple[tuple[SetFact, ...], tuple[PieceFact, ...], tuple[Damage, ...]]:
    """Return the facts for one who names the tenant's key and no password, and what is left out of them: sets that need a password.

    Their own or one of their chain's. Nothing is left out where no set that the tenant's key seals would remain: then the password is
    asked for.
    """
    locked = {fact.manifest.backup_set_id for fact in sets if fact.manifest.encryption.mode is EncryptionMode.PASSWORD}
    aside = [
        fact
        for fact in sets
        if not locked.isdisjoint(fact.manifest.chain)
        and any(one.manifest.encryption.mode is EncryptionMode.PASSWORD for one in chain_of(fact, sets) or ())
    ]
    kept, rest, damages = _without(
        aside,
        sets,
        pieces,
        "it needs the password of a session's SET ENCRYPTION, and none is given: SET DECRYPTION IDENTIFIED BY '...' in the same session"
        " takes it",
    )
    if all(fact.manifest.encryption.mode is not EncryptionMode.KEY for fact in kept):
        return sets, pieces, ()
    return kept, rest, damages


def _without(
    aside: Sequence[SetFact], sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...], words: str
) -> tuple[tuple[SetFact, ...], tuple[PieceFact, ...], tuple[Damage, ...]]:
    """Return the facts without these sets and their own log, and the sets as damage."""
    places = {(fact.source, fact.manifest.backup_set_id) for fact in aside}
    return (
        tuple(fact for fact in sets if (fact.source, fact.manifest.backup_set_id) not in places),
        tuple(piece for piece in pieces if not piece.set_id or (piece.source, piece.set_id) not in places),
        tuple(Damage(source=fact.source, root=fact.root, words=words) for fact in aside),
    )


def _needed(path: Path, target: Scn) -> tuple[LogStep, ...]:
    """Return the steps up to the first piece that holds a group at or above the target."""
    return path.steps[: path.step_to(target) + 1]


def _of_one_history(usable: _Usable, target: Scn | None, is_own: Callable[[Owner | None], bool]) -> _Usable:
    """Return the sets without those of a history that holds other log at the target. Raises RefusedError when it is not known which."""
    histories = histories_of(usable)
    if len(histories) < 2:
        return usable
    if target is None:
        rivals = _of_the_newest(histories)
        at_the_end = {id(one): max(one, key=lambda item: item[1].reach) for one in rivals}
    else:
        rivals = [one for one in histories if _reaching(one, target)]
        at_the_end = {id(one): _reaching(one, target)[0] for one in rivals}
    pieces = {
        place: path.steps[-1 if target is None else path.step_to(target)].piece
        for place, (_, path) in at_the_end.items()
    }
    first = pieces[id(rivals[0])] if rivals else None
    if first is None or all(first is other or not do_differ(first, other) for other in pieces.values()):
        return usable  # they part behind the moment
    own = [one for one in rivals if is_own(pieces[id(one)].owner)]
    if len(own) != 1:
        raise two_histories([(fact, pieces[place]) for place, (fact, _) in at_the_end.items()], target)
    return own[0]


def _reaching(history: _Usable, target: Scn) -> _Usable:
    return tuple(item for item in history if item[0].manifest.min_restore_scn <= target <= item[1].reach)


def _of_the_newest(histories: Sequence[_Usable]) -> list[_Usable]:
    """Return the history that reaches furthest, and those that went on beside it.

    Of a machine that was put back the history from before has ended before the first set of the one after.
    """
    newest = max(histories, key=lambda one: max(path.reach for _, path in one))
    first = min(fact.manifest.min_restore_scn for fact, _ in newest)
    return [one for one in histories if one is newest or max(path.reach for _, path in one) >= first]


def _refuse_mixture(sets: tuple[SetFact, ...]) -> None:
    folders: dict[tuple[int, int], list[str]] = {}
    for fact in sorted(sets, key=lambda fact: (fact.source, fact.manifest.backup_set_id)):
        owner = (fact.manifest.cluster_id, fact.manifest.tenant_id)
        folders.setdefault(owner, []).append(f"{fact.root} (path {fact.source + 1})")
    if len(folders) < 2:
        return
    told = "; ".join(
        f"of tenant {tenant_id} of cluster {cluster_id}: {', '.join(places[:_FOLDERS_TOLD_MAX])}"
        + (f" and {len(places) - _FOLDERS_TOLD_MAX} more" if len(places) > _FOLDERS_TOLD_MAX else "")
        for (cluster_id, tenant_id), places in sorted(folders.items(), key=lambda item: len(item[1]))
    )
    raise RefusedError(
        codes.OB_OP_NOT_ALLOW.text("restoring backupsets of different tenants"),
        hint=f"{told}; move what does not belong there out of the destination, or name the folders of one tenant's sets",
    )


def _refuse_version(plan: RestorePlan, installed_versions: tuple[str, ...]) -> None:
    """Refuse a plan whose engine is not here: no other one reads its bytes, neither a newer nor an older."""
    root, made_by = plan.set.root, plan.set.manifest.engine_data_version
    assert all(step.piece.engine_data_version == made_by for step in plan.steps), "a path is of one engine"
    if made_by in installed_versions:
        return
    newest = max(installed_versions, key=numbers_of)
    raise version_refused(
        root,
        made_by,
        newest,
        f"{root} was made by engine {made_by}, this server has {', '.join(installed_versions)}: install engine {made_by} "
        "beside them and name its folder in HOLDFAST_ENGINES",
    )
