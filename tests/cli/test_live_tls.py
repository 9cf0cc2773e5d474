"""docs/tls.md as it is printed: its openssl lines make what the server serves and clients accept."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest
from cli_rig import run

from server_rig import Server, running_server

pytestmark = pytest.mark.live

PAGE = (Path(__file__).parents[2] / "docs" / "tls.md").read_text()


@dataclass(frozen=True, slots=True)
class Scene:
    server: Server
    folder: Path


def make_authority(folder: Path) -> None:
    lines = next(block for block in re.findall(r"^```\n(.*?)^```", PAGE, re.M | re.S) if "openssl req" in block)
    subprocess.run(["/bin/sh", "-e"], input=lines, text=True, cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("tls")
    make_authority(folder)
    tls = ("--tls-cert", str(folder / "server.pem"), "--tls-key", str(folder / "server.key"))
    with running_server(tmp_path_factory.mktemp("cluster") / "base", *tls) as server:
        yield Scene(server, folder)


def test_what_the_page_makes_is_served_and_accepted(scene: Scene) -> None:
    assert run(scene.server.port, "tenants", "--tls-ca", str(scene.folder / "ca.pem")).code == 0
    assert run(scene.server.port, "tenants", "--host", "localhost", "--tls-ca", str(scene.folder / "ca.pem")).code == 0
    for name in ("ca.key", "server.key"):
        assert (scene.folder / name).stat().st_mode & 0o077 == 0


def test_a_certificate_of_another_authority_is_told_as_such(scene: Scene, tmp_path: Path) -> None:
    make_authority(tmp_path)
    refused = run(scene.server.port, "tenants", "--tls-ca", str(tmp_path / "ca.pem"))
    assert refused.code == 4
    assert f"is not certified by {tmp_path / 'ca.pem'}" in refused.err
    assert "no server answers" not in refused.err
    assert "holdfast serve" not in refused.err
    (tmp_path / "none.pem").write_text("nothing of the kind")
    unread = run(scene.server.port, "tenants", "--tls-ca", str(tmp_path / "none.pem"))
    assert unread.code == 4
    assert f"{tmp_path / 'none.pem'} holds no certificate" in unread.err


def test_an_account_that_requires_ssl_comes_by_tls_and_is_told_so(scene: Scene) -> None:
    with scene.server.client() as root:
        root.run("CREATE USER safe IDENTIFIED BY 'secret' REQUIRE SSL")
        root.run("SET GLOBAL require_secure_transport = 1")
        assert root.one("SELECT @@GLOBAL.require_secure_transport") == 0, "docs/tls.md says that it has no effect"
    arguments = ("sql", "-e", "SELECT 1", "--user", "safe@sys")
    secret = {"HOLDFAST_PASSWORD": "secret"}
    plain = run(scene.server.port, *arguments, env=secret)
    assert plain.code == 3
    assert "--tls-ca" in plain.err
    by_tls = ("--tls-ca", str(scene.folder / "ca.pem"))
    assert run(scene.server.port, *arguments, *by_tls, env=secret).code == 0
    wrong = run(scene.server.port, *arguments, *by_tls, env={"HOLDFAST_PASSWORD": "wrong"})
    assert (wrong.code, "--tls-ca" in wrong.err) == (3, False)
    scene.server.client("root@sys").close()


def test_tls_or_nothing(tmp_path: Path) -> None:
    make_authority(tmp_path)
    (tmp_path / "cluster").mkdir()
    with running_server(tmp_path / "cluster" / "base") as server:
        refused = run(server.port, "tenants", "--tls-ca", str(tmp_path / "ca.pem"))
        assert refused.code != 0
        assert "SSL" in refused.err
        with pytest.raises(pymysql.MySQLError):
            server.client(ssl={"ca": str(tmp_path / "ca.pem")})
