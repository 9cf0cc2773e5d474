"""The packets of a login and the short answers: encode, decode and rebuild stand beside each other.

Source: MySQL Internals Manual, "Connection Phase Packets", "Generic Response Packets", "COM_CHANGE_USER",
"COM_STMT_PREPARE Response".
"""

from dataclasses import dataclass, field, replace
from hashlib import sha1

from holdfast.mysql.fields import FieldReader, MalformedPacketError, encode_length, encode_string
from holdfast.mysql.flags import NATIVE_PASSWORD_PLUGIN, NEEDED_CAPABILITIES, Capability, Status

SCRAMBLE_BYTES = 20
SSL_REQUEST_BYTES = 32

OK_MARK = 0x00
LOCAL_FILE_MARK = 0xFB
EOF_MARK = 0xFE
ERROR_MARK = 0xFF
# A text row may begin with 0xFE too, but then it is at least this long.
EOF_BYTES_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """The server's first packet. `scramble` is 20 bytes without the NUL that follows it."""

    version: str
    connection_id: int
    scramble: bytes
    capabilities: Capability
    charset: int
    status: Status
    plugin: bytes = NATIVE_PASSWORD_PLUGIN


def encode_greeting(greeting: Greeting) -> bytes:
    """Return the payload, protocol version 10."""
    capabilities = int(greeting.capabilities).to_bytes(4, "little")
    return b"".join(
        (
            b"\x0a",
            greeting.version.encode("ascii"),
            b"\0",
            greeting.connection_id.to_bytes(4, "little"),
            greeting.scramble[:8],
            b"\0",
            capabilities[:2],
            greeting.charset.to_bytes(1, "little"),
            int(greeting.status).to_bytes(2, "little"),
            capabilities[2:],
            (SCRAMBLE_BYTES + 1).to_bytes(1, "little"),
            bytes(10),
            greeting.scramble[8:],
            b"\0",
            greeting.plugin,
            b"\0",
        )
    )


def decode_greeting(payload: bytes) -> Greeting:
    """Return a server's greeting. Raises MalformedPacketError on another protocol version or a short scramble."""
    reader = FieldReader(payload, "greeting")
    protocol = reader.integer(1)
    if protocol != 10:
        raise MalformedPacketError(f"greeting: expected protocol version 10 at offset 0, found {protocol}")
    version = reader.until_nul().decode("latin-1")
    connection_id = reader.integer(4)
    scramble = reader.take(8)
    reader.take(1)
    low = reader.integer(2)
    charset = reader.integer(1)
    status = Status(reader.integer(2))
    capabilities = Capability(low | reader.integer(2) << 16)
    reader.take(11)
    scramble += reader.take(SCRAMBLE_BYTES - 8)
    reader.take(1)
    return Greeting(
        version=version,
        connection_id=connection_id,
        scramble=scramble,
        capabilities=capabilities,
        charset=charset,
        status=status,
        plugin=reader.until_nul() if Capability.PLUGIN_AUTH in capabilities else NATIVE_PASSWORD_PLUGIN,
    )


Attributes = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeResponse:
    """HandshakeResponse41. Names are bytes: their charset is the client's and may be any."""

    capabilities: Capability
    max_packet_bytes: int
    charset: int
    user: bytes
    auth: bytes = field(default=b"", repr=False)
    database: bytes = b""
    plugin: bytes = b""
    attributes: Attributes = ()


def is_ssl_request(payload: bytes) -> bool:
    """Return whether a client's first packet asks for TLS: the head of a response and nothing behind it."""
    return len(payload) == SSL_REQUEST_BYTES and bool(int.from_bytes(payload[:4], "little") & Capability.SSL)


def encode_ssl_request(response: HandshakeResponse) -> bytes:
    """Return the request for TLS that goes before this login."""
    return encode_handshake_response(replace(response, capabilities=response.capabilities | Capability.SSL))[
        :SSL_REQUEST_BYTES
    ]


