"""Whoever reads or writes an engine's bytes has asked first which engine's they are: all who do are listed here, with their door.

The lists are held against the source. A new reader, a new place that asks a version, a new table keyed by one or a new way to a
tenant's directory makes a test fail: give it a door (`layout_of` for what a destination says, `Supervisor.directory` for a
tenant, `refuse_other` for a directory, `of_binary` for a program), then write it down here.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache

from source_rig import trees

_ARITHMETIC = {"block_id_of", "first_lsn_of", "file_offset_of", "position_behind"}
"""Places in the log, which are the same in every known engine: no byte of one is looked at."""

_TENANT = "an EngineDirectory, which only comes from the places below"
_WALKER = "the live log of a Course, whose folders are of Supervisor.directory"
_SELF = "calls layout_of with what the manifest or the record says"
_PLAN = "a RestorePlan, which is of one engine (backup_format.reach) that restore.plan._refuse_version knows to be installed"
_ARCHIVED = "ArchivedLog, which calls layout_of as it enters a piece"
READERS = {
    "archive/blocks.py": _WALKER,
    "archive/carrier.py": _WALKER,
    "archive/walker.py": _WALKER,
    "backup/copier.py": "the block kinds of an EngineImage",
    "backup/image.py": _TENANT,
    "engine/log_service.py": "what a living engine asks for over its own protocol; the log is of restore/feed.py",
    "engine/recognition.py": "is the door",
    "destination/joints.py": _SELF,
    "restore/archived_log.py": _SELF,
    "restore/feed.py": _ARCHIVED,
    "restore/log_tail.py": f"{_TENANT}, and {_ARCHIVED}",
    "restore/rollback.py": _TENANT,
    "restore/run.py": _PLAN,
    "verify/chunks.py": "the block kinds verify/run.py was given",
    "verify/log.py": _SELF,
}
"""Modules outside `engine_format` that decode or encode an engine's bytes."""

ASKERS = {
    # what a destination says: the gates
    "archive/resume.py:_piece_record",
    "backup/complement.py:_pieces",
    "restore/archived_log.py:ArchivedLog._refuse_other",
    "restore/plan.py:_refuse_version",
    "destination/joints.py:_chain_at",
    "jobs/estate.py:_Look.at_piece",
    "jobs/estate.py:_Look.at_set",
    "verify/log.py:validate_piece",
    "verify/run.py:_SetValidation.run",
    "jobs/backup_worker.py:find_base",  # compared with the tenant's own, else the backup is full
    "jobs/restores.py:Restores._begin",  # of a plan
    # carried from one record into another
    "archive/writer.py:RoundWriter._record",
    "backup/run.py:_Run._manifest",
    "backup_format/manifest.py:_fields_of",
    "backup_format/piece_record.py:_piece_fields",
    "destination/pieces.py:_promised",
    "jobs/archiving.py:Archiving._begin",
    "jobs/backup_worker.py:JobRun._begin",
    "jobs/backup_worker.py:JobRun._plan",
    "jobs/takeover.py:_set_of",
    # a tenant's row, or an engine that was judged
    "catalog/tenants.py:_row",
    "daemon.py:Server._record_sys",
    "daemon.py:_set_versions",
    "daemon.py:_tell_engines",
    "daemon.py:_version_of_sys",
    "engine/drift.py:_put_role_right",
    "engine/drift.py:find",
    "jobs/activation.py:Activation._activate_engine",
    "jobs/activation.py:Activation._cut",
    "jobs/backup_worker.py:_other_version",
    "jobs/restore_worker.py:RestoreWorkers._lay_out",
    "jobs/restore_worker.py:RestoreWorkers._port",
    "jobs/restore_worker.py:RestoreWorkers._start",
    "jobs/restore_worker.py:RestoreWorkers._wait_replayed",
    "jobs/standby_feed.py:StandbyFeed._archived_log",
    "jobs/standbys.py:Standbys._recover",
    "jobs/supervisor.py:Supervisor.process",
    "jobs/tenants.py:Tenants.allocate",
}
"""Functions that read which engine something is of; those of the two tables themselves apart (see `_TABLES`)."""
_TABLES = {"engine_format/layout.py", "engine/version.py", "engine/recognition.py"}
_COMPARERS = {"backup_format/reach.py", "restore/refusal.py", "restore/window.py"}
"""Pure modules that compare what facts say, for an answer in words; they are no readers."""
_VERSION_FIELDS = {"engine_data_version", "engine_binary_version", "data_version"}

