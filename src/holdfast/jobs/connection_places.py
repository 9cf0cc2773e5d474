"""The places for connections: what the parameters of sys say of them, kept in memory for the gateway, which asks at each login."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from holdfast import codes
from holdfast.catalog.catalog import Catalog
from holdfast.errors import RefusedError
from holdfast.jobs.parameters import (
    BY_NAME,
    CONNECTIONS_MAX,
    PER_TENANT_MAX,
    RESERVED_FOR_SYS,
    RESERVED_PER_TENANT,
)
from holdfast.values.places import PlaceLimits, Room
from holdfast.values.tenant import SYS_TENANT_ID

NAMES = frozenset({CONNECTIONS_MAX, RESERVED_FOR_SYS, RESERVED_PER_TENANT, PER_TENANT_MAX})


class ConnectionPlaces:
    """Every method is safe from any thread. `limits` never blocks.

    The catalog's values are written by this process alone, so they are read at the start and whenever one of them was set.
    """

    def __init__(self, catalog: Catalog, room: Room, tenant_ids: Callable[[], frozenset[int]]) -> None:
        """`tenant_ids`: the user tenants there are; it must not block."""
        self._catalog = catalog
        self._room = room
        self._tenant_ids = tenant_ids
        self._limits = PlaceLimits()

    def begin(self, given: Mapping[str, int]) -> str:
        """Record the values that the command line gives and read all; return what is less than was asked for, in words.

        Raises RefusedError for a value out of range, or one that the process has no room for.
        """
        for name, value in given.items():
            text = BY_NAME[name].check(str(value))
            self.check(name, text)
            self._catalog.parameters.set(SYS_TENANT_ID, name, text)
        self.reload()
        asked = self._value(CONNECTIONS_MAX)
        if asked <= self._room.connections:
            return ""
        return f"{CONNECTIONS_MAX} is {asked}, and there is room for {self._room.connections}: {self._shortage()}"

    def check(self, name: str, text: str) -> None:
        """Raise RefusedError when the process has no room for a value of one of `NAMES`, which is in its range."""
        if name == CONNECTIONS_MAX and int(text) > self._room.connections:
            raise RefusedError(
                f"Invalid config, {name} can not be {text!r}", hint=self._shortage(), code=codes.OB_INVALID_CONFIG
            )

    def reload(self) -> None:
        """Let what the catalog says count from the next login on. Raises EngineError."""
        self._limits = PlaceLimits(
            connections_max=min(self._value(CONNECTIONS_MAX), self._room.connections),
            reserved_for_sys=self._value(RESERVED_FOR_SYS),
            reserved_per_tenant=self._value(RESERVED_PER_TENANT),
            per_tenant_max=self._value(PER_TENANT_MAX),
        )

    def limits(self) -> PlaceLimits:
        """Return what counts now."""
        return replace(self._limits, tenant_ids=self._tenant_ids())

    def _value(self, name: str) -> int:
        return int(self._catalog.parameters.get(SYS_TENANT_ID, name))

    def _shortage(self) -> str:
        room = self._room
        return (
            f"the server may have {room.descriptors} open files, enough for {room.connections} connections; raise the hard limit"
            " (ulimit -Hn 65536, or LimitNOFILE= of the service) and start it again"
        )
