"""A desk of a few lines over one real engine, and a gateway in front of it.

The engine plays every tenant: `sys`, `t1` and `t2` lead to its socket. What is real: the engine, its grants, the views
schema with its user, the gateway, the clients. What is small: the desk remembers what it was asked and answers from a
table.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext

import pymysql

from holdfast import codes
from holdfast.engine.unusable import Reach
from holdfast.errors import NotFoundError, refuse
from holdfast.gateway.server import GatewayThread
from holdfast.gateway.settings import GatewaySettings
from holdfast.jobs.door import AddressedSockets, Route, ViewsLogin
from holdfast.jobs.reply import OK, Column, ColumnKind, Reply, Warn
from holdfast.jobs.session import Session
from holdfast.statement import commands
from holdfast.statement.commands import Command
from holdfast.values.grants import Right
from holdfast.values.places import PlaceLimits
from holdfast.values.tenant import CompatibilityMode, LogMode, Tenant, TenantRole, TenantStatus, Unit

VIEW_NAMES = frozenset({"DBA_OB_BACKUP_JOBS", "DBA_OB_ARCHIVELOG", "V$OB_PARAMETERS"})
SYS_VIEW_NAMES = frozenset({"CDB_OB_BACKUP_JOBS", "DBA_OB_BACKUP_JOBS"})
VIEWS_PASSWORD = "views-secret"


def tenant(tenant_id: int, name: str) -> Tenant:
    return Tenant(
        tenant_id=tenant_id,
        name=name,
        role=TenantRole.PRIMARY,
        status=TenantStatus.NORMAL,
        log_mode=LogMode.NOARCHIVELOG,
        mode=CompatibilityMode.MYSQL,
        unit=Unit(max_cpu=1, memory_size_bytes=1 << 30, log_disk_size_bytes=2 << 30),
        create_time_us=0,
        modify_time_us=0,
        data_version="1.4.0.0",
    )


@dataclass
class SmallDesk:
    """Answers by the command's class; `executed` keeps what was asked, with the session as it was then."""

    socket: Path
    cluster_name: str = "holdfast"
    stalled: set[int] = field(default_factory=set)
    executed: list[tuple[Command, bool, str, str]] = field(default_factory=list)
    refreshed: list[tuple[int, str]] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    # What each question raises from now on: of the catalog, of a destination, or a defect.
    troubles: dict[str, Exception] = field(default_factory=dict)
    limits: PlaceLimits = field(default_factory=PlaceLimits)
    unusable: Reach | None = None
    # By user: how TLS is spoken with the engine for it.
    tls: dict[str, SSLContext] = field(default_factory=dict)
    addressed: AddressedSockets | None = None
    views_socket: Path | None = None
    # Set by a test to hold `execute` of a NOARCHIVELOG until it is let go.
    gate: threading.Event = field(default_factory=threading.Event)
    tenants: dict[str, Tenant] = field(
        default_factory=lambda: {
            "sys": tenant(1, "sys"),
            "t1": tenant(1002, "t1"),
            "t2": tenant(1004, "t2"),
            "gone": tenant(1006, "gone"),
        }
    )

    def _meet(self, question: str) -> None:
        if question in self.troubles:
            raise self.troubles[question]

    def route(self, tenant_name: str) -> Route:
        self._meet("route")
        if tenant_name == "restoring":
            raise refuse(codes.OB_SERVER_NOT_READY)
        if tenant_name not in self.tenants:
            raise NotFoundError(f"unknown tenant {tenant_name!r}", code=codes.OB_TENANT_NOT_EXIST)
        socket = self.socket if tenant_name != "gone" else self.socket.with_name("nobody.sock")
        return Route(
            tenant=self.tenants[tenant_name],
            socket=socket,
            addressed=self.addressed,
            unusable=self.unusable,
        )

    def tls_for(self, tenant: Tenant, user: str) -> SSLContext | None:
        self._meet("tls_for")
        return self.tls.get(user)

    def views_login(self, tenant: Tenant) -> ViewsLogin:
        self._meet("views_login")
        return ViewsLogin(
            self.views_socket or self.socket, f"hf_t{tenant.tenant_id}", VIEWS_PASSWORD, f"t{tenant.tenant_id}"
        )

    def schemas_among(self, names: frozenset[str]) -> frozenset[str]:
        self._meet("schemas_among")
        return frozenset({"oceanbase", "mysql", "test", "hfcat", "t1002", "t1004"}) & names

    def before_view(self, tenant: Tenant, view_name: str) -> None:
        self.refreshed.append((tenant.tenant_id, view_name))
        self._meet("before_view")

    def execute(self, session: Session, command: Command) -> Reply:
        self.sessions.append(session)
        self._meet("execute")
        self.executed.append(
            (command, session.grants.allow(Right.ALTER_SYSTEM), str(session.time_zone), session.database)
        )
        match command:
            case commands.ShowTenants():
                columns = (
                    Column(name="TENANT_ID", kind=ColumnKind.INTEGER),
                    Column(name="TENANT_NAME"),
                    Column(name="COMMENT"),
                )
                rows = tuple((value.tenant_id, value.name, None) for value in self.tenants.values())
                return Reply(columns=columns, rows=rows)
            case commands.ShowParameters():
                columns = (Column(name="name"), Column(name="scn", kind=ColumnKind.INTEGER))
                return Reply(columns=columns, rows=(("größe 北京", (1 << 64) - 1), ("small", 0)))
            case commands.Archivelog():
                return Reply(
                    affected=3, warnings=(Warn(number=9040, message="first"), Warn(number=9041, message="second"))
                )
            case commands.Noarchivelog():
                self.gate.wait(10)
                return OK
            case commands.Backup():
                if not session.grants.allow(Right.ALTER_SYSTEM):
                    raise refuse(codes.OB_ERR_NO_PRIVILEGE, "ALTER SYSTEM")
                return OK
            case commands.SetDataBackupDest(text=text) if text == "break":
                raise ZeroDivisionError("the desk has a defect")
            case commands.SetDataBackupDest():
                raise refuse(codes.OB_BACKUP_CAN_NOT_START, "the reason", hint="do this")
            case _:
                return OK

    def place_limits(self) -> PlaceLimits:
        return self.limits

    def is_shut_out(self, tenant_id: int) -> bool:
        return False

    def way_in(self, tenant_id: int) -> tuple[str, ...]:
        raise AssertionError("nobody is shut out here")

    def look_at(self, tenant_id: int) -> None:
        raise AssertionError("nobody is shut out here")

    def writes_stalled(self, tenant_id: int) -> bool:
        return tenant_id in self.stalled


