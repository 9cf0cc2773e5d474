"""Pieces, of an archive or of a set with log of its own: records, then every frame and every log group in it.

Groups are walked with the engine's own checks across frames, objects and, by the positions in their records, pieces: headers,
entries, checksums, log ids, and the accumulated checksum that chains them all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.backup_format import names
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.log_frame import (
    FRAME_HEADER_BYTES,
    FrameKey,
    FrameOpener,
    LogKeys,
    LogPosition,
    decode_frame_header,
)
from holdfast.backup_format.manifest import ObjectDigest, ObjectRecord
from holdfast.backup_format.piece_record import PieceBlock, PieceRecord
from holdfast.destination.documents import read_piece_record
from holdfast.engine_format.layout import layout_of
from holdfast.engine_format.log_block import LOG_INFO_BYTES, decode_info_block
from holdfast.engine_format.log_walk import Position, walk
from holdfast.errors import CorruptionError, NotFoundError
from holdfast.keys.masters import NO_MASTERS, Masters
from holdfast.store.small import RECORD_BYTES_MAX, get_small
from holdfast.store.store import Store
from holdfast.values.scn import Scn
from holdfast.verify.crew import Crew
from holdfast.verify.plan import Damage, Level, Proof, check_piece, is_fresh, log_digest, log_end
from holdfast.verify.reading import Journal, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceTarget:
    """One piece to be validated. `root`: its folder below the destination; `before`: that of the piece before it, or "".

    `objects`: of a set's own log what the manifest says of each object, by name below the destination; None in an archive.
    `is_sealed`, `key`: of a set's own log, whether its frames are encrypted, and with what, None when this server does not keep it.
    `masters`: open an archive's.
    """

    root: str
    before: str = ""
    objects: Mapping[str, ObjectRecord] | None = None
    is_sealed: bool = False
    key: DataKey | None = None
    masters: Masters = NO_MASTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What earlier validations proved, by object, and what still counts of it."""

    proofs: Mapping[str, Proof]
    now_us: int
    reread_us: int

    def fresh(self, name: str, digest: str) -> Proof | None:
        proof = self.proofs.get(name)
        return proof if is_fresh(proof, digest, now_us=self.now_us, reread_us=self.reread_us) else None


def validate_piece(
    target: PieceTarget, store: Store, *, level: Level, memory: Memory, journal: Journal, crew: Crew
) -> bool:
    """Tell the journal all that is wrong with a piece; return False when its log could not be looked into, as its key is not known.

    Raises what is no damage: StoreUnavailableError, UnknownVersionError.
    """
    try:
        record, name, size_bytes = read_piece_record(store, target.root)
        before = read_piece_record(store, target.before)[0] if target.before else None
    except NotFoundError as error:
        journal.found(Damage(name=target.root, what=error.message))
        return True
    except CorruptionError as error:
        journal.found(Damage(name=target.root, what=error.message, offset=0))
        return True
    layout_of(record.engine_data_version, f"{store.location}/{target.root}")
    journal.expect(size_bytes)
    journal.read(size_bytes)
    _check_written(target, name, store, journal)
    sizes = {item.name: item.size_bytes for item in store.list(f"{names.log_folder(target.root)}/")}
    lacking = check_piece(record, target.root, sizes, before)
    for damage in lacking:
        journal.found(damage)
    try:
        key = _key_of(target, record)
    except CorruptionError as error:
        journal.found(Damage(name=target.root, what=error.message))
        return True
    can_open = key.can_open if isinstance(key, LogKeys) else key is not None or not target.is_sealed
    if level is Level.PHYSICAL and not lacking:
        crew.run([_PieceWalk(target, record, store, memory, journal, crew, key=key, can_open=can_open).run])
    return can_open


def _key_of(target: PieceTarget, record: PieceRecord) -> FrameKey:
    if target.objects is not None:
        return target.key
    return target.masters.log_keys(
        record.keys,
        cluster_id=record.cluster_id,
        tenant_id=record.tenant_id,
        root=target.root,
        timeline=record.timeline,
    )


def _check_written(target: PieceTarget, name: str, store: Store, journal: Journal) -> None:
    """Hold the record of a set's own piece against the manifest, which vouches for it."""
    if target.objects is None:
        return
    expected, digest = target.objects.get(name), ObjectDigest()
    digest.update(get_small(store, name, RECORD_BYTES_MAX))
    if expected is None or expected.digest != digest.text():
        journal.found(Damage(name=name, what="it is not the record its manifest names"))


