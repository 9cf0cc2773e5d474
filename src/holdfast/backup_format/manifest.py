"""The manifest of a backup set: the object whose presence means that the set is complete.

It is put last and deleted first. It names every other object of the set with size and digest, and says what a restore
must know before it reads any of them.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from hmac import compare_digest

from blake3 import blake3

from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.document import (
    CERTIFICATE_VERSION,
    FORMAT_VERSION,
    INTEGER_MAX,
    NEWEST_VERSION,
    SEALED_VERSION,
    Fields,
    Json,
    decode_document,
    encode_document,
)
from holdfast.backup_format.names import SET_ID_MAX
from holdfast.backup_format.owner_record import owner_fields, owner_of
from holdfast.errors import CorruptionError
from holdfast.values.backup_set import BackupType
from holdfast.values.buffers import Buffer
from holdfast.values.lsn import Lsn
from holdfast.values.object_name import NAME_BYTES_MAX, check_name
from holdfast.values.owner import Owner
from holdfast.values.scn import Scn
from holdfast.values.tenant import CompatibilityMode, Unit

KIND = "holdfast backup set"
FILE_BYTES_MAX = 320 << 20
"""Of a small file's object, which is read whole: an image's small files are 256 MiB together at most."""
_CORES_MAX = 1e9
"""CREATE RESOURCE UNIT takes 9 digits."""


class ObjectKind(StrEnum):
    """What an object of a set is, and so what its digest covers: `data` its chunk headers, all others their bytes.

    A chunk header holds the digest of its payload, so the headers vouch for the content at a fraction of the cost.
    """

    DATA = "data"
    INDEX = "index"
    FILE = "file"
    LOG = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRecord:
    """One object of a set.

    `name` is relative to the set's root. `number`: n of a data object, a small file's number, 0 of others.
    `content_size_bytes`: of a file or log object, the size of what it holds when opened; of others its own size.
    `digest`: 64 hex digits, see ObjectDigest.
    """

    name: str
    kind: ObjectKind
    number: int
    size_bytes: int
    content_size_bytes: int
    digest: str


class ObjectDigest:
    """Collects an ObjectRecord's digest: fed with chunk headers (data objects) or all bytes (others), in order."""

    __slots__ = ("_hasher",)

    def __init__(self) -> None:
        self._hasher = blake3()

    def update(self, buffer: Buffer) -> None:
        self._hasher.update(buffer)

    def text(self) -> str:
        """Return the 64 hex digits of BLAKE3 over everything fed so far."""
        return self._hasher.hexdigest()


def check_object(record: ObjectRecord, *, size_bytes: int, digest: str) -> None:
    """Raise CorruptionError unless what was found of an object is what the manifest says of it."""
    if (size_bytes, digest) != (record.size_bytes, record.digest):
        raise CorruptionError(
            f"{record.name} is not what its manifest says: expected {record.size_bytes} bytes of digest {record.digest}, "
            f"found {size_bytes} of {digest}",
            hint="it changed after the backup; use another copy",
        )


