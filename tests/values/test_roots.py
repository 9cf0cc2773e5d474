"""Texts of destination roots, and what lies below them."""

import pytest
from click.testing import CliRunner

from holdfast.__main__ import main
from holdfast.errors import RefusedError
from holdfast.jobs.ground import PARAMETER
from holdfast.jobs.parameters import BY_NAME
from holdfast.values.roots import is_below, lies_in, parse_roots


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        ("", ()),
        (" , ", ()),
        ("/backup", ("/backup",)),
        (" /backup/ ,/mnt//archive/.,/backup", ("/backup", "/mnt/archive")),
        ("/", ("/",)),
        ("/developers,/process,/system", ("/developers", "/process", "/system")),
    ],
)
def test_roots_are_read_in_their_one_spelling(text: str, roots: tuple[str, ...]) -> None:
    assert parse_roots(text) == roots
    assert parse_roots(",".join(roots)) == roots


@pytest.mark.parametrize(
    "text",
    [
        *("backup", "./backup", "/backup/../etc", "file:///backup", "/a\0b", "/" + "x" * 1024),
        *("/dev", "/dev/shm", "//proc", "/proc/self/cwd", "/sys/fs/", "/backup,/dev/shm"),
        ",".join(f"/{number}" for number in range(65)),
    ],
)
def test_what_can_be_no_root_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_roots(text)
    with pytest.raises(RefusedError) as error:
        BY_NAME[PARAMETER].check(text)
    assert error.value.code.client == 4147


def test_a_root_is_not_below_itself_and_a_longer_name_is_another_one() -> None:
    assert lies_in("/backup", "/backup")
    assert not is_below("/backup", "/backup")
    assert is_below("/backup/t", "/backup")
    assert not lies_in("/backups/t", "/backup")
    assert not lies_in("/", "/backup")
    assert is_below("/backup", "/")
    assert not is_below("/", "/")


@pytest.mark.parametrize("root", ["/dev/shm", "/proc/self/cwd", "/sys", "/a,b"])
def test_serve_takes_no_such_root(root: str) -> None:
    ran = CliRunner().invoke(main, ["serve", "--base-dir", "/never/made", "--destination-root", root])
    assert ran.exit_code == 2
    assert "--destination-root" in ran.output
