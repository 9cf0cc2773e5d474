"""No line of the log is one that a client wrote."""

import io
import logging

from holdfast.defects import DefectFormatter
from holdfast.errors import CorruptionError
from holdfast.values.outside import is_one_line

FORGED = "t\n2026-11-30 00:00:00,000 ERROR holdfast: all backups deleted\x1b[2J\u202e"


def logged(*args: object, error: BaseException | None = None) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(DefectFormatter("%(levelname)s %(name)s: %(message)s"))
    record = logging.LogRecord(
        "holdfast",
        logging.WARNING,
        "f.py",
        1,
        "login of %s",
        args,
        None if error is None else (type(error), error, None),
    )
    handler.emit(record)
    return stream.getvalue()


def test_a_new_line_in_a_message_makes_no_line_of_the_log() -> None:
    text = logged(FORGED)
    assert text.count("\n") == 1
    assert is_one_line(text.rstrip("\n"))
    assert "\\n2026-11-30" in text


def test_a_message_of_any_length_is_cut() -> None:
    assert len(logged("x" * 1_000_000)) < 10_000


def test_a_traceback_keeps_its_lines_and_its_errors_words_are_escaped() -> None:
    text = logged("t", error=CorruptionError(FORGED))
    assert text.splitlines()[:2] == ["WARNING holdfast: login of t", "Traceback (most recent call last):"]
    assert not any(line.startswith("2026-11-30") for line in text.splitlines())
    text = logged("t", error=OSError(5, FORGED))
    assert not any(line.startswith("2026-11-30") for line in text.splitlines())
