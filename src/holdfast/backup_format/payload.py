"""How the payload of a chunk or of a log frame is stored: compressed where it pays, encrypted where there is a key.

The stored bytes are the codec's output for the payload without its tail of zeros; opening adds the zeros again, so a
half-filled macro block costs what its used half costs.

A nonce is derived from the key, the place and what it encrypts (as in AES-GCM-SIV), so one never serves two contents: a
backup resumed after a crash may seal another content for the same place, and counters or places alone would then repeat a
nonce. What lies as it is, is named by the keyed digest in its header: to hash it once more costs as much as to encrypt it
twice. What a codec makes of it is not: another release of the library may press the same bytes to others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import zstandard
from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher as Cryptor
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from holdfast import codes
from holdfast.backup_format.digest import DataKey, content_digest
from holdfast.errors import CorruptionError, RefusedError
from holdfast.values.buffers import Buffer

NONCE_BYTES = 12
TAG_BYTES = 16
NO_NONCE = bytes(NONCE_BYTES)
_BLOCK_BYTES = 16

_LEVEL = 1  # measured: 0.53 GB/s a core at level 1; level -1 is no faster on such data and saves half as much
_SAMPLE_BYTES = 16 << 10
_SAMPLES = 3
_SAVES_LEAST = 0.08
"""The engine compresses its data blocks itself: zstd saves 1 % of those for 0.6 ms each, 85 to 98 % of the shared ones.
Three samples tell them apart in 0.03 ms."""
_ZERO_STEP_BYTES = 4096
_ZEROS = bytes(256 << 10)


class Codec(IntEnum):
    """How stored bytes become the payload."""

    RAW = 0
    ZSTD = 1


class Cipher(IntEnum):
    """How stored bytes are encrypted."""

    NONE = 0
    AES_256_GCM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedPayload:
    """A payload compressed and digested, not yet bound to a place. `body` may alias the payload."""

    codec: Codec
    body: Buffer
    payload_size_bytes: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPayload:
    """What a header says about the bytes that follow it. `associated`: the header's bytes a cipher vouches for."""

    codec: Codec
    cipher: Cipher
    payload_size_bytes: int
    digest: bytes
    nonce: bytes
    associated: bytes


class Packer:
    """Packs payloads on one thread."""

    __slots__ = ("_compressor", "_key")

    def __init__(self, key: DataKey | None, *, compress: bool = True) -> None:
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True) if compress else None
        self._key = key

    def pack(self, payload: Buffer) -> PackedPayload:
        """Return the payload in its smaller form."""
        whole = memoryview(payload)
        used = whole[: _used_bytes(whole)]
        codec, body = Codec.RAW, used
        if self._compressor is not None and _pays(self._compressor, used):
            pressed = self._compressor.compress(used)
            if len(pressed) < len(used):
                codec, body = Codec.ZSTD, memoryview(pressed)
        digest = content_digest(used, self._key, zeros_behind=len(whole) - len(used))
        return PackedPayload(codec=codec, body=body, payload_size_bytes=len(whole), digest=digest)


def _used_bytes(payload: memoryview) -> int:
    """Return the size without the tail of zeros, in whole 4 KiB from the end."""
    # Comparing copied slices runs at memory speed (23 GB/s); stripping byte by byte takes 4 ms a block.
    end, step = len(payload), _ZERO_STEP_BYTES
    while end:
        start = max(end - step, 0)
        if bytes(payload[start:end]) == _ZEROS[: end - start]:
            end, step = start, min(step * 2, len(_ZEROS))
        elif step > _ZERO_STEP_BYTES:
            step //= 2
        else:
            break
    return end


