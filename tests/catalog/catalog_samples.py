"""Values of the catalog's records with every field filled, for tests to vary."""

from holdfast.catalog.backups import BackupJob, BackupSet, BackupTask
from holdfast.catalog.restores import RestoreJob
from holdfast.values.archive import FileStatus, Piece, PieceStatus, Round, RoundStatus
from holdfast.values.backup_set import BackupType, JobLevel
from holdfast.values.restore import RestoreStatus
from holdfast.values.scn import Scn
from holdfast.values.tenant import CompatibilityMode, LogMode, Tenant, TenantRole, TenantStatus, Unit

NOW_NS = 1_795_425_198_080_272_999
UNIT = Unit(max_cpu=1.5, memory_size_bytes=1 << 30, log_disk_size_bytes=2 << 30)
START_US = 1_795_425_198_123_456
START_SCN = Scn(START_US * 1000 + 789)
DAY_US = 86_400_000_000


def job(tenant_id: int, job_id: int) -> BackupJob:
    return BackupJob(
        tenant_id=tenant_id,
        job_id=job_id,
        backup_set_id=1,
        initiator_tenant_id=tenant_id,
        initiator_job_id=0,
        executor_tenant_ids=(tenant_id,),
        plus_archivelog=True,
        backup_type=BackupType.FULL,
        job_level=JobLevel.USER_TENANT,
        start_timestamp_us=START_US,
        description="größer als 💾",
        path="file:///backup/data",
        dest_id=1001,
    )


def task(tenant_id: int, job_id: int, task_id: int) -> BackupTask:
    return BackupTask(
        tenant_id=tenant_id,
        task_id=task_id,
        job_id=job_id,
        backup_set_id=1,
        start_timestamp_us=START_US,
        start_scn=START_SCN,
        macro_block_count=300,
        finish_macro_block_count=100,
        log_file_count=2,
        finish_log_file_count=3,
        path="file:///backup/data",
    )


def backup_set(tenant_id: int, backup_set_id: int) -> BackupSet:
    return BackupSet(
        tenant_id=tenant_id,
        backup_set_id=backup_set_id,
        dest_id=1001,
        backup_type=BackupType.FULL,
        prev_full_backup_set_id=0,
        prev_inc_backup_set_id=0,
        start_timestamp_us=START_US,
        start_replay_scn=START_SCN,
        path="file:///backup/data",
        tenant_compatible="1.4.0.0",
    )


def archive_round(tenant_id: int, round_id: int, status: RoundStatus = RoundStatus.DOING) -> Round:
    return Round(
        tenant_id=tenant_id,
        dest_id=1001,
        round_id=round_id,
        status=status,
        start_scn=START_SCN,
        checkpoint_scn=Scn(START_SCN + 5_000_000_000),
        base_piece_id=1,
        used_piece_id=1,
        piece_switch_interval_us=DAY_US,
        input_bytes=3 << 30,
        output_bytes=1 << 30,
        comment="",
        path="file:///backup/archive",
    )


def piece(tenant_id: int, round_id: int, piece_id: int) -> Piece:
    start = START_SCN + (piece_id - 1) * DAY_US * 1000
    return Piece(
        tenant_id=tenant_id,
        dest_id=1001,
        round_id=round_id,
        piece_id=piece_id,
        status=PieceStatus.ACTIVE,
        start_scn=Scn(start),
        end_scn=Scn(start + DAY_US * 1000),
        checkpoint_scn=Scn(start),
        max_scn=Scn(start),
        input_bytes=0,
        output_bytes=0,
        file_status=FileStatus.INCOMPLETE,
        path="file:///backup/archive",
    )


def restore(tenant_id: int, job_id: int, name: str, restore_tenant_id: int) -> RestoreJob:
    return RestoreJob(
        tenant_id=tenant_id,
        job_id=job_id,
        restore_tenant_name=name,
        restore_tenant_id=restore_tenant_id,
        backup_tenant_name="source",
        backup_tenant_id=1002,
        backup_cluster_name="holdfast",
        backup_dest="file:///backup/data,file:///backup/archive",
        restore_option="pool_list=p",
        restore_scn=Scn(START_SCN + 1000),
        status=RestoreStatus.RESTORE_PRE,
        start_timestamp_us=START_US,
        consistent_scn=START_SCN,
        total_bytes=3000,
        finish_bytes=1000,
        description="drill",
    )


def tenant_value(tenant_id: int, name: str) -> Tenant:
    return Tenant(
        tenant_id=tenant_id,
        name=name,
        role=TenantRole.PRIMARY,
        status=TenantStatus.NORMAL,
        log_mode=LogMode.NOARCHIVELOG,
        mode=CompatibilityMode.MYSQL,
        unit=UNIT,
        create_time_us=NOW_NS // 1000,
        modify_time_us=NOW_NS // 1000,
        data_version="1.4.0.0",
    )
