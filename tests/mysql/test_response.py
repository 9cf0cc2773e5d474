"""Answers told apart packet by packet, in every shape the protocol has."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.mysql.fields import MalformedPacketError
from holdfast.mysql.flags import CommandCode, Status
from holdfast.mysql.framing import PAYLOAD_BYTES_MAX, frame_all
from holdfast.mysql.packets import PrepareOk, ServerError, encode_eof, encode_error, encode_ok, encode_prepare_ok
from holdfast.mysql.response import Received, ResponseParser, Role
from holdfast.mysql.resultset import (
    ResultCharset,
    ResultColumn,
    columns_for,
    decode_text_row,
    encode_binary_row,
    encode_prepare_answer,
    encode_result_set,
    encode_text_row,
)

QUERY, EXECUTE, PREPARE = CommandCode.QUERY, CommandCode.STMT_EXECUTE, CommandCode.STMT_PREPARE
COLUMNS = (ResultColumn(name="id", is_integer=True), ResultColumn(name="name"))
ROWS = ((1, "one"), (2, None))
MORE = Status.AUTOCOMMIT | Status.MORE_RESULTS
ERROR = encode_error(ServerError(1, "HY000", "no"))
DEFINITION = b"\x03def" + bytes(20)


def parse(command: int, payloads: list[bytes], step: int = 1 << 25) -> tuple[list[Received], bytes]:
    parser = ResponseParser(command)
    data = frame_all(1, payloads) + b"next answer"
    received: list[Received] = []
    for at in range(0, len(data), step):
        received += parser.feed(data[at : at + step])
    assert parser.is_done
    return received, parser.rest()


SHAPES = [
    (QUERY, [encode_ok()], "ok"),
    (QUERY, [ERROR], "error"),
    (QUERY, encode_result_set(COLUMNS, ROWS), "column count,column,column,end of columns,row,row,end of rows"),
    (QUERY, encode_result_set(COLUMNS, ()), "column count,column,column,end of columns,end of rows"),
    (QUERY, [b"\x01", DEFINITION, encode_eof(), b"\x01a", ERROR], "column count,column,end of columns,row,error"),
    (QUERY, [b"\xfbfile", encode_ok()], "asks for a file,ok"),
    (QUERY, [b"\xfbfile", ERROR], "asks for a file,error"),
    (QUERY, [encode_ok(status=MORE), encode_ok(status=MORE), ERROR], "ok,ok,error"),
    (
        QUERY,
        [*encode_result_set(COLUMNS[:1], (), status=MORE), encode_ok()],
        "column count,column,end of columns,end of rows,ok",
    ),
    (
        EXECUTE,
        encode_result_set(COLUMNS, ROWS, binary=True),
        "column count,column,column,end of columns,row,row,end of rows",
    ),
    (EXECUTE, [encode_ok()], "ok"),
    (
        EXECUTE,
        [b"\x01", DEFINITION, encode_eof(status=Status.CURSOR_EXISTS)],
        "column count,column,end of columns",
    ),
    (CommandCode.STMT_FETCH, [b"\x00\x00\x01a", encode_eof()], "row,end of rows"),
    (CommandCode.STMT_FETCH, [ERROR], "error"),
    (PREPARE, encode_prepare_answer(1, (), status=Status.AUTOCOMMIT), "prepare ok"),
    (PREPARE, encode_prepare_answer(1, COLUMNS, status=Status.AUTOCOMMIT), "prepare ok,column,column,end of columns"),
    (PREPARE, [ERROR], "error"),
    (
        PREPARE,
        [
            encode_prepare_ok(PrepareOk(statement_id=1, column_count=0, parameter_count=2)),
            DEFINITION,
            DEFINITION,
            encode_eof(),
        ],
        "prepare ok,column,column,end of columns",
    ),
    (
        PREPARE,
        [
            encode_prepare_ok(PrepareOk(statement_id=1, column_count=1, parameter_count=1)),
            *[DEFINITION, encode_eof()] * 2,
        ],
        "prepare ok,column,end of columns,column,end of columns",
    ),
    (CommandCode.FIELD_LIST, [DEFINITION, DEFINITION, encode_eof()], "column,column,end of rows"),
    (CommandCode.FIELD_LIST, [ERROR], "error"),
    (CommandCode.STATISTICS, [b"Uptime: 1"], "text"),
    (CommandCode.SET_OPTION, [encode_eof()], "end of rows"),
    (CommandCode.PING, [encode_ok()], "ok"),
    (0xA1, [encode_ok()], "ok"),
]


@pytest.mark.parametrize(("command", "payloads", "roles"), SHAPES)
@pytest.mark.parametrize("step", [1 << 25, 1, 3])
def test_answer_is_told_apart_and_ends_where_it_ends(
    command: int, payloads: list[bytes], roles: str, step: int
) -> None:
    received, rest = parse(command, payloads, step)
    assert ",".join(packet.role.value for packet in received) == roles
    assert [packet.payload for packet in received] == payloads
    assert [packet.ends for packet in received] == [False] * (len(payloads) - 1) + [True]
    assert rest == b"next answer"


def test_bytes_of_the_next_answer_are_kept_for_it() -> None:
    received, rest = parse(QUERY, [encode_ok()])
    assert rest == b"next answer"
    assert len(received) == 1


def test_text_row_that_begins_like_an_eof_is_a_row() -> None:
    """A value of 16 MiB and more has its length behind 0xFE, but such a row is longer than any EOF."""
    row = b"\xfe" + (9).to_bytes(8, "little") + b"123456789"
    received, _ = parse(QUERY, [b"\x01", DEFINITION, encode_eof(), row, encode_eof()])
    assert received[3].role is Role.ROW


def test_row_of_more_than_16_mib_goes_on_in_continuations() -> None:
    long = b"\xfd\xff\xff\xff" + b"x" * PAYLOAD_BYTES_MAX
    payloads = [b"\x01", DEFINITION, encode_eof(), long, encode_eof()]
    parser = ResponseParser(QUERY)
    received = parser.feed(frame_all(1, payloads))
    assert [packet.role for packet in received[3:]] == [Role.ROW, Role.CONTINUATION, Role.ROWS_END]
    assert received[3].payload + received[4].payload == long
    assert received[-1].ends


def test_row_of_exactly_16_mib_is_followed_by_an_empty_continuation() -> None:
    long = b"x" * PAYLOAD_BYTES_MAX
    received, _ = parse(QUERY, [b"\x01", DEFINITION, encode_eof(), long, encode_eof()])[0], b""
    assert [len(packet.payload) for packet in received[3:5]] == [PAYLOAD_BYTES_MAX, 0]


def test_answer_that_does_not_begin_with_packet_1_is_another_answers() -> None:
    with pytest.raises(MalformedPacketError, match="number 1, found 5"):
        ResponseParser(QUERY).feed(frame_all(5, [encode_ok()]))


@pytest.mark.parametrize(
    ("command", "payloads"),
    [
        (QUERY, [b""]),
        (QUERY, [b"\x01", DEFINITION, b"\x01a"]),
        (PREPARE, [b"\x05"]),
        (CommandCode.PING, [b"\x05"]),
        (
            PREPARE,
            [encode_prepare_ok(PrepareOk(statement_id=1, column_count=1, parameter_count=0)), DEFINITION, DEFINITION],
        ),
    ],
)
def test_packet_out_of_place_is_refused(command: int, payloads: list[bytes]) -> None:
    with pytest.raises(MalformedPacketError, match="expected"):
        ResponseParser(command).feed(frame_all(1, payloads))


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from([QUERY, EXECUTE, PREPARE, CommandCode.FIELD_LIST, CommandCode.PING]))
def test_noise_is_refused_or_incomplete_never_a_crash(noise: bytes, command: CommandCode) -> None:
    parser = ResponseParser(command)
    with suppress(MalformedPacketError):
        for at in range(0, len(noise), 7):
            parser.feed(noise[at : at + 7])


# --- result sets


def test_text_row_comes_back() -> None:
    row = encode_text_row((1, None, "größe"), ResultCharset(collation_id=45, encoding="utf-8"))
    assert decode_text_row(row, 3) == (b"1", None, "größe".encode())


def test_binary_row_has_a_bitmap_that_begins_at_bit_2() -> None:
    columns = columns_for([(f"c{at}", False) for at in range(9)], ())
    row = encode_binary_row(
        columns, [None] + ["x"] * 6 + [None, None], ResultCharset(collation_id=45, encoding="utf-8")
    )
    assert row == b"\x00" + bytes([0b00000100, 0b00000110]) + b"\x01x" * 6


def test_integers_beyond_the_signed_range_make_their_column_unsigned() -> None:
    columns = columns_for([("a", True), ("b", True)], [(1, -1), ((1 << 64) - 1, 0)])
    assert [column.is_unsigned for column in columns] == [True, False]
    rows = [
        encode_binary_row(columns, row, ResultCharset(collation_id=45, encoding="utf-8")) for row in ((1 << 63, -1),)
    ]
    assert rows == [b"\x00\x00" + (1 << 63).to_bytes(8, "little") + b"\xff" * 8]
