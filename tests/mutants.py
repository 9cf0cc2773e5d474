"""Seed faults in the code and see which tests notice: how it is shown that merged or moved tests see what they saw before.

    .venv/bin/python tests/mutants.py --seed 47 --count 40 \\
        --modules src/holdfast/jobs/drills.py src/holdfast/verify/plan.py \\
        --tests tests/end_to_end/test_drills.py [--tests-of 3088279] [--out before.txt] [--caught-in before.txt]

Each mutant is one change of one module: a comparison flipped, a number or truth value changed, a condition negated, a statement
dropped. The same seed, count and modules give the same mutants, so that a run with the tests of another commit
(`--tests-of`) asks the same questions. Nothing is changed in the checkout: code of the working tree and tests are copied to a
folder of their own, and removed. One line per mutant: `caught` (a test failed), `missed`, or `hung` (counts as caught).
Two files written by `--out` are compared with `--compare before.txt after.txt`: exit code 1 if one is caught before and missed after.
"""

import argparse
import ast
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
SECONDS_MAX = 900
"""A mutant may make tests wait; pytest's own timeout of a test is 300 s."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mutant:
    """One change: the `number`th node of the module's tree in the order of ast.walk, and what is done to it."""

    module: str
    line: int
    number: int
    change: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.change} ({self.number})"


def mutants_of(module: str, text: str) -> Iterator[Mutant]:
    """Every change that can be made of a module. Shape: in the order of its tree."""
    tree = ast.parse(text)
    kept = _untouched(tree)
    for number, node in enumerate(ast.walk(tree)):
        if number in kept:
            continue
        for change in _changes(node):
            yield Mutant(module=module, line=getattr(node, "lineno", 0), number=number, change=change)


def apply(text: str, mutant: Mutant) -> str:
    """Return the module's text with the mutant in it, without comments."""
    tree = ast.parse(text)
    node = list(ast.walk(tree))[mutant.number]
    match node:
        case ast.Compare():
            node.ops[0] = FLIPPED[type(node.ops[0])]()
        case ast.Constant(value=bool()):
            node.value = not node.value
        case ast.Constant(value=int() | float()):
            node.value += 1
        case ast.If() | ast.While() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case ast.Expr() | ast.Raise():
            _replace(tree, node, ast.Pass())
    return ast.unparse(ast.fix_missing_locations(tree))


def _changes(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare():
            yield "comparison flipped"
        case ast.Constant(value=bool() | int() | float()):
            yield "value changed"
        case ast.If() | ast.While() | ast.IfExp():
            yield "condition negated"
        case ast.Raise():
            yield "raise dropped"
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log")))):
            return  # no test asserts on log text
        case ast.Expr(value=ast.Call() | ast.Await() | ast.Yield()):
            yield "statement dropped"


def _untouched(tree: ast.Module) -> set[int]:
    """Numbers of the nodes that only the type checker reads: annotations, and what runs under TYPE_CHECKING."""
    annotations: set[ast.AST] = set()
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            child = getattr(node, field, None)
            if isinstance(child, ast.AST):
                annotations.update(ast.walk(child))
    return {number for number, node in enumerate(ast.walk(tree)) if node in annotations}


def _replace(tree: ast.Module, old: ast.stmt, new: ast.stmt) -> None:
    for parent in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(parent, field, None)
            if isinstance(body, list) and old in body:
                body[body.index(old)] = new
                return


def chosen(modules: Sequence[str], *, seed: int, count: int) -> list[Mutant]:
    """Return `count` mutants of the modules of the working tree, always the same ones for one seed and text."""
    every = [mutant for module in modules for mutant in mutants_of(module, (ROOT / module).read_text())]
    return sorted(random.Random(seed).sample(every, min(count, len(every))))


def copy_tree(home: Path, tests_of: str | None) -> None:
    """Fill `home` with what the working tree holds under version control, its tests from another commit if one is named."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in names.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, home / name)
    if tests_of is not None:
        shutil.rmtree(home / "tests")
        packed = subprocess.run(["git", "archive", tests_of, "tests"], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "-x"], cwd=home, input=packed.stdout, check=True)


def verdict(home: Path, tests: Sequence[str]) -> str:
    """Run the tests in the copy. A code above 1 is no verdict: the tests could not be run."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(home / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    with (home / "pytest.log").open("w") as log:
        ran = subprocess.Popen(
            command, cwd=home, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = ran.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(ran.pid, signal.SIGTERM)
            ran.wait()
            return "hung"
    if code in (0, 1):
        return "missed" if code == 0 else "caught"
    # Code 2 to 4: the mutant keeps a module of the tests from being imported; the unmutated copy was run first.
    return "caught"


def run(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="holdfast-mutants-") as folder:
        home = Path(folder)
        copy_tree(home, options.tests_of)
        if verdict(home, options.tests) != "missed":
            print((home / "pytest.log").read_text()[-3000:])
            print("the tests fail without any mutant")
            return 2
        lines = []
        asked = chosen(options.modules, seed=options.seed, count=options.count)
        if options.caught_in:
            known = options.caught_in.read_text().splitlines()
            asked = [mutant for mutant in asked if f"caught {mutant}" in known or f"hung {mutant}" in known]
        for mutant in asked:
            place = home / mutant.module
            text = place.read_text()
            place.write_text(apply(text, mutant))
            lines.append(f"{verdict(home, options.tests)} {mutant}")
            place.write_text(text)
            print(lines[-1], flush=True)
            if options.out:
                options.out.write_text("\n".join(lines) + "\n")
    caught = sum(not line.startswith("missed") for line in lines)
    print(f"{caught} of {len(lines)} caught")
    return 0


def compare(before: Path, after: Path) -> int:
    """Print the mutants that were caught before and are missed after; return 1 if there is one."""
    found = [
        dict(reversed(line.split(" ", 1)) for line in path.read_text().splitlines())  # type: ignore[misc]
        for path in (before, after)
    ]
    lost = [name for name, was in found[0].items() if was != "missed" and found[1].get(name, "missed") == "missed"]
    print(*lost, sep="\n", end="\n" if lost else "")
    print(
        f"{len(found[0])} mutants, {sum(was != 'missed' for was in found[0].values())} caught before, {len(lost)} lost"
    )
    return int(bool(lost))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=47)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--modules", nargs="+", default=[])
    parser.add_argument("--tests", nargs="+", default=[])
    parser.add_argument("--tests-of", metavar="COMMIT")
    parser.add_argument("--caught-in", type=Path, metavar="BEFORE", help="only the mutants that were caught there")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("BEFORE", "AFTER"))
    options = parser.parse_args()
    return compare(*options.compare) if options.compare else run(options)


if __name__ == "__main__":
    sys.exit(main())
