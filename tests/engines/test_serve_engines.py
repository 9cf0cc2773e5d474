"""What `holdfast serve` says about the engines it is given, before it makes anything. The engines here only name a version."""

import subprocess
import sys
from pathlib import Path

from engine.test_recognition import _made as made_directory
from engine_format.test_data_version import sealed


def _serve(base: Path, **environment: str) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-m", "holdfast", "serve", "--base-dir", str(base), "--port", "0"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return ran.returncode, ran.stderr


def _engine(folder: Path, version: str) -> Path:
    folder.mkdir()
    path = folder / "seekdb"
    path.write_text(f"#!/bin/sh\necho 'seekdb (OceanBase seekdb {version})'\n")
    path.chmod(0o755)
    return path


def test_older_engine_alone_can_not_hold_the_catalog(tmp_path: Path) -> None:
    old = _engine(tmp_path / "old", "1.3.0.0")
    status, said = _serve(tmp_path / "base", HOLDFAST_ENGINE=str(old), HOLDFAST_ENGINES=f"{tmp_path}/absent")
    assert status == 1
    assert f"engine 1.3.0.0: {old}" in said
    assert f"an engine that was named can not be used: no engine binary at {tmp_path}/absent" in said
    assert "engine 1.3.0.0 can not hold the catalog of a server" in said
    assert not (tmp_path / "base").exists()


def test_engine_of_an_unknown_release_is_named(tmp_path: Path) -> None:
    status, said = _serve(tmp_path / "base", HOLDFAST_ENGINE=str(_engine(tmp_path / "new", "2.1.0.0")))
    assert status == 1
    assert "engine 2.1.0.0" in said
    assert "is not known to this build of holdfast, which knows 1.4.0.0, 1.3.0.0" in said
    assert "pip install 'pylibseekdb>=1.4.0.post1,<1.4.1'" in said
    assert not (tmp_path / "base").exists()


def test_a_cluster_whose_sys_tenant_is_of_an_unknown_engine_is_left_as_it_is(tmp_path: Path) -> None:
    base = tmp_path / "base"
    root = made_directory(base / "sys" / "engine")
    (root / "etc" / "seekdb.data_version.bin").write_bytes(sealed(b"1.4.1.0 4295229696\n"))
    (base / "cluster.json").write_text("{}")
    before = sorted((str(path), path.stat().st_mtime_ns) for path in base.rglob("*"))
    status, said = _serve(base)
    assert status == 1
    assert f"{root} is of engine 1.4.1.0, which this build of holdfast does not know; it knows 1.4.0.0, 1.3.0.0" in said
    assert "upgrade holdfast" in said
    assert sorted((str(path), path.stat().st_mtime_ns) for path in base.rglob("*")) == before
