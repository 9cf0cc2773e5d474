-- The catalog of a server of 7a65872, engine 1.4.0, made by tests/golden/make_catalog.py.
CREATE TABLE `archive_dest` (
  `tenant_id` bigint(20) NOT NULL,
  `dest_no` bigint(20) NOT NULL DEFAULT '0',
  `name` varchar(1024) NOT NULL DEFAULT '',
  `value` varchar(4096) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `dest_no`, `name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `archive_dest` (`tenant_id`, `dest_no`, `name`, `value`) VALUES
(1002, 0, 'binding', 'OPTIONAL'),
(1002, 0, 'dest_id', '1001'),
(1002, 0, 'path', 'file:///backup/archive'),
(1002, 0, 'piece_switch_interval', '1d'),
(1002, 0, 'state', 'ENABLE');

CREATE TABLE `archive_piece` (
  `tenant_id` bigint(20) NOT NULL,
  `dest_id` bigint(20) NOT NULL,
  `round_id` bigint(20) NOT NULL,
  `piece_id` bigint(20) NOT NULL,
  `create_timestamp` bigint(20) NOT NULL DEFAULT '0',
  `status` varchar(64) NOT NULL DEFAULT '',
  `base_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `start_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `end_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `checkpoint_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `max_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `file_status` varchar(64) NOT NULL DEFAULT '',
  `incarnation` bigint(20) NOT NULL DEFAULT '1',
  `dest_no` bigint(20) NOT NULL DEFAULT '0',
  `compatible` bigint(20) NOT NULL DEFAULT '1',
  `unit_size` bigint(20) NOT NULL DEFAULT '1',
  `compression` varchar(128) NOT NULL DEFAULT 'none',
  `input_bytes` bigint(20) NOT NULL DEFAULT '0',
  `output_bytes` bigint(20) NOT NULL DEFAULT '0',
  `path` varchar(2048) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `round_id`, `piece_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `archive_piece` (`tenant_id`, `dest_id`, `round_id`, `piece_id`, `create_timestamp`, `status`, `base_scn`, `start_scn`, `end_scn`, `checkpoint_scn`, `max_scn`, `file_status`, `incarnation`, `dest_no`, `compatible`, `unit_size`, `compression`, `input_bytes`, `output_bytes`, `path`) VALUES
(1002, 1001, 1, 1, 1795966261282668, 'ACTIVE', 1795966261132159247, 1795966261132159247, 1796052661132159247, 1795966296487822002, 1795966296487822002, 'AVAILABLE', 1, 0, 1, 1, 'none', 7582384, 1021959, 'file:///backup/archive');

CREATE TABLE `archive_round` (
  `tenant_id` bigint(20) NOT NULL,
  `dest_id` bigint(20) NOT NULL,
  `round_id` bigint(20) NOT NULL,
  `status` varchar(64) NOT NULL DEFAULT '',
  `start_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `checkpoint_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `base_piece_id` bigint(20) NOT NULL,
  `used_piece_id` bigint(20) NOT NULL,
  `piece_switch_interval` bigint(20) NOT NULL,
  `deleted_input_bytes` bigint(20) NOT NULL DEFAULT '0',
  `deleted_output_bytes` bigint(20) NOT NULL DEFAULT '0',
  `comment` varchar(262144) NOT NULL DEFAULT '',
  `incarnation` bigint(20) NOT NULL DEFAULT '1',
  `dest_no` bigint(20) NOT NULL DEFAULT '0',
  `compatible` bigint(20) NOT NULL DEFAULT '1',
  `unit_size` bigint(20) NOT NULL DEFAULT '1',
  `compression` varchar(128) NOT NULL DEFAULT 'none',
  `input_bytes` bigint(20) NOT NULL DEFAULT '0',
  `output_bytes` bigint(20) NOT NULL DEFAULT '0',
  `path` varchar(2048) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `round_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `archive_round` (`tenant_id`, `dest_id`, `round_id`, `status`, `start_scn`, `checkpoint_scn`, `base_piece_id`, `used_piece_id`, `piece_switch_interval`, `deleted_input_bytes`, `deleted_output_bytes`, `comment`, `incarnation`, `dest_no`, `compatible`, `unit_size`, `compression`, `input_bytes`, `output_bytes`, `path`) VALUES
(1002, 1001, 1, 'DOING', 1795966261132159247, 1795966296487822002, 1, 1, 86400000000, 0, 0, '', 1, 0, 1, 1, 'none', 7582384, 1021959, 'file:///backup/archive');

CREATE TABLE `backup_job` (
  `tenant_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `incarnation` bigint(20) NOT NULL DEFAULT '1',
  `backup_set_id` bigint(20) NOT NULL DEFAULT '0',
  `initiator_tenant_id` bigint(20) NOT NULL,
  `initiator_job_id` bigint(20) NOT NULL,
  `executor_tenant_id` varchar(65536) NOT NULL DEFAULT '',
  `plus_archivelog` varchar(4096) NOT NULL DEFAULT 'OFF',
  `backup_type` varchar(4096) NOT NULL DEFAULT '',
  `job_level` varchar(4096) NOT NULL DEFAULT '',
  `encryption_mode` varchar(4096) NOT NULL DEFAULT '',
  `passwd` varchar(4096) NOT NULL DEFAULT '',
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `end_timestamp` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(4096) NOT NULL DEFAULT '',
  `result` bigint(20) NOT NULL DEFAULT '0',
  `comment` varchar(4096) NOT NULL DEFAULT '',
  `description` varchar(4096) NOT NULL DEFAULT '',
  `path` varchar(4096) NOT NULL DEFAULT '',
  `dest_id` bigint(20) NOT NULL DEFAULT '0',
  `owner_generation` bigint(20) NOT NULL DEFAULT '0',
  `attempt` bigint(20) NOT NULL DEFAULT '1',
  `cancel_requested` varchar(3) NOT NULL DEFAULT 'OFF',
  PRIMARY KEY (`tenant_id`, `job_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `backup_job` (`tenant_id`, `job_id`, `incarnation`, `backup_set_id`, `initiator_tenant_id`, `initiator_job_id`, `executor_tenant_id`, `plus_archivelog`, `backup_type`, `job_level`, `encryption_mode`, `passwd`, `start_timestamp`, `end_timestamp`, `status`, `result`, `comment`, `description`, `path`, `dest_id`, `owner_generation`, `attempt`, `cancel_requested`) VALUES
(1, 1, 1, 0, 1, 1, '1002', 'OFF', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:31:05.459949', '2026-11-29 15:31:08.662319', 'COMPLETED', 0, '', '', '', 0, 1, 1, 'OFF'),
(1, 2, 1, 0, 1, 2, '1002', 'OFF', 'INC', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:31:08.673865', '2026-11-29 15:31:09.435619', 'COMPLETED', 0, '', 'größer als 💾', '', 0, 1, 1, 'OFF'),
(1, 3, 1, 0, 1, 3, '1002', 'ON', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:31:10.822655', '2026-11-29 15:31:11.906708', 'COMPLETED', 0, '', '', '', 0, 1, 1, 'OFF'),
(1002, 1, 1, 1, 1, 1, '1002', 'OFF', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:31:05.461881', '2026-11-29 15:31:08.640677', 'COMPLETED', 0, '', '', 'file:///backup/data', 1002, 1, 1, 'OFF'),
(1002, 2, 1, 2, 1, 2, '1002', 'OFF', 'INC', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:31:08.676809', '2026-11-29 15:31:09.421457', 'COMPLETED', 0, '', 'größer als 💾', 'file:///backup/data', 1002, 1, 1, 'OFF'),
(1002, 3, 1, 3, 1, 3, '1002', 'ON', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:31:10.828659', '2026-11-29 15:31:11.893196', 'COMPLETED', 0, '', '', 'file:///backup/data', 1002, 1, 1, 'OFF');

CREATE TABLE `backup_parameter` (
  `tenant_id` bigint(20) NOT NULL,
  `name` varchar(1024) NOT NULL DEFAULT '',
  `value` longtext DEFAULT NULL,
  `dest_id` bigint(20) NOT NULL,
  PRIMARY KEY (`tenant_id`, `name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `backup_parameter` (`tenant_id`, `name`, `value`, `dest_id`) VALUES
(1002, 'data_backup_dest', 'file:///backup/data', 1002);

CREATE TABLE `backup_set` (
  `tenant_id` bigint(20) NOT NULL,
  `backup_set_id` bigint(20) NOT NULL,
  `dest_id` bigint(20) NOT NULL,
  `incarnation` bigint(20) NOT NULL DEFAULT '1',
  `backup_type` varchar(4) NOT NULL DEFAULT '',
  `prev_full_backup_set_id` bigint(20) NOT NULL DEFAULT '0',
  `prev_inc_backup_set_id` bigint(20) NOT NULL DEFAULT '0',
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `end_timestamp` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(64) NOT NULL DEFAULT '',
  `file_status` varchar(64) NOT NULL DEFAULT '',
  `plus_archivelog` varchar(4096) NOT NULL DEFAULT 'OFF',
  `start_replay_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `min_restore_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `consistent_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `input_bytes` bigint(20) NOT NULL DEFAULT '0',
  `output_bytes` bigint(20) NOT NULL DEFAULT '0',
  `extra_meta_bytes` bigint(20) NOT NULL DEFAULT '0',
  `tablet_count` bigint(20) NOT NULL DEFAULT '0',
  `finish_tablet_count` bigint(20) NOT NULL DEFAULT '0',
  `macro_block_count` bigint(20) NOT NULL DEFAULT '0',
  `finish_macro_block_count` bigint(20) NOT NULL DEFAULT '0',
  `file_count` bigint(20) NOT NULL DEFAULT '0',
  `meta_turn_id` bigint(20) NOT NULL DEFAULT '1',
  `data_turn_id` bigint(20) NOT NULL DEFAULT '1',
  `minor_turn_id` bigint(20) NOT NULL DEFAULT '1',
  `major_turn_id` bigint(20) NOT NULL DEFAULT '1',
  `result` bigint(20) NOT NULL DEFAULT '0',
  `comment` varchar(4096) NOT NULL DEFAULT '',
  `encryption_mode` varchar(64) NOT NULL DEFAULT '',
  `passwd` varchar(128) NOT NULL DEFAULT '',
  `tenant_compatible` varchar(4096) NOT NULL DEFAULT '',
  `backup_compatible` bigint(20) NOT NULL DEFAULT '1',
  `path` varchar(4096) NOT NULL DEFAULT '',
  `cluster_version` varchar(4096) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `backup_set_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `backup_set` (`tenant_id`, `backup_set_id`, `dest_id`, `incarnation`, `backup_type`, `prev_full_backup_set_id`, `prev_inc_backup_set_id`, `start_timestamp`, `end_timestamp`, `status`, `file_status`, `plus_archivelog`, `start_replay_scn`, `min_restore_scn`, `consistent_scn`, `input_bytes`, `output_bytes`, `extra_meta_bytes`, `tablet_count`, `finish_tablet_count`, `macro_block_count`, `finish_macro_block_count`, `file_count`, `meta_turn_id`, `data_turn_id`, `minor_turn_id`, `major_turn_id`, `result`, `comment`, `encryption_mode`, `passwd`, `tenant_compatible`, `backup_compatible`, `path`, `cluster_version`) VALUES
(1002, 1, 1002, 1, 'FULL', 0, 0, '2026-11-29 15:31:05.604696', '2026-11-29 15:31:08.640677', 'SUCCESS', 'AVAILABLE', 'OFF', 1795966246640588001, 1795966266454921000, 1795966266454921000, 40759500, 126666, 26158, 362, 362, 6, 6, 8, 1, 1, 1, 1, 0, '', 'NONE', '', '1.4.0.0', 1, 'file:///backup/data', '1.4.0.0'),
(1002, 2, 1002, 1, 'INC', 1, 1, '2026-11-29 15:31:08.742033', '2026-11-29 15:31:09.421457', 'SUCCESS', 'AVAILABLE', 'OFF', 1795966246640588001, 1795966266454921000, 1795966266454921000, 21463142, 26158, 26158, 362, 362, 6, 6, 7, 1, 1, 1, 1, 0, '', 'NONE', '', '1.4.0.0', 1, 'file:///backup/data', '1.4.0.0'),
(1002, 3, 1002, 1, 'FULL', 0, 0, '2026-11-29 15:31:10.872497', '2026-11-29 15:31:11.893196', 'SUCCESS', 'AVAILABLE', 'ON', 1795966246640588001, 1795966269986513001, 1795966269986513001, 41777983, 1146084, 26158, 362, 362, 6, 6, 10, 1, 1, 1, 1, 0, '', 'NONE', '', '1.4.0.0', 1, 'file:///backup/data', '1.4.0.0');

CREATE TABLE `backup_task` (
  `tenant_id` bigint(20) NOT NULL,
  `task_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `incarnation` bigint(20) NOT NULL DEFAULT '1',
  `backup_set_id` bigint(20) NOT NULL,
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `end_timestamp` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(4096) NOT NULL DEFAULT '',
  `start_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `end_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `user_ls_start_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `encryption_mode` varchar(4096) NOT NULL DEFAULT '',
  `passwd` varchar(4096) NOT NULL DEFAULT '',
  `input_bytes` bigint(20) NOT NULL DEFAULT '0',
  `output_bytes` bigint(20) NOT NULL DEFAULT '0',
  `extra_meta_bytes` bigint(20) NOT NULL DEFAULT '0',
  `tablet_count` bigint(20) NOT NULL DEFAULT '0',
  `finish_tablet_count` bigint(20) NOT NULL DEFAULT '0',
  `macro_block_count` bigint(20) NOT NULL DEFAULT '0',
  `finish_macro_block_count` bigint(20) NOT NULL DEFAULT '0',
  `file_count` bigint(20) NOT NULL DEFAULT '0',
  `meta_turn_id` bigint(20) NOT NULL DEFAULT '1',
  `data_turn_id` bigint(20) NOT NULL DEFAULT '1',
  `minor_turn_id` bigint(20) NOT NULL DEFAULT '1',
  `major_turn_id` bigint(20) NOT NULL DEFAULT '1',
  `log_file_count` bigint(20) NOT NULL DEFAULT '0',
  `finish_log_file_count` bigint(20) NOT NULL DEFAULT '0',
  `result` bigint(20) NOT NULL DEFAULT '0',
  `comment` varchar(4096) NOT NULL DEFAULT '',
  `path` varchar(4096) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `task_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `backup_task` (`tenant_id`, `task_id`, `job_id`, `incarnation`, `backup_set_id`, `start_timestamp`, `end_timestamp`, `status`, `start_scn`, `end_scn`, `user_ls_start_scn`, `encryption_mode`, `passwd`, `input_bytes`, `output_bytes`, `extra_meta_bytes`, `tablet_count`, `finish_tablet_count`, `macro_block_count`, `finish_macro_block_count`, `file_count`, `meta_turn_id`, `data_turn_id`, `minor_turn_id`, `major_turn_id`, `log_file_count`, `finish_log_file_count`, `result`, `comment`, `path`) VALUES
(1002, 1, 1, 1, 1, '2026-11-29 15:31:05.604696', '2026-11-29 15:31:08.640677', 'COMPLETED', 1795966265241602001, 1795966266454921000, 1795966265241602001, 'NONE', '', 40759500, 126666, 26158, 362, 362, 6, 6, 8, 1, 1, 1, 1, 0, 0, 0, '', 'file:///backup/data'),
(1002, 2, 2, 1, 2, '2026-11-29 15:31:08.742033', '2026-11-29 15:31:09.421457', 'COMPLETED', 1795966266454921000, 1795966266454921000, 1795966266454921000, 'NONE', '', 21463142, 26158, 26158, 362, 362, 6, 6, 7, 1, 1, 1, 1, 0, 0, 0, '', 'file:///backup/data'),
(1002, 3, 3, 1, 3, '2026-11-29 15:31:10.872497', '2026-11-29 15:31:11.893196', 'COMPLETED', 1795966269986513001, 1795966269986513001, 1795966269986513001, 'NONE', '', 41777983, 1146084, 26158, 362, 362, 6, 6, 10, 1, 1, 1, 1, 2, 2, 0, '', 'file:///backup/data');

CREATE TABLE `delete_job` (
  `tenant_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `incarnation` bigint(20) NOT NULL DEFAULT '1',
  `initiator_tenant_id` bigint(20) NOT NULL,
  `initiator_job_id` bigint(20) NOT NULL,
  `executor_tenant_id` varchar(65536) NOT NULL DEFAULT '',
  `type` varchar(64) NOT NULL DEFAULT '',
  `parameter` varchar(4096) NOT NULL DEFAULT '',
  `expired_time` timestamp(6) NULL DEFAULT NULL,
  `job_level` varchar(64) NOT NULL DEFAULT '',
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `end_timestamp` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(64) NOT NULL DEFAULT '',
  `task_count` bigint(20) NOT NULL DEFAULT '0',
  `success_task_count` bigint(20) NOT NULL DEFAULT '0',
  `result` bigint(20) NOT NULL DEFAULT '0',
  `comment` varchar(4096) NOT NULL DEFAULT '',
  `description` varchar(4096) NOT NULL DEFAULT '',
  `dest_id` bigint(20) NOT NULL DEFAULT '0',
  `owner_generation` bigint(20) NOT NULL DEFAULT '0',
  `attempt` bigint(20) NOT NULL DEFAULT '1',
  `cancel_requested` varchar(3) NOT NULL DEFAULT 'OFF',
  PRIMARY KEY (`tenant_id`, `job_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `delete_job` (`tenant_id`, `job_id`, `incarnation`, `initiator_tenant_id`, `initiator_job_id`, `executor_tenant_id`, `type`, `parameter`, `expired_time`, `job_level`, `start_timestamp`, `end_timestamp`, `status`, `task_count`, `success_task_count`, `result`, `comment`, `description`, `dest_id`, `owner_generation`, `attempt`, `cancel_requested`) VALUES
(1, 1, 1, 1, 1, '1002', 'DELETE OBSOLETE BACKUP', '', NULL, 'SYS_TENANT', '2026-11-29 15:31:15.108299', '2026-11-29 15:31:15.378190', 'COMPLETED', 1, 1, 0, '', '', 0, 1, 1, 'OFF'),
(1, 2, 1, 1, 2, '1002', 'DELETE BACKUPSET', '3', NULL, 'SYS_TENANT', '2026-11-29 15:31:17.427068', '2026-11-29 15:31:17.512159', 'FAILED', 1, 0, -9045, 'id=3(cannot delete backup set in current path when delete policy is set)', '', 0, 1, 1, 'OFF'),
(1002, 1, 1, 1, 1, '1002', 'DELETE OBSOLETE BACKUP', '', '2026-11-22 15:31:15.108299', 'SYS_TENANT', '2026-11-29 15:31:15.108299', '2026-11-29 15:31:15.302213', 'COMPLETED', 0, 0, 0, '', '', 0, 1, 1, 'OFF'),
(1002, 2, 1, 1, 2, '1002', 'DELETE BACKUPSET', '3', NULL, 'SYS_TENANT', '2026-11-29 15:31:17.427068', '2026-11-29 15:31:17.502557', 'FAILED', 0, 0, -9045, 'id=3(cannot delete backup set in current path when delete policy is set)', '', 0, 1, 1, 'OFF');

CREATE TABLE `delete_policy` (
  `tenant_id` bigint(20) NOT NULL,
  `policy_name` varchar(256) NOT NULL DEFAULT '',
  `recovery_window` varchar(64) NOT NULL DEFAULT '',
  `redundancy` bigint(20) NOT NULL DEFAULT '1',
  `backup_copies` bigint(20) NOT NULL DEFAULT '0',
  `create_time` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`tenant_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `delete_policy` (`tenant_id`, `policy_name`, `recovery_window`, `redundancy`, `backup_copies`, `create_time`) VALUES
(1002, 'default', '7d', 1, 0, '2026-11-29 15:31:03.159582');

CREATE TABLE `delete_task` (
  `tenant_id` bigint(20) NOT NULL,
  `task_id` bigint(20) NOT NULL,
  `incarnation` bigint(20) NOT NULL DEFAULT '1',
  `job_id` bigint(20) NOT NULL,
  `task_type` varchar(64) NOT NULL DEFAULT '',
  `id` bigint(20) NOT NULL,
  `round_id` bigint(20) NOT NULL DEFAULT '0',
  `dest_id` bigint(20) NOT NULL,
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `end_timestamp` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(64) NOT NULL DEFAULT '',
  `total_ls_count` bigint(20) NOT NULL DEFAULT '1',
  `finish_ls_count` bigint(20) NOT NULL DEFAULT '0',
  `total_bytes` bigint(20) NOT NULL DEFAULT '0',
  `delete_bytes` bigint(20) NOT NULL DEFAULT '0',
  `total_files_count` bigint(20) NOT NULL DEFAULT '0',
  `delete_files_count` bigint(20) NOT NULL DEFAULT '0',
  `result` bigint(20) NOT NULL DEFAULT '0',
  `comment` varchar(4096) NOT NULL DEFAULT '',
  `path` varchar(1024) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `task_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

CREATE TABLE `destination` (
  `tenant_id` bigint(20) NOT NULL,
  `dest_id` bigint(20) NOT NULL,
  `dest_type` varchar(64) NOT NULL DEFAULT '',
  `path` varchar(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `endpoint` varchar(256) NOT NULL DEFAULT '',
  `authorization` varchar(1024) NOT NULL DEFAULT '',
  `extension` varchar(512) NOT NULL DEFAULT '',
  `check_file_name` varchar(256) NOT NULL DEFAULT '',
  `last_check_timestamp` timestamp(6) NULL DEFAULT NULL,
  `create_time` timestamp(6) NULL DEFAULT NULL,
  `is_used` tinyint(4) NOT NULL DEFAULT '0',
  PRIMARY KEY (`tenant_id`, `dest_id`),
  UNIQUE KEY `place` (`tenant_id`, `dest_type`, `path`) BLOCK_SIZE 16384 LOCAL
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `destination` (`tenant_id`, `dest_id`, `dest_type`, `path`, `endpoint`, `authorization`, `extension`, `check_file_name`, `last_check_timestamp`, `create_time`, `is_used`) VALUES
(1002, 1001, 'archive_log', 'file:///backup/archive', '', '', '', 'check_file/1002_connect_file_20261129T153101.obbak', '2026-11-29 15:31:01.217214', '2026-11-29 15:30:54.426627', 1),
(1002, 1002, 'backup_data', 'file:///backup/data', '', '', '', 'check_file/1002_connect_file_20261129T153110.obbak', '2026-11-29 15:31:10.862313', '2026-11-29 15:30:56.821140', 1);

CREATE TABLE `destination_deletion` (
  `tenant_id` bigint(20) NOT NULL,
  `dest_id` bigint(20) NOT NULL,
  `status` varchar(64) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `dest_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

CREATE TABLE `engine_parameter` (
  `tenant_id` bigint(20) NOT NULL,
  `name` varchar(128) NOT NULL DEFAULT '',
  `data_type` varchar(128) NOT NULL DEFAULT '',
  `value` varchar(65536) NOT NULL DEFAULT '',
  `info` varchar(4096) NOT NULL DEFAULT '',
  `section` varchar(128) NOT NULL DEFAULT '',
  `scope` varchar(64) NOT NULL DEFAULT '',
  `source` varchar(128) NOT NULL DEFAULT '',
  `edit_level` varchar(128) NOT NULL DEFAULT '',
  `default_value` varchar(65536) NOT NULL DEFAULT '',
  `isdefault` bigint(20) NOT NULL DEFAULT '0',
  PRIMARY KEY (`tenant_id`, `name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

CREATE TABLE `event` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `timestamp` timestamp(6) NULL DEFAULT NULL,
  `module` varchar(32) NOT NULL DEFAULT '',
  `event` varchar(32) NOT NULL DEFAULT '',
  `name1` varchar(256) NOT NULL DEFAULT '',
  `value1` longtext DEFAULT NULL,
  `name2` varchar(256) NOT NULL DEFAULT '',
  `value2` longtext DEFAULT NULL,
  `name3` varchar(256) NOT NULL DEFAULT '',
  `value3` longtext DEFAULT NULL,
  `name4` varchar(256) NOT NULL DEFAULT '',
  `value4` longtext DEFAULT NULL,
  `name5` varchar(256) NOT NULL DEFAULT '',
  `value5` longtext DEFAULT NULL,
  `name6` varchar(256) NOT NULL DEFAULT '',
  `value6` longtext DEFAULT NULL,
  `extra_info` varchar(512) NOT NULL DEFAULT '',
  PRIMARY KEY (`id`)
) ORGANIZATION INDEX AUTO_INCREMENT = 1 DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

CREATE TABLE `id_sequence` (
  `tenant_id` bigint(20) NOT NULL,
  `name` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `last_id` bigint(20) NOT NULL,
  PRIMARY KEY (`tenant_id`, `name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `id_sequence` (`tenant_id`, `name`, `last_id`) VALUES
(1, 'backup_job', 3),
(1, 'delete_job', 2),
(1, 'resource_pool', 1002),
(1, 'resource_unit', 1003),
(1, 'restore_job', 1),
(1, 'tenant', 1004),
(1002, 'archive_round', 1),
(1002, 'backup_job', 3),
(1002, 'backup_set', 3),
(1002, 'backup_task', 3),
(1002, 'delete_job', 2),
(1002, 'destination', 1002),
(1004, 'restore_job', 1);

CREATE TABLE `installed` (
  `name` varchar(64) NOT NULL,
  `value` varchar(128) NOT NULL,
  PRIMARY KEY (`name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `installed` (`name`, `value`) VALUES
('schema_version', '1'),
('t1002', '862e493a912418e921b36d87d3dbda52'),
('t1004', '101501ec478cf2c86aefaf545d08a116'),
('tables', 'aebdff64407fe1dd225de668bec5f306'),
('views', '2ba59a351b78e5e44f51eaedfa8c1c19');

CREATE TABLE `parameter` (
  `tenant_id` bigint(20) NOT NULL,
  `name` varchar(128) NOT NULL DEFAULT '',
  `value` varchar(65536) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `parameter` (`tenant_id`, `name`, `value`) VALUES
(1002, 'archive_lag_target', '0ms');

CREATE TABLE `parameter_definition` (
  `name` varchar(128) NOT NULL DEFAULT '',
  `data_type` varchar(128) NOT NULL DEFAULT '',
  `default_value` varchar(65536) NOT NULL DEFAULT '',
  `info` varchar(4096) NOT NULL DEFAULT '',
  `section` varchar(128) NOT NULL DEFAULT '',
  `edit_level` varchar(128) NOT NULL DEFAULT '',
  PRIMARY KEY (`name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `parameter_definition` (`name`, `data_type`, `default_value`, `info`, `section`, `edit_level`) VALUES
('archive_lag_target', 'TIME', '120s', 'how far log archiving may lag behind, 0ms = as soon as possible. Range: [0ms,7200s]', 'TENANT', 'DYNAMIC_EFFECTIVE'),
('backup_bandwidth_limit', 'CAPACITY', '0', 'Holdfast\'s own: bytes a second that the tenant\'s backup and restore may read and write, 0 = no limit. Range: [0,)', 'TENANT', 'DYNAMIC_EFFECTIVE'),
('backup_data_file_size', 'CAPACITY', '4G', 'largest data file of a backup set; Holdfast\'s have 128M whatever it says. Range: [512M,4G]', 'TENANT', 'DYNAMIC_EFFECTIVE'),
('external_kms_info', 'STRING', '', 'key service of transparent encryption; seekdb has none', 'TENANT', 'DYNAMIC_EFFECTIVE');

CREATE TABLE `pin` (
  `tenant_id` bigint(20) NOT NULL,
  `backup_set_id` bigint(20) NOT NULL,
  `note` varchar(4096) NOT NULL DEFAULT '',
  `pin_timestamp` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`tenant_id`, `backup_set_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `pin` (`tenant_id`, `backup_set_id`, `note`, `pin_timestamp`) VALUES
(1002, 1, 'audit 2026', '2026-11-29 15:31:12.873215');

CREATE TABLE `quick_tenant` (
  `tenant_id` bigint(20) NOT NULL,
  `tenant_name` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `status` varchar(64) NOT NULL DEFAULT '',
  `total_bytes` bigint(20) NOT NULL DEFAULT '0',
  `finish_bytes` bigint(20) NOT NULL DEFAULT '0',
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `finish_timestamp` timestamp(6) NULL DEFAULT NULL,
  `drop_timestamp` timestamp(6) NULL DEFAULT NULL,
  `backup_dest` longtext DEFAULT NULL,
  `comment` varchar(1024) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

CREATE TABLE `resource_pool` (
  `resource_pool_id` bigint(20) NOT NULL,
  `name` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `tenant_id` bigint(20) DEFAULT NULL,
  `create_time` timestamp(6) NULL DEFAULT NULL,
  `modify_time` timestamp(6) NULL DEFAULT NULL,
  `unit_count` bigint(20) NOT NULL DEFAULT '1',
  `unit_config_id` bigint(20) NOT NULL,
  `zone_list` varchar(8192) NOT NULL DEFAULT '',
  `replica_type` varchar(4) NOT NULL DEFAULT 'FULL',
  PRIMARY KEY (`resource_pool_id`),
  UNIQUE KEY `name` (`name`) BLOCK_SIZE 16384 LOCAL
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `resource_pool` (`resource_pool_id`, `name`, `tenant_id`, `create_time`, `modify_time`, `unit_count`, `unit_config_id`, `zone_list`, `replica_type`) VALUES
(1001, '_default_1002', 1002, '2026-11-29 15:30:45.529382', '2026-11-29 15:30:45.533939', 1, 1001, 'zone1', 'FULL'),
(1002, '_default_1004', 1004, '2026-11-29 15:31:19.521510', '2026-11-29 15:31:19.525960', 1, 1002, 'zone1', 'FULL');

CREATE TABLE `resource_unit` (
  `unit_config_id` bigint(20) NOT NULL,
  `name` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `create_time` timestamp(6) NULL DEFAULT NULL,
  `modify_time` timestamp(6) NULL DEFAULT NULL,
  `max_cpu` double NOT NULL,
  `min_cpu` double NOT NULL,
  `memory_size` bigint(20) NOT NULL DEFAULT '0',
  `log_disk_size` bigint(20) NOT NULL DEFAULT '0',
  `max_iops` bigint(20) NOT NULL DEFAULT '0',
  `min_iops` bigint(20) NOT NULL DEFAULT '0',
  `iops_weight` bigint(20) NOT NULL DEFAULT '0',
  PRIMARY KEY (`unit_config_id`),
  UNIQUE KEY `name` (`name`) BLOCK_SIZE 16384 LOCAL
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `resource_unit` (`unit_config_id`, `name`, `create_time`, `modify_time`, `max_cpu`, `min_cpu`, `memory_size`, `log_disk_size`, `max_iops`, `min_iops`, `iops_weight`) VALUES
(1001, '_default_1002', '2026-11-29 15:30:45.525873', '2026-11-29 15:30:45.525873', 1.0e0, 1.0e0, 1073741824, 2147483648, 9223372036854775807, 9223372036854775807, 0),
(1002, '_default_1004', '2026-11-29 15:31:19.517261', '2026-11-29 15:31:19.517261', 1.0e0, 1.0e0, 1073741824, 2147483648, 9223372036854775807, 9223372036854775807, 0),
(1003, 'u', '2026-11-29 15:31:32.379270', '2026-11-29 15:31:32.379270', 1.0e0, 1.0e0, 1073741824, 3221225472, 9223372036854775807, 9223372036854775807, 0);

CREATE TABLE `restorable_window` (
  `tenant_id` bigint(20) NOT NULL,
  `span_id` bigint(20) NOT NULL,
  `status` varchar(16) NOT NULL DEFAULT '',
  `start_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `end_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `backup_set_ids` longtext DEFAULT NULL,
  `restore_from` longtext DEFAULT NULL,
  `cause` longtext DEFAULT NULL,
  `remedy` longtext DEFAULT NULL,
  PRIMARY KEY (`tenant_id`, `span_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

CREATE TABLE `restore_job` (
  `tenant_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `restore_tenant_name` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `restore_tenant_id` bigint(20) NOT NULL,
  `backup_tenant_name` varchar(128) NOT NULL DEFAULT '',
  `backup_tenant_id` bigint(20) NOT NULL,
  `backup_cluster_name` varchar(128) NOT NULL DEFAULT '',
  `backup_dest` longtext DEFAULT NULL,
  `restore_option` varchar(4096) NOT NULL DEFAULT '',
  `restore_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `status` varchar(64) NOT NULL DEFAULT '',
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `finish_timestamp` timestamp(6) NULL DEFAULT NULL,
  `backup_set_list` longtext DEFAULT NULL,
  `backup_piece_list` longtext DEFAULT NULL,
  `backup_cluster_version` bigint(20) NOT NULL DEFAULT '0',
  `consistent_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `recover_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `ls_count` bigint(20) NOT NULL DEFAULT '0',
  `finish_ls_count` bigint(20) NOT NULL DEFAULT '0',
  `tablet_count` bigint(20) NOT NULL DEFAULT '0',
  `finish_tablet_count` bigint(20) NOT NULL DEFAULT '0',
  `total_bytes` bigint(20) NOT NULL DEFAULT '0',
  `finish_bytes` bigint(20) NOT NULL DEFAULT '0',
  `description` varchar(1024) NOT NULL DEFAULT '',
  `comment` varchar(1024) NOT NULL DEFAULT '',
  `owner_generation` bigint(20) NOT NULL DEFAULT '0',
  `attempt` bigint(20) NOT NULL DEFAULT '1',
  `cancel_requested` varchar(3) NOT NULL DEFAULT 'OFF',
  PRIMARY KEY (`tenant_id`, `job_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `restore_job` (`tenant_id`, `job_id`, `restore_tenant_name`, `restore_tenant_id`, `backup_tenant_name`, `backup_tenant_id`, `backup_cluster_name`, `backup_dest`, `restore_option`, `restore_scn`, `status`, `start_timestamp`, `finish_timestamp`, `backup_set_list`, `backup_piece_list`, `backup_cluster_version`, `consistent_scn`, `recover_scn`, `ls_count`, `finish_ls_count`, `tablet_count`, `finish_tablet_count`, `total_bytes`, `finish_bytes`, `description`, `comment`, `owner_generation`, `attempt`, `cancel_requested`) VALUES
(1, 1, 't2', 1004, 't', 1002, 'holdfast', 'file:///backup/data,file:///backup/archive', '', 1795966276468283000, 'RESTORE_SUCCESS', '2026-11-29 15:31:19.531866', '2026-11-29 15:31:32.092015', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966269986513001, 1795966276468283000, 1, 1, 0, 0, 20163062, 20163062, '', '', 1, 1, 'OFF'),
(1004, 1, 't2', 1004, 't', 1002, 'holdfast', 'file:///backup/data,file:///backup/archive', '', 1795966276468283000, 'RESTORE_SUCCESS', '2026-11-29 15:31:19.531866', '2026-11-29 15:31:32.092015', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966269986513001, 1795966276468283000, 1, 1, 0, 0, 20163062, 20163062, '', '', 1, 1, 'OFF');

CREATE TABLE `server` (
  `id` bigint(20) NOT NULL,
  `zone` varchar(128) NOT NULL DEFAULT '',
  `svr_ip` varchar(46) NOT NULL DEFAULT '',
  `svr_port` bigint(20) NOT NULL DEFAULT '0',
  PRIMARY KEY (`id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `server` (`id`, `zone`, `svr_ip`, `svr_port`) VALUES
(1, 'zone1', '127.0.0.1', 38371);

CREATE TABLE `tenant` (
  `tenant_id` bigint(20) NOT NULL,
  `tenant_name` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `create_time` timestamp(6) NULL DEFAULT NULL,
  `modify_time` timestamp(6) NULL DEFAULT NULL,
  `primary_zone` varchar(128) NOT NULL DEFAULT 'RANDOM',
  `locality` varchar(4096) NOT NULL DEFAULT 'FULL{1}@zone1',
  `previous_locality` varchar(4096) DEFAULT NULL,
  `compatibility_mode` varchar(6) NOT NULL DEFAULT '',
  `status` varchar(64) NOT NULL DEFAULT '',
  `in_recyclebin` varchar(3) NOT NULL DEFAULT 'NO',
  `locked` varchar(3) NOT NULL DEFAULT 'NO',
  `tenant_role` varchar(100) NOT NULL DEFAULT '',
  `switchover_status` varchar(100) NOT NULL DEFAULT 'NORMAL',
  `switchover_epoch` bigint(20) NOT NULL DEFAULT '0',
  `sync_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `replayable_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `readable_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `recovery_until_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `log_mode` varchar(100) NOT NULL DEFAULT '',
  `arbitration_service_status` varchar(64) NOT NULL DEFAULT 'DISABLED',
  `unit_num` bigint(20) NOT NULL DEFAULT '1',
  `compatible` varchar(65536) NOT NULL DEFAULT '',
  `max_ls_id` bigint(20) NOT NULL DEFAULT '1',
  `max_cpu` double NOT NULL,
  `memory_size_bytes` bigint(20) NOT NULL DEFAULT '0',
  `log_disk_size_bytes` bigint(20) NOT NULL DEFAULT '0',
  `purpose` varchar(16) NOT NULL DEFAULT 'USER',
  PRIMARY KEY (`tenant_id`),
  UNIQUE KEY `tenant_name` (`tenant_name`) BLOCK_SIZE 16384 LOCAL
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `tenant` (`tenant_id`, `tenant_name`, `create_time`, `modify_time`, `primary_zone`, `locality`, `previous_locality`, `compatibility_mode`, `status`, `in_recyclebin`, `locked`, `tenant_role`, `switchover_status`, `switchover_epoch`, `sync_scn`, `replayable_scn`, `readable_scn`, `recovery_until_scn`, `log_mode`, `arbitration_service_status`, `unit_num`, `compatible`, `max_ls_id`, `max_cpu`, `memory_size_bytes`, `log_disk_size_bytes`, `purpose`) VALUES
(1, 'sys', '2026-11-29 15:30:44.466770', '2026-11-29 15:30:44.466770', 'RANDOM', 'FULL{1}@zone1', NULL, 'MYSQL', 'NORMAL', 'NO', 'NO', 'PRIMARY', 'NORMAL', 0, 0, 0, 0, 0, 'NOARCHIVELOG', 'DISABLED', 1, '1.4.0.0', 1, 1.0e0, 1073741824, 2147483648, 'USER'),
(1002, 't', '2026-11-29 15:30:45.524626', '2026-11-29 15:31:01.101479', 'RANDOM', 'FULL{1}@zone1', NULL, 'MYSQL', 'NORMAL', 'NO', 'NO', 'PRIMARY', 'NORMAL', 0, 0, 0, 0, 0, 'ARCHIVELOG', 'DISABLED', 1, '1.4.0.0', 1, 1.0e0, 1073741824, 2147483648, 'USER'),
(1004, 't2', '2026-11-29 15:31:19.506308', '2026-11-29 15:31:32.224985', 'RANDOM', 'FULL{1}@zone1', NULL, 'MYSQL', 'NORMAL', 'NO', 'NO', 'STANDBY', 'NORMAL', 0, 1795966276468283000, 1795966276468283000, 1795966276468283000, 1795966276468283000, 'NOARCHIVELOG', 'DISABLED', 1, '1.4.0.0', 1, 1.0e0, 1073741824, 2147483648, 'USER');
