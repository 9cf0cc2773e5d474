"""A process that backs an engine directory up and may be killed at any moment: `kill_target.py HOME SPOOL DEST SET_ID`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent.parent / "src"))

from stand_ins import CLOCK, HeldLog, ListJournal, plan_of

from holdfast.backup.image import EngineImage
from holdfast.backup.run import run_backup
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.process import EngineProcess
from holdfast.engine.version import installed
from holdfast.store.file import FileStore


def main() -> None:
    home, spool, dest, set_id = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    directory = EngineDirectory(home / "engine", installed())
    process = EngineProcess.adopt(directory)
    assert process is not None
    log = HeldLog(directory.log_dir, spool)
    image = EngineImage(directory, clock=CLOCK, pause=process.pause, blocks_in_use=lambda: None)
    print("begun", flush=True)
    with image:
        result = run_backup(plan_of(set_id=set_id), image, FileStore(dest, create=True), log, ListJournal(), CLOCK)
    print(f"done {result.comment}", flush=True)


if __name__ == "__main__":
    main()
