"""What the canary says of a wheel: a changed sample, a new setting and an unknown version are told; the same engine is the same."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from engines.canary import (
    CHANGED,
    SAME,
    SAMPLES_OF,
    UNKNOWN,
    Facts,
    decoding_failures,
    differences,
    heads_of,
    keep_facts,
    load_facts,
    verdict,
)
from holdfast.engine_format.layout import KNOWN_VERSIONS, layout_of

KNOWN = load_facts(SAMPLES_OF["1.4.0.0"])
KINDS = layout_of("1.4.0.0", "a test").block_kinds


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLES_OF["1.4.0.0"], tmp_path / "samples"))


def test_every_known_engine_has_samples_and_facts_that_its_decoders_take() -> None:
    assert set(SAMPLES_OF) == set(KNOWN_VERSIONS)
    for version, folder in SAMPLES_OF.items():
        facts = load_facts(folder)
        assert facts.version["data version"] == facts.version["holdfast recognises"] == version
        assert decoding_failures(folder, layout_of(version, "a test").block_kinds) == ()
        assert len(facts.parameters) > 200
        assert len(facts.variables) > 500
        assert differences(facts, facts) == ()


def test_another_wheel_of_the_same_engine_is_the_same(tmp_path: Path) -> None:
    found = replace(KNOWN, version={**KNOWN.version, "wheel": "1.4.0.post2", "revision": "2-abc"})
    assert differences(KNOWN, found) == ()
    assert verdict(found, (), ()) == ("known, nothing changed: engine 1.4.0.0", SAME)
    keep_facts(found, tmp_path)
    assert load_facts(tmp_path) == replace(found, heads={})


def _set(name: str, at: int, octet: int) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / name
        packed = path.suffix == ".zst"
        data = bytearray(zstandard.ZstdDecompressor().decompress(path.read_bytes()) if packed else path.read_bytes())
        data[at] = octet
        path.write_bytes(zstandard.ZstdCompressor().compress(bytes(data)) if packed else bytes(data))

    return change


def _new_block_type(folder: Path) -> None:
    shutil.copy(folder / "macro_block_type_8.bin.zst", folder / "macro_block_type_9.bin.zst")
    _set("macro_block_type_9.bin.zst", 12, 9)(folder)
    notes = json.loads((folder / "samples.json").read_text())
    notes["samples"]["macro_block_type_9.bin"] = {"block_id": 7}
    (folder / "samples.json").write_text(json.dumps(notes))


@pytest.mark.parametrize(
    ("change", "told", "refused"),
    [
        (_set("log_groups.bin", 3, 4), "log group: magic, version: 47520003 -> 47520004", "log_groups.bin"),
        (_set("log_block_start.bin", 3, 2), "log block: magic, version: 49420001 -> 49420002", "log_block_start.bin"),
        (_set("super_block.bin", 0, 2), "super block: version, magic: 01000000fa030000 -> 02", "super_block.bin"),
        (_set("log_meta.bin", 4096 + 31, 5), "0000000000000004 -> 4c4d0001 0000000000000005", "log_meta.bin"),
        (
            _set("slog_server.bin", 3, 2),
            "slog batch: magic, version, header: aabb00010018 -> aabb00020018",
            "slog_server",
        ),
        (_set("data_version.bin", 5, 3), "data version: record, text: 0002", "data_version.bin"),
        (_set("macro_block_type_1.bin.zst", 4, 2), "macro block of type_1: header: 180000000100", "macro_block_type_1"),
        (_new_block_type, "macro block of type_9: header: absent -> 18000000", "macro_block_type_9.bin"),
        (
            lambda folder: (folder / "log_groups.bin").unlink(),
            "log group: magic, version: 47520003 -> absent",
            "made none",
        ),
    ],
)
def test_a_changed_sample_is_told(samples: Path, change: Callable[[Path], object], told: str, refused: str) -> None:
    change(samples)
    changes = differences(KNOWN, replace(KNOWN, heads=heads_of(samples)))
    assert any(told in line for line in changes), changes
    failures = decoding_failures(samples, KINDS)
    assert any(refused in line for line in failures), failures
    word, code = verdict(KNOWN, changes, failures)
    assert code == CHANGED
    assert word.startswith("CHANGED: engine 1.4.0.0 is not what it was")


def test_what_can_be_set_and_what_lies_in_the_directory_is_told() -> None:
    found = replace(
        KNOWN,
        version={**KNOWN.version, "meta.db begins with": "no file"},
        tree=(*tuple(name for name in KNOWN.tree if not name.endswith("meta.db")), "store/sstable/meta/CURRENT"),
        parameters=(*KNOWN.parameters[1:], "brand_new"),
        variables=KNOWN.variables[:-1],
    )
    assert differences(KNOWN, found) == (
        r"version: meta.db begins with: 'SQLite format 3\x00' -> no file",
        "directory gone: store/sstable/meta.db",
        "directory new: store/sstable/meta/CURRENT",
        f"parameter gone: {KNOWN.parameters[0]}",
        "parameter new: brand_new",
        f"variable gone: {KNOWN.variables[-1]}",
    )


@pytest.mark.parametrize("version", ["1.4.1.0", "1.4.0.1", ""])
def test_an_unknown_version_is_unknown_whatever_else_is_the_same(version: str) -> None:
    found = Facts(version={**KNOWN.version, "data version": version}, heads=KNOWN.heads)
    word, code = verdict(found, (), ())
    assert code == UNKNOWN
    assert word == f"UNKNOWN: engine {version or '?'}; this build knows 1.4.0.0, 1.3.0.0 and refuses it"


def test_a_contract_test_that_fails_is_a_change() -> None:
    assert verdict(KNOWN, (), ("FAILED tests/engine/test_x.py::test_y",))[1] == CHANGED
