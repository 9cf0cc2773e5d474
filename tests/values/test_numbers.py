"""Numbers in texts have their bounds, and only the digits 0 to 9 (some others are digits to Python, or make int() raise)."""

from datetime import UTC

import pytest

from holdfast.values.capacity import capacity_bytes_from_text, time_us_from_text
from holdfast.values.lsn import Lsn
from holdfast.values.schedule import check_words, parse_zone
from holdfast.values.scn import SCN_BITS_MAX, Scn, scn_from_timestamp, zone_from_text


@pytest.mark.parametrize(
    "text",
    [
        "-00000000000000f",
        "+00000000000000f",
        "0x0000000000000f",
        "0000_0000_0000_f",
        "٠" * 16,
        "f" * 16,
        " " * 15 + "1",
        "1",
    ],
)
def test_an_lsn_is_16_hex_digits_and_fits_a_column(text: str) -> None:
    with pytest.raises(ValueError, match="not an LSN"):
        Lsn.parse(text)


def test_an_lsn_comes_back_from_its_text() -> None:
    assert Lsn.parse(Lsn(2**63 - 1).text()) == 2**63 - 1


@pytest.mark.parametrize("text", ["", "-1", "1_0", "²", "٠", str(2**63), "9" * 20, "0" * 21, "9" * 5000])
def test_an_scn_fits_a_column(text: str) -> None:
    with pytest.raises(ValueError, match="not an SCN"):
        Scn.parse(text)
    assert Scn.parse(Scn(SCN_BITS_MAX).text()) == SCN_BITS_MAX


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "٢٠٢٦-01-01 00:00:00",
        "2026-01-01 00:00:00.",
        "2026-01-01 00:00:00.1234567891",
        "9999-01-01 00:00:00",
        "1969-12-31 23:59:59",
        "2026-13-01 00:00:00",
    ],
)
def test_a_timestamp_is_one_of_an_scn(text: str) -> None:
    with pytest.raises(ValueError, match=r"timestamp|SCN|1970|does not match"):
        scn_from_timestamp(text, UTC)


@pytest.mark.parametrize("text", ["", "+", "+1", "+²:00", "+99:00", f"+{'9' * 30}:00", "+08:000", "08:00"])
def test_a_zone_is_an_offset_of_less_than_a_day(text: str) -> None:
    with pytest.raises(ValueError, match=r"offset"):
        zone_from_text(text)


@pytest.mark.parametrize("text", ["", "-1s", "9" * 20, "9223372036854775807d", "1e3s", "²s", "9" * 5000])
def test_a_time_is_at_most_2_to_the_63(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a time|2\^63"):
        time_us_from_text(text)


@pytest.mark.parametrize("text", ["", "-1G", "1", "9223372036854775807P", "8192P", "²G", "9" * 5000 + "G"])
def test_a_capacity_is_at_most_2_to_the_63(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a capacity|2\^63"):
        capacity_bytes_from_text(text)


def test_cron_words_and_zones_are_bounded() -> None:
    with pytest.raises(ValueError, match="5 words"):
        check_words(f"{','.join(['1'] * 1000)} * * * *")
    with pytest.raises(ValueError, match="unknown time zone"):
        parse_zone("../" * 10_000)
    with pytest.raises(ValueError, match="unknown time zone"):
        parse_zone("Europe/\x00")
