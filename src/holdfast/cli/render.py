"""A job as one line: figures in, text out. Pure, so that tests are tables.

A line is a tuple of (text, style) pieces; styles are rich's names. The terminal's width decides what is left out: first the
counts, then the rate, then the phase; the remaining time and the bar stay longest.
"""

from holdfast.cli.job import Ending, Job, JobKind
from holdfast.cli.pace import Speed
from holdfast.cli.units import duration_text, printable, size_text

Line = tuple[tuple[str, str], ...]

_BAR_WIDTH_MIN = 8
_BAR_WIDTH_MAX = 40
_STYLES = {
    Ending.RUNNING: "cyan",
    Ending.SUCCEEDED: "green",
    Ending.FAILED: "red",
    Ending.CANCELED: "yellow",
}
_PIECE_FULL, _PIECE_EMPTY = "━", "─"
_ASCII_FULL, _ASCII_EMPTY = "#", "-"


def plain(line: Line) -> str:
    """Return the line without its styles."""
    return "".join(text for text, _ in line)


def label(job: Job) -> str:
    """Return what a job is called everywhere: `backup shop #3 FULL`."""
    return printable(f"{job.kind} {job.tenant} #{job.job_id}{f' {job.what}' if job.what else ''}")


def job_line(job: Job, speed: Speed, *, width: int, ascii_only: bool = False) -> Line:
    """Return the line of a job, at most `width` characters: a bar while it runs, its result when it ended."""
    return _running(job, speed, width, ascii_only) if job.ending is Ending.RUNNING else _ended(job, width)


def progress_text(job: Job, speed: Speed) -> str:
    """Return the line of a job for a log or a pipe: every figure, no bar, no width."""
    percent = "" if job.percent is None else f"{job.percent}%"
    parts = [label(job), job.phase, percent, _counts(job), _rate(job, speed), _left(speed)]
    return "  ".join(part for part in parts if part)


def _running(job: Job, speed: Speed, width: int, ascii_only: bool) -> Line:
    percent = "  -%" if job.percent is None else f"{job.percent:3d}%"
    # In the order printed; the number says which goes first when there is no room.
    optional = [(3, job.phase), (1, _counts(job)), (2, _rate(job, speed)), (4, _left(speed))]
    shown = [(rank, text) for rank, text in optional if text]
    head = label(job)
    while shown and _taken(head, percent, shown) + _BAR_WIDTH_MIN > width:
        shown.remove(min(shown))
    room = width - _taken(head, percent, shown)
    if room < _BAR_WIDTH_MIN:
        return ((_cropped(f"{head} {percent.strip()}", width), _STYLES[Ending.RUNNING]),)
    after = [text for rank, text in shown if rank != 3]
    phase = "".join(f"  {text}" for rank, text in shown if rank == 3)
    full, empty = _bar(job.percent or 0, min(room, _BAR_WIDTH_MAX), ascii_only)
    return (
        (head, "bold"),
        (phase, ""),
        ("  ", ""),
        (full, _STYLES[Ending.RUNNING]),
        (empty, "dim"),
        (f" {percent}", ""),
        ("".join(f"  {text}" for text in after), ""),
    )


def _taken(head: str, percent: str, shown: list[tuple[int, str]]) -> int:
    return len(head) + 2 + 1 + len(percent) + sum(2 + len(text) for _, text in shown)


def _bar(percent: int, width: int, ascii_only: bool) -> tuple[str, str]:
    full, empty = (_ASCII_FULL, _ASCII_EMPTY) if ascii_only else (_PIECE_FULL, _PIECE_EMPTY)
    filled = width * percent // 100
    return full * filled, empty * (width - filled)


def _counts(job: Job) -> str:
    if job.kind is JobKind.RESTORE:
        return f"{size_text(job.done)} of {size_text(job.total)}" if job.total else ""
    count = f"{job.done}/{job.total} {job.unit}" if job.total else ""
    read = f"{size_text(job.bytes_read)} read" if job.bytes_read else ""
    return ", ".join(part for part in (count, read) if part)


def _rate(job: Job, speed: Speed) -> str:
    return "" if speed.bytes_per_second is None else f"{size_text(speed.bytes_per_second)}/s"


def _left(speed: Speed) -> str:
    return "" if speed.remaining_seconds is None else f"{duration_text(speed.remaining_seconds)} left"


def _ended(job: Job, width: int) -> Line:
    return (
        (label(job), "bold"),
        ("  ", ""),
        (_cropped(_result(job), width - len(label(job)) - 2), _STYLES[job.ending]),
    )


def _result(job: Job) -> str:
    if job.ending is not Ending.SUCCEEDED:
        return "  ".join(
            part for part in (job.state, f"RESULT {job.result}" if job.result else "", printable(job.comment)) if part
        )
    parts = [
        f"set {job.backup_set_id}" if job.backup_set_id else "",
        f"{job.done} {job.unit}" if job.unit == "blocks" and job.done else "",
        f"{size_text(job.bytes_read)} {'restored' if job.kind is JobKind.RESTORE else 'read'}"
        if job.bytes_read
        else "",
        f"{size_text(job.bytes_written)} written" if job.bytes_written else "",
        f"in {duration_text(job.elapsed_seconds)}",
    ]
    return f"{job.state}  {', '.join(part for part in parts if part)}"


def _cropped(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    return f"{text[: max(0, width - 3)]}..." if width >= 3 else text[: max(0, width)]
