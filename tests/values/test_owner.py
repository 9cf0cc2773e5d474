"""Who made an object, and which of two servers of one name stops."""

import pytest

from holdfast.values.owner import COUNT_MAX, OPENINGS_MAX, JobKind, Lineage, Opening, Owner
from holdfast.values.tenure import Knowledge, Sight, find_other
from owner_rig import SERVER, STRANGE_TOKEN, TOKEN, lineage, owner


@pytest.mark.parametrize(
    "wrong",
    [
        {"server_id": "A" * 32},
        {"server_id": "a" * 31},
        {"token": ""},
        {"token": "b" * 33},
        {"generation": 0},
        {"generation": COUNT_MAX + 1},
        {"job_id": -1},
        {"job_id": COUNT_MAX + 1},
        {"job_id": 0},
        {"job_kind": JobKind.NONE},
        {"time_us": -1},
        {"time_us": COUNT_MAX + 1},
    ],
    ids=lambda wrong: "_".join(f"{name}_{str(value)[:8]}" for name, value in wrong.items()),
)
def test_owner_outside_its_bounds_is_refused(wrong: dict[str, object]) -> None:
    right = {
        "server_id": SERVER,
        "generation": 1,
        "job_kind": JobKind.BACKUP,
        "job_id": 1,
        "token": TOKEN,
        "time_us": 1,
    }
    Owner(**right)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        Owner(**{**right, **wrong})  # type: ignore[arg-type]


def test_work_is_ones_own_by_the_start_that_made_it_and_by_its_job() -> None:
    mine = lineage("1" * 32, TOKEN)
    assert mine.made_for(owner(), JobKind.BACKUP, 1)
    assert mine.made_for(owner(token="1" * 32), JobKind.BACKUP, 1), "of an earlier start"
    assert not mine.made_for(owner(), JobKind.BACKUP, 2), "of another job"
    assert not mine.made_for(owner(), JobKind.ARCHIVE, 1), "of another kind of job"
    assert not mine.made_for(owner(token=STRANGE_TOKEN), JobKind.BACKUP, 1), "same server, job and generation: a twin's"
    assert not mine.made_for(owner(server_id="9" * 32), JobKind.BACKUP, 1), "of another server"
    assert not mine.made_for(None, JobKind.BACKUP, 1), "of nobody who is known"


def test_lineage_is_bounded_and_forgets_the_oldest_starts() -> None:
    found = lineage(TOKEN, *(f"{number:032x}" for number in range(OPENINGS_MAX - 1)))
    assert found.made(owner())
    for number in range(OPENINGS_MAX - 1, OPENINGS_MAX + 3):
        found = found.opened(Opening(server_id=SERVER, token=f"{number:032x}"))
    assert len(found.openings) == OPENINGS_MAX
    assert found.current.token == f"{OPENINGS_MAX + 2:032x}"
    assert not found.made(owner())


KNOWN = Knowledge(lineage=lineage(), backup_set_id=3, round_id=2)


@pytest.mark.parametrize(
    ("sight", "said"),
    [
        (Sight(owner=None, backup_set_id=0, round_id=0), None),
        (Sight(owner=None, backup_set_id=3, round_id=2), None),
        (Sight(owner=owner(), backup_set_id=3, round_id=2), None),
        (Sight(owner=owner(token=STRANGE_TOKEN), backup_set_id=0, round_id=0), "it was copied, or put back"),
        (Sight(owner=owner(server_id="9" * 32), backup_set_id=0, round_id=0), "has taken it over"),
        (Sight(owner=owner(), backup_set_id=4, round_id=0), "backup set 4 is known there"),
        (Sight(owner=owner(), backup_set_id=0, round_id=3), "archive round 3 is known there"),
        (Sight(owner=None, backup_set_id=4, round_id=0), "the last this server gave was 3"),
    ],
)
def test_a_server_stops_where_the_destination_knows_of_it_what_it_does_not(sight: Sight, said: str | None) -> None:
    found = find_other(KNOWN, sight)
    assert (found is None) if said is None else (found is not None and said in found)


def test_of_two_lives_never_both_and_never_neither_goes_on() -> None:
    """Whoever wrote last is known to itself and strange to the other, whichever of the two that is."""
    before = lineage("1" * 32)
    lives = [before.opened(Opening(server_id=SERVER, token=token)) for token in ("2" * 32, "3" * 32)]
    for last in lives:
        sight = Sight(owner=owner(token=last.current.token), backup_set_id=3, round_id=2)
        stops = [find_other(Knowledge(lineage=life, backup_set_id=3, round_id=2), sight) is not None for life in lives]
        assert stops == [life is not last for life in lives]


def test_lineage_of_nothing_is_no_lineage() -> None:
    with pytest.raises(AssertionError):
        Lineage(openings=())
