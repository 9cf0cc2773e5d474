"""Where a path that a statement names may lead.

Theory of operation. The operator names destination roots (`serve --destination-root`, several, and the parameter
backup_destination_roots; what either names is one). A user tenant sets and reads only what lies below one of them. Where none is
named it may name only a directory that is there, belongs to the account of the server, lies in no tree of the system, and is empty
or the tenant's own. root@sys is bound by neither, nor is what it sets for a tenant. /proc, /sys and /dev are nobody's, and no
destination lies in the cluster's own base directory.

What is judged is what is opened. A statement resolves the path and judges where it leads; that place travels with the path (and is
kept in the catalog beside it), and each operation on the destination looks at the folder it has opened: it is that place, or
it is another one that would be allowed now, or nothing is read and nothing is written. A link that is put into the path after
the judgement is thus followed by nobody, at whatever moment it comes, and an operator may move a destination within the roots.

What was set before there were roots, or outside them, goes on: it is told of and not stopped.

A path's own tenant is that of the format file: cluster id and tenant id. Names do not count. A restored tenant has an id of its own, so
what its source wrote is another's; only the archive of the tenant it was restored from may feed it (`standbys`).
"""

import contextlib
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.piece_record import FormatFile, decode_format_file
from holdfast.destination.facts import kind_of_folder
from holdfast.errors import HoldfastError, RefusedError, StoreUnavailableError, refuse
from holdfast.jobs.reply import Warn
from holdfast.jobs.session import Session
from holdfast.store.file import FileStore
from holdfast.store.folder import FOREIGN, opened_at
from holdfast.store.open import open_store
from holdfast.store.small import FORMAT_BYTES_MAX, get_small
from holdfast.store.store import TEMPORARY_FOLDER, Store
from holdfast.values.destination import Destination, Uri, parse_uri
from holdfast.values.roots import KERNEL_TREES, SYSTEM_TREES, is_below, lies_in

OPTION = "--destination-root"
PARAMETER = "backup_destination_roots"
_NAMED_MAX = 4
_RESOLVED_CHARACTERS_MAX = 4096
"""What the catalog keeps of a place, and what the kernel takes as a path."""

IsOwn = Callable[[FormatFile], bool]


def named_uri(text: str) -> Uri:
    """Return the checked URI that a statement names. Raises as `parse_uri`, and -9026 for a path into /proc, /sys or /dev."""
    uri = parse_uri(text)
    _require_no_kernel_tree(uri, os.path.realpath(uri.path))
    return uri


