"""A follower with everything it needs around it, over made log or a real engine's."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from holdfast.archive.follower import Follower
from holdfast.archive.journal import Course, InTheClear, Sealing, Tenure
from holdfast.archive.pressure import SpoolLimits
from holdfast.archive.round import Wanted
from holdfast.backup_format import names
from holdfast.clock import SystemClock
from holdfast.errors import EngineError, HoldfastError, StoreUnavailableError
from holdfast.store.memory import MemoryStore
from holdfast.store.store import Appender, Store, nothing
from holdfast.values.archive import FileStatus, Piece, PieceStatus, Round, RoundStatus
from holdfast.values.buffers import Buffer
from holdfast.values.destination import Binding
from holdfast.values.scn import Scn
from owner_rig import OnlyWriter

TIMELINE = "0123456789abcdef0123456789abcdef"
CLOCK = SystemClock()
DAY_US = 86_400_000_000


def wait_until(what: Callable[[], object], seconds: float = 60.0) -> None:
    """Return when `what()` is true; fail with its last value after `seconds`, which a busy machine may need."""
    deadline = time.monotonic() + seconds
    while not (last := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s, last {last!r}"
        time.sleep(0.005)


class KeptJournal:
    """Keeps what it is told, as the catalog would."""

    def __init__(self) -> None:
        self.round: Round | None = None
        self.pieces: dict[int, Piece] = {}
        self.statuses: list[RoundStatus] = []
        self.is_away = False

    def save(self, current: Round, pieces: tuple[Piece, ...]) -> None:
        if self.is_away:
            raise EngineError("the catalog is away")
        assert self.round is None or current.checkpoint_scn >= self.round.checkpoint_scn, "the checkpoint never falls"
        self.round = current
        self.pieces.update({piece.piece_id: piece for piece in pieces})
        if self.statuses[-1:] != [current.status]:
            self.statuses.append(current.status)


class FlakyStore:
    """A destination that can be switched off, before or in the middle of an append."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.is_down = False
        self.tears = False
        self.refuses_puts = False
        self.appends = 0

    def __getattr__(self, name: str) -> object:
        if self.is_down or (self.refuses_puts and name == "put"):
            raise StoreUnavailableError(f"the destination is down ({name})")
        return getattr(self.store, name)

    def appender(self, name: str, size_bytes: int, check: Callable[[], None] = nothing) -> Appender:
        if self.is_down:
            raise StoreUnavailableError("the destination is down")
        return _FlakyAppender(self, self.store.appender(name, size_bytes, check))  # type: ignore[return-value]


class _FlakyAppender:
    def __init__(self, flaky: FlakyStore, appender: Appender) -> None:
        self._flaky = flaky
        self._appender = appender

    def append(self, *buffers: Buffer, behind: Iterable[Buffer] = ()) -> None:
        if self._flaky.is_down:
            raise StoreUnavailableError("the destination is down")
        if self._flaky.tears:
            octets = b"".join(bytes(buffer) for buffer in (*buffers, *map(bytes, behind)))
            self._appender.append(octets[: len(octets) // 2])
            raise StoreUnavailableError("the destination went down in the middle of an append")
        self._flaky.appends += 1
        self._appender.append(*buffers, behind=behind)

    def close(self) -> None:
        self._appender.close()


def new_round(start_scn: int, *, interval_us: int = DAY_US, round_id: int = 1, base_piece_id: int = 1) -> Round:
    return Round(
        tenant_id=1002,
        dest_id=1001,
        round_id=round_id,
        status=RoundStatus.PREPARE,
        start_scn=Scn(start_scn),
        checkpoint_scn=Scn(0),
        base_piece_id=base_piece_id,
        used_piece_id=base_piece_id,
        piece_switch_interval_us=interval_us,
        input_bytes=0,
        output_bytes=0,
        comment="",
        path="memory://",
    )


@dataclass
class Rig:
    """Makes followers of one tenant. `course` is what the next one is started with."""

    log_dir: Path
    log_meta_dir: Path
    spool_dir: Path
    store: Store
    round: Round
    journal: KeptJournal = field(default_factory=KeptJournal)
    lag_target_us: int = 0
    limits: SpoolLimits = field(default_factory=SpoolLimits)
    binding: Binding = Binding.OPTIONAL
    refusal: HoldfastError | None = None
    tenure: Tenure = field(default_factory=OnlyWriter)
    followers: list[Follower] = field(default_factory=list)
    owns_destination: bool = True
    sealing: Sealing = field(default_factory=InTheClear)

    def __post_init__(self) -> None:
        if self.owns_destination:
            self.store.put(names.FORMAT_FILE, b"who owns a destination is not the follower's affair")

    def follower(self, wanted: Wanted = Wanted.RUN) -> Follower:
        """Return a started follower of the round as the journal knows it."""
        course = Course(
            cluster_name="holdfast",
            cluster_id=1,
            tenant_name="mysql_tenant",
            engine_data_version="1.4.0.0",
            timeline=TIMELINE,
            round=self.journal.round or self.round,
            pieces=tuple(self.journal.pieces.values()),
            binding=self.binding,
            tenure=self.tenure,
            log_dir=self.log_dir,
            log_meta_dir=self.log_meta_dir,
            spool_dir=self.spool_dir,
            limits=self.limits,
            sealing=self.sealing,
        )
        made = Follower(
            course,
            open_store=self.opened,
            check_destination=self._check,
            journal=self.journal,
            lag_target_us=lambda: self.lag_target_us,
            clock=CLOCK,
            wanted=wanted,
        )
        self.followers.append(made)
        made.start()
        return made

    def opened(self) -> Store:
        return self.store

    def _check(self, store: Store) -> None:
        if self.refusal is not None:
            raise self.refusal

    def spooled(self) -> list[int]:
        return sorted(int(path.name) for path in self.spool_dir.iterdir())

    def close(self) -> None:
        for follower in self.followers:
            follower.stop(drain=False)


def round_to_json(current: Round, pieces: dict[int, Piece]) -> str:
    """Return a journal as text, for a follower in another process."""
    return json.dumps({"round": _fields(current), "pieces": [_fields(piece) for piece in pieces.values()]})


def round_from_json(text: str) -> tuple[Round, dict[int, Piece]]:
    """Return what `round_to_json` wrote."""
    read = json.loads(text)
    current = Round(**{**_typed(read["round"]), "status": RoundStatus(read["round"]["status"])})
    pieces = [
        Piece(
            **{
                **_typed(piece),
                "status": PieceStatus(piece["status"]),
                "file_status": FileStatus(piece["file_status"]),
            }
        )
        for piece in read["pieces"]
    ]
    return current, {piece.piece_id: piece for piece in pieces}


def _fields(value: Round | Piece) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _typed(read: dict[str, Any]) -> dict[str, Any]:
    return {name: Scn(value) if name.endswith("_scn") else value for name, value in read.items()}


def status_is(follower: Follower, status: RoundStatus) -> Callable[[], bool]:
    return lambda: follower.status().status is status
