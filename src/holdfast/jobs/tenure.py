"""Who may write a destination: this server, or another one of the same name that wrote there since (decision 42).

`writer.obbak` says who wrote last. It is read before anything is written, and written again:

    take      at a start, a round, a backup, a deletion     judged: another life's destination is refused and nothing written
    keep      before each record, and once a second         it must hold what this server put last, byte for byte
    leave     at the end of the server                      marked as released, so that the next one need not wait

Of two that take it at once the second one's record stays, and the first finds that within a second.

Where nothing proves that the last writer is dead (another directory, another boot), its silence is waited for: it would have
written within BEAT_SECONDS. The same directory in the same boot is proof, because of the lock of the base directory.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable

from holdfast import codes
from holdfast.archive.round import follows_log
from holdfast.backup_format import names
from holdfast.backup_format.writer_record import WriterRecord, decode_writer_record, encode_writer_record
from holdfast.catalog.catalog import Catalog
from holdfast.clock import Clock
from holdfast.errors import (
    CorruptionError,
    EngineError,
    ForeignOwnerError,
    HoldfastError,
    NotFoundError,
    StoreUnavailableError,
    UnknownVersionError,
    WriterMayLiveError,
    refuse,
)
from holdfast.jobs.destinations import OpenStore, check_destination, format_file_of
from holdfast.jobs.identity import ClusterIdentity
from holdfast.store.small import FORMAT_BYTES_MAX, get_small
from holdfast.store.store import Store
from holdfast.values.destination import Destination, DestinationKind
from holdfast.values.owner import JobKind, Owner
from holdfast.values.tenure import Knowledge, Sight, find_other

log = logging.getLogger("holdfast.tenure")

BEAT_SECONDS = 5.0
"""How often a server that archives says that it lives: one small object, some 2 ms of a disk."""
SILENCE_SECONDS = 15.0
"""How long a writer must be silent before another believes it dead: three beats."""
_LEAVE_SECONDS = 5.0
_ARCHIVE_SECONDS_MAX = 30.0
"""The silence, and some seconds for an archive that opens slowly."""
_ARCHIVE_POLL_SECONDS = 0.2
_STATEMENT_SECONDS_MAX = 5.0
"""How long a statement waits to be told who writes: an archive that this server follows is its own within a second."""
_PUTS_REMEMBERED = 64
"""Of puts that failed and may yet take effect the last ones: a destination that can be read and not written fails for weeks."""

WAY_ON = (
    "if this server is the one to live: ALTER SYSTEM RENEW SERVER IDENTITY, then a new archive round and a full backup"
)


class Tenure:
    """One destination of one tenant. Safe from any thread."""

    def __init__(
        self,
        destination: Destination,
        catalog: Catalog,
        identity: ClusterIdentity,
        clock: Clock,
        told: Callable[[Destination, str], None],
    ) -> None:
        """`told` hears, once for each reason, that this server must not write here."""
        self._destination = destination
        self._catalog = catalog
        self._identity = identity
        self._clock = clock
        self._told = told
        self._lock = threading.Lock()
        self._put: deque[bytes] = deque(maxlen=_PUTS_REMEMBERED)
        self._is_confirmed = False
        self._is_left = False
        self._beaten_at = float("-inf")
        self._ids = (0, 0)
        self._seen: tuple[bytes, float] | None = None
        self._trouble = ""

    @property
    def dest_id(self) -> int:
        return self._destination.dest_id

    @property
    def trouble(self) -> str:
        """Return why this server must not write here, empty while it may. Never blocks."""
        return self._trouble

    @property
    def is_held(self) -> bool:
        """Return whether this server is the writer as far as it knows: a put of its was read back. Never blocks."""
        return self._is_confirmed and not self._trouble and not self._is_left

    def owner(self, kind: JobKind = JobKind.NONE, job_id: int = 0) -> Owner:
        return self._identity.server.owner(self._clock.now_ns() // 1000, kind, job_id)

    def made(self, owner: Owner | None) -> bool:
        return self._identity.server.lineage.made(owner)

    def take(self, store: Store, *, watches: bool = False, removes: bool = False) -> None:
        """Become the writer, or find to be it. Repeatable.

        Raises ForeignOwnerError (-9081) when another life of this server wrote since, StoreUnavailableError while its silence is
        waited for (`watches`), or when the record can not be read or written. `removes`: who takes it only frees room there, so a
        place without room is good enough where the record that lies there is this server's own.
        """
        with self._lock:
            self._refuse_when_left(store)
            found = _read(store)
            is_own = found is not None and found in self._put
            known = self._known_ids(is_held=is_own)
            if not is_own:
                self._judge(store, found, known, watches=watches)
                if found is not None:
                    # It counts until a put is read back: it is what a put without effect leaves, and was judged.
                    self._put.append(found)
            elif known == self._ids and self._clock.monotonic() - self._beaten_at < BEAT_SECONDS:
                return
            try:
                self._write(store, found, known)
            except StoreUnavailableError as error:
                if not (removes and error.code is codes.OB_BACKUP_DEVICE_OUT_OF_SPACE and self._is_own(found)):
                    raise
                return
            self._trouble = ""

    def keep(self, store: Store) -> None:
        """Find that this server is still the writer, just before it writes. Raises as `take`."""
        with self._lock:
            self._refuse_when_left(store)
            found = _read(store)
            if found is not None and found not in self._put:
                raise self._refused(store, self._overtaken_by(found))
            if found is None or self._clock.monotonic() - self._beaten_at >= BEAT_SECONDS:
                self._write(store, found, self._ids)

    def take_over(self, store: Store) -> tuple[int, int]:
        """Become the writer whoever wrote last, because a person said so; return the highest set and round that are known there.

        From now on this server gives ids behind them.
        """
        tenant_id = self._destination.tenant_id
        with self._lock:
            self._refuse_when_left(store)
            found = _read(store)
            seen = _sight(store, self._destination.kind, found)
            self._catalog.backups.raise_set_id(tenant_id, seen.backup_set_id)
            self._catalog.rounds.raise_round_id(tenant_id, seen.round_id)
            self._catalog.rounds.raise_piece_id(tenant_id, _highest_piece(store, self._destination.kind))
            self._write(
                store,
                found,
                (self._catalog.backups.last_set_id(tenant_id), self._catalog.rounds.last_round_id(tenant_id)),
            )
            self._trouble = ""
        return seen.backup_set_id, seen.round_id

    def leave(self, store: Store) -> None:
        """Say that this server will not write here any more, if it is still the writer; from now on nothing is taken or kept.

        Threads may still be at work: the record that they would find is this server's own, and nobody has overtaken it.
        """
        self.end()
        with self._lock:
            found = _read(store)
            if found is not None and found in self._put:
                self._put.clear()
                store.put(names.WRITER_FILE, encode_writer_record(self._record(found, self._ids, is_released=True)))

    def end(self) -> None:
        """Take and keep nothing any more. Never blocks."""
        self._is_left = True

    def _refuse_when_left(self, store: Store) -> None:
        if self._is_left:
            raise StoreUnavailableError(f"{store.location} is not written any more: this server ends")

    def _known_ids(self, *, is_held: bool) -> tuple[int, int]:
        """Return the highest ids this server gave. A catalog that is away keeps nobody from going on where it is the writer."""
        try:
            return (
                self._catalog.backups.last_set_id(self._destination.tenant_id),
                self._catalog.rounds.last_round_id(self._destination.tenant_id),
            )
        except EngineError:
            if not is_held:
                raise
            return self._ids

    def _judge(self, store: Store, found: bytes | None, known: tuple[int, int], *, watches: bool) -> None:
        if found is not None and self._put:
            # A put that was never confirmed made nobody the writer: who is there then is looked at like at a start.
            is_twin = decode_writer_record(found).owner.token == self._identity.server.token
            if self._is_confirmed or is_twin:
                raise self._refused(store, self._overtaken_by(found))
        seen = _sight(store, self._destination.kind, found)
        lineage = self._identity.server.lineage
        other = find_other(Knowledge(lineage=lineage, backup_set_id=known[0], round_id=known[1]), seen)
        if other is not None:
            raise self._refused(store, other)
        if watches and found is not None:
            self._watch(store, found)

    def _watch(self, store: Store, found: bytes) -> None:
        record = decode_writer_record(found)
        if record.is_released or record.place == self._identity.server.place:
            return
        now = self._clock.monotonic()
        if self._seen is None:
            self._seen = (found, now)
        first, since = self._seen
        if found != first:
            self._seen = None
            raise self._refused(
                store, f"{record.owner.words}, of which this base directory is a copy, writes there now"
            )
        if now - since < SILENCE_SECONDS:
            raise WriterMayLiveError(
                f"{store.location} was last written by {record.owner.words}, which may still live",
                hint=f"taken when it has been silent for {SILENCE_SECONDS:.0f} s",
            )
        self._seen = None

    def _overtaken_by(self, found: bytes) -> str:
        owner = decode_writer_record(found).owner
        if owner.token == self._identity.server.token:
            return "a copy of this running server writes there too"
        return f"{owner.words} has taken it over while this server ran"

    def _refused(self, store: Store, why: str) -> ForeignOwnerError:
        message = f"{store.location} is not this server's to write any more: {why}"
        if message != self._trouble:
            self._trouble = message
            log.error("tenant %d: %s (%s)", self._destination.tenant_id, message, WAY_ON)
            self._told(self._destination, message)
        return ForeignOwnerError(message, hint=WAY_ON)

    def _is_own(self, found: bytes | None) -> bool:
        return found is not None and self.made(decode_writer_record(found).owner)

    def _record(self, found: bytes | None, ids: tuple[int, int], *, is_released: bool = False) -> WriterRecord:
        before = None if found is None else decode_writer_record(found)
        predecessor = "" if before is None else before.owner.token
        if before is not None and before.owner.token == self._identity.server.token:
            predecessor = before.predecessor
        return WriterRecord(
            cluster_id=self._identity.cluster_id,
            tenant_id=self._destination.tenant_id,
            dest_id=self._destination.dest_id,
            owner=self.owner(),
            predecessor=predecessor,
            place=self._identity.server.place,
            is_released=is_released,
            backup_set_id=ids[0],
            round_id=ids[1],
        )

    def _write(self, store: Store, found: bytes | None, ids: tuple[int, int]) -> None:
        """Put the record and read it back. A put that failed may have taken effect, so both count until one is read back."""
        text = encode_writer_record(self._record(found, ids))
        if found is not None and found in self._put:
            # What lies there is remembered however many puts fail: forgotten, it would be taken for another's.
            self._put.remove(found)
            self._put.append(found)
        self._put.append(text)
        store.put(names.WRITER_FILE, text)
        back = _read(store)
        if back != text:
            raise StoreUnavailableError(
                f"{store.location} does not give back what was written to {names.WRITER_FILE}",
                hint="another server may have written it at the same moment",
                code=codes.OB_BACKUP_DEST_NOT_CONNECT,
            )
        self._put.clear()
        self._put.append(text)
        self._is_confirmed = True
        self._ids = ids
        self._beaten_at = self._clock.monotonic()


class Tenures:
    """The tenures of this server, one for each destination it has written. Safe from any thread."""

    def __init__(self, catalog: Catalog, identity: ClusterIdentity, clock: Clock) -> None:
        self._catalog = catalog
        self._identity = identity
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[int, int], tuple[Destination, Tenure]] = {}
        self._is_left = False

    def of(self, destination: Destination) -> Tenure:
        key = (destination.tenant_id, destination.dest_id)
        with self._lock:
            if key not in self._known:
                tenure = Tenure(destination, self._catalog, self._identity, self._clock, self._tell)
                if self._is_left:
                    tenure.end()
                self._known[key] = (destination, tenure)
            return self._known[key][1]

    def trouble_of(self, tenant_id: int) -> str:
        """Return why this server must not write a destination that the tenant uses now, empty while it may.

        A former one does not count: a copy that is given destinations of its own goes on there.
        """
        with self._lock:
            known = [tenure for (owner, _), (_, tenure) in self._known.items() if owner == tenant_id and tenure.trouble]
        if not known:
            return ""
        current = current_dest_ids(self._catalog, tenant_id)
        return next((tenure.trouble for tenure in known if tenure.dest_id in current), "")

    def await_archive(
        self, tenant_id: int, open_store: OpenStore, rest: Callable[[float], None], *, removes: bool = False
    ) -> None:
        """Return when the tenant's archive is this server's: its writer beats, so a living one is found there.

        A copy of the base directory must not take a data destination, whose writer is silent for days, before that is known. Where
        no follower of this server runs (at rest, stood down, no round) this takes the archive itself, so that a copy waits too; and
        where it has no room, if it is for a deletion (`removes`): the follower takes it only when there is room again.
        `rest` waits, and may raise. Raises ForeignOwnerError when it is another's, RefusedError and StoreUnavailableError when it
        can not be reached, StoreUnavailableError when nothing tells in time.
        """
        end = self._clock.monotonic() + _ARCHIVE_SECONDS_MAX
        while True:
            self.refuse_deletion(tenant_id)
            destination, is_followed = self._archive_of(tenant_id)
            if destination is None or self.of(destination).is_held:
                return
            if not is_followed or removes:
                store, has_room = self._checked(destination, open_store)
                if not is_followed or not has_room:
                    self.take_patiently(destination, store, rest, removes=removes)
                    return
            if self._clock.monotonic() > end:
                raise StoreUnavailableError(
                    f"{destination.uri.identity}, where tenant {tenant_id} is archived, does not tell who writes it",
                    hint="look at the COMMENT of the archive round",
                )
            rest(_ARCHIVE_POLL_SECONDS)

    def take_patiently(
        self, destination: Destination, store: Store, rest: Callable[[float], None], *, removes: bool = False
    ) -> None:
        """Take a destination; of an archive, wait first for the silence of a last writer that may live. Raises as `Tenure.take`."""
        watches = destination.kind is DestinationKind.ARCHIVE_LOG
        end = self._clock.monotonic() + _ARCHIVE_SECONDS_MAX
        while True:
            try:
                return self.of(destination).take(store, watches=watches, removes=removes)
            except StoreUnavailableError:
                if not watches or self._clock.monotonic() > end:
                    raise
            rest(_ARCHIVE_POLL_SECONDS)

    def take_at_once(self, destination: Destination, store: Store, open_store: OpenStore) -> None:
        """Take a destination for a statement that changes something there, and wait for a moment only. Raises as `await_archive`."""
        end = self._clock.monotonic() + _STATEMENT_SECONDS_MAX

        def rest(seconds: float) -> None:
            if self._clock.monotonic() > end:
                raise WriterMayLiveError(
                    f"{store.location} does not tell in time whether another server writes it", hint="try again"
                )
            self._clock.sleep(seconds)

        self.await_archive(destination.tenant_id, open_store, rest)
        self.take_patiently(destination, store, rest)

    def checked_store(self, destination: Destination, open_store: OpenStore) -> Store:
        """Return the destination when it is its tenant's; nothing is taken. Raises as `check_destination`.

        One without room passes: it is read, or room is made there; whoever writes there finds out at once.
        """
        store, _ = self._checked(destination, open_store)
        return store

    def _checked(self, destination: Destination, open_store: OpenStore) -> tuple[Store, bool]:
        """Return the destination when it is its tenant's, and whether it has room for an object."""
        store = open_store(destination.uri)
        tenant = self._catalog.tenants.by_id(destination.tenant_id)
        owner = format_file_of(self._identity, tenant, destination, self._clock.now_ns() // 1000)
        try:
            check_destination(store, owner, self._clock)
        except StoreUnavailableError as error:
            # The format file was read and is the tenant's: only the check file could not be put.
            if error.code is not codes.OB_BACKUP_DEVICE_OUT_OF_SPACE:
                raise
            return store, False
        return store, True

    def _archive_of(self, tenant_id: int) -> tuple[Destination | None, bool]:
        """Return where the tenant's log goes, or is to go, and whether a follower of this server is to take it."""
        current = self._catalog.rounds.current(tenant_id)
        if current is not None:
            return self._catalog.destinations.by_id(tenant_id, current.dest_id), follows_log(current.status)
        archive = self._catalog.destinations.archive(tenant_id)
        return (None if archive is None else archive.destination), False

    def refuse_backup(self, tenant_id: int) -> None:
        """Raise (-9040) when another life of this server is known to write the tenant's destinations."""
        trouble = self.trouble_of(tenant_id)
        if trouble:
            raise refuse(codes.OB_BACKUP_CAN_NOT_START, f"{trouble}.", hint=WAY_ON)

    def refuse_deletion(self, tenant_id: int) -> None:
        """Raise (-9081) likewise: what this server takes for obsolete may be all that the other one has."""
        trouble = self.trouble_of(tenant_id)
        if trouble:
            raise ForeignOwnerError(trouble, hint=WAY_ON)

    def leave_all(self, open_store: Callable[[Destination], Store]) -> None:
        """Tell every destination that this server ends. Best effort, and bounded: one that hangs is left."""
        with self._lock:
            self._is_left = True
            held = [(destination, tenure) for destination, tenure in self._known.values() if tenure.is_held]
            for _, tenure in self._known.values():
                tenure.end()

        def leave(destination: Destination, tenure: Tenure) -> None:
            try:
                tenure.leave(open_store(destination))
            except (HoldfastError, OSError) as error:
                log.info("%s could not be told that this server ends: %s", destination.uri.identity, error)
            except Exception:
                log.exception("%s could not be told that this server ends", destination.uri.identity)

        threads = [threading.Thread(target=leave, args=one, daemon=True) for one in held]
        end = self._clock.monotonic() + _LEAVE_SECONDS
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, end - self._clock.monotonic()))

    def _tell(self, destination: Destination, message: str) -> None:
        pairs = (
            ("tenant_id", destination.tenant_id),
            ("dest_id", destination.dest_id),
            ("path", destination.uri.identity),
        )
        try:
            self._catalog.events.add("backup_owner", "stop_writing", pairs, extra_info=message[:512])
        except HoldfastError as error:
            log.warning("the event could not be recorded: %s", error)


