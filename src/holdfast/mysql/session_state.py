"""The state every session of ours with an engine begins with: each session variable there is, set by us. Pure.

A session begins with the globals of its engine, and those are a tenant's to change (in sys: root@sys's). Whatever an answer of ours
rests on must not come from there: `sql_select_limit = 50` made a table recovery bring 50 of 100 rows and say SUCCESS. So nothing is
inherited: not the variables that are known to matter are set, but all that can be. `DEFAULT` is of no use, it means the global
(measured on 1.4.0), so the engine's compiled-in values stand here, as `oceanbase.__all_virtual_sys_variable_default_value` lists them.

Which variables there are is asked of the real engine by tests/engine/test_live_session_state.py: one that is new there fails it.
Setting them takes one round trip and 1 ms. Texts hold no quote, no backslash and no double quote, so no sql_mode reads them otherwise.
"""

from collections.abc import Mapping

Value = int | str

_COMPILED_IN: Mapping[str, Value] = {
    "_aggregation_optimization_settings": 0,
    "_enable_storage_cardinality_estimation": 1,
    "_nlj_batching_enabled": 1,
    "_optimizer_cost_based_transformation": 1,
    "_optimizer_gather_stats_on_load": 1,
    "_push_join_predicate": 1,
    "_px_shared_hash_join": 1,
    "_windowfunc_optimization_settings": 0,
    "auto_increment_increment": 1,
    "auto_increment_offset": 1,
    "autocommit": 1,
    "big_tables": 0,
    "binlog_direct_non_transactional_updates": 0,
    "binlog_row_image": "FULL",
    "block_encryption_mode": "aes-128-ecb",
    "bulk_insert_buffer_size": 8388608,
    "cardinality_estimation_model": "PARTIAL",
    "character_set_client": "utf8mb4",
    "character_set_connection": "utf8mb4",
    "character_set_database": "utf8mb4",
    "character_set_filesystem": "binary",
    "character_set_results": "utf8mb4",
    "character_set_server": "utf8mb4",
    "collation_connection": "utf8mb4_general_ci",
    "collation_database": "utf8mb4_general_ci",
    "collation_server": "utf8mb4_general_ci",
    "completion_type": "NO_CHAIN",
    "concurrent_insert": "AUTO",
    "cte_max_recursion_depth": 1000,
    "cursor_sharing": "FORCE",
    "debug": "d:t:i:o,/tmp/mysqld.trace",
    "default_authentication_plugin": "mysql_native_password",
    "default_collation_for_utf8mb4": "utf8mb4_general_ci",
    "default_tmp_storage_engine": "InnoDB",
    "default_week_format": 0,
    "disabled_storage_engines": "",
    "div_precision_increment": 4,
    "enable_optimizer_rowgoal": "AUTO",
    "eq_range_index_dive_limit": 200,
    "error_on_overlap_time": 0,
    "explicit_defaults_for_timestamp": 1,
    "foreign_key_checks": 1,
    "general_log": 0,
    "group_concat_max_len": 1024,
    "group_replication_force_members": "",
    "group_replication_group_name": "",
    "group_replication_group_seeds": "",
    "group_replication_gtid_assignment_block_size": "",
    "group_replication_ip_whitelist": "AUTOMATIC",
    "group_replication_local_address": "",
    "group_replication_recovery_ssl_ca": "",
    "group_replication_recovery_ssl_capath": "",
    "group_replication_recovery_ssl_cert": "",
    "group_replication_recovery_ssl_cipher": "",
    "group_replication_recovery_ssl_crl": "",
    "group_replication_recovery_ssl_crlpath": "",
    "group_replication_recovery_ssl_key": "",
    "have_openssl": "YES",
    "have_profiling": "NO",
    "have_ssl": "YES",
    "hostname": "",
    "information_schema_stats_expiry": 86400,
    "innodb_lock_wait_timeout": 50,
    "innodb_strict_mode": 1,
    "innodb_table_locks": 1,
    "innodb_tmpdir": "",
    "interactive_timeout": 28800,
    "join_buffer_size": 262144,
    "keep_files_on_create": 0,
    "lc_messages": "en_US",
    "lc_time_names": "en_US",
    "local_infile": 1,
    "lock_wait_timeout": 31536000,
    "log_row_value_options": "",
    "log_slave_updates": 0,
    "long_query_time": 10,
    "low_priority_updates": 0,
    "master_info_repository": "FILE",
    "max_delayed_threads": 20,
    "max_error_count": 64,
    "max_execution_time": 0,
    "max_heap_table_size": 16777216,
    "max_join_size": 18446744073709547520,
    "max_length_for_sort_data": 1024,
    "max_seeks_for_key": 18446744073709551615,
    "max_sort_length": 1024,
    "max_sp_recursion_depth": 0,
    "min_examined_row_limit": 0,
    "multi_range_count": 256,
    "myisam_repair_threads": 1,
    "myisam_sort_buffer_size": 8388608,
    "myisam_stats_method": "nulls_unequal",
    "ndb_allow_copying_alter_table": 0,
    "ndb_autoincrement_prefetch_sz": 1,
    "ndb_blob_read_batch_bytes": 65536,
    "ndb_blob_write_batch_bytes": 65536,
    "ndb_deferred_constraints": 0,
    "ndb_force_send": 0,
    "ndb_fully_replicated": 0,
    "ndb_index_stat_enable": 0,
    "ndb_index_stat_option": (
        "loop_checkon=1000ms,loop_idle=1000ms,loop_busy=100ms, update_batch=1,read_batch=4,"
        "idle_batch=32,check_batch=32, check_delay=1m,delete_batch=8,clean_delay=0,error_batch=4,"
        " error_delay=1m,evict_batch=8,evict_delay=1m,cache_limit=32M, cache_lowpct=90"
    ),
    "ndb_join_pushdown": 0,
    "ndb_log_exclusive_reads": 0,
    "ndb_row_checksum": 1,
    "ndb_use_exact_count": 0,
    "ndb_use_transactions": 0,
    "ndbinfo_max_bytes": 0,
    "ndbinfo_max_rows": 10,
    "ndbinfo_show_hidden": 0,
    "net_read_timeout": 30,
    "net_write_timeout": 60,
    "new": 0,
    "ob_default_lob_inrow_threshold": 8192,
    "ob_enable_aggregation_pushdown": 1,
    "ob_enable_index_direct_select": 0,
    "ob_enable_pl_cache": 1,
    "ob_enable_plan_cache": 1,
    "ob_enable_transformation": 1,
    "ob_hnsw_extra_info_max_size": 1024,
    "ob_log_level": "disabled",
    "ob_max_read_stale_time": -1,
    "ob_pl_block_timeout": 3216672000000000,
    "ob_query_timeout": 10000000,
    "ob_read_consistency": "STRONG",
    "ob_trx_idle_timeout": 86400000000,
    "ob_trx_lock_timeout": -1,
    "ob_trx_timeout": 86400000000,
    "old_alter_table": "OFF",
    "old_passwords": "0",
    "optimizer_dynamic_sampling": 1,
    "optimizer_prune_level": 1,
    "optimizer_search_depth": 62,
    "optimizer_switch": "",
    "optimizer_trace": "",
    "optimizer_trace_features": "",
    "optimizer_trace_limit": 1,
    "optimizer_trace_max_mem_size": 16384,
    "optimizer_trace_offset": -1,
    "parallel_degree_limit": 0,
    "parallel_degree_policy": "MANUAL",
    "parallel_min_scan_time_threshold": 1000,
    "parser_max_mem_size": 18446744073709551615,
    "partition_index_dive_limit": 10,
    "preload_buffer_size": 32768,
    "profiling": "OFF",
    "profiling_history_size": 15,
    "protocol_version": 10,
    "query_alloc_block_size": 8192,
    "query_cache_wlock_invalidate": 0,
    "query_prealloc_size": 8192,
    "range_alloc_block_size": 4096,
    "range_index_dive_limit": 10,
    "range_optimizer_max_mem_size": 8388608,
    "read_buffer_size": 131072,
    "read_rnd_buffer_size": 262144,
    "recyclebin": 0,
    "runtime_bloom_filter_max_size": 2147483648,
    "runtime_filter_max_in_num": 1024,
    "runtime_filter_type": "BLOOM_FILTER,RANGE,IN",
    "runtime_filter_wait_time_ms": 0,
    "session_track_gtids": "OFF",
    "session_track_schema": 1,
    "session_track_state_change": 0,
    "session_track_system_variables": (
        "time_zone, autocommit, character_set_client, character_set_results, character_set_connection"
    ),
    "session_track_transaction_info": "OFF",
    "show_create_table_verbosity": 0,
    "show_old_temporals": 0,
    "slave_rows_search_algorithms": "TABLE_SCAN,INDEX_SCAN",
    "slave_type_conversions": "ALL_LOSSY",
    "sort_buffer_size": 262144,
    "sql_auto_is_null": 0,
    "sql_big_selects": 1,
    "sql_buffer_result": 0,
    "sql_log_off": 0,
    "sql_mode": "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_AUTO_CREATE_USER",
    "sql_notes": 0,
    "sql_quote_show_create": 1,
    "sql_safe_updates": 0,
    "sql_select_limit": 9223372036854775807,
    "sql_warnings": 0,
    "ssl_ca": "",
    "ssl_capath": "",
    "ssl_cert": "",
    "ssl_cipher": "",
    "ssl_crl": "",
    "ssl_crlpath": "",
    "ssl_key": "",
    "time_format": "%H:%i:%s",
    "time_zone": "+08:00",
    "tls_version": "",
    "tmp_table_size": 16777216,
    "tmpdir": "",
    "transaction_alloc_block_size": 8192,
    "transaction_isolation": "READ-COMMITTED",
    "transaction_prealloc_size": 4096,
    "transaction_read_only": 0,
    "transaction_write_set_extraction": "OFF",
    "tx_isolation": "READ-COMMITTED",
    "tx_read_only": 0,
    "unique_checks": 1,
    "updatable_views_with_limit": "ON",
    "version_compile_machine": "",
    "version_compile_os": "",
    "version_tokens_session": "",
    "wait_timeout": 28800,
}
"""What engine 1.4.0 was built with. Engine 1.3.0 has all of these with the same values."""

