"""The WITH string of RESTORE."""

import pytest

from holdfast import codes
from holdfast.errors import RefusedError
from holdfast.statement.restore_options import RestoreOptions, option_pairs, read_options


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", RestoreOptions()),
        ("pool_list=p", RestoreOptions(pools=("p",))),
        (
            "POOL_LIST= p1 , p2,&locality=F@z1,F@z2&primary_zone=z1;z2&concurrency=100&method=QUICK&kms_encrypt=TRUE&&new=1",
            RestoreOptions(
                pools=("p1", "p2"),
                locality="F@z1,F@z2",
                primary_zone="z1;z2",
                concurrency=100,
                method="quick",
                kms_encrypt=True,
            ),
        ),
        ("concurrency=5&concurrency=0", RestoreOptions(concurrency=0)),
    ],
)
def test_options_are_typed_and_unknown_ones_ignored(text: str, expected: RestoreOptions) -> None:
    assert read_options(option_pairs(text)) == expected


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        ("concurrency=101", "restore concurrency"),
        ("concurrency=-1", "restore concurrency"),
        ("concurrency=", "restore concurrency"),
        ("concurrency=٣", "restore concurrency"),
        ("concurrency=" + "9" * 5000, "restore concurrency"),
        ("method=slow", "restore method"),
        ("kms_encrypt=maybe", "kms_encrypt"),
    ],
)
def test_option_outside_its_range_is_refused(text: str, argument: str) -> None:
    with pytest.raises(RefusedError) as caught:
        read_options(option_pairs(text))
    assert caught.value.code is codes.OB_INVALID_ARGUMENT
    assert caught.value.message == f"Incorrect arguments to {argument}"
