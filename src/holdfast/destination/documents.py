"""Documents of a destination: manifests and piece records, each read in one way, bounded, and judged by its own digest.

A document of another version is told from a damaged one by its digest: bytes that are not as they were written say nothing of
their version either.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from holdfast.backup_format import names
from holdfast.backup_format.document import is_as_written
from holdfast.backup_format.manifest import Manifest, decode_manifest
from holdfast.backup_format.piece_record import PieceRecord, decode_piece_record
from holdfast.errors import CorruptionError, NotFoundError, UnknownVersionError
from holdfast.store.small import MANIFEST_BYTES_MAX, RECORD_BYTES_MAX, get_small
from holdfast.store.store import Store

_T = TypeVar("_T")


def read_document(
    store: Store, name: str, decode: Callable[[bytes], _T], *, size_bytes_max: int = RECORD_BYTES_MAX
) -> tuple[_T, int]:
    """Return a document and its size. Raises NotFoundError, CorruptionError; UnknownVersionError only when the bytes are right."""
    data = get_small(store, name, size_bytes_max)
    try:
        return decode(data), len(data)
    except UnknownVersionError as error:
        if not is_as_written(data):
            raise CorruptionError(f"{name} has a wrong digest and another version", hint=error.hint) from error
        raise


def read_manifest(store: Store, root: str) -> tuple[Manifest, int]:
    """Return a set's manifest and its size. Raises as `read_document`; NotFoundError: there is no complete set."""
    name = names.manifest_name(root)
    decode = partial(decode_manifest, name=f"{store.location}/{name}")
    return read_document(store, name, decode, size_bytes_max=MANIFEST_BYTES_MAX)


def read_piece_record(store: Store, root: str) -> tuple[PieceRecord, str, int]:
    """Return a piece's record, its object's name and size: the frozen piece's, else the active one's.

    Raises as `read_document`; NotFoundError when there is neither. A piece that freezes between the two looks is looked for
    again.
    """
    for name in (names.piece_info_name(root), names.checkpoint_name(root), names.piece_info_name(root)):
        try:
            record, size_bytes = _record(store, name)
        except NotFoundError:
            continue
        return record, name, size_bytes
    raise NotFoundError(f"{store.location}/{root} has no record", hint="the piece's log can not be used without one")


def read_active_record(store: Store, root: str) -> PieceRecord:
    """Return the record a piece had while it was ACTIVE, which promises less than its last one. Raises as `read_document`."""
    return _record(store, names.checkpoint_name(root))[0]


def _record(store: Store, name: str) -> tuple[PieceRecord, int]:
    return read_document(store, name, partial(decode_piece_record, name=f"{store.location}/{name}"))
