"""Holdfast's own source as trees, for the tests of its habits: parsed once in a process, which takes 1.5 s of CPU."""

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import holdfast

SOURCE = Path(holdfast.__file__).parent


@cache
def trees() -> Mapping[str, ast.Module]:
    """Return path below the package -> its tree, sorted. For reading only: all tests of a process share them."""
    return {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py"))}
