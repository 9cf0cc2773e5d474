"""The owner's record, one field of every document we commit, and the documents that hold nothing else: claims, placeholders."""

from dataclasses import dataclass

from holdfast.backup_format.document import Fields, Json, decode_document, encode_document
from holdfast.errors import CorruptionError
from holdfast.values.backup_set import BackupType
from holdfast.values.buffers import Buffer
from holdfast.values.owner import JobKind, Owner

SET_CLAIM_KIND = "holdfast backup set claim"
PLACEHOLDER_KIND = "holdfast placeholder"
PLACEHOLDER_BEFORE = b"holdfast\n"
"""What placeholders held before they had an owner."""
_FIELD = "owner"


def first_difference(*compared: tuple[str, object, object]) -> str:
    """Return the first of (what, theirs, mine) that differ, such as `tenant id 1002, not 1004`; "" when all are equal."""
    return next((f"{what} {theirs}, not {mine}" for what, theirs, mine in compared if theirs != mine), "")


def owner_fields(owner: Owner | None) -> dict[str, Json]:
    """Return the document's field, nothing for an object of unknown make (one that is read and encoded again)."""
    if owner is None:
        return {}
    return {
        _FIELD: {
            "server_id": owner.server_id,
            "generation": owner.generation,
            "job_kind": owner.job_kind,
            "job_id": owner.job_id,
            "token": owner.token,
            "time_us": owner.time_us,
        }
    }


def owner_of(fields: Fields) -> Owner | None:
    """Return who made the document, None of one made before there were owners. Raises CorruptionError."""
    if not fields.has(_FIELD):
        return None
    found = fields.part(_FIELD)
    try:
        return Owner(
            server_id=found.text("server_id"),
            generation=found.integer("generation", least=1),
            job_kind=found.choice("job_kind", JobKind),
            job_id=found.integer("job_id"),
            token=found.text("token"),
            time_us=found.integer("time_us"),
        )
    except ValueError as error:
        raise CorruptionError(f"the owner of an object contradicts itself: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class SetClaim:
    """Who makes the set of this folder: put before any other object of it, and never replaced."""

    cluster_id: int
    tenant_id: int
    dest_id: int
    backup_set_id: int
    type: BackupType
    owner: Owner


def encode_set_claim(claim: SetClaim) -> bytes:
    text = encode_document(
        SET_CLAIM_KIND,
        {
            "cluster_id": claim.cluster_id,
            "tenant_id": claim.tenant_id,
            "dest_id": claim.dest_id,
            "backup_set_id": claim.backup_set_id,
            "type": claim.type,
            **owner_fields(claim.owner),
        },
    )
    assert decode_set_claim(text) == claim
    return text


def decode_set_claim(buffer: Buffer, *, name: str = "set claim") -> SetClaim:
    """Return the claim. Raises CorruptionError, UnknownVersionError."""
    fields = decode_document(buffer, kind=SET_CLAIM_KIND, name=name)
    owner = owner_of(fields)
    if owner is None:
        raise CorruptionError(f"{name} names no owner")
    return SetClaim(
        cluster_id=fields.integer("cluster_id"),
        tenant_id=fields.integer("tenant_id", least=1),
        dest_id=fields.integer("dest_id"),
        backup_set_id=fields.integer("backup_set_id", least=1),
        type=fields.choice("type", BackupType),
        owner=owner,
    )


def encode_placeholder(owner: Owner) -> bytes:
    """Return what a placeholder holds: its name says what it marks, this says whose it is."""
    return encode_document(PLACEHOLDER_KIND, owner_fields(owner))


def decode_placeholder(buffer: Buffer, *, name: str = "placeholder") -> Owner | None:
    """Return whose placeholder it is, None of one made before there were owners. Raises CorruptionError, UnknownVersionError."""
    if bytes(buffer) == PLACEHOLDER_BEFORE:
        return None
    return owner_of(decode_document(buffer, kind=PLACEHOLDER_KIND, name=name))