class EncryptionMode(StrEnum):
    """What wraps a set's data key: nothing, a password of its own, a master key of the tenant (`key_record`)."""

    NONE = "NONE"
    PASSWORD = "PASSWORD"
    KEY = "KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """How a set is encrypted. With a password: scrypt of it (salt, n, r, p) wraps the data key. With a key: the master key `key_id`
    (32 hex digits) does, and the scrypt fields are 0.

    `password_hash`: empty in every set written; the unsalted hash that OceanBase has there makes guessing cheap.
    `mac`: 32 bytes with which whoever holds the data key knows this manifest for its own, see `authenticated`.
    """

    mode: EncryptionMode = EncryptionMode.NONE
    password_hash: str = field(default="", repr=False)
    scrypt_salt: bytes = field(default=b"", repr=False)
    scrypt_n: int = 0
    scrypt_r: int = 0
    scrypt_p: int = 0
    wrapped_key: bytes = field(default=b"", repr=False)
    mac: bytes = field(default=b"", repr=False)
    key_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A complete backup set.

    `chain`: ids of all sets that hold chunks of this image, ascending, this one last. `base_lsn`: where replay begins,
    the start of a log block; `end_lsn`: end of the log when the image was complete; `min_restore_scn` is its SCN.
    `dead_bytes`: stored bytes no index record names (chunks copied again because they changed during the backup).
    `timeline`, `round_id`, `archive_dest_id`: which archived log goes on from this image.
    Units: `started_us`, `ended_us` microseconds since the epoch. `owner`: None of a set made before there were owners.
    `needs_certificate`: the login it holds is let in by a certificate alone, at moments its log reaches at least.
    """

    cluster_name: str
    cluster_id: int
    tenant_id: int
    tenant_name: str
    compatibility_mode: CompatibilityMode = CompatibilityMode.MYSQL
    incarnation: int = 1
    dest_id: int
    backup_set_id: int
    type: BackupType
    prev_full_backup_set_id: int = 0
    prev_inc_backup_set_id: int = 0
    chain: tuple[int, ...]
    plus_archivelog: bool = False
    engine_data_version: str
    engine_binary_version: str
    start_scn: Scn
    start_replay_scn: Scn
    min_restore_scn: Scn
    base_lsn: Lsn
    end_lsn: Lsn
    timeline: str
    archive_dest_id: int
    round_id: int
    block_size_bytes: int
    block_file_size_bytes: int
    block_count: int
    input_bytes: int
    output_bytes: int
    dead_bytes: int = 0
    unit: Unit
    encryption: Encryption = Encryption()
    objects: tuple[ObjectRecord, ...]
    description: str = ""
    started_us: int
    ended_us: int
    owner: Owner | None = None
    needs_certificate: bool = False


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the manifest's text, decoded again and found equal. Raises CorruptionError when it breaks a law."""
    text = _text_of(manifest)
    assert decode_manifest(text) == manifest
    return text


def authenticated(manifest: Manifest, key: DataKey) -> Manifest:
    """Return the manifest with its MAC: keyed BLAKE3 over its own text without one.

    The manifest names every object with a digest, so the MAC vouches for all of the set: who can write to the destination, but
    does not know the password, can not put an older index, log or manifest in place of one unnoticed.
    """
    return replace(manifest, encryption=replace(manifest.encryption, mac=_mac(manifest, key)))


def check_authentic(manifest: Manifest, key: DataKey, *, name: str) -> None:
    """Raise CorruptionError unless the manifest of an encrypted set is as the holder of `key` wrote it."""
    if not compare_digest(_mac(manifest, key), manifest.encryption.mac):
        raise CorruptionError(
            f"{name} is not as it was written: its authentication code does not match",
            hint="somebody changed the set; use another copy",
        )


def _mac(manifest: Manifest, key: DataKey) -> bytes:
    bare = replace(manifest, encryption=replace(manifest.encryption, mac=b""))
    return blake3(_text_of(bare), key=key.manifest_key).digest()


def _text_of(manifest: Manifest) -> bytes:
    version = SEALED_VERSION if manifest.encryption.mode is EncryptionMode.KEY else FORMAT_VERSION
    version = CERTIFICATE_VERSION if manifest.needs_certificate else version
    return encode_document(KIND, _fields_of(manifest), version=version)


