"""Lets the tests of every room import the rigs that lie beside this file (`from engine_rig import running_engine`)."""

import sys
from pathlib import Path

_HERE = Path(__file__).parent
for folder in (_HERE, _HERE.parent / "src"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
