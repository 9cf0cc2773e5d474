"""Parameters of an engine that keep what it was built with, whatever its tenant's root sets. Pure.

All 288 of engine 1.4.0 were gone through (docs/decisions/0057). A tenant may tune what only it feels: caches, plans, compaction,
throttling, what it logs. These it may not: what they decide is the host's (doors, disk, threads), or keeps the engine from starting, or
ends statements of ours.
"""

_DOORS = frozenset(
    {
        *("enable_rpc_tls", "ob_ssl_invited_common_names", "sql_protocol_min_tls_version", "ssl_client_authentication"),
        "use_ipv6",
    }
)
"""With `ssl_client_authentication` on and no certificates beside it an engine does not start (-4016, measured)."""
_DISK = frozenset(
    {
        *("data_disk_usage_limit_percentage", "datafile_disk_percentage", "datafile_maxsize", "datafile_next"),
        *("datafile_size", "log_disk_percentage", "syslog_disk_size", "syslog_file_uncompressed_count"),
    }
)
"""`datafile_size = '10G'` takes 10 GiB of the host's disk at once (measured), and what is taken stays taken."""
_THREADS = frozenset(
    {
        *("_ob_max_thread_num", "_io_callback_thread_count", "disk_io_thread_count", "net_thread_count"),
        *("sql_net_thread_count", "stack_size", "sync_io_thread_count"),
    }
)
_MEMORY = frozenset({"kvcache_memory_limit", "memory_chunk_cache_size", "memstore_memory_limit", "vector_memory_limit"})
_STATEMENTS = frozenset(
    {
        *("_ob_ddl_timeout", "enable_ddl", "enable_sys_table_ddl", "internal_sql_execute_timeout", "rpc_timeout"),
        *("_advance_checkpoint_interval", "server_task_queue_size"),
    }
)

BUILT_IN = _DOORS | _DISK | _THREADS | _MEMORY | _STATEMENTS
"""These have the engine's own default."""

_COMMAND_LINE = frozenset(
    {
        *("cluster_id", "devname", "enable_rpc_service", "local_ip", "log_disk_size", "log_restore_source"),
        *(
            "max_syslog_file_count",
            "memory_budget",
            "memory_limit",
            "memory_limit_percentage",
            "mysql_port",
            "rpc_port",
        ),
    }
)
"""What the server names at a start, or leaves to the engine's default."""

FORGOTTEN_AT_START = BUILT_IN | _COMMAND_LINE
"""Saved values that no start may meet: with some, and with some together, an engine does not start (-4016, -4624, measured), and
then nobody could put them right."""
