"""The kernel's part of the fence, tried by a process that is not an engine and so can try everything."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.engine.fence import Fence, best_fence, landlock_abi, own_uid, plan_rules

needs_landlock = pytest.mark.skipif(landlock_abi() < 1, reason="this kernel has no Landlock")

_PROBE = """
import json, os, socket, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from holdfast.engine.fence import apply_landlock, plan_rules
root, target, port = Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
def outcome(action):
    try:
        action()
        return "done"
    except OSError as error:
        return type(error).__name__
def connect():
    with socket.create_connection(("127.0.0.1", port), 2): pass
def listen():
    with socket.socket() as server: server.bind(("127.0.0.1", 0))
before = {"connect": outcome(connect), "listen": outcome(listen), "read": outcome(target.read_bytes)}
apply_landlock(plan_rules(root, Path(sys.executable).resolve(), ()))
after = {
    "write own": outcome(lambda: (root / "a").write_text("x")),
    "read own": outcome(lambda: (root / "a").read_text()),
    "read": outcome(target.read_bytes),
    "write": outcome(lambda: target.write_text("x")),
    "create": outcome(lambda: target.with_name("new").touch()),
    "link out": outcome(lambda: os.link(target, root / "linked")),
    "link in": outcome(lambda: os.link(root / "a", target.with_name("linked"))),
    "passwd": outcome(lambda: Path("/etc/passwd").read_text()),
    "machine id": outcome(lambda: Path("/etc/machine-id").read_text()),
    "resolver": outcome(lambda: Path("/etc/resolv.conf").read_text()),
    "other process": outcome(lambda: Path(f"/proc/{os.getppid()}/cmdline").read_text()),
    "signal": outcome(lambda: os.kill(os.getppid(), 0)),
    "connect": outcome(connect),
    "listen": outcome(listen),
}
print(json.dumps([before, after]))
"""


@pytest.fixture
def probe(tmp_path: Path, source: str) -> tuple[dict[str, str], dict[str, str]]:
    import socket

    (tmp_path / "own").mkdir()
    target = tmp_path / "other" / "secret"
    target.parent.mkdir()
    target.write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        ran = subprocess.run(
            [sys.executable, "-c", _PROBE, source, str(tmp_path / "own"), str(target), str(server.getsockname()[1])],
            capture_output=True,
            text=True,
            check=True,
        )
    assert target.read_text() == "secret"
    before, after = json.loads(ran.stdout)
    return before, after


@needs_landlock
def test_a_fenced_process_keeps_its_own_folder_and_nothing_else(
    probe: tuple[dict[str, str], dict[str, str]],
) -> None:
    before, after = probe
    assert before == {"connect": "done", "listen": "done", "read": "done"}
    assert after.pop("write own") == after.pop("read own") == "done"
    if landlock_abi() < 4:
        del after["connect"], after["listen"]
    if landlock_abi() < 6:
        del after["signal"]
    # An absent file answers FileNotFoundError on some machines; what must not happen is "done".
    assert "done" not in after.values(), after


def test_best_fence_names_what_this_machine_can_do() -> None:
    assert (best_fence() is Fence.LANDLOCK) == (landlock_abi() >= 1)


def test_two_folders_never_share_a_user_id(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert own_uid(tmp_path / "a") == own_uid(tmp_path / "a") != own_uid(tmp_path / "b")


def test_only_the_engines_own_folder_and_the_null_device_can_be_written(tmp_path: Path) -> None:
    from holdfast.engine.fence import Right

    rules = plan_rules(tmp_path / "own", tmp_path / "bin" / "seekdb", (tmp_path / "bin",))
    writable = {rule.path for rule in rules if rule.rights & (Right.WRITE_FILE | Right.MAKE_REG | Right.REMOVE_FILE)}
    assert writable == {tmp_path / "own", Path("/dev/null")}
