"""Following jobs until they end: bars on a terminal, lines in a pipe, one JSON document per look with --json.

The jobs are the server's. This only looks: whatever ends it, they go on.
"""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from holdfast.cli.document import job_document
from holdfast.cli.job import Ending, Job, JobKind
from holdfast.cli.outcome import FULL, Exit, Failure
from holdfast.cli.output import Output
from holdfast.cli.pace import Pace, Speed
from holdfast.cli.render import job_line, plain, progress_text
from holdfast.clock import Clock

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

LIVE_SECONDS = 0.3
PLAIN_SECONDS = 5.0
_AWAY_SECONDS_MAX = 60.0
"""How long a lost server is waited for: a crash and the next start take seconds, and its jobs survive both."""
_AWAY_PAUSE_SECONDS = 1.0
_NOT_READY = 4012
"""What a server says that just started, while a tenant's engine is still taken up."""
_ENDED_WIDTH = 10_000

Key = tuple[JobKind, int, int]


class Display:
    """Shows jobs, look by look. `with` it: a terminal gets its cursor back whatever happens."""

    def __init__(
        self, output: Output, clock: Clock, *, silent: bool = False, plain_seconds: float = PLAIN_SECONDS
    ) -> None:
        self._output = output
        self._clock = clock
        self._silent = silent
        self._plain_seconds = plain_seconds
        self._paces: dict[Key, Pace] = {}
        self._told: dict[Key, tuple[str, float]] = {}
        self._live: Live | None = None

    def __enter__(self) -> "Display":
        if self._output.is_live and not self._silent:
            from rich.live import Live

            self._live = Live(console=self._output.console, auto_refresh=False, redirect_stdout=False)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    @property
    def pause_seconds(self) -> float:
        """Return how long to wait until the next look."""
        if self._output.as_json and not self._silent:
            return self._plain_seconds
        return LIVE_SECONDS

    def show(self, jobs: Iterable[Job]) -> None:
        """Take a look's jobs."""
        now = self._clock.monotonic()
        looked = [(job, self._paces.setdefault(job.key, Pace()).note(job, now)) for job in jobs]
        if self._silent:
            return
        if self._output.as_json:
            self._output.document(jobs=[job_document(job, speed) for job, speed in looked])
        elif self._live is not None:
            self._live.update(self._drawn(looked), refresh=True)
        else:
            for job, speed in looked:
                self._tell(job, speed, now)

    def say(self, text: str) -> None:
        """Say a word beside the bars."""
        self._output.note(text)

    def _drawn(self, looked: list[tuple[Job, Speed]]) -> "Group":
        from rich.console import Group
        from rich.text import Text

        width = self._output.console.width
        lines = [job_line(job, speed, width=width, ascii_only=self._output.is_ascii) for job, speed in looked]
        return Group(*(Text.assemble(*line, no_wrap=True, overflow="crop") for line in lines))

    def _tell(self, job: Job, speed: Speed, now: float) -> None:
        """Print a line when the phase changed, the job ended, or nothing was said for a while."""
        phase, at = self._told.get(job.key, ("", float("-inf")))
        state = f"{job.state} {job.phase}"
        ended = job.ending is not Ending.RUNNING
        if state == phase and (ended or now - at < self._plain_seconds):
            return
        self._told[job.key] = (state, now)
        self._output.line(plain(job_line(job, speed, width=_ENDED_WIDTH)) if ended else progress_text(job, speed))


def follow(
    display: Display,
    clock: Clock,
    look: Callable[[], list[Job]],
    is_over: Callable[[list[Job]], bool],
    reopen: Callable[[], None],
) -> list[Job]:
    """Look until it is over and return the last look. Raises Failure when the server stays away."""
    away_since: float | None = None
    while True:
        try:
            if away_since is not None:
                reopen()
            jobs = look()
            away_since = None
        except Failure as failure:
            if failure.outcome is not Exit.UNREACHABLE and failure.code not in (_NOT_READY, FULL):
                raise
            now = clock.monotonic()
            if away_since is None:
                state = "is full" if failure.code == FULL else "does not answer"
                display.say(f"the server {state}; trying for {_AWAY_SECONDS_MAX:.0f} s, what runs there goes on")
                away_since = now
            elif now - away_since > _AWAY_SECONDS_MAX:
                raise
            clock.sleep(_AWAY_PAUSE_SECONDS)
            continue
        display.show(jobs)
        if is_over(jobs):
            return jobs
        clock.sleep(display.pause_seconds)


def gone(what: str) -> Failure:
    """Return what to say of a job that is in no view any more, active or ended."""
    return Failure(Exit.FAILED, f"{what} is in no view any more: its tenant was dropped")


def outcome_of(jobs: Iterable[Job]) -> Exit:
    """Return how a command ends whose jobs ended so: what failed counts for more than what was cancelled."""
    endings = {job.ending for job in jobs}
    if Ending.FAILED in endings:
        return Exit.FAILED
    return Exit.CANCELED if Ending.CANCELED in endings else Exit.DONE
