"""Logins and short answers, each decoded from what was encoded, and from what real peers send."""

from contextlib import suppress
from dataclasses import replace

import pymysql.connections
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.mysql.fields import MalformedPacketError
from holdfast.mysql.flags import ENGINE_CAPABILITIES, OFFERED_CAPABILITIES, Capability, Status
from holdfast.mysql.login import LoginName, split_login_name
from holdfast.mysql.packets import (
    Greeting,
    HandshakeResponse,
    PrepareOk,
    ServerError,
    decode_change_user,
    decode_error,
    decode_greeting,
    decode_handshake_response,
    decode_prepare_ok,
    encode_auth_switch,
    encode_eof,
    encode_error,
    encode_greeting,
    encode_handshake_response,
    encode_ok,
    encode_prepare_ok,
    is_ssl_request,
    native_password_answer,
    response_for_engine,
    status_of,
    with_status,
)

# What seekdb 1.4.0 sent to a plain socket, without the packet header.
SEEKDB_GREETING = (
    b"\n5.7.25\x00i\x00\x00\x00%1f0YPf0\x00\xff\xf7.\x02\x00\x9f\x00\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    b"YQlIiVPqf+BJ\x00mysql_native_password\x00"
)
# What the MariaDB command line 10.11 sends for `-uroot@t1 -Dtest`: its own flags, LENENC auth data, attributes.
RESPONSE = HandshakeResponse(
    capabilities=OFFERED_CAPABILITIES & ~Capability.SSL,
    max_packet_bytes=1 << 24,
    charset=45,
    user=b"root@t1",
    auth=b"a" * 20,
    database=b"test",
    plugin=b"mysql_native_password",
    attributes=((b"_client_name", b"libmariadb"), (b"_pid", b"17")),
)


def test_engines_greeting_is_understood() -> None:
    greeting = decode_greeting(SEEKDB_GREETING)
    assert greeting == Greeting(
        version="5.7.25",
        connection_id=105,
        scramble=b"%1f0YPf0YQlIiVPqf+BJ",
        capabilities=ENGINE_CAPABILITIES,
        charset=46,
        status=Status.AUTOCOMMIT,
    )
    assert encode_greeting(greeting) == SEEKDB_GREETING


@given(st.integers(0, len(SEEKDB_GREETING) - 24))
def test_cut_greeting_is_refused(size_bytes: int) -> None:
    with pytest.raises(MalformedPacketError):
        decode_greeting(SEEKDB_GREETING[:size_bytes])


def test_greeting_of_another_protocol_is_refused() -> None:
    with pytest.raises(MalformedPacketError, match="expected protocol version 10 at offset 0, found 9"):
        decode_greeting(b"\x09" + SEEKDB_GREETING[1:])


@pytest.mark.parametrize("database", [b"", b"test"])
@pytest.mark.parametrize("attributes", [(), RESPONSE.attributes, ((b"k", b"v" * 300),)])
def test_handshake_response_comes_back(database: bytes, attributes: tuple[tuple[bytes, bytes], ...]) -> None:
    sent = replace(RESPONSE, database=database, attributes=attributes)
    decoded = decode_handshake_response(encode_handshake_response(sent))
    assert replace(decoded, capabilities=sent.capabilities) == sent
    assert (Capability.CONNECT_WITH_DB in decoded.capabilities) == bool(database)
    assert (Capability.CONNECT_ATTRS in decoded.capabilities) == bool(attributes)


@given(st.binary(max_size=120))
def test_any_bytes_are_a_login_or_refused(payload: bytes) -> None:
    for data in (payload, int(OFFERED_CAPABILITIES).to_bytes(4, "little") + payload):
        with suppress(MalformedPacketError):
            decode_handshake_response(data)


def test_auth_data_is_read_in_all_three_encodings() -> None:
    head = (1).to_bytes(4, "little") + b"\x2d" + bytes(23) + b"root\0"
    base = Capability.PROTOCOL_41 | Capability.PLUGIN_AUTH
    for flags, auth in (
        (base, b"secret\0"),
        (base | Capability.SECURE_CONNECTION, b"\x06secret"),
        (base | Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH_LENENC_DATA, b"\xfc\x06\x00secret"),
    ):
        decoded = decode_handshake_response(int(flags).to_bytes(4, "little") + head + auth + b"plugin\0")
        assert (decoded.auth, decoded.plugin) == (b"secret", b"plugin")


def test_auth_data_stays_out_of_repr() -> None:
    assert "aaaa" not in repr(RESPONSE)


def test_ssl_request_is_the_head_of_a_response_alone() -> None:
    whole = encode_handshake_response(replace(RESPONSE, capabilities=RESPONSE.capabilities | Capability.SSL))
    assert is_ssl_request(whole[:32])
    assert not is_ssl_request(whole)
    assert not is_ssl_request(encode_handshake_response(RESPONSE)[:32])


