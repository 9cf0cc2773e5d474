"""Runs cases and judges what comes out of each."""

import time
import tracemalloc
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from fuzz.mutations import CANARY
from fuzz.targets import Target
from holdfast.errors import HoldfastError
from holdfast.values.outside import MESSAGE_CHARACTERS_MAX, is_one_line

SECONDS_MAX = 5.0
"""For one case, on a machine that does other things beside: some take 20 ms."""
_MEMORY_SAMPLE = 100
_MEMORY_BYTES_MAX = 32 << 20
"""What a case may hold at its worst, above what its bytes take 64 times: two payloads of 4 MiB, and a table of 2^16 blocks twice."""


@dataclass(slots=True)
class Outcome:
    """What a run has shown. `failures`: of each kind the first, with the case that reproduces it."""

    cases: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)


def judge(
    cases: Iterable[tuple[int, Target, bytes]], outcome: Outcome, *, where: str, until: float | None = None
) -> None:
    """Run the cases and note in `outcome` whatever is not as it must be. `where` names the run, so that a case can be found again."""
    for number, target, data in cases:
        if until is not None and time.monotonic() > until:
            return
        outcome.cases += 1
        is_measured = number % _MEMORY_SAMPLE == 0
        if is_measured:
            tracemalloc.start()
        began = time.monotonic()
        why = _trouble(target, data, outcome)
        if not why and time.monotonic() - began > SECONDS_MAX:
            why = "it took longer than may be"
        if is_measured:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            if peak > _MEMORY_BYTES_MAX + 64 * len(data):
                why = why or f"it held {peak} bytes"
        if why:
            kind = f"{target.name}: {why[:120]}"
            outcome.failures.setdefault(kind, f"{where}, case {number}: {why}\n{data[:400]!r}")


def _trouble(target: Target, data: bytes, outcome: Outcome) -> str:
    """Run one case; return what is wrong with how it ended, "" for nothing."""
    try:
        target.run(data)
    except HoldfastError as error:
        outcome.refused[target.name] += 1
        text = str(error)
        if not is_one_line(text):
            return f"a message that is not one printable line: {text!r:.300}"
        if len(text) > 2 * MESSAGE_CHARACTERS_MAX + 10:
            return f"a message of {len(text)} characters"
        return f"a message with a key: {text:.200}" if CANARY in text else ""
    except Exception as error:  # noqa: BLE001 - any other is what is looked for
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = (
            ""
            if trace is None
            else f" in {trace.tb_frame.f_code.co_filename.rpartition('/holdfast/')[2]}:{trace.tb_lineno}"
        )
        return f"{type(error).__name__}{place}: {error!s:.200}"
    outcome.taken[target.name] += 1
    return ""