_EARLIER: Mapping[str, Value] = {
    "_enable_old_charset_aggregation": 0,
    "_enable_rich_vector_format": 1,
    "_force_order_preserve_set": 0,
    "_groupby_nopushdown_cut_ratio": 3,
    "_ob_px_bcast_optimization": "SERVER",
    "_ob_px_slave_mapping_threshold": 200,
    "_optimizer_null_aware_antijoin": 1,
    "_px_dist_agg_partial_rollup_pushdown": "ADAPTIVE",
    "_px_partial_rollup_pushdown": "ADAPTIVE",
    "innodb_support_xa": 1,
    "mview_refresh_dop": 4,
    "nls_calendar": "GREGORIAN",
    "nls_characterset": "AL32UTF8",
    "nls_comp": "BINARY",
    "nls_currency": "$",
    "nls_date_format": "DD-MON-RR",
    "nls_date_language": "AMERICAN",
    "nls_dual_currency": "$",
    "nls_iso_currency": "AMERICA",
    "nls_length_semantics": "BYTE",
    "nls_nchar_characterset": "AL16UTF16",
    "nls_nchar_conv_excp": "FALSE",
    "nls_numeric_characters": ".,",
    "nls_sort": "BINARY",
    "nls_territory": "AMERICA",
    "nls_timestamp_format": "DD-MON-RR HH.MI.SSXFF AM",
    "nls_timestamp_tz_format": "DD-MON-RR HH.MI.SSXFF AM TZR",
    "ob_bnl_join_cache_size": 10485760,
    "ob_check_sys_variable": 1,
    "ob_enable_jit": "OFF",
    "ob_enable_parameter_anonymous_block": 1,
    "ob_enable_ps_parameter_anonymous_block": 1,
    "ob_enable_rich_error_msg": 0,
    "ob_enable_transmission_checksum": 1,
    "ob_enable_truncate_flashback": 0,
    "ob_interm_result_mem_limit": 2147483648,
    "ob_route_policy": "READONLY_ZONE_FIRST",
    "ob_table_access_policy": "AUTO",
    "ob_temp_tablespace_size_percentage": 0,
    "optimizer_capture_sql_plan_baselines": 0,
    "optimizer_features_enable": "1.0.0.0",
    "optimizer_use_sql_plan_baselines": 0,
    "plsql_ccflags": "",
    "plsql_optimize_level": 2,
    "plsql_warnings": "ENABLE:ALL",
    "query_rewrite_enabled": "FALSE",
    "query_rewrite_integrity": "ENFORCED",
    "sql_throttle_current_priority": 100,
}
"""What engine 1.3.0 has besides."""

