"""The canary: what the newest wheel of the engine is, held against the engines that are known, before anybody installs it.

    python tests/engines/canary.py FOLDER [REQUIREMENT]        # `make canary`; REQUIREMENT, such as 'pylibseekdb==1.3.0.*'

FOLDER is emptied, and kept for a look afterwards: `wheel` as pip installed it, `samples` as `golden/make_engine.py` makes them,
`facts.json`. It needs 3 GB for a minute. Exit code: 0 known and the same, 1 known and changed, 2 not known, 3 it could not be tried.

An engine that is not known is started by nothing but this program and the sample maker: Holdfast itself refuses it.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pymysql
import zstandard

from holdfast.engine.recognition import recognise
from holdfast.engine_format.data_version import decode_data_version
from holdfast.engine_format.layout import KNOWN_VERSIONS, layout_of
from holdfast.engine_format.log_block import LOG_INFO_BYTES, decode_info_block
from holdfast.engine_format.log_meta import base_lsn
from holdfast.engine_format.log_walk import Position, walk
from holdfast.engine_format.macro_block import HEAD_BYTES, BlockKinds, decode_block_head, is_block_whole
from holdfast.engine_format.slog import walk_slog
from holdfast.engine_format.super_block import decode_super_block
from holdfast.errors import HoldfastError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"
SAMPLES_OF = {"1.4.0.0": GOLDEN / "engine", "1.3.0.0": GOLDEN / "engine_1.3.0"}
"""Where the samples and the facts of each known engine are."""
CONTRACT = ("tests/engine_format/test_live.py", "tests/engine")
"""What the newest known engine is held to, with HOLDFAST_ENGINE naming the program that is tried."""
FACTS = "facts.json"
SAME, CHANGED, UNKNOWN, UNTRIED = 0, 1, 2, 3
_INSTALL_SECONDS_MAX = 600
_START_SECONDS_MAX = 60
_SAMPLES_SECONDS_MAX = 600
_CONTRACT_SECONDS_MAX = 1800
_LISTED_MAX = 40
_HEADS = {
    "super_block.bin": ("super block: version, magic", 0, 8),
    "log_block_start.bin": ("log block: magic, version", 0, 4),
    "log_groups.bin": ("log group: magic, version", 0, 4),
    "log_meta.bin": ("page of the log's meta: magic, version, body version", 4096, 32),
    "slog_server.bin": ("slog batch: magic, version, header", 0, 6),
}
_LOG_ENTRY = re.compile(rb"LH\0.", re.DOTALL)


class UntriedError(Exception):
    """The wheel could not be installed, or its engine not started: nothing is known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an engine is: its version in words, what its bytes begin with, what is in its directory, what can be set in it."""

    version: Mapping[str, str]
    heads: Mapping[str, str] = field(default_factory=dict)
    tree: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


def differences(known: Facts, found: Facts) -> tuple[str, ...]:
    """Return what is not as it was, one line each. The wheel and the build are no difference: what they make is."""
    lines = []
    for what, before, after in (("version", known.version, found.version), ("bytes", known.heads, found.heads)):
        for name in sorted({*before, *after} - {"wheel", "revision"}):
            if before.get(name) != after.get(name):
                lines.append(f"{what}: {name}: {before.get(name, 'absent')} -> {after.get(name, 'absent')}")
    for what, old, new in (
        ("directory", known.tree, found.tree),
        ("parameter", known.parameters, found.parameters),
        ("variable", known.variables, found.variables),
    ):
        lines += [f"{what} gone: {name}" for name in sorted(set(old) - set(new))]
        lines += [f"{what} new: {name}" for name in sorted(set(new) - set(old))]
    return tuple(lines)


def verdict(found: Facts, changes: tuple[str, ...], failures: tuple[str, ...]) -> tuple[str, int]:
    """Return the last line and the exit code."""
    version = found.version.get("data version", "")
    if version not in KNOWN_VERSIONS:
        return f"UNKNOWN: engine {version or '?'}; this build knows {', '.join(KNOWN_VERSIONS)} and refuses it", UNKNOWN
    if changes or failures:
        return (
            f"CHANGED: engine {version} is not what it was: {len(changes)} changes, {len(failures)} failures",
            CHANGED,
        )
    return f"known, nothing changed: engine {version}", SAME


def heads_of(samples: Path) -> dict[str, str]:
    """Return what the samples in a folder begin with, in hexadecimal digits, by name. A sample that is not there is left out."""
    found = {}
    for name, (what, offset, size_bytes) in _HEADS.items():
        if (data := sample(samples, name)) is not None:
            octets = data[offset : offset + size_bytes]
            # Of a page only its magic and version, and its body's: sizes and checksums lie between.
            found[what] = octets.hex() if name != "log_meta.bin" else f"{octets[:4].hex()} {octets[24:].hex()}"
    groups = sample(samples, "log_groups.bin")
    entry = None if groups is None else _LOG_ENTRY.search(groups)
    if entry is not None:
        found["log entry: magic, version"] = entry[0].hex()
    data_version = sample(samples, "data_version.bin")
    if data_version is not None:
        found["data version: record, text"] = f"{data_version[4:6].hex()} {data_version[32:96].decode('latin-1')!a}"
    for path in sorted(samples.glob("macro_block_type_*")):
        name = path.name.removesuffix(".zst")
        octets = sample(samples, name) or b""
        found[f"macro block of {name.removesuffix('.bin').removeprefix('macro_block_')}: header"] = octets[:12].hex()
    return found


def sample(folder: Path, name: str) -> bytes | None:
    for path in (folder / name, folder / f"{name}.zst"):
        if path.exists():
            data = path.read_bytes()
            return zstandard.ZstdDecompressor().decompress(data) if path.suffix == ".zst" else data
    return None


def decoding_failures(samples: Path, kinds: BlockKinds) -> tuple[str, ...]:
    """Return what the decoders say of the samples they refuse. Shape: one line for each sample."""
    notes = json.loads((samples / "samples.json").read_text())["samples"]
    failures = []
    for name, decode in _decoders(notes, kinds).items():
        data = sample(samples, name)
        if data is None:
            failures.append(f"{name}: the engine made none")
            continue
        try:
            if not decode(data):
                failures.append(f"{name}: it is not whole, or something else than was asked for")
        except HoldfastError as error:
            failures.append(f"{name}: {error.message}")
    return tuple(failures)


def _decoders(notes: dict[str, dict[str, int]], kinds: BlockKinds) -> dict[str, Callable[[bytes], object]]:
    def at(name: str) -> Position:
        note = notes[name]
        return Position(
            lsn=Lsn(note["lsn"]), accumulated=note["accumulated"], log_id=note["log_id"], scn=Scn(note["scn"])
        )

    def walked(name: str, skipped: int = 0) -> Callable[[bytes], bool]:
        return lambda data: walk(data[skipped:], at(name)).size_bytes == len(data) - skipped

    def block(name: str) -> Callable[[bytes], bool]:
        block_id = notes[name]["block_id"]
        return lambda data: is_block_whole(decode_block_head(block_id, data[:HEAD_BYTES], kinds), data)

    return {
        "data_version.bin": decode_data_version,
        "super_block.bin": decode_super_block,
        "log_groups.bin": walked("log_groups.bin"),
        "log_block_end.bin": walked("log_block_end.bin"),
        "log_block_start.bin": lambda data: (
            decode_info_block(data[:LOG_INFO_BYTES]) is not None and walked("log_block_start.bin", LOG_INFO_BYTES)(data)
        ),
        "log_meta.bin": lambda data: base_lsn(data) is not None,
        "slog_server.bin": walk_slog,
        "slog_sys.bin": walk_slog,
        **{name: block(name) for name in notes if name.startswith("macro_block_type_")},
    }


def load_facts(folder: Path) -> Facts:
    """Return the facts of a known engine: what is kept, and the heads of its golden samples."""
    kept = json.loads((folder / FACTS).read_text())
    return Facts(
        version=kept["version"],
        heads=heads_of(folder),
        tree=tuple(kept["tree"]),
        parameters=tuple(kept["parameters"]),
        variables=tuple(kept["variables"]),
    )


def keep_facts(facts: Facts, folder: Path) -> None:
    """Write down what `load_facts` reads, which the samples do not say."""
    kept = {
        "version": dict(facts.version),
        "tree": facts.tree,
        "parameters": facts.parameters,
        "variables": facts.variables,
    }
    (folder / FACTS).write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


# --- trying a wheel


def install(requirement: str, folder: Path) -> Path:
    """Return the package's folder. The requirement is this program's own: pyproject's bound is what keeps others from it."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-compile",
    ]
    command += ["--only-binary", ":all:", "--target", str(folder), requirement]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS_MAX, check=False)
    if ran.returncode:
        raise UntriedError(f"{requirement} can not be installed: {ran.stderr.strip()[-500:]}")
    return folder / "pylibseekdb"


