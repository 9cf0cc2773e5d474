"""The whole path beside its peers: `python -m bench.path [--gib N] [--rounds N]`.

One tenant of N GiB in one server. Full backup through SQL beside restic, borg, `tar | zstd -1 -T2` and `cp` on the engine's own
files (copied aside, so that peers read files nobody writes); restore through SQL to a tenant that answers, beside `cp` of the
same bytes. Cold page cache before each run where that is allowed; `sync` counts for everybody. Medians of the rounds.
"""

import argparse
import shutil
import statistics
import sys
import time
from pathlib import Path

from bench.rig import drop_caches, fill, run, settle, table, timed, tree_bytes, workspace
from holdfast.engine.process import EngineProcess
from server_rig import Client, archive, backup, restore, running_server

_PEERS = ("cp", "tar | zstd -1 -T2", "restic", "borg")


def _peer(name: str, source: Path, work: Path) -> tuple[float, int]:
    """Return seconds and stored bytes of one first backup of `source` by a peer, into an empty repository."""
    target = work / "peer"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    env = {"RESTIC_PASSWORD": "x", "RESTIC_CACHE_DIR": str(work / "cache"), "BORG_BASE_DIR": str(work / "cache")}
    if name == "cp":
        seconds = timed(lambda: run("cp", "-a", "--sparse=always", str(source), str(target / "copy")))
    elif name.startswith("tar"):
        pipe = f"tar -C '{source}' -cSf - . | zstd -q -1 -T2 -o '{target}/image.tar.zst'"
        seconds = timed(lambda: run("sh", "-c", pipe))
    elif name == "restic":
        run("restic", "-r", str(target / "repo"), "init", env=env)
        seconds = timed(lambda: run("restic", "-r", str(target / "repo"), "backup", str(source), env=env))
    else:
        run("borg", "init", "--encryption=none", str(target / "repo"), env=env)
        seconds = timed(lambda: run("borg", "create", f"{target}/repo::one", str(source), env=env))
    stored = tree_bytes(target)
    shutil.rmtree(target)
    return seconds, stored


def _own_backup(client: Client, place: Path) -> tuple[float, int]:
    drop_caches()
    began = time.monotonic()
    status = backup(client, "big")
    seconds = time.monotonic() - began
    assert status[0] == "COMPLETED", status
    newest = max((place / "data").glob("backup_set_*_full"), key=lambda path: int(path.name.split("_")[2]))
    return seconds, tree_bytes(newest)


def _own_restore(client: Client, place: Path, number: int) -> float:
    drop_caches()
    began = time.monotonic()
    status = restore(client, f"back{number}", place)
    seconds = time.monotonic() - began
    assert status[0] == "SUCCESS", status
    client.run(f"DROP TENANT back{number} FORCE")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    command = "python -m bench.path " + " ".join(sys.argv[1:])
    with workspace("path") as home, running_server(home / "base") as server, server.client() as client:
        client.run("CREATE TENANT big")
        with server.client("root@big", read_timeout=3600) as user:
            fill(user, options.gib)
        place = home / "backup"
        archive(client, "big", place)
        engine = EngineProcess.adopt(server.directory(server.tenant_ids()[1]))
        assert engine is not None
        settle(engine.pid)
        own = [_own_backup(client, place) for _ in range(options.rounds)]
        read_bytes, blocks = client.rows(
            "select max(INPUT_BYTES), max(MACRO_BLOCK_COUNT) from oceanbase.CDB_OB_BACKUP_SET_FILES"
        )[0]
        back = [_own_restore(client, place, number) for number in range(options.rounds)]
        server.stop()
        source = server.directory(server.tenant_ids()[1]).root
        peers = {name: [_peer(name, source, home) for _ in range(options.rounds)] for name in _installed()}
        data = tree_bytes(source)
    seconds = {"holdfast": statistics.median(took for took, _ in own)}
    stored = {"holdfast": own[-1][1]}
    for name, runs in peers.items():
        seconds[name], stored[name] = statistics.median(took for took, _ in runs), runs[-1][1]
    cold = "cold page cache" if drop_caches() else "warm page cache (not root)"
    rows = [
        (
            name,
            f"{took:.2f}",
            f"{int(read_bytes) / 2**20 / took:.0f}",
            f"{stored[name] / 2**20:.0f}",
            f"{took / seconds['holdfast']:.2f}x",
        )
        for name, took in seconds.items()
    ]
    print(
        table(
            f"Full backup of {blocks} macro blocks ({data / 2**30:.2f} GiB of files), {cold}, median of {options.rounds}",
            ("", "seconds", "MiB/s", "MiB stored", "time against holdfast"),
            rows,
            command,
        )
    )
    took = statistics.median(back)
    print(
        table(
            f"Restore to a tenant that answers, {cold}, median of {options.rounds}",
            ("", "seconds", "time against cp"),
            [
                ("holdfast", f"{took:.2f}", f"{took / seconds['cp']:.2f}x"),
                ("cp of the files", f"{seconds['cp']:.2f}", "1.00x"),
            ],
            command,
        )
    )


def _installed() -> list[str]:
    """Return the peers this machine has; the others are left out, and the table shows it."""
    needs = {"cp": "cp", "tar | zstd -1 -T2": "zstd", "restic": "restic", "borg": "borg"}
    return [name for name in _PEERS if shutil.which(needs[name])]


if __name__ == "__main__":
    main()
