"""The items of LOG_ARCHIVE_DEST and what is wrong with them."""

import pytest

from holdfast import codes
from holdfast.codes import Code
from holdfast.errors import RefusedError
from holdfast.statement.archive_dest import ArchiveDest, parse_archive_dest
from holdfast.values.destination import Binding

DAY_US = 86_400_000_000
OUT_OF_RANGE = "invalid piece_switch_interval out of range [1d,7d] is not supported"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LOCATION=file:///a", ArchiveDest(location="file:///a")),
        (
            "  location=file:///a   binding=MANDATORY piece_switch_interval=7d\tcompression=Enable ",
            ArchiveDest(
                location="file:///a",
                binding=Binding.MANDATORY,
                piece_switch_interval_us=7 * DAY_US,
                piece_switch_interval_text="7d",
                compression=True,
            ),
        ),
        (
            "BINDING=Optional PIECE_SWITCH_INTERVAL=36h LOCATION=oss://b/p?host=h&access_id=i&access_key=k= COMPRESSION=disable",
            ArchiveDest(
                location="oss://b/p?host=h&access_id=i&access_key=k=",
                piece_switch_interval_us=36 * 3_600_000_000,
                piece_switch_interval_text="36h",
                compression=False,
            ),
        ),
        ("LOCATION=file:///a PIECE_SWITCH_INTERVAL=86400", ArchiveDest(location="file:///a", piece_switch_interval_text="86400")),
    ],
)  # fmt: skip
def test_items_are_read_in_any_order_and_omitted_ones_have_defaults(text: str, expected: ArchiveDest) -> None:
    assert parse_archive_dest(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("BINDING=Optional", codes.OB_NOT_SUPPORTED, "set archive dest without location is not supported"),
        ("LOCATION= BINDING=Optional", codes.OB_NOT_SUPPORTED, "set archive dest without location is not supported"),
        ("LOCATION=file:///a PIECE_SWITCH_INTERVAL=23h", codes.OB_NOT_SUPPORTED, OUT_OF_RANGE),
        ("LOCATION=file:///a PIECE_SWITCH_INTERVAL=8d", codes.OB_NOT_SUPPORTED, OUT_OF_RANGE),
        ("LOCATION=file:///a PIECE_SWITCH_INTERVAL=soon", codes.OB_INVALID_ARGUMENT, "Incorrect arguments to piece_switch_interval"),
        ("LOCATION=file:///a SPEED=1", codes.OB_NOT_SUPPORTED, "log_archive_dest item 'speed' is not supported"),
        ("file:///a", codes.OB_NOT_SUPPORTED, "log_archive_dest item 'file:///a' is not supported"),
        ("LOCATION = file:///a", codes.OB_NOT_SUPPORTED, "log_archive_dest item 'location' is not supported"),
        ("LOCATION=file:///a BINDING=Sometimes", codes.OB_INVALID_ARGUMENT, "Incorrect arguments to binding"),
        ("LOCATION=file:///a COMPRESSION=zstd", codes.OB_INVALID_ARGUMENT, "Incorrect arguments to compression"),
        ("LOCATION=file:///a LOCATION=file:///b", codes.OB_INVALID_ARGUMENT, "Incorrect arguments to location"),
    ],
)  # fmt: skip
def test_bad_item_is_refused_with_its_code(text: str, code: Code, message: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse_archive_dest(text)
    assert caught.value.code is code
    assert caught.value.message == message


def test_refused_item_shows_no_key() -> None:
    with pytest.raises(RefusedError) as caught:
        parse_archive_dest("LOCATION=file:///a oss://b?access_key=hunter2")
    assert "hunter2" not in str(caught.value)
