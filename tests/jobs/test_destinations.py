"""Who gets a place that two ask for."""

from dataclasses import replace

import pytest

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.piece_record import FormatFile, encode_format_file
from holdfast.clock import SystemClock
from holdfast.errors import RefusedError
from holdfast.jobs.destinations import claim_destination
from holdfast.store.memory import MemoryStore
from holdfast.values.destination import DestinationKind

OWNER = FormatFile(
    cluster_name="holdfast",
    cluster_id=1,
    tenant_id=1002,
    tenant_name="mysql_tenant",
    dest_id=1001,
    kind=DestinationKind.BACKUP_DATA,
    path="file:///place",
    created_us=1,
)
OTHER = replace(OWNER, tenant_id=1004, tenant_name="oracle_tenant", dest_id=1002)


class Contested(MemoryStore):
    """A place that another owner takes between the first look at its format file and the look whether it is empty."""

    def is_empty(self) -> bool:
        if self.stat(names.FORMAT_FILE) is None:
            self.put_new(names.FORMAT_FILE, encode_format_file(OTHER))
        return super().is_empty()


def test_who_loses_a_race_is_told_whose_the_place_is() -> None:
    """It was told -9080: the winner's format file was taken for a file that is not Holdfast's."""
    with pytest.raises(RefusedError) as caught:
        claim_destination(Contested(), OWNER, SystemClock())
    assert caught.value.code is codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH


def test_files_of_others_are_refused() -> None:
    store = MemoryStore()
    store.put_new("notes.txt", b"mine")
    with pytest.raises(RefusedError) as caught:
        claim_destination(store, OWNER, SystemClock())
    assert caught.value.code is codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST
