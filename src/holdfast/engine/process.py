"""One engine process: start, adopt, stop, pause.

An engine outlives the server that started it. Whoever comes next adopts it: the kernel is asked which process works in the
directory (`liveness`), our own note beside the directory says what fences it.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM
from typing import Any, Final, cast

import holdfast
from holdfast import codes, disk
from holdfast.engine import guard, wallet
from holdfast.engine.directory import FILES_DIR, EngineDirectory
from holdfast.engine.fence import Fence, FencePolicy
from holdfast.engine.hold import block_ids
from holdfast.engine.launch import Launched, Order, decode_launched
from holdfast.engine.liveness import (
    ProcessHandle,
    ProcessIdentity,
    find_engine,
    has_greeting,
    identify,
    log_tail,
    start_progress,
)
from holdfast.engine.needs import check_needs
from holdfast.engine.recognition import refuse_other, refuse_present, require_blocks, require_present
from holdfast.engine.role import EngineRole, forget_parameters, set_role
from holdfast.engine.session import takes_logins
from holdfast.engine.shut_ports import can_shut_ports
from holdfast.engine.space import PORT
from holdfast.engine.space_sockets import SpaceSockets
from holdfast.engine.version import EngineVersion
from holdfast.engine_format.log_block import LOG_BLOCK_BYTES
from holdfast.errors import ConflictError, EngineError, HoldfastError, refuse
from holdfast.values.held_parameters import FORGOTTEN_AT_START
from holdfast.values.json_text import parse_json
from holdfast.values.outside import one_line

MEMORY_BUDGET_BYTES_MIN = 1 << 30
LOG_DISK_BYTES_MIN = 2 << 30
"""With 768M of memory or 1536M of log disk the engine does not start (measured)."""

_SPARE_LOG_BLOCKS = 4
"""Beside a fifth of its log disk, which the engine keeps free (measured: it stops writing at 80 %), room to go on at once."""

_LAUNCH_WAIT_SECONDS = 30
"""The launcher answers in 0.06 s; a machine that swaps needs longer."""
EMBEDDED: Final = "--embedded"
_LISTENING: Final = f"mysql_port={PORT}"
"""The word of the command line that an engine in a space has, and no other: an adopter asks the kernel for it."""
_LISTENING_ARGUMENTS: Final = ("--parameter", _LISTENING, "--parameter", "enable_rpc_service=False")
_START_TRIES = 12
"""A standby from an image without a checkpoint dies of its own race in about half of its starts, after 1.6 s."""
_AGAIN_MARK = b"errcode=-4023"
_CLOCK_CRASH = re.compile(rb"CRASH ERROR!!![^\n]* tname=TsMgr\b")
"""The same race in engine 1.3.0, whatever its image: its clock is asked before there is one, and the thread crashes (1 start
in 30 on a busy machine)."""
_LOG_BEGIN_MARK = b"[server_start 3/"
_POLL_SECONDS = 0.02
_PROGRESS_POLL_SECONDS = 0.5
_TERM_WAIT_SECONDS = 5
_KILL_WAIT_SECONDS = 30
"""SIGTERM ends an engine in 0.15 s; one that waits for a dead disk can not even be killed."""
_GREETING_WAIT_SECONDS = 2.0
_STOP_WAIT_SECONDS = 0.25
_GUARD_WAIT_SECONDS = 5
PAUSE_BOUND_SECONDS = 0.5
_LOG_TAIL_BYTES = 2000
_OUTPUT_TAIL_BYTES = 600
_ERROR_NUMBER = re.compile(rb"\b(?:ret|errcode)=(-\d{1,6})\b")
_ERROR_NUMBERS_MAX = 4
_CRASH_MARK = b"CRASH ERROR!!!"
_RECORD_BYTES_MAX = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How an engine is started. `parameters` are (name, value) pairs of its own; all are saved in its meta.db.

    `log_source_port`: where on this machine a standby pulls its log from (see `log_service`). None: it pulls nothing.
    `authority_file`: the engine gets a wallet (see `wallet`), this file its authority's certificate, and accounts that REQUIRE SSL let
    in who comes by TLS. `client_file`: it gets one all the same, and this file what a client of ours needs to be known by it.
    `role` is enforced: the engine starts as that, whatever its directory says. None leaves the directory's word.
    `wants_space`: whether it shall know its clients' addresses, where that can be (see `space`).
    Raises RefusedError below what an engine can start with.
    """

    memory_budget_bytes: int = MEMORY_BUDGET_BYTES_MIN
    log_disk_size_bytes: int = LOG_DISK_BYTES_MIN
    role: EngineRole | None = EngineRole.PRIMARY
    parameters: tuple[tuple[str, str], ...] = ()
    log_source_port: int | None = None
    wants_space: bool = False
    authority_file: Path | None = None
    client_file: Path | None = None

    def __post_init__(self) -> None:
        for name, value, least in (
            ("memory_budget", self.memory_budget_bytes, MEMORY_BUDGET_BYTES_MIN),
            ("log_disk_size", self.log_disk_size_bytes, LOG_DISK_BYTES_MIN),
        ):
            if value < least:
                raise refuse(
                    codes.OB_INVALID_ARGUMENT, f"{name} {value} is less than {least} bytes", hint="give the unit more"
                )

    def fitting(self, directory: EngineDirectory) -> "EngineSettings":
        """Return the settings with a log disk that holds the log there is, with the room the engine keeps free."""
        count = len(block_ids(directory.log_dir))
        in_use_bytes = (count + _SPARE_LOG_BLOCKS) * LOG_BLOCK_BYTES * 5 // 4
        return replace(self, log_disk_size_bytes=max(self.log_disk_size_bytes, in_use_bytes))

    @property
    def has_wallet(self) -> bool:
        return self.authority_file is not None or self.client_file is not None

    @property
    def wallet_parameters(self) -> dict[str, str]:
        """Return what the engine's parameters about TLS are then, none for one without a wallet."""
        known = wallet.CLIENT_PARAMETERS if self.client_file is not None else {}
        return {**wallet.PARAMETERS, **known} if self.has_wallet else {}

    @property
    def log_source(self) -> str:
        """Return the engine's `log_restore_source`."""
        return "" if self.log_source_port is None else f"127.0.0.1:{self.log_source_port}"

    @property
    def source_argument(self) -> str:
        """Return the word of the command line that says where the engine pulls from; of an embedded one it is not there."""
        return f"log_restore_source={self.log_source}"

    def is_embedded(self, version: EngineVersion) -> bool:
        """Return whether the engine is to be started embedded.

        A standby of a release that follows is not: an embedded engine never pulls log, and takes in table definitions once,
        while it starts; what it replays later it does not know before it is activated (measured on 1.4.0: 1146 for a table
        made behind 30 MB of log). Its ports are shut (`shut_ports`). Where they can not be, it is embedded all the same
        unless it has a source.
        """
        is_standby = self.role is EngineRole.STANDBY and version.release.follows_source
        return self.log_source_port is None and not (is_standby and can_shut_ports())

    def asks_for_space(self, version: EngineVersion) -> bool:
        """Return whether the engine is to have a space. A standby reaches its source from where that listens, so it has none."""
        return self.wants_space and self.role is EngineRole.PRIMARY and version.release.knows_addresses

    def arguments(self, version: EngineVersion) -> tuple[str, ...]:
        """Return the command line of an engine of `version` for these settings."""
        pairs = (
            (version.release.memory_parameter, f"{self.memory_budget_bytes >> 20}M"),
            ("log_disk_size", f"{self.log_disk_size_bytes >> 20}M"),
            # Four text logs of 256 MiB at most: the engine's default keeps them all.
            ("enable_syslog_recycle", "True"),
            ("max_syslog_file_count", "4"),
            *self.wallet_parameters.items(),
            *self.parameters,
        )
        return tuple(word for name, value in pairs for word in ("--parameter", f"{name}={value}"))


class EngineEndedError(EngineError):
    """The engine ended by itself before it was ready. Starting it again may do: nothing was written but its own recovery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchdog:
    """When a start counts as hung: `progress_seconds` without progress. Restores pass max(60, bytes / 10 MB/s)."""

    progress_seconds: float = 60.0


@dataclass(slots=True)
class Pause:
    """A pause under way or over. Units: nanoseconds of the monotonic clock."""

    begin_ns: int
    end_ns: int | None = None

    @property
    def elapsed_ns(self) -> int:
        """Return how long the engine has been, or was, stopped."""
        return (self.end_ns or time.monotonic_ns()) - self.begin_ns


class EngineProcess:
    """A living engine (or one that lived when this was made). Safe to use from several threads."""

    def __init__(
        self, directory: EngineDirectory, identity: ProcessIdentity, fence: Fence, space_refusal: str = ""
    ) -> None:
        """Use `start` or `adopt`. Raises ProcessLookupError if the process has ended."""
        self.directory = directory
        self.fence = fence
        self.space_refusal = space_refusal
        """Why it has no space although one was wanted, in words; empty otherwise."""
        self._handle = ProcessHandle(identity)
        self._pausing = threading.Lock()
        self.sockets = SpaceSockets(self._handle) if self.was_started_with(_LISTENING) else None
        """What reaches the port of an engine that is in a space, with any client's address; None for another."""
        self._finalizer = weakref.finalize(self, _close, self._handle, self.sockets)

    @property
    def pid(self) -> int:
        return self._handle.identity.pid

    @property
    def identity(self) -> ProcessIdentity:
        return self._handle.identity

    def was_started_with(self, argument: str) -> bool:
        """Return whether this is a word of the engine's command line; False when it has ended."""
        try:
            return argument.encode() in Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False

    @property
    def is_fenced(self) -> bool:
        """Return whether something is known to hold the engine back; False must be said loudly."""
        return self.fence is not Fence.UNFENCED

    @classmethod
    def start(
        cls,
        directory: EngineDirectory,
        settings: EngineSettings,
        fence: FencePolicy = FencePolicy.AUTO,
        *,
        watchdog: Watchdog | None = None,
    ) -> "EngineProcess":
        """Start the engine of `directory` and return it ready for logins.

        A first start is made only where `begin_founding` was called: what was there and is gone is never made anew.
        Raises ConflictError if its engine lives already, EngineError with the tail of its log if it ends, hangs or can not
        be launched; then no process is left.
        """
        for tries_left in reversed(range(_START_TRIES)):
            process = cls.launch(directory, settings, fence)
            try:
                process.wait_ready(watchdog)
            except BaseException as error:
                process.stop(gently=False)
                process.close()
                if tries_left and isinstance(error, EngineError) and _is_worth_another_start(directory):
                    continue
                raise
            return process
        raise AssertionError("the last try returns or raises")

    @classmethod
    def launch(
        cls, directory: EngineDirectory, settings: EngineSettings, fence: FencePolicy = FencePolicy.AUTO
    ) -> "EngineProcess":
        """Start without waiting for readiness: for callers that watch several starts. Same errors as `start`."""
        version = directory.version
        binary = version.installed_binary()
        living = find_engine(directory)
        if living is not None:
            raise ConflictError(
                f"the engine of {directory.root} runs already, process {living.pid}", hint="adopt it instead"
            )
        is_founding = directory.founding_mark.exists()
        if not is_founding:
            require_present(directory)
        _clear_unfinished(directory)
        refuse_other(directory)  # no engine may be tried on foreign data to see what happens
        if not is_founding:
            require_blocks(directory)
        # A first start asks for its whole log disk. Measured on 1.4.0 with 2 GiB of it: 2,100 MiB will do, 2,040 end with -4264.
        check_needs(directory.root, disk_bytes=settings.log_disk_size_bytes if is_founding else 0)
        directory.create()
        # Left by an end without goodbye (every end). A client must get "nobody there", not a dead socket.
        directory.socket.unlink(missing_ok=True)
        directory.pid_file.unlink(missing_ok=True)
        first_start: tuple[str, ...] = ()
        if is_founding:
            first_start = ("--variable", f"secure_file_priv=./{FILES_DIR}", *_first_role(settings.role))
        else:
            # The last end may have come before what a tenant had set was put right.
            forget_parameters(directory, FORGOTTEN_AT_START)
            if settings.role is not None:
                set_role(directory, settings.role)
        if settings.has_wallet:
            wallet.mint(directory.root, authority_file=settings.authority_file, client_file=settings.client_file)
        else:
            wallet.remove(directory.root)
        is_embedded = settings.is_embedded(version)
        common = ("--nodaemon", "--base-dir", str(directory.root.resolve()), "--log-level", "WARN")
        rest = (*settings.arguments(version), *first_start)
        source = ("--parameter", settings.source_argument)
        order = Order(
            root=directory.root.resolve(),
            binary=binary,
            library_dirs=version.library_dirs,
            arguments=(*common, *((EMBEDDED,) if is_embedded else source), *rest),
            # Both are named: a tenant's root can set them, and refused its port an engine does not start.
            arguments_in_space=(*common, *source, *_LISTENING_ARGUMENTS, *rest)
            if settings.asks_for_space(version)
            else None,
            environment={
                "LD_LIBRARY_PATH": str(binary.parent),
                "PATH": "/usr/bin:/bin",
                # The engine reports each first start to its vendor; a backup server has no business doing so.
                "TELEMETRY_ENABLED": "false",
            },
            policy=fence,
            is_port_shut=not is_embedded,
            log_source_port=settings.log_source_port,
        )
        launched = _launch(order)
        identity = identify(launched.pid)
        if identity is None:
            raise EngineError(_death_note(directory, "ended at once"))
        _write_record(directory.launch_record, identity, launched)
        try:
            return cls(directory, identity, launched.fence, launched.space_refusal)
        except ProcessLookupError:
            raise EngineError(_death_note(directory, "ended at once")) from None

    @classmethod
    def adopt(cls, directory: EngineDirectory) -> "EngineProcess | None":
        """Return the living engine of `directory`, None if there is none.

        Sends SIGCONT first: the server before us may have died while it held the engine stopped.
        """
        identity = find_engine(directory)
        if identity is None:
            return None
        try:
            process = cls(directory, identity, *_read_record(directory.launch_record, identity))
        except ProcessLookupError:
            return None
        process._handle.send(SIGCONT)
        if directory.founding_mark.exists() and process.is_healthy():
            # One that wrote what no known engine writes keeps its mark: `wait_ready` says so, and there is nothing to lose.
            with contextlib.suppress(HoldfastError):
                refuse_other(directory)
                disk.remove_file(directory.founding_mark)
        return process

    def is_alive(self) -> bool:
        """Return whether this very process still lives (stopped counts, a zombie does not)."""
        return self._handle.is_alive()

    def is_healthy(self, timeout: float = _GREETING_WAIT_SECONDS) -> bool:
        """Return whether the engine greets on its socket within `timeout` seconds. Needs no account."""
        return self.is_alive() and self._is_ready(timeout)

    def _is_ready(self, timeout: float) -> bool:
        if not has_greeting(self.directory.socket, timeout):
            return False
        return not self.directory.version.release.greets_early or takes_logins(self.directory.socket, timeout)

    def wait_ready(self, watchdog: Watchdog | None = None) -> None:
        """Return once the engine takes logins. Raises EngineError with the tail of its log if it ends or hangs.

        UnknownVersionError if what it has written is not what its version writes: it must be stopped.
        """
        bound_seconds = (watchdog or Watchdog()).progress_seconds
        mark = None
        mark_at = looked_at = time.monotonic() - _PROGRESS_POLL_SECONDS
        while not self._is_ready(_GREETING_WAIT_SECONDS):
            if self._handle.wait(_POLL_SECONDS):
                raise EngineEndedError(_death_note(self.directory, "ended while it started"))
            now = time.monotonic()
            if now - looked_at < _PROGRESS_POLL_SECONDS:
                continue
            looked_at = now
            latest = start_progress(self.directory, self.pid)
            if latest != mark:
                mark, mark_at = latest, now
            elif now - mark_at > bound_seconds:
                raise EngineError(
                    _death_note(self.directory, f"hung: no progress for {bound_seconds:.0f} s, {mark}"),
                    hint="a restore across FORK TABLE can hang: choose a point before the fork",
                )
        if not self.is_alive():
            raise EngineEndedError(_death_note(self.directory, "ended while it started"))
        # By what it has written an engine is known, not by its name: a first start is judged before anybody logs in.
        refuse_other(self.directory)
        # Durably: a mark that came back after a power cut would have the next start clear the directory.
        disk.remove_file(self.directory.founding_mark)

    def stop(self, *, gently: bool = True) -> None:
        """End the process; nothing is lost, the next start recovers. Repeatable.

        SIGTERM makes the engine kill itself within 0.15 s without flushing, so `gently` only spares it the surprise.
        Raises EngineError if it can not even be killed.
        """
        self._handle.send(SIGCONT)  # a stopped process keeps SIGTERM waiting for ever
        if gently and self._handle.send(SIGTERM) and self._handle.wait(_TERM_WAIT_SECONDS):
            return
        self._handle.send(SIGKILL)
        if not self._handle.wait(_KILL_WAIT_SECONDS):
            raise EngineError(
                f"process {self.pid} of {self.directory.root} does not end, not even by SIGKILL",
                hint="its disk may not answer: look at the kernel's log",
            )

    @contextlib.contextmanager
    def pause(self, bound_seconds: float = PAUSE_BOUND_SECONDS) -> Iterator[Pause]:
        """Hold every thread of the engine stopped inside the block.

        A guardian process resumes the engine when we die, or when `bound_seconds` are over; in that case leaving the block
        raises EngineError, because what was read in it is not of one moment. Writes handed to the kernel before the stop may
        still reach the disk. One pause at a time.
        """
        with self._pausing, _guardian(self._handle.descriptor, bound_seconds) as guardian:
            pause = Pause(begin_ns=time.monotonic_ns())
            try:
                guardian.arm()
                if not self._handle.send(SIGSTOP):
                    raise EngineError(_death_note(self.directory, "ended before it could be paused"))
                self._wait_stopped()
                yield pause
            finally:
                self._handle.send(SIGCONT)
                pause.end_ns = time.monotonic_ns()
            if guardian.ended_expired():
                raise EngineError(
                    f"pause of process {self.pid} was over its bound of {bound_seconds * 1000:.0f} ms",
                    hint="what was read meanwhile is not of one moment: do it again",
                )

    def close(self) -> None:
        """Give up this object's claim on the process, which goes on."""
        self._finalizer()

    def _wait_stopped(self) -> None:
        deadline = time.monotonic() + _STOP_WAIT_SECONDS
        while not self._handle.is_stopped():
            if time.monotonic() > deadline:
                raise EngineError(f"process {self.pid} did not stop within {_STOP_WAIT_SECONDS * 1000:.0f} ms")
            time.sleep(0.0005)


