"""The numbers of the protocol that have names.

Source: the MySQL Internals Manual, "Client/Server Protocol"; MariaDB knowledge base, "Clients & Utilities / Protocol".
"""

from enum import IntEnum, IntFlag


class Capability(IntFlag):
    """What client and server agree to speak. 32 bits, little-endian on the wire."""

    LONG_PASSWORD = 1 << 0
    CONNECT_WITH_DB = 1 << 3
    COMPRESS = 1 << 5
    LOCAL_FILES = 1 << 7
    PROTOCOL_41 = 1 << 9
    SSL = 1 << 11
    TRANSACTIONS = 1 << 13
    SECURE_CONNECTION = 1 << 15
    MULTI_STATEMENTS = 1 << 16
    MULTI_RESULTS = 1 << 17
    PS_MULTI_RESULTS = 1 << 18
    PLUGIN_AUTH = 1 << 19
    CONNECT_ATTRS = 1 << 20
    PLUGIN_AUTH_LENENC_DATA = 1 << 21
    EXPIRED_PASSWORDS = 1 << 22
    SESSION_TRACK = 1 << 23
    DEPRECATE_EOF = 1 << 24
    OPTIONAL_RESULTSET_METADATA = 1 << 25
    ZSTD_COMPRESSION = 1 << 26
    QUERY_ATTRIBUTES = 1 << 27


# What seekdb 1.4.0 greets with (measured; a live test compares), without COMPRESS: the gateway reads commands, and an
# unmasked COMPRESS makes the session hang. Nothing the engine lacks is offered, so nothing needs translating later and
# result sets always end in the old EOF packets.
ENGINE_CAPABILITIES = Capability(0x009FF7FF)
OFFERED_CAPABILITIES = ENGINE_CAPABILITIES & ~Capability.COMPRESS
COMPRESSION = Capability.COMPRESS | Capability.ZSTD_COMPRESSION
ENGINE_VERSION_GREETED = "5.7.25"
ENGINE_CHARSET_GREETED = 46  # utf8mb4_bin

# Without these a client cannot be led to an engine whose scramble the gateway learns only after the user name.
NEEDED_CAPABILITIES = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH


class Status(IntFlag):
    """Server status, in OK and EOF packets."""

    IN_TRANSACTION = 0x0001
    AUTOCOMMIT = 0x0002
    MORE_RESULTS = 0x0008
    CURSOR_EXISTS = 0x0040


class CommandCode(IntEnum):
    """The first byte of a client's command."""

    QUIT = 0x01
    INIT_DB = 0x02
    QUERY = 0x03
    FIELD_LIST = 0x04
    CREATE_DB = 0x05
    DROP_DB = 0x06
    REFRESH = 0x07
    SHUTDOWN = 0x08
    STATISTICS = 0x09
    PROCESS_INFO = 0x0A
    PROCESS_KILL = 0x0C
    DEBUG = 0x0D
    PING = 0x0E
    CHANGE_USER = 0x11
    BINLOG_DUMP = 0x12
    TABLE_DUMP = 0x13
    REGISTER_SLAVE = 0x15
    STMT_PREPARE = 0x16
    STMT_EXECUTE = 0x17
    STMT_SEND_LONG_DATA = 0x18
    STMT_CLOSE = 0x19
    STMT_RESET = 0x1A
    SET_OPTION = 0x1B
    STMT_FETCH = 0x1C
    BINLOG_DUMP_GTID = 0x1E
    RESET_CONNECTION = 0x1F


# These are never answered by a server.
UNANSWERED_COMMANDS = frozenset({CommandCode.QUIT, CommandCode.STMT_SEND_LONG_DATA, CommandCode.STMT_CLOSE})


class ColumnType(IntEnum):
    """Types the gateway itself sends; everything else travels through untouched."""

    LONGLONG = 0x08
    VAR_STRING = 0xFD


NATIVE_PASSWORD_PLUGIN = b"mysql_native_password"
