"""A follower in a process of its own, to be killed: `follower_child.py LOG META SPOOL DESTINATION JOURNAL INTERVAL_US`.

The journal is a file, replaced whole; it may be behind the destination by whatever the kill took.
"""

import json
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent.parent / "src")]

from follower_rig import KeptJournal, Rig, new_round, round_from_json, round_to_json  # noqa: E402

from holdfast.store.file import FileStore  # noqa: E402
from holdfast.values.archive import Piece, Round  # noqa: E402


class FileJournal(KeptJournal):
    """A journal another process can take up."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.exists():
            self.round, self.pieces = round_from_json(path.read_text())

    def save(self, current: Round, pieces: tuple[Piece, ...]) -> None:
        super().save(current, pieces)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(round_to_json(current, self.pieces))
        fresh.replace(self._path)


def file_rig(log: Path, meta: Path, spool: Path, destination: Path, journal: Path, interval_us: int) -> Rig:
    """Return a rig over a file destination, with the journal in a file."""
    return Rig(
        log_dir=log,
        log_meta_dir=meta,
        spool_dir=spool,
        store=FileStore(str(destination), create=True),
        round=new_round(time.time_ns(), interval_us=interval_us),
        journal=FileJournal(journal),
    )


def main() -> None:
    log, meta, spool, destination, journal = (Path(text) for text in sys.argv[1:6])
    rig = file_rig(log, meta, spool, destination, journal, int(sys.argv[6]))
    rig.follower()
    print(json.dumps("running"), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