class _Guardian:
    """Our end of the talk with guard.py."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def arm(self) -> None:
        self._say(b"a")

    def ended_expired(self) -> bool:
        """Say that the pause is over; return whether the guardian had to end it."""
        self._say(b"d")
        return self._process.wait(_GUARD_WAIT_SECONDS) != 0

    def _say(self, word: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(word)
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it has ended: its exit status tells the rest


@contextlib.contextmanager
def _guardian(descriptor: int, bound_seconds: float) -> Iterator[_Guardian]:
    """Run guard.py until the block ends. Nothing is stopped before it has said that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", guard.__file__, str(descriptor), str(bound_seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(descriptor,),
        start_new_session=True,  # Ctrl-C at the server must not take the guardian first
    )
    try:
        assert process.stdout is not None
        if process.stdout.read(1) != b"r":
            raise EngineError(
                "the guardian of a pause did not start", hint="is the machine out of memory or processes?"
            )
        yield _Guardian(process)
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            process.wait(_GUARD_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _launch(order: Order) -> Launched:
    """Run launch.py and return what it answers."""
    # The package's folder is named: with -I neither PYTHONPATH nor the working directory can plant another launcher.
    source = str(Path(holdfast.__file__).parents[1])
    program = f"import sys; sys.path.insert(0, {source!r}); from holdfast.engine.launch import main; sys.exit(main())"
    try:
        ran = subprocess.run(
            [sys.executable, "-I", "-c", program],
            input=order.encode(),
            capture_output=True,
            timeout=_LAUNCH_WAIT_SECONDS,
            check=False,
            cwd="/",
        )
        answer = parse_json(ran.stdout or b"{}")
        if not isinstance(answer, dict):
            raise ValueError("its answer is no object")
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"engine of {order.root} can not be launched: {error}") from error
    if "pid" not in answer:
        reason = answer.get("error") or ran.stderr.decode(errors="replace")[-_LOG_TAIL_BYTES:]
        raise EngineError(f"engine of {order.root} can not be launched: {reason}")
    return decode_launched(answer)