def current_dest_ids(catalog: Catalog, tenant_id: int) -> frozenset[int]:
    """Return the destinations that the tenant uses now: what is set, and where a round goes on."""
    data, archive = catalog.destinations.data(tenant_id), catalog.destinations.archive(tenant_id)
    current = catalog.rounds.current(tenant_id)
    return frozenset(
        [
            *([data.dest_id] if data else []),
            *([archive.destination.dest_id] if archive else []),
            *([current.dest_id] if current else []),
        ]
    )


def _read(store: Store) -> bytes | None:
    """Return the writer's record, decodable. Raises StoreUnavailableError for one that is not: a person must look at it."""
    try:
        found = get_small(store, names.WRITER_FILE, FORMAT_BYTES_MAX)
        decode_writer_record(found, name=names.WRITER_FILE)
    except NotFoundError:
        return None
    except (CorruptionError, UnknownVersionError) as error:
        raise StoreUnavailableError(
            f"{store.location}: {error.message}",
            hint=f"make sure that no other server writes there, then remove {names.WRITER_FILE}",
        ) from error
    return found


def _sight(store: Store, kind: DestinationKind, found: bytes | None) -> Sight:
    record = None if found is None else decode_writer_record(found)
    set_id, round_id = (0, 0) if record is None else (record.backup_set_id, record.round_id)
    if kind is DestinationKind.BACKUP_DATA:
        marks = (names.parse_set_placeholder(item.name) for item in store.list(f"{names.SETS_FOLDER}/"))
        set_id = max([set_id, *(mark.set.set_id for mark in marks if mark is not None)])
    else:
        rounds = (names.parse_round_placeholder(item.name) for item in store.list(f"{names.ROUNDS_FOLDER}/"))
        round_id = max([round_id, *(mark.round_id for mark in rounds if mark is not None)])
    return Sight(owner=None if record is None else record.owner, backup_set_id=set_id, round_id=round_id)


def _highest_piece(store: Store, kind: DestinationKind) -> int:
    if kind is DestinationKind.BACKUP_DATA:
        return 0
    pieces = (names.parse_piece_placeholder(item.name) for item in store.list(f"{names.PIECES_FOLDER}/"))
    return max([0, *(mark.piece.piece_id for mark in pieces if mark is not None)])
