"""Destinations: every path a tenant ever used, and which of them are its data and archive destination now."""

from dataclasses import replace

from holdfast import codes
from holdfast.catalog.cleanup import DestinationState, destination_state
from holdfast.catalog.connections import Cell, Connections, Row, Transaction
from holdfast.catalog.records import time_from_us
from holdfast.catalog.sequences import next_id
from holdfast.clock import Clock
from holdfast.errors import CorruptionError, NotFoundError, refuse
from holdfast.values.capacity import time_us_from_text
from holdfast.values.destination import ArchiveDestination, Binding, Destination, DestinationKind, Uri

FIRST_DEST_ID = 1001
_SELECT = "SELECT tenant_id, dest_id, dest_type, path, extension, resolved FROM __holdfast.destination "
_DATA_NAME = "data_backup_dest"


class Destinations:
    """Every method is one transaction.

    Setting one is two steps, because the format file in the destination carries DEST_ID: `reserve` gives the id, the caller
    writes and checks the format file, then `set_data` or `set_archive` makes it the tenant's. A crash between leaves a
    reserved row that no view shows and that the next attempt with the same path takes up again.
    """

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock

    def reserve(self, tenant_id: int, kind: DestinationKind, uri: Uri) -> Destination:
        """Return the destination of this path, with the DEST_ID it always had or, for a new path, the next one.

        Its URI is `uri` as it was judged now; that is kept when the destination is set or used.
        Refused with -9081 for a path that DELETE BACKUP ALL emptied or empties.
        """
        extension = "&".join(f"{name}={value}" for name, value in uri.options)
        with self._connections.transaction() as transaction:
            found = transaction.one(
                _SELECT + "WHERE tenant_id = %s AND dest_type = %s AND path = %s FOR UPDATE",
                (tenant_id, str(kind), uri.identity),
            )
            if found is not None:
                known = _destination(found)
                _require_kept(transaction, known)
                return replace(known, uri=replace(known.uri, resolved=uri.resolved))
            dest_id = next_id(transaction, tenant_id, "destination", first=FIRST_DEST_ID)
            transaction.execute(
                "INSERT INTO __holdfast.destination (tenant_id, dest_id, dest_type, path, extension, create_time)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (tenant_id, dest_id, str(kind), uri.identity, extension, self._now()),
            )
        return Destination(tenant_id=tenant_id, dest_id=dest_id, kind=kind, uri=uri)

    def set_data(self, destination: Destination) -> None:
        """Make a reserved destination the tenant's DATA_BACKUP_DEST."""
        assert destination.kind is DestinationKind.BACKUP_DATA
        with self._connections.transaction() as transaction:
            _mark_used(transaction, destination)
            transaction.execute(
                "REPLACE INTO __holdfast.backup_parameter (tenant_id, name, value, dest_id) VALUES (%s, %s, %s, %s)",
                (destination.tenant_id, _DATA_NAME, destination.uri.identity, destination.dest_id),
            )

    def use(self, destination: Destination) -> None:
        """Make a reserved destination visible without making it the tenant's current one: BACKUP ... TO."""
        with self._connections.transaction() as transaction:
            _mark_used(transaction, destination)

    def clear_data(self, tenant_id: int) -> None:
        """Take DATA_BACKUP_DEST away; files and history stay. No effect when there is none."""
        with self._connections.transaction() as transaction:
            transaction.execute("DELETE FROM __holdfast.backup_parameter WHERE tenant_id = %s", (tenant_id,))

    def data(self, tenant_id: int) -> Destination | None:
        """Return DATA_BACKUP_DEST, or None while it is not set."""
        with self._connections.transaction() as transaction:
            row = transaction.one(
                "SELECT dest_id FROM __holdfast.backup_parameter WHERE tenant_id = %s AND name = %s",
                (tenant_id, _DATA_NAME),
            )
            return None if row is None else _by_id(transaction, tenant_id, row[0])

    def set_archive(self, archive: ArchiveDestination) -> None:
        """Make a reserved destination the tenant's LOG_ARCHIVE_DEST: all its items are replaced."""
        destination = archive.destination
        assert destination.kind is DestinationKind.ARCHIVE_LOG
        items = {
            "path": destination.uri.identity,
            "binding": str(archive.binding),
            "dest_id": str(destination.dest_id),
            "piece_switch_interval": archive.piece_switch_interval_text,
            "state": _state(archive.enabled),
        }
        if archive.compression is not None:
            items["compression"] = "enable" if archive.compression else "disable"
        with self._connections.transaction() as transaction:
            _mark_used(transaction, destination)
            transaction.execute("DELETE FROM __holdfast.archive_dest WHERE tenant_id = %s", (destination.tenant_id,))
            transaction.execute_many(
                "INSERT INTO __holdfast.archive_dest (tenant_id, dest_no, name, value) VALUES (%s, 0, %s, %s)",
                [(destination.tenant_id, name, value) for name, value in items.items()],
            )

    def clear_archive(self, tenant_id: int) -> None:
        """Take LOG_ARCHIVE_DEST away; files and history stay. No effect when there is none."""
        with self._connections.transaction() as transaction:
            transaction.execute("DELETE FROM __holdfast.archive_dest WHERE tenant_id = %s", (tenant_id,))

    def archive(self, tenant_id: int) -> ArchiveDestination | None:
        """Return LOG_ARCHIVE_DEST, or None while it is not set."""
        with self._connections.transaction() as transaction:
            rows = transaction.query(
                "SELECT name, value FROM __holdfast.archive_dest WHERE tenant_id = %s", (tenant_id,)
            )
            items = {str(name): str(value) for name, value in rows}
            if not items:
                return None
            destination = _by_id(transaction, tenant_id, int(items["dest_id"]))
        compression = items.get("compression")
        return ArchiveDestination(
            destination=destination,
            binding=Binding(items["binding"]),
            piece_switch_interval_us=time_us_from_text(items["piece_switch_interval"]),
            piece_switch_interval_text=items["piece_switch_interval"],
            compression=None if compression is None else compression == "enable",
            enabled=items["state"] == _state(True),
        )

    def set_archive_state(self, tenant_id: int, *, enabled: bool) -> None:
        """Set LOG_ARCHIVE_DEST_STATE. Raises NotFoundError (-4018) when no LOG_ARCHIVE_DEST is set."""
        with self._connections.transaction() as transaction:
            found = transaction.one(
                "SELECT value FROM __holdfast.archive_dest WHERE tenant_id = %s AND name = 'state' FOR UPDATE",
                (tenant_id,),
            )
            if found is None:
                raise NotFoundError("log_archive_dest is not set", hint="set log_archive_dest first")
            transaction.execute(
                "UPDATE __holdfast.archive_dest SET value = %s WHERE tenant_id = %s AND name = 'state'",
                (_state(enabled), tenant_id),
            )

    def set_attribute(self, destination: Destination, attribute: str) -> None:
        """Record which zones a path is used by: what EXTENSION shows instead of the URI's options, which file:// has none of."""
        with self._connections.transaction() as transaction:
            transaction.execute(
                "UPDATE __holdfast.destination SET extension = %s WHERE tenant_id = %s AND dest_id = %s",
                (attribute, destination.tenant_id, destination.dest_id),
            )

    def by_id(self, tenant_id: int, dest_id: int) -> Destination:
        """Return a destination the tenant has or had. Raises NotFoundError (-4018)."""
        with self._connections.transaction() as transaction:
            return _by_id(transaction, tenant_id, dest_id)

    def all_of(self, tenant_id: int) -> tuple[Destination, ...]:
        """Return every destination the tenant ever set, sorted by DEST_ID."""
        with self._connections.transaction() as transaction:
            rows = transaction.query(_SELECT + "WHERE tenant_id = %s AND is_used = 1 ORDER BY dest_id", (tenant_id,))
        return tuple(_destination(row) for row in rows)

    def is_used(self, destination: Destination) -> bool:
        """Return whether the tenant has ever set this destination, or backed up into it; not whether it was only reserved."""
        with self._connections.transaction() as transaction:
            row = transaction.one(
                "SELECT is_used FROM __holdfast.destination WHERE tenant_id = %s AND dest_id = %s",
                (destination.tenant_id, destination.dest_id),
            )
        return row is not None and bool(row[0])

    def owners_of(self, uri: Uri) -> tuple[Destination, ...]:
        """Return every destination at this path that any tenant, dropped ones included, ever set."""
        with self._connections.transaction() as transaction:
            rows = transaction.query(
                _SELECT + "WHERE path = %s AND is_used = 1 ORDER BY tenant_id, dest_id", (uri.identity,)
            )
        return tuple(_destination(row) for row in rows)

    def record_check(self, destination: Destination, check_file_name: str) -> None:
        """Record that the connectivity check of the destination succeeded now, with this file."""
        with self._connections.transaction() as transaction:
            transaction.execute(
                "UPDATE __holdfast.destination SET check_file_name = %s, last_check_timestamp = %s"
                " WHERE tenant_id = %s AND dest_id = %s",
                (check_file_name, self._now(), destination.tenant_id, destination.dest_id),
            )

    def _now(self) -> Cell:
        return time_from_us(self._clock.now_ns() // 1000)


def _state(enabled: bool) -> str:
    return "ENABLE" if enabled else "DEFER"


def _require_kept(transaction: Transaction, destination: Destination) -> None:
    """Refuse (-9081) a path that DELETE BACKUP ALL empties or has emptied."""
    state = destination_state(transaction, destination.tenant_id, destination.dest_id)
    if state is not DestinationState.NORMAL:
        hint = f"{destination.uri.identity} was given up by DELETE BACKUP ALL"
        raise refuse(codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH, ", try to set a new directory.", hint=hint)


def _mark_used(transaction: Transaction, destination: Destination) -> None:
    # The lock that the beginning of a DELETE BACKUP ALL takes too: of the two, the second is refused.
    key = (destination.tenant_id,)
    transaction.query("SELECT tenant_id FROM __holdfast.tenant WHERE tenant_id = %s FOR UPDATE", key)
    _require_kept(transaction, destination)
    transaction.execute(
        "UPDATE __holdfast.destination SET is_used = 1, resolved = %s WHERE tenant_id = %s AND dest_id = %s",
        (destination.uri.resolved, destination.tenant_id, destination.dest_id),
    )


def _by_id(transaction: Transaction, tenant_id: int, dest_id: Cell) -> Destination:
    row = transaction.one(_SELECT + "WHERE tenant_id = %s AND dest_id = %s", (tenant_id, dest_id))
    if row is None:
        raise NotFoundError(f"tenant {tenant_id} has no destination {dest_id}", code=codes.OB_ENTRY_NOT_EXIST)
    return _destination(row)


def _destination(row: Row) -> Destination:
    tenant_id, dest_id, kind, path, extension, resolved = row
    scheme, separator, rest = str(path).partition("://")
    if not separator or not isinstance(tenant_id, int) or not isinstance(dest_id, int):
        raise CorruptionError(f"destination {dest_id} of tenant {tenant_id}: {path!r} is not a uri")
    pairs = (item.partition("=") for item in str(extension).split("&") if item)
    options = tuple((name, value) for name, _, value in pairs)
    return Destination(
        tenant_id=tenant_id,
        dest_id=dest_id,
        kind=DestinationKind(str(kind)),
        uri=Uri(scheme=scheme, path=rest, options=options, resolved=str(resolved)),
    )
