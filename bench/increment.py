"""Increments beside the second runs of restic and borg: `python -m bench.increment [--gib N]`.

One tenant of N GiB. After a full backup by everybody, 1 %, 5 % and 20 % of its rows change (neighbours by key, so about as many
of its blocks), the engine merges, and each backs up again: Holdfast through SQL, the peers the same living data files. Cold page
cache before each run where that is allowed; `sync` counts for everybody. Changed bytes are those of the blocks Holdfast found
changed; what a peer read is what the kernel counts for it (blocks from the disk, so only true with cold caches).
"""

import argparse
import os
import resource
import shutil
import sys
from pathlib import Path

from bench.rig import drop_caches, fill, run, settle, table, timed, workspace
from holdfast.backup_format import names
from holdfast.backup_format.index import decode_index
from holdfast.engine.process import EngineProcess
from holdfast.values.backup_set import BackupType
from server_rig import Client, archive, running_server, wait_for

_SHARES = (1, 5, 20)
_BLOCK_BYTES = 2 << 20
_LAST = (
    "select BACKUP_SET_ID, STATUS, INPUT_BYTES, OUTPUT_BYTES, MACRO_BLOCK_COUNT, BACKUP_TYPE, "
    "TIMESTAMPDIFF(MICROSECOND, START_TIMESTAMP, END_TIMESTAMP) "
    "from oceanbase.CDB_OB_BACKUP_SET_FILES order by BACKUP_SET_ID desc limit 1"
)


def _own(client: Client, kind: str) -> tuple[int, float, int, int]:
    """Return set id, seconds, bytes read and blocks of one backup."""
    before = client.rows(_LAST)
    drop_caches()
    client.run(f"ALTER SYSTEM BACKUP {kind} TENANT = big")
    row = wait_for(
        lambda: client.rows(_LAST), lambda rows: bool(rows) and rows != before and rows[0][1] != "DOING", seconds=3600
    )[0]
    assert row[1] == "SUCCESS", row
    assert not kind or row[5] == "INC", row
    return int(row[0]), int(row[6]) / 1e6, int(row[2]), int(row[4])


def _changed_bytes(place: Path, set_id: int) -> int:
    """Return the bytes of the macro blocks the increment holds itself: those that differ from its base."""
    root = names.set_root(set_id, BackupType.INC)
    index = decode_index([(place / "data" / names.index_name(root)).read_bytes()])
    return sum(record.set_id == set_id for record in index.table) * _BLOCK_BYTES


def _peer(name: str, work: Path, source: Path, number: int) -> tuple[float, int]:
    """Return seconds and bytes read from the disk by run `number` (0 makes the repository)."""
    env = {"RESTIC_PASSWORD": "x", "RESTIC_CACHE_DIR": str(work / "cache"), "BORG_BASE_DIR": str(work / "cache")}
    repository = work / name
    if name == "restic":
        if not number:
            run("restic", "-r", str(repository), "init", env=env)
        command = ["restic", "-r", str(repository), "backup", str(source)]
    else:
        if not number:
            run("borg", "init", "--encryption=none", str(repository), env=env)
        command = ["borg", "create", f"{repository}::run{number}", str(source)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_inblock
    # 3 of restic and 1 of borg say that a file changed while it was read, which it does: the tenant lives.
    quoted = " ".join(f"'{word}'" for word in command)
    seconds = timed(lambda: run("sh", "-c", f"{quoted} || [ $? -le 3 ]", env=env))
    return seconds, (resource.getrusage(resource.RUSAGE_CHILDREN).ru_inblock - before) * 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=1.0)
    options = parser.parse_args()
    command = "python -m bench.increment " + " ".join(sys.argv[1:])
    peers = [name for name in ("restic", "borg") if shutil.which(name)]
    rows: list[tuple[str, ...]] = []
    with workspace("increment") as home, running_server(home / "base") as server, server.client() as client:
        client.run("CREATE TENANT big")
        directory = server.directory(server.tenant_ids()[1])
        engine = EngineProcess.adopt(directory)
        assert engine is not None
        archive(client, "big", home / "place")
        with server.client("root@big", read_timeout=3600) as user:
            fill(user, options.gib)
            settle(engine.pid)
            _own(client, "")
            for name in peers:
                _peer(name, home, directory.block_file.parent, 0)
            first = 0
            for number, share in enumerate(_SHARES, 1):
                last = user.one(f"select cast({first} + count(*) * {share} / 100 as signed) from test.big")
                user.run(f"update test.big set v = v + 1 where id >= {first} and id < {last}")
                first = last
                user.run("alter system major freeze")
                settle(engine.pid)
                set_id, seconds, read_bytes, block_count = _own(client, "INCREMENTAL")
                changed = _changed_bytes(home / "place", set_id)
                data = block_count * _BLOCK_BYTES
                label = f"{share} % of the rows ({100 * changed / data:.1f} % of {data / 2**30:.2f} GiB)"
                rows.append(_row(label, "holdfast", seconds, read_bytes, changed, seconds))
                for name in peers:
                    peer_seconds, peer_bytes = _peer(name, home, directory.block_file.parent, number)
                    rows.append(_row("", name, peer_seconds, peer_bytes, changed, seconds))
    cold = "cold page cache" if drop_caches() else "warm page cache (not root)"
    load = os.getloadavg()[0]
    print(
        table(
            f"Increments, {cold}, load of the machine {load:.0f}",
            ("changed", "", "seconds", "MiB read", "read per changed byte", "time against holdfast"),
            rows,
            command,
        )
    )


def _row(label: str, name: str, seconds: float, read_bytes: int, changed: int, own: float) -> tuple[str, ...]:
    per_byte = f"{read_bytes / changed:.2f}" if changed else "-"
    return label, name, f"{seconds:.2f}", f"{read_bytes / 2**20:.0f}", per_byte, f"{seconds / own:.1f}x"


if __name__ == "__main__":
    main()
