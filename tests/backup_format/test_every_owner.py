"""Everything that is put into a destination says who made it. A new kind that does not fails here."""

import ast
import importlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pkgutil import iter_modules

from backup_format.samples import PIECE
from backup_format.test_owner_record import CLAIM, DOCUMENTS, WRITER
from holdfast import backup_format
from holdfast.backup_format.owner_record import encode_placeholder, encode_set_claim
from holdfast.backup_format.piece_record import encode_piece_records
from holdfast.backup_format.writer_record import encode_writer_record
from owner_rig import owner
from source_rig import trees

PUTS = {"put", "put_new", "writer", "appender"}
STORES = {"store", "_store", "archive"}
"""What a store is called where something is put into it. The store room itself puts what it is given."""

WHOSE = {
    ("archive/writer.py", "put_record"): "piece record: owner",
    ("archive/writer.py", "freeze"): "piece record: owner",
    ("archive/writer.py", "_read_back"): "piece record: owner",
    ("archive/writer.py", "put_round"): "round record: owner",
    ("archive/writer.py", "_put_placeholder"): "placeholder: owner",
    ("archive/writer.py", "_appender_of"): "log object: counts as far as a piece record names it",
    ("backup/claim.py", "claim_set"): "claim: owner",
    ("backup/complement.py", "copy_log"): "piece record: owner",
    ("backup/complement.py", "_copy_object"): "named by the manifest",
    ("backup/copier.py", "store"): "data object: named by the manifest, until then its folder's claim",
    ("backup/run.py", "complete"): "placeholder: owner",
    ("backup/run.py", "run"): "placeholder: owner",
    ("backup/run.py", "_put_object"): "small file, index: named by the manifest",
    ("backup/run.py", "_put_manifest"): "manifest, placeholder: owner",
    ("jobs/backup_keys.py", "secure"): "key object: owner",
    ("jobs/cluster_parameters.py", "backup"): "cluster parameters: owner",
    ("jobs/destinations.py", "claim_destination"): "format file: owner",
    (
        "jobs/destinations.py",
        "_check_connection",
    ): "check file: nobody's work, never taken up, removed by the next check",
    ("jobs/tenure.py", "leave"): "writer record: owner",
    ("jobs/tenure.py", "_write"): "writer record: owner",
}


def puts() -> Iterator[tuple[str, str]]:
    """Yield (file, function) of each call that puts an object into a store."""
    for place, tree in trees().items():
        if place.startswith("store/"):
            continue
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PUTS):
                    continue
                receiver = node.func.value
                name = receiver.attr if isinstance(receiver, ast.Attribute) else getattr(receiver, "id", "")
                if name in STORES:
                    yield place, function.name


def test_every_place_that_puts_an_object_is_known_with_whose_it_is() -> None:
    assert set(puts()) == set(WHOSE)


def test_every_kind_of_document_is_encoded_with_an_owner() -> None:
    """A new kind fails here until it is among those whose text is looked at."""
    samples = [
        *(encode(replace(value, owner=owner())) for value, encode, _ in DOCUMENTS),  # type: ignore[type-var]
        encode_set_claim(CLAIM),
        encode_writer_record(WRITER),
        encode_placeholder(owner()),
        encode_piece_records([replace(PIECE, owner=owner())]),
    ]
    owned = {json.loads(text)["kind"] for text in samples if b'"server_id"' in text}
    modules = (
        importlib.import_module(f"holdfast.backup_format.{one.name}") for one in iter_modules(backup_format.__path__)
    )
    kinds = {
        value for module in modules for name, value in vars(module).items() if name == "KIND" or name.endswith("_KIND")
    }
    assert len(kinds) == 10
    assert kinds == owned