@contextlib.contextmanager
def running(package: Path, base: Path) -> Iterator[pymysql.Connection]:
    """Run the engine in a fresh directory, by none of Holdfast's own means; yield a login of its root."""
    (base / "run").mkdir(parents=True)
    lock = os.open(base / "run" / "seekdb.clients", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_SH)
    os.set_inheritable(lock, True)
    command = [str(package / "seekdb"), "--nodaemon", "--embedded", "--base-dir", str(base), "--log-level", "WARN"]
    for name in ("memory_budget", "memory_limit"):  # each release takes both and obeys one
        command += ["--parameter", f"{name}=1G"]
    command += ["--parameter", "log_disk_size=2G"]
    environment = {"LD_LIBRARY_PATH": str(package), "PATH": os.defpath, "TELEMETRY_ENABLED": "false"}
    with open(base.with_suffix(".out"), "wb") as out:
        process = subprocess.Popen(command, env=environment, pass_fds=[lock], stdout=out, stderr=out, cwd=base)
    os.close(lock)
    try:
        yield _login(base, process)
    finally:
        process.kill()
        process.wait()


def _login(base: Path, process: "subprocess.Popen[bytes]") -> pymysql.Connection:
    end = time.monotonic() + _START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(pymysql.Error):
            return pymysql.connect(unix_socket=str(base / "run" / "sql.sock"), user="root", read_timeout=60)
        time.sleep(0.2)
    raise UntriedError(f"the engine takes no login, exit status {process.poll()}: look at {base.with_suffix('.out')}")


