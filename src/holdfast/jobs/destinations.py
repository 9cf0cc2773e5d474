"""Whose a destination is: claimed when it is set, checked again before anything is written into it."""

import contextlib
import os
from datetime import UTC
from pathlib import Path
from typing import Protocol

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.piece_record import FormatFile, decode_format_file, encode_format_file
from holdfast.clock import Clock
from holdfast.errors import ConflictError, CorruptionError, NotFoundError, RefusedError, StoreUnavailableError, refuse
from holdfast.store.small import FORMAT_BYTES_MAX, get_small
from holdfast.store.store import Store
from holdfast.values.destination import Uri
from holdfast.values.scn import Scn


class OpenStore(Protocol):
    """How a destination is opened; `create` makes its directory when it is absent."""

    def __call__(self, uri: Uri, *, create: bool = False) -> Store: ...


TRY_ANOTHER = ", try to set a new directory."
ZONE = "zone1"
"""The zone of the one server, as views and SHOW PARAMETERS print it."""


class Ground:
    """Where a destination may lie: outside the cluster's own base directory, and within no other destination."""

    def __init__(self, base: Path) -> None:
        self._base = base

    def check(self, uri: Uri) -> None:
        """Raise RefusedError: -9026 for a path that shares a branch with the base directory, -9081 for one within another
        destination, whoever owns it: its owner deletes and reads everything below its path.

        Symbolic links are followed as they are now; no tenant can make one outside its engine's directory.
        """
        base, path = Path(os.path.realpath(self._base)), Path(os.path.realpath(uri.path))
        if path == base or base in path.parents or path in base.parents:
            raise refuse(
                codes.OB_INVALID_BACKUP_DEST, uri.identity, hint="it must lie outside the cluster's own base directory"
            )
        for parent in path.parents:
            if os.path.lexists(parent / names.FORMAT_FILE):
                raise refuse(
                    codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH, TRY_ANOTHER, hint=f"{parent} is a destination already"
                )


def check_attribute(text: str) -> str:
    """Return ATTRIBUTE of CHANGE EXTERNAL_STORAGE_DEST in its one spelling: `zone=zone1`, empty for none.

    One server in one zone, no idc and no region: every other name is -9133. Raises RefusedError.
    """
    kind, _, value = text.strip().partition("=")
    if not text.strip():
        return ""
    places = [place.strip() for group in value.split(";") for place in group.split(",")]
    if kind.strip().lower() != "zone" or any(place.lower() != ZONE for place in places):
        raise refuse(codes.OB_BACKUP_ZONE_IDC_REGION_INVALID, hint=f"the one server lies in zone {ZONE}")
    return f"zone={ZONE}"


def claim_destination(store: Store, owner: FormatFile, clock: Clock) -> str:
    """Make an empty destination `owner`'s, or find that it is; then prove that it can be written and read back.

    Returns the name of the check file. Repeatable; of two owners at once one wins.
    Raises RefusedError: -9080 when others' files are there, -9081 when it belongs to another tenant, cluster, path or
    purpose; StoreUnavailableError when it can not be written (-9071, -9082, -9129) or read back (-9070).
    """
    if _owner_of(store) is None:
        if not store.is_empty():
            raise refuse(
                codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST,
                TRY_ANOTHER,
                hint=f"{store.location} holds files that are not Holdfast's",
            )
        # Another owner may be as quick as we: the check below says whether it is us.
        with contextlib.suppress(ConflictError):
            store.put_new(names.FORMAT_FILE, encode_format_file(owner))
    return check_destination(store, owner, clock)


def check_destination(store: Store, owner: FormatFile, clock: Clock) -> str:
    """Find that the destination is `owner`'s, can be written and read back; return the name of the check file.

    Raises as `claim_destination`; -9080 also when the destination is empty (its format file was lost, or it is not mounted).
    """
    found = _owner_of(store)
    if found is None:
        raise refuse(
            codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST,
            TRY_ANOTHER,
            hint=f"{store.location} has no {names.FORMAT_FILE}; is it mounted?",
        )
    difference = found.difference(owner)  # its owner's thing, "not" ours
    if difference:
        raise refuse(
            codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH,
            TRY_ANOTHER,
            hint=f"{store.location} belongs to another: {difference}",
        )
    return _check_connection(store, owner.tenant_id, clock)


def _owner_of(store: Store) -> FormatFile | None:
    try:
        stored = get_small(store, names.FORMAT_FILE, FORMAT_BYTES_MAX)
    except NotFoundError:
        return None
    try:
        return decode_format_file(stored)
    except CorruptionError as error:
        raise RefusedError(
            codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH.text(TRY_ANOTHER),
            hint=f"{store.location}: {error.message}",
            code=codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH,
        ) from error


def _check_connection(store: Store, tenant_id: int, clock: Clock) -> str:
    """Write a small object and read it back; older ones of this tenant are removed."""
    now_ns = clock.now_ns()
    name = names.check_file(tenant_id, Scn(now_ns).tag(UTC))
    content = f"holdfast connectivity check {now_ns}\n".encode()
    store.put(name, content)
    try:
        found = store.get(name)
    except NotFoundError:
        found = b""
    if found != content:
        raise StoreUnavailableError(
            codes.OB_BACKUP_DEST_NOT_CONNECT.text(),
            hint=f"{store.location} does not give back what was written to {name}",
            code=codes.OB_BACKUP_DEST_NOT_CONNECT,
        )
    own = names.check_file(tenant_id, "")[: -len(".obbak")]
    for older in [item.name for item in store.list(own) if item.name < name]:
        store.delete(older)
    return name
