"""Seeded changes of valid bytes: blind ones, and ones that know a format and make its checksums right again.

A blind change of a sealed object only shows that its digest is checked. What a writer with a right digest may have written, or
somebody who can write to the destination, is reached by the second kind.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from blake3 import blake3

from holdfast.backup_format.digest import header_checksum

Mutate = Callable[[bytes, Random], bytes]

CANARY = "swordfish-of-a-key"
"""Put where a record holds keys, and nowhere else: no message may show it."""
KEY_FIELDS = frozenset({"wrapped_key", "scrypt_salt", "mac", "key_id"})
_DIGEST = b'\n"digest": "blake3:'
_MARK = "@@hostile@@"
_CHANGES_MAX = 4
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x1B, 0x0A, 0x0D, 0x27, 0x22, 0x5C, 0x60)
_WORDS = (
    b"\n2026-11-30 00:00:00,000 ERROR holdfast: forged",
    b"\x1b[2J\x1b[31m",
    "\u202e\u2066".encode(),
    b"\xed\xa0\x80",
    b"\xff\xfe\xc3",
    b"'",
    b'"',
    b"`",
    b"\\",
    b"/*",
    b"*/",
    b"/*!",
    b"-- ",
    b";",
    b"(" * 200,
    b"A" * 3000,
    b"\x00" * 64,
    b"99999999999999999999999999",
    b"-1",
    b"NaN",
    b"../..",
)
HOSTILE_JSON = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-5",
    "0",
    "-1",
    "0.5",
    str(2**31),
    str(2**32),
    str(2**63 - 1),
    str(2**63),
    str(2**64),
    "9" * 4400,
    "1e308",
    "null",
    "true",
    "[]",
    "{}",
    "[[[[]]]]",
    "[NaN]",
    '{"a": 1, "a": 2}',
    '""',
    '"\\ud800"',
    '"\\u0000"',
    '"a\\nb"',
    '"\\u001b[2J"',
    '"\\u202e"',
    '"../../etc/passwd"',
    '"/etc/passwd"',
    json.dumps("n" * 5000),
    json.dumps("é" * 130),
    json.dumps("9" * 20),
    json.dumps("-00000000000000f"),
)


def blind(data: bytes, random: Random) -> bytes:
    """Return the bytes after one to four changes: bits, bytes, words put in, parts cut out, doubled or moved, the end cut off."""
    changed = bytearray(data)
    for _ in range(random.randint(1, _CHANGES_MAX)):
        size = len(changed)
        at = random.randrange(size + 1)
        match random.randrange(8):
            case 0 if size:
                changed[at % size] ^= 1 << random.randrange(8)
            case 1 if size:
                changed[at % size] = random.choice(_INTERESTING)
            case 2 if size:
                changed[at % size] = random.randrange(256)
            case 3:
                changed[at:at] = random.choice(_WORDS)
            case 4:
                del changed[at : at + random.randint(1, 16)]
            case 5:
                part = changed[at : at + random.randint(1, 64)]
                changed[at:at] = part
            case 6:
                del changed[at:]
            case _:
                width = random.choice((1, 2, 4, 8))
                value = random.choice((0, 1, 2 ** (8 * width) - 1, 2 ** (8 * width - 1), random.getrandbits(8 * width)))
                changed[at : at + width] = value.to_bytes(width, random.choice(("little", "big")))
    return bytes(changed)


def resealed(text: bytes) -> bytes:
    """Return a document whose digest is right again, if it still has one."""
    place = text.find(_DIGEST)
    start = place + len(_DIGEST)
    if place < 0 or len(text) < start + 64:
        return text
    zeroed = text[:start] + b"0" * 64 + text[start + 64 :]
    return text[:start] + blake3(zeroed).hexdigest().encode() + text[start + 64 :]


def document(data: bytes, random: Random) -> bytes:
    """Return a document with a right digest and one or two fields that no writer of ours writes, or blindly changed ones."""
    if random.random() < 0.2 or data[:1] != b"{":
        return blind(data, random) if random.random() < 0.3 else resealed(blind(data, random))
    whole = json.loads(data)
    values = []
    for _ in range(random.randint(1, 2)):
        holder, key = _any_place(whole, random)
        if random.random() < 0.15 and isinstance(holder, dict):
            del holder[key]
            continue
        holder[key] = f"{_MARK}{len(values)}"
        is_key = key in KEY_FIELDS and random.random() < 0.5
        values.append(json.dumps(CANARY) if is_key else random.choice(HOSTILE_JSON))
    text = (
        "{\n"
        + ",\n".join(f"{json.dumps(k)}: {json.dumps(whole[k], ensure_ascii=False)}" for k in sorted(whole))
        + "\n}\n"
    )
    for number, value in enumerate(values):
        text = text.replace(f'"{_MARK}{number}"', value)
    return resealed(text.encode())


def _any_place(whole: Any, random: Random) -> tuple[Any, Any]:
    """Return a holder and the key or index of one value in it, at any depth."""
    holder, key = whole, random.choice(sorted(whole))
    while isinstance(holder[key], dict | list) and holder[key] and random.random() < 0.8:
        holder = holder[key]
        key = random.choice(sorted(holder)) if isinstance(holder, dict) else random.randrange(len(holder))
    return holder, key


def headers(size_bytes: int, length_at: int) -> Mutate:
    """Return the mutation of an object of headers (of this size, checked by their last 8 bytes) and bodies (whose size is at
    `length_at` in the header): fields changed in some header, whose checksum is made right."""

    def mutate(data: bytes, random: Random) -> bytes:
        if random.random() < 0.3:
            return blind(data, random)
        starts, offset = [], 0
        while offset + size_bytes <= len(data):
            starts.append(offset)
            offset += size_bytes + int.from_bytes(data[offset + length_at : offset + length_at + 4], "little")
        changed = bytearray(data)
        start = random.choice(starts)
        _field(changed, start, start + size_bytes - 8, random)
        if random.random() < 0.2:
            body = start + size_bytes
            changed[body:] = blind(bytes(changed[body:]), random)
        checked = bytes(changed[start : start + size_bytes - 8])
        changed[start + size_bytes - 8 : start + size_bytes] = header_checksum(checked).to_bytes(8, "little")
        return bytes(changed)

    return mutate


def index(data: bytes, random: Random) -> bytes:
    """Return an index whose header or records were changed, with its checksum and digest right again."""
    if random.random() < 0.2:
        return blind(data, random)
    changed = bytearray(data)
    _field(changed, 0, len(changed) - 32, random)
    if random.random() < 0.3:
        _field(changed, 64, len(changed) - 32, random)
    changed[56:64] = header_checksum(bytes(changed[:56])).to_bytes(8, "little")
    changed[-32:] = blake3(bytes(changed[:-32])).digest()
    return bytes(changed)


def _field(changed: bytearray, begin: int, end: int, random: Random) -> None:
    width = random.choice((1, 1, 2, 4, 8))
    at = random.randrange(begin, max(begin + 1, end - width + 1))
    top = 2 ** (8 * width)
    value = random.choice((0, 1, 2, top - 1, top // 2, random.getrandbits(8 * width), random.randrange(1 << 6)))
    changed[at : at + width] = value.to_bytes(width, "little")
