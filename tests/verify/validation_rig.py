"""What tests of validation do again and again: flip a byte, validate, look at the rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql

from holdfast.engine.account import load_account
from server_rig import Client, Server, wait_for


@dataclass(frozen=True, slots=True)
class Outcome:
    """An ended job and its tasks: (TASK_TYPE, ID, PLUS_ARCHIVELOG) -> (STATUS, TOTAL_BYTES, VALIDATED_BYTES, COMMENT).

    Of a task of a set's own log ID is the set's.
    """

    status: str
    result: int
    comment: str
    tasks: dict[tuple[str, int, str], tuple[str, int, int, str]]

    @property
    def failed(self) -> set[tuple[str, int, str]]:
        return {key for key, task in self.tasks.items() if task[0] == "FAILED"}


@dataclass(frozen=True, slots=True)
class Ground:
    """A server, its tenant `source`, and where its backups lie."""

    server: Server
    client: Client
    place: Path
    tenant_id: int

    def validate(self, what: str = "BACKUP", level: str = "physical") -> Outcome:
        self.client.run(f"ALTER SYSTEM VALIDATE {what} LEVEL = '{level}' TENANT = source")
        return self.ended()

    def ended(self) -> Outcome:
        """Return the tenant's newest job once it and the sys job have ended."""
        active = "select 1 from oceanbase.CDB_OB_BACKUP_VALIDATE_JOBS"
        wait_for(lambda: self.client.rows(active), lambda rows: not rows)
        job = self.client.rows(
            "select JOB_ID, STATUS, RESULT, COMMENT from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY"
            f" where TENANT_ID = {self.tenant_id} order by JOB_ID desc limit 1"
        )[0]
        set_id = "substring_index(substring_index(PATH, 'backup_set_', -1), '_', 1)"
        tasks = self.client.rows(
            f"select TASK_TYPE, cast(if(PLUS_ARCHIVELOG = 'ON', {set_id}, ID) as signed), PLUS_ARCHIVELOG, STATUS, TOTAL_BYTES,"
            " VALIDATED_BYTES, COMMENT"
            f" from oceanbase.CDB_OB_BACKUP_VALIDATE_TASK_HISTORY where TENANT_ID = {self.tenant_id} and JOB_ID = {job[0]}"
        )
        return Outcome(job[1], job[2], job[3], {tuple(row[:3]): tuple(row[3:]) for row in tasks})  # type: ignore[misc]

    def file_status(self) -> dict[int, str]:
        rows = self.client.rows("select BACKUP_SET_ID, FILE_STATUS from oceanbase.CDB_OB_BACKUP_SET_FILES")
        return {int(set_id): str(status) for set_id, status in rows}

    def piece_status(self) -> dict[int, str]:
        rows = self.client.rows("select PIECE_ID, FILE_STATUS from oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES")
        return {int(piece_id): str(status) for piece_id, status in rows}

    def open_damage(self) -> list[tuple[str, int, int]]:
        return self.client.rows(  # type: ignore[return-value]
            "select OBJECT_NAME, OBJECT_OFFSET, BLOCK_ID from oceanbase.CDB_OB_BACKUP_DAMAGES where STATUS = 'OPEN'"
        )

    @contextmanager
    def flipped(self, path: Path, offset: int | bytes) -> Iterator[None]:
        """Have one bit of an object wrong: at `offset`, from its end when it is negative, or behind these bytes."""
        data = path.read_bytes()
        wrong = bytearray(data)
        wrong[data.index(offset) + len(offset) if isinstance(offset, bytes) else offset] ^= 2
        path.write_bytes(wrong)
        try:
            yield
        finally:
            path.write_bytes(data)


def put_proofs_ahead(server: Server, days: int) -> None:
    """Have all proofs of the catalog, and the tasks that made them, lie `days` later, as a clock that was ahead would."""
    account = load_account(server.base / "sys" / "account.json")
    socket = str(server.directory(1).socket)
    with pymysql.connect(unix_socket=socket, user=account.user, password=account.password, autocommit=True) as catalog:
        for table, column in (("validate_proof", "proven_time"), ("validate_task", "end_timestamp")):
            moved = f"{column} = date_add({column}, interval {days} day)"
            catalog.cursor().execute(f"update __holdfast.{table} set {moved}")


def block_owners(server: Server, tenant_id: int) -> dict[int, int]:
    """Return the tablet of every macro block that one tablet owns, as the tenant's engine says."""
    account = load_account(server.base / "tenants" / str(tenant_id) / "account.json")
    socket = str(server.directory(tenant_id).socket)
    with pymysql.connect(unix_socket=socket, user=account.user, password=account.password) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "select macro_block_idx, max(tablet_id) from oceanbase.__all_virtual_tablet_sstable_macro_info group by 1"
            " having count(distinct tablet_id) = 1"
        )
        return {int(block_id): int(tablet_id) for block_id, tablet_id in cursor.fetchall()}
