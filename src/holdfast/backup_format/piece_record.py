"""What an archive destination says about itself: its owner, its rounds, its pieces.

A piece's record is written beside its log: `checkpoint/checkpoint_info.0.obarc` while it is ACTIVE (replaced as it
grows), `single_piece_info.obarc` once, when it is FROZEN. It never promises more than is durable; frames behind what it
promises may be there and are found by `log_frame.scan_frames`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from holdfast.backup_format.document import (
    CERTIFICATE_VERSION,
    CHECKSUM_MAX,
    COMMENT_CHARACTERS_MAX,
    FORMAT_VERSION,
    NEWEST_VERSION,
    PATH_CHARACTERS_MAX,
    SEALED_VERSION,
    Fields,
    Json,
    decode_document,
    encode_document,
)
from holdfast.backup_format.log_frame import LogPosition
from holdfast.backup_format.owner_record import first_difference, owner_fields, owner_of
from holdfast.backup_format.piece_keys import PieceKey, piece_key_fields, piece_keys_of
from holdfast.errors import CorruptionError
from holdfast.values.archive import PieceStatus, RoundStatus
from holdfast.values.buffers import Buffer
from holdfast.values.destination import DestinationKind
from holdfast.values.lsn import Lsn
from holdfast.values.owner import Owner
from holdfast.values.scn import Scn

FORMAT_FILE_KIND = "holdfast destination"
PIECE_KIND = "holdfast archive piece"
PIECES_KIND = "holdfast archive pieces"
ROUND_KIND = "holdfast archive round"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatFile:
    """Whose destination this is, and for what. `path` is the URI without options; `created_us` since the epoch."""

    cluster_name: str
    cluster_id: int
    tenant_id: int
    tenant_name: str
    incarnation: int = 1
    dest_id: int
    kind: DestinationKind
    path: str
    created_us: int
    owner: Owner | None = None

    def difference(self, other: "FormatFile") -> str:
        """Return the first thing in which two owners differ, such as `tenant id 1002, not 1004`; "" when they are equal.

        Path, cluster id, tenant id, incarnation, destination id and kind count; names and time do not (they may change).
        """
        return first_difference(
            ("path", self.path, other.path),
            ("cluster id", self.cluster_id, other.cluster_id),
            ("tenant id", self.tenant_id, other.tenant_id),
            ("incarnation", self.incarnation, other.incarnation),
            ("destination id", self.dest_id, other.dest_id),
            ("kind", self.kind, other.kind),
        )


def encode_format_file(record: FormatFile) -> bytes:
    text = encode_document(
        FORMAT_FILE_KIND,
        {
            "cluster_name": record.cluster_name,
            "cluster_id": record.cluster_id,
            "tenant_id": record.tenant_id,
            "tenant_name": record.tenant_name,
            "incarnation": record.incarnation,
            "dest_id": record.dest_id,
            "dest_type": record.kind,
            "path": record.path,
            "created_us": record.created_us,
            **owner_fields(record.owner),
        },
    )
    assert decode_format_file(text) == record
    return text


def decode_format_file(buffer: Buffer, *, name: str = "format.obbak") -> FormatFile:
    """Return the owner record. Raises CorruptionError, UnknownVersionError."""
    fields = decode_document(buffer, kind=FORMAT_FILE_KIND, name=name)
    return FormatFile(
        cluster_name=fields.name("cluster_name"),
        cluster_id=fields.integer("cluster_id"),
        tenant_id=fields.integer("tenant_id", least=1),
        tenant_name=fields.name("tenant_name"),
        incarnation=fields.integer("incarnation", least=1),
        dest_id=fields.integer("dest_id"),
        kind=fields.choice("dest_type", DestinationKind),
        path=fields.text("path", most=PATH_CHARACTERS_MAX),
        created_us=fields.integer("created_us"),
        owner=owner_of(fields),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceBlock:
    """One log object of a piece: frames of one log block, `[first_lsn, end_lsn)`. `size_bytes`: of the object."""

    block_id: int
    size_bytes: int
    first_lsn: Lsn
    end_lsn: Lsn


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceRecord:
    """A piece as far as it is durable.

    `begin` and `end`: the log of the piece is `[begin.lsn, end.lsn)`; their checksums and log ids chain it to its
    neighbours. `max_scn`: of the last group in it (0 in an empty piece). `blocks`: one for each log object, rising and
    without a gap. `keys`: how its log is sealed, by rising LSN; none of one in the clear, and of a sealed set's own log, whose key
    is the set's. `needs_certificate`: of a tenant whose log knows a login that no set holds.
    """

    cluster_name: str
    cluster_id: int
    tenant_id: int
    tenant_name: str
    incarnation: int = 1
    dest_id: int
    round_id: int
    piece_id: int
    timeline: str
    status: PieceStatus
    start_scn: Scn
    end_scn: Scn
    checkpoint_scn: Scn
    max_scn: Scn
    begin: LogPosition
    end: LogPosition
    input_bytes: int
    output_bytes: int
    engine_data_version: str
    blocks: tuple[PieceBlock, ...]
    owner: Owner | None = None
    keys: tuple[PieceKey, ...] = ()
    needs_certificate: bool = False

    @property
    def start_lsn(self) -> Lsn:
        return self.begin.lsn

    @property
    def end_lsn(self) -> Lsn:
        """Return the exclusive end of what is durable."""
        return self.end.lsn


def encode_piece_record(record: PieceRecord) -> bytes:
    """Return the record's text, decoded again and found equal. Raises CorruptionError when it breaks a law."""
    version = _version_of(record)
    text = encode_document(PIECE_KIND, _piece_fields(record), version=version)
    assert decode_piece_record(text) == record
    return text


