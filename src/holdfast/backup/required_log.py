"""Whether the archive holds the log that a set needs, judged as a restore would judge it.

The follower's word is not enough: it knows what it put, not what became of it. A set whose log has a hole restores nothing, and
is made in vain as long as the engine's checkpoint is older than the hole. So it is asked twice: before a block is copied, and
before the manifest is put. What is read is the round's pieces from the base LSN on, by their records and one listing each: as
much as the log since the engine's checkpoint, however large the archive is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast import codes
from holdfast.backup_format.manifest import Manifest
from holdfast.backup_format.reach import LOG_WAY_OUT, SetFact, path_of
from holdfast.destination.facts import newest_pieces
from holdfast.errors import CorruptionError
from holdfast.keys.masters import NO_MASTERS, Masters
from holdfast.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLack:
    """Why a set could not be restored. `is_damage`: it does not mend itself; otherwise log may only be late."""

    words: str
    is_damage: bool

    def error(self) -> CorruptionError:
        """Return what ends the backup."""
        return CorruptionError(self.words, hint=LOG_WAY_OUT, code=codes.OB_ARCHIVE_LOG_NOT_CONTINUES_WITH_DATA)


def lack_of_log(
    archive: Store, roots: Iterable[str], root: str, manifest: Manifest, masters: Masters = NO_MASTERS
) -> LogLack | None:
    """Return what keeps the set from reaching its MIN_RESTORE_SCN, None when nothing does.

    `roots`: the folders of its round's pieces, newest first; `root`: the set's. Raises StoreUnavailableError.
    """
    pieces, damaged = newest_pieces(archive, roots, manifest.base_lsn, masters)
    path = path_of(SetFact(source=0, root=root, manifest=manifest), pieces)
    if path is not None and path.reach >= manifest.min_restore_scn:
        return None
    needed = f"{root} needs the log from LSN {manifest.base_lsn.text()} on, and archive round {manifest.round_id}"
    if path is None:
        where = "; ".join(one.words for one in damaged) or "no piece holds it"
        return LogLack(words=f"{needed} does not hold it: {where}", is_damage=bool(damaged))
    where = path.damage or "nothing follows"
    return LogLack(words=f"{needed} holds it up to LSN {path.end.lsn.text()}: {where}", is_damage=bool(path.damage))
