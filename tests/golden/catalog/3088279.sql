-- The catalog of a server of 3088279, engine 1.4.0, made by tests/golden/make_catalog.py.
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
(1002, 1001, 1, 1, 1795966193969022, 'ACTIVE', 1795966193245169450, 1795966193245169450, 1796052593245169450, 1795966265262978001, 1795966265262978001, 'AVAILABLE', 1, 0, 1, 1, 'none', 7650021, 1039128, 'file:///backup/archive');

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
(1002, 1001, 1, 'DOING', 1795966193245169450, 1795966265262978001, 1, 1, 86400000000, 0, 0, '', 1, 0, 1, 1, 'none', 7650021, 1039128, 'file:///backup/archive');

CREATE TABLE `backup_damage` (
  `tenant_id` bigint(20) NOT NULL,
  `damage_id` bigint(20) NOT NULL,
  `dest_id` bigint(20) NOT NULL,
  `object_type` varchar(64) NOT NULL DEFAULT '',
  `object_id` bigint(20) NOT NULL,
  `round_id` bigint(20) NOT NULL DEFAULT '0',
  `object_name` varchar(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `object_offset` bigint(20) NOT NULL DEFAULT '0',
  `block_id` bigint(20) NOT NULL DEFAULT '0',
  `tablet_id` bigint(20) NOT NULL DEFAULT '0',
  `validate_level` varchar(64) NOT NULL DEFAULT '',
  `status` varchar(64) NOT NULL DEFAULT '',
  `found_timestamp` timestamp(6) NULL DEFAULT NULL,
  `cleared_timestamp` timestamp(6) NULL DEFAULT NULL,
  `job_id` bigint(20) NOT NULL,
  `task_id` bigint(20) NOT NULL,
  `comment` varchar(4096) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `damage_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

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
(1, 1, 1, 0, 1, 1, '1002', 'OFF', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:30:01.501252', '2026-11-29 15:30:03.576264', 'COMPLETED', 0, '', '', '', 0, 1, 1, 'OFF'),
(1, 2, 1, 0, 1, 2, '1002', 'OFF', 'INC', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:30:03.613406', '2026-11-29 15:30:04.899723', 'COMPLETED', 0, '', 'größer als 💾', '', 0, 1, 1, 'OFF'),
(1, 3, 1, 0, 1, 3, '1002', 'ON', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:30:05.743289', '2026-11-29 15:30:07.313524', 'COMPLETED', 0, '', '', '', 0, 1, 1, 'OFF'),
(1002, 1, 1, 1, 1, 1, '1002', 'OFF', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:30:01.516775', '2026-11-29 15:30:03.548224', 'COMPLETED', 0, '', '', 'file:///backup/data', 1002, 1, 1, 'OFF'),
(1002, 2, 1, 2, 1, 2, '1002', 'OFF', 'INC', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:30:03.616856', '2026-11-29 15:30:04.862418', 'COMPLETED', 0, '', 'größer als 💾', 'file:///backup/data', 1002, 1, 1, 'OFF'),
(1002, 3, 1, 3, 1, 3, '1002', 'ON', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:30:05.746057', '2026-11-29 15:30:07.286867', 'COMPLETED', 0, '', '', 'file:///backup/data', 1002, 1, 1, 'OFF');

CREATE TABLE `backup_parameter` (
  `tenant_id` bigint(20) NOT NULL,
  `name` varchar(1024) NOT NULL DEFAULT '',
  `value` longtext DEFAULT NULL,
  `dest_id` bigint(20) NOT NULL,
  PRIMARY KEY (`tenant_id`, `name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `backup_parameter` (`tenant_id`, `name`, `value`, `dest_id`) VALUES
(1002, 'data_backup_dest', 'file:///backup/data', 1002);

CREATE TABLE `backup_schedule` (
  `tenant_id` bigint(20) NOT NULL,
  `schedule_type` varchar(64) NOT NULL DEFAULT '',
  `schedule` varchar(1024) NOT NULL DEFAULT '',
  `time_zone` varchar(64) NOT NULL DEFAULT '',
  `done_time` timestamp(6) NULL DEFAULT NULL,
  `next_timestamp` timestamp(6) NULL DEFAULT NULL,
  `last_due_timestamp` timestamp(6) NULL DEFAULT NULL,
  `last_begin_timestamp` timestamp(6) NULL DEFAULT NULL,
  `last_job_id` bigint(20) NOT NULL DEFAULT '0',
  `last_result` bigint(20) NOT NULL DEFAULT '0',
  `last_comment` varchar(4096) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `schedule_type`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `backup_schedule` (`tenant_id`, `schedule_type`, `schedule`, `time_zone`, `done_time`, `next_timestamp`, `last_due_timestamp`, `last_begin_timestamp`, `last_job_id`, `last_result`, `last_comment`) VALUES
(1002, 'FULL', '0 2 * * SUN', '+08:00', '2026-11-29 15:29:59.525552', '2026-12-05 18:00:32.406569', NULL, NULL, 0, 0, '');

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
(1002, 1, 1002, 1, 'FULL', 0, 0, '2026-11-29 15:30:01.646869', '2026-11-29 15:30:03.548224', 'SUCCESS', 'AVAILABLE', 'OFF', 1795966181182801001, 1795966200846344000, 1795966200846344000, 40743116, 122518, 26277, 362, 362, 6, 6, 8, 1, 1, 1, 1, 0, '', 'NONE', '', '1.4.0.0', 1, 'file:///backup/data', '1.4.0.0'),
(1002, 2, 1002, 1, 'INC', 1, 1, '2026-11-29 15:30:03.667804', '2026-11-29 15:30:04.862418', 'SUCCESS', 'AVAILABLE', 'OFF', 1795966181182801001, 1795966200846344000, 1795966200846344000, 21454950, 26277, 26277, 362, 362, 6, 6, 7, 1, 1, 1, 1, 0, '', 'NONE', '', '1.4.0.0', 1, 'file:///backup/data', '1.4.0.0'),
(1002, 3, 1002, 1, 'FULL', 0, 0, '2026-11-29 15:30:05.807897', '2026-11-29 15:30:07.286867', 'SUCCESS', 'AVAILABLE', 'ON', 1795966181182801001, 1795966205854335000, 1795966205854335000, 41755835, 1136174, 26277, 362, 362, 6, 6, 10, 1, 1, 1, 1, 0, '', 'NONE', '', '1.4.0.0', 1, 'file:///backup/data', '1.4.0.0');

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
(1002, 1, 1, 1, 1, '2026-11-29 15:30:01.646869', '2026-11-29 15:30:03.548224', 'COMPLETED', 1795966200846344000, 1795966200846344000, 1795966200846344000, 'NONE', '', 40743116, 122518, 26277, 362, 362, 6, 6, 8, 1, 1, 1, 1, 0, 0, 0, '', 'file:///backup/data'),
(1002, 2, 2, 1, 2, '2026-11-29 15:30:03.667804', '2026-11-29 15:30:04.862418', 'COMPLETED', 1795966200846344000, 1795966200846344000, 1795966200846344000, 'NONE', '', 21454950, 26277, 26277, 362, 362, 6, 6, 7, 1, 1, 1, 1, 0, 0, 0, '', 'file:///backup/data'),
(1002, 3, 3, 1, 3, '2026-11-29 15:30:05.807897', '2026-11-29 15:30:07.286867', 'COMPLETED', 1795966205854335000, 1795966205854335000, 1795966205854335000, 'NONE', '', 41755835, 1136174, 26277, 362, 362, 6, 6, 10, 1, 1, 1, 1, 2, 2, 0, '', 'file:///backup/data');

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
(1, 1, 1, 1, 1, '1002', 'DELETE OBSOLETE BACKUP', '', NULL, 'SYS_TENANT', '2026-11-29 15:30:30.105660', '2026-11-29 15:30:30.300194', 'COMPLETED', 1, 1, 0, '', '', 0, 1, 1, 'OFF'),
(1, 2, 1, 1, 2, '1002', 'DELETE BACKUPSET', '3', NULL, 'SYS_TENANT', '2026-11-29 15:30:32.451441', '2026-11-29 15:30:32.726786', 'FAILED', 1, 0, -9045, 'id=3(cannot delete backup set in current path when delete policy is set)', '', 0, 1, 1, 'OFF'),
(1002, 1, 1, 1, 1, '1002', 'DELETE OBSOLETE BACKUP', '', '2026-11-22 15:30:30.105660', 'SYS_TENANT', '2026-11-29 15:30:30.105660', '2026-11-29 15:30:30.230294', 'COMPLETED', 0, 0, 0, '', '', 0, 1, 1, 'OFF'),
(1002, 2, 1, 1, 2, '1002', 'DELETE BACKUPSET', '3', NULL, 'SYS_TENANT', '2026-11-29 15:30:32.451441', '2026-11-29 15:30:32.655466', 'FAILED', 0, 0, -9045, 'id=3(cannot delete backup set in current path when delete policy is set)', '', 0, 1, 1, 'OFF');

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
(1002, 'default', '7d', 1, 0, '2026-11-29 15:29:55.396940');

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
(1002, 1001, 'archive_log', 'file:///backup/archive', '', '', '', 'check_file/1002_connect_file_20261129T152953.obbak', '2026-11-29 15:29:53.579211', '2026-11-29 15:29:46.689992', 1),
(1002, 1002, 'backup_data', 'file:///backup/data', '', '', '', 'check_file/1002_connect_file_20261129T153005.obbak', '2026-11-29 15:30:05.795066', '2026-11-29 15:29:49.062717', 1);

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
(1, 'recover_table_job', 1),
(1, 'resource_pool', 1004),
(1, 'resource_unit', 1005),
(1, 'restore_job', 3),
(1, 'tenant', 1008),
(1, 'validate_job', 3),
(1002, 'archive_round', 1),
(1002, 'backup_job', 3),
(1002, 'backup_set', 3),
(1002, 'backup_task', 3),
(1002, 'delete_job', 2),
(1002, 'destination', 1002),
(1002, 'import_table_job', 1),
(1002, 'import_table_task', 1),
(1002, 'recover_table_job', 1),
(1002, 'restore_drill', 1),
(1002, 'validate_job', 3),
(1002, 'validate_task', 6),
(1004, 'restore_job', 1),
(1006, 'restore_job', 1),
(1008, 'restore_job', 1);

CREATE TABLE `import_table_job` (
  `tenant_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `initiator_tenant_id` bigint(20) NOT NULL,
  `initiator_job_id` bigint(20) NOT NULL,
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `finish_timestamp` timestamp(6) NULL DEFAULT NULL,
  `src_tenant_name` varchar(64) NOT NULL DEFAULT '',
  `src_tenant_id` bigint(20) NOT NULL DEFAULT '0',
  `status` varchar(64) NOT NULL DEFAULT '',
  `import_all` tinyint(4) NOT NULL DEFAULT '0',
  `db_list` longtext DEFAULT NULL,
  `table_list` longtext DEFAULT NULL,
  `remap_db_list` longtext DEFAULT NULL,
  `remap_table_list` longtext DEFAULT NULL,
  `remap_tablegroup_list` longtext DEFAULT NULL,
  `remap_tablespace_list` longtext DEFAULT NULL,
  `total_table_count` bigint(20) NOT NULL DEFAULT '0',
  `finished_table_count` bigint(20) NOT NULL DEFAULT '0',
  `failed_table_count` bigint(20) NOT NULL DEFAULT '0',
  `result` varchar(64) NOT NULL DEFAULT '',
  `comment` longtext DEFAULT NULL,
  `description` longtext DEFAULT NULL,
  PRIMARY KEY (`tenant_id`, `job_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `import_table_job` (`tenant_id`, `job_id`, `initiator_tenant_id`, `initiator_job_id`, `start_timestamp`, `finish_timestamp`, `src_tenant_name`, `src_tenant_id`, `status`, `import_all`, `db_list`, `table_list`, `remap_db_list`, `remap_table_list`, `remap_tablegroup_list`, `remap_tablespace_list`, `total_table_count`, `finished_table_count`, `failed_table_count`, `result`, `comment`, `description`) VALUES
(1002, 1, 1002, 1, '2026-11-29 15:30:58.322311', '2026-11-29 15:30:58.844448', 'AUX_RECOVER$1795966244890329', 1008, 'IMPORT_FINISH', 0, '', 'test.a', '', 'test.a:test.b', NULL, NULL, 1, 1, 0, 'SUCCESS', '', '');

CREATE TABLE `import_table_task` (
  `tenant_id` bigint(20) NOT NULL,
  `task_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `src_tenant_id` bigint(20) NOT NULL DEFAULT '0',
  `src_tablespace` varchar(128) NOT NULL DEFAULT '',
  `src_tablegroup` varchar(128) NOT NULL DEFAULT '',
  `target_tablespace` varchar(128) NOT NULL DEFAULT '',
  `target_tablegroup` varchar(128) NOT NULL DEFAULT '',
  `src_database` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `src_table` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `src_partition` varchar(64) NOT NULL DEFAULT '',
  `target_database` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `target_table` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `table_column` bigint(20) NOT NULL DEFAULT '0',
  `status` varchar(64) NOT NULL DEFAULT '',
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `completion_timestamp` timestamp(6) NULL DEFAULT NULL,
  `total_index_count` bigint(20) NOT NULL DEFAULT '0',
  `imported_index_count` bigint(20) NOT NULL DEFAULT '0',
  `failed_index_count` bigint(20) NOT NULL DEFAULT '0',
  `total_constraint_count` bigint(20) NOT NULL DEFAULT '0',
  `imported_constraint_count` bigint(20) NOT NULL DEFAULT '0',
  `failed_constraint_count` bigint(20) NOT NULL DEFAULT '0',
  `total_ref_constraint_count` bigint(20) NOT NULL DEFAULT '0',
  `imported_ref_constraint_count` bigint(20) NOT NULL DEFAULT '0',
  `failed_ref_constraint_count` bigint(20) NOT NULL DEFAULT '0',
  `result` varchar(64) NOT NULL DEFAULT '',
  `comment` longtext DEFAULT NULL,
  `row_count` bigint(20) NOT NULL DEFAULT '0',
  `task_text` varchar(4096) GENERATED ALWAYS AS (cast(`task_id` as char(20) charset utf8mb4)) VIRTUAL,
  PRIMARY KEY (`tenant_id`, `task_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `import_table_task` (`tenant_id`, `task_id`, `job_id`, `src_tenant_id`, `src_tablespace`, `src_tablegroup`, `target_tablespace`, `target_tablegroup`, `src_database`, `src_table`, `src_partition`, `target_database`, `target_table`, `table_column`, `status`, `start_timestamp`, `completion_timestamp`, `total_index_count`, `imported_index_count`, `failed_index_count`, `total_constraint_count`, `imported_constraint_count`, `failed_constraint_count`, `total_ref_constraint_count`, `imported_ref_constraint_count`, `failed_ref_constraint_count`, `result`, `comment`, `row_count`) VALUES
(1002, 1, 1, 1008, '', '', '', '', 'test', 'a', '', 'test', 'b', 2, 'FINISH', '2026-11-29 15:30:58.666379', '2026-11-29 15:30:58.788256', 0, 0, 0, 0, 0, 0, 0, 0, 0, 'SUCCESS', '', 2);

CREATE TABLE `installed` (
  `name` varchar(64) NOT NULL,
  `value` varchar(128) NOT NULL,
  PRIMARY KEY (`name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `installed` (`name`, `value`) VALUES
('schema_version', '1'),
('t1002', '3c8770bb8c10d6f8be4c1fcc3f762556'),
('t1006', '55ac76e6c493f74d35d81fa1d9315b43'),
('tables', 'ab00b9249fa8aa327734f6bbe37d3954'),
('views', '7f71238d8a6319c8cf03c1331c74c699');

CREATE TABLE `log_restore_source` (
  `tenant_id` bigint(20) NOT NULL,
  `id` bigint(20) NOT NULL DEFAULT '1',
  `type` varchar(32) NOT NULL DEFAULT '',
  `value` longtext DEFAULT NULL,
  `port` bigint(20) NOT NULL DEFAULT '0',
  PRIMARY KEY (`tenant_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `log_restore_source` (`tenant_id`, `id`, `type`, `value`, `port`) VALUES
(1006, 1, 'LOCATION', 'file:///backup/archive', 0);

CREATE TABLE `parameter` (
  `tenant_id` bigint(20) NOT NULL,
  `name` varchar(128) NOT NULL DEFAULT '',
  `value` varchar(65536) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `parameter` (`tenant_id`, `name`, `value`) VALUES
(1002, 'archive_lag_target', '0ms'),
(1002, 'backup_drill_assertions', 'select count(*) = 2 from test.a'),
(1002, 'backup_full_schedule', '0 2 * * SUN');

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
('backup_bandwidth_limit', 'CAPACITY', '0', 'Holdfast\'s own: bytes a second of the tenant\'s backup, restore and validation together, 0 = no limit. Range: [0,)', 'TENANT', 'DYNAMIC_EFFECTIVE'),
('backup_data_file_size', 'CAPACITY', '4G', 'largest data file of a backup set; Holdfast\'s have 128M whatever it says. Range: [512M,4G]', 'TENANT', 'DYNAMIC_EFFECTIVE'),
('backup_drill_assertions', 'STRING', '', 'Holdfast\'s own: queries a restore drill asks the restored tenant, parted by ;. Each holds when it gives rows and every value in them is true', 'TENANT', 'DYNAMIC_EFFECTIVE');

CREATE TABLE `pin` (
  `tenant_id` bigint(20) NOT NULL,
  `backup_set_id` bigint(20) NOT NULL,
  `note` varchar(4096) NOT NULL DEFAULT '',
  `pin_timestamp` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`tenant_id`, `backup_set_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `pin` (`tenant_id`, `backup_set_id`, `note`, `pin_timestamp`) VALUES
(1002, 1, 'audit 2026', '2026-11-29 15:30:27.953509');

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

CREATE TABLE `recover_table_job` (
  `tenant_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `initiator_tenant_id` bigint(20) NOT NULL,
  `initiator_job_id` bigint(20) NOT NULL,
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `finish_timestamp` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(64) NOT NULL DEFAULT '',
  `aux_tenant_name` varchar(64) NOT NULL DEFAULT '',
  `target_tenant_name` varchar(64) NOT NULL DEFAULT '',
  `import_all` tinyint(4) NOT NULL DEFAULT '0',
  `db_list` longtext DEFAULT NULL,
  `table_list` longtext DEFAULT NULL,
  `restore_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `restore_option` varchar(4096) NOT NULL DEFAULT '',
  `backup_dest` varchar(4096) NOT NULL DEFAULT '',
  `backup_set_list` longtext DEFAULT NULL,
  `backup_piece_list` longtext DEFAULT NULL,
  `backup_passwd` varchar(4096) NOT NULL DEFAULT '',
  `external_kms_info` varchar(4096) NOT NULL DEFAULT '',
  `remap_db_list` longtext DEFAULT NULL,
  `remap_table_list` longtext DEFAULT NULL,
  `remap_tablegroup_list` longtext DEFAULT NULL,
  `remap_tablespace_list` longtext DEFAULT NULL,
  `result` varchar(64) NOT NULL DEFAULT '',
  `comment` longtext DEFAULT NULL,
  `description` longtext DEFAULT NULL,
  `statement` longtext DEFAULT NULL,
  `target_tenant_id` bigint(20) NOT NULL DEFAULT '0',
  `aux_tenant_id` bigint(20) NOT NULL DEFAULT '0',
  `owner_generation` bigint(20) NOT NULL DEFAULT '0',
  `attempt` bigint(20) NOT NULL DEFAULT '1',
  `cancel_requested` varchar(3) NOT NULL DEFAULT 'OFF',
  PRIMARY KEY (`tenant_id`, `job_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `recover_table_job` (`tenant_id`, `job_id`, `initiator_tenant_id`, `initiator_job_id`, `start_timestamp`, `finish_timestamp`, `status`, `aux_tenant_name`, `target_tenant_name`, `import_all`, `db_list`, `table_list`, `restore_scn`, `restore_option`, `backup_dest`, `backup_set_list`, `backup_piece_list`, `backup_passwd`, `external_kms_info`, `remap_db_list`, `remap_table_list`, `remap_tablegroup_list`, `remap_tablespace_list`, `result`, `comment`, `description`, `statement`, `target_tenant_id`, `aux_tenant_id`, `owner_generation`, `attempt`, `cancel_requested`) VALUES
(1, 1, 1, 1, '2026-11-29 15:30:45.544995', '2026-11-29 15:30:59.768739', 'COMPLETED', 'AUX_RECOVER$1795966244890329', 't', 0, '', 'test.a', 1795966244824774000, 'method=quick', 'file:///backup/data,file:///backup/archive', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', '', '', '', 'test.a:test.b', NULL, NULL, 'SUCCESS', '', '', 'ALTER SYSTEM RECOVER TABLE test.a TO TENANT = t FROM \'file:///backup/data,file:///backup/archive\' REMAP TABLE test.a:b', 1002, 1008, 1, 1, 'OFF'),
(1002, 1, 1, 1, '2026-11-29 15:30:45.544995', '2026-11-29 15:30:59.768739', 'COMPLETED', 'AUX_RECOVER$1795966244890329', 't', 0, '', 'test.a', 1795966244824774000, 'method=quick', 'file:///backup/data,file:///backup/archive', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', '', '', '', 'test.a:test.b', NULL, NULL, 'SUCCESS', '', '', 'ALTER SYSTEM RECOVER TABLE test.a TO TENANT = t FROM \'file:///backup/data,file:///backup/archive\' REMAP TABLE test.a:b', 1002, 1008, 1, 1, 'OFF');

CREATE TABLE `recover_table_preview` (
  `tenant_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `database_name` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `table_name` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `status` varchar(64) NOT NULL DEFAULT '',
  `rows_only_in_backup` bigint(20) NOT NULL DEFAULT '0',
  `rows_only_live` bigint(20) NOT NULL DEFAULT '0',
  `rows_changed` bigint(20) NOT NULL DEFAULT '0',
  `comment` longtext DEFAULT NULL,
  PRIMARY KEY (`tenant_id`, `job_id`, `database_name`, `table_name`)
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
(1001, '_default_1002', 1002, '2026-11-29 15:29:40.149753', '2026-11-29 15:29:40.220718', 1, 1001, 'zone1', 'FULL'),
(1003, '_default_1006', 1006, '2026-11-29 15:30:34.656152', '2026-11-29 15:30:34.660206', 1, 1003, 'zone1', 'FULL');

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
(1001, '_default_1002', '2026-11-29 15:29:39.994080', '2026-11-29 15:29:39.994080', 1.0e0, 1.0e0, 1073741824, 2147483648, 9223372036854775807, 9223372036854775807, 0),
(1003, '_default_1006', '2026-11-29 15:30:34.652950', '2026-11-29 15:30:34.652950', 1.0e0, 1.0e0, 1073741824, 2147483648, 9223372036854775807, 9223372036854775807, 0),
(1005, 'u', '2026-11-29 15:30:59.869699', '2026-11-29 15:30:59.869699', 1.0e0, 1.0e0, 1073741824, 3221225472, 9223372036854775807, 9223372036854775807, 0);

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

CREATE TABLE `restore_drill` (
  `tenant_id` bigint(20) NOT NULL,
  `drill_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `task_id` bigint(20) NOT NULL,
  `backup_set_id` bigint(20) NOT NULL,
  `backup_set_list` longtext DEFAULT NULL,
  `first_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `last_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `restore_scn` bigint(20) unsigned NOT NULL DEFAULT '0',
  `restore_from` longtext DEFAULT NULL,
  `aux_tenant_name` varchar(128) NOT NULL DEFAULT '',
  `status` varchar(64) NOT NULL DEFAULT '',
  `result` varchar(64) NOT NULL DEFAULT '',
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `restored_timestamp` timestamp(6) NULL DEFAULT NULL,
  `finish_timestamp` timestamp(6) NULL DEFAULT NULL,
  `restored_bytes` bigint(20) NOT NULL DEFAULT '0',
  `table_count` bigint(20) NOT NULL DEFAULT '0',
  `index_count` bigint(20) NOT NULL DEFAULT '0',
  `assertion_count` bigint(20) NOT NULL DEFAULT '0',
  `row_count` bigint(20) NOT NULL DEFAULT '0',
  `failed_count` bigint(20) NOT NULL DEFAULT '0',
  `unchecked_count` bigint(20) NOT NULL DEFAULT '0',
  `result_digest` varchar(64) NOT NULL DEFAULT '',
  `comment` longtext DEFAULT NULL,
  PRIMARY KEY (`tenant_id`, `drill_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `restore_drill` (`tenant_id`, `drill_id`, `job_id`, `task_id`, `backup_set_id`, `backup_set_list`, `first_scn`, `last_scn`, `restore_scn`, `restore_from`, `aux_tenant_name`, `status`, `result`, `start_timestamp`, `restored_timestamp`, `finish_timestamp`, `restored_bytes`, `table_count`, `index_count`, `assertion_count`, `row_count`, `failed_count`, `unchecked_count`, `result_digest`, `comment`) VALUES
(1002, 1, 3, 6, 3, '3', 1795966205854335000, 1795966210862753000, 1795966205905355397, 'file:///backup/data/backup_set_3_full,file:///backup/archive/piece_d1001r1p1', 'AUX_DRILL$1795966212187896', 'FINISHED', 'PASSED', '2026-11-29 15:30:12.187898', '2026-11-29 15:30:25.119573', '2026-11-29 15:30:27.305963', 20147514, 1, 0, 1, 2, 0, 0, 'bf80135d74528830ec745b7ed411c29e974f0d487537a0609a4d5b509991144c', '');

CREATE TABLE `restore_drill_check` (
  `tenant_id` bigint(20) NOT NULL,
  `drill_id` bigint(20) NOT NULL,
  `check_id` bigint(20) NOT NULL,
  `check_type` varchar(64) NOT NULL DEFAULT '',
  `database_name` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `table_name` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `check_name` longtext DEFAULT NULL,
  `result` varchar(64) NOT NULL DEFAULT '',
  `row_count` bigint(20) NOT NULL DEFAULT '0',
  `checksum` varchar(64) NOT NULL DEFAULT '',
  `elapsed_us` bigint(20) NOT NULL DEFAULT '0',
  `comment` longtext DEFAULT NULL,
  PRIMARY KEY (`tenant_id`, `drill_id`, `check_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `restore_drill_check` (`tenant_id`, `drill_id`, `check_id`, `check_type`, `database_name`, `table_name`, `check_name`, `result`, `row_count`, `checksum`, `elapsed_us`, `comment`) VALUES
(1002, 1, 1, 'TABLE', 'test', 'a', '', 'PASSED', 2, '4afc34a3-19503cb3b', 97978, ''),
(1002, 1, 2, 'ASSERTION', '', '', 'select count(*) = 2 from test.a', 'PASSED', 1, '', 5881, '');

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
(1, 1, 'AUX_DRILL$1795966212187896', 1004, 't', 1002, 'holdfast', 'file:///backup/data/backup_set_3_full,file:///backup/archive/piece_d1001r1p1', '', 1795966205905355397, 'RESTORE_SUCCESS', '2026-11-29 15:30:12.255331', '2026-11-29 15:30:24.931333', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966205854335000, 1795966205905355397, 1, 1, 0, 0, 20147514, 20147514, 'restore drill 1 of tenant 1002', '', 1, 1, 'OFF'),
(1, 2, 't2', 1006, 't', 1002, 'holdfast', 'file:///backup/data,file:///backup/archive', '', 1795966234000016001, 'RESTORE_SUCCESS', '2026-11-29 15:30:34.667203', '2026-11-29 15:30:44.134735', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966205854335000, 1795966234000016001, 1, 1, 0, 0, 20163384, 20163384, '', '', 1, 1, 'OFF'),
(1, 3, 'AUX_RECOVER$1795966244890329', 1008, 't', 1002, 'holdfast', 'file:///backup/data,file:///backup/archive', 'method=quick', 1795966244824774000, 'RESTORE_SUCCESS', '2026-11-29 15:30:45.527125', '2026-11-29 15:30:57.818482', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966205854335000, 1795966244824774000, 1, 1, 0, 0, 20211503, 7628591, 'recover table into t', '', 1, 1, 'OFF'),
(1004, 1, 'AUX_DRILL$1795966212187896', 1004, 't', 1002, 'holdfast', 'file:///backup/data/backup_set_3_full,file:///backup/archive/piece_d1001r1p1', '', 1795966205905355397, 'RESTORE_SUCCESS', '2026-11-29 15:30:12.255331', '2026-11-29 15:30:24.931333', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966205854335000, 1795966205905355397, 1, 1, 0, 0, 20147514, 20147514, 'restore drill 1 of tenant 1002', '', 1, 1, 'OFF'),
(1006, 1, 't2', 1006, 't', 1002, 'holdfast', 'file:///backup/data,file:///backup/archive', '', 1795966234000016001, 'RESTORE_SUCCESS', '2026-11-29 15:30:34.667203', '2026-11-29 15:30:44.134735', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966205854335000, 1795966234000016001, 1, 1, 0, 0, 20163384, 20163384, '', '', 1, 1, 'OFF'),
(1008, 1, 'AUX_RECOVER$1795966244890329', 1008, 't', 1002, 'holdfast', 'file:///backup/data,file:///backup/archive', 'method=quick', 1795966244824774000, 'RESTORE_SUCCESS', '2026-11-29 15:30:45.527125', '2026-11-29 15:30:57.818482', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966205854335000, 1795966244824774000, 1, 1, 0, 0, 20211503, 7628591, 'recover table into t', '', 1, 1, 'OFF');

CREATE TABLE `server` (
  `id` bigint(20) NOT NULL,
  `zone` varchar(128) NOT NULL DEFAULT '',
  `svr_ip` varchar(46) NOT NULL DEFAULT '',
  `svr_port` bigint(20) NOT NULL DEFAULT '0',
  PRIMARY KEY (`id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `server` (`id`, `zone`, `svr_ip`, `svr_port`) VALUES
(1, 'zone1', '127.0.0.1', 37749);

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
(1, 'sys', '2026-11-29 15:29:39.270870', '2026-11-29 15:29:39.270870', 'RANDOM', 'FULL{1}@zone1', NULL, 'MYSQL', 'NORMAL', 'NO', 'NO', 'PRIMARY', 'NORMAL', 0, 0, 0, 0, 0, 'NOARCHIVELOG', 'DISABLED', 1, '1.4.0.0', 1, 1.0e0, 1073741824, 2147483648, 'USER'),
(1002, 't', '2026-11-29 15:29:39.896482', '2026-11-29 15:29:53.200914', 'RANDOM', 'FULL{1}@zone1', NULL, 'MYSQL', 'NORMAL', 'NO', 'NO', 'PRIMARY', 'NORMAL', 0, 0, 0, 0, 0, 'ARCHIVELOG', 'DISABLED', 1, '1.4.0.0', 1, 1.0e0, 1073741824, 2147483648, 'USER'),
(1006, 't2', '2026-11-29 15:30:34.645529', '2026-11-29 15:30:44.151122', 'RANDOM', 'FULL{1}@zone1', NULL, 'MYSQL', 'NORMAL', 'NO', 'NO', 'STANDBY', 'NORMAL', 0, 1795966234000016001, 1795966234000016001, 1795966234000016001, 1795966234000016001, 'NOARCHIVELOG', 'DISABLED', 1, '1.4.0.0', 1, 1.0e0, 1073741824, 2147483648, 'USER');

CREATE TABLE `validate_job` (
  `tenant_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `incarnation` bigint(20) NOT NULL DEFAULT '1',
  `initiator_tenant_id` bigint(20) NOT NULL,
  `initiator_job_id` bigint(20) NOT NULL,
  `executor_tenant_id` varchar(65536) NOT NULL DEFAULT '',
  `type` varchar(64) NOT NULL DEFAULT '',
  `path` varchar(1024) NOT NULL DEFAULT '',
  `path_type` varchar(64) NOT NULL DEFAULT '',
  `id` varchar(512) NOT NULL DEFAULT '',
  `validate_level` varchar(64) NOT NULL DEFAULT '',
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `end_timestamp` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(64) NOT NULL DEFAULT '',
  `retry_count` bigint(20) NOT NULL DEFAULT '0',
  `task_count` bigint(20) NOT NULL DEFAULT '0',
  `success_task_count` bigint(20) NOT NULL DEFAULT '0',
  `result` bigint(20) NOT NULL DEFAULT '0',
  `description` varchar(4096) NOT NULL DEFAULT '',
  `comment` varchar(4096) NOT NULL DEFAULT '',
  `data_dest_id` bigint(20) NOT NULL DEFAULT '0',
  `archive_dest_id` bigint(20) NOT NULL DEFAULT '0',
  `owner_generation` bigint(20) NOT NULL DEFAULT '0',
  `cancel_requested` varchar(3) NOT NULL DEFAULT 'OFF',
  PRIMARY KEY (`tenant_id`, `job_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `validate_job` (`tenant_id`, `job_id`, `incarnation`, `initiator_tenant_id`, `initiator_job_id`, `executor_tenant_id`, `type`, `path`, `path_type`, `id`, `validate_level`, `start_timestamp`, `end_timestamp`, `status`, `retry_count`, `task_count`, `success_task_count`, `result`, `description`, `comment`, `data_dest_id`, `archive_dest_id`, `owner_generation`, `cancel_requested`) VALUES
(1, 1, 1, 1, 1, '1002', 'BACKUPSET', '', '', '', 'physical', '2026-11-29 15:30:07.758538', '2026-11-29 15:30:08.524832', 'COMPLETED', 0, 1, 1, 0, '', '', 0, 0, 1, 'OFF'),
(1, 2, 1, 1, 2, '1002', 'ARCHIVELOG_PIECE', '', '', '', 'physical', '2026-11-29 15:30:09.817194', '2026-11-29 15:30:09.999734', 'COMPLETED', 0, 1, 1, 0, '', '', 0, 0, 1, 'OFF'),
(1, 3, 1, 1, 3, '1002', 'DATABASE', '', '', '', 'restore', '2026-11-29 15:30:11.925152', '2026-11-29 15:30:27.481047', 'COMPLETED', 0, 1, 1, 0, '', '', 0, 0, 1, 'OFF'),
(1002, 1, 1, 1, 1, '1002', 'BACKUPSET', '', '', '', 'physical', '2026-11-29 15:30:07.758538', '2026-11-29 15:30:08.516299', 'COMPLETED', 0, 4, 4, 0, '', '', 1002, 0, 1, 'OFF'),
(1002, 2, 1, 1, 2, '1002', 'ARCHIVELOG_PIECE', '', '', '', 'physical', '2026-11-29 15:30:09.817194', '2026-11-29 15:30:09.995866', 'COMPLETED', 0, 1, 1, 0, '', '', 0, 1001, 1, 'OFF'),
(1002, 3, 1, 1, 3, '1002', 'DATABASE', '', '', '', 'restore', '2026-11-29 15:30:11.925152', '2026-11-29 15:30:27.378810', 'COMPLETED', 0, 1, 1, 0, '', '', 1002, 1001, 1, 'OFF');

CREATE TABLE `validate_proof` (
  `tenant_id` bigint(20) NOT NULL,
  `dest_id` bigint(20) NOT NULL,
  `name` varchar(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `size_bytes` bigint(20) NOT NULL DEFAULT '0',
  `digest` varchar(256) NOT NULL DEFAULT '',
  `validate_level` varchar(64) NOT NULL DEFAULT '',
  `proven_time` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`tenant_id`, `dest_id`, `name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `validate_proof` (`tenant_id`, `dest_id`, `name`, `size_bytes`, `digest`, `validate_level`, `proven_time`) VALUES
(1002, 1001, 'piece_d1001r1p1/logstream_1/log/0.obarc', 1013225, '- 0000000000736f8b 314891848 336 1795966209685250001', 'physical', '2026-11-29 15:30:09.978892'),
(1002, 1002, 'backup_set_1_full/data/000001', 96241, 'd13f356e095405e13b399990a87ef40713f562814c73035f24557ca4c064589b', 'physical', '2026-11-29 15:30:07.977274'),
(1002, 1002, 'backup_set_1_full/index', 480, 'dd82c38f76ff2827acd971e028c9ae8634f31656eba4b782d1c808815d79bfbc', 'physical', '2026-11-29 15:30:07.856789'),
(1002, 1002, 'backup_set_1_full/meta/account', 178, '4e924c1eee1de3676bc9654ebcb8cdb5412aacfe8b12b692abd3e7ef55fd65ba', 'physical', '2026-11-29 15:30:08.082545'),
(1002, 1002, 'backup_set_1_full/meta/etc/seekdb.data_version.bin', 147, '6f30206be9e35d114ba613ebba0e6d94ae89b946b3dc266d3f4aaa1a99e476d9', 'physical', '2026-11-29 15:30:08.048645'),
(1002, 1002, 'backup_set_1_full/meta/store/redo/sys/log_stream/meta/0', 1643, '7882ed05f84d8d0279b3e6a37f1cd02f74d223f7fe522563b6c3d9805105c272', 'physical', '2026-11-29 15:30:08.146402'),
(1002, 1002, 'backup_set_1_full/meta/store/slog/server/1', 585, 'a3129334ad4d6bb3909f4e87e5b63a9604169a2537f6083a231700e2f37760e2', 'physical', '2026-11-29 15:30:08.059978'),
(1002, 1002, 'backup_set_1_full/meta/store/slog/sys/1', 10183, '8cfb6bfbc5cef46ae5f457c4b1533bc768beb0bff78deb3cc8c0c5e772ea8e41', 'physical', '2026-11-29 15:30:08.070560'),
(1002, 1002, 'backup_set_1_full/meta/store/sstable/meta.db', 13061, 'afcceb8e51c3d6ba6f28303e18c2c5724350e4b6c01830c51b092374cd16b935', 'physical', '2026-11-29 15:30:08.011165'),
(1002, 1002, 'backup_set_2_inc/index', 480, '87a4991adc4d1b2403b43fcadc7213af9f43676d6039461bdae237646238576b', 'physical', '2026-11-29 15:30:08.164605'),
(1002, 1002, 'backup_set_2_inc/meta/account', 178, 'bb33d76f6dea8a5d134752398ff1fddbf5b697b839d7db7b1543df0a154a93f1', 'physical', '2026-11-29 15:30:08.199562'),
(1002, 1002, 'backup_set_2_inc/meta/etc/seekdb.data_version.bin', 147, 'c8a2a7030e6d56c170bc41524c8f79ed24ca94e645b27740172c005a5dfbcef1', 'physical', '2026-11-29 15:30:08.177483'),
(1002, 1002, 'backup_set_2_inc/meta/store/redo/sys/log_stream/meta/0', 1643, '35fb2c9224452be7d2c8b5373c66bfed9631e44101c047b5bd2632014ffeb10f', 'physical', '2026-11-29 15:30:08.321799'),
(1002, 1002, 'backup_set_2_inc/meta/store/slog/server/1', 585, 'c75ffe30069a3fbf839be8363a56f108890d9ea229e6a1fcbcffc968e4bdfb28', 'physical', '2026-11-29 15:30:08.185149'),
(1002, 1002, 'backup_set_2_inc/meta/store/slog/sys/1', 10183, 'a3746a1da2fdc30e52d9f51cdbf85fa00633df93dd0dbb375addd917b2e24762', 'physical', '2026-11-29 15:30:08.190250'),
(1002, 1002, 'backup_set_2_inc/meta/store/sstable/meta.db', 13061, 'ffa92897d65df8eb1f2f571cab9767b9dda1eca0993bba6f8688563e3cf2d52f', 'physical', '2026-11-29 15:30:08.168953'),
(1002, 1002, 'backup_set_3_full/data/000001', 96241, '2bb44577c3668d17db9ca47e3986451ff99ab1d743ab4e6cc3bffea756dcf230', 'physical', '2026-11-29 15:30:08.353991'),
(1002, 1002, 'backup_set_3_full/index', 480, '1251b5b411e89206997a39d260df9341766fb78d93f253f9120598a7e0f1374d', 'physical', '2026-11-29 15:30:08.333937'),
(1002, 1002, 'backup_set_3_full/log/piece_d1001r1p1/logstream_1/log/0.obarc', 1012719, 'a21c843ae9af5bd27e91a4f5904084611c0de4b5fe5d9925bfcf88d2b5cd8bae 0000000000736d3a 2436144166 335 1795966205854335000', 'physical', '2026-11-29 15:30:08.511452'),
(1002, 1002, 'backup_set_3_full/meta/account', 178, '7af7cb62a54c54db0c0f205f7fad2cca12a2a3a52f0234af00a5572e0aa81b44', 'physical', '2026-11-29 15:30:08.414780'),
(1002, 1002, 'backup_set_3_full/meta/etc/seekdb.data_version.bin', 147, '78f477684e821fc91d564e0855d20260409950727cafac36837a4780b58346e1', 'physical', '2026-11-29 15:30:08.383220'),
(1002, 1002, 'backup_set_3_full/meta/store/redo/sys/log_stream/meta/0', 1643, '2da26fbe5b9be1d7464545d0bfb355a86a39307d846734919175c436568f6849', 'physical', '2026-11-29 15:30:08.486899'),
(1002, 1002, 'backup_set_3_full/meta/store/slog/server/1', 585, '11c48571593408b5ad5beddb8619e625da4e5ea582aee5ce508051f50afd3738', 'physical', '2026-11-29 15:30:08.400041'),
(1002, 1002, 'backup_set_3_full/meta/store/slog/sys/1', 10183, '6b354ce91438955307efa503395a8caaf9d95810c89063cac27aa28c95868089', 'physical', '2026-11-29 15:30:08.405919'),
(1002, 1002, 'backup_set_3_full/meta/store/sstable/meta.db', 13061, '1cdcc2b85d99bd78a2b28f6679e8bf3aaec76a58aa51122390d1abbe6698cbb3', 'physical', '2026-11-29 15:30:08.367214');

CREATE TABLE `validate_task` (
  `tenant_id` bigint(20) NOT NULL,
  `task_id` bigint(20) NOT NULL,
  `incarnation` bigint(20) NOT NULL DEFAULT '1',
  `job_id` bigint(20) NOT NULL,
  `task_type` varchar(64) NOT NULL DEFAULT '',
  `id` bigint(20) NOT NULL,
  `path` varchar(1024) NOT NULL DEFAULT '',
  `path_type` varchar(64) NOT NULL DEFAULT '',
  `dest_id` bigint(20) NOT NULL,
  `plus_archivelog` varchar(4096) NOT NULL DEFAULT 'OFF',
  `initiator_task_id` bigint(20) NOT NULL DEFAULT '0',
  `validate_level` varchar(64) NOT NULL DEFAULT '',
  `round_id` bigint(20) NOT NULL DEFAULT '0',
  `start_timestamp` timestamp(6) NULL DEFAULT NULL,
  `end_timestamp` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(64) NOT NULL DEFAULT '',
  `total_ls_count` bigint(20) NOT NULL DEFAULT '1',
  `finish_ls_count` bigint(20) NOT NULL DEFAULT '0',
  `total_bytes` bigint(20) NOT NULL DEFAULT '0',
  `validated_bytes` bigint(20) NOT NULL DEFAULT '0',
  `result` bigint(20) NOT NULL DEFAULT '0',
  `comment` varchar(4096) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `task_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `validate_task` (`tenant_id`, `task_id`, `incarnation`, `job_id`, `task_type`, `id`, `path`, `path_type`, `dest_id`, `plus_archivelog`, `initiator_task_id`, `validate_level`, `round_id`, `start_timestamp`, `end_timestamp`, `status`, `total_ls_count`, `finish_ls_count`, `total_bytes`, `validated_bytes`, `result`, `comment`) VALUES
(1002, 1, 1, 1, 'BACKUPSET', 1, 'file:///backup/data/backup_set_1_full', 'BACKUP_SET_DEST', 1002, 'OFF', 0, 'physical', 0, '2026-11-29 15:30:07.831099', '2026-11-29 15:30:08.151960', 'COMPLETED', 1, 1, 125317, 125317, 0, ''),
(1002, 2, 1, 1, 'BACKUPSET', 2, 'file:///backup/data/backup_set_2_inc', 'BACKUP_SET_DEST', 1002, 'OFF', 0, 'physical', 0, '2026-11-29 15:30:08.157333', '2026-11-29 15:30:08.327146', 'COMPLETED', 1, 1, 29392, 29392, 0, ''),
(1002, 3, 1, 1, 'BACKUPSET', 3, 'file:///backup/data/backup_set_3_full', 'BACKUP_SET_DEST', 1002, 'OFF', 0, 'physical', 0, '2026-11-29 15:30:08.329056', '2026-11-29 15:30:08.490602', 'COMPLETED', 1, 1, 125747, 125747, 0, ''),
(1002, 4, 1, 1, 'ARCHIVELOG_PIECE', 1, 'file:///backup/data/backup_set_3_full/log/piece_d1001r1p1', 'ARCHIVELOG_PIECE_DEST', 1002, 'ON', 3, 'physical', 1, '2026-11-29 15:30:08.493132', '2026-11-29 15:30:08.513628', 'COMPLETED', 1, 1, 1013656, 1013656, 0, ''),
(1002, 5, 1, 2, 'ARCHIVELOG_PIECE', 1, 'file:///backup/archive/piece_d1001r1p1', 'ARCHIVELOG_PIECE_DEST', 1001, 'OFF', 0, 'physical', 1, '2026-11-29 15:30:09.836879', '2026-11-29 15:30:09.990648', 'COMPLETED', 1, 1, 1014161, 1014161, 0, ''),
(1002, 6, 1, 3, 'BACKUPSET', 3, 'file:///backup/data/backup_set_3_full', 'BACKUP_SET_DEST', 1002, 'OFF', 0, 'restore', 0, '2026-11-29 15:30:12.134637', '2026-11-29 15:30:27.308418', 'COMPLETED', 1, 1, 20147514, 20147514, 0, 'restored to SCN 1795966205905355397: 1 tables, 0 indexes, 1 assertions hold');
