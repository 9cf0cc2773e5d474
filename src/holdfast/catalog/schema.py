"""The tables of the catalog, in schema `__holdfast`, and their installation.

Invariants:
- Times are TIMESTAMP(6), written by sessions of time zone +00:00; a reader's session decides how they look. SCNs are
  unsigned nanoseconds, 0 while unknown.
- A column has the type its view column has (`views.py`): a view passes it on unchanged, and so types come out exact.
  Columns that are constant today (INCARNATION, DEST_NO) exist for that reason: the engine types a literal by its value.
- Paths and names are compared byte for byte (utf8mb4_bin), all other texts as the engine does by default.
- One table holds active and ended rows; ids come from `id_sequence` and are never reused.
"""

import hashlib
from collections.abc import Sequence

from holdfast.catalog.connections import Connections
from holdfast.errors import UnknownVersionError

SCHEMA_VERSION = 1
"""Raised with every change that an older build would misread. An older catalog is brought up step by step."""

_ID = "BIGINT(20) NOT NULL"
_COUNT = "BIGINT(20) NOT NULL DEFAULT 0"
_ONE = "BIGINT(20) NOT NULL DEFAULT 1"
_SCN = "BIGINT(20) UNSIGNED NOT NULL DEFAULT 0"
_TIME = "TIMESTAMP(6) NULL DEFAULT NULL"
_SWITCH = "VARCHAR(4096) NOT NULL DEFAULT 'OFF'"
_TEXT = "LONGTEXT"


def _v(size: int, default: str = "") -> str:
    return f"VARCHAR({size}) NOT NULL DEFAULT '{default}'"


def _exact(size: int) -> str:
    return f"VARCHAR({size}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT ''"


_OWNED = (
    ("owner_generation", _COUNT),
    ("attempt", _ONE),
    ("cancel_requested", "VARCHAR(3) NOT NULL DEFAULT 'OFF'"),
)
_COPY_FIGURES = (
    ("input_bytes", _COUNT),
    ("output_bytes", _COUNT),
    ("extra_meta_bytes", _COUNT),
    ("tablet_count", _COUNT),
    ("finish_tablet_count", _COUNT),
    ("macro_block_count", _COUNT),
    ("finish_macro_block_count", _COUNT),
    ("file_count", _COUNT),
    ("meta_turn_id", _ONE),
    ("data_turn_id", _ONE),
    ("minor_turn_id", _ONE),
    ("major_turn_id", _ONE),
)
_ARCHIVE_FIGURES = (
    ("incarnation", _ONE),
    ("dest_no", _COUNT),
    ("compatible", _ONE),
    ("unit_size", _ONE),
    ("compression", _v(128, "none")),
    ("input_bytes", _COUNT),
    ("output_bytes", _COUNT),
    ("path", _v(2048)),
)