class _PieceWalk:
    """One piece's log from front to back, on one thread: the chain is one."""

    def __init__(
        self,
        target: PieceTarget,
        record: PieceRecord,
        store: Store,
        memory: Memory,
        journal: Journal,
        crew: Crew,
        *,
        key: FrameKey,
        can_open: bool,
    ) -> None:
        self._target = target
        self._record = record
        self._store = store
        self._memory = memory
        self._journal = journal
        self._crew = crew
        self._opener = FrameOpener(key=key)
        self._can_open = can_open
        self._position = _walk_position(record.begin)

    def run(self) -> None:
        works = [(block, *self._known(block)) for block in self._record.blocks]
        self._journal.expect(sum(block.size_bytes - begin for block, begin, _ in works))
        for block, begin, proof in works:
            name = names.log_name(self._target.root, block.block_id)
            if proof is not None:
                self._position = _walk_position(log_end(proof.digest))
                if begin == block.size_bytes:
                    self._journal.known(proof)
                    continue
            try:
                self._walk_object(block, name, begin)
            except NotFoundError as error:
                self._journal.found(Damage(name=name, what=error.message))
                return
            except _Broken as broken:
                # What lies behind has no chain to be held against.
                self._journal.found(broken.damage)
                return
        self._check_end()

    def _known(self, block: PieceBlock) -> tuple[int, Proof | None]:
        """Return from which offset an object must be read, and what is known of the part before."""
        name = names.log_name(self._target.root, block.block_id)
        proof = self._memory.fresh(name, self._digest_of(name))
        if proof is None or proof.size_bytes > block.size_bytes:
            return 0, None
        if self._target.objects is not None and proof.size_bytes != block.size_bytes:
            return 0, None
        return proof.size_bytes, proof

    def _digest_of(self, name: str) -> str:
        if self._target.objects is None:
            return "-"
        expected = self._target.objects.get(name)
        return expected.digest if expected else "-"

    def _walk_object(self, block: PieceBlock, name: str, begin: int) -> None:
        digest, offset = ObjectDigest(), begin
        with self._store.reader(name) as reader:
            window = Window(reader, self._crew.spend, end=block.size_bytes)
            while offset < block.size_bytes:
                try:
                    size_bytes = self._walk_frame(window, block, offset, name, digest)
                except CorruptionError as error:
                    raise _Broken(Damage(name=name, what=error.message, offset=offset)) from error
                self._journal.read(size_bytes)
                offset += size_bytes
        if self._target.objects is not None and digest.text() != self._digest_of(name):
            raise _Broken(Damage(name=name, what="its digest is not the one the manifest gives"))
        if not self._can_open:
            self._position = Position(lsn=block.end_lsn)
            return
        if self._position.lsn != block.end_lsn:
            what = f"its log ends at LSN {self._position.lsn.text()}, the record says {block.end_lsn.text()}"
            raise _Broken(Damage(name=name, what=what, offset=offset))
        self._journal.proven(name, block.size_bytes, log_digest(self._digest_of(name), _log_position(self._position)))

    def _walk_frame(self, window: Window, block: PieceBlock, offset: int, name: str, digest: ObjectDigest) -> int:
        """Look at one frame and return its size. Raises CorruptionError."""
        where = f"{name} at offset {offset}"
        head = bytes(window.read(offset, FRAME_HEADER_BYTES))
        header = decode_frame_header(head, name=where)
        if header is None or offset + header.size_bytes > block.size_bytes:
            raise CorruptionError(f"{where} ends inside a frame, its record promises {block.size_bytes} bytes")
        stored = window.read(offset + FRAME_HEADER_BYTES, header.stored_size_bytes)
        digest.update(head)
        digest.update(stored)
        if not self._can_open:
            return header.size_bytes
        payload = memoryview(self._opener.open(header, stored, name=where))
        frame = header.frame
        if (frame.timeline, frame.block_id, frame.start_lsn) != (
            self._record.timeline,
            block.block_id,
            self._position.lsn,
        ):
            raise CorruptionError(
                f"{where} is of log block {frame.block_id} at LSN {frame.start_lsn.text()}, expected block {block.block_id} at"
                f" LSN {self._position.lsn.text()} of timeline {self._record.timeline}"
            )
        if frame.has_info_block:
            info, payload = decode_info_block(payload[:LOG_INFO_BYTES]), payload[LOG_INFO_BYTES:]
            if info is None or info.block_id != block.block_id:
                raise CorruptionError(f"{where} has no info block of log block {block.block_id}")
        step = walk(payload, self._position)
        if step.size_bytes != len(payload):
            raise CorruptionError(f"{where}: the log does not go on: {step.reason or 'a group is not whole'}")
        if _log_position(step.end) != frame.end_position:
            raise CorruptionError(f"{where}: its header does not say where its log ends")
        self._position = step.end
        return header.size_bytes

    def _check_end(self) -> None:
        """Hold where the walk ended against where the record says the piece ends."""
        end = self._record.end
        if not self._can_open or not self._record.blocks or end.accumulated is None:
            return
        if _log_position(self._position) != end:
            what = f"its log ends at LSN {self._position.lsn.text()} with another checksum than its record says"
            self._journal.found(Damage(name=self._target.root, what=what))


class _Broken(Exception):
    def __init__(self, damage: Damage) -> None:
        super().__init__(damage.what)
        self.damage = damage


def _walk_position(position: LogPosition) -> Position:
    """Return where a walk begins. Without a known checksum the first group sets the chain, and its SCN is not known either."""
    if position.accumulated is None or position.log_id is None:
        return Position(lsn=position.lsn)
    return Position(
        lsn=position.lsn, accumulated=position.accumulated, log_id=position.log_id, scn=Scn(int(position.scn))
    )


def _log_position(position: Position) -> LogPosition:
    return LogPosition(lsn=position.lsn, accumulated=position.accumulated, log_id=position.log_id, scn=position.scn)