def facts_of(package: Path, work: Path) -> Facts:
    """Return what a first start of the package's engine shows; the heads of bytes apart, which samples tell."""
    said = subprocess.run(
        [package / "seekdb", "--version"], env={"LD_LIBRARY_PATH": str(package)}, capture_output=True, check=False
    )
    words = (said.stdout + said.stderr).decode(errors="replace")
    base = work / "base"
    with running(package, base) as connection, connection.cursor() as cursor:

        def column(sql: str) -> tuple[str, ...]:
            cursor.execute(sql)
            return tuple(sorted({str(row[0]) for row in cursor.fetchall()}))

        (engine,) = column("select version()")
        parameters = column("select name from oceanbase.V$OB_PARAMETERS")
        variables = column("show global variables")
    meta_db = base / "store" / "sstable" / "meta.db"
    path = base / "etc" / "seekdb.data_version.bin"
    text = path.read_bytes()[32:96].decode("latin-1") if path.exists() else ""
    number = re.search(r"\d+\.\d+\.\d+\.\d+", text)
    wheels = sorted(package.parent.glob("pylibseekdb-*.dist-info"))
    tree = {str(each.relative_to(base)) + ("/" if each.is_dir() else "") for each in base.rglob("*")}
    facts = Facts(
        version={
            "wheel": wheels[0].name.removeprefix("pylibseekdb-").removesuffix(".dist-info") if wheels else "",
            "program": _first(r"seekdb ([^)\s]+)\)", words),
            "revision": _first(r"REVISION: (\S+)", words),
            "version()": engine,
            "data version": number[0] if number else "",
            "meta.db begins with": ascii(meta_db.read_bytes()[:16].decode("latin-1"))
            if meta_db.is_file()
            else "no file",
            "holdfast recognises": _recognised(base),
        },
        tree=tuple(sorted(name for name in tree if name.startswith(("etc/", "store/")))),
        parameters=parameters,
        variables=variables,
    )
    shutil.rmtree(base)
    return facts