# name -> columns (name, type), then keys.
TABLES: dict[str, tuple[tuple[tuple[str, str], ...], tuple[str, ...]]] = {
    "id_sequence": (
        (("tenant_id", _ID), ("name", _exact(64)), ("last_id", _ID)),
        ("PRIMARY KEY (tenant_id, name)",),
    ),
    "server": (
        (("id", _ID), ("zone", _v(128)), ("svr_ip", _v(46)), ("svr_port", _COUNT)),
        ("PRIMARY KEY (id)",),
    ),
    "tenant": (
        (
            ("tenant_id", _ID),
            ("tenant_name", _exact(128)),
            ("create_time", _TIME),
            ("modify_time", _TIME),
            ("primary_zone", _v(128, "RANDOM")),
            ("locality", _v(4096, "FULL{1}@zone1")),
            ("previous_locality", "VARCHAR(4096) NULL"),
            ("compatibility_mode", _v(6)),
            ("status", _v(64)),
            ("in_recyclebin", _v(3, "NO")),
            ("locked", _v(3, "NO")),
            ("tenant_role", _v(100)),
            ("switchover_status", _v(100, "NORMAL")),
            ("switchover_epoch", _COUNT),
            ("sync_scn", _SCN),
            ("replayable_scn", _SCN),
            ("readable_scn", _SCN),
            ("recovery_until_scn", _SCN),
            ("log_mode", _v(100)),
            ("arbitration_service_status", _v(64, "DISABLED")),
            ("unit_num", _ONE),
            ("compatible", _v(65536)),
            ("max_ls_id", _ONE),
            ("max_cpu", "DOUBLE NOT NULL"),
            ("memory_size_bytes", _COUNT),
            ("log_disk_size_bytes", _COUNT),
            ("purpose", _v(16, "USER")),
        ),
        ("PRIMARY KEY (tenant_id)", "UNIQUE KEY tenant_name (tenant_name)"),
    ),
    "resource_unit": (
        (
            ("unit_config_id", _ID),
            ("name", _exact(128)),
            ("create_time", _TIME),
            ("modify_time", _TIME),
            ("max_cpu", "DOUBLE NOT NULL"),
            ("min_cpu", "DOUBLE NOT NULL"),
            ("memory_size", _COUNT),
            ("log_disk_size", _COUNT),
            ("max_iops", _COUNT),
            ("min_iops", _COUNT),
            ("iops_weight", _COUNT),
        ),
        ("PRIMARY KEY (unit_config_id)", "UNIQUE KEY name (name)"),
    ),
    "resource_pool": (
        (
            ("resource_pool_id", _ID),
            ("name", _exact(128)),
            ("tenant_id", "BIGINT(20) NULL"),
            ("create_time", _TIME),
            ("modify_time", _TIME),
            ("unit_count", _ONE),
            ("unit_config_id", _ID),
            ("zone_list", _v(8192)),
            ("replica_type", _v(4, "FULL")),
        ),
        ("PRIMARY KEY (resource_pool_id)", "UNIQUE KEY name (name)"),
    ),
    "destination": (
        (
            ("tenant_id", _ID),
            ("dest_id", _ID),
            ("dest_type", _v(64)),
            ("path", _exact(1024)),
            ("endpoint", _v(256)),
            ("authorization", _v(1024)),
            ("extension", _v(512)),
            ("check_file_name", _v(256)),
            ("last_check_timestamp", _TIME),
            ("create_time", _TIME),
            ("is_used", "TINYINT NOT NULL DEFAULT 0"),
        ),
        ("PRIMARY KEY (tenant_id, dest_id)", "UNIQUE KEY place (tenant_id, dest_type, path)"),
    ),
    "backup_parameter": (
        (("tenant_id", _ID), ("name", _v(1024)), ("value", _TEXT), ("dest_id", _ID)),
        ("PRIMARY KEY (tenant_id, name)",),
    ),
    "log_restore_source": (
        (("tenant_id", _ID), ("id", _ONE), ("type", _v(32)), ("value", _TEXT), ("port", _COUNT)),
        ("PRIMARY KEY (tenant_id)",),
    ),
    "archive_dest": (
        (("tenant_id", _ID), ("dest_no", _COUNT), ("name", _v(1024)), ("value", _v(4096))),
        ("PRIMARY KEY (tenant_id, dest_no, name)",),
    ),
    "archive_round": (
        (
            ("tenant_id", _ID),
            ("dest_id", _ID),
            ("round_id", _ID),
            ("status", _v(64)),
            ("start_scn", _SCN),
            ("checkpoint_scn", _SCN),
            ("base_piece_id", _ID),
            ("used_piece_id", _ID),
            ("piece_switch_interval", _ID),
            ("deleted_input_bytes", _COUNT),
            ("deleted_output_bytes", _COUNT),
            ("comment", _v(262144)),
            *_ARCHIVE_FIGURES,
        ),
        ("PRIMARY KEY (tenant_id, round_id)",),
    ),
    "archive_piece": (
        (
            ("tenant_id", _ID),
            ("dest_id", _ID),
            ("round_id", _ID),
            ("piece_id", _ID),
            ("create_timestamp", _COUNT),
            ("status", _v(64)),
            ("base_scn", _SCN),
            ("start_scn", _SCN),
            ("end_scn", _SCN),
            ("checkpoint_scn", _SCN),
            ("max_scn", _SCN),
            ("file_status", _v(64)),
            *_ARCHIVE_FIGURES,
        ),
        ("PRIMARY KEY (tenant_id, round_id, piece_id)",),
    ),
    "backup_job": (
        (
            ("tenant_id", _ID),
            ("job_id", _ID),
            ("incarnation", _ONE),
            ("backup_set_id", _COUNT),
            ("initiator_tenant_id", _ID),
            ("initiator_job_id", _ID),
            ("executor_tenant_id", _v(65536)),
            ("plus_archivelog", _SWITCH),
            ("backup_type", _v(4096)),
            ("job_level", _v(4096)),
            ("encryption_mode", _v(4096)),
            ("passwd", _v(4096)),
            ("start_timestamp", _TIME),
            ("end_timestamp", _TIME),
            ("status", _v(4096)),
            ("result", _COUNT),
            ("comment", _v(4096)),
            ("description", _v(4096)),
            ("path", _v(4096)),
            ("dest_id", _COUNT),
            *_OWNED,
        ),
        ("PRIMARY KEY (tenant_id, job_id)",),
    ),
    "backup_task": (
        (
            ("tenant_id", _ID),
            ("task_id", _ID),
            ("job_id", _ID),
            ("incarnation", _ONE),
            ("backup_set_id", _ID),
            ("start_timestamp", _TIME),
            ("end_timestamp", _TIME),
            ("status", _v(4096)),
            ("start_scn", _SCN),
            ("end_scn", _SCN),
            ("user_ls_start_scn", _SCN),
            ("encryption_mode", _v(4096)),
            ("passwd", _v(4096)),
            *_COPY_FIGURES,
            ("log_file_count", _COUNT),
            ("finish_log_file_count", _COUNT),
            ("result", _COUNT),
            ("comment", _v(4096)),
            ("path", _v(4096)),
        ),
        ("PRIMARY KEY (tenant_id, task_id)",),
    ),
    "backup_set": (
        (
            ("tenant_id", _ID),
            ("backup_set_id", _ID),
            ("dest_id", _ID),
            ("incarnation", _ONE),
            ("backup_type", _v(4)),
            ("prev_full_backup_set_id", _COUNT),
            ("prev_inc_backup_set_id", _COUNT),
            ("start_timestamp", _TIME),
            ("end_timestamp", _TIME),
            ("status", _v(64)),
            ("file_status", _v(64)),
            ("plus_archivelog", _SWITCH),
            ("start_replay_scn", _SCN),
            ("min_restore_scn", _SCN),
            ("consistent_scn", _SCN),
            *_COPY_FIGURES,
            ("result", _COUNT),
            ("comment", _v(4096)),
            ("encryption_mode", _v(64)),
            ("passwd", _v(128)),
            ("tenant_compatible", _v(4096)),
            ("backup_compatible", _ONE),
            ("path", _v(4096)),
            ("cluster_version", _v(4096)),
        ),
        ("PRIMARY KEY (tenant_id, backup_set_id)",),
    ),
    "delete_policy": (
        (
            ("tenant_id", _ID),
            ("policy_name", _v(256)),
            ("recovery_window", _v(64)),
            ("redundancy", _ONE),
            ("backup_copies", _COUNT),
            ("create_time", _TIME),
        ),
        ("PRIMARY KEY (tenant_id)",),
    ),
    "delete_job": (
        (
            ("tenant_id", _ID),
            ("job_id", _ID),
            ("incarnation", _ONE),
            ("initiator_tenant_id", _ID),
            ("initiator_job_id", _ID),
            ("executor_tenant_id", _v(65536)),
            ("type", _v(64)),
            ("parameter", _v(4096)),
            ("expired_time", _TIME),
            ("job_level", _v(64)),
            ("start_timestamp", _TIME),
            ("end_timestamp", _TIME),
            ("status", _v(64)),
            ("task_count", _COUNT),
            ("success_task_count", _COUNT),
            ("result", _COUNT),
            ("comment", _v(4096)),
            ("description", _v(4096)),
            ("dest_id", _COUNT),
            *_OWNED,
        ),
        ("PRIMARY KEY (tenant_id, job_id)",),
    ),
    "delete_task": (
        (
            ("tenant_id", _ID),
            ("task_id", _ID),
            ("incarnation", _ONE),
            ("job_id", _ID),
            ("task_type", _v(64)),
            ("id", _ID),
            ("round_id", _COUNT),
            ("dest_id", _ID),
            ("start_timestamp", _TIME),
            ("end_timestamp", _TIME),
            ("status", _v(64)),
            ("total_ls_count", _ONE),
            ("finish_ls_count", _COUNT),
            ("total_bytes", _COUNT),
            ("delete_bytes", _COUNT),
            ("total_files_count", _COUNT),
            ("delete_files_count", _COUNT),
            ("result", _COUNT),
            ("comment", _v(4096)),
            ("path", _v(1024)),
        ),
        ("PRIMARY KEY (tenant_id, task_id)",),
    ),
    "backup_schedule": (
        (
            ("tenant_id", _ID),
            ("schedule_type", _v(64)),
            ("schedule", _v(1024)),
            ("time_zone", _v(64)),
            ("done_time", _TIME),
            ("next_timestamp", _TIME),
            ("last_due_timestamp", _TIME),
            ("last_begin_timestamp", _TIME),
            ("last_job_id", _COUNT),
            ("last_result", _COUNT),
            ("last_comment", _v(4096)),
        ),
        ("PRIMARY KEY (tenant_id, schedule_type)",),
    ),
    "validate_job": (
        (
            ("tenant_id", _ID),
            ("job_id", _ID),
            ("incarnation", _ONE),
            ("initiator_tenant_id", _ID),
            ("initiator_job_id", _ID),
            ("executor_tenant_id", _v(65536)),
            ("type", _v(64)),
            ("path", _v(1024)),
            ("path_type", _v(64)),
            ("id", _v(512)),
            ("validate_level", _v(64)),
            ("start_timestamp", _TIME),
            ("end_timestamp", _TIME),
            ("status", _v(64)),
            ("retry_count", _COUNT),
            ("task_count", _COUNT),
            ("success_task_count", _COUNT),
            ("result", _COUNT),
            ("description", _v(4096)),
            ("comment", _v(4096)),
            ("data_dest_id", _COUNT),
            ("archive_dest_id", _COUNT),
            ("owner_generation", _COUNT),
            ("cancel_requested", "VARCHAR(3) NOT NULL DEFAULT 'OFF'"),
        ),
        ("PRIMARY KEY (tenant_id, job_id)",),
    ),
    "validate_task": (
        (
            ("tenant_id", _ID),
            ("task_id", _ID),
            ("incarnation", _ONE),
            ("job_id", _ID),
            ("task_type", _v(64)),
            ("id", _ID),
            ("path", _v(1024)),
            ("path_type", _v(64)),
            ("dest_id", _ID),
            ("plus_archivelog", _SWITCH),
            ("initiator_task_id", _COUNT),
            ("validate_level", _v(64)),
            ("round_id", _COUNT),
            ("start_timestamp", _TIME),
            ("end_timestamp", _TIME),
            ("status", _v(64)),
            ("total_ls_count", _ONE),
            ("finish_ls_count", _COUNT),
            ("total_bytes", _COUNT),
            ("validated_bytes", _COUNT),
            ("result", _COUNT),
            ("comment", _v(4096)),
        ),
        ("PRIMARY KEY (tenant_id, task_id)",),
    ),
    "validate_proof": (
        (
            ("tenant_id", _ID),
            ("dest_id", _ID),
            ("name", _exact(1024)),
            ("size_bytes", _COUNT),
            ("digest", _v(256)),
            ("validate_level", _v(64)),
            ("proven_time", _TIME),
        ),
        ("PRIMARY KEY (tenant_id, dest_id, name)",),
    ),
    "backup_damage": (
        (
            ("tenant_id", _ID),
            ("damage_id", _ID),
            ("dest_id", _ID),
            ("object_type", _v(64)),
            ("object_id", _ID),
            ("round_id", _COUNT),
            ("object_name", _exact(1024)),
            ("object_offset", _COUNT),
            ("block_id", _COUNT),
            ("tablet_id", _COUNT),
            ("validate_level", _v(64)),
            ("status", _v(64)),
            ("found_timestamp", _TIME),
            ("cleared_timestamp", _TIME),
            ("job_id", _ID),
            ("task_id", _ID),
            ("comment", _v(4096)),
        ),
        ("PRIMARY KEY (tenant_id, damage_id)",),
    ),
    "destination_deletion": (
        (("tenant_id", _ID), ("dest_id", _ID), ("status", _v(64))),
        ("PRIMARY KEY (tenant_id, dest_id)",),
    ),
    "pin": (
        (("tenant_id", _ID), ("backup_set_id", _ID), ("note", _v(4096)), ("pin_timestamp", _TIME)),
        ("PRIMARY KEY (tenant_id, backup_set_id)",),
    ),
    "recover_table_job": (
        (
            ("tenant_id", _ID),
            ("job_id", _ID),
            ("initiator_tenant_id", _ID),
            ("initiator_job_id", _ID),
            ("start_timestamp", _TIME),
            ("finish_timestamp", _TIME),
            ("status", _v(64)),
            ("aux_tenant_name", _v(64)),
            ("target_tenant_name", _v(64)),
            ("import_all", "TINYINT(4) NOT NULL DEFAULT 0"),
            ("db_list", _TEXT),
            ("table_list", _TEXT),
            ("restore_scn", _SCN),
            ("restore_option", _v(4096)),
            ("backup_dest", _v(4096)),
            ("backup_set_list", _TEXT),
            ("backup_piece_list", _TEXT),
            ("backup_passwd", _v(4096)),
            ("external_kms_info", _v(4096)),
            ("remap_db_list", _TEXT),
            ("remap_table_list", _TEXT),
            ("remap_tablegroup_list", _TEXT),
            ("remap_tablespace_list", _TEXT),
            ("result", _v(64)),
            ("comment", _TEXT),
            ("description", _TEXT),
            ("statement", _TEXT),
            ("target_tenant_id", _COUNT),
            ("aux_tenant_id", _COUNT),
            *_OWNED,
        ),
        ("PRIMARY KEY (tenant_id, job_id)",),
    ),
    "import_table_job": (
        (
            ("tenant_id", _ID),
            ("job_id", _ID),
            ("initiator_tenant_id", _ID),
            ("initiator_job_id", _ID),
            ("start_timestamp", _TIME),
            ("finish_timestamp", _TIME),
            ("src_tenant_name", _v(64)),
            ("src_tenant_id", _COUNT),
            ("status", _v(64)),
            ("import_all", "TINYINT(4) NOT NULL DEFAULT 0"),
            ("db_list", _TEXT),
            ("table_list", _TEXT),
            ("remap_db_list", _TEXT),
            ("remap_table_list", _TEXT),
            ("remap_tablegroup_list", _TEXT),
            ("remap_tablespace_list", _TEXT),
            ("total_table_count", _COUNT),
            ("finished_table_count", _COUNT),
            ("failed_table_count", _COUNT),
            ("result", _v(64)),
            ("comment", _TEXT),
            ("description", _TEXT),
        ),
        ("PRIMARY KEY (tenant_id, job_id)",),
    ),
    "import_table_task": (
        (
            ("tenant_id", _ID),
            ("task_id", _ID),
            ("job_id", _ID),
            ("src_tenant_id", _COUNT),
            *((f"{side}_{kind}", _v(128)) for side in ("src", "target") for kind in ("tablespace", "tablegroup")),
            ("src_database", _exact(128)),
            ("src_table", _exact(128)),
            ("src_partition", _v(64)),
            ("target_database", _exact(128)),
            ("target_table", _exact(128)),
            ("table_column", _COUNT),
            ("status", _v(64)),
            ("start_timestamp", _TIME),
            ("completion_timestamp", _TIME),
            *(
                (f"{state}_{kind}_count", _COUNT)
                for kind in ("index", "constraint", "ref_constraint")
                for state in ("total", "imported", "failed")
            ),
            ("result", _v(64)),
            ("comment", _TEXT),
            ("row_count", _COUNT),
            # The history shows the id as text, of a type that no cast gives.
            ("task_text", "VARCHAR(4096) GENERATED ALWAYS AS (CAST(task_id AS CHAR(20))) VIRTUAL"),
        ),
        ("PRIMARY KEY (tenant_id, task_id)",),
    ),
    "recover_table_preview": (
        (
            ("tenant_id", _ID),
            ("job_id", _ID),
            ("database_name", _exact(128)),
            ("table_name", _exact(128)),
            ("status", _v(64)),
            ("rows_only_in_backup", _COUNT),
            ("rows_only_live", _COUNT),
            ("rows_changed", _COUNT),
            ("comment", _TEXT),
        ),
        ("PRIMARY KEY (tenant_id, job_id, database_name, table_name)",),
    ),
    "restore_drill": (
        (
            ("tenant_id", _ID),
            ("drill_id", _ID),
            ("job_id", _ID),
            ("task_id", _ID),
            ("backup_set_id", _ID),
            ("backup_set_list", _TEXT),
            ("first_scn", _SCN),
            ("last_scn", _SCN),
            ("restore_scn", _SCN),
            ("restore_from", _TEXT),
            ("aux_tenant_name", _v(128)),
            ("status", _v(64)),
            ("result", _v(64)),
            ("start_timestamp", _TIME),
            ("restored_timestamp", _TIME),
            ("finish_timestamp", _TIME),
            ("restored_bytes", _COUNT),
            ("table_count", _COUNT),
            ("index_count", _COUNT),
            ("assertion_count", _COUNT),
            ("row_count", _COUNT),
            ("failed_count", _COUNT),
            ("unchecked_count", _COUNT),
            ("result_digest", _v(64)),
            ("comment", _TEXT),
        ),
        ("PRIMARY KEY (tenant_id, drill_id)",),
    ),
    "restore_drill_check": (
        (
            ("tenant_id", _ID),
            ("drill_id", _ID),
            ("check_id", _ID),
            ("check_type", _v(64)),
            ("database_name", _exact(128)),
            ("table_name", _exact(128)),
            ("check_name", _TEXT),
            ("result", _v(64)),
            ("row_count", _COUNT),
            ("checksum", _v(64)),
            ("elapsed_us", _COUNT),
            ("comment", _TEXT),
        ),
        ("PRIMARY KEY (tenant_id, drill_id, check_id)",),
    ),
    "restorable_window": (
        (
            ("tenant_id", _ID),
            ("span_id", _ID),
            ("status", _v(16)),
            ("start_scn", _SCN),
            ("end_scn", _SCN),
            ("backup_set_ids", _TEXT),
            ("restore_from", _TEXT),
            ("cause", _TEXT),
            ("remedy", _TEXT),
        ),
        ("PRIMARY KEY (tenant_id, span_id)",),
    ),
    "restore_job": (
        (
            ("tenant_id", _ID),
            ("job_id", _ID),
            ("restore_tenant_name", _exact(128)),
            ("restore_tenant_id", _ID),
            ("backup_tenant_name", _v(128)),
            ("backup_tenant_id", _ID),
            ("backup_cluster_name", _v(128)),
            ("backup_dest", _TEXT),
            ("restore_option", _v(4096)),
            ("restore_scn", _SCN),
            ("status", _v(64)),
            ("start_timestamp", _TIME),
            ("finish_timestamp", _TIME),
            ("backup_set_list", _TEXT),
            ("backup_piece_list", _TEXT),
            ("backup_cluster_version", _COUNT),
            ("consistent_scn", _SCN),
            ("recover_scn", _SCN),
            ("ls_count", _COUNT),
            ("finish_ls_count", _COUNT),
            ("tablet_count", _COUNT),
            ("finish_tablet_count", _COUNT),
            ("total_bytes", _COUNT),
            ("finish_bytes", _COUNT),
            ("description", _v(1024)),
            ("comment", _v(1024)),
            *_OWNED,
        ),
        ("PRIMARY KEY (tenant_id, job_id)",),
    ),
    "quick_tenant": (
        (
            ("tenant_id", _ID),
            ("tenant_name", _exact(128)),
            ("status", _v(64)),
            ("total_bytes", _COUNT),
            ("finish_bytes", _COUNT),
            ("start_timestamp", _TIME),
            ("finish_timestamp", _TIME),
            ("drop_timestamp", _TIME),
            ("backup_dest", _TEXT),
            ("comment", _v(1024)),
        ),
        ("PRIMARY KEY (tenant_id)",),
    ),
    "parameter_definition": (
        (
            ("name", _v(128)),
            ("data_type", _v(128)),
            ("default_value", _v(65536)),
            ("info", _v(4096)),
            ("section", _v(128)),
            ("edit_level", _v(128)),
        ),
        ("PRIMARY KEY (name)",),
    ),
    "parameter": (
        (("tenant_id", _ID), ("name", _v(128)), ("value", _v(65536))),
        ("PRIMARY KEY (tenant_id, name)",),
    ),
    "engine_parameter": (
        (
            ("tenant_id", _ID),
            ("name", _v(128)),
            ("data_type", _v(128)),
            ("value", _v(65536)),
            ("info", _v(4096)),
            ("section", _v(128)),
            ("scope", _v(64)),
            ("source", _v(128)),
            ("edit_level", _v(128)),
            ("default_value", _v(65536)),
            ("isdefault", _COUNT),
        ),
        ("PRIMARY KEY (tenant_id, name)",),
    ),
    "event": (
        (
            ("id", "BIGINT(20) NOT NULL AUTO_INCREMENT"),
            ("timestamp", _TIME),
            ("module", _v(32)),
            ("event", _v(32)),
            *(
                (f"{kind}{number}", _v(256) if kind == "name" else _TEXT)
                for number in range(1, 7)
                for kind in ("name", "value")
            ),
            ("extra_info", _v(512)),
        ),
        ("PRIMARY KEY (id)",),
    ),
}