def decode_piece_record(buffer: Buffer, *, name: str = "piece record") -> PieceRecord:
    """Return the record. Raises CorruptionError (wrong digest, field or law), UnknownVersionError."""
    return _piece_of(decode_document(buffer, kind=PIECE_KIND, name=name, version=NEWEST_VERSION), name)


def encode_piece_records(records: Sequence[PieceRecord]) -> bytes:
    """Return the text of `tenant_archive_piece_infos.obarc`: all pieces frozen before one, ascending."""
    version = max((_version_of(record) for record in records), default=FORMAT_VERSION)
    text = encode_document(PIECES_KIND, {"pieces": [_piece_fields(record) for record in records]}, version=version)
    assert decode_piece_records(text) == tuple(records)
    return text


def decode_piece_records(buffer: Buffer, *, name: str = "piece records") -> tuple[PieceRecord, ...]:
    """Return the records. Raises CorruptionError, UnknownVersionError."""
    fields = decode_document(buffer, kind=PIECES_KIND, name=name, version=NEWEST_VERSION)
    return tuple(_piece_of(item, name) for item in fields.parts("pieces"))


def _version_of(record: PieceRecord) -> int:
    if record.needs_certificate:
        return CERTIFICATE_VERSION
    return SEALED_VERSION if record.keys else FORMAT_VERSION


def _piece_fields(record: PieceRecord) -> dict[str, Json]:
    return {
        "cluster_name": record.cluster_name,
        "cluster_id": record.cluster_id,
        "tenant_id": record.tenant_id,
        "tenant_name": record.tenant_name,
        "incarnation": record.incarnation,
        "dest_id": record.dest_id,
        "round_id": record.round_id,
        "piece_id": record.piece_id,
        "timeline": record.timeline,
        "status": record.status,
        "start_scn": record.start_scn.text(),
        "end_scn": record.end_scn.text(),
        "checkpoint_scn": record.checkpoint_scn.text(),
        "max_scn": record.max_scn.text(),
        "begin": _position_fields(record.begin),
        "end": _position_fields(record.end),
        "input_bytes": record.input_bytes,
        "output_bytes": record.output_bytes,
        "engine_data_version": record.engine_data_version,
        "blocks": [
            {
                "block_id": block.block_id,
                "size_bytes": block.size_bytes,
                "first_lsn": block.first_lsn.text(),
                "end_lsn": block.end_lsn.text(),
            }
            for block in record.blocks
        ],
        **owner_fields(record.owner),
        **piece_key_fields(record.keys),
        **({"needs_certificate": True} if record.needs_certificate else {}),
    }


def _piece_of(fields: Fields, name: str) -> PieceRecord:
    record = PieceRecord(
        cluster_name=fields.name("cluster_name"),
        cluster_id=fields.integer("cluster_id"),
        tenant_id=fields.integer("tenant_id", least=1),
        tenant_name=fields.name("tenant_name"),
        incarnation=fields.integer("incarnation", least=1),
        dest_id=fields.integer("dest_id"),
        round_id=fields.integer("round_id", least=1),
        piece_id=fields.integer("piece_id", least=1),
        timeline=fields.octets("timeline", size_bytes=16).hex(),
        status=fields.choice("status", PieceStatus),
        start_scn=fields.scn("start_scn"),
        end_scn=fields.scn("end_scn"),
        checkpoint_scn=fields.scn("checkpoint_scn"),
        max_scn=fields.scn("max_scn"),
        begin=_position_of(fields.part("begin")),
        end=_position_of(fields.part("end")),
        input_bytes=fields.integer("input_bytes"),
        output_bytes=fields.integer("output_bytes"),
        engine_data_version=fields.name("engine_data_version"),
        blocks=tuple(_block_of(item) for item in fields.parts("blocks")),
        owner=owner_of(fields),
        keys=piece_keys_of(fields),
        needs_certificate=fields.flag("needs_certificate"),
    )
    for broken in _broken_laws(record):
        raise CorruptionError(f"{name} of piece {record.piece_id} contradicts itself: {broken}")
    return record


def _block_of(fields: Fields) -> PieceBlock:
    return PieceBlock(
        block_id=fields.integer("block_id"),
        size_bytes=fields.integer("size_bytes"),
        first_lsn=fields.lsn("first_lsn"),
        end_lsn=fields.lsn("end_lsn"),
    )


