"""How the payload of a chunk or of a log frame is stored: compressed where it pays, encrypted where there is a key.

The stored bytes are the codec's output for the payload without its tail of zeros; opening adds the zeros again, so a
half-filled macro block costs what its used half costs, and the tail is neither compressed nor written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import zstandard
from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast import codes
from holdfast.backup_format.digest import DataKey, content_digest
from holdfast.errors import CorruptionError, RefusedError
from holdfast.values.buffers import Buffer

NONCE_BYTES = 12
TAG_BYTES = 16
NO_NONCE = bytes(NONCE_BYTES)


class Codec(IntEnum):
    """How stored bytes become the payload."""

    RAW = 0
    ZSTD = 1


class Cipher(IntEnum):
    """How stored bytes are encrypted."""

    NONE = 0
    AES_256_GCM = 1
