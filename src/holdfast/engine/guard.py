"""Resumes a stopped engine if its stopper can not: `python -I -S guard.py PIDFD BOUND_SECONDS`.

A process of its own, so that a `kill -9` of the server in the middle of a pause leaves no engine stopped. It imports nothing of
ours, which makes it ready in 15 ms. Talk over stdin and stdout:

    guard -> server   "r"   ready
    server -> guard   "a"   the stop is about to be sent: the bound counts from here
    server -> guard   "d"   done, or end of file because the server died

In every case but end of file before "a" the guard sends SIGCONT. Exit status 3: the bound was over first.
"""

import os
import select
import signal
import sys

EXPIRED = 3


def main() -> int:
    """Guard one pause."""
    descriptor, bound_seconds = int(sys.argv[1]), float(sys.argv[2])
    os.write(1, b"r")
    if os.read(0, 1) != b"a":
        return 0
    ready, _, _ = select.select([0], [], [], bound_seconds)
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGCONT)
    except ProcessLookupError:
        return 0  # the engine has ended: nothing is stopped
    return 0 if ready else EXPIRED


if __name__ == "__main__":
    sys.exit(main())