def install(connections: Connections) -> None:
    """Create what is missing. Repeatable; a crash half way is completed by the next call.

    Raises UnknownVersionError when a newer build has written the catalog: never guess a layout.
    """
    connections.carry_out(
        (
            "CREATE DATABASE IF NOT EXISTS __holdfast DEFAULT CHARACTER SET utf8mb4",
            _create("installed", ("name VARCHAR(64) NOT NULL", "value VARCHAR(128) NOT NULL"), ("PRIMARY KEY (name)",)),
        )
    )
    found = installed(connections, "schema_version")
    if found is not None and int(found) > SCHEMA_VERSION:
        raise UnknownVersionError(
            f"the catalog has schema version {found}, this build knows {SCHEMA_VERSION}",
            hint="run the newer build that wrote it",
        )
    statements = [_ddl(name) for name in TABLES]
    digest = hashlib.blake2b("\0".join(statements).encode(), digest_size=16).hexdigest()
    if found == str(SCHEMA_VERSION) and installed(connections, "tables") == digest:
        return
    connections.carry_out(statements)
    connections.carry_out(_missing_columns(connections))
    connections.carry_out(("INSERT IGNORE INTO __holdfast.server VALUES (1, 'zone1', '127.0.0.1', 2881)",))
    record_installed(connections, "schema_version", str(SCHEMA_VERSION))
    # Last: its presence says that every table of this build is there. New tables and columns alone are no new schema version.
    record_installed(connections, "tables", digest)


