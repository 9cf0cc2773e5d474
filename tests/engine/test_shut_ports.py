"""A process with shut ports believes that it listens; nobody can reach it, and its Unix socket works."""

import json
import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.engine.fence import FencePolicy
from holdfast.engine.launch import Order, decode_order
from holdfast.engine.shut_ports import can_shut_ports

pytestmark = pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="system calls not known")

_PROBE = """
import ctypes, json, os, socket, sys
sys.path.insert(0, sys.argv[1])
from holdfast.engine.shut_ports import shut_ports
os.chdir(sys.argv[2])
shut_ports()
said = {}
for name, family, address in (("v4", socket.AF_INET, ("0.0.0.0", int(sys.argv[3]))), ("v6", socket.AF_INET6, ("::", int(sys.argv[3])))):
    try:
        server = socket.socket(family)
    except OSError:
        continue
    server.bind(address)
    server.listen(1024)
    said[name] = server.getsockname()[1]
unix = socket.socket(socket.AF_UNIX)
unix.bind("run.sock")
ctypes.CDLL(None).listen(unix.fileno(), -1)  # Python itself knows no -1
with socket.create_connection(("127.0.0.1", int(sys.argv[4])), 2): said["connect"] = "done"
print(json.dumps(said), flush=True)
unix.accept()[0].close()
"""


def test_a_process_with_shut_ports_listens_on_its_unix_socket_alone(tmp_path: Path) -> None:
    source = str(Path(__file__).parents[2] / "src")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        arguments = [source, str(tmp_path), str(port), str(server.getsockname()[1])]
        with subprocess.Popen([sys.executable, "-c", _PROBE, *arguments], stdout=subprocess.PIPE) as probe:
            assert probe.stdout is not None
            said = json.loads(probe.stdout.readline())
            assert said.pop("connect") == "done"
            assert set(said.values()) == {0}, "it holds no port"
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), 2)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(tmp_path / "run.sock"))
            assert probe.wait(10) == 0


def test_asking_whether_ports_can_be_shut_shuts_none() -> None:
    assert can_shut_ports()
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert server.getsockname()[1] != 0


def test_an_order_of_a_server_of_before_is_understood(tmp_path: Path) -> None:
    """The launcher is read from the disk anew, and the server that orders may be older than what lies there now."""
    order = Order(
        root=tmp_path,
        binary=tmp_path / "seekdb",
        library_dirs=(),
        arguments=(),
        environment={},
        policy=FencePolicy.AUTO,
        is_port_shut=True,
        log_source_port=4711,
    )
    assert decode_order(order.encode()) == order
    old = json.loads(order.encode())
    del old["is_port_shut"]
    assert decode_order(json.dumps(old).encode()) == order
    assert not decode_order(json.dumps({**old, "log_source_port": None}).encode()).is_port_shut
