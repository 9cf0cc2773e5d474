"""A disk whose power fails: what work below a folder did is recorded, and any state that a cut may leave is laid out anew.

    with Recording(folder) as disk:
        work()
        disk.mark("done")                      # what was promised by now has to survive
    for state in disk.states(seed=1, into=tmp_path):
        read(state.root); "done" in state.marks

Theory of operation. The calls that make, move and remove names and that make bytes and names durable are replaced in `os`, where
`pathlib` and `shutil` find them too. Writes are not: before and after each call the files and folders that it concerns are looked
at, and what is new in them counts as written in between. So it does not matter by which way bytes came (pwritev, a Python file,
SQLite), and a file that is never synced is seen when its folder is.

The model, as weak as POSIX lets a file system be, except that a rename is one step:
- bytes since the last fsync of their file are there, or not, page by page, and the size may be the old or the new one;
- a name made, moved or removed since the last fsync of its folder is there, or not, each for itself;
- so a rename may be durable whose file's bytes are not, and a file may be durable in a folder that has no name yet.

Not modelled: disks that lie about a flush.
"""

from __future__ import annotations

import os
import random
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_PAGE_BYTES = 4096
_CALLS = ("fsync", "fdatasync", "rename", "replace", "link", "unlink", "remove", "mkdir", "rmdir")
_RANDOM_VARIANTS = 3
_MARKS = 8
"""So many marks are tried at whatever the limit is."""

Pages = dict[int, bytes]


@dataclass(slots=True)
class _Node:
    """A file (`names` is None) or a folder. `pages`: what is not zero."""

    number: int
    names: dict[str, _Node] | None = None
    pages: Pages = field(default_factory=dict)
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Event:
    """`kind`: bytes, file synced, add, remove, rename, folder synced, mark."""

    kind: str
    node: int = 0
    name: str = ""
    child: int = 0
    target: int = 0
    target_name: str = ""
    pages: Pages = field(default_factory=dict)
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """What a cut left. `root`: the folder as it is after it; `marks`: what was promised before it; `what`: for messages."""

    root: Path
    marks: tuple[str, ...]
    what: str


