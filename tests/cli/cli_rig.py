"""The command line as a person has it: in this process for its answers, in a process of its own, and on a terminal."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner

from holdfast.__main__ import main
from server_rig import WAIT_SECONDS_MAX

HOLDFAST = (sys.executable, "-m", "holdfast")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A suite begun in the background: what it starts would ignore Ctrl-C, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command printed and ended with."""

    code: int
    out: str
    err: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        (line,) = self.out.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


def run(port: int, *arguments: str, text: str | None = None, env: dict[str, str] | None = None) -> Ran:
    """Run a client command against a port, in this process: its imports are paid for once."""
    result = CliRunner().invoke(main, [*arguments, "--port", str(port)], input=text, env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return Ran(code=result.exit_code, out=result.stdout, err=result.stderr)


def begin(port: int, *arguments: str) -> "subprocess.Popen[str]":
    """Begin a client command in a process of its own, its output in pipes."""
    return subprocess.Popen(
        [*HOLDFAST, *arguments, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def on_terminal(
    port: int,
    *arguments: str,
    columns: int = 100,
    env: dict[str, str] | None = None,
    react: Callable[[str, int, int], None] = lambda seen, pid, terminal: None,
) -> Ran:
    """Run a client command on a terminal of its own; `react` sees all that was printed so far whenever more comes."""
    surroundings = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    surroundings |= {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "24", **(env or {})}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*HOLDFAST, *arguments, "--port", str(port)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=surroundings,
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    end = time.monotonic() + WAIT_SECONDS_MAX
    try:
        while True:
            assert time.monotonic() < end, seen.decode(errors="replace")
            if not select.select([ours], [], [], 1.0)[0]:
                continue
            try:
                more = os.read(ours, 65536)
            except OSError:  # EIO: the other side is closed
                break
            if not more:
                break
            seen += more
            react(seen.decode(errors="replace"), process.pid, ours)
        return Ran(code=process.wait(WAIT_SECONDS_MAX), out=seen.decode())
    finally:
        os.close(ours)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
