"""Every place that makes, moves or removes a name or makes bytes durable, and why it is right when the power fails.

A new one fails this test until it is listed. What is to survive goes through `holdfast.disk`, or through a destination's store.
"""

import ast
from collections.abc import Iterator

from source_rig import trees

_OS = {
    "fsync",
    "fdatasync",
    "rename",
    "replace",
    "renames",
    "link",
    "symlink",
    "unlink",
    "remove",
    "rmdir",
    "removedirs",
}
_OS |= {"mkdir", "makedirs", "truncate", "ftruncate", "sync"}
_PATH = {"write_bytes", "write_text", "rename", "unlink", "mkdir", "rmdir", "touch", "symlink_to", "hardlink_to"}
_SHUTIL = {"rmtree", "move", "copy", "copy2", "copyfile", "copytree"}
_FLAGS = ("O_CREAT", "O_WRONLY", "O_RDWR")

PROVEN = "proven by a scene of power cuts"
ENGINE = "in an engine's directory, all of which lay_out makes durable at its end: test_destinations.py"
GONE = "about a process that a power cut ends, or bytes that nobody needs after it"
RUBBISH = "removes what nothing refers to; what comes back is removed again"
STORE = "a destination's own discipline: test_destinations.py"

PLACES = {
    "cli.verdict.abandon_output": ("open", "the null device, in the place of an output that takes nothing"),
    "demo.run": ("open rmtree", GONE),
    "disk.make_folder": ("mkdir", PROVEN),
    "disk.move": ("replace", PROVEN),
    "disk.remove_file": ("unlink", PROVEN),
    "disk.sync_folder": ("fsync", PROVEN),
    "disk.write_file": ("fsync open replace unlink", PROVEN),
    "engine.directory.EngineDirectory.create": (
        "mkdir",
        "the root by disk; the engine makes what is missing below it at each start",
    ),
    "engine.drift.secure": ("mkdir", "made again at each start"),
    "engine.hold.SpoolHold.link": ("link", PROVEN),
    "engine.hold.SpoolHold.release": ("unlink", PROVEN),
    "engine.image.prepare_restored_directory": ("mkdir", ENGINE),
    "engine.image.remove_directory": ("rmtree unlink", RUBBISH),
    "engine.image.write_restored_file": ("fsync mkdir open", ENGINE),
    "engine.launch._redirect": ("open", GONE),
    "engine.launch.launch": ("open", GONE),
    "engine.process.EngineProcess.launch": ("unlink", GONE),
    "engine.process._clear_unfinished": ("rmtree", RUBBISH),
    "engine.process.begin_founding": ("touch", PROVEN),
    "engine.wallet.mint": ("mkdir", "made anew before each start that needs it"),
    "engine.wallet.remove": ("rmtree unlink", RUBBISH),
    "jobs.supervisor.Supervisor._with_wallet": ("unlink", RUBBISH),
    "engine.process._write_record": ("replace write_text", GONE),
    "engine.role._copy_meta_db": ("write_bytes", "a copy in a temporary folder, read at once"),
    "engine.space._write": ("write_text", "a file of /proc"),
    "jobs.identity.ServeLock.note_server_file": ("fsync", "a start without it notes it; it only makes a refusal"),
    "jobs.identity.take_lock": ("fsync open", PROVEN),
    "keys.host_key.HostKey._make": ("link unlink", PROVEN),
    "jobs.quick.QuickTenants._follow": ("rmtree", RUBBISH),
    "jobs.restore_worker.RestoreWorkers._clear": (
        "rmtree",
        "what is laid out in its place has a folder of its own, which disk makes durable",
    ),
    "jobs.restore_worker.RestoreWorkers._kept_log": ("write_bytes", GONE),
    "jobs.restore_worker.RestoreWorkers.forget_keys": ("rmtree", RUBBISH),
    "jobs.restore_worker.RestoreWorkers.sweep_keys": ("rmtree", RUBBISH),
    "jobs.tenants.Tenants._sweep": ("rmtree", RUBBISH),
    "jobs.tenants.Tenants._to_trash": (
        "rmtree",
        "by disk; on a full disk removed in place, which the tenant's row says until it is done",
    ),
    "restore.block_mount._try_mount": ("open rmtree touch write_bytes", GONE),
    "restore.block_mount.find_obstacle": ("open", "opens a device and writes nothing"),
    "restore.lazy_file.LazyBlockFile.__init__": ("open", PROVEN),
    "restore.lazy_file.LazyBlockFile.grow": ("ftruncate", "a size without bytes: the engine writes them, and syncs"),
    "restore.lazy_file.LazyBlockFile.sync": ("fdatasync", PROVEN),
    "restore.lazy_file.create_lazy_files": ("fsync ftruncate open", PROVEN),
    "restore.lazy_layout._write": ("fsync open", PROVEN),
    "restore.lazy_layout.lay_out_lazily": ("mkdir", PROVEN),
    "restore.lazy_layout.put_plain": ("fsync open rmtree", PROVEN),
    "restore.lazy_place.LazyPlace.take_lock": ("ftruncate open", GONE),
    "restore.lazy_place._put": ("open replace", GONE),
    "restore.log_tail._replace": ("fdatasync open", PROVEN),
    "restore.rollback.roll_back": (
        "fdatasync open",
        "a group is there or its checksum fails; the next start looks for cut transactions again",
    ),
    "restore.run._LogFiles._file": ("ftruncate open", ENGINE),
    "restore.run._LogFiles.close": ("fdatasync", ENGINE),
    "restore.run._LogFiles.finish": ("ftruncate open", ENGINE),
    "restore.run._lay_out_blocks": ("fdatasync ftruncate open", ENGINE),
    "store.file.FileStore._prepare": ("fsync ftruncate", STORE),
    "store.file.FileStore._remove": ("fsync rename", STORE),
    "store.file.FileStore.appender": ("fsync open", STORE),
    "store.file.FileStore.delete": ("fsync unlink", STORE),
    "store.file.FileStore.discard": ("unlink", RUBBISH),
    "store.file.FileStore.publish": ("fsync link rename unlink", STORE),
    "store.file._FileAppender.append": ("fdatasync ftruncate", STORE),
    "store.file._FileWriter._commit": ("fsync", STORE),
    "store.file._Temporary.__init__": ("open", STORE),
    "store.file._sweep_one": ("unlink", RUBBISH),
    "store.folder.DurableFolders.secure": ("fsync", STORE),
    "store.folder._make_entries_durable": ("fsync", STORE),
    "store.folder._make_step": ("mkdir", STORE),
    "store.folder._step": ("mkdir", STORE),
    "store.folder.make_root": ("fsync mkdir", STORE),
    "store.folder.remove_tree": ("rmdir unlink", RUBBISH),
}


