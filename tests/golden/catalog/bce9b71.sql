-- The catalog of a server of bce9b71, engine 1.4.0, made by tests/golden/make_catalog.py.
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
(1002, 1001, 1, 1, 1795966339162523, 'ACTIVE', 1795966338924672114, 1795966338924672114, 1796052738924672114, 1795966388437081001, 1795966388437081001, 'AVAILABLE', 1, 0, 1, 1, 'none', 7650354, 1036320, 'file:///backup/archive');

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
(1002, 1001, 1, 'DOING', 1795966338924672114, 1795966388437081001, 1, 1, 86400000000, 0, 0, '', 1, 0, 1, 1, 'none', 7650354, 1036320, 'file:///backup/archive');

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
(1, 1, 1, 0, 1, 1, '1002', 'OFF', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:32:25.256047', '2026-11-29 15:32:27.002492', 'COMPLETED', 0, '', '', '', 0, 1, 1, 'OFF'),
(1, 2, 1, 0, 1, 2, '1002', 'OFF', 'INC', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:32:27.319571', '2026-11-29 15:32:28.749592', 'COMPLETED', 0, '', 'größer als 💾', '', 0, 1, 1, 'OFF'),
(1, 3, 1, 0, 1, 3, '1002', 'ON', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:32:29.440343', '2026-11-29 15:32:30.128443', 'COMPLETED', 0, '', '', '', 0, 1, 1, 'OFF'),
(1002, 1, 1, 1, 1, 1, '1002', 'OFF', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:32:25.260246', '2026-11-29 15:32:26.920709', 'COMPLETED', 0, '', '', 'file:///backup/data', 1002, 1, 1, 'OFF'),
(1002, 2, 1, 2, 1, 2, '1002', 'OFF', 'INC', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:32:27.323749', '2026-11-29 15:32:28.735144', 'COMPLETED', 0, '', 'größer als 💾', 'file:///backup/data', 1002, 1, 1, 'OFF'),
(1002, 3, 1, 3, 1, 3, '1002', 'ON', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:32:29.447212', '2026-11-29 15:32:30.120539', 'COMPLETED', 0, '', '', 'file:///backup/data', 1002, 1, 1, 'OFF');

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
(1002, 'FULL', '0 2 * * SUN', '+08:00', '2026-11-29 15:32:23.348085', '2026-12-05 18:00:32.406569', NULL, NULL, 0, 0, '');

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
(1002, 1, 1002, 1, 'FULL', 0, 0, '2026-11-29 15:32:25.292576', '2026-11-29 15:32:26.920709', 'SUCCESS', 'AVAILABLE', 'OFF', 1795966326207801001, 1795966344566528001, 1795966344566528001, 40759500, 121237, 26234, 362, 362, 6, 6, 8, 1, 1, 1, 1, 0, '', 'NONE', '', '1.4.0.0', 1, 'file:///backup/data', '1.4.0.0'),
(1002, 2, 1002, 1, 'INC', 1, 1, '2026-11-29 15:32:27.410883', '2026-11-29 15:32:28.735144', 'SUCCESS', 'AVAILABLE', 'OFF', 1795966326207801001, 1795966346030177001, 1795966346030177001, 21463142, 26234, 26234, 362, 362, 6, 6, 7, 1, 1, 1, 1, 0, '', 'NONE', '', '1.4.0.0', 1, 'file:///backup/data', '1.4.0.0'),
(1002, 3, 1002, 1, 'FULL', 0, 0, '2026-11-29 15:32:29.498095', '2026-11-29 15:32:30.120539', 'SUCCESS', 'AVAILABLE', 'ON', 1795966326207801001, 1795966346030177001, 1795966346030177001, 41770990, 1133663, 26234, 362, 362, 6, 6, 10, 1, 1, 1, 1, 0, '', 'NONE', '', '1.4.0.0', 1, 'file:///backup/data', '1.4.0.0');

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
(1002, 1, 1, 1, 1, '2026-11-29 15:32:25.292576', '2026-11-29 15:32:26.920709', 'COMPLETED', 1795966344566528001, 1795966344566528001, 1795966344566528001, 'NONE', '', 40759500, 121237, 26234, 362, 362, 6, 6, 8, 1, 1, 1, 1, 0, 0, 0, '', 'file:///backup/data'),
(1002, 2, 2, 1, 2, '2026-11-29 15:32:27.410883', '2026-11-29 15:32:28.735144', 'COMPLETED', 1795966346030177001, 1795966346030177001, 1795966346030177001, 'NONE', '', 21463142, 26234, 26234, 362, 362, 6, 6, 7, 1, 1, 1, 1, 0, 0, 0, '', 'file:///backup/data'),
(1002, 3, 3, 1, 3, '2026-11-29 15:32:29.498095', '2026-11-29 15:32:30.120539', 'COMPLETED', 1795966346030177001, 1795966346030177001, 1795966346030177001, 'NONE', '', 41770990, 1133663, 26234, 362, 362, 6, 6, 10, 1, 1, 1, 1, 2, 2, 0, '', 'file:///backup/data');

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
(1, 1, 1, 1, 1, '1002', 'DELETE OBSOLETE BACKUP', '', NULL, 'SYS_TENANT', '2026-11-29 15:32:37.886202', '2026-11-29 15:32:37.959379', 'COMPLETED', 1, 1, 0, '', '', 0, 1, 1, 'OFF'),
(1, 2, 1, 1, 2, '1002', 'DELETE BACKUPSET', '3', NULL, 'SYS_TENANT', '2026-11-29 15:32:39.929548', '2026-11-29 15:32:40.024047', 'FAILED', 1, 0, -9045, 'id=3(cannot delete backup set in current path when delete policy is set)', '', 0, 1, 1, 'OFF'),
(1002, 1, 1, 1, 1, '1002', 'DELETE OBSOLETE BACKUP', '', '2026-11-22 15:32:37.886202', 'SYS_TENANT', '2026-11-29 15:32:37.886202', '2026-11-29 15:32:37.953165', 'COMPLETED', 0, 0, 0, '', '', 0, 1, 1, 'OFF'),
(1002, 2, 1, 1, 2, '1002', 'DELETE BACKUPSET', '3', NULL, 'SYS_TENANT', '2026-11-29 15:32:39.929548', '2026-11-29 15:32:39.993883', 'FAILED', 0, 0, -9045, 'id=3(cannot delete backup set in current path when delete policy is set)', '', 0, 1, 1, 'OFF');

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
(1002, 'default', '7d', 1, 0, '2026-11-29 15:32:20.945645');

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
(1002, 1001, 'archive_log', 'file:///backup/archive', '', '', '', 'check_file/1002_connect_file_20261129T153218.obbak', '2026-11-29 15:32:18.996644', '2026-11-29 15:32:12.167410', 1),
(1002, 1002, 'backup_data', 'file:///backup/data', '', '', '', 'check_file/1002_connect_file_20261129T153229.obbak', '2026-11-29 15:32:29.485713', '2026-11-29 15:32:14.772936', 1);

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
(1, 'resource_pool', 1003),
(1, 'resource_unit', 1004),
(1, 'restore_job', 2),
(1, 'tenant', 1006),
(1, 'validate_job', 2),
(1002, 'archive_round', 1),
(1002, 'backup_job', 3),
(1002, 'backup_set', 3),
(1002, 'backup_task', 3),
(1002, 'delete_job', 2),
(1002, 'destination', 1002),
(1002, 'import_table_job', 1),
(1002, 'import_table_task', 1),
(1002, 'recover_table_job', 1),
(1002, 'validate_job', 2),
(1002, 'validate_task', 5),
(1004, 'restore_job', 1),
(1006, 'restore_job', 1);

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
(1002, 1, 1002, 1, '2026-11-29 15:33:01.183193', '2026-11-29 15:33:02.048940', 'AUX_RECOVER$1795966373837279', 1006, 'IMPORT_FINISH', 0, '', 'test.a', '', 'test.a:test.b', NULL, NULL, 1, 1, 0, 'SUCCESS', '', '');

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
(1002, 1, 1, 1006, '', '', '', '', 'test', 'a', '', 'test', 'b', 2, 'FINISH', '2026-11-29 15:33:01.527999', '2026-11-29 15:33:01.695761', 0, 0, 0, 0, 0, 0, 0, 0, 0, 'SUCCESS', '', 2);

CREATE TABLE `installed` (
  `name` varchar(64) NOT NULL,
  `value` varchar(128) NOT NULL,
  PRIMARY KEY (`name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `installed` (`name`, `value`) VALUES
('schema_version', '1'),
('t1002', 'b246f85f5661e2123b59eb6766fffdb2'),
('t1004', '1994e1f83ad0aa181443e45064cbb4cd'),
('tables', '131933bff6fb5c687382774ff3c31836'),
('views', '54b2d863ccbc37fc216f8d5a21261ee9');

CREATE TABLE `parameter` (
  `tenant_id` bigint(20) NOT NULL,
  `name` varchar(128) NOT NULL DEFAULT '',
  `value` varchar(65536) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`, `name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `parameter` (`tenant_id`, `name`, `value`) VALUES
(1002, 'archive_lag_target', '0ms'),
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
('backup_full_schedule', 'STRING', '', 'Holdfast\'s own: when full backups begin by themselves, five cron words such as \'0 2 * * SUN\'; empty = never', 'TENANT', 'DYNAMIC_EFFECTIVE');

CREATE TABLE `pin` (
  `tenant_id` bigint(20) NOT NULL,
  `backup_set_id` bigint(20) NOT NULL,
  `note` varchar(4096) NOT NULL DEFAULT '',
  `pin_timestamp` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`tenant_id`, `backup_set_id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `pin` (`tenant_id`, `backup_set_id`, `note`, `pin_timestamp`) VALUES
(1002, 1, 'audit 2026', '2026-11-29 15:32:35.831819');

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
(1, 1, 1, 1, '2026-11-29 15:32:54.170873', '2026-11-29 15:33:04.438746', 'COMPLETED', 'AUX_RECOVER$1795966373837279', 't', 0, '', 'test.a', 1795966373810965015, '', 'file:///backup/data,file:///backup/archive', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', '', '', '', 'test.a:test.b', NULL, NULL, 'SUCCESS', '', '', 'ALTER SYSTEM RECOVER TABLE test.a TO TENANT = t FROM \'file:///backup/data,file:///backup/archive\' REMAP TABLE test.a:b', 1002, 1006, 1, 1, 'OFF'),
(1002, 1, 1, 1, '2026-11-29 15:32:54.170873', '2026-11-29 15:33:04.438746', 'COMPLETED', 'AUX_RECOVER$1795966373837279', 't', 0, '', 'test.a', 1795966373810965015, '', 'file:///backup/data,file:///backup/archive', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', '', '', '', 'test.a:test.b', NULL, NULL, 'SUCCESS', '', '', 'ALTER SYSTEM RECOVER TABLE test.a TO TENANT = t FROM \'file:///backup/data,file:///backup/archive\' REMAP TABLE test.a:b', 1002, 1006, 1, 1, 'OFF');

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
(1001, '_default_1002', 1002, '2026-11-29 15:32:04.077484', '2026-11-29 15:32:04.114284', 1, 1001, 'zone1', 'FULL'),
(1002, '_default_1004', 1004, '2026-11-29 15:32:42.008806', '2026-11-29 15:32:42.023883', 1, 1002, 'zone1', 'FULL');

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
(1001, '_default_1002', '2026-11-29 15:32:04.059271', '2026-11-29 15:32:04.059271', 1.0e0, 1.0e0, 1073741824, 2147483648, 9223372036854775807, 9223372036854775807, 0),
(1002, '_default_1004', '2026-11-29 15:32:42.002052', '2026-11-29 15:32:42.002052', 1.0e0, 1.0e0, 1073741824, 2147483648, 9223372036854775807, 9223372036854775807, 0),
(1004, 'u', '2026-11-29 15:33:04.471517', '2026-11-29 15:33:04.471517', 1.0e0, 1.0e0, 1073741824, 3221225472, 9223372036854775807, 9223372036854775807, 0);

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
(1, 1, 't2', 1004, 't', 1002, 'holdfast', 'file:///backup/data,file:///backup/archive', '', 1795966360219786001, 'RESTORE_SUCCESS', '2026-11-29 15:32:42.078340', '2026-11-29 15:32:53.616500', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966346030177001, 1795966360219786001, 1, 1, 0, 0, 20163469, 20163469, '', '', 1, 1, 'OFF'),
(1, 2, 'AUX_RECOVER$1795966373837279', 1006, 't', 1002, 'holdfast', 'file:///backup/data,file:///backup/archive', '', 1795966373810965015, 'RESTORE_SUCCESS', '2026-11-29 15:32:54.152388', '2026-11-29 15:33:00.889275', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966346030177001, 1795966373810965015, 1, 1, 0, 0, 20211666, 20211666, 'recover table into t', '', 1, 1, 'OFF'),
(1004, 1, 't2', 1004, 't', 1002, 'holdfast', 'file:///backup/data,file:///backup/archive', '', 1795966360219786001, 'RESTORE_SUCCESS', '2026-11-29 15:32:42.078340', '2026-11-29 15:32:53.616500', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966346030177001, 1795966360219786001, 1, 1, 0, 0, 20163469, 20163469, '', '', 1, 1, 'OFF'),
(1006, 1, 'AUX_RECOVER$1795966373837279', 1006, 't', 1002, 'holdfast', 'file:///backup/data,file:///backup/archive', '', 1795966373810965015, 'RESTORE_SUCCESS', '2026-11-29 15:32:54.152388', '2026-11-29 15:33:00.889275', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966346030177001, 1795966373810965015, 1, 1, 0, 0, 20211666, 20211666, 'recover table into t', '', 1, 1, 'OFF');

CREATE TABLE `server` (
  `id` bigint(20) NOT NULL,
  `zone` varchar(128) NOT NULL DEFAULT '',
  `svr_ip` varchar(46) NOT NULL DEFAULT '',
  `svr_port` bigint(20) NOT NULL DEFAULT '0',
  PRIMARY KEY (`id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `server` (`id`, `zone`, `svr_ip`, `svr_port`) VALUES
(1, 'zone1', '127.0.0.1', 44497);

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
(1, 'sys', '2026-11-29 15:32:02.792955', '2026-11-29 15:32:02.792955', 'RANDOM', 'FULL{1}@zone1', NULL, 'MYSQL', 'NORMAL', 'NO', 'NO', 'PRIMARY', 'NORMAL', 0, 0, 0, 0, 0, 'NOARCHIVELOG', 'DISABLED', 1, '1.4.0.0', 1, 1.0e0, 1073741824, 2147483648, 'USER'),
(1002, 't', '2026-11-29 15:32:04.041792', '2026-11-29 15:32:18.901583', 'RANDOM', 'FULL{1}@zone1', NULL, 'MYSQL', 'NORMAL', 'NO', 'NO', 'PRIMARY', 'NORMAL', 0, 0, 0, 0, 0, 'ARCHIVELOG', 'DISABLED', 1, '1.4.0.0', 1, 1.0e0, 1073741824, 2147483648, 'USER'),
(1004, 't2', '2026-11-29 15:32:41.989994', '2026-11-29 15:32:53.635897', 'RANDOM', 'FULL{1}@zone1', NULL, 'MYSQL', 'NORMAL', 'NO', 'NO', 'STANDBY', 'NORMAL', 0, 1795966360219786001, 1795966360219786001, 1795966360219786001, 1795966360219786001, 'NOARCHIVELOG', 'DISABLED', 1, '1.4.0.0', 1, 1.0e0, 1073741824, 2147483648, 'USER');

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
(1, 1, 1, 1, 1, '1002', 'BACKUPSET', '', '', '', 'physical', '2026-11-29 15:32:31.461809', '2026-11-29 15:32:32.481455', 'COMPLETED', 0, 1, 1, 0, '', '', 0, 0, 1, 'OFF'),
(1, 2, 1, 1, 2, '1002', 'ARCHIVELOG_PIECE', '', '', '', 'physical', '2026-11-29 15:32:33.501421', '2026-11-29 15:32:33.557048', 'COMPLETED', 0, 1, 1, 0, '', '', 0, 0, 1, 'OFF'),
(1002, 1, 1, 1, 1, '1002', 'BACKUPSET', '', '', '', 'physical', '2026-11-29 15:32:31.461809', '2026-11-29 15:32:32.470895', 'COMPLETED', 0, 4, 4, 0, '', '', 1002, 0, 1, 'OFF'),
(1002, 2, 1, 1, 2, '1002', 'ARCHIVELOG_PIECE', '', '', '', 'physical', '2026-11-29 15:32:33.501421', '2026-11-29 15:32:33.551924', 'COMPLETED', 0, 1, 1, 0, '', '', 0, 1001, 1, 'OFF');

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
(1002, 1001, 'piece_d1001r1p1/logstream_1/log/0.obarc', 1011938, '- 00000000007373e3 985634940 370 1795966351035682000', 'physical', '2026-11-29 15:32:33.544189'),
(1002, 1002, 'backup_set_1_full/data/000001', 95003, 'd274786df5da0aae420c0241c9333e46c1392181cad85cd455902d1b66604ce4', 'physical', '2026-11-29 15:32:31.586036'),
(1002, 1002, 'backup_set_1_full/index', 480, '7cc4859179f8451e18ac7e2eac3c984c70949786c8e6ab56d5c58b164e1a4002', 'physical', '2026-11-29 15:32:31.530979'),
(1002, 1002, 'backup_set_1_full/meta/account', 178, '6a16be813edf0a6c8ea8385bad1db677fc29a341a3d52928b9e452349a38872b', 'physical', '2026-11-29 15:32:31.647532'),
(1002, 1002, 'backup_set_1_full/meta/etc/seekdb.data_version.bin', 147, '6f30206be9e35d114ba613ebba0e6d94ae89b946b3dc266d3f4aaa1a99e476d9', 'physical', '2026-11-29 15:32:31.615210'),
(1002, 1002, 'backup_set_1_full/meta/store/redo/sys/log_stream/meta/0', 1643, '7882ed05f84d8d0279b3e6a37f1cd02f74d223f7fe522563b6c3d9805105c272', 'physical', '2026-11-29 15:32:31.705044'),
(1002, 1002, 'backup_set_1_full/meta/store/slog/server/1', 588, 'cb79509c2014b84be52777cc32534b08d6cece756430419ad45d2ff53fe16f64', 'physical', '2026-11-29 15:32:31.628860'),
(1002, 1002, 'backup_set_1_full/meta/store/slog/sys/1', 10123, '01945d5fa25534ca9210b3d1ee783c87e22334299cb25841c79608a4c396b5fb', 'physical', '2026-11-29 15:32:31.634558'),
(1002, 1002, 'backup_set_1_full/meta/store/sstable/meta.db', 13075, '3ef5d9e923231f79272b4b145647668426cc8b70f71fbd8c52bd1f4538d86705', 'physical', '2026-11-29 15:32:31.596029'),
(1002, 1002, 'backup_set_2_inc/index', 480, '9d36173e7980ed9d53d1311df144903ad29c061ba5b327dfb0d6ad2d37f8d9d1', 'physical', '2026-11-29 15:32:31.721776'),
(1002, 1002, 'backup_set_2_inc/meta/account', 178, '42effb5727bd9dad95c5e5cd112d8854f881382c80bb569e4c28feb82cbd4f64', 'physical', '2026-11-29 15:32:31.758736'),
(1002, 1002, 'backup_set_2_inc/meta/etc/seekdb.data_version.bin', 147, 'c8a2a7030e6d56c170bc41524c8f79ed24ca94e645b27740172c005a5dfbcef1', 'physical', '2026-11-29 15:32:31.738093'),
(1002, 1002, 'backup_set_2_inc/meta/store/redo/sys/log_stream/meta/0', 1643, '35fb2c9224452be7d2c8b5373c66bfed9631e44101c047b5bd2632014ffeb10f', 'physical', '2026-11-29 15:32:32.175752'),
(1002, 1002, 'backup_set_2_inc/meta/store/slog/server/1', 588, '931ee986f11fef5a262b9bbbd7e37c2f92ab37fc803079d393f0aa4080ca3d45', 'physical', '2026-11-29 15:32:31.745181'),
(1002, 1002, 'backup_set_2_inc/meta/store/slog/sys/1', 10123, 'a75f92d4cd707504a5ea4ee1b9b3fdc9ddcf8b9274887c1b0cd79ed4e407a1c4', 'physical', '2026-11-29 15:32:31.747716'),
(1002, 1002, 'backup_set_2_inc/meta/store/sstable/meta.db', 13075, '80ab95a9af95d122ece68a0525664affcb8ae0b360c23007fe90af41507e6aa0', 'physical', '2026-11-29 15:32:31.724887'),
(1002, 1002, 'backup_set_3_full/data/000001', 95003, '3b4d9a93ccbacf8b964d09a62a1a49367b43bcbe95f26991cecef22b61e685c0', 'physical', '2026-11-29 15:32:32.214218'),
(1002, 1002, 'backup_set_3_full/index', 480, '999fae4948b875897768d4d81383667e3d184c6d55c4d9397885dd9134351d51', 'physical', '2026-11-29 15:32:32.199518'),
(1002, 1002, 'backup_set_3_full/log/piece_d1001r1p1/logstream_1/log/0.obarc', 1011490, '185024d97b000203486d3e886ecb2e5a502bd085783190b5893f62ac2f29e2a0 0000000000737303 4085203944 368 1795966346030177001', 'physical', '2026-11-29 15:32:32.440439'),
(1002, 1002, 'backup_set_3_full/meta/account', 178, '7fac565ba4f94e23614e34648698b690fef88870cd6e57b4c0898e3086dffa53', 'physical', '2026-11-29 15:32:32.292674'),
(1002, 1002, 'backup_set_3_full/meta/etc/seekdb.data_version.bin', 147, '78f477684e821fc91d564e0855d20260409950727cafac36837a4780b58346e1', 'physical', '2026-11-29 15:32:32.225876'),
(1002, 1002, 'backup_set_3_full/meta/store/redo/sys/log_stream/meta/0', 1643, '2da26fbe5b9be1d7464545d0bfb355a86a39307d846734919175c436568f6849', 'physical', '2026-11-29 15:32:32.394762'),
(1002, 1002, 'backup_set_3_full/meta/store/slog/server/1', 588, 'a51a6f4218bfe5187ebdfc824f5f5b5bc03e16bc1d8ad3494dabee488c88bcbc', 'physical', '2026-11-29 15:32:32.230003'),
(1002, 1002, 'backup_set_3_full/meta/store/slog/sys/1', 10123, 'f7806eaa58bdc9f709a7e086b26248561f00f12a04df7a681a8e2f36d62c3740', 'physical', '2026-11-29 15:32:32.271420'),
(1002, 1002, 'backup_set_3_full/meta/store/sstable/meta.db', 13075, '7fd48a033a2e2b9ca15966887a4c362ec9539d2e66726944a1f471c9a040197e', 'physical', '2026-11-29 15:32:32.224272');

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
(1002, 1, 1, 1, 'BACKUPSET', 1, 'file:///backup/data/backup_set_1_full', 'BACKUP_SET_DEST', 1002, 'OFF', 0, 'physical', 0, '2026-11-29 15:32:31.510410', '2026-11-29 15:32:31.708128', 'COMPLETED', 1, 1, 124035, 124035, 0, ''),
(1002, 2, 1, 1, 'BACKUPSET', 2, 'file:///backup/data/backup_set_2_inc', 'BACKUP_SET_DEST', 1002, 'OFF', 0, 'physical', 0, '2026-11-29 15:32:31.712961', '2026-11-29 15:32:32.192195', 'COMPLETED', 1, 1, 29348, 29348, 0, ''),
(1002, 3, 1, 1, 'BACKUPSET', 3, 'file:///backup/data/backup_set_3_full', 'BACKUP_SET_DEST', 1002, 'OFF', 0, 'physical', 0, '2026-11-29 15:32:32.195344', '2026-11-29 15:32:32.398621', 'COMPLETED', 1, 1, 124465, 124465, 0, ''),
(1002, 4, 1, 1, 'ARCHIVELOG_PIECE', 1, 'file:///backup/data/backup_set_3_full/log/piece_d1001r1p1', 'ARCHIVELOG_PIECE_DEST', 1002, 'ON', 3, 'physical', 1, '2026-11-29 15:32:32.409951', '2026-11-29 15:32:32.465459', 'COMPLETED', 1, 1, 1012426, 1012426, 0, ''),
(1002, 5, 1, 2, 'ARCHIVELOG_PIECE', 1, 'file:///backup/archive/piece_d1001r1p1', 'ARCHIVELOG_PIECE_DEST', 1001, 'OFF', 0, 'physical', 1, '2026-11-29 15:32:33.525018', '2026-11-29 15:32:33.549030', 'COMPLETED', 1, 1, 1012873, 1012873, 0, '');
