"""The promise: a restored tenant equals the source at the target SCN. Every transaction with a commit SCN at or below the
target is there, none after it is, none is torn.

Four writers move money while archiving is on and a full backup is taken under their load. The truth is `ora_rowscn` on the
source, which is a row's commit SCN; the writers' own log says which transactions were acknowledged and between which SCNs.
"""

import os
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from restore_rig import facts_of, inner_entry_scns, restored

from engine_rig import Bank
from holdfast.destination.facts import Facts
from holdfast.engine.account import load_account
from server_rig import archive, backup, running_server, wait_archived

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

RANDOM_TARGETS = 60 if os.environ.get("HOLDFAST_LONG") else 12
INNER_TARGETS = 30 if os.environ.get("HOLDFAST_LONG") else 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What the source did. `commits`: (writer, seq) -> (commit SCN, rows)."""

    facts: Facts
    place: Path
    commits: dict[tuple[int, int], tuple[int, int]]
    first_scn: int
    end_scn: int
    bank: Bank


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Truth]:
    home = tmp_path_factory.mktemp("bank")
    with running_server(home / "base") as server, server.client() as client:
        client.run("CREATE TENANT bank")
        archive(client, "bank", home / "backup")
        tenant_id = server.tenant_ids()[1]
        account = load_account(server.base / "tenants" / str(tenant_id) / "account.json")
        bank = Bank(server.directory(tenant_id).socket, account, log_dir=home / "acknowledged", writers=4)
        bank.setup()
        bank.begin()
        time.sleep(2)
        assert backup(client, "bank") == ("COMPLETED", 0, "")
        time.sleep(6)
        acknowledged = bank.end()
        assert len(acknowledged) > 500
        with server.client("root@bank") as user:
            rows = user.rows(
                "select w, seq, min(ora_rowscn), max(ora_rowscn), count(*), max(parts) from test.ledger group by w, seq"
            )
            end_scn = user.one("select current_scn()")
        assert all(low == high and count == parts for _, _, low, high, count, parts in rows)
        commits = {(int(row[0]), int(row[1])): (int(row[2]), int(row[4])) for row in rows}
        for one in acknowledged:
            scn, _ = commits[one.writer, one.seq]
            assert one.scn_before <= scn <= one.scn_after
        wait_archived(client, end_scn)
        first_scn = client.one("select max(MIN_RESTORE_SCN) from oceanbase.CDB_OB_BACKUP_SET_FILES")
    facts = facts_of(home / "backup" / "data", home / "backup" / "archive")
    yield Truth(facts=facts, place=home, commits=commits, first_scn=first_scn, end_scn=end_scn, bank=bank)
    shutil.rmtree(home, ignore_errors=True)


def check(truth: Truth, target: int) -> int:
    """Restore to `target`, compare with the truth, return how many transactions are there."""
    with restored(truth.facts, target, truth.place / "restored") as back, back.rig.session() as session:
        found = truth.bank.check(session)
        counts = {
            (int(w), int(seq)): int(count)
            for w, seq, count in session.query("select w, seq, count(*) from test.ledger group by w, seq")
        }
    wanted = {key: rows for key, (scn, rows) in truth.commits.items() if scn <= target}
    missing = wanted.keys() - counts.keys()
    extra = counts.keys() - wanted.keys()
    torn = {key for key in wanted.keys() & counts.keys() if wanted[key] != counts[key]}
    assert (missing, extra, torn) == (set(), set(), set()), f"target {target}"
    assert found.is_right, f"target {target}: {found}"
    return len(wanted)


def test_random_targets_have_every_transaction_and_no_other(truth: Truth) -> None:
    chance = random.Random(11)
    targets = sorted(chance.randint(truth.first_scn, truth.end_scn) for _ in range(RANDOM_TARGETS))
    counts = [check(truth, target) for target in targets]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_targets_inside_multi_entry_groups_are_exact_too(truth: Truth) -> None:
    inner = [scn for scn in inner_entry_scns(truth.facts) if truth.first_scn <= scn <= truth.end_scn]
    assert len(inner) >= INNER_TARGETS, "the load made too few groups of several entries"
    commits = {scn for scn, _ in truth.commits.values()}
    hardest = [scn for scn in inner if scn in commits] or inner
    for target in random.Random(12).sample(hardest, min(INNER_TARGETS, len(hardest))):
        check(truth, target)


def test_the_edges_of_the_window_are_reachable(truth: Truth) -> None:
    check(truth, truth.first_scn)
    check(truth, truth.end_scn)
