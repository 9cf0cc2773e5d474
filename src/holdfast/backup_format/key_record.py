"""The key object of a destination: the tenant's master keys, wrapped by what `backup_encryption` names.

Master keys wrap the data keys of sets and pieces, whose manifests and records name them by id. So this small object is all that
changes when the key source does: nothing that was sealed is touched. It holds every master key there ever was, each as long as
something in the destination may need it, the newest last.

    file, command, environment or password --scrypt(salt, n, r, p)--> wrapping key --AES-256-GCM(id)--> master keys, here
    master key --AES-256-GCM(place)--> data key of a set (its manifest) or of a piece (its record)
"""

from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.backup_format.document import Fields, decode_document, encode_document
from holdfast.backup_format.owner_record import owner_fields, owner_of
from holdfast.errors import CorruptionError
from holdfast.values.buffers import Buffer
from holdfast.values.owner import Owner

KEYS_KIND = "holdfast backup keys"
KEY_ID_BYTES = 16
WRAPPED_BYTES = 60
"""A nonce of 12 bytes, a key of 32, a tag of 16."""
KEYS_MAX = 1000
"""One rotation a day for some years. A reader needs a bound."""


class Protection(StrEnum):
    """What kind of source opens a key object. Which file or command it is says nobody: it may be a hint to an intruder."""

    FILE = "FILE"
    ENVIRONMENT = "ENVIRONMENT"
    COMMAND = "COMMAND"
    PASSWORD = "PASSWORD"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedMaster:
    """A master key as it lies in a destination. `key_id`: 32 hex digits, random."""

    key_id: str
    created_us: int
    wrapped_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """The key object. `keys`: oldest first, at least one. The scrypt fields are those of the wrapping key."""

    cluster_id: int
    tenant_id: int
    protection: Protection
    scrypt_salt: bytes
    scrypt_n: int
    scrypt_r: int
    scrypt_p: int
    keys: tuple[WrappedMaster, ...]
    owner: Owner | None = None


def master_key_place(*, cluster_id: int, tenant_id: int, key_id: str) -> bytes:
    """Return the associated data of a wrapped master key."""
    return f"holdfast master key 1 {cluster_id} {tenant_id} {key_id}".encode()


def encode_key_record(record: KeyRecord) -> bytes:
    """Return the record's text, decoded again and found equal."""
    text = encode_document(
        KEYS_KIND,
        {
            "cluster_id": record.cluster_id,
            "tenant_id": record.tenant_id,
            "protection": record.protection,
            "scrypt_salt": record.scrypt_salt.hex(),
            "scrypt_n": record.scrypt_n,
            "scrypt_r": record.scrypt_r,
            "scrypt_p": record.scrypt_p,
            "keys": [
                {"key_id": key.key_id, "created_us": key.created_us, "wrapped_key": key.wrapped_key.hex()}
                for key in record.keys
            ],
            **owner_fields(record.owner),
        },
    )
    assert decode_key_record(text) == record
    return text


def decode_key_record(buffer: Buffer, *, name: str = "keys.obbak") -> KeyRecord:
    """Return the record. Raises CorruptionError, UnknownVersionError."""
    fields = decode_document(buffer, kind=KEYS_KIND, name=name)
    record = KeyRecord(
        cluster_id=fields.integer("cluster_id"),
        tenant_id=fields.integer("tenant_id", least=1),
        protection=fields.choice("protection", Protection),
        scrypt_salt=fields.octets("scrypt_salt"),
        scrypt_n=fields.integer("scrypt_n"),
        scrypt_r=fields.integer("scrypt_r"),
        scrypt_p=fields.integer("scrypt_p"),
        keys=tuple(_key_of(item) for item in fields.parts("keys")),
        owner=owner_of(fields),
    )
    ids = [key.key_id for key in record.keys]
    if not 0 < len(ids) <= KEYS_MAX or len(set(ids)) != len(ids):
        raise CorruptionError(
            f"{name} names {len(ids)} keys, {len(set(ids))} of them different: expected 1 to {KEYS_MAX}"
        )
    return record


def _key_of(fields: Fields) -> WrappedMaster:
    return WrappedMaster(
        key_id=fields.octets("key_id", size_bytes=KEY_ID_BYTES).hex(),
        created_us=fields.integer("created_us"),
        wrapped_key=fields.octets("wrapped_key", size_bytes=WRAPPED_BYTES),
    )
