"""Our readable objects: JSON with a version and a digest over its exact bytes.

One top-level key per line, sorted; a long list has one item per line. The value of `digest` is "blake3:" and the 64 hex
digits of BLAKE3 over the whole text with those digits replaced by zeros, so any changed byte is noticed, white space
included, and a person can check it with sed and b3sum. SCNs and LSNs are texts: they exceed what JSON numbers can hold
in most readers.
"""

import json
import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from blake3 import blake3

from holdfast.errors import CorruptionError, UnknownVersionError
from holdfast.values.buffers import Buffer
from holdfast.values.json_text import parse_json
from holdfast.values.lsn import Lsn
from holdfast.values.outside import is_one_line, shown
from holdfast.values.scn import Scn

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]

FORMAT_VERSION = 1
SEALED_VERSION = 2
"""Of a manifest or piece record whose data keys are wrapped by a master key: what reads version 1 only refuses it by name."""
CERTIFICATE_VERSION = 3
"""Of a manifest or piece record of a tenant whose engine lets in by a certificate alone what its sets hold (`needs_certificate`): what
reads versions 1 and 2 only could lay it out and not log in."""
NEWEST_VERSION = CERTIFICATE_VERSION
"""Of manifests and piece records."""
_DIGEST_START = b'\n"digest": "blake3:'
_DIGEST_DIGITS = 64
INTEGER_MAX = 2**63 - 1
"""What a BIGINT column holds."""
NAME_CHARACTERS_MAX = 128
"""Of OceanBase's identifiers."""
TEXT_CHARACTERS_MAX = 4096
PATH_CHARACTERS_MAX = 2048
COMMENT_CHARACTERS_MAX = 1 << 18
VALUE_CHARACTERS_MAX = 1 << 16
"""Of a parameter's value. Each of these is as long as its column in the catalog."""
CHECKSUM_MAX = 2**64 - 1
_E = TypeVar("_E", bound=StrEnum)


def encode_document(kind: str, fields: Mapping[str, Json], *, version: int = FORMAT_VERSION) -> bytes:
    """Return the text of a document of this kind."""
    whole: dict[str, Json] = {**fields, "kind": kind, "format_version": version}
    whole["digest"] = "blake3:" + "0" * _DIGEST_DIGITS
    lines = ",\n".join(f"{_compact(key)}: {_value_text(whole[key])}" for key in sorted(whole))
    text = f"{{\n{lines}\n}}\n".encode()
    start = text.index(_DIGEST_START) + len(_DIGEST_START)
    return text[:start] + blake3(text).hexdigest().encode() + text[start + _DIGEST_DIGITS :]


def _value_text(value: Json) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return "[\n  " + ",\n  ".join(_compact(item) for item in value) + "\n ]"
    return _compact(value)


def _compact(value: Json) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def decode_document(buffer: Buffer, *, kind: str, name: str, version: int = FORMAT_VERSION) -> "Fields":
    """Return the fields of a document, checked against its digest. `version`: the highest that is known of its kind.

    Raises UnknownVersionError on another format version, CorruptionError on anything else that is not as written.
    """
    text = bytes(buffer)
    try:
        whole = parse_json(text)
    except ValueError as error:
        raise CorruptionError(f"{name} is not readable: {error}") from error
    if not isinstance(whole, dict) or whole.get("kind") != kind:
        found = whole.get("kind") if isinstance(whole, dict) else whole
        raise CorruptionError(f"{name} is not a {kind}: found {shown(found)}")
    known = whole.get("format_version")
    if type(known) is not int or not FORMAT_VERSION <= known <= version:
        raise UnknownVersionError(
            f"{name} has format version {shown(known)}, this build reads {version}",
            hint="read it with a newer holdfast",
        )
    expected, found = _digests(text)
    if found != expected:
        raise CorruptionError(
            f"{name} has a wrong digest: expected {expected.decode()}, found {found.decode(errors='replace')}",
            hint="the object was changed after it was written; use another copy",
        )
    return Fields(whole, name)


def is_as_written(buffer: Buffer) -> bool:
    """Return whether a document's bytes match its digest, whatever its version: one flipped bit may change the version too."""
    expected, found = _digests(bytes(buffer))
    return found == expected


def _digests(text: bytes) -> tuple[bytes, bytes]:
    """Return the digest the text should have and the one it says it has, b"" when it says none."""
    place = text.find(_DIGEST_START)
    start = place + len(_DIGEST_START)
    end = start + _DIGEST_DIGITS
    expected = blake3(text[:start] + b"0" * _DIGEST_DIGITS + text[end:]).hexdigest().encode()
    return expected, text[start:end] if place >= 0 else b""