class Ground:
    """Judges paths for statements, and opened folders for jobs. Safe from any thread."""

    def __init__(self, base: Path, roots: Callable[[], Sequence[str]] = tuple) -> None:
        """`roots`: what the operator names now; asked at each judgement. May raise HoldfastError."""
        self._base = base
        self._roots = roots

    def destination(self, session: Session, uri: Uri, *, is_own: IsOwn, current: Destination | None = None) -> Uri:
        """Return the path of a destination to be, to be opened as returned.

        `is_own`: whether a format file is of the destination's tenant. `current`: what that tenant has set now; to set it
        again, with other items, is always allowed. Raises RefusedError: -9026 for a path where the session may set none, and for
        one that shares a branch with the base directory; -9081 for one within another destination, whoever owns it: its owner
        deletes and reads everything below its path.
        """
        place = os.path.realpath(uri.path)
        self._require_place(uri, place)
        if current is not None and current.uri.identity == uri.identity and not session.tenant.is_sys:
            return replace(uri, resolved=current.uri.resolved)
        if not session.tenant.is_sys:
            self._require_allowed(uri, place, is_own, may_be_empty=True)
        for parent in Path(place).parents:
            if os.path.lexists(parent / names.FORMAT_FILE):
                raise refuse(
                    codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH,
                    ", try to set a new directory.",
                    hint=f"{parent} is a destination already",
                )
        return uri if session.tenant.is_sys else replace(uri, resolved=place)

    def source(self, session: Session | None, uri: Uri, *, is_own: IsOwn) -> Uri:
        """Return a path that is to be read, a destination or the folder of a set or a piece, to be opened as returned.

        `session`: None for a job of a user tenant that looks once more. Raises RefusedError: -9026; -9081 for what is below the roots
        and another tenant's. Whoever reads it looks at its owner too: this is what the statement says at once.
        """
        place = os.path.realpath(uri.path)
        self._require_place(uri, place)
        if session is not None and session.tenant.is_sys:
            return uri
        above, _, folder = place.rpartition("/")
        holder = place if kind_of_folder(folder) is None else above
        self._require_allowed(uri, holder, is_own, may_be_empty=False)
        owner = _owner_of(holder)
        if owner is not None and not is_own(owner):
            raise refuse(
                codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH,
                "",
                hint=f"{uri.identity} is another tenant's; root@sys may have it read for this one",
            )
        return replace(uri, resolved=holder)

    def warnings(self, session: Session, uri: Uri) -> tuple[Warn, ...]:
        """Return what whoever set this destination should know of it: outside the roots, or open to the machine's other users."""
        told = []
        roots = self._resolved_roots()
        if session.tenant.is_sys and roots and not _is_below_any(os.path.realpath(uri.path), roots):
            told.append(f"{uri.identity} lies outside the destination roots")
        with contextlib.suppress(OSError):
            mode = os.stat(uri.path).st_mode
            if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
                told.append(
                    f"{uri.identity} may be written by every user of the machine (mode {stat.S_IMODE(mode):04o})"
                )
        return tuple(Warn(number=codes.OB_INVALID_BACKUP_DEST.client, message=words) for words in told)

    def outside(self, uris: Sequence[Uri]) -> str:
        """Return which of these destinations lie outside the roots, "" for none and where no roots are named.

        By their names and by where they led when they were set: nothing is asked of a disk, which may hang.
        """
        roots = self._roots()
        if not roots:
            return ""
        found = [
            uri.identity
            for uri in uris
            if not _is_below_any(uri.path, roots) and not _is_below_any(uri.resolved, roots)
        ]
        lie = "lies" if len(found) == 1 else "lie"
        return f"{', '.join(dict.fromkeys(found))} {lie} outside the destination roots" if found else ""

    def open(self, uri: Uri, *, create: bool = False) -> Store:
        """Open a destination (`destinations.OpenStore`): one that a user tenant named only where it was judged to lead, or may now.

        Raises as `open_store`; StoreUnavailableError (-9026) for one that leads elsewhere, now or at any later operation.
        """
        judge = partial(self._require_unmoved, uri) if uri.resolved else None
        return open_store(uri, create=create, judge=judge)

    def _require_unmoved(self, uri: Uri, descriptor: int) -> None:
        place = opened_at(descriptor)
        if lies_in(place, uri.resolved):
            return
        try:
            self._require_place(uri, place)
            roots = self._resolved_roots()
            is_ours = os.fstat(descriptor).st_uid == os.geteuid() and not _lies_in_any(place, SYSTEM_TREES)
            if not (_is_below_any(place, roots) if roots else is_ours):
                raise self._refusal(uri, roots)
        except RefusedError as error:
            # Not "refused": whoever waits for a destination that is away waits for this one too.
            raise StoreUnavailableError(
                f"{uri.identity} leads to another place than when it was set, where no user tenant may set a destination",
                hint="put the directory back; else root@sys sets the destination, or names a root above where it leads now",
                code=codes.OB_INVALID_BACKUP_DEST,
            ) from error

    def _require_place(self, uri: Uri, place: str) -> None:
        """Raise -9026 for what is nobody's."""
        _require_no_kernel_tree(uri, place)
        base = os.path.realpath(self._base)
        if lies_in(place, base) or lies_in(base, place):
            raise refuse(
                codes.OB_INVALID_BACKUP_DEST, uri.identity, hint="it must lie outside the cluster's own base directory"
            )

    def _require_allowed(self, uri: Uri, place: str, is_own: IsOwn, *, may_be_empty: bool) -> None:
        """Raise -9026 for a place that no user tenant, or not this one, may name.

        One text for all reasons: of a path where it may set nothing a tenant does not learn whether it is there.
        """
        roots = self._resolved_roots()
        if len(place) > _RESOLVED_CHARACTERS_MAX:
            raise self._refusal(uri, roots)
        if roots:
            if not _is_below_any(place, roots):
                raise self._refusal(uri, roots)
        elif _lies_in_any(place, SYSTEM_TREES) or not _is_own_directory(place, is_own, may_be_empty=may_be_empty):
            raise self._refusal(uri, roots)

    def _resolved_roots(self) -> tuple[str, ...]:
        return tuple(os.path.realpath(root) for root in self._roots())

    def _refusal(self, uri: Uri, roots: Sequence[str]) -> RefusedError:
        sys = f"root@sys may set it, or name another root (serve {OPTION} DIR, parameter {PARAMETER})"
        if not roots:
            return refuse(
                codes.OB_INVALID_BACKUP_DEST,
                uri.identity,
                hint="where no destination root is named, a user tenant may name only a directory that is there, belongs to the account"
                f" that runs the server, and is empty or the tenant's own; {sys}",
            )
        more = f" and {len(roots) - _NAMED_MAX} more" if len(roots) > _NAMED_MAX else ""
        return refuse(
            codes.OB_INVALID_BACKUP_DEST,
            uri.identity,
            hint=f"a user tenant may name only what lies below {', '.join(roots[:_NAMED_MAX])}{more}; {sys}",
        )


def _require_no_kernel_tree(uri: Uri, place: str) -> None:
    if _lies_in_any(uri.path, KERNEL_TREES) or _lies_in_any(place, KERNEL_TREES):
        raise refuse(
            codes.OB_INVALID_BACKUP_DEST,
            uri.identity,
            hint=f"no destination lies in {', '.join(KERNEL_TREES)}, whoever names it",
        )


def _lies_in_any(path: str, trees: Sequence[str]) -> bool:
    return any(lies_in(path, tree) for tree in trees)


def _is_below_any(path: str, roots: Sequence[str]) -> bool:
    return any(is_below(path, root) for root in roots)


def _is_own_directory(place: str, is_own: IsOwn, *, may_be_empty: bool) -> bool:
    """Return whether the directory is there, the account's, and empty to the last folder or the tenant's own."""
    try:
        if os.lstat(place).st_uid != os.geteuid():
            return False
        found = set(os.listdir(place)) - {TEMPORARY_FOLDER, FOREIGN}
        if not found:
            return may_be_empty
    except OSError:
        return False
    owner = _owner_of(place)
    return owner is not None and is_own(owner)


def _owner_of(place: str) -> FormatFile | None:
    """Return what the format file there says, None when there is none that says anything."""
    try:
        stored = get_small(FileStore(place), names.FORMAT_FILE, FORMAT_BYTES_MAX)
        return decode_format_file(stored, name=names.FORMAT_FILE)
    except HoldfastError:
        return None


def nobody(record: FormatFile) -> bool:
    """Know no format file as one's own."""
    return False


def owned_by(cluster_id: int, tenant_id: int) -> IsOwn:
    """Return what knows the format files of this tenant of this cluster. Names may change, ids do not."""
    return lambda record: (record.cluster_id, record.tenant_id) == (cluster_id, tenant_id)
