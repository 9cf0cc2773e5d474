"""Who finds a place: each tenant has its own, whatever the others take."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.values.places import PlaceLimits, Want, find_want, room_of
from holdfast.values.tenant import SYS_TENANT_ID

ONE, OTHER, THIRD = 1002, 1004, 1006
LIMITS = PlaceLimits(
    connections_max=20,
    reserved_for_sys=3,
    reserved_per_tenant=2,
    per_tenant_max=100,
    tenant_ids=frozenset({ONE, OTHER, THIRD}),
)


def fill(limits: PlaceLimits, taken: Counter[int], tenant_id: int) -> Want:
    """Take places for the tenant until there is none, and return why."""
    while (want := find_want(limits, taken, tenant_id)) is None:
        taken[tenant_id] += 1
    return want


def test_one_tenant_takes_all_but_what_is_kept_for_others() -> None:
    taken: Counter[int] = Counter()
    assert fill(LIMITS, taken, ONE) is Want.FULL
    assert taken[ONE] == 20 - 3 - 2 - 2
    assert fill(LIMITS, taken, OTHER) is Want.FULL
    assert taken[OTHER] == 2
    assert fill(LIMITS, taken, SYS_TENANT_ID) is Want.FULL
    assert taken[SYS_TENANT_ID] == 3


def test_sys_leaves_tenants_theirs_too() -> None:
    taken: Counter[int] = Counter()
    fill(LIMITS, taken, SYS_TENANT_ID)
    assert taken[SYS_TENANT_ID] == 20 - 2 - 2 - 2


def test_a_tenant_has_no_more_than_its_share() -> None:
    limits = PlaceLimits(connections_max=20, per_tenant_max=5, tenant_ids=frozenset({ONE}))
    taken: Counter[int] = Counter()
    assert fill(limits, taken, ONE) is Want.SHARE
    assert taken[ONE] == 5


def test_a_place_that_is_given_back_is_found_by_the_next() -> None:
    taken: Counter[int] = Counter()
    fill(LIMITS, taken, ONE)
    taken[ONE] -= 1
    assert find_want(LIMITS, taken, ONE) is None


def test_limits_that_were_lowered_send_nobody_away_and_let_nobody_in() -> None:
    taken = Counter({ONE: 15})
    lowered = PlaceLimits(connections_max=10, reserved_for_sys=2, tenant_ids=frozenset({ONE, OTHER}))
    for tenant_id in (ONE, OTHER, SYS_TENANT_ID):
        assert find_want(lowered, taken, tenant_id) is Want.FULL


@given(
    st.integers(8, 200),
    st.integers(1, 300),
    st.integers(0, 300),
    st.integers(1, 300),
    st.lists(st.sampled_from([SYS_TENANT_ID, ONE, OTHER, THIRD]), max_size=400),
)
def test_whoever_fills_what_is_kept_is_left(
    connections_max: int, for_sys: int, per_tenant: int, per_tenant_max: int, comers: list[int]
) -> None:
    limits = PlaceLimits(
        connections_max=connections_max,
        reserved_for_sys=for_sys,
        reserved_per_tenant=per_tenant,
        per_tenant_max=per_tenant_max,
        tenant_ids=frozenset({ONE, OTHER, THIRD}),
    )
    taken: Counter[int] = Counter()
    for comer in comers:
        if find_want(limits, taken, comer) is None:
            taken[comer] += 1
    assert taken.total() <= connections_max
    assert all(taken[tenant_id] <= per_tenant_max for tenant_id in (ONE, OTHER, THIRD))
    for tenant_id in (SYS_TENANT_ID, ONE, OTHER, THIRD):
        least = limits.kept_for(tenant_id)
        if tenant_id != SYS_TENANT_ID:
            least = min(least, per_tenant_max)
        fill(limits, taken, tenant_id)
        assert taken[tenant_id] >= least
    assert limits.kept_for(SYS_TENANT_ID) >= 1


@pytest.mark.parametrize(
    ("descriptors", "connections", "unfinished"),
    [(1024, 192, 96), (4096, 768, 384), (20_000, 6416, 1536), (1 << 20, 520_704, 1536)],
)
def test_room_of_a_process(descriptors: int, connections: int, unfinished: int) -> None:
    room = room_of(descriptors)
    assert (room.connections, room.unfinished) == (connections, unfinished)
    assert 2 * (room.connections + 2 * room.unfinished) < descriptors