class Recording:
    """Records what is done below `root` until the block ends. What lies there already is durable."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))
        self._lock = threading.RLock()
        self._events: list[_Event] = []
        self._numbers: dict[tuple[int, int], int] = {}
        self._names: dict[int, dict[str, int]] = {}
        self._files: dict[int, tuple[int, Pages]] = {}
        self._next = 1
        self._real: dict[str, Callable[..., Any]] = {}

    def __enter__(self) -> Self:
        self._look(self._root, None, "")
        self._begin = len(self._events)
        for name in _CALLS:
            self._real[name] = getattr(os, name)
            setattr(os, name, self._recorded(name))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, real in self._real.items():
            setattr(os, name, real)
        self._look(self._root, None, "")

    def mark(self, label: str) -> None:
        """Note that from here on something is promised."""
        with self._lock:
            self._events.append(_Event("mark", name=label))

    @property
    def count(self) -> int:
        """How many events there were, for a test that wants to be sure that something was recorded."""
        return len(self._events) - self._begin

    def states(self, into: Path, *, seed: int, limit: int = 60) -> Iterator[State]:
        """Yield what a cut behind each event may leave, one folder after the other; the folder goes with the next one.

        `limit`: events a cut is tried at; of more, some marks and others by the seed, and the last.
        """
        picked = self._picked(random.Random(seed), limit)
        model, chance = _Model(), random.Random(seed)
        for place, event in enumerate(self._events):
            model.apply(event)
            if place + 1 < self._begin:
                continue
            if place + 1 == self._begin:
                model.settle()
            if place not in picked:
                continue
            for variant, chosen in model.variants(chance):
                root = into / "state"
                shutil.rmtree(root, ignore_errors=True)
                model.lay_out(root, chosen)
                yield State(
                    root, tuple(model.marks), f"cut behind event {place} ({event.kind} {event.name}), {variant}"
                )
        shutil.rmtree(into / "state", ignore_errors=True)

    def _picked(self, chance: random.Random, limit: int) -> set[int]:
        places = range(self._begin, len(self._events))
        marks = [place for place in places if self._events[place].kind == "mark"]
        wanted = {*chance.sample(marks, min(len(marks), max(limit // 2, _MARKS))), *places[-1:]}
        others = [place for place in places if place not in wanted]
        return wanted | set(chance.sample(others, min(len(others), max(0, limit - len(wanted)))))

    # --- looking

    def _recorded(self, name: str) -> Callable[..., Any]:
        real = self._real[name]

        def call(*args: Any, **options: Any) -> Any:
            with self._lock:
                if name in ("fsync", "fdatasync"):
                    done = self._synced(args[0], real)
                else:
                    done = self._named(name, real, args, options)
                return done

        return call

    def _synced(self, descriptor: Any, real: Callable[..., Any]) -> Any:
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        place = self._place(number)
        if place is not None:
            self._look_above(place)
            self._look_at(place)
        done = real(descriptor)
        if place is not None:
            found = self._numbers.get(_identity(os.stat(place)))
            if found is not None:
                kind = "folder synced" if found in self._names else "file synced"
                self._events.append(_Event(kind, node=found, name=place.name))
        return done

    def _named(self, name: str, real: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        paths = [self._path(args[0], options.get("dir_fd", options.get("src_dir_fd")))]
        if name in ("rename", "replace", "link"):
            paths.append(self._path(args[1], options.get("dst_dir_fd")))
        inside = [path for path in paths if path is not None]
        for path in inside:
            self._look_above(path)
        if name != "unlink" and inside and os.path.lexists(inside[0]):
            self._look_at(inside[0])
        done = real(*args, **options)
        if name in ("rename", "replace") and len(inside) == 2:
            self._moved(*inside)
        else:
            for path in inside:
                self._look_at(path.parent)
        return done

    def _moved(self, source: Path, target: Path) -> None:
        above, below = (self._numbers[_identity(os.stat(path.parent))] for path in (source, target))
        child = self._names[above].pop(source.name)
        displaced = self._names[below].get(target.name)
        self._names[below][target.name] = child
        self._forget(displaced, but=child)
        self._events.append(
            _Event("rename", node=above, name=source.name, child=child, target=below, target_name=target.name)
        )

    def _place(self, descriptor: int) -> Path | None:
        found = os.readlink(f"/proc/self/fd/{descriptor}")
        return Path(found) if self._is_inside(found) and not found.endswith(" (deleted)") else None

    def _path(self, path: Any, folder: int | None) -> Path | None:
        text = os.fsdecode(path)
        if folder is not None:
            text = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), text)
        text = os.path.abspath(text)
        return Path(text) if self._is_inside(text) and text != str(self._root) else None

    def _is_inside(self, text: str) -> bool:
        return text == str(self._root) or text.startswith(f"{self._root}/")

    def _look_above(self, path: Path) -> None:
        """Know every folder from the root down to the one `path` lies in."""
        for above in reversed(path.parents):
            if self._is_inside(str(above)):
                self._look_at(above)

    def _look_at(self, path: Path) -> None:
        """Note what is new in a file, or which names are new or gone in a folder, not what is below those."""
        found = os.stat(path, follow_symlinks=False)
        number = self._numbers.get(_identity(found))
        if number is None:
            return
        if stat.S_ISDIR(found.st_mode):
            self._look_into(path, number)
        elif stat.S_ISREG(found.st_mode):
            self._read(path, number)

    def _look_into(self, path: Path, number: int) -> None:
        known = self._names[number]
        there: dict[str, os.stat_result] = {}
        for entry in os.scandir(path):
            try:
                there[entry.name] = os.stat(entry.path, follow_symlinks=False)
            except FileNotFoundError:
                continue
        for name in [name for name in known if name not in there]:
            self._events.append(_Event("remove", node=number, name=name))
            self._forget(known.pop(name))
        for name, found in there.items():
            if name not in known or self._numbers.get(_identity(found)) != known[name]:
                self._look(path / name, number, name)

    def _forget(self, number: int | None, but: int = 0) -> None:
        """Know an inode no more whose last name is gone: the next file may get its number."""
        if number != but and not any(number in names.values() for names in self._names.values()):
            self._numbers = {key: value for key, value in self._numbers.items() if value != number}

    def _look(self, path: Path, above: int | None, name: str) -> None:
        """Take up a file or folder and all that is below it."""
        found = os.stat(path, follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode) and not stat.S_ISREG(found.st_mode):
            return
        number = self._numbers.get(_identity(found))
        is_new = number is None
        if number is None:
            number = self._numbers[_identity(found)] = self._next
            self._next += 1
        if above is not None and self._names[above].get(name) != number:
            self._names[above][name] = number
            kind = "add folder" if stat.S_ISDIR(found.st_mode) else "add"
            self._events.append(_Event(kind, node=above, name=name, child=number))
        if stat.S_ISDIR(found.st_mode):
            if is_new:
                self._names[number] = {}
            for entry in sorted(os.listdir(path)):
                if (path / entry).exists():
                    self._look(path / entry, number, entry)
        else:
            self._read(path, number)

    def _read(self, path: Path, number: int) -> None:
        size_bytes, pages = _pages_of(path)
        known_size, known = self._files.get(number, (0, {}))
        changed = {
            page: pages.get(page, b"") for page in pages.keys() | known.keys() if pages.get(page) != known.get(page)
        }
        if changed or size_bytes != known_size:
            self._files[number] = (size_bytes, pages)
            self._events.append(_Event("bytes", node=number, name=path.name, pages=changed, size_bytes=size_bytes))


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _pages_of(path: Path) -> tuple[int, Pages]:
    """Return the size of a file and its pages that are not zero; holes are not read."""
    pages: Pages = {}
    with path.open("rb", buffering=0) as file:
        size_bytes, offset = os.fstat(file.fileno()).st_size, 0
        while offset < size_bytes:
            try:
                offset = os.lseek(file.fileno(), offset, os.SEEK_DATA) // _PAGE_BYTES * _PAGE_BYTES
            except OSError:
                break
            end = os.lseek(file.fileno(), offset, os.SEEK_HOLE)
            data = os.pread(file.fileno(), end - offset, offset)
            for begin in range(0, len(data), _PAGE_BYTES):
                page = data[begin : begin + _PAGE_BYTES].rstrip(b"\0")
                if page:
                    pages[(offset + begin) // _PAGE_BYTES] = page
            offset = max(end, offset + 1)
    return size_bytes, pages


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Which pending steps a cut left: places in `steps`, and for each file the pages and whether the new size."""

    steps: frozenset[int]
    pages: dict[int, frozenset[int]]
    sizes: frozenset[int]


