"""The places inside one engine's directory."""

from dataclasses import dataclass
from pathlib import Path

from holdfast import disk
from holdfast.engine.version import EngineVersion

FILES_DIR = "files"
"""Relative on purpose: it is the value of `secure_file_priv` too, and a restored engine then needs no new value."""


@dataclass(frozen=True, slots=True)
class EngineDirectory:
    """Paths below `root`, the engine's own base directory: all that its process may write."""

    root: Path
    version: EngineVersion

    @property
    def run_dir(self) -> Path:
        return self.root / "run"

    @property
    def socket(self) -> Path:
        return self.root / "run" / "sql.sock"

    @property
    def clients_lock(self) -> Path:
        """An embedded engine lives as long as somebody holds a shared flock on this file."""
        return self.root / "run" / "seekdb.clients"

    @property
    def pid_file(self) -> Path:
        """Left behind by every end of the engine: never a proof of life."""
        return self.root / "run" / "seekdb.pid"

    @property
    def log_dir(self) -> Path:
        """The folder of log blocks, files named by block id."""
        return self.root / self.version.log_stream / "log"

    @property
    def log_meta_dir(self) -> Path:
        return self.root / self.version.log_stream / "meta"

    @property
    def block_file(self) -> Path:
        return self.root / "store" / "sstable" / "block_file"

    @property
    def meta_db(self) -> Path:
        return self.root / "store" / "sstable" / "meta.db"

    @property
    def slog_dir(self) -> Path:
        return self.root / "store" / "slog"

    @property
    def etc_dir(self) -> Path:
        return self.root / "etc"

    @property
    def data_version_file(self) -> Path:
        return self.root / "etc" / "seekdb.data_version.bin"

    @property
    def files_dir(self) -> Path:
        """The only folder a tenant's SQL may read and write files in."""
        return self.root / FILES_DIR

    @property
    def server_log(self) -> Path:
        """The engine's own text log."""
        return self.root / "log" / "seekdb.log"

    @property
    def output_file(self) -> Path:
        """What the process wrote to stdout and stderr, of this start only."""
        return self.root / "log" / "output.txt"

    @property
    def launch_record(self) -> Path:
        """Our own note about the last launch; beside the directory, where the engine can not write it."""
        return self.root.with_name(self.root.name + ".launch.json")

    @property
    def founding_mark(self) -> Path:
        """There from before an engine's first start until it was ready once; beside the directory."""
        return self.root.with_name(self.root.name + ".founding")

    def create(self) -> None:
        """Make the folders a start needs, private to us. Repeatable."""
        disk.make_folder(self.root)
        for folder in (self.run_dir, self.root / "log", self.files_dir):
            folder.mkdir(mode=0o700, exist_ok=True)