def _recognised(base: Path) -> str:
    """Return what Holdfast takes the directory for, or why it refuses it."""
    try:
        layout = recognise(base)
    except HoldfastError as error:
        return f"nothing: {error.message.replace(str(base), 'the directory')}"
    return "nothing: the directory is empty" if layout is None else layout.data_version.text


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def make_samples(package: Path, work: Path, samples: Path) -> str:
    """Make golden samples into `samples`; return why there are none, "" when there are."""
    command = [sys.executable, str(GOLDEN / "make_engine.py"), str(work / "load"), str(package), str(samples)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_SAMPLES_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        return f"they were not made in {_SAMPLES_SECONDS_MAX} s"
    finally:
        shutil.rmtree(work / "load", ignore_errors=True)
    return "" if ran.returncode == 0 else (ran.stderr.strip() or ran.stdout.strip())[-500:]


def contract_failures(package: Path) -> tuple[str, ...]:
    """Run the engine's contract tests against the package's engine; return what failed twice: a busy machine fails some once."""
    failed = _failing(package, CONTRACT)
    return _failing(package, tuple(dict.fromkeys(line.split(" ")[1] for line in failed))) if failed else ()


def _failing(package: Path, tests: tuple[str, ...]) -> tuple[str, ...]:
    command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", "-m", "live", *tests]
    ran = subprocess.run(
        command,
        env={**os.environ, "HOLDFAST_ENGINE": str(package / "seekdb")},
        cwd=HERE.parent.parent,
        capture_output=True,
        text=True,
        timeout=_CONTRACT_SECONDS_MAX,
        check=False,
    )
    failed = tuple(line for line in ran.stdout.splitlines() if line.startswith(("FAILED ", "ERROR ")))
    if ran.returncode and not failed:
        raise UntriedError(f"the contract tests did not run: {(ran.stdout + ran.stderr)[-500:]}")
    return failed


def tell(title: str, lines: tuple[str, ...]) -> None:
    print(f"{title}: {len(lines) or 'none'}")
    for line in lines[:_LISTED_MAX]:
        print(f"  {line}")
    if len(lines) > _LISTED_MAX:
        print(f"  and {len(lines) - _LISTED_MAX} more")


def main(folder: Path, requirement: str) -> int:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    package = install(requirement, folder / "wheel")
    found = facts_of(package, folder)
    keep_facts(found, folder)
    print("\n".join(f"{name}: {value}" for name, value in found.version.items()))
    samples = folder / "samples"
    why_none = make_samples(package, folder, samples)
    newest = KNOWN_VERSIONS[0]
    version = found.version["data version"]
    known = version if version in KNOWN_VERSIONS else newest
    failures: tuple[str, ...] = (f"no samples: {why_none}",) if why_none else ()
    if not why_none:
        found = Facts(
            version=found.version,
            heads=heads_of(samples),
            tree=found.tree,
            parameters=found.parameters,
            variables=found.variables,
        )
        failures = decoding_failures(samples, layout_of(known, "the canary").block_kinds)
    changes = differences(load_facts(SAMPLES_OF[known]), found)
    tell(f"changed since engine {known}", changes)
    tell(f"samples that the decoders of engine {known} refuse", failures)
    if version == newest:
        broken = contract_failures(package)
        tell("contract tests that fail", broken)
        failures += broken
    else:
        if version in KNOWN_VERSIONS:
            tell(f"other than engine {newest}", differences(load_facts(SAMPLES_OF[newest]), found))
        print(f"contract tests: not run, they are those of engine {newest}")
    word, code = verdict(found, changes, failures)
    print(word)
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]).absolute(), sys.argv[2] if len(sys.argv) > 2 else "pylibseekdb"))
    except UntriedError as error:
        print(f"not tried: {error}")
        sys.exit(UNTRIED)
    except Exception as error:  # noqa: BLE001 (whatever happened, the wheel was not tried)
        print(f"not tried: {type(error).__name__}: {error}")
        sys.exit(UNTRIED)
