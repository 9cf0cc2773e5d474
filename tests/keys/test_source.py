"""Where a backup key comes from, and what is refused."""

import os
import stat
import time
from pathlib import Path

import pytest

from holdfast import codes
from holdfast.backup_format.key_record import Protection
from holdfast.errors import RefusedError
from holdfast.keys import source as source_module
from holdfast.keys.source import SECRET_BYTES_MAX, exposure, parse_key_from, parse_source, read_secret

SECRET = b"0123456789abcdef" * 2


def read(text: str, **environment: bytes) -> bytes:
    return read_secret(parse_source(text), environment.get)


def program(place: Path, text: str) -> str:
    path = place / "give"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


@pytest.mark.parametrize(
    ("text", "protection", "shown"),
    [
        ("file:/etc/key", Protection.FILE, "file:/etc/key"),
        (" FILE: /etc/key ", Protection.FILE, "file:/etc/key"),
        ("env:BACKUP_KEY", Protection.ENVIRONMENT, "env:BACKUP_KEY"),
        ("command:/bin/vault", Protection.COMMAND, "command:/bin/vault"),
        ("command:/bin/vault read 'a token'", Protection.COMMAND, "command:/bin/vault ***"),
    ],
)
def test_a_source_is_read_and_shown_without_its_arguments(text: str, protection: Protection, shown: str) -> None:
    source = parse_source(text)
    assert (source.protection, source.shown) == (protection, shown)
    assert parse_source(source.text) == source


@pytest.mark.parametrize(
    "text",
    ["", "file", "file:", "file:relative", "env:", "env:A=B", "env:A\nB", "command:", "command:vault", "command:'/bin/x",
     "s3://key", "hush-hush", "file:/a\0b", "file:/" + "a" * 5000],
)  # fmt: skip
def test_a_text_that_is_no_source_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_source(text)
    assert refused.value.code is codes.OB_INVALID_ARGUMENT
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("text", ["password", "NONE", "hush-hush"])
def test_a_refused_with_key_from_names_what_it_takes(text: str) -> None:
    """The forms of SET backup_encryption led from here to a syntax error."""
    with pytest.raises(RefusedError) as refused:
        parse_key_from(text)
    hint = refused.value.hint or ""
    assert "WITH KEY FROM" in refused.value.message
    assert ("'file:/path'" in hint, "SET DECRYPTION IDENTIFIED BY" in hint) == (True, True)
    assert ("NONE" in hint, "'password'" in hint, "hush" in str(refused.value)) == (False, False, False)


def test_file_environment_and_command_give_the_same_secret(tmp_path: Path) -> None:
    """One newline at the end does not count."""
    (tmp_path / "key").write_bytes(SECRET + b"\n")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    assert read(f"file:{tmp_path}/key") == SECRET
    assert read(f"file:{tmp_path}/link") == SECRET
    assert read("env:K", K=SECRET) == SECRET
    assert read(f"command:{program(tmp_path, f'echo {SECRET.decode()}')}") == SECRET


def test_a_command_is_run_without_a_shell_and_sees_nothing_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_PASSWORD", "hush-hush")
    says = program(tmp_path, 'echo "$1 $HOLDFAST_PASSWORD|$PWD"')
    assert read(f"command:{says} '; echo $(id)'") == b"; echo $(id) |/"


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("echo hush-hush >&2; exit 3", "ends with 3"),
        ("echo short", "gives 5 bytes"),
        ("yes hush-hush", f"gives more than {SECRET_BYTES_MAX} bytes"),
        ("sleep 30", "takes more than"),
        ("exec 1>&-; sleep 30", "takes more than"),
    ],
)
def test_a_command_that_gives_no_key_is_refused_in_bounded_time(
    tmp_path: Path, does: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_module, "COMMAND_SECONDS_MAX", 0.5)
    begun = time.monotonic()
    with pytest.raises(RefusedError) as refused:
        read(f"command:{program(tmp_path, does)}")
    assert words in refused.value.message
    assert "hush" not in str(refused.value)
    assert refused.value.code is codes.OB_BACKUP_INVALID_PASSWORD
    assert time.monotonic() - begun < 5


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(SECRET_BYTES_MAX * 2))
    os.mkfifo(tmp_path / "pipe")
    closed = tmp_path / "closed"
    closed.write_bytes(SECRET)
    closed.chmod(0)
    cases = {
        f"file:{tmp_path}/none": "No such file",
        f"file:{tmp_path}": "regular file",
        f"file:{tmp_path}/pipe": "regular file",
        f"file:{tmp_path}/large": "more than",
        "env:NOT_SET": "is not set",
        f"command:{tmp_path}/none": "does not start",
    }
    if os.geteuid():
        cases[f"file:{closed}"] = "Permission denied"
    for text, words in cases.items():
        with pytest.raises(RefusedError, match=words):
            read(text)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.parametrize(
    ("mode", "uid", "account", "words"),
    [
        (0o600, 1000, 1000, []),
        (0o400, 1000, 1000, []),
        (0o640, 1000, 1000, ["read"]),
        (0o644, 1000, 1000, ["read"]),
        (0o622, 1000, 1000, ["written"]),
        (0o666, 1000, 1000, ["read", "written"]),
        (0o640, 0, 1000, []),
        (0o644, 0, 1000, ["read"]),
        (0o660, 0, 1000, ["written"]),
        (0o640, 0, 0, ["read"]),
        (0o600, 1001, 1000, ["belongs to account 1001"]),
    ],
)
def test_a_key_file_that_others_reach_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, uid: int, account: int, words: list[str]
) -> None:
    """root may lend its file to the server's group, as with PostgreSQL's keys. Nothing is refused."""
    found = os.stat_result((stat.S_IFREG | mode, 1, 1, 1, uid, 1000, 33, 0, 0, 0))
    monkeypatch.setattr(source_module.os, "stat", lambda path: found)
    monkeypatch.setattr(source_module.os, "geteuid", lambda: account)
    told = exposure(parse_source("file:/etc/key"))
    assert [word for word in ("read", "written", "belongs to account 1001") if word in told] == words
    assert (f"mode {mode:04o}" in told) == bool(words)
    program = exposure(parse_source("command:/bin/vault --token hush"))
    assert ("hush" in program, "read" in program, "written" in program) == (False, False, "written" in words)
    assert exposure(parse_source("env:KEY")) == ""


def test_what_is_not_there_is_nobodys_to_reach(tmp_path: Path) -> None:
    assert exposure(parse_source(f"file:{tmp_path}/none")) == ""


@pytest.mark.parametrize("form", ["file:{0}/none", "file:{0}", "env:NOT_SET", "command:{0}/none", "command:{0}/give"])
def test_what_is_told_to_others_than_sys_names_nothing_of_the_host(tmp_path: Path, form: str) -> None:
    program(tmp_path, "exit 3")
    with pytest.raises(RefusedError) as refused:
        read_secret(parse_source(form.format(tmp_path)), {}.get, called="the source")
    assert "the source" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)
    assert "NOT_SET" not in str(refused.value)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_end_of_a_line_is_no_part_of_a_key_and_does_not_count(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "key"
    for form in (f"file:{path}", f"command:/bin/cat {path}"):
        path.write_bytes(b"a" * 4096 + end)
        assert read_secret(parse_source(form), {}.get) == b"a" * 4096
        for wrong in (b"a" * 4097 + end, b"a" * 4096 + b"\r\n" + b"a", b"\n" * 9, b" " * 20 + end):
            path.write_bytes(wrong)
            with pytest.raises(RefusedError):
                read_secret(parse_source(form), {}.get)
