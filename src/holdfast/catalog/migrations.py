"""The numbered migrations of the catalog. To change its shape, append one entry here, and nothing else:

    Migration(
        number=2,
        name="backup sets say who made them",
        changes=(AddColumn(table="backup_set", column="owner", type=varchar(256)),),
    ),

A catalog that is there is brought up change by change, a fresh one is made in the shape that all changes together give. The
concept that reads the column (`backups.py`) and the view that shows it (`views.py`) are the other half of such a commit.

Invariants:
- Numbers count up by one. An entry that has landed is never edited, moved or removed: catalogs that have had it are about. Of
  two that land at once, the later one takes the next number.
- A build refuses a catalog with a number it does not know (`schema.py`), so an older build never works on a newer catalog.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.catalog.baseline import ROWS, TABLES
from holdfast.catalog.changes import AddColumn, AddTable, Baseline, Change, ChangeRows
from holdfast.catalog.columns import COUNT, ID, TIME, Tables, exact, varchar


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Changes that belong together. `name` says what the catalog has afterwards; it is kept with the number."""

    number: int
    name: str
    changes: tuple[Change, ...]


_CLEAR = "UPDATE __holdfast.backup_damage d SET status = 'CLEARED', cleared_timestamp = NOW(6) WHERE status = 'OPEN'"

MIGRATIONS: tuple[Migration, ...] = (
    Migration(number=1, name="the tables of 3088279", changes=(Baseline(tables=TABLES, rows=ROWS),)),
    Migration(
        number=2,
        name="health of tenants, names of tenants beside their windows",
        changes=(
            AddTable(
                table="tenant_health",
                columns=(
                    ("tenant_id", ID),
                    ("engine_status", varchar(64)),
                    ("engine_comment", varchar(4096)),
                    ("spool_bytes", COUNT),
                    ("spool_comment", varchar(4096)),
                    ("writes_stalled", varchar(3, "NO")),
                    ("destination_comment", varchar(4096)),
                ),
                keys=("PRIMARY KEY (tenant_id)",),
            ),
            AddColumn(table="restorable_window", column="tenant_name", type=varchar(128)),
        ),
    ),
    Migration(
        number=3,
        name="log sources say what keeps their standby, and until when log is kept for it",
        changes=(
            AddColumn(table="log_restore_source", column="hold_end_timestamp", type=TIME),
            AddColumn(table="log_restore_source", column="sync_status", type=varchar(64, "NORMAL")),
            AddColumn(table="log_restore_source", column="comment", type=varchar(4096)),
        ),
    ),
    Migration(
        number=4,
        name="no damage is open of what was deleted",
        changes=(
            ChangeRows(
                sql=(
                    (
                        f"{_CLEAR} AND object_type = 'BACKUPSET' AND EXISTS (SELECT 1 FROM __holdfast.backup_set s WHERE"
                        " s.tenant_id = d.tenant_id AND s.backup_set_id = d.object_id AND s.file_status = 'DELETED')"
                    ),
                    (
                        f"{_CLEAR} AND object_type = 'ARCHIVELOG_PIECE' AND EXISTS (SELECT 1 FROM __holdfast.archive_piece p"
                        " WHERE p.tenant_id = d.tenant_id AND p.round_id = d.round_id AND p.piece_id = d.object_id"
                        " AND p.file_status = 'DELETED')"
                    ),
                )
            ),
        ),
    ),
    Migration(
        number=5,
        name="pieces say what protects them, and tenants why their backup key is not at hand",
        changes=(
            AddColumn(table="archive_piece", column="encryption_mode", type=varchar(64, "NONE")),
            AddColumn(table="tenant_health", column="key_comment", type=varchar(4096)),
        ),
    ),
    Migration(
        number=6,
        name="destinations say where their paths led when a user tenant set them",
        changes=(
            AddColumn(table="destination", column="resolved", type=exact(4096)),
            AddColumn(table="log_restore_source", column="resolved", type=exact(4096)),
            AddColumn(table="tenant_health", column="roots_comment", type=varchar(4096)),
        ),
    ),
    Migration(
        number=7,
        name="no hash of a backup's password",
        changes=(
            ChangeRows(
                sql=tuple(
                    f"UPDATE __holdfast.{table} SET {column} = '***' WHERE {column} NOT IN ('', '***')"
                    for table, column in (
                        ("backup_job", "passwd"),
                        ("backup_task", "passwd"),
                        ("backup_set", "passwd"),
                        ("recover_table_job", "backup_passwd"),
                    )
                )
            ),
        ),
    ),
)


def shape(migrations: Sequence[Migration] = MIGRATIONS) -> Tables:
    """Return the tables as all these migrations leave them. Fails on a change that does not fit what is before it."""
    tables: Tables = {}
    for migration in migrations:
        for change in migration.changes:
            tables = change.folded(tables)
    return tables