def _broken_laws(record: PieceRecord) -> list[str]:
    """Return what can not be true of any piece, in words: it is contiguous and says so."""
    blocks = record.blocks
    laws = {
        "START_SCN is below END_SCN": record.start_scn < record.end_scn,
        "its log does not end before it begins": record.begin.lsn <= record.end.lsn,
        "the blocks begin and end with the piece": not blocks
        or (blocks[0].first_lsn, blocks[-1].end_lsn) == (record.begin.lsn, record.end.lsn),
        "a piece with log has blocks": bool(blocks) == (record.begin.lsn < record.end.lsn),
        "each block follows the one before": all(
            later.block_id == earlier.block_id + 1 and later.first_lsn == earlier.end_lsn
            for earlier, later in pairwise(blocks)
        ),
        "its keys begin one behind the other": all(
            earlier.from_lsn < later.from_lsn for earlier, later in pairwise(record.keys)
        ),
        "each block holds log": all(block.first_lsn < block.end_lsn for block in blocks),
    }
    return [law for law, holds in laws.items() if not holds]


def _position_fields(position: LogPosition) -> dict[str, Json]:
    return {
        "lsn": position.lsn.text(),
        "accumulated": position.accumulated,
        "log_id": position.log_id,
        "scn": position.scn.text(),
    }


def _position_of(fields: Fields) -> LogPosition:
    return LogPosition(
        lsn=fields.lsn("lsn"),
        accumulated=fields.optional_integer("accumulated", most=CHECKSUM_MAX),
        log_id=fields.optional_integer("log_id"),
        scn=fields.scn("scn"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRange:
    """Log that was lost before it was archived. None: the end is not known."""

    start_lsn: Lsn
    end_lsn: Lsn | None
    start_scn: Scn
    end_scn: Scn | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRecord:
    """A round as its placeholders in `rounds/` tell it: at its start, at its stop, and when it was interrupted."""

    cluster_name: str
    cluster_id: int
    tenant_id: int
    tenant_name: str
    incarnation: int = 1
    dest_id: int
    round_id: int
    timeline: str
    status: RoundStatus
    start_scn: Scn
    checkpoint_scn: Scn
    begin: LogPosition
    base_piece_id: int
    used_piece_id: int
    piece_switch_interval_us: int
    comment: str = ""
    missing: tuple[MissingRange, ...] = ()
    owner: Owner | None = None


def encode_round_record(record: RoundRecord) -> bytes:
    text = encode_document(
        ROUND_KIND,
        {
            "cluster_name": record.cluster_name,
            "cluster_id": record.cluster_id,
            "tenant_id": record.tenant_id,
            "tenant_name": record.tenant_name,
            "incarnation": record.incarnation,
            "dest_id": record.dest_id,
            "round_id": record.round_id,
            "timeline": record.timeline,
            "status": record.status,
            "start_scn": record.start_scn.text(),
            "checkpoint_scn": record.checkpoint_scn.text(),
            "begin": _position_fields(record.begin),
            "base_piece_id": record.base_piece_id,
            "used_piece_id": record.used_piece_id,
            "piece_switch_interval_us": record.piece_switch_interval_us,
            "comment": record.comment,
            "missing": [
                {
                    "start_lsn": gap.start_lsn.text(),
                    "end_lsn": None if gap.end_lsn is None else gap.end_lsn.text(),
                    "start_scn": gap.start_scn.text(),
                    "end_scn": None if gap.end_scn is None else gap.end_scn.text(),
                }
                for gap in record.missing
            ],
            **owner_fields(record.owner),
        },
    )
    assert decode_round_record(text) == record
    return text


def decode_round_record(buffer: Buffer, *, name: str = "round record") -> RoundRecord:
    """Return the record. Raises CorruptionError, UnknownVersionError."""
    fields = decode_document(buffer, kind=ROUND_KIND, name=name)
    return RoundRecord(
        cluster_name=fields.name("cluster_name"),
        cluster_id=fields.integer("cluster_id"),
        tenant_id=fields.integer("tenant_id", least=1),
        tenant_name=fields.name("tenant_name"),
        incarnation=fields.integer("incarnation", least=1),
        dest_id=fields.integer("dest_id"),
        round_id=fields.integer("round_id", least=1),
        timeline=fields.octets("timeline", size_bytes=16).hex(),
        status=fields.choice("status", RoundStatus),
        start_scn=fields.scn("start_scn"),
        checkpoint_scn=fields.scn("checkpoint_scn"),
        begin=_position_of(fields.part("begin")),
        base_piece_id=fields.integer("base_piece_id", least=1),
        used_piece_id=fields.integer("used_piece_id", least=1),
        piece_switch_interval_us=fields.integer("piece_switch_interval_us", least=1),
        comment=fields.text("comment", most=COMMENT_CHARACTERS_MAX),
        missing=tuple(
            MissingRange(
                start_lsn=gap.lsn("start_lsn"),
                end_lsn=gap.optional_lsn("end_lsn"),
                start_scn=gap.scn("start_scn"),
                end_scn=gap.optional_scn("end_scn"),
            )
            for gap in fields.parts("missing")
        ),
        owner=owner_of(fields),
    )
