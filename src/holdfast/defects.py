"""What nobody expected: an error that is none of ours. It is logged with its traceback, ends a row by its type, and vanishes nowhere.

The words of such an error may hold anything: a value of a tenant's row that could not be decoded, a key that was looked for. So a row's
text has its type alone, and a traceback in the log has the types and the lines of code, and no words but those of our own errors and of
the operating system.

An executor's future that nobody asks keeps its error to itself, and a thread's goes to standard error: what is handed to either is
`guarded`, or says in `tests/jobs/test_defects.py` who else looks.
"""

import functools
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from holdfast.errors import HoldfastError
from holdfast.values.outside import MESSAGE_CHARACTERS_MAX, one_line


class DefectError(HoldfastError):
    """Holdfast itself failed in a way that nobody expected."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"a defect of Holdfast: {type(error).__name__}", hint="see the server's log")


def guarded(log: logging.Logger, what: str, work: Callable[[], None]) -> Callable[[], None]:
    """Return `work` as a thread or an executor may have it: a defect that it lets out is logged. `what` names the work."""

    @functools.wraps(work)
    def guarded_work() -> None:
        try:
            work()
        except Exception:
            log.exception("%s met a defect of Holdfast", what)

    return guarded_work


_LOGGED_CHARACTERS_MAX = 2 * MESSAGE_CHARACTERS_MAX
"""Of one entry's message: an error's message with its hint."""


class DefectFormatter(logging.Formatter):
    """Writes each message on one line, whoever's words are in it, and tracebacks without the words of errors that are not ours.

    The last line of defence: a client's new line makes no line of the log.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = one_line(record.message, _LOGGED_CHARACTERS_MAX)
        return super().formatMessage(record)

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        return "" if ei[1] is None else frames_of(ei[1])

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler's, with the words
        return super().format(record)


def frames_of(error: BaseException) -> str:
    """Return the traceback of an error and of what led to it, oldest first: lines of code, types, and no values."""
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain:
        chain.append(following)
        context = None if following.__suppress_context__ else following.__context__
        following = following.__cause__ or context
    parts = []
    for one in reversed(chain):
        frames = "".join(traceback.format_tb(one.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{_words_of(one)}")
    return "\nand then:\n".join(parts)


def _words_of(error: BaseException) -> str:
    kind = type(error).__name__
    if isinstance(error, HoldfastError):
        return f"{kind}: {error}"
    return f"{kind}: {one_line(error.strerror)}" if isinstance(error, OSError) and error.strerror else kind


def begin_log(stream: TextIO, level: int = logging.INFO) -> None:
    """Let this process log to `stream`, what its threads let out included."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(DefectFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    threading.excepthook = _tell_thread
    sys.excepthook = _tell_process


def _tell_thread(let_out: threading.ExceptHookArgs) -> None:
    name = let_out.thread.name if let_out.thread is not None else "unknown"
    if let_out.exc_value is not None and not isinstance(let_out.exc_value, SystemExit):
        logging.getLogger("holdfast").error("thread %s met a defect of Holdfast", name, exc_info=let_out.exc_value)


def _tell_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("holdfast").critical("the process met a defect of Holdfast", exc_info=error)