def _fields_of(manifest: Manifest) -> dict[str, Json]:
    unit, encryption = manifest.unit, manifest.encryption
    return {
        "cluster_name": manifest.cluster_name,
        "cluster_id": manifest.cluster_id,
        "tenant_id": manifest.tenant_id,
        "tenant_name": manifest.tenant_name,
        "compatibility_mode": manifest.compatibility_mode,
        "incarnation": manifest.incarnation,
        "dest_id": manifest.dest_id,
        "backup_set_id": manifest.backup_set_id,
        "type": manifest.type,
        "prev_full_backup_set_id": manifest.prev_full_backup_set_id,
        "prev_inc_backup_set_id": manifest.prev_inc_backup_set_id,
        "chain": list(manifest.chain),
        "plus_archivelog": manifest.plus_archivelog,
        "engine_data_version": manifest.engine_data_version,
        "engine_binary_version": manifest.engine_binary_version,
        "start_scn": manifest.start_scn.text(),
        "start_replay_scn": manifest.start_replay_scn.text(),
        "min_restore_scn": manifest.min_restore_scn.text(),
        "base_lsn": manifest.base_lsn.text(),
        "end_lsn": manifest.end_lsn.text(),
        "timeline": manifest.timeline,
        "archive_dest_id": manifest.archive_dest_id,
        "round_id": manifest.round_id,
        "block_size_bytes": manifest.block_size_bytes,
        "block_file_size_bytes": manifest.block_file_size_bytes,
        "block_count": manifest.block_count,
        "input_bytes": manifest.input_bytes,
        "output_bytes": manifest.output_bytes,
        "dead_bytes": manifest.dead_bytes,
        "unit": {
            "max_cpu": unit.max_cpu,
            "memory_size_bytes": unit.memory_size_bytes,
            "log_disk_size_bytes": unit.log_disk_size_bytes,
        },
        "encryption": {
            "mode": encryption.mode,
            "password_hash": encryption.password_hash,
            "scrypt_salt": encryption.scrypt_salt.hex(),
            "scrypt_n": encryption.scrypt_n,
            "scrypt_r": encryption.scrypt_r,
            "scrypt_p": encryption.scrypt_p,
            "wrapped_key": encryption.wrapped_key.hex(),
            **({"mac": encryption.mac.hex()} if encryption.mac else {}),
            **({"key_id": encryption.key_id} if encryption.key_id else {}),
        },
        "objects": [
            {
                "name": item.name,
                "kind": item.kind,
                "number": item.number,
                "size_bytes": item.size_bytes,
                "content_size_bytes": item.content_size_bytes,
                "digest": item.digest,
            }
            for item in manifest.objects
        ],
        "description": manifest.description,
        "started_us": manifest.started_us,
        "ended_us": manifest.ended_us,
        **owner_fields(manifest.owner),
        **({"needs_certificate": True} if manifest.needs_certificate else {}),
    }


def decode_manifest(buffer: Buffer, *, name: str = "manifest.json") -> Manifest:
    """Return the manifest. Raises CorruptionError (wrong digest, field or law), UnknownVersionError."""
    fields = decode_document(buffer, kind=KIND, name=name, version=NEWEST_VERSION)
    unit, encryption = fields.part("unit"), fields.part("encryption")
    manifest = Manifest(
        cluster_name=fields.name("cluster_name"),
        cluster_id=fields.integer("cluster_id"),
        tenant_id=fields.integer("tenant_id", least=1),
        tenant_name=fields.name("tenant_name"),
        compatibility_mode=fields.choice("compatibility_mode", CompatibilityMode),
        incarnation=fields.integer("incarnation", least=1),
        dest_id=fields.integer("dest_id"),
        backup_set_id=fields.integer("backup_set_id", least=1, most=SET_ID_MAX),
        type=fields.choice("type", BackupType),
        prev_full_backup_set_id=fields.integer("prev_full_backup_set_id"),
        prev_inc_backup_set_id=fields.integer("prev_inc_backup_set_id"),
        chain=fields.integers("chain"),
        plus_archivelog=fields.boolean("plus_archivelog"),
        engine_data_version=fields.name("engine_data_version"),
        engine_binary_version=fields.name("engine_binary_version"),
        start_scn=fields.scn("start_scn"),
        start_replay_scn=fields.scn("start_replay_scn"),
        min_restore_scn=fields.scn("min_restore_scn"),
        base_lsn=fields.lsn("base_lsn"),
        end_lsn=fields.lsn("end_lsn"),
        timeline=fields.octets("timeline", size_bytes=16).hex(),
        archive_dest_id=fields.integer("archive_dest_id"),
        round_id=fields.integer("round_id"),
        block_size_bytes=fields.integer("block_size_bytes", least=1),
        block_file_size_bytes=fields.integer("block_file_size_bytes"),
        block_count=fields.integer("block_count"),
        input_bytes=fields.integer("input_bytes"),
        output_bytes=fields.integer("output_bytes"),
        dead_bytes=fields.integer("dead_bytes"),
        unit=Unit(
            max_cpu=unit.number("max_cpu", above=0, most=_CORES_MAX),
            memory_size_bytes=unit.integer("memory_size_bytes"),
            log_disk_size_bytes=unit.integer("log_disk_size_bytes"),
        ),
        encryption=Encryption(
            mode=encryption.choice("mode", EncryptionMode),
            password_hash=encryption.text("password_hash"),
            scrypt_salt=encryption.octets("scrypt_salt"),
            scrypt_n=encryption.integer("scrypt_n"),
            scrypt_r=encryption.integer("scrypt_r"),
            scrypt_p=encryption.integer("scrypt_p"),
            wrapped_key=encryption.octets("wrapped_key"),
            mac=encryption.optional_octets("mac"),
            key_id=encryption.optional_octets("key_id").hex(),
        ),
        objects=tuple(_object_of(item) for item in fields.parts("objects")),
        description=fields.text("description"),
        started_us=fields.integer("started_us"),
        ended_us=fields.integer("ended_us"),
        owner=owner_of(fields),
        needs_certificate=fields.flag("needs_certificate"),
    )
    for broken in _broken_laws(manifest):
        raise CorruptionError(f"{name} contradicts itself: {broken}")
    return manifest