_OURS: Mapping[str, Value] = {
    "time_zone": "+00:00",  # the engine's own is +08:00; everything stored is UTC, only readers choose another zone
}

UNKNOWN_VARIABLE = 1193
"""How an engine answers for `EARLIER` that has left those variables behind: then there is nothing to inherit either."""
PACKET_TOO_LARGE = 1153
PIECE_BYTES_MAX = 1000
"""`max_allowed_packet` may be 1024: then the state is set piece by piece."""

INITIAL: Mapping[str, Value] = {**_COMPILED_IN, **_OURS}
EARLIER: Mapping[str, Value] = _EARLIER


def set_text(values: Mapping[str, Value]) -> str:
    """Return the one statement that gives a session these values. Raises ValueError for a text that would need quoting."""
    return _statement([_assignment(name, value) for name, value in values.items()])


def set_texts(values: Mapping[str, Value]) -> list[str]:
    """Return statements of at most `PIECE_BYTES_MAX` that do the same."""
    texts: list[str] = []
    held: list[str] = []
    for assignment in (_assignment(name, value) for name, value in values.items()):
        if held and len(_statement([*held, assignment])) > PIECE_BYTES_MAX:
            texts.append(_statement(held))
            held = []
        held.append(assignment)
    return [*texts, _statement(held)]


def _statement(assignments: list[str]) -> str:
    return "set " + ", ".join(assignments)


def _assignment(name: str, value: Value) -> str:
    return f"@@session.{name} = {_literal(value)}"


def _literal(value: Value) -> str:
    if isinstance(value, int):
        return str(value)
    if set(value) & set("'\\\""):
        raise ValueError(f"a value that would need quoting: {value!r}")
    return f"'{value}'"


SET_INITIAL = set_text(INITIAL)
SET_EARLIER = set_text(EARLIER)