DIRECTORIES = {
    "daemon.py:Server.open": "judged by recognise, as its version was chosen, or by begin_founding",
    "daemon.py:_check_socket_length": "a path's length",
    "daemon.py:_set_versions": "judged by refuse_other in the same line",
    "daemon.py:_version_of_sys": "judged by recognise",
    "jobs/quick.py:BlockFiles.sweep": "a path of a mount",
    "jobs/restore_worker.py:RestoreWorkers._lay_out": "a new one, of the plan's engine",
    "jobs/supervisor.py:Supervisor.directory": "raises for a tenant that was refused",
}
"""Who makes an EngineDirectory."""

GATES = {
    "archive/resume.py:_piece_record": "layout_of",
    "backup/complement.py:_pieces": "layout_of",
    "daemon.py:_set_versions": "refuse_other",
    "daemon.py:_version_of_sys": "recognise",
    "engine/process.py:EngineProcess.launch": "refuse_other",
    "engine/process.py:begin_founding": "refuse_present",
    "engine/process.py:EngineProcess.wait_ready": "refuse_other",
    "engine/process.py:EngineProcess.adopt": "refuse_other",
    "engine/version.py:Engines.of": "release_of",
    "engine/version.py:_asked": "release_of",
    "engine/version.py:release_of": "layout_of",
    "jobs/supervisor.py:Supervisor._adopted_or_started": "refuse_other",
    "restore/archived_log.py:ArchivedLog._refuse_other": "layout_of",
    "restore/archived_log.py:ArchivedLog._place": "_refuse_other",
    "restore/archived_log.py:ArchivedLog._following": "_refuse_other",
    "restore/plan.py:plan_restore": "_refuse_version",
    "restore/refusal.py:version_refused": "layout_of",
    "destination/joints.py:_chain_at": "layout_of",
    "jobs/estate.py:_Look.at_piece": "_unknown_engine",
    "jobs/estate.py:_Look.at_set": "_unknown_engine",
    "jobs/estate.py:_unknown_engine": "layout_of",
    "verify/log.py:validate_piece": "layout_of",
    "verify/run.py:_SetValidation.run": "layout_of",
}
"""Which call is each gate's lock."""


