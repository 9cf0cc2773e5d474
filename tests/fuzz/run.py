"""Tries changed captures for as long as it is wanted: `.venv/bin/python tests/fuzz/run.py --cases 1000000`.

A case is found again by family, seed and number: `--family texts --seed 7 --only 1234`. With --coverage it says which lines and
branches of the decoders were reached (needs the package `coverage`, which the suite does not).
"""

import argparse
import json
import re
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parents[1]
_SOURCE = _TESTS.parent / "src" / "holdfast"
sys.path[:0] = [str(_TESTS), str(_TESTS / "statement"), str(_TESTS.parent / "src")]

DECODERS = ("backup_format", "engine_format", "mysql", "statement", "values")
NOT_DECODING = re.compile(
    r"(?:^|\.)_?(?:used_bytes|pays|piece_key_|encryption_mode|rebuild|accumulate|native_password|capacity_text|bytes_display|encode|pack|seal|render|of$|grow|put|remove|digest$|head_hash|part$|frame|cut|authenticated|rollback|check_object"
    r"|update|text$|words|display|tag|__)"
)
"""Functions beside the decoders that write, or that answer questions about what was decoded."""
NOT_DECODERS = (
    *(
        "backup_format/reach.py",
        "engine_format/log_append.py",
        "engine_format/transaction_log.py",
        "engine_format/layout.py",
    ),
    *("mysql/session_state.py", "statement/render.py", "statement/commands.py"),
)
VALUES = ("capacity", "destination", "json_text", "lsn", "object_name", "outside", "scn")
SLICE = 2000


def main() -> int:
    """Run, and return 0 when every case ended as it must."""
    asked = _arguments()
    measure = None
    if asked.coverage:
        import coverage

        measure = coverage.Coverage(
            branch=True, include=[str(_SOURCE / part / "*") for part in DECODERS], data_file=None
        )
        measure.start()
    from fuzz.targets import FAMILIES, cases
    from fuzz.watch import Outcome, judge

    families = {name: family for name, family in FAMILIES.items() if asked.family in (None, name)}
    outcome, began = Outcome(), time.monotonic()
    if asked.only is not None:
        for name, family in families.items():
            found = islice(cases(family, asked.seed, asked.only + 1), asked.only, None)
            judge(found, outcome, where=f"{name}, seed {asked.seed}")
    seed = asked.seed
    while asked.only is None and outcome.cases < asked.cases:
        for name, family in families.items():
            judge(cases(family, seed, min(SLICE, asked.cases - outcome.cases)), outcome, where=f"{name}, seed {seed}")
        seed += 1
        print(f"{outcome.cases} cases, {time.monotonic() - began:.0f} s, {len(outcome.failures)} failures", flush=True)
    for why in outcome.failures.values():
        print(f"\n{why}")
    print(f"{outcome.cases} cases, {sum(outcome.taken.values())} taken, {sum(outcome.refused.values())} refused")
    if measure is not None:
        measure.stop()
        with tempfile.TemporaryDirectory() as folder:
            measure.json_report(outfile=f"{folder}/coverage.json")
            _tell_coverage(json.loads(Path(folder, "coverage.json").read_bytes()))
    return 1 if outcome.failures else 0


def _tell_coverage(report: dict[str, Any]) -> None:
    """Print the branches of the decoders that were taken, and of which functions some were not."""
    taken, all_of_them = 0, 0
    for path, file in sorted(report["files"].items()):
        name = str(Path(path).absolute().relative_to(_SOURCE))
        if name in NOT_DECODERS or (name.startswith("values/") and Path(name).stem not in VALUES):
            continue
        for function, region in file["functions"].items():
            figures = region["summary"]
            if not function or NOT_DECODING.search(function) or not figures["num_branches"]:
                continue
            taken += figures["covered_branches"]
            all_of_them += figures["num_branches"]
            if figures["missing_branches"]:
                print(
                    f"{name} {function}: {figures['covered_branches']} of {figures['num_branches']}, not {region['missing_branches']}"
                )
    print(f"branches of decoders: {taken} of {all_of_them}, {100 * taken / all_of_them:.1f} %")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--family")
    parser.add_argument("--only", type=int)
    parser.add_argument("--coverage", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
