"""Whose a destination is: claimed when it is set, checked again before anything is written into it."""

import contextlib
from datetime import UTC
from typing import Protocol

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.piece_record import FormatFile, decode_format_file, encode_format_file
from holdfast.clock import Clock
from holdfast.errors import ConflictError, CorruptionError, NotFoundError, RefusedError, StoreUnavailableError, refuse
from holdfast.jobs.identity import ClusterIdentity
from holdfast.store.small import FORMAT_BYTES_MAX, get_small
from holdfast.store.store import Store
from holdfast.values.destination import Destination, Uri
from holdfast.values.scn import Scn
from holdfast.values.tenant import Tenant


class OpenStore(Protocol):
    """How a destination is opened; `create` makes its directory when it is absent."""

    def __call__(self, uri: Uri, *, create: bool = False) -> Store: ...


TRY_ANOTHER = ", try to set a new directory."
ZONE = "zone1"
"""The zone of the one server, as views and SHOW PARAMETERS print it."""


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


def format_file_of(identity: ClusterIdentity, tenant: Tenant, destination: Destination, now_us: int) -> FormatFile:
    """Return what the format file of the tenant's destination says, made by this server now."""
    return FormatFile(
        cluster_name=identity.name,
        cluster_id=identity.cluster_id,
        tenant_id=tenant.tenant_id,
        tenant_name=tenant.name,
        dest_id=destination.dest_id,
        kind=destination.kind,
        path=destination.uri.identity,
        created_us=now_us,
        owner=identity.server.owner(now_us),
    )


def open_to_claim(uri: Uri, open_store: OpenStore, *, is_known: bool) -> Store:
    """Return the place that a statement names, its directory made when it is new.

    `is_known`: the tenant has used it before, so it must be there and hold its format file; under a mount that is gone lies an empty
    directory, and what is written there is hidden when the mount comes back. Raises RefusedError (-9080), NotFoundError (-9120).
    """
    store = open_store(uri, create=not is_known)
    if is_known and store.stat(names.FORMAT_FILE) is None:
        raise refuse(
            codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST,
            TRY_ANOTHER,
            hint=f"{store.location} was used before and has no {names.FORMAT_FILE}; is it mounted?",
        )
    return store


def claim_destination(store: Store, owner: FormatFile, clock: Clock) -> str:
    """Make an empty destination `owner`'s, or find that it is; then prove that it can be written and read back.

    Returns the name of the check file. Repeatable; of two owners at once one wins.
    Raises RefusedError: -9080 when others' files are there, -9081 when it belongs to another tenant, cluster, path or
    purpose; StoreUnavailableError when it can not be written (-9071, -9082, -9129) or read back (-9070).
    """
    if _owner_of(store) is None:
        # Asked again where something lies there: another owner may have come between, and its format file is the first it puts.
        if not store.is_empty() and _owner_of(store) is None:
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
        found = store.get(name, 0, len(content) + 1)
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
