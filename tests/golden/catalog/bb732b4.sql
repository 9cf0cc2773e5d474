-- The catalog of a server of bb732b4, engine 1.4.0, made by tests/golden/make_catalog.py.
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
(1002, 1001, 1, 1, 1795966188550907, 'ACTIVE', 1795966188142442934, 1795966188142442934, 1796052588142442934, 1795966209522167001, 1795966209522167001, 'AVAILABLE', 1, 0, 1, 1, 'none', 7566985, 1012040, 'file:///backup/archive');

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
(1002, 1001, 1, 'DOING', 1795966188142442934, 1795966209522167001, 1, 1, 86400000000, 0, 0, '', 1, 0, 1, 1, 'none', 7566985, 1012040, 'file:///backup/archive');

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
(1, 1, 1, 0, 1, 1, '1002', 'OFF', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:29:50.219410', '2026-11-29 15:29:52.713117', 'COMPLETED', 0, '', '', '', 0, 1, 1, 'OFF'),
(1, 2, 1, 0, 1, 2, '1002', 'OFF', 'INC', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:29:52.812455', '2026-11-29 15:29:54.445265', 'COMPLETED', 0, '', 'größer als 💾', '', 0, 1, 1, 'OFF'),
(1, 3, 1, 0, 1, 3, '1002', 'ON', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:29:54.845718', '2026-11-29 15:29:55.569611', 'COMPLETED', 0, '', '', '', 0, 1, 1, 'OFF'),
(1002, 1, 1, 1, 1, 1, '1002', 'OFF', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:29:50.228560', '2026-11-29 15:29:52.614171', 'COMPLETED', 0, '', '', 'file:///backup/data', 1002, 1, 1, 'OFF'),
(1002, 2, 1, 2, 1, 2, '1002', 'OFF', 'INC', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:29:52.815626', '2026-11-29 15:29:54.406487', 'COMPLETED', 0, '', 'größer als 💾', 'file:///backup/data', 1002, 1, 1, 'OFF'),
(1002, 3, 1, 3, 1, 3, '1002', 'ON', 'FULL', 'SYS_TENANT', 'NONE', '', '2026-11-29 15:29:54.882805', '2026-11-29 15:29:55.559908', 'COMPLETED', 0, '', '', 'file:///backup/data', 1002, 1, 1, 'OFF');

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
(1002, 1, 1002, 1, 'FULL', 0, 0, '2026-11-29 15:29:50.279201', '2026-11-29 15:29:52.614171', 'SUCCESS', 'AVAILABLE', 'OFF', 1795966177095786001, 1795966190936227001, 1795966190936227001, 16891904, 123074, 26320, 362, 362, 6, 6, 8, 1, 1, 1, 1, 0, '', 'NONE', '', '1.4.0.0', 1, 'file:///backup/data', '1.4.0.0'),
(1002, 2, 1002, 1, 'INC', 1, 1, '2026-11-29 15:29:52.872465', '2026-11-29 15:29:54.406487', 'SUCCESS', 'AVAILABLE', 'OFF', 1795966177095786001, 1795966190936227001, 1795966190936227001, 8445952, 26320, 26320, 362, 362, 6, 6, 7, 1, 1, 1, 1, 0, '', 'NONE', '', '1.4.0.0', 1, 'file:///backup/data', '1.4.0.0'),
(1002, 3, 1002, 1, 'FULL', 0, 0, '2026-11-29 15:29:54.920011', '2026-11-29 15:29:55.559908', 'SUCCESS', 'AVAILABLE', 'ON', 1795966177095786001, 1795966190936227001, 1795966190936227001, 17901581, 1133687, 26320, 362, 362, 6, 6, 10, 1, 1, 1, 1, 0, '', 'NONE', '', '1.4.0.0', 1, 'file:///backup/data', '1.4.0.0');

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
(1002, 1, 1, 1, 1, '2026-11-29 15:29:50.279201', '2026-11-29 15:29:52.614171', 'COMPLETED', 1795966188096581005, 1795966190936227001, 1795966188096581005, 'NONE', '', 16891904, 123074, 26320, 362, 362, 6, 6, 8, 1, 1, 1, 1, 0, 0, 0, '', 'file:///backup/data'),
(1002, 2, 2, 1, 2, '2026-11-29 15:29:52.872465', '2026-11-29 15:29:54.406487', 'COMPLETED', 1795966190936227001, 1795966190936227001, 1795966190936227001, 'NONE', '', 8445952, 26320, 26320, 362, 362, 6, 6, 7, 1, 1, 1, 1, 0, 0, 0, '', 'file:///backup/data'),
(1002, 3, 3, 1, 3, '2026-11-29 15:29:54.920011', '2026-11-29 15:29:55.559908', 'COMPLETED', 1795966190936227001, 1795966190936227001, 1795966190936227001, 'NONE', '', 17901581, 1133687, 26320, 362, 362, 6, 6, 10, 1, 1, 1, 1, 2, 2, 0, '', 'file:///backup/data');

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
(1002, 1001, 'archive_log', 'file:///backup/archive', '', '', '', 'check_file/1002_connect_file_20261129T152948.obbak', '2026-11-29 15:29:48.240164', '2026-11-29 15:29:41.657380', 1),
(1002, 1002, 'backup_data', 'file:///backup/data', '', '', '', 'check_file/1002_connect_file_20261129T152954.obbak', '2026-11-29 15:29:54.902704', '2026-11-29 15:29:44.015925', 1);

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
(1, 'resource_pool', 1002),
(1, 'resource_unit', 1003),
(1, 'restore_job', 1),
(1, 'tenant', 1004),
(1002, 'archive_round', 1),
(1002, 'backup_job', 3),
(1002, 'backup_set', 3),
(1002, 'backup_task', 3),
(1002, 'destination', 1002),
(1004, 'restore_job', 1);

CREATE TABLE `installed` (
  `name` varchar(64) NOT NULL,
  `value` varchar(128) NOT NULL,
  PRIMARY KEY (`name`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `installed` (`name`, `value`) VALUES
('schema_version', '1'),
('t1002', '37df15a68d05cd8ed1212dd7577d4853'),
('t1004', 'b4cecf895c17dbe726afe0cdbe2f5342'),
('views', 'eb4f630c89fe6287c523a3b330019a7b');

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
('backup_data_file_size', 'CAPACITY', '4G', 'size of one data file of a backup set. Range: [512M,4G]', 'TENANT', 'DYNAMIC_EFFECTIVE'),
('external_kms_info', 'STRING', '', 'key service of transparent encryption; seekdb has none', 'TENANT', 'DYNAMIC_EFFECTIVE'),
('ha_high_thread_score', 'INT', '0', 'weight of the threads of restore. 0 means 8 threads. Range: [0,100]', 'TENANT', 'DYNAMIC_EFFECTIVE');

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
(1001, '_default_1002', 1002, '2026-11-29 15:29:36.286645', '2026-11-29 15:29:36.305131', 1, 1001, 'zone1', 'FULL'),
(1002, '_default_1004', 1004, '2026-11-29 15:29:56.949871', '2026-11-29 15:29:56.954618', 1, 1002, 'zone1', 'FULL');

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
(1001, '_default_1002', '2026-11-29 15:29:36.275020', '2026-11-29 15:29:36.275020', 1.0e0, 1.0e0, 1073741824, 2147483648, 9223372036854775807, 9223372036854775807, 0),
(1002, '_default_1004', '2026-11-29 15:29:56.947027', '2026-11-29 15:29:56.947027', 1.0e0, 1.0e0, 1073741824, 2147483648, 9223372036854775807, 9223372036854775807, 0),
(1003, 'u', '2026-11-29 15:30:04.527852', '2026-11-29 15:30:04.527852', 1.0e0, 1.0e0, 1073741824, 3221225472, 9223372036854775807, 9223372036854775807, 0);

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
(1, 1, 't2', 1004, 't', 1002, 'holdfast', 'file:///backup/data,file:///backup/archive', '', 1795966195670343001, 'RESTORE_SUCCESS', '2026-11-29 15:29:56.974268', '2026-11-29 15:30:04.440372', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966190936227001, 1795966195670343001, 1, 1, 0, 0, 20148376, 20148376, '', '', 1, 1, 'OFF'),
(1004, 1, 't2', 1004, 't', 1002, 'holdfast', 'file:///backup/data,file:///backup/archive', '', 1795966195670343001, 'RESTORE_SUCCESS', '2026-11-29 15:29:56.974268', '2026-11-29 15:30:04.440372', 'file:///backup/data/backup_set_3_full', 'file:///backup/archive/piece_d1001r1p1', 0, 1795966190936227001, 1795966195670343001, 1, 1, 0, 0, 20148376, 20148376, '', '', 1, 1, 'OFF');

CREATE TABLE `server` (
  `id` bigint(20) NOT NULL,
  `zone` varchar(128) NOT NULL DEFAULT '',
  `svr_ip` varchar(46) NOT NULL DEFAULT '',
  `svr_port` bigint(20) NOT NULL DEFAULT '0',
  PRIMARY KEY (`id`)
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `server` (`id`, `zone`, `svr_ip`, `svr_port`) VALUES
(1, 'zone1', '127.0.0.1', 41167);

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
  PRIMARY KEY (`tenant_id`),
  UNIQUE KEY `tenant_name` (`tenant_name`) BLOCK_SIZE 16384 LOCAL
) ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' BLOCK_SIZE = 16384 TABLET_SIZE = 134217728 PCTFREE = 0;

INSERT INTO `tenant` (`tenant_id`, `tenant_name`, `create_time`, `modify_time`, `primary_zone`, `locality`, `previous_locality`, `compatibility_mode`, `status`, `in_recyclebin`, `locked`, `tenant_role`, `switchover_status`, `switchover_epoch`, `sync_scn`, `replayable_scn`, `readable_scn`, `recovery_until_scn`, `log_mode`, `arbitration_service_status`, `unit_num`, `compatible`, `max_ls_id`, `max_cpu`, `memory_size_bytes`, `log_disk_size_bytes`) VALUES
(1, 'sys', '2026-11-29 15:29:35.946630', '2026-11-29 15:29:35.946630', 'RANDOM', 'FULL{1}@zone1', NULL, 'MYSQL', 'NORMAL', 'NO', 'NO', 'PRIMARY', 'NORMAL', 0, 0, 0, 0, 0, 'NOARCHIVELOG', 'DISABLED', 1, '1.4.0.0', 1, 1.0e0, 1073741824, 2147483648),
(1002, 't', '2026-11-29 15:29:36.258937', '2026-11-29 15:29:48.125005', 'RANDOM', 'FULL{1}@zone1', NULL, 'MYSQL', 'NORMAL', 'NO', 'NO', 'PRIMARY', 'NORMAL', 0, 0, 0, 0, 0, 'ARCHIVELOG', 'DISABLED', 1, '1.4.0.0', 1, 1.0e0, 1073741824, 2147483648),
(1004, 't2', '2026-11-29 15:29:56.938510', '2026-11-29 15:30:04.459673', 'RANDOM', 'FULL{1}@zone1', NULL, 'MYSQL', 'NORMAL', 'NO', 'NO', 'STANDBY', 'NORMAL', 0, 1795966195670343001, 1795966195670343001, 1795966195670343001, 1795966195670343001, 'NOARCHIVELOG', 'DISABLED', 1, '1.4.0.0', 1, 1.0e0, 1073741824, 2147483648);