class Fields:
    """The fields of a document or of one item in it, read by type.

    Raises CorruptionError naming object and field: a right digest over wrong fields means a defective writer, and
    is no more to be trusted than a wrong digest.
    """

    __slots__ = ("_name", "_values")

    def __init__(self, values: Mapping[str, object], name: str) -> None:
        self._values = values
        self._name = name

    def text(self, field: str, *, most: int = TEXT_CHARACTERS_MAX) -> str:
        """Return a text of at most `most` characters, whatever they are: what prints it escapes it."""
        value = self._values.get(field)
        if not isinstance(value, str):
            raise self.wrong(field, "a text", value)
        if len(value) > most:
            raise self.wrong(field, f"at most {most} characters", value, found_size=len(value))
        return value

    def name(self, field: str) -> str:
        """Return a name as OceanBase bounds its identifiers, that shows as what it is."""
        value = self.text(field, most=NAME_CHARACTERS_MAX)
        if not is_one_line(value):
            raise self.wrong(field, "a name without control characters", value)
        return value

    def integer(self, field: str, *, least: int = 0, most: int = INTEGER_MAX) -> int:
        value = self._values.get(field)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(field, f"an integer of at least {least}", value)
        if value > most:
            raise self.wrong(field, f"an integer of at most {most}", value)
        return value

    def has(self, field: str) -> bool:
        """Return whether there is such a field, null included."""
        return field in self._values

    def optional_integer(self, field: str, *, most: int = INTEGER_MAX) -> int | None:
        return None if self._values.get(field) is None else self.integer(field, most=most)

    def number(self, field: str, *, above: float, most: float) -> float:
        """Return a finite number, greater than `above`."""
        value = self._values.get(field)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(field, "a number", value)
        if not (math.isfinite(value) and above < value <= most):
            raise self.wrong(field, f"a number above {above:g} of at most {most:g}", value)
        return float(value)

    def boolean(self, field: str) -> bool:
        value = self._values.get(field)
        if not isinstance(value, bool):
            raise self.wrong(field, "true or false", value)
        return value

    def flag(self, field: str) -> bool:
        """Return a boolean that older documents do not have; absent is false."""
        return field in self._values and self.boolean(field)

    def scn(self, field: str) -> Scn:
        try:
            return Scn.parse(self.text(field))
        except ValueError as error:
            raise self.wrong(field, "an SCN", self._values.get(field)) from error

    def optional_scn(self, field: str) -> Scn | None:
        return None if self._values.get(field) is None else self.scn(field)

    def lsn(self, field: str) -> Lsn:
        try:
            return Lsn.parse(self.text(field))
        except ValueError as error:
            raise self.wrong(field, "an LSN", self._values.get(field)) from error

    def optional_lsn(self, field: str) -> Lsn | None:
        return None if self._values.get(field) is None else self.lsn(field)

    def octets(self, field: str, *, size_bytes: int | None = None) -> bytes:
        text = self.text(field)
        try:
            value = bytes.fromhex(text)
        except ValueError:
            # Neither shown nor chained: it may be a wrapped key.
            raise self.wrong(field, "hex digits", None, found_size=len(text)) from None
        if size_bytes is not None and len(value) != size_bytes:
            raise self.wrong(field, f"{size_bytes} bytes in hex", None, found_size=len(text))
        return value

    def optional_octets(self, field: str) -> bytes:
        """Return the bytes, none when there is no such field."""
        return self.octets(field) if field in self._values else b""

    def choice(self, field: str, values: type[_E]) -> _E:
        text = self.text(field)
        try:
            return values(text)
        except ValueError as error:
            raise self.wrong(field, "one of " + ", ".join(values), text) from error

    def part(self, field: str) -> "Fields":
        value = self._values.get(field)
        if not isinstance(value, dict):
            raise self.wrong(field, "an object", value)
        return Fields(value, f"{self._name} {field}")

    def parts(self, field: str) -> list["Fields"]:
        found = []
        for item in self._items(field):
            if not isinstance(item, dict):
                raise self.wrong(field, "a list of objects", item)
            found.append(Fields(item, f"{self._name} {field}"))
        return found

    def integers(self, field: str) -> tuple[int, ...]:
        items = self._items(field)
        if not all(isinstance(item, int) and not isinstance(item, bool) and 0 <= item <= INTEGER_MAX for item in items):
            raise self.wrong(field, "a list of integers", items)
        return tuple(item for item in items if isinstance(item, int))

    def wrong(self, field: str, expected: str, found: object, *, found_size: int | None = None) -> CorruptionError:
        """Return the error that names object and field. `found_size`: of a text that is not, or not wholly, shown."""
        words = "" if found is None and found_size is not None else shown(found)
        size = "" if found_size is None else f"{found_size} characters{', ' if words else ''}"
        return CorruptionError(f"{self._name} has a wrong field {field!r}: expected {expected}, found {size}{words}")

    def _items(self, field: str) -> list[object]:
        value = self._values.get(field)
        if not isinstance(value, list):
            raise self.wrong(field, "a list", value)
        return value