def _object_of(fields: Fields) -> ObjectRecord:
    name = fields.text("name", most=NAME_BYTES_MAX)
    try:
        check_name(name)
    except ValueError:
        raise fields.wrong("name", "the name of an object inside the set", name) from None
    kind = fields.choice("kind", ObjectKind)
    is_whole = kind is ObjectKind.FILE
    return ObjectRecord(
        name=name,
        kind=kind,
        number=fields.integer("number"),
        size_bytes=fields.integer("size_bytes", most=FILE_BYTES_MAX if is_whole else INTEGER_MAX),
        content_size_bytes=fields.integer("content_size_bytes"),
        digest=fields.octets("digest", size_bytes=32).hex(),
    )


def _broken_laws(manifest: Manifest) -> list[str]:
    """Return what can not be true of any backup set, in words. Asserted when writing and again when reading."""
    names = [item.name for item in manifest.objects]
    is_full = manifest.type is BackupType.FULL
    laws = {
        "the chain must rise and end with the set itself": manifest.chain[-1:] == (manifest.backup_set_id,)
        and list(manifest.chain) == sorted(set(manifest.chain)),
        "a full set refers to no other": not is_full
        or (len(manifest.chain) == 1 and not manifest.prev_full_backup_set_id),
        "an increment names its full set": is_full or 0 < manifest.prev_full_backup_set_id < manifest.backup_set_id,
        "START_REPLAY_SCN is at most MIN_RESTORE_SCN": manifest.start_replay_scn <= manifest.min_restore_scn,
        "the base LSN is at most the end LSN": manifest.base_lsn <= manifest.end_lsn,
        "the blocks fit into the block file": manifest.block_count * manifest.block_size_bytes
        <= manifest.block_file_size_bytes,
        "each object is named once": len(set(names)) == len(names),
        "there is one index": sum(item.kind is ObjectKind.INDEX for item in manifest.objects) == 1,
        "an encrypted set has a wrapped key, another has none": (manifest.encryption.mode is EncryptionMode.NONE)
        == (not manifest.encryption.wrapped_key),
        "a set sealed with a master key names it, another does not": (manifest.encryption.mode is EncryptionMode.KEY)
        == bool(manifest.encryption.key_id),
    }
    return [law for law, holds in laws.items() if not holds]
