"""Estates as machines make them, with the truth beside them: every group of log that was ever written is a node with a parent.

A machine writes log and archives it, is put back to a snapshot, is cloned with its archive. What a destination tells of that
(sets, pieces, chains where pieces meet) is made from the nodes; the nodes themselves are what the tests hold a path against.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from backup_format.samples import MANIFEST
from holdfast.backup_format.log_frame import LogPosition
from holdfast.backup_format.reach import LogObjectFact, PieceFact, SetFact
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

MINUTE = 60 * 10**9
VERSIONS = (MANIFEST.engine_data_version, "1.5.0.0")


@dataclass(frozen=True, eq=False)
class Node:
    """One log group. Its chain is itself: two nodes of one LSN are two histories."""

    parent: "Node | None"
    number: int
    end_lsn: int
    scn: int

    @property
    def begin_lsn(self) -> int:
        return 0 if self.parent is None else self.parent.end_lsn

    @property
    def position(self) -> LogPosition:
        return LogPosition(lsn=Lsn(self.end_lsn), accumulated=self.number, log_id=self.end_lsn, scn=Scn(self.scn))


@dataclass
class Piece:
    """`nodes`: what it holds, in order. `kept`: how many of them damage has left; None: its record is gone."""

    source: int
    number: int
    round_id: int
    timeline: str
    owner: int
    nodes: list[Node]
    is_first: bool
    begin_lsn: int
    before: Node | None
    version: str
    kept: int | None = -1
    set_id: int = 0
    is_sealed: bool = False
    is_foreign: bool = False  # a copied archive's: the first machine's catalog does not know it

    @property
    def left(self) -> list[Node]:
        return [] if self.kept is None else self.nodes if self.kept < 0 else self.nodes[: self.kept]

    def fact(self) -> PieceFact | None:
        left = self.left
        if self.kept is None or (not left and self.kept >= 0):
            return None
        begin = LogPosition(lsn=Lsn(self.begin_lsn), accumulated=None, log_id=None, scn=Scn(0))
        if self.before is not None and not self.is_first:
            begin = self.before.position
        log = LogObjectFact(name=f"{self.root}/log", block_id=0, first_lsn=begin.lsn, end_lsn=begin.lsn, size_bytes=1)
        return PieceFact(
            source=self.source,
            root=self.root,
            cluster_id=MANIFEST.cluster_id,
            tenant_id=self.owner,
            timeline=self.timeline,
            round_id=self.round_id,
            piece_id=self.number,
            start_scn=Scn(self.nodes[0].scn if self.nodes else 0),
            begin=begin,
            end=left[-1].position if left else begin,
            objects=(replace(log, end_lsn=Lsn(left[-1].end_lsn)),) if left else (),
            engine_data_version=self.version,
            set_id=self.set_id,
            is_sealed=self.is_sealed,
            damage="cut" if len(left) < len(self.nodes) else "",
        )

    @property
    def root(self) -> str:
        own = f"backup_set_{self.set_id}_full/log/" if self.set_id else ""
        return f"{own}piece_d{1000 + self.source}r{self.round_id}p{self.number}"


@dataclass
class Set:
    """`first`, `last`: the first node of the log it needs and the one its image was complete with."""

    source: int
    number: int
    chain: tuple[int, ...]
    owner: int
    round_id: int
    timeline: str
    base_lsn: int
    last: Node
    ended: int
    version: str
    is_gone: bool = False

    def fact(self) -> SetFact:
        manifest = replace(
            MANIFEST,
            tenant_id=self.owner,
            backup_set_id=self.number,
            chain=self.chain,
            round_id=self.round_id,
            timeline=self.timeline,
            base_lsn=Lsn(self.base_lsn),
            end_lsn=Lsn(self.last.end_lsn),
            min_restore_scn=Scn(self.last.scn),
            engine_data_version=self.version,
            objects=(),
        )
        return SetFact(source=self.source, root=f"backup_set_{self.number}_full", manifest=manifest)


@dataclass
class Machine:
    """A tenant's engine with its archive. `archive`: the source its rounds go to; `open`: the piece that grows."""

    owner: int
    archive: int
    data: int
    head: Node | None = None
    open: Piece | None = None
    saved: Node | None = None
    round_first: int = 0
    is_copy: bool = False
    version: str = VERSIONS[0]


