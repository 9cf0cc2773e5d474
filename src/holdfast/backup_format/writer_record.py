"""Who wrote a destination last, and how far it was: by this a server finds that another one lives under its name."""

import re
from dataclasses import dataclass

from holdfast.backup_format.document import decode_document, encode_document
from holdfast.backup_format.owner_record import owner_fields, owner_of
from holdfast.errors import CorruptionError
from holdfast.values.buffers import Buffer
from holdfast.values.owner import Owner

WRITER_KIND = "holdfast destination writer"
_HEX = re.compile(r"(?:[0-9a-f]{32})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterRecord:
    """The last writer of a destination. Replaced at each start, backup and round, and every few seconds while log is archived.

    `predecessor`: token of the writer before, "" of the first. `place`: 32 hex digits that tell two base directories and two
    boots of a machine apart. `is_released`: the writer ended in order and will not write again. `backup_set_id`, `round_id`: the
    highest it had given to anything of this tenant, 0 for none.
    """

    cluster_id: int
    tenant_id: int
    dest_id: int
    owner: Owner
    predecessor: str
    place: str
    is_released: bool
    backup_set_id: int
    round_id: int


def encode_writer_record(record: WriterRecord) -> bytes:
    text = encode_document(
        WRITER_KIND,
        {
            "cluster_id": record.cluster_id,
            "tenant_id": record.tenant_id,
            "dest_id": record.dest_id,
            "predecessor": record.predecessor,
            "place": record.place,
            "is_released": record.is_released,
            "backup_set_id": record.backup_set_id,
            "round_id": record.round_id,
            **owner_fields(record.owner),
        },
    )
    assert decode_writer_record(text) == record
    return text


def decode_writer_record(buffer: Buffer, *, name: str = "writer record") -> WriterRecord:
    """Return the record. Raises CorruptionError, UnknownVersionError."""
    fields = decode_document(buffer, kind=WRITER_KIND, name=name)
    owner = owner_of(fields)
    if owner is None:
        raise CorruptionError(f"{name} names no owner")
    record = WriterRecord(
        cluster_id=fields.integer("cluster_id"),
        tenant_id=fields.integer("tenant_id", least=1),
        dest_id=fields.integer("dest_id"),
        owner=owner,
        predecessor=fields.text("predecessor"),
        place=fields.text("place"),
        is_released=fields.boolean("is_released"),
        backup_set_id=fields.integer("backup_set_id"),
        round_id=fields.integer("round_id"),
    )
    for field in ("predecessor", "place"):
        if not _HEX.fullmatch(getattr(record, field)):
            raise fields.wrong(field, "32 hex digits or none", getattr(record, field))
    return record
