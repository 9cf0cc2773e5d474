"""Make a virtual environment with pip in it, on a Debian that may have split them apart.

`python3 -m venv` is tried first. Where ensurepip is missing: root installs Debian's python3-venv; anybody else fills a
bare environment with the pip the system already has. Otherwise one sentence says what to install.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def quiet(*command: str) -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def make(venv: Path) -> bool:
    shutil.rmtree(venv, ignore_errors=True)
    if quiet(sys.executable, "-m", "venv", str(venv)):
        return True
    if os.geteuid() == 0 and shutil.which("apt-get"):
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        quiet("apt-get", "update")
        if quiet("apt-get", "install", "-y", package) or quiet("apt-get", "install", "-y", "python3-venv"):
            shutil.rmtree(venv, ignore_errors=True)
            if quiet(sys.executable, "-m", "venv", str(venv)):
                return True
    shutil.rmtree(venv, ignore_errors=True)
    if not quiet(sys.executable, "-m", "venv", "--without-pip", str(venv)):
        return False
    return quiet(sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "install", "pip")


if __name__ == "__main__":
    if not make(Path(sys.argv[1])):
        sys.exit("this Python can not make a virtual environment: install Debian's python3-venv, then run make again")