def prepare_views(connection: "pymysql.Connection[pymysql.cursors.Cursor]") -> None:
    """Make what the catalog makes for tenant 1002: a schema with a definer view and a user that reads only that."""
    with connection.cursor() as cursor:
        for statement in (
            "create database hfcat",
            "create table hfcat.jobs(tenant_id int, job_id int primary key, status varchar(20), at timestamp)",
            "insert into hfcat.jobs values (1002, 1, 'COMPLETED', '2026-11-23 10:00:00'), (1004, 2, 'FAILED', now())",
            "create database t1002",
            "create view t1002.DBA_OB_BACKUP_JOBS as select job_id, status, at from hfcat.jobs where tenant_id = 1002",
            "create view oceanbase.CDB_OB_BACKUP_JOBS as select * from hfcat.jobs",
            f"create user hf_t1002 identified by '{VIEWS_PASSWORD}'",
            "grant select on t1002.* to hf_t1002",
            "create table test.big(i int primary key, v longtext)",
            "create table test.own(i int primary key, v varchar(100))",
            "insert into test.own values (1, 'one'), (2, 'two')",
            "create user plain identified by 'secret'",
            "grant all on test.* to plain",
        ):
            cursor.execute(statement)
    connection.commit()


@dataclass
class Door:
    """A running gateway and its desk."""

    desk: SmallDesk
    port: int
    thread: GatewayThread

    def connect(self, user: str = "root@t1", **options: object) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """Return a PyMySQL session through the gateway."""
        options = {"autocommit": True, **options}
        return pymysql.connect(host="127.0.0.1", port=self.port, user=user, **options)  # type: ignore[call-overload, no-any-return]


@contextmanager
def open_door(socket: Path, *, limits: PlaceLimits | None = None, **settings: object) -> Iterator[Door]:
    """Run a gateway of its own on a free port."""
    desk = SmallDesk(socket, limits=limits or PlaceLimits())
    thread = GatewayThread(
        desk,
        GatewaySettings(port=0, view_names=VIEW_NAMES, sys_view_names=SYS_VIEW_NAMES, **settings),  # type: ignore[arg-type]
    )
    port = thread.start()
    try:
        yield Door(desk, port, thread)
    finally:
        desk.gate.set()
        thread.stop(drain_seconds=1)


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Return whether `holds` becomes true in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if holds():
            return True
        time.sleep(0.02)
    return holds()