def test_engine_sees_neither_tenant_nor_tls_nor_compression_nor_private_attributes() -> None:
    client = replace(
        RESPONSE,
        capabilities=RESPONSE.capabilities | Capability.SSL | Capability.COMPRESS | Capability.DEPRECATE_EOF,
        attributes=((b"__proxy_capability_flag", b"1"), (b"_client_name", b"x")),
    )
    rebuilt = response_for_engine(
        client, engine_capabilities=ENGINE_CAPABILITIES, user=b"root", auth=b"b" * 20, plugin=b"p"
    )
    masked = Capability.SSL | Capability.COMPRESS | Capability.DEPRECATE_EOF
    assert not rebuilt.capabilities & masked
    assert (rebuilt.user, rebuilt.auth, rebuilt.attributes) == (b"root", b"b" * 20, ((b"_client_name", b"x"),))
    assert (rebuilt.database, rebuilt.charset) == (client.database, client.charset)


def test_change_user_is_a_login_without_capabilities() -> None:
    attributes = b"\x06\x01k\x03abc"
    body = b"u@t\0\x02xx" + b"db\0" + b"\x2d\x00" + b"mysql_native_password\0" + attributes
    decoded = decode_change_user(body, RESPONSE.capabilities)
    assert (decoded.user, decoded.auth, decoded.database, decoded.charset) == (b"u@t", b"xx", b"db", 45)
    assert decoded.plugin == b"mysql_native_password"
    assert decoded.attributes == ((b"k", b"abc"),)


def test_change_user_may_end_after_the_database() -> None:
    decoded = decode_change_user(b"u\0\x00db", RESPONSE.capabilities)
    assert (decoded.database, decoded.plugin, decoded.attributes) == (b"db", b"", ())


def test_native_password_answer_is_the_one_clients_compute() -> None:
    from pymysql._auth import scramble_native_password

    scramble = decode_greeting(SEEKDB_GREETING).scramble
    assert native_password_answer("secret", scramble) == scramble_native_password(b"secret", scramble)
    assert native_password_answer("", scramble) == b""


def test_auth_switch_names_plugin_and_scramble() -> None:
    packet = pymysql.connections.MysqlPacket(encode_auth_switch(b"plugin", b"s" * 20), "utf8")
    assert packet.is_auth_switch_request()
    packet.read_uint8()
    assert (packet.read_string(), packet.read_all()) == (b"plugin", b"s" * 20 + b"\0")


def test_error_comes_back_and_is_read_without_a_state() -> None:
    error = ServerError(9040, "HY000", "größe")
    assert decode_error(encode_error(error)) == error
    assert decode_error(b"\xff\x10\x04Too many connections") == ServerError(1040, "HY000", "Too many connections")


def test_error_text_beyond_the_clients_charset_is_still_sent() -> None:
    assert encode_error(ServerError(1, "HY000", "北"), encoding="cp1252").endswith(b"HY000?")


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 20), st.sampled_from([0, 2, 3, 0x22]))
def test_status_of_ok_and_eof_is_found_and_added_to(affected: int, warnings: int, status: int) -> None:
    for payload in (
        encode_ok(affected=affected, warning_count=warnings, status=Status(status)),
        encode_eof(warning_count=warnings, status=Status(status)),
    ):
        assert status_of(payload) == status
        more = with_status(payload, Status.MORE_RESULTS)
        assert status_of(more) == status | Status.MORE_RESULTS
        assert len(more) == len(payload)
        assert with_status(payload, Status(0)) == payload


def test_ok_with_info_text_keeps_it() -> None:
    payload = encode_ok() + b"Records: 1"
    assert with_status(payload, Status.MORE_RESULTS).endswith(b"Records: 1")


def test_prepare_answer_comes_back() -> None:
    head = PrepareOk(statement_id=1 << 31 | 7, column_count=3, parameter_count=2, warning_count=1)
    assert decode_prepare_ok(encode_prepare_ok(head)) == head


@pytest.mark.parametrize(
    ("text", "user", "tenant", "cluster"),
    [
        ("root", "root", "", ""),
        ("root@sys", "root", "sys", ""),
        ("root@t1", "root", "t1", ""),
        ("root@t1#c", "root", "t1", "c"),
        ("root#c", "root", "", "c"),
        ("root@#c", "root", "", "c"),
        ("we@ird@t1", "we@ird", "t1", ""),
        ("@t1", "", "t1", ""),
        ("", "", "", ""),
        ("SYS@ora#obcluster", "SYS", "ora", "obcluster"),
        ("root@t1#a#b", "root", "t1", "a#b"),
    ],
)
def test_login_name_is_split(text: str, user: str, tenant: str, cluster: str) -> None:
    assert split_login_name(text) == LoginName(user=user, tenant=tenant, cluster=cluster)