def begin_founding(directory: EngineDirectory) -> None:
    """Allow the first start of a new engine: note, durably, that nothing in the directory is anybody's data yet.

    Only for whoever makes something new; nobody else starts an engine where none has written. Repeatable.
    Raises RefusedError where an engine has written, as `recognise` otherwise.
    """
    if directory.founding_mark.exists():
        return
    refuse_present(directory)
    disk.make_folder(directory.root.parent)
    directory.founding_mark.touch(mode=0o600)
    disk.sync_folder(directory.root.parent)


def _clear_unfinished(directory: EngineDirectory) -> None:
    """Remove what a first start left that never became ready: no engine starts in it again (7 of 8 kills, measured).

    The mark goes when an engine is first seen ready, by whoever started or adopted it, so before anybody could log in; until
    then there is nothing to lose. It stays for the start that follows.
    """
    if directory.founding_mark.exists() and directory.root.exists():
        shutil.rmtree(directory.root)


def _first_role(role: EngineRole | None) -> tuple[str, ...]:
    """Return the command line's role, which counts in a fresh directory only."""
    return ("--role", "STANDBY") if role is EngineRole.STANDBY else ()


def _is_worth_another_start(directory: EngineDirectory) -> bool:
    """Return whether the last start died of a race that the next one may win: "try again" (-4023), or its clock's crash."""
    if _CLOCK_CRASH.search(log_tail(directory.output_file)):
        return True
    _, begun, since = log_tail(directory.server_log).rpartition(_LOG_BEGIN_MARK)
    return bool(begun) and _AGAIN_MARK in since


