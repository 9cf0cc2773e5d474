"""What status and archive ask: the tenants, their archive rounds, their destinations, their newest sets."""

from dataclasses import dataclass, field

from holdfast.cli.connection import SYS_TENANT_ID, Connection, Row

_NOW_US = "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archiving:
    """A user tenant's log archiving. `status` is empty without a round; `lag_seconds` is known of a round that runs.

    `row` is its row of ARCHIVELOG, empty without one. `destination` is where LOG_ARCHIVE_DEST points now.
    """

    tenant_id: int
    tenant: str
    log_mode: str
    status: str = ""
    round_id: int = 0
    lag_seconds: float | None = None
    destination: str = ""
    comment: str = ""
    row: Row = field(default_factory=dict)


def tenant_rows(connection: Connection) -> list[Row]:
    """Return DBA_OB_TENANTS: for sys every tenant, else the login's own."""
    return connection.rows("SELECT * FROM oceanbase.DBA_OB_TENANTS ORDER BY TENANT_ID")


def archiving(connection: Connection, tenants: list[Row] | None = None) -> list[Archiving]:
    """Return the archiving of every user tenant, by tenant id."""
    rows = tenant_rows(connection) if tenants is None else tenants
    rounds = {int(row["TENANT_ID"]): row for row in connection.view("ARCHIVELOG")}
    paths = {int(row["TENANT_ID"]): str(row["VALUE"]) for row in connection.view("ARCHIVE_DEST", "NAME = 'path'")}
    now_us = int(connection.rows(f"SELECT {_NOW_US} AS NOW_US")[0]["NOW_US"])
    return [
        _of(row, rounds.get(int(row["TENANT_ID"]), {}), paths, now_us)
        for row in rows
        if int(row["TENANT_ID"]) != SYS_TENANT_ID
    ]


def _of(tenant: Row, current: Row, paths: dict[int, str], now_us: int) -> Archiving:
    tenant_id = int(tenant["TENANT_ID"])
    checkpoint_us = int(current.get("CHECKPOINT_SCN") or 0) // 1000
    return Archiving(
        tenant_id=tenant_id,
        tenant=str(tenant["TENANT_NAME"]),
        log_mode=str(tenant["LOG_MODE"]),
        status=str(current.get("STATUS") or ""),
        round_id=int(current.get("ROUND_ID") or 0),
        lag_seconds=max(0.0, (now_us - checkpoint_us) / 1e6) if checkpoint_us else None,
        destination=paths.get(tenant_id, ""),
        comment=str(current.get("COMMENT") or ""),
        row=current,
    )


def time_zone(connection: Connection) -> str:
    """Return the zone of every time shown and given on this login, as the server names it."""
    return str(connection.rows("SELECT @@session.time_zone AS Z")[0]["Z"])


def data_destinations(connection: Connection) -> dict[int, str]:
    """Return DATA_BACKUP_DEST by tenant id."""
    rows = connection.view("BACKUP_PARAMETER", "NAME = 'data_backup_dest'")
    return {int(row["TENANT_ID"]): str(row["VALUE"]) for row in rows}


def newest_sets(connection: Connection) -> dict[int, Row]:
    """Return each tenant's newest usable set by tenant id."""
    rows = connection.view(
        "BACKUP_SET_FILES", "STATUS = 'SUCCESS' AND FILE_STATUS = 'AVAILABLE'", tail="ORDER BY BACKUP_SET_ID"
    )
    return {int(row["TENANT_ID"]): row for row in rows}
