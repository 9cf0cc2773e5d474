"""`make bench`: every measurement, one after the other, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    names = sorted(
        path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in {"__init__", "__main__", "rig"}
    )
    sys.exit(max(subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode for name in names))