@dataclass
class World:
    machines: list[Machine] = field(default_factory=lambda: [Machine(owner=1002, archive=1, data=0)])
    pieces: list[Piece] = field(default_factory=list)
    sets: list[Set] = field(default_factory=list)
    now: int = 1_000_000 * MINUTE
    counter: int = 0
    rounds: int = 0
    sources: int = 2
    is_copied: bool = False

    def _next(self) -> int:
        self.counter += 1
        return self.counter

    # --- what happens

    def write(self, number: int, count: int) -> None:
        """Log comes, and goes into the open piece as far as there is one."""
        machine = self.machines[number % len(self.machines)]
        for _ in range(count):
            self.now += MINUTE
            size = 1 + self._next() % 3
            begin = 0 if machine.head is None else machine.head.end_lsn
            machine.head = Node(machine.head, self.counter, begin + size, self.now)
            if machine.open is not None:
                machine.open.nodes.append(machine.head)

    def begin_round(self, number: int, behind: int, is_elsewhere: bool) -> None:
        """A round begins some groups behind the log's end: what was archived before may overlap, or not be reached."""
        machine = self.machines[number % len(self.machines)]
        if machine.open is not None:
            return
        if is_elsewhere:
            machine.archive, self.sources = self.sources, self.sources + 1
        self.rounds += 1
        nodes = _back(machine.head, behind)
        before = nodes[0].parent if nodes else machine.head
        machine.open = Piece(
            source=machine.archive,
            number=self._next(),
            round_id=self.rounds,
            timeline=f"{self.rounds:032x}",
            owner=machine.owner,
            nodes=nodes,
            is_first=True,
            begin_lsn=0 if before is None else before.end_lsn,
            before=before,
            version=machine.version,
            is_foreign=machine.is_copy,
        )
        machine.round_first = machine.open.begin_lsn
        self.pieces.append(machine.open)

    def next_piece(self, number: int) -> None:
        machine = self.machines[number % len(self.machines)]
        last = machine.open
        if last is None or not last.nodes:
            return
        machine.open = replace(
            last,
            number=self._next(),
            nodes=[],
            is_first=False,
            begin_lsn=last.nodes[-1].end_lsn,
            before=last.nodes[-1],
            version=machine.version,
            kept=-1,
        )
        self.pieces.append(machine.open)

    def upgrade(self, number: int) -> None:
        """Another engine writes the log from here on, in a round of its own."""
        machine = self.machines[number % len(self.machines)]
        machine.version, machine.open = VERSIONS[1], None
        self.begin_round(number, 2, is_elsewhere=False)

    def upgrade_in_round(self, number: int) -> None:
        """As no server does it: another engine's log in the same round."""
        machine = self.machines[number % len(self.machines)]
        machine.version = VERSIONS[1]
        self.next_piece(number)

    def end_round(self, number: int) -> None:
        self.machines[number % len(self.machines)].open = None

    def snapshot(self, number: int) -> None:
        machine = self.machines[number % len(self.machines)]
        machine.saved = machine.head

    def roll_back(self, number: int) -> None:
        """The disk is put back: its round can not go on, for its last frame is not the engine's any more."""
        machine = self.machines[number % len(self.machines)]
        if machine.saved is not None:
            machine.head, machine.open = machine.saved, None

    def fork(self, number: int, count: int) -> None:
        """Put back to a moment some groups ago, the machine archives on in a new round."""
        machine = self.machines[number % len(self.machines)]
        back = _back(machine.head, count + 1)
        machine.head, machine.open = back[0] if back else None, None
        self.begin_round(number, count, is_elsewhere=False)

    def clone(self, number: int, is_archive_copied: bool) -> None:
        """A copy of the machine goes on, under its own round or, with a copy of the archive, in the same one."""
        machine = self.machines[number % len(self.machines)]
        if len(self.machines) > 2:
            return
        source, self.sources = self.sources, self.sources + 2
        twin = replace(machine, archive=source, open=None)
        if is_archive_copied:
            self.is_copied = True
            twin.data, twin.is_copy = source + 1, True
            self.sets += [replace(one, source=twin.data) for one in self.sets if one.source == machine.data]
            self.pieces += [replace(one, source=twin.data) for one in self.pieces if one.source == machine.data]
            copies = {
                id(one): replace(one, source=source, nodes=list(one.nodes), is_foreign=True)
                for one in self.pieces
                if one.source == machine.archive
            }
            self.pieces += copies.values()
            twin.open = None if machine.open is None else copies[id(machine.open)]
        self.machines.append(twin)

    def restore_tenant(self, number: int) -> None:
        """The log so far becomes another tenant's, who archives on to a place of its own."""
        machine = self.machines[number % len(self.machines)]
        if len(self.machines) < 3:
            source, self.sources = self.sources, self.sources + 2
            owner = 1100 + len(self.machines)
            self.machines.append(
                Machine(owner=owner, archive=source, data=source + 1, head=machine.head, version=machine.version)
            )

    def back_up(self, number: int, lag: int, *, is_increment: bool, has_log: bool, is_sealed: bool) -> None:
        machine = self.machines[number % len(self.machines)]
        if machine.open is None or machine.head is None:
            return
        mine = [one for one in self.sets if (one.owner, one.source) == (machine.owner, machine.data)]
        set_id = max((one.number for one in mine), default=0) + 1
        base = mine[-1] if mine and is_increment and not mine[-1].is_gone else None
        nodes = [one for one in _back(machine.head, lag + 1) if one.begin_lsn >= machine.round_first]
        if not nodes:
            return
        made = Set(
            source=machine.data,
            number=set_id,
            chain=(*(base.chain if base else ()), set_id),
            owner=machine.owner,
            round_id=machine.open.round_id,
            timeline=machine.open.timeline,
            base_lsn=nodes[0].begin_lsn,
            last=machine.head,
            ended=self.now,
            version=machine.version,
        )
        self.sets.append(made)
        if has_log:
            own = replace(
                machine.open,
                source=machine.data,
                nodes=nodes,
                is_first=True,
                begin_lsn=nodes[0].begin_lsn,
                before=nodes[0].parent,
                version=machine.version,
                kept=-1,
                set_id=set_id,
                is_sealed=is_sealed,
            )
            self.pieces.append(own)

    def damage(self, number: int, kept: int) -> None:
        """A piece loses its end, or its record."""
        frozen = [one for one in self.pieces if all(one is not machine.open for machine in self.machines)]
        if frozen:
            piece = frozen[number % len(frozen)]
            piece.kept = None if kept > 8 else min(kept, len(piece.nodes))

    def lose_set(self, number: int) -> None:
        if self.sets:
            self.sets[number % len(self.sets)].is_gone = True

    # --- what is told of it

    def facts(self, *, are_joints_known: bool = True) -> tuple[tuple[SetFact, ...], tuple[PieceFact, ...]]:
        sets = tuple(one.fact() for one in self.sets if not one.is_gone)
        found = [(piece, fact) for piece in self.pieces if (fact := piece.fact()) is not None]
        if not are_joints_known and not self.is_copied:
            return sets, tuple(fact for _, fact in found)
        return sets, tuple(_marked(piece, fact, found) for piece, fact in found)

    def piece_at(self, fact: PieceFact) -> Piece:
        return next(
            one for one in self.pieces if (one.source, one.root, one.owner) == (fact.source, fact.root, fact.tenant_id)
        )


def _marked(piece: Piece, fact: PieceFact, others: Iterable[tuple[Piece, PieceFact]]) -> PieceFact:
    """Return the fact with the chain at every end that lies inside it, as frames tell it: none where no group ends there."""
    ends = {
        one.end.lsn
        for _, one in others
        if one.tenant_id == fact.tenant_id and fact.begin.lsn <= one.end.lsn < fact.end.lsn
    }
    here = {node.end_lsn: node.position for node in piece.left}
    if piece.before is not None:
        here[piece.before.end_lsn] = piece.before.position
    none = LogPosition(lsn=Lsn(0), accumulated=None, log_id=None, scn=Scn(0))
    return replace(fact, marks=tuple(here.get(lsn, replace(none, lsn=lsn)) for lsn in sorted(ends)))


def _back(head: Node | None, count: int) -> list[Node]:
    """Return the last groups of a log, at most `count`, oldest first."""
    found: list[Node] = []
    while head is not None and len(found) < count:
        found.append(head)
        head = head.parent
    return found[::-1]
