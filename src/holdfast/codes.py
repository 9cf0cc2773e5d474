"""OceanBase's error codes as this surface uses them: one table, used for clients and for RESULT columns alike.

Source: the engine's published error list, by way of the project's errors specification. `number` is negative, as
RESULT columns show it; `client` is what a MySQL client sees.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One error code. `pattern` is the detailed text with %s places, or empty when there is none."""

    symbol: str
    number: int
    client: int
    sqlstate: str
    default: str
    pattern: str = ""

    def text(self, *details: object) -> str:
        """Return the message: the pattern filled with `details`, or the default text when there are none."""
        return self.pattern % details if details and self.pattern else self.default


OB_INVALID_ARGUMENT = Code("OB_INVALID_ARGUMENT", -4002, 1210, "HY000", "Invalid argument", "Incorrect arguments to %s")
OB_NOT_SUPPORTED = Code(
    "OB_NOT_SUPPORTED",
    -4007,
    1235,
    "0A000",
    "Not supported feature or function",
    "%s not supported",
)
OB_IO_ERROR = Code("OB_IO_ERROR", -4009, 4009, "58030", "IO error")
OB_TIMEOUT = Code("OB_TIMEOUT", -4012, 4012, "HY000", "Timeout")
OB_ALLOCATE_MEMORY_FAILED = Code(
    "OB_ALLOCATE_MEMORY_FAILED",
    -4013,
    4013,
    "HY001",
    "No memory or reach tenant memory limit",
)
OB_ERR_UNEXPECTED = Code("OB_ERR_UNEXPECTED", -4016, 4016, "HY000", "Internal error", "%s")
OB_ENTRY_EXIST = Code("OB_ENTRY_EXIST", -4017, 4017, "HY000", "Entry already exist", "%s")
OB_ENTRY_NOT_EXIST = Code("OB_ENTRY_NOT_EXIST", -4018, 4018, "HY000", "Entry not exist", "%s")
OB_SIZE_OVERFLOW = Code("OB_SIZE_OVERFLOW", -4019, 4019, "HY000", "Size overflow")
OB_EAGAIN = Code("OB_EAGAIN", -4023, 4023, "HY000", "Try again")
OB_FILE_NOT_EXIST = Code("OB_FILE_NOT_EXIST", -4027, 1017, "HY000", "File not exist")
OB_NOT_MASTER = Code("OB_NOT_MASTER", -4038, 4038, "HY000", "The observer or zone is not the master")
OB_INVALID_DATA = Code("OB_INVALID_DATA", -4070, 4070, "HY000", "Invalid data")
OB_CANCELED = Code("OB_CANCELED", -4072, 4072, "HY000", "Operation canceled")
OB_CHECKSUM_ERROR = Code("OB_CHECKSUM_ERROR", -4103, 4103, "42000", "Data checksum error")
OB_STATE_NOT_MATCH = Code("OB_STATE_NOT_MATCH", -4109, 4109, "HY000", "Server state or role not the same as expected")
OB_VERSION_NOT_MATCH = Code("OB_VERSION_NOT_MATCH", -4143, 4143, "42000", "Version not match")
OB_INVALID_CONFIG = Code("OB_INVALID_CONFIG", -4147, 4147, "HY000", "Invalid config", "%s")
OB_OP_NOT_ALLOW = Code("OB_OP_NOT_ALLOW", -4179, 4179, "HY000", "Operation not allowed now", "%s not allowed")
OB_SERVER_OUTOF_DISK_SPACE = Code("OB_SERVER_OUTOF_DISK_SPACE", -4184, 4184, "53100", "Server out of disk space")
OB_MISS_ARGUMENT = Code("OB_MISS_ARGUMENT", -4277, 1210, "HY000", "Miss argument", "Miss argument for %s")
OB_TABLESPACE_NOT_EXIST = Code(
    "OB_TABLESPACE_NOT_EXIST",
    -4354,
    3510,
    "HY000",
    "Tablespace does not exist",
    "Tablespace '%s' does not exist",
)
OB_STANDBY_READ_ONLY = Code("OB_STANDBY_READ_ONLY", -4688, 4688, "HY000", "standby tenant is read only")
OB_CLUSTER_VERSION_NOT_COMPATIBLE = Code(
    "OB_CLUSTER_VERSION_NOT_COMPATIBLE",
    -4696,
    4696,
    "HY000",
    "cluster version not compatible",
)
OB_LS_NOT_EXIST = Code("OB_LS_NOT_EXIST", -4719, 4719, "HY000", "log stream does not exist")
OB_ERR_PARSE_SQL = Code("OB_ERR_PARSE_SQL", -5001, 1064, "42000", "Parse error", "%s near '%s' at line %s")
OB_ERR_PARSER_SYNTAX = Code(
    "OB_ERR_PARSER_SYNTAX",
    -5006,
    1149,
    "42000",
    "You have an error in your SQL syntax; check the manual that corresponds to your OceanBase version for the right syntax to use",
)
OB_TABLE_NOT_EXIST = Code(
    "OB_TABLE_NOT_EXIST",
    -5019,
    1146,
    "42S02",
    "Table doesn't exist",
    "Table '%s.%s' doesn't exist",
)
OB_ERR_TABLE_EXIST = Code(
    "OB_ERR_TABLE_EXIST",
    -5020,
    1050,
    "42S01",
    "Table already exists",
    "Table '%s' already exists",
)
OB_ERR_NO_PRIVILEGE = Code(
    "OB_ERR_NO_PRIVILEGE",
    -5036,
    1227,
    "42501",
    "Access denied",
    "Access denied; you need (at least one of) the %s privilege(s) for this operation",
)
OB_ERR_SYS_CONFIG_UNKNOWN = Code("OB_ERR_SYS_CONFIG_UNKNOWN", -5099, 5099, "42000", "System config unknown")
OB_TENANT_NOT_IN_SERVER = Code("OB_TENANT_NOT_IN_SERVER", -5150, 5150, "HY000", "Tenant not in this server")
OB_TABLEGROUP_NOT_EXIST = Code("OB_TABLEGROUP_NOT_EXIST", -5151, 5151, "42P01", "tablegroup not exist")
OB_ERR_BAD_DATABASE = Code("OB_ERR_BAD_DATABASE", -5154, 1049, "42000", "Unknown database", "Unknown database '%s'")
OB_TENANT_EXIST = Code("OB_TENANT_EXIST", -5156, 5156, "HY000", "tenant already exist", "tenant '%s' already exist")
OB_TENANT_NOT_EXIST = Code("OB_TENANT_NOT_EXIST", -5157, 5157, "HY000", "Unknown tenant", "Unknown tenant '%s'")
OB_ERR_INVALID_TENANT_NAME = Code(
    "OB_ERR_INVALID_TENANT_NAME",
    -5160,
    5160,
    "HY000",
    "invalid tenant name specified in connection string",
)
OB_ERR_WRONG_VALUE = Code("OB_ERR_WRONG_VALUE", -5241, 1525, "HY000", "Incorrect value", "Incorrect %s value: '%s'")
OB_TENANT_HAS_BEEN_DROPPED = Code(
    "OB_TENANT_HAS_BEEN_DROPPED",
    -5685,
    5685,
    "HY000",
    "tenant has been dropped",
    "Tenant '%s' has been dropped",
)
OB_MACHINE_RESOURCE_NOT_ENOUGH = Code(
    "OB_MACHINE_RESOURCE_NOT_ENOUGH",
    -4624,
    4624,
    "HY000",
    "zone '%s' server '%s' %s resource is not enough to hold a new unit",
    "zone '%s' server '%s' %s resource is not enough to hold a new unit",
)
OB_RESOURCE_POOL_ALREADY_GRANTED = Code(
    "OB_RESOURCE_POOL_ALREADY_GRANTED",
    -4626,
    4626,
    "HY000",
    "resource pool '%s' has already been granted to a tenant",
    "resource pool '%s' has already been granted to a tenant",
)
OB_RESOURCE_UNIT_IS_REFERENCED = Code(
    "OB_RESOURCE_UNIT_IS_REFERENCED",
    -4634,
    4634,
    "HY000",
    "resource unit '%s' is referenced by some resource pool",
    "resource unit '%s' is referenced by some resource pool",
)
OB_RESOURCE_UNIT_NOT_EXIST = Code(
    "OB_RESOURCE_UNIT_NOT_EXIST",
    -4648,
    4648,
    "HY000",
    "resource unit '%s' not exist",
    "resource unit '%s' not exist",
)
OB_RESOURCE_UNIT_EXIST = Code(
    "OB_RESOURCE_UNIT_EXIST",
    -4649,
    4649,
    "HY000",
    "resource unit '%s' already exist",
    "resource unit '%s' already exist",
)
OB_RESOURCE_POOL_NOT_EXIST = Code(
    "OB_RESOURCE_POOL_NOT_EXIST",
    -4650,
    4650,
    "HY000",
    "resource pool '%s' not exist",
    "resource pool '%s' not exist",
)
OB_RESOURCE_POOL_EXIST = Code(
    "OB_RESOURCE_POOL_EXIST",
    -4651,
    4651,
    "HY000",
    "resource pool '%s' exist",
    "resource pool '%s' exist",
)
OB_RESOURCE_UNIT_VALUE_BELOW_LIMIT = Code(
    "OB_RESOURCE_UNIT_VALUE_BELOW_LIMIT",
    -4659,
    4659,
    "HY000",
    "invalid %s value, min value is %s",
    "invalid %s value, min value is %s",
)
OB_RESOURCE_UNIT_VALUE_INVALID = Code(
    "OB_RESOURCE_UNIT_VALUE_INVALID",
    -4736,
    4736,
    "HY000",
    "resource unit value is invalid",
)
OB_URI_ERROR = Code("OB_URI_ERROR", -9001, 9001, "HY000", "URI error")
OB_FILE_LENGTH_INVALID = Code("OB_FILE_LENGTH_INVALID", -9007, 9007, "HY000", "Invalid OSS file length")
OB_BACKUP_FILE_NOT_EXIST = Code("OB_BACKUP_FILE_NOT_EXIST", -9011, 9011, "HY000", "cannot find backup file")
OB_INVALID_BACKUP_DEST = Code(
    "OB_INVALID_BACKUP_DEST",
    -9026,
    9026,
    "HY000",
    "backup destination is not valid",
    "%s is not a valid uri",
)
OB_BACKUP_MOUNT_FILE_NOT_VALID = Code(
    "OB_BACKUP_MOUNT_FILE_NOT_VALID",
    -9051,
    9051,
    "HY000",
    "backup mount file is not valid",
)
OB_BACKUP_IO_PROHIBITED = Code("OB_BACKUP_IO_PROHIBITED", -9063, 9063, "HY000", "backup io is prohibited")
OB_BACKUP_CONFLICT_VALUE = Code(
    "OB_BACKUP_CONFLICT_VALUE",
    -9066,
    9066,
    "HY000",
    "Conflict value",
    "%s is conflict with %s",
)
OB_BACKUP_DEST_NOT_CONNECT = Code(
    "OB_BACKUP_DEST_NOT_CONNECT",
    -9070,
    9070,
    "HY000",
    "can not connect to backup destination",
)
OB_BACKUP_PERMISSION_DENIED = Code(
    "OB_BACKUP_PERMISSION_DENIED",
    -9071,
    9071,
    "HY000",
    "no I/O operation permission at the backup destination",
)
OB_BACKUP_FORMAT_FILE_NOT_EXIST = Code(
    "OB_BACKUP_FORMAT_FILE_NOT_EXIST",
    -9080,
    9080,
    "HY000",
    "format file does not exist",
    "format file does not exist%s",
)
OB_BACKUP_FORMAT_FILE_NOT_MATCH = Code(
    "OB_BACKUP_FORMAT_FILE_NOT_MATCH",
    -9081,
    9081,
    "HY000",
    "format file does not match",
    "format file does not match%s",
)
OB_BACKUP_DEVICE_OUT_OF_SPACE = Code(
    "OB_BACKUP_DEVICE_OUT_OF_SPACE",
    -9082,
    9082,
    "HY000",
    "backup device out of space",
)
OB_BACKUP_PWRITE_OFFSET_NOT_MATCH = Code(
    "OB_BACKUP_PWRITE_OFFSET_NOT_MATCH",
    -9083,
    9083,
    "HY000",
    "the pwrite offset of the object storage is inconsistent",
)
OB_BACKUP_PWRITE_CONTENT_NOT_MATCH = Code(
    "OB_BACKUP_PWRITE_CONTENT_NOT_MATCH",
    -9084,
    9084,
    "HY000",
    "the contents of pwrite are inconsistent",
)
OB_NO_SUCH_FILE_OR_DIRECTORY = Code("OB_NO_SUCH_FILE_OR_DIRECTORY", -9100, 9100, "HY000", "no such file or directory")
OB_FILE_OR_DIRECTORY_EXIST = Code("OB_FILE_OR_DIRECTORY_EXIST", -9101, 9101, "HY000", "file or directory already exist")
OB_FILE_OR_DIRECTORY_PERMISSION_DENIED = Code(
    "OB_FILE_OR_DIRECTORY_PERMISSION_DENIED",
    -9102,
    9102,
    "HY000",
    "file or directory permission denied",
)
OB_TOO_MANY_OPEN_FILES = Code("OB_TOO_MANY_OPEN_FILES", -9103, 9103, "HY000", "too many open files")
OB_S3_ERROR = Code("OB_S3_ERROR", -9105, 9105, "HY000", "S3 error")
OB_CHECKSUM_TYPE_NOT_SUPPORTED = Code(
    "OB_CHECKSUM_TYPE_NOT_SUPPORTED",
    -9113,
    9113,
    "HY000",
    "checksum type %s is not supported for the input destination",
    "checksum type %s is not supported for the input destination",
)
OB_INVALID_STORAGE_DEST = Code("OB_INVALID_STORAGE_DEST", -9114, 9114, "HY000", "storage destination is not valid")
OB_STORAGE_DEST_NOT_CONNECT = Code(
    "OB_STORAGE_DEST_NOT_CONNECT",
    -9115,
    9115,
    "HY000",
    "can not connect to storage destination",
)
OB_OBJECT_STORAGE_PERMISSION_DENIED = Code(
    "OB_OBJECT_STORAGE_PERMISSION_DENIED",
    -9116,
    9116,
    "HY000",
    "no I/O operation permission of the object storage",
)
OB_S3_REGION_MISMATCH = Code(
    "OB_S3_REGION_MISMATCH",
    -9117,
    9117,
    "HY000",
    "the specified s3_region does not match the endpoint",
)
OB_INVALID_OBJECT_STORAGE_ENDPOINT = Code(
    "OB_INVALID_OBJECT_STORAGE_ENDPOINT",
    -9118,
    9118,
    "HY000",
    "object storage endpoint is invalid",
)
OB_OBJECT_NOT_EXIST = Code("OB_OBJECT_NOT_EXIST", -9120, 9120, "HY000", "cannot find object on object storage")
OB_FILE_DELETE_FAILED = Code("OB_FILE_DELETE_FAILED", -9128, 9128, "HY000", "fail to delete file")
OB_OBJECT_STORAGE_IO_ERROR = Code("OB_OBJECT_STORAGE_IO_ERROR", -9129, 9129, "HY000", "object storage io error")
OB_OBJECT_STORAGE_PWRITE_OFFSET_NOT_MATCH = Code(
    "OB_OBJECT_STORAGE_PWRITE_OFFSET_NOT_MATCH",
    -9130,
    9130,
    "HY000",
    "the pwrite offset of the object storage is inconsistent",
)
OB_OBJECT_STORAGE_PWRITE_CONTENT_NOT_MATCH = Code(
    "OB_OBJECT_STORAGE_PWRITE_CONTENT_NOT_MATCH",
    -9131,
    9131,
    "HY000",
    "the contents of pwrite are inconsistent",
)
OB_OBJECT_STORAGE_CHECKSUM_ERROR = Code(
    "OB_OBJECT_STORAGE_CHECKSUM_ERROR",
    -9132,
    9132,
    "HY000",
    "object storage data checksum error",
)
OB_BACKUP_ZONE_IDC_REGION_INVALID = Code(
    "OB_BACKUP_ZONE_IDC_REGION_INVALID",
    -9133,
    9133,
    "HY000",
    "backup zone or backup idc or backup region invalid",
)
OB_INVALID_KMS_DEST = Code(
    "OB_INVALID_KMS_DEST",
    -9139,
    9139,
    "HY000",
    "kms destination is not valid",
    "%s is not a valid uri",
)
OB_OBJECT_STORAGE_OBJECT_LOCKED_BY_WORM = Code(
    "OB_OBJECT_STORAGE_OBJECT_LOCKED_BY_WORM",
    -9140,
    9140,
    "HY000",
    "the object is locked by worm",
)
OB_OBJECT_STORAGE_OVERWRITE_CONTENT_MISMATCH = Code(
    "OB_OBJECT_STORAGE_OVERWRITE_CONTENT_MISMATCH",
    -9142,
    9142,
    "HY000",
    "the object can not be overwritten with different content",
)
OB_CANNOT_START_LOG_ARCHIVE_BACKUP = Code(
    "OB_CANNOT_START_LOG_ARCHIVE_BACKUP",
    -9023,
    9023,
    "HY000",
    "cannot start log archive backup",
)
OB_ALREADY_NO_LOG_ARCHIVE_BACKUP = Code(
    "OB_ALREADY_NO_LOG_ARCHIVE_BACKUP",
    -9024,
    9024,
    "HY000",
    "log archive backup is already disabled",
)
OB_LOG_ARCHIVE_BACKUP_INFO_NOT_EXIST = Code(
    "OB_LOG_ARCHIVE_BACKUP_INFO_NOT_EXIST",
    -9025,
    9025,
    "HY000",
    "log archive backup info not exists",
)
OB_LOG_ARCHIVE_INTERRUPTED = Code("OB_LOG_ARCHIVE_INTERRUPTED", -9027, 9027, "HY000", "ob log archive interrupted")
OB_LOG_ARCHIVE_STAT_NOT_MATCH = Code(
    "OB_LOG_ARCHIVE_STAT_NOT_MATCH",
    -9028,
    9028,
    "HY000",
    "ob log archive stat not match",
)
OB_LOG_ARCHIVE_NOT_RUNNING = Code("OB_LOG_ARCHIVE_NOT_RUNNING", -9029, 9029, "HY000", "log archive is not running")
OB_LOG_ARCHIVE_INVALID_ROUND = Code("OB_LOG_ARCHIVE_INVALID_ROUND", -9030, 9030, "HY000", "log archive invalid round")
OB_LOG_ARCHIVE_ALREADY_STOPPED = Code(
    "OB_LOG_ARCHIVE_ALREADY_STOPPED",
    -9034,
    9034,
    "HY000",
    "log archive already stopped",
)
OB_INVALID_LOG_ARCHIVE_STATUS = Code(
    "OB_INVALID_LOG_ARCHIVE_STATUS",
    -9037,
    9037,
    "HY000",
    "log archive status is not valid",
)
OB_LOG_ARCHIVE_LEADER_CHANGED = Code(
    "OB_LOG_ARCHIVE_LEADER_CHANGED",
    -9039,
    9039,
    "HY000",
    "pg log archive leader changed",
)
OB_ARCHIVE_LOG_NOT_CONTINUES_WITH_DATA = Code(
    "OB_ARCHIVE_LOG_NOT_CONTINUES_WITH_DATA",
    -9064,
    9064,
    "HY000",
    "the archive log and backup data are not continuous",
)
OB_ARCHIVE_ROUND_NOT_CONTINUOUS = Code(
    "OB_ARCHIVE_ROUND_NOT_CONTINUOUS",
    -9077,
    9077,
    "HY000",
    "log discontinuous between two archive rounds",
)
OB_ARCHIVE_LOG_TO_END = Code("OB_ARCHIVE_LOG_TO_END", -9078, 9078, "HY000", "archive log is to end")
OB_ARCHIVE_LOG_RECYCLED = Code("OB_ARCHIVE_LOG_RECYCLED", -9079, 9079, "HY000", "archive log had been recycled")
OB_CLOG_RECYCLE_BEFORE_ARCHIVE = Code(
    "OB_CLOG_RECYCLE_BEFORE_ARCHIVE",
    -9087,
    9087,
    "HY000",
    "observer clog is recycled before archive",
)
OB_ALREADY_IN_ARCHIVE_MODE = Code("OB_ALREADY_IN_ARCHIVE_MODE", -9091, 9091, "HY000", "Already in ARCHIVELOG mode")
OB_ALREADY_IN_NOARCHIVE_MODE = Code(
    "OB_ALREADY_IN_NOARCHIVE_MODE",
    -9092,
    9092,
    "HY000",
    "Already in NOARCHIVELOG mode",
)
OB_STOP_DROP_SCHEMA = Code("OB_STOP_DROP_SCHEMA", -9022, 9022, "HY000", "physical backup switch is on")
OB_REPLICA_CANNOT_BACKUP = Code("OB_REPLICA_CANNOT_BACKUP", -9031, 9031, "HY000", "Cannot backup ob replica")
OB_BACKUP_INFO_NOT_EXIST = Code("OB_BACKUP_INFO_NOT_EXIST", -9032, 9032, "HY000", "backup info not exists")
OB_BACKUP_INFO_NOT_MATCH = Code(
    "OB_BACKUP_INFO_NOT_MATCH",
    -9033,
    9033,
    "HY000",
    "Backup meta info stored in system dictionary does not match with current system status",
)
OB_BACKUP_IN_PROGRESS = Code("OB_BACKUP_IN_PROGRESS", -9036, 9036, "HY000", "Backup is in progress")
OB_BACKUP_CAN_NOT_START = Code(
    "OB_BACKUP_CAN_NOT_START",
    -9040,
    9040,
    "HY000",
    "backup can not start",
    "backup can not start, because %s",
)
OB_CANCEL_BACKUP_NOT_ALLOWED = Code("OB_CANCEL_BACKUP_NOT_ALLOWED", -9041, 9041, "HY000", "cancel backup do not allow")
OB_BACKUP_DATA_VERSION_GAP_OVER_LIMIT = Code(
    "OB_BACKUP_DATA_VERSION_GAP_OVER_LIMIT",
    -9042,
    9042,
    "HY000",
    "backup data version gap over limit",
)
OB_INVALID_BACKUP_SET_ID = Code("OB_INVALID_BACKUP_SET_ID", -9046, 9046, "HY000", "backup set id is not valid")
OB_BACKUP_INVALID_PASSWORD = Code("OB_BACKUP_INVALID_PASSWORD", -9047, 9047, "HY000", "invalid password for backup")
OB_ISOLATED_BACKUP_SET = Code(
    "OB_ISOLATED_BACKUP_SET",
    -9048,
    9048,
    "HY000",
    "backup set is isolated by two log archive round",
)
OB_CANNOT_CANCEL_STOPPED_BACKUP = Code(
    "OB_CANNOT_CANCEL_STOPPED_BACKUP",
    -9049,
    9049,
    "HY000",
    "backup status is stopped, can not cancel",
)
OB_BACKUP_BACKUP_CAN_NOT_START = Code(
    "OB_BACKUP_BACKUP_CAN_NOT_START",
    -9050,
    9050,
    "HY000",
    "no backup data to be backuped up",
)
OB_CANNOT_SET_BACKUP_REGION = Code(
    "OB_CANNOT_SET_BACKUP_REGION",
    -9057,
    9057,
    "HY000",
    "can not set backup region, because %s",
    "can not set backup region, because %s",
)
OB_CANNOT_SET_BACKUP_ZONE = Code(
    "OB_CANNOT_SET_BACKUP_ZONE",
    -9058,
    9058,
    "HY000",
    "can not set backup zone, because %s",
    "can not set backup zone, because %s",
)
OB_BACKUP_BACKUP_REACH_MAX_BACKUP_TIMES = Code(
    "OB_BACKUP_BACKUP_REACH_MAX_BACKUP_TIMES",
    -9059,
    9059,
    "HY000",
    "backup backup has reached max backup times",
)
OB_BACKUP_BACKUP_REACH_COPY_LIMIT = Code(
    "OB_BACKUP_BACKUP_REACH_COPY_LIMIT",
    -9062,
    9062,
    "HY000",
    "reach backup backup copy limit",
)
OB_BACKUP_META_INDEX_NOT_EXIST = Code(
    "OB_BACKUP_META_INDEX_NOT_EXIST",
    -9076,
    9076,
    "HY000",
    "backup meta index does not exist",
)
OB_BACKUP_MAJOR_NOT_COVER_MINOR = Code(
    "OB_BACKUP_MAJOR_NOT_COVER_MINOR",
    -9085,
    9085,
    "HY000",
    "backup major sstable range not cover minor sstable",
)
OB_BACKUP_ADVANCE_CHECKPOINT_TIMEOUT = Code(
    "OB_BACKUP_ADVANCE_CHECKPOINT_TIMEOUT",
    -9086,
    9086,
    "HY000",
    "backup advance checkpoint by flush timeout",
)
OB_NO_TABLET_NEED_BACKUP = Code("OB_NO_TABLET_NEED_BACKUP", -9095, 9095, "HY000", "No tablet need backup")
OB_BACKUP_MISSING_MVIEW_DEP_TABLET_SSTABLE = Code(
    "OB_BACKUP_MISSING_MVIEW_DEP_TABLET_SSTABLE",
    -9136,
    9136,
    "HY000",
    "Backup missing mview dependent tablet sstable, sstable maybe recycled",
)
OB_NO_LS_REPLICA_CAN_DO_BACKUP = Code(
    "OB_NO_LS_REPLICA_CAN_DO_BACKUP",
    -9138,
    9138,
    "HY000",
    "No suitable replica found to perform backup",
)
OB_BACKUP_DELETE_DATA_IN_PROGRESS = Code(
    "OB_BACKUP_DELETE_DATA_IN_PROGRESS",
    -9044,
    9044,
    "HY000",
    "delete backup data is in progress",
)
OB_BACKUP_DELETE_BACKUP_SET_NOT_ALLOWED = Code(
    "OB_BACKUP_DELETE_BACKUP_SET_NOT_ALLOWED",
    -9045,
    9045,
    "HY000",
    "delete backup set do not allow",
)
OB_BACKUP_CLEAN_INFO_NOT_MATCH = Code(
    "OB_BACKUP_CLEAN_INFO_NOT_MATCH",
    -9052,
    9052,
    "HY000",
    "backup clean info not match",
)
OB_CANCEL_DELETE_BACKUP_NOT_ALLOWED = Code(
    "OB_CANCEL_DELETE_BACKUP_NOT_ALLOWED",
    -9053,
    9053,
    "HY000",
    "cancel delete backup do not allow",
)
OB_BACKUP_CLEAN_INFO_NOT_EXIST = Code(
    "OB_BACKUP_CLEAN_INFO_NOT_EXIST",
    -9054,
    9054,
    "HY000",
    "backup clean info not exists",
)
OB_BACKUP_DELETE_BACKUP_PIECE_NOT_ALLOWED = Code(
    "OB_BACKUP_DELETE_BACKUP_PIECE_NOT_ALLOWED",
    -9069,
    9069,
    "HY000",
    "deleting backup piece is not allowed",
)
OB_BACKUP_VALIDATE_TASK_SKIPPED = Code(
    "OB_BACKUP_VALIDATE_TASK_SKIPPED",
    -9074,
    9074,
    "HY000",
    "backup validation task skipped",
)
OB_OSS_DATA_VERSION_NOT_MATCHED = Code(
    "OB_OSS_DATA_VERSION_NOT_MATCHED",
    -9012,
    9012,
    "HY000",
    "Can not get data version from timestamp",
)
OB_RESTORE_IN_PROGRESS = Code("OB_RESTORE_IN_PROGRESS", -9014, 9014, "HY000", "Another restore is in progress")
OB_CLUSTER_NAME_NOT_EQUAL = Code("OB_CLUSTER_NAME_NOT_EQUAL", -9016, 9016, "HY000", "ob cluster name not equal")
OB_RESTORE_PARTITION_IS_COMPLETE = Code(
    "OB_RESTORE_PARTITION_IS_COMPLETE",
    -9019,
    9019,
    "HY000",
    "restore partition is complete",
)
OB_RESTORE_PARTITION_TWICE = Code("OB_RESTORE_PARTITION_TWICE", -9020, 9020, "HY000", "restore partition twice")
OB_RESTORE_INDEX_FAILED = Code("OB_RESTORE_INDEX_FAILED", -9035, 9035, "HY000", "restore index failed")
OB_CANNOT_ADD_REPLICA_DURING_SET_MEMBER_LIST = Code(
    "OB_CANNOT_ADD_REPLICA_DURING_SET_MEMBER_LIST",
    -9038,
    9038,
    "HY000",
    "Cannot add replica during set member list in restore",
)
OB_SOURCE_TENANT_STATE_NOT_MATCH = Code(
    "OB_SOURCE_TENANT_STATE_NOT_MATCH",
    -9088,
    9088,
    "HY000",
    "log restore source tenant state not match, switchover to primary not allowed",
)
OB_SOURCE_LS_STATE_NOT_MATCH = Code(
    "OB_SOURCE_LS_STATE_NOT_MATCH",
    -9089,
    9089,
    "HY000",
    "log restore source LS state not match, switchover to primary is not allowed",
)
OB_RESTORE_LOG_TO_END = Code("OB_RESTORE_LOG_TO_END", -9093, 9093, "HY000", "Restore log to end")
OB_LS_RESTORE_FAILED = Code("OB_LS_RESTORE_FAILED", -9094, 9094, "HY000", "Restore log stream failed")
OB_ERR_RESTORE_STANDBY_VERSION_LAG = Code(
    "OB_ERR_RESTORE_STANDBY_VERSION_LAG",
    -9096,
    9096,
    "HY000",
    "standby binary version is lower than primary data version, standby need upgrade",
)
OB_ERR_RESTORE_PRIMARY_TENANT_DROPPED = Code(
    "OB_ERR_RESTORE_PRIMARY_TENANT_DROPPED",
    -9097,
    9097,
    "HY000",
    "primary tenant has been dropped",
)
OB_RESTORE_TENANT_FAILED = Code(
    "OB_RESTORE_TENANT_FAILED",
    -9099,
    9099,
    "HY000",
    "restore tenant failed",
    "%s restore failed, %s",
)
OB_RESTORE_SOURCE_NOT_ENOUGH = Code(
    "OB_RESTORE_SOURCE_NOT_ENOUGH",
    -9119,
    9119,
    "HY000",
    "do not have enough restore source",
    "%s",
)
OB_DISK_ERROR = Code("OB_DISK_ERROR", -4376, 4376, "HY000", "disk error")
OB_PASSWORD_WRONG = Code(
    "OB_PASSWORD_WRONG", -4043, 1045, "42000", "Access denied", "Access denied for user '%s'@'%s' (using password: %s)"
)
OB_UNKNOWN_COMMAND = Code("OB_UNKNOWN_COMMAND", -4007, 1047, "08S01", "Unknown command")
OB_SERVER_NOT_READY = Code("OB_SERVER_NOT_READY", -4012, 4012, "HY000", "tenant is not ready")
OB_TOO_MANY_CONNECTIONS = Code("OB_TOO_MANY_CONNECTIONS", -4013, 1040, "08004", "Too many connections")

BY_SYMBOL: dict[str, Code] = {value.symbol: value for value in list(globals().values()) if isinstance(value, Code)}
