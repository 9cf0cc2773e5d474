"""A job takes up what its own earlier attempt left, and nothing of anybody else: not finished work, not half of it."""

from dataclasses import replace

import pytest
from fake_image import FakeImage, write_once
from stand_ins import ListJournal, plan_of

from backup.test_run import ROOT, backed_up, image_with
from holdfast import codes
from holdfast.backup.claim import claim_set, finished_manifest
from holdfast.backup.run import BackupPlan
from holdfast.backup_format import names
from holdfast.backup_format.manifest import encode_manifest
from holdfast.backup_format.owner_record import decode_set_claim
from holdfast.errors import ConflictError, ForeignOwnerError
from holdfast.store.memory import MemoryStore
from holdfast.values.buffers import Buffer
from owner_rig import STRANGE_TOKEN, TOKEN, lineage, owner, unowned


def image() -> FakeImage:
    return image_with(write_once(1), write_once(2))


def strange(plan: BackupPlan) -> BackupPlan:
    """The same job of the same server and generation, by a start that the other does not know: a copy's."""
    return replace(plan, owner=replace(plan.owner, token=STRANGE_TOKEN), lineage=lineage(STRANGE_TOKEN))


def died(store: MemoryStore, plan: BackupPlan) -> None:
    """Run the plan until its data are there, and die."""

    class Dying(ListJournal):
        def begin_commit(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backed_up(image(), store, plan=plan, journal=Dying())
    assert store.stat(names.manifest_name(ROOT)) is None
    assert store.stat(names.data_name(ROOT, 1))


def contents(store: MemoryStore) -> dict[str, bytes]:
    return {item.name: store.get(item.name) for item in store.list()}


def test_finished_set_is_taken_up_by_the_job_that_made_it() -> None:
    store = MemoryStore()
    made = backed_up(image(), store)
    again = plan_of()
    later = replace(again, owner=replace(again.owner, token="d" * 32), lineage=lineage(TOKEN, "d" * 32))
    assert backed_up(image(), store, plan=later).manifest == made.manifest


@pytest.mark.parametrize("other", ["a copy's", "another job's", "of before there were owners"])
def test_finished_set_of_anybody_else_is_refused_by_name_and_left_alone(other: str) -> None:
    """Fault 1.1: a job that finds a manifest at its set's root said SUCCESS, and nothing was copied."""
    store = MemoryStore()
    made = backed_up(image(), store)
    plan = plan_of()
    if other == "a copy's":
        plan = strange(plan)
    elif other == "another job's":
        plan = plan_of(job_id=7)
    else:
        store.put(names.manifest_name(ROOT), encode_manifest(replace(made.manifest, owner=None)))
    before = contents(store)
    with pytest.raises(ForeignOwnerError, match="backup_set_1_full is a complete backup set, made by"):
        backed_up(image(), store, plan=plan)
    assert contents(store) == before


@pytest.mark.parametrize("other", ["a copy's", "another job's", "of before there were owners"])
def test_half_a_set_of_anybody_else_is_refused_by_name_and_left_alone(other: str) -> None:
    store = MemoryStore()
    died(store, plan_of())
    plan = plan_of()
    if other == "a copy's":
        plan = strange(plan)
    elif other == "another job's":
        plan = plan_of(job_id=7)
    else:
        store.delete(names.set_claim_name(ROOT))
    before = contents(store)
    with pytest.raises(ForeignOwnerError, match="backup_set_1_full"):
        backed_up(image(), store, plan=plan)
    assert contents(store) == before


OTHERS = ({"cluster_id": 8}, {"tenant_id": 1004}, {"dest_id": 1003})


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: next(iter(other)))
@pytest.mark.parametrize("is_finished", [True, False], ids=["finished", "half"])
def test_set_of_another_tenant_with_a_job_of_the_same_number_is_refused_and_left_alone(
    other: dict[str, int], is_finished: bool
) -> None:
    """Job ids are a tenant's own: job 1 of two tenants of one server is two jobs, and a copied folder is the other's."""
    store = MemoryStore()
    if is_finished:
        backed_up(image(), store)
    else:
        died(store, plan_of())
    before = contents(store)
    what = "is a complete backup set of" if is_finished else "is claimed of"
    with pytest.raises(ForeignOwnerError, match=f"backup_set_1_full {what} .* made by") as caught:
        backed_up(image(), store, plan=replace(plan_of(), **other))  # type: ignore[arg-type]
    assert caught.value.code is codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH
    assert contents(store) == before


def test_set_copied_from_another_number_is_refused() -> None:
    """The folder was renamed: its job's number may be equal, its set's is not."""
    store = MemoryStore()
    result = backed_up(image(), store)
    store.put(names.manifest_name("backup_set_2_full"), encode_manifest(result.manifest))
    with pytest.raises(ForeignOwnerError, match="set id 1, not 2"):
        backed_up(image(), store, plan=plan_of(set_id=2, job_id=1))


def test_every_object_of_a_set_says_whose_it_is_or_is_named_by_one_that_does() -> None:
    whole, half = MemoryStore(), MemoryStore()
    backed_up(image(), whole)
    died(half, plan_of())
    assert unowned(whole) == []
    assert unowned(half) == []
    half.delete(names.set_claim_name(ROOT))
    assert names.data_name(ROOT, 1) in unowned(half)


def test_half_a_set_is_taken_up_by_the_job_that_made_it() -> None:
    store = MemoryStore()
    died(store, plan_of())
    assert "took up 1 data objects" in backed_up(image(), store).comment


def test_of_two_claims_at_once_one_wins_and_both_know_which() -> None:
    mine, theirs = plan_of(), strange(plan_of())

    class Late(MemoryStore):
        """Lets the other one in between the look and the claim."""

        def put_new(self, name: str, data: Buffer) -> None:
            if self.stat(names.set_claim_name(ROOT)) is None:
                super().put_new(names.set_claim_name(ROOT), encoded(theirs))
            super().put_new(name, data)

    def encoded(plan: BackupPlan) -> bytes:
        held = MemoryStore()
        claim_set(held, plan.claim, plan.made)
        return held.get(names.set_claim_name(ROOT))

    store = Late()
    with pytest.raises(ForeignOwnerError, match="is claimed"):
        claim_set(store, mine.claim, mine.made)
    assert decode_set_claim(store.get(names.set_claim_name(ROOT))).owner == theirs.owner


def test_manifest_is_never_put_over_another() -> None:
    """The claim was removed under the job's hands: of two manifests the first stays."""
    store, other = MemoryStore(), MemoryStore()
    backed_up(image(), other, plan=strange(plan_of()))
    theirs = other.get(names.manifest_name(ROOT))

    class Late(ListJournal):
        def begin_commit(self) -> None:
            store.put(names.manifest_name(ROOT), theirs)

    with pytest.raises((ForeignOwnerError, ConflictError)):
        backed_up(image(), store, journal=Late())
    assert store.get(names.manifest_name(ROOT)) == theirs


def test_manifest_whose_put_was_answered_late_is_the_jobs_own() -> None:
    class Stuttering(MemoryStore):
        """Puts, loses the answer, and puts again, as a store that retries does."""

        def put_new(self, name: str, data: Buffer) -> None:
            super().put_new(name, data)
            if name.endswith("manifest.json"):
                super().put_new(name, data)

    store = Stuttering()
    result = backed_up(image(), store)
    plan = plan_of()
    assert finished_manifest(store, plan.claim, plan.made) == result.manifest
    assert result.manifest.owner == owner(job_id=1)