def decode_handshake_response(payload: bytes) -> HandshakeResponse:
    """Return a client's login.

    The auth data is read in whichever of the three encodings the client's own flags announce. Fields some clients leave
    out at the end read as empty. Raises MalformedPacketError on a short packet or a client older than protocol 4.1.
    """
    reader = FieldReader(payload, "handshake response")
    capabilities = Capability(reader.integer(4) if len(payload) >= 4 else 0)
    if Capability.PROTOCOL_41 not in capabilities:
        raise MalformedPacketError("handshake response: expected a client of protocol 4.1, found an older one")
    max_packet_bytes = reader.integer(4)
    charset = reader.integer(1)
    reader.take(23)
    user = reader.until_nul()
    if Capability.PLUGIN_AUTH_LENENC_DATA in capabilities:
        auth = reader.string()
    elif Capability.SECURE_CONNECTION in capabilities:
        auth = reader.take(reader.integer(1))
    else:
        auth = reader.until_nul()
    return HandshakeResponse(
        capabilities=capabilities,
        max_packet_bytes=max_packet_bytes,
        charset=charset,
        user=user,
        auth=auth,
        database=reader.until_nul() if Capability.CONNECT_WITH_DB in capabilities else b"",
        plugin=reader.until_nul() if Capability.PLUGIN_AUTH in capabilities else b"",
        attributes=_decode_attributes(reader) if Capability.CONNECT_ATTRS in capabilities else (),
    )


def _decode_attributes(reader: FieldReader) -> Attributes:
    if not reader.remaining:
        return ()
    pairs = FieldReader(reader.string(), "connection attributes")
    found: list[tuple[bytes, bytes]] = []
    while pairs.remaining:
        found.append((pairs.string(), pairs.string()))
    return tuple(found)


def encode_handshake_response(response: HandshakeResponse) -> bytes:
    """Return the payload; flags that say how the rest is encoded are set to what is written."""
    flags = response.capabilities & ~(
        Capability.PLUGIN_AUTH_LENENC_DATA | Capability.CONNECT_WITH_DB | Capability.CONNECT_ATTRS
    )
    flags |= NEEDED_CAPABILITIES
    parts = [
        response.max_packet_bytes.to_bytes(4, "little"),
        response.charset.to_bytes(1, "little"),
        bytes(23),
        response.user,
        b"\0",
        len(response.auth).to_bytes(1, "little"),
        response.auth,
    ]
    if response.database:
        flags |= Capability.CONNECT_WITH_DB
        parts += (response.database, b"\0")
    parts += (response.plugin, b"\0")
    if response.attributes:
        flags |= Capability.CONNECT_ATTRS
        pairs = b"".join(encode_string(part) for pair in response.attributes for part in pair)
        parts.append(encode_string(pairs))
    return int(flags).to_bytes(4, "little") + b"".join(parts)


def response_for_engine(
    response: HandshakeResponse, *, engine_capabilities: Capability, user: bytes, auth: bytes, plugin: bytes
) -> HandshakeResponse:
    """Return the login the engine gets: the client's own, less what the engine must not see.

    Attributes that begin with `__` are OceanBase's private ones; some switch the connection to a framing of its own
    that the gateway does not speak. TLS and compression end at the gateway.
    """
    masked = Capability.SSL | Capability.COMPRESS | Capability.ZSTD_COMPRESSION
    return replace(
        response,
        capabilities=response.capabilities & engine_capabilities & ~masked,
        user=user,
        auth=auth,
        plugin=plugin,
        attributes=tuple(pair for pair in response.attributes if not pair[0].startswith(b"__")),
    )


def decode_change_user(body: bytes, capabilities: Capability) -> HandshakeResponse:
    """Return a COM_CHANGE_USER (`body` without the command byte) as the login it is.

    `capabilities` are those the connection began with; the command carries none.
    """
    reader = FieldReader(body, "change user")
    user = reader.until_nul()
    auth = reader.take(reader.integer(1))
    database = reader.until_nul()
    charset = reader.integer(2) & 0xFF if reader.remaining >= 2 else 0
    return HandshakeResponse(
        capabilities=capabilities,
        max_packet_bytes=PACKET_BYTES_DEFAULT,
        charset=charset,
        user=user,
        auth=auth,
        database=database,
        plugin=reader.until_nul() if Capability.PLUGIN_AUTH in capabilities and reader.remaining else b"",
        attributes=_decode_attributes(reader) if Capability.CONNECT_ATTRS in capabilities else (),
    )


PACKET_BYTES_DEFAULT = 1 << 24


def encode_auth_switch(plugin: bytes, scramble: bytes) -> bytes:
    """Return the request to authenticate with `plugin` over `scramble`."""
    return b"\xfe" + plugin + b"\0" + scramble + b"\0"