def _death_note(directory: EngineDirectory, what: str) -> str:
    """Return what happened with the end of what this start printed and the last error numbers of the log, for a person to read.

    No more is quoted of the log: it holds statements as tenants sent them, with the values of their rows. So does the print of a
    crash.
    """
    parts = [f"engine of {directory.root} {what}"]
    output = log_tail(directory.output_file, _OUTPUT_TAIL_BYTES)
    if _CRASH_MARK in output:
        parts.append(f"{directory.output_file.name} ends with a crash")
    elif output.strip():
        parts.append(
            f"{directory.output_file.name} ends: {one_line(output.decode(errors='replace').strip(), _OUTPUT_TAIL_BYTES)}"
        )
    numbers = dict.fromkeys(reversed(_ERROR_NUMBER.findall(log_tail(directory.server_log))))
    if numbers:
        named = ", ".join(number.decode() for number in list(numbers)[:_ERROR_NUMBERS_MAX])
        parts.append(f"{directory.server_log} ends: errors {named}")
    return "; ".join(parts)


def _close(handle: ProcessHandle, sockets: SpaceSockets | None) -> None:
    if sockets is not None:
        sockets.close()
    handle.close()


def _write_record(path: Path, identity: ProcessIdentity, launched: Launched) -> None:
    """Note which process was fenced how, and why it has no space. A crash before this leaves an engine that an adopter calls unfenced."""
    fresh = path.with_name(path.name + ".new")
    noted = {
        "pid": identity.pid,
        "start_ticks": identity.start_ticks,
        "fence": str(launched.fence),
        "space_refusal": launched.space_refusal,
    }
    fresh.write_text(json.dumps(noted))
    os.replace(fresh, path)


def _read_record(path: Path, identity: ProcessIdentity) -> tuple[Fence, str]:
    """Return the fence of this very process, and why it has no space although one was wanted.

    UNFENCED when the note is about another one: never claim what is not known.
    """
    try:
        read = cast(dict[str, Any], parse_json(disk.read_file(path, size_bytes_max=_RECORD_BYTES_MAX)))
        if (read["pid"], read["start_ticks"]) == (identity.pid, identity.start_ticks):
            return Fence(read["fence"]), str(read.get("space_refusal", ""))
    except (OSError, ValueError, KeyError, TypeError):
        return Fence.UNFENCED, ""
    return Fence.UNFENCED, ""
