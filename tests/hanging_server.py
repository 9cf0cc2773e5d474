"""`holdfast` with data destinations that may hang: `python tests/hanging_server.py PIPE serve ...`.

While the named pipe PIPE is there, whoever reads a format file below a folder `data` waits in the pipe first: for somebody to
open its other end, then for him to close it. A system call that does not return, as on a dead network file system; the
store itself never waits for a pipe in its own folder, so only from outside can it be made to.
"""

import sys
from pathlib import Path

from holdfast.__main__ import main
from holdfast.backup_format.names import FORMAT_FILE
from holdfast.store.file import FileStore


def make_hang(pipe: Path) -> None:
    get = FileStore.get

    def hanging_get(self: FileStore, name: str, offset: int = 0, size: int | None = None) -> bytes:
        if name == FORMAT_FILE and self.location.endswith("/data") and pipe.is_fifo():
            pipe.read_bytes()
        return get(self, name, offset, size)

    FileStore.get = hanging_get  # type: ignore[method-assign]


if __name__ == "__main__":
    make_hang(Path(sys.argv.pop(1)))
    main()