def native_password_answer(password: str, scramble: bytes) -> bytes:
    """Return the 20 bytes that prove `password` to a server that sent `scramble`; empty for an empty password."""
    if not password:
        return b""
    once = sha1(password.encode(), usedforsecurity=False).digest()
    twice = sha1(once, usedforsecurity=False).digest()
    mask = sha1(scramble + twice, usedforsecurity=False).digest()
    return bytes(left ^ right for left, right in zip(once, mask, strict=True))


@dataclass(frozen=True, slots=True)
class ServerError:
    """An ERR packet: MySQL's number, five letters of SQLSTATE, the message."""

    number: int
    sqlstate: str
    message: str


def encode_error(error: ServerError, *, encoding: str = "utf-8") -> bytes:
    """Return the ERR payload. Characters the client's charset lacks become question marks."""
    text = error.message.encode(encoding, "replace")
    return b"\xff" + error.number.to_bytes(2, "little") + b"#" + error.sqlstate.encode("ascii") + text


def decode_error(payload: bytes, *, encoding: str = "utf-8") -> ServerError:
    """Return the error of an ERR payload; a server older than 4.1, or one that is full, sends no SQLSTATE."""
    reader = FieldReader(payload, "error")
    reader.take(1)
    number = reader.integer(2)
    rest = reader.rest()
    if rest.startswith(b"#") and len(rest) >= 6:
        return ServerError(number, rest[1:6].decode("latin-1"), rest[6:].decode(encoding, "replace"))
    return ServerError(number, "HY000", rest.decode(encoding, "replace"))


def encode_ok(*, affected: int = 0, status: Status = Status.AUTOCOMMIT, warning_count: int = 0) -> bytes:
    """Return an OK payload without info text."""
    return (
        b"\x00"
        + encode_length(affected)
        + b"\x00"
        + int(status).to_bytes(2, "little")
        + min(warning_count, 0xFFFF).to_bytes(2, "little")
    )


def encode_eof(*, status: Status = Status.AUTOCOMMIT, warning_count: int = 0) -> bytes:
    """Return an EOF payload."""
    return b"\xfe" + min(warning_count, 0xFFFF).to_bytes(2, "little") + int(status).to_bytes(2, "little")


def status_of(payload: bytes) -> Status:
    """Return the status in an OK or EOF payload."""
    if payload[0] == EOF_MARK:
        reader = FieldReader(payload, "end of rows")
        reader.take(3)
        # Before 4.1 an EOF was one byte; the login of an engine may still send it.
        return Status(reader.integer(2)) if reader.remaining >= 2 else Status(0)
    reader = FieldReader(payload, "ok")
    reader.take(1)
    reader.length()
    reader.length()
    return Status(reader.integer(2))


def with_status(payload: bytes, added: Status) -> bytes:
    """Return an OK or EOF payload with more status bits set and everything else as it was."""
    if payload[0] == EOF_MARK:
        offset = 3
    else:
        reader = FieldReader(payload, "ok")
        reader.take(1)
        reader.length()
        reader.length()
        offset = len(payload) - reader.remaining
    status = int.from_bytes(payload[offset : offset + 2], "little") | added
    return payload[:offset] + status.to_bytes(2, "little") + payload[offset + 2 :]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareOk:
    """The head of the answer to COM_STMT_PREPARE."""

    statement_id: int
    column_count: int
    parameter_count: int
    warning_count: int = 0


def encode_prepare_ok(head: PrepareOk) -> bytes:
    """Return the 12-byte payload."""
    return b"".join(
        (
            b"\x00",
            head.statement_id.to_bytes(4, "little"),
            head.column_count.to_bytes(2, "little"),
            head.parameter_count.to_bytes(2, "little"),
            b"\x00",
            head.warning_count.to_bytes(2, "little"),
        )
    )


def decode_prepare_ok(payload: bytes) -> PrepareOk:
    """Return the head of a prepare answer."""
    reader = FieldReader(payload, "prepare answer")
    reader.take(1)
    statement_id = reader.integer(4)
    column_count = reader.integer(2)
    parameter_count = reader.integer(2)
    reader.take(1)
    return PrepareOk(
        statement_id=statement_id,
        column_count=column_count,
        parameter_count=parameter_count,
        warning_count=reader.integer(2) if reader.remaining >= 2 else 0,
    )