@cache
def _nodes() -> tuple[tuple[str, str, ast.AST], ...]:
    """Return every node with its module and `module:Class.function`."""

    def below(node: ast.AST, name: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            inner = name
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = f"{name}.{child.name}" if name else child.name
            yield inner, child
            yield from below(child, inner)

    return tuple(
        (module, f"{module}:{name}", node) for module, tree in trees().items() for name, node in below(tree, "")
    )


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", "") or getattr(node.func, "id", "")


def test_every_reader_of_an_engines_bytes_is_listed() -> None:
    found = {
        module
        for module, _, node in _nodes()
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("holdfast.engine_format.")
        and not module.startswith("engine_format/")
        and (node.module or "").rpartition(".")[2] not in ("layout", "checksum", "varint")
        and any(alias.name.islower() and alias.name not in _ARITHMETIC for alias in node.names)
    }
    assert found == set(READERS)
    assert {module for module, door in READERS.items() if door is _SELF} <= {
        module for module, _, node in _nodes() if _called(node) == "layout_of"
    }


def test_every_place_that_asks_whose_bytes_these_are_is_listed() -> None:
    found = {
        place
        for module, place, node in _nodes()
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and node.attr in _VERSION_FIELDS
        and module not in _TABLES | _COMPARERS
    }
    assert found == ASKERS
    assert not _COMPARERS & set(READERS)


def test_every_maker_of_an_engines_directory_is_listed() -> None:
    assert {place for _, place, node in _nodes() if _called(node) == "EngineDirectory"} == set(DIRECTORIES)


def test_every_gate_has_its_lock() -> None:
    calls = {(place, _called(node)) for _, place, node in _nodes()}
    assert set(GATES.items()) <= calls


def test_only_the_tables_are_keyed_by_a_version() -> None:
    version = re.compile(r"1\.[2-9](\.\d+){0,2}")
    keyed = {
        module
        for module, _, node in _nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and version.fullmatch(node.value)
    }
    assert keyed == {"engine/version.py", "engine_format/layout.py"}
    # An order of versions decides nothing but what is shown first, and which word a refusal has.
    compared = {module for module, _, node in _nodes() if isinstance(node, ast.Name) and node.id == "numbers_of"}
    assert compared == {"engine/version.py", "restore/plan.py", "restore/refusal.py"}


def test_a_data_version_is_decoded_and_a_program_asked_in_one_place() -> None:
    for name, where in (
        ("decode_data_version", {"engine/recognition.py:_signs"}),
        ("EngineVersion", {"engine/version.py:Engines.of", "engine/version.py:_asked"}),
        (
            "recognise",
            {f"engine/recognition.py:{name}" for name in ("refuse_other", "refuse_present")}
            | {"daemon.py:_version_of_sys"},
        ),
    ):
        assert {place for _, place, node in _nodes() if _called(node) == name} == where


FOUNDERS = {
    "daemon.py:Server.open": "a base directory without a cluster file",
    "jobs/tenants.py:Tenants._found": "CREATE TENANT, of an id whose directory `allocate` has found to be new",
}
"""Who allows a first start of an engine. Everybody else's start needs what an engine has written: `require_present`."""

MAKERS = {
    "daemon.py:Server.open": "a base directory without a cluster file",
    "disk.py:make_folder": "itself",
    "engine/account.py:_write": "beside a directory that was founded or laid out a moment ago, or lives",
    "engine/hold.py:SpoolHold.prepare": "in a tenant's directory that is there",
    "engine/process.py:EngineProcess.launch": "in a directory that is there, or below a founding mark",
    "engine/process.py:begin_founding": "is the founder",
    "engine/image.py:prepare_restored_directory": "refuses one that is there",
    "engine/directory.py:EngineDirectory.create": "of launch and of a restore",
    "jobs/tenants.py:Tenants._to_trash": "the trash",
    "keys/host_key.py:HostKey._make": "sys, whose catalog the start has found or is about to make",
    "keys/keyring.py:Keyring.put": "in a tenant's directory, for a key of a set that a running engine is backed up into, or a restore's",
    "keys/vault.py:VaultFile.put": "as a key of a set",
}
"""Who makes folders of ours with what is missing above them: none may make again what was there and is gone."""


def test_only_founders_allow_a_first_start() -> None:
    assert {place for _, place, node in _nodes() if _called(node) == "begin_founding"} == set(FOUNDERS)
    calls = {(place, _called(node)) for _, place, node in _nodes()}
    for place in ("engine/process.py:EngineProcess.launch", "jobs/supervisor.py:Supervisor._adopted_or_started"):
        assert (place, "require_present") in calls


def test_every_maker_of_our_folders_is_listed() -> None:
    found = {place for _, place, node in _nodes() if _called(node) == "make_folder"}
    found |= {
        place
        for module, place, node in _nodes()
        if _called(node) == "create" and module.startswith(("engine/", "daemon", "jobs/supervisor", "jobs/tenants"))
    }
    assert found == set(MAKERS)
