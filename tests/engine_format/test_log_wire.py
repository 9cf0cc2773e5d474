import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine_format.log_wire import FetchRequest, decode_request, encode_end, encode_group, encode_request
from holdfast.errors import CorruptionError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

NUMBERS = st.integers(0, 2**64 - 1)
ASKED = bytes.fromhex("08f2f1e7031080808008")  # of an engine 1.4.0 that had 7993586 bytes of log


def test_an_engines_request_is_read() -> None:
    assert decode_request(ASKED) == FetchRequest(start_lsn=Lsn(7993586), max_bytes=16 << 20)


@given(lsn=NUMBERS, size=NUMBERS)
def test_a_request_is_read_as_it_was_written(lsn: int, size: int) -> None:
    request = FetchRequest(start_lsn=Lsn(lsn), max_bytes=size)
    assert decode_request(encode_request(request)) == request


def test_fields_that_are_left_out_are_zero_and_strange_ones_passed_over() -> None:
    assert decode_request(b"") == FetchRequest(start_lsn=Lsn(0), max_bytes=0)
    strange = b"\x18\x05" + b"\x22\x02ab" + b"\x29" + bytes(8) + b"\x35" + bytes(4)
    assert decode_request(strange + ASKED) == decode_request(ASKED)


@pytest.mark.parametrize("message", [ASKED[:-1], b"\x08", b"\x0a\x05ab", b"\x0b", b"\x08" + b"\xff" * 11, b"\x29abc"])
def test_what_is_no_request_is_refused(message: bytes) -> None:
    with pytest.raises(CorruptionError):
        decode_request(message)


def test_answers_are_laid_out_as_the_engine_reads_them() -> None:
    assert encode_group(b"abc", Lsn(300), Scn(5)) == bytes.fromhex("0a03616263100318ac022005")
    assert encode_end(Scn(129)) == bytes.fromhex("208101")
