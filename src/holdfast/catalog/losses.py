"""What it means that a table of the catalog is gone, and what can be done.

The engine keeps nothing from root@sys. The gateway refuses to drop our tables; a routine that prepares a text gets past it. A table
that is gone is never made again in silence: what it held is told, and where the rest would then act on what it does not know,
nothing is made at all until a person says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Remedy(Enum):
    """What becomes of a table that is gone."""

    FILLED_AGAIN = "the server fills it again by itself"
    HISTORY = "it is made again, empty: jobs that were under way are forgotten, nothing else rests on it"
    FROM_DESTINATIONS = (
        "it is made again, and what the tenants' destinations hold is entered when the server starts; of rounds of archiving a new one"
        " begins, so take a full backup"
    )
    BY_HAND = "it is made again, empty, when a person says that he will set it again"
    NONE = "nothing else knows what it held"


@dataclass(frozen=True, slots=True)
class Holding:
    """What a table holds, in words that end `the catalog has lost ...`."""

    words: str
    remedy: Remedy


def _jobs(words: str) -> Holding:
    return Holding(words, Remedy.HISTORY)


HOLDINGS: Mapping[str, Holding] = {
    "id_sequence": Holding("which ids were given out", Remedy.NONE),
    "server": Holding("the address the server listens on", Remedy.FILLED_AGAIN),
    "tenant": Holding("which tenants there are", Remedy.NONE),
    "resource_unit": Holding("the resource units", Remedy.BY_HAND),
    "resource_pool": Holding("the resource pools, and which tenant has which", Remedy.BY_HAND),
    "destination": Holding("where the destinations of all tenants are", Remedy.NONE),
    "backup_parameter": Holding("the backup destination of each tenant", Remedy.BY_HAND),
    "log_restore_source": Holding("what each standby follows", Remedy.BY_HAND),
    "archive_dest": Holding("the archive destination of each tenant", Remedy.BY_HAND),
    "archive_round": Holding("the rounds of archiving", Remedy.FROM_DESTINATIONS),
    "archive_piece": Holding("the archive pieces", Remedy.FROM_DESTINATIONS),
    "backup_job": _jobs("the backup jobs"),
    "backup_task": _jobs("the tasks of backup jobs"),
    "backup_set": Holding("the backup sets", Remedy.FROM_DESTINATIONS),
    "delete_policy": Holding("the retention policies", Remedy.BY_HAND),
    "delete_job": _jobs("the deletion jobs"),
    "delete_task": _jobs("the tasks of deletion jobs"),
    "backup_schedule": _jobs("when the schedules ran"),
    "validate_job": _jobs("the validation jobs"),
    "validate_task": _jobs("the tasks of validation jobs"),
    "validate_proof": _jobs("what was proven good, and when"),
    "backup_damage": _jobs("the damage that was found"),
    "destination_deletion": Holding("which destinations were given up", Remedy.BY_HAND),
    "pin": Holding("which backup sets are kept for ever", Remedy.BY_HAND),
    "recover_table_job": _jobs("the table recoveries"),
    "import_table_job": _jobs("the imports of recovered tables"),
    "import_table_task": _jobs("the tables that were imported"),
    "recover_table_preview": _jobs("the previews of table recoveries"),
    "restore_drill": _jobs("the drills"),
    "restore_drill_check": _jobs("the checks of drills"),
    "restorable_window": Holding("which moments can be restored", Remedy.FILLED_AGAIN),
    "restore_job": _jobs("the restores"),
    "quick_tenant": Holding("which tenants still fetch blocks from their backup, and when others go", Remedy.NONE),
    "parameter_definition": Holding("what parameters there are", Remedy.FILLED_AGAIN),
    "parameter": Holding("the parameters that were set", Remedy.BY_HAND),
    "engine_parameter": Holding("the engines' parameters", Remedy.FILLED_AGAIN),
    "event": _jobs("the history of events"),
    "tenant_health": Holding("the health of tenants", Remedy.FILLED_AGAIN),
}
"""Of every table that the migrations make; a test finds one that is missing here. Where a worker would act on what is not known any
more, take its id a second time or its destination for another's, the remedy is NONE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A table that is gone, or one that has lost columns."""

    table: str
    columns: tuple[str, ...] = ()

    @property
    def holding(self) -> Holding:
        return HOLDINGS.get(self.table, Holding("what it held", Remedy.NONE))

    @property
    def words(self) -> str:
        """Return what is lost, without what comes of it."""
        named = f", columns {', '.join(self.columns)}" if self.columns else ""
        return f"__holdfast.{self.table}{named} ({self.holding.words})"