def _missing_columns(connections: Connections) -> list[str]:
    """Return what gives the tables of an older build the columns that came since, each with its default."""
    with connections.transaction() as transaction:
        rows = transaction.query(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '__holdfast'", ()
        )
    found = {(str(table), str(column)) for table, column in rows}
    return [
        f"ALTER TABLE __holdfast.`{table}` ADD COLUMN `{column}` {kind}"
        for table, (columns, _) in TABLES.items()
        for column, kind in columns
        if (table, column) not in found
    ]


def installed(connections: Connections, name: str) -> str | None:
    """Return what was recorded of this name, or None."""
    with connections.transaction() as transaction:
        row = transaction.one("SELECT value FROM __holdfast.installed WHERE name = %s", (name,))
    return None if row is None else str(row[0])


def record_installed(connections: Connections, name: str, value: str | None) -> None:
    """Record that something is installed and in which form; None forgets it."""
    with connections.transaction() as transaction:
        if value is None:
            transaction.execute("DELETE FROM __holdfast.installed WHERE name = %s", (name,))
        else:
            transaction.execute("REPLACE INTO __holdfast.installed (name, value) VALUES (%s, %s)", (name, value))


def _ddl(name: str) -> str:
    columns, keys = TABLES[name]
    return _create(name, [f"`{column}` {kind}" for column, kind in columns], keys)


def _create(name: str, columns: Sequence[str], keys: Sequence[str]) -> str:
    lines = ",\n  ".join([*columns, *keys])
    return f"CREATE TABLE IF NOT EXISTS __holdfast.`{name}` (\n  {lines}\n) DEFAULT CHARSET utf8mb4"