class _Model:
    """The durable disk, and what was done since that may or may not be on it."""

    def __init__(self) -> None:
        self.durable: dict[int, _Node] = {1: _Node(1, names={})}
        self.steps: list[_Event] = []
        self.bytes: dict[int, tuple[int, Pages]] = {}
        self.marks: list[str] = []

    def apply(self, event: _Event) -> None:
        if event.kind == "bytes":
            self._node(event.node)
            _, pages = self.bytes.get(event.node, (0, {}))
            self.bytes[event.node] = (event.size_bytes, {**pages, **event.pages})
        elif event.kind == "file synced":
            if event.node in self.bytes:
                size_bytes, pages = self.bytes.pop(event.node)
                node = self._node(event.node)
                node.pages, node.size_bytes = {**node.pages, **pages}, size_bytes
        elif event.kind == "folder synced":
            mine = [step for step in self.steps if event.node in (step.node, step.target)]
            self.steps = [step for step in self.steps if step not in mine]
            for step in mine:
                _carry_out(step, self.durable, self._node)
        elif event.kind == "mark":
            self.marks.append(event.name)
        else:
            self._node(event.child, is_folder=event.kind == "add folder")
            self.steps.append(event)

    def settle(self) -> None:
        """Take everything so far as durable."""
        for number, (size_bytes, pages) in self.bytes.items():
            node = self._node(number)
            node.pages, node.size_bytes = {**node.pages, **pages}, size_bytes
        for step in self.steps:
            _carry_out(step, self.durable, self._node)
        self.steps, self.bytes = [], {}

    def variants(self, chance: random.Random) -> Iterator[tuple[str, _Chosen]]:
        """Yield what a cut now may leave: nothing pending, all, names without bytes, bytes without names, and by chance."""
        steps = frozenset(range(len(self.steps)))
        pages = {number: frozenset(changed) for number, (_, changed) in self.bytes.items()}
        sizes, nothing = frozenset(pages), {number: frozenset[int]() for number in pages}
        yield "nothing pending is there", _Chosen(frozenset(), nothing, frozenset())
        if not steps and not pages:
            return
        yield "all of it is there", _Chosen(steps, pages, sizes)
        if pages and steps:
            yield "names without bytes", _Chosen(steps, nothing, frozenset())
            yield "names and sizes without bytes", _Chosen(steps, nothing, sizes)
            yield "bytes without names", _Chosen(frozenset(), pages, sizes)
        for number in range(_RANDOM_VARIANTS if len(steps) + sum(map(len, pages.values())) > 1 else 0):
            some = {
                one: frozenset(page for page in sorted(all_) if chance.random() < 0.5) for one, all_ in pages.items()
            }
            yield (
                f"by chance {number}",
                _Chosen(
                    frozenset(step for step in sorted(steps) if chance.random() < 0.5),
                    some,
                    frozenset(one for one in sorted(sizes) if chance.random() < 0.5),
                ),
            )

    def lay_out(self, root: Path, chosen: _Chosen) -> None:
        """Make the folder `root` as the disk is then."""
        names = {number: dict(node.names or {}) for number, node in self.durable.items() if node.names is not None}
        tree = {number: _Node(number, names=names.get(number)) for number in self.durable}
        for number, step in enumerate(self.steps):
            if number in chosen.steps:
                _carry_out(step, tree, lambda child: tree[child])
        self._write(root, tree, 1, chosen)

    def _write(self, path: Path, tree: dict[int, _Node], number: int, chosen: _Chosen) -> None:
        names = tree[number].names
        if names is not None:
            path.mkdir()
            for name, child in names.items():
                self._write(path / name, tree, child.number, chosen)
            return
        node = self.durable[number]
        size_bytes, pages = node.size_bytes, node.pages
        if number in self.bytes:
            new_size, changed = self.bytes[number]
            pages = {**pages, **{page: changed[page] for page in chosen.pages[number]}}
            if number in chosen.sizes:
                size_bytes = new_size
        with path.open("wb", buffering=0) as file:
            file.truncate(size_bytes)
            for page, data in pages.items():
                if data and page * _PAGE_BYTES < size_bytes:
                    os.pwrite(file.fileno(), data[: size_bytes - page * _PAGE_BYTES], page * _PAGE_BYTES)

    def _node(self, number: int, *, is_folder: bool = False) -> _Node:
        if number not in self.durable:
            self.durable[number] = _Node(number, names={} if is_folder else None)
        return self.durable[number]


def _carry_out(step: _Event, tree: dict[int, _Node], node: Callable[[int], _Node]) -> None:
    names = tree[step.node].names
    assert names is not None
    if step.kind == "remove":
        names.pop(step.name, None)
        return
    child = node(step.child)
    if step.kind == "rename":
        if step.name in names and names[step.name].number == step.child:
            del names[step.name]
        target = tree[step.target].names
        assert target is not None
        target[step.target_name] = child
    else:
        names[step.name] = child
