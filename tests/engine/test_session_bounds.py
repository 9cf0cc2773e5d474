"""A login at something that listens and never answers ends."""

import socket
from pathlib import Path

import pytest

from holdfast.engine import session


def test_a_login_that_nobody_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "LOGIN_WAIT_SECONDS", 1)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        with pytest.raises(session.SqlError) as caught:
            session.connect(tmp_path / "s", session.ROOT, "")
    assert caught.value.is_lost