def _pays(compressor: zstandard.ZstdCompressor, used: memoryview) -> bool:
    """Return whether compressing is worth its time, judged by samples from across the payload."""
    if len(used) <= 2 * _SAMPLES * _SAMPLE_BYTES:
        return len(used) > 0
    span = len(used) // _SAMPLES
    starts = (span * number + (span - _SAMPLE_BYTES) // 2 for number in range(_SAMPLES))
    pressed = sum(len(compressor.compress(used[start : start + _SAMPLE_BYTES])) for start in starts)
    return pressed <= _SAMPLES * _SAMPLE_BYTES * (1 - _SAVES_LEAST)


def seal_body(packed: PackedPayload, associated: bytes, key: DataKey | None) -> tuple[bytes, Buffer]:
    """Return nonce and stored bytes. `associated`: holds digest, codec and both sizes."""
    if key is None:
        return NO_NONCE, packed.body
    nonce = _nonce(packed, associated, key)
    return nonce, AESGCM(key.cipher_key).encrypt(nonce, packed.body, associated)


PIECE_BYTES = 1 << 20
"""What `seal_pieces` gives at once: a write of it keeps a disk busy while the next is made."""


def seal_pieces(
    packed: PackedPayload, associated: bytes, key: DataKey | None
) -> tuple[bytes, Callable[[], Iterator[Buffer]]]:
    """Return the nonce and a function that gives the stored bytes of `seal_body` anew, in pieces; of one memory with a key.

    A piece counts until the next is asked for. What is sealed so needs a piece of memory instead of a whole copy.
    """
    body = memoryview(packed.body)
    if key is None:
        return NO_NONCE, lambda: (body[start : start + PIECE_BYTES] for start in range(0, len(body), PIECE_BYTES))
    nonce = _nonce(packed, associated, key)
    if len(body) <= PIECE_BYTES:
        return nonce, lambda: iter((AESGCM(key.cipher_key).encrypt(nonce, body, associated),))
    return nonce, lambda: _pieces(body, nonce, associated, key)


def _pieces(body: memoryview, nonce: bytes, associated: bytes, key: DataKey) -> Iterator[Buffer]:
    encryptor = Cryptor(AES(key.cipher_key), GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    piece = bytearray(PIECE_BYTES + _BLOCK_BYTES - 1)  # as much as the library asks for
    for start in range(0, len(body), PIECE_BYTES):
        size = encryptor.update_into(body[start : start + PIECE_BYTES], piece)
        yield memoryview(piece)[:size]
    yield encryptor.finalize() + encryptor.tag


def _nonce(packed: PackedPayload, associated: bytes, key: DataKey) -> bytes:
    hasher = blake3(associated, key=key.nonce_key)
    if packed.codec is not Codec.RAW:
        hasher.update(packed.body)
    return hasher.digest(length=NONCE_BYTES)


class Unpacker:
    """Opens payloads on one thread."""

    __slots__ = ("_decompressor", "_key")

    def __init__(self, key: DataKey | None) -> None:
        self._decompressor = zstandard.ZstdDecompressor()
        self._key = key

    def unpack(self, header: StoredPayload, stored: Buffer, *, name: str) -> Buffer:
        """Return the payload, checked against its digest. May alias `stored`.

        Raises CorruptionError when the bytes are wrong, RefusedError (-9047) when a key is needed and none was given.
        """
        used = self.unpack_used(header, stored, name=name)
        missing = header.payload_size_bytes - len(used)
        return b"".join((used, bytes(missing))) if missing else used

    def unpack_used(self, header: StoredPayload, stored: Buffer, *, name: str) -> Buffer:
        """Return the payload without some or all of the zeros at its end; checked, and with the errors of `unpack`."""
        body = self._unsealed(header, stored, name)
        if header.codec is Codec.ZSTD:
            body = self._decompressed(body, header.payload_size_bytes, name)
        missing = header.payload_size_bytes - len(body)
        if missing < 0:
            raise CorruptionError(f"{name} opens to {len(body)} bytes, expected {header.payload_size_bytes}")
        found = content_digest(body, self._key if header.cipher is not Cipher.NONE else None, zeros_behind=missing)
        if found != header.digest:
            raise CorruptionError(
                f"{name} has a wrong content digest: expected {header.digest.hex()}, found {found.hex()}",
                hint="its bytes changed after they were written; use another copy",
            )
        return body

    def _unsealed(self, header: StoredPayload, stored: Buffer, name: str) -> Buffer:
        if header.cipher is Cipher.NONE:
            return stored
        if self._key is None:
            raise RefusedError(
                f"{name} is encrypted and no key was given",
                hint="name its key: SET DECRYPTION IDENTIFIED BY a password, or RESTORE ... WITH KEY FROM 'file:...'",
                code=codes.OB_BACKUP_INVALID_PASSWORD,
            )
        try:
            return AESGCM(self._key.cipher_key).decrypt(header.nonce, stored, header.associated)
        except InvalidTag as error:
            raise CorruptionError(
                f"{name} does not open: its bytes or its place are wrong, or it was sealed with another key"
            ) from error

    def _decompressed(self, body: Buffer, size_bytes_max: int, name: str) -> bytes:
        try:
            # The frame's own size is checked first: a forged one would otherwise make us allocate what it asks for.
            size_bytes = zstandard.get_frame_parameters(body).content_size
            if size_bytes > size_bytes_max:
                raise CorruptionError(f"{name} says it holds {size_bytes} bytes, expected at most {size_bytes_max}")
            return self._decompressor.decompress(body, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise CorruptionError(f"{name} does not decompress: {error}") from error