def calls(tree: ast.AST, within: str = "") -> Iterator[tuple[str, str]]:
    """Yield the function around each call that the file system would have to remember, and what is called."""
    for node in ast.iter_child_nodes(tree):
        inner = within
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{within}.{node.name}"
        if isinstance(node, ast.Call) and _changes(node):
            yield inner, ast.unparse(node.func).rpartition(".")[2]
        yield from calls(node, inner)


def _changes(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "open" and _writes(call, 1)
    if not isinstance(call.func, ast.Attribute):
        return False
    owner, name = ast.unparse(call.func.value), call.func.attr
    if owner == "os":
        text = ast.unparse(call)
        return name in _OS or (name == "open" and ("flags" in text or any(flag in text for flag in _FLAGS)))
    if owner == "shutil":
        return name in _SHUTIL
    if name == "open":
        return _writes(call, 0)
    if name == "replace":  # of a Path; that of a text takes two arguments, that of a value has names
        return len(call.args) == 1 and not call.keywords
    return name in _PATH and owner != "disk"


def _writes(call: ast.Call, place: int) -> bool:
    mode = call.args[place] if len(call.args) > place else None
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and bool(set(mode.value) & set("wax+"))


def found_places() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, tree in trees().items():
        module = name.removesuffix(".py").replace("/", ".")
        for within, called in calls(tree):
            found.setdefault(module + within, set()).add(called)
    return found


def test_every_place_is_listed_with_its_reason() -> None:
    assert found_places() == {place: set(names.split()) for place, (names, _) in PLACES.items()}
