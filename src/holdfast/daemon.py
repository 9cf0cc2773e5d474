"""The composition root: one `holdfast serve`, from its first file to its last engine.

Order of the start: lock, sys engine, catalog, half-done tenants settled, engines, archiving, jobs, door. The reverse at the end.
Killed at any point: engines live on, and the next server does the same steps again; each is repeatable.
"""

import ctypes
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import ip_address

from pymysql.connections import Connection
from pymysql.cursors import Cursor

from holdfast import codes, descriptors, disk
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.losses import Loss
from holdfast.catalog.views import SYS_VIEW_SCHEMAS, TENANT_VIEW_NAMES
from holdfast.clock import Clock, SystemClock
from holdfast.config import Config, fuse_device
from holdfast.engine import account, drift
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.fence import Fence
from holdfast.engine.process import LOG_DISK_BYTES_MIN, MEMORY_BUDGET_BYTES_MIN, EngineSettings, begin_founding
from holdfast.engine.recognition import recognise, refuse_other, require_present
from holdfast.engine.role import EngineRole
from holdfast.engine.session import ROOT, SqlError, connect
from holdfast.engine.version import Engines, EngineVersion, find_engines, install_hint
from holdfast.errors import CorruptionError, EngineError, HoldfastError, RefusedError, UnknownVersionError
from holdfast.gateway.server import GatewayThread
from holdfast.gateway.settings import GatewaySettings
from holdfast.jobs.activation import Activation
from holdfast.jobs.archiving import Archiving
from holdfast.jobs.backup_keys import BackupKeys
from holdfast.jobs.backups import Backups
from holdfast.jobs.cleanup import Cleanup
from holdfast.jobs.cluster_parameters import ClusterParametersBackup
from holdfast.jobs.connection_places import ConnectionPlaces
from holdfast.jobs.desk import SYS_TENANT_NAME, HoldfastDesk
from holdfast.jobs.dictionary import DictionaryWatch, settle_losses
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.drill_worker import DrillGround
from holdfast.jobs.ground import PARAMETER, Ground
from holdfast.jobs.health import TenantHealth
from holdfast.jobs.identity import ClusterIdentity, open_identity, open_server, require_server_file, take_lock
from holdfast.jobs.kept_keys import seal_kept_keys
from holdfast.jobs.log_ports import LogPorts
from holdfast.jobs.pace import Paces
from holdfast.jobs.quick import BlockFiles, QuickTenants
from holdfast.jobs.restore_worker import RestoreWorkers
from holdfast.jobs.restores import Restores
from holdfast.jobs.schedules import ScheduledJobs
from holdfast.jobs.standbys import Standbys
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.table_recovery import TableRecoveries
from holdfast.jobs.tablets import TabletFinder
from holdfast.jobs.takeover import Takeover
from holdfast.jobs.tenants import Dependents, Tenants
from holdfast.jobs.tenure import Tenures
from holdfast.jobs.validation import Validations
from holdfast.jobs.windows import RestorableWindows
from holdfast.restore.block_mount import find_obstacle
from holdfast.values.places import room_of
from holdfast.values.roots import parse_roots
from holdfast.values.tenant import (
    SYS_TENANT_ID,
    CompatibilityMode,
    LogMode,
    Tenant,
    TenantRole,
    TenantStatus,
    Unit,
)

log = logging.getLogger("holdfast")

_EVENT_CHARACTERS_MAX = 512
"""Of the view's EXTRA_INFO."""

_SYS_UNIT = Unit(max_cpu=1.0, memory_size_bytes=MEMORY_BUDGET_BYTES_MIN, log_disk_size_bytes=LOG_DISK_BYTES_MIN)
"""The sys tenant holds a few thousand small rows: the least an engine starts with."""
_SYS_SETTINGS = EngineSettings(
    memory_budget_bytes=_SYS_UNIT.memory_size_bytes,
    log_disk_size_bytes=_SYS_UNIT.log_disk_size_bytes,
    role=EngineRole.PRIMARY,
)
_LOOK_FOR_SIGNAL_SECONDS = 0.2
_PR_SET_DUMPABLE = 4
_HANGING_SECONDS_MAX = 2.0
_SOCKET_PATH_BYTES_MAX = 107
"""What fits into sockaddr_un on Linux, its final zero apart."""
_TENANT_ID_LONGEST = 99_999_998
_DRAIN_SECONDS = 5.0
"""How long busy connections may go on after SIGTERM."""


def serve(config: Config, *, say: Callable[[str], None] = print) -> int:
    """Run the server until SIGTERM or SIGINT and return the exit code: 0 ended in order, 1 could not start.

    `say` gets the one line of stdout, `holdfast ready port=PORT`, once logins are accepted.
    """
    forbid_core_dumps()
    asked_to_end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_end.set())
    try:
        with ExitStack() as stack:
            server = Server(config, SystemClock(), stack)
            port = server.open()
            say(f"holdfast ready port={port}")
            sys.stdout.flush()
            # With a bound: a signal that another thread took does not wake an endless wait (seen: SIGTERM lost for 90 s).
            while not asked_to_end.wait(_LOOK_FOR_SIGNAL_SECONDS):
                pass
            log.info("ending: no new connections, archiving drains, engines stop")
    except (HoldfastError, OSError) as error:
        log.error("%s", error)
        _leave_hanging_threads(1)
        return 1
    log.info("ended")
    _leave_hanging_threads(0)
    return 0


def _leave_hanging_threads(code: int) -> None:
    """End the process now if a thread still hangs, in a destination that does not answer: Python would wait for it for ever.

    Whatever line it stands at is as safe as a kill of the server.
    """
    clock = SystemClock()
    end = clock.monotonic() + _HANGING_SECONDS_MAX
    for thread in threading.enumerate():
        if thread is threading.main_thread() or thread.daemon:
            continue
        thread.join(max(0.0, end - clock.monotonic()))
        if thread.is_alive():
            log.warning("thread %s hangs and is left", thread.name)
            logging.shutdown()
            sys.stdout.flush()
            os._exit(code)


def forbid_core_dumps() -> None:
    """Keep what this process knows, data keys among it, out of core files. Engines, which are other programs, keep theirs.

    A limit of 0 does not hold where cores are piped to a program; the kernel's "not dumpable" does.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        log.warning("core dumps could not be switched off: %s", os.strerror(ctypes.get_errno()))


@dataclass(slots=True)
class _Parts:
    """What `Server.open` has put together, in the order of the start."""

    identity: ClusterIdentity
    supervisor: Supervisor
    catalog: Catalog
    tenants: Tenants
    archiving: Archiving
    backups: Backups
    restore_workers: RestoreWorkers
    restores: Restores
    table_recoveries: TableRecoveries
    cleanup: Cleanup
    validations: Validations
    standbys: Standbys
    desk: HoldfastDesk
    quick: QuickTenants
    tenures: Tenures
    keys: BackupKeys
    ground: Ground
    health: TenantHealth
    takeover: Takeover
    lost: tuple[Loss, ...]
    changed: tuple[str, ...]


class Server:
    """One server; what it opened is closed by `stack`, in reverse order."""

    def __init__(self, config: Config, clock: Clock, stack: ExitStack) -> None:
        self._config = config
        self._clock = clock
        self._stack = stack
        self._directories = ClusterDirectory(config.base_dir.absolute())
        self._room = room_of(descriptors.raise_limit())

    def open(self) -> int:
        """Start everything and return the bound port. Raises HoldfastError; what was opened is then closed by the stack."""
        engines = find_engines()
        _tell_engines(engines)
        _check_socket_length(self._directories, engines)
        check_base(self._directories)
        sys_version = _version_of_sys(self._directories, engines)
        if not self._directories.cluster_file.exists():
            for place in (self._directories.base, self._directories.tenants, self._directories.restores):
                disk.make_folder(place)
        lock = take_lock(self._directories)
        self._stack.callback(lock.release)
        sys_directory = EngineDirectory(self._directories.engine(SYS_TENANT_ID), sys_version)
        if not self._directories.cluster_file.exists():
            # Before the cluster file: whoever finds that knows that there was a catalog, unless this mark says otherwise.
            begin_founding(sys_directory)
        if not sys_directory.founding_mark.exists():
            _require_catalog(sys_directory)
        identity = open_identity(self._directories, self._config.cluster)
        require_server_file(self._directories, lock)
        identity = replace(identity, server=open_server(self._directories, lock.generation))
        lock.note_server_file()
        seal_kept_keys(self._directories)
        parts = self._assemble(identity, engines, sys_version, lock.generation)
        self._check_open_root(parts)
        self._bring_up_tenants(parts)
        self._stack.callback(lambda: parts.tenures.leave_all(lambda one: parts.ground.open(one.uri)))
        parts.keys.begin()
        self._stack.callback(parts.keys.end)
        self._tell_roots(parts)
        settle_losses(parts.catalog, parts.takeover, parts.lost, parts.changed)
        parts.archiving.resume_all()
        self._stack.callback(lambda: parts.archiving.stop_all(drain=True))
        parts.backups.resume_all()
        self._stack.callback(parts.backups.stop_all)
        parts.restores.resume_all()
        self._stack.callback(parts.restore_workers.stop_all)
        parts.table_recoveries.resume_all()
        self._stack.callback(parts.table_recoveries.stop_all)
        parts.cleanup.resume_all()
        self._stack.callback(parts.cleanup.stop_all)
        parts.validations.resume_all()
        self._stack.callback(parts.validations.stop_all)
        parts.standbys.resume_all()
        self._stack.callback(parts.standbys.stop_all)
        parts.supervisor.begin()
        parts.quick.begin()
        self._stack.callback(parts.quick.end)
        dictionary = DictionaryWatch(parts.catalog, parts.tenants)
        dictionary.begin()
        self._stack.callback(dictionary.end)
        schedules = ScheduledJobs(parts.catalog, parts.backups, parts.validations, parts.supervisor, self._clock)
        schedules.begin()
        self._stack.callback(schedules.end)
        door = GatewayThread(
            parts.desk,
            GatewaySettings(
                host=self._config.host,
                port=self._config.port,
                view_names=TENANT_VIEW_NAMES,
                # The views of sys that mirror something.
                sys_view_names=frozenset({"GV$OB_PARAMETERS", "CDB_OB_RESTORABLE_WINDOWS", "CDB_OB_TENANT_HEALTH"}),
                own_view_names=frozenset(SYS_VIEW_SCHEMAS),
                default_tenant=self._config.default_tenant,
                tls_cert=self._config.tls_cert,
                tls_key=self._config.tls_key,
                unfinished_max=self._room.unfinished,
            ),
        )
        if parts.catalog.tenants.find(self._config.default_tenant) is None:
            log.warning("tenant %s, the default of logins, is not there yet", self._config.default_tenant)
        port = door.start()
        self._stack.callback(lambda: door.stop(drain_seconds=_DRAIN_SECONDS))
        parts.catalog.parameters.set_server(self._config.host, port)
        return port

    def _assemble(
        self, identity: ClusterIdentity, engines: Engines, sys_version: EngineVersion, generation: int
    ) -> _Parts:
        block_files = BlockFiles(self._directories)
        block_files.sweep(engines)
        supervisor = Supervisor(
            self._directories,
            sys_version,
            self._clock,
            block_files=block_files,
            wants_spaces=self._config.knows_client_addresses,
            serves_tls=self._config.tls_cert is not None,
        )
        self._stack.callback(lambda: supervisor.end(stop_engines=True))
        self._bring_up_sys(supervisor)
        catalog = Catalog(
            lambda: supervisor.session(SYS_TENANT_ID).connection, partial(_log_in, supervisor), clock=self._clock
        )
        self._stack.callback(catalog.close)
        was_there = bool(_tenant_dirs(self._directories)) or catalog.has_dictionary()
        lost, changed = catalog.install(forgotten=frozenset(self._config.forgotten_tables), was_there=was_there)
        supervisor.on_put_right = partial(_record_put_right, catalog)
        self._record_sys(catalog, sys_version)
        _set_versions(catalog, supervisor, self._directories, engines)
        tenants = Tenants(catalog, supervisor, self._directories, engines, self._clock)
        tenures = Tenures(catalog, identity, self._clock)
        ground = Ground(self._directories.base, partial(self._roots, catalog))
        open_store = ground.open
        keys = BackupKeys(
            catalog,
            self._directories,
            self._clock,
            identity=identity,
            open_store=open_store,
            take=partial(tenures.take_at_once, open_store=open_store),
        )
        archiving = Archiving(
            catalog,
            self._directories,
            identity=identity,
            clock=self._clock,
            open_store=open_store,
            engine_directory=supervisor.directory,
            tenures=tenures,
            keys=keys,
            ground=ground,
        )
        paces = Paces(catalog, self._clock)
        backups = Backups(
            catalog,
            archiving,
            self._directories,
            self._clock,
            identity=identity,
            open_store=open_store,
            supervisor=supervisor,
            generation=generation,
            paces=paces,
            tenures=tenures,
            keys=keys,
            ground=ground,
        )
        ports = LogPorts()
        standbys = Standbys(
            catalog,
            supervisor,
            tenants,
            self._clock,
            engines=engines,
            open_store=open_store,
            ports=ports,
            ground=ground,
            identity=identity,
            keys=keys,
        )
        activation = Activation(catalog, supervisor, tenants, self._clock, engines=engines, standbys=standbys)
        restore_workers = RestoreWorkers(
            catalog,
            supervisor,
            tenants,
            self._directories,
            self._clock,
            engines=engines,
            open_store=open_store,
            generation=generation,
            paces=paces,
            ports=ports,
            is_own=identity.server.made,
            find_obstacle=lambda: find_obstacle(fuse_device()),
        )
        restores = Restores(
            catalog,
            restore_workers,
            tenants,
            activation,
            self._clock,
            engines=engines,
            generation=generation,
            keys=keys,
            catch_up=archiving.catch_up,
        )
        table_recoveries = TableRecoveries(
            catalog, supervisor, tenants, restores, self._clock, identity=identity, generation=generation
        )
        cleanup = Cleanup(
            catalog,
            self._clock,
            identity=identity,
            open_store=open_store,
            generation=generation,
            keyring=self._directories.keyring,
            tenures=tenures,
            is_left_behind=backups.is_left_behind,
            masters=keys.masters,
        )
        validations = Validations(
            catalog,
            self._clock,
            identity=identity,
            open_store=open_store,
            generation=generation,
            keyring=self._directories.keyring,
            masters=keys.masters,
            paces=paces,
            tablets=TabletFinder(supervisor),
            ground=DrillGround(supervisor, tenants, restores),
            paths=ground,
        )
        tenants.dependents = Dependents(
            archiving=archiving.drop_tenant,
            backups=backups.drop_tenant,
            restores=restore_workers.drop_tenant,
            cleanup=cleanup.drop_tenant,
            validations=validations.drop_tenant,
            standbys=standbys.drop_tenant,
            table_recoveries=table_recoveries.drop_tenant,
        )
        places = ConnectionPlaces(catalog, self._room, supervisor.user_tenant_ids)
        health = TenantHealth(
            catalog,
            self._clock,
            supervisor=supervisor,
            archiving=archiving,
            tenures=tenures,
            keys=keys,
            ground=ground,
        )
        takeover = Takeover(catalog, identity, self._clock, open_store=open_store, tenures=tenures)
        desk = HoldfastDesk(
            cluster_name=identity.name,
            catalog=catalog,
            supervisor=supervisor,
            tenants=tenants,
            archiving=archiving,
            backups=backups,
            restores=restores,
            activation=activation,
            standbys=standbys,
            cluster_parameters=lambda settings: ClusterParametersBackup(
                catalog,
                settings,
                self._clock,
                identity=identity,
                ground=ground,
                open_store=open_store,
            ),
            cleanup=cleanup,
            validations=validations,
            windows=RestorableWindows(
                catalog,
                self._clock,
                open_store=open_store,
                tenures=tenures,
                cluster_id=identity.cluster_id,
                is_own=identity.server.made,
                masters=keys.masters,
            ),
            health=health,
            table_recoveries=table_recoveries,
            places=places,
            keys=keys,
            takeover=takeover,
        )
        desk.settings.install()
        if less := places.begin(self._config.places):
            log.warning("%s", less)
        return _Parts(
            identity=identity,
            supervisor=supervisor,
            catalog=catalog,
            tenants=tenants,
            archiving=archiving,
            backups=backups,
            restore_workers=restore_workers,
            restores=restores,
            table_recoveries=table_recoveries,
            cleanup=cleanup,
            validations=validations,
            standbys=standbys,
            desk=desk,
            quick=QuickTenants(catalog, tenants, self._directories, self._clock, paces=paces),
            tenures=tenures,
            keys=keys,
            ground=ground,
            health=health,
            takeover=takeover,
            lost=lost,
            changed=changed,
        )

    def _roots(self, catalog: Catalog) -> tuple[str, ...]:
        """Return the destination roots as they are named now: those of the command line, and those of sys's parameter."""
        return (*self._config.destination_roots, *parse_roots(catalog.parameters.get(SYS_TENANT_ID, PARAMETER)))

    def _tell_roots(self, parts: _Parts) -> None:
        """Log the roots, and what was set outside of them: it goes on working."""
        roots = self._roots(parts.catalog)
        if not roots:
            log.info("no destination root is named: a user tenant may set only directories that are there and its own")
            return
        log.info("user tenants may set destinations below %s", ", ".join(roots))
        for tenant in parts.catalog.tenants.user_tenants():
            if outside := parts.health.outside_roots(tenant):
                log.warning("tenant %s: %s; what is set there goes on", tenant.name, outside)

    def _bring_up_sys(self, supervisor: Supervisor) -> None:
        directory = supervisor.directory(SYS_TENANT_ID)
        process = supervisor.bring_up(SYS_TENANT_ID, _SYS_SETTINGS)
        if process.fence is Fence.UNFENCED:
            log.error(
                "NOT FENCED: this kernel has no Landlock and no user id of its own could be given, so the root of any tenant "
                "can read and write every file this user can"
            )
        account_file = supervisor.account_file(SYS_TENANT_ID)
        if not account_file.exists():
            # First start, or killed before the account was stored: root has no password yet, nobody could log in.
            try:
                root = connect(directory.socket, ROOT, "")
            except SqlError as error:
                if error.errno != codes.OB_PASSWORD_WRONG.client:
                    raise
                raise RefusedError(
                    f"{account_file} is gone, Holdfast's own login in the catalog",
                    hint="put it back, from a copy of the base directory",
                ) from error
            with root:
                account.create_account(root, account_file)
        with supervisor.session(SYS_TENANT_ID) as session:
            drift.secure(session, directory)

    def _record_sys(self, catalog: Catalog, version: EngineVersion) -> None:
        known = catalog.tenants.find(SYS_TENANT_NAME)
        if known is not None and known.data_version != version.data_version:
            raise RefusedError(
                f"the sys tenant's directory holds data of engine {version.data_version}, its catalog is of {known.data_version}",
                hint="no engine's data is changed in place: put back the directory that was there",
            )
        if known is None:
            if strangers := _tenant_dirs(self._directories):
                raise RefusedError(
                    f"the catalog in {self._directories.tenant(SYS_TENANT_ID)} holds nothing, and there are directories of tenants:"
                    f" {', '.join(strangers[:3])} in {self._directories.tenants}",
                    hint="put back the sys directory that was there",
                )
            now_us = self._clock.now_ns() // 1000
            catalog.tenants.add(
                Tenant(
                    tenant_id=SYS_TENANT_ID,
                    name=SYS_TENANT_NAME,
                    role=TenantRole.PRIMARY,
                    status=TenantStatus.NORMAL,
                    log_mode=LogMode.NOARCHIVELOG,
                    mode=CompatibilityMode.MYSQL,
                    unit=_SYS_UNIT,
                    create_time_us=now_us,
                    modify_time_us=now_us,
                    data_version=version.data_version,
                )
            )

    def _check_open_root(self, parts: _Parts) -> None:
        """Refuse to listen where others can reach us while anybody may log in as root@sys."""
        if _is_loopback(self._config.host) or self._config.allow_open_root:
            return
        try:
            connect(parts.supervisor.directory(SYS_TENANT_ID).socket, ROOT, "").close()
        except SqlError as error:
            if error.errno == codes.OB_PASSWORD_WRONG.client:
                return
            raise
        raise RefusedError(
            f"root@sys has no password, and {self._config.host} is reachable from other machines",
            hint="start once on 127.0.0.1 and run ALTER USER root IDENTIFIED BY '...', or pass --allow-open-root",
        )

    def _bring_up_tenants(self, parts: _Parts) -> None:
        """Adopt or start every tenant's engine. One that does not start is reported and retried; the others go on."""
        tenants = parts.tenants.settle()
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(lambda tenant: self._bring_up_tenant(parts, tenant), tenants))

    def _bring_up_tenant(self, parts: _Parts, tenant: Tenant) -> None:
        try:
            parts.supervisor.bring_up(tenant.tenant_id, parts.tenants.settings_of(tenant))
            parts.supervisor.report_orphans(tenant.tenant_id)  # the machine may have crashed
            if lost := parts.supervisor.lost_login(tenant.tenant_id):
                log.error("tenant %s: %s", tenant.name, lost)
        except HoldfastError as error:
            parts.supervisor.watch(tenant.tenant_id)
            log.error("tenant %s: its engine did not start and will be tried again: %s", tenant.name, error)
        except Exception:
            parts.supervisor.watch(tenant.tenant_id)
            log.exception("tenant %s: its engine did not start and will be tried again", tenant.name)


def _record_put_right(catalog: Catalog, tenant_id: int, change: str) -> None:
    """Tell sys what a tenant had changed of what is not its to change. The log has it already: without a catalog that must do."""
    try:
        catalog.events.add(
            "engine", "put_right", (("tenant_id", tenant_id),), extra_info=change[:_EVENT_CHARACTERS_MAX]
        )
    except HoldfastError as error:
        log.warning("tenant %d: what was put right is not in the event history: %s", tenant_id, error)


def _log_in(supervisor: Supervisor, user: str, password: str) -> "Connection[Cursor] | None":
    """Return a connection of another user of the sys tenant's engine, None if it does not know this one."""
    try:
        return connect(supervisor.directory(SYS_TENANT_ID).socket, user, password).connection
    except SqlError as error:
        if error.errno == codes.OB_PASSWORD_WRONG.client:
            return None
        raise


def _tell_engines(engines: Engines) -> None:
    for version in engines.installed:
        log.info("engine %s: %s", version.data_version, version.binary)
    for fault in engines.faults:
        log.error("an engine that was named can not be used: %s", fault)


def _version_of_sys(directories: ClusterDirectory, engines: Engines) -> EngineVersion:
    """Return the engine of the sys tenant's data, the newest where there is none yet.

    The catalog can not tell: it is the catalog's own engine that is asked for. Raises RefusedError, before anything is made, if
    the engine can not hold a catalog; as `recognise` for data of no known engine.
    """
    directory = EngineDirectory(directories.engine(SYS_TENANT_ID), engines.newest)
    found = None if directory.founding_mark.exists() else recognise(directory.root)
    version = engines.newest if found is None else engines.of(found.data_version.text)
    if not version.release.holds_catalog:
        raise RefusedError(
            f"engine {version.data_version} can not hold the catalog of a server",
            hint="let the server have a newer engine too: this one then runs tenants (HOLDFAST_ENGINES)",
        )
    return version


def _tenant_dirs(directories: ClusterDirectory) -> list[str]:
    """Return the names of tenants' directories that are there, sorted, whether or not the catalog knows of them."""
    if not directories.tenants.is_dir():
        return []
    return sorted(path.name for path in directories.tenants.iterdir() if path.name.isdecimal())


def _require_catalog(directory: EngineDirectory) -> None:
    """Raise RefusedError when the sys tenant's data is gone: without the catalog nobody knows which tenants there are."""
    try:
        require_present(directory)
    except EngineError as error:
        raise RefusedError(
            f"the catalog of this cluster is gone: {error.message}",
            hint="mount its disk, or put the directory back, and start the server again; of a first start that was cut off "
            "before it had a catalog, remove the whole base directory",
        ) from error


def _set_versions(catalog: Catalog, supervisor: Supervisor, directories: ClusterDirectory, engines: Engines) -> None:
    """Tell the supervisor what each tenant runs on.

    A tenant is refused by name, and its directory left alone, when its engine or what lies in its directory is not known, or is
    not what its row says: an engine may have changed it in place. One whose engine is not here is named. The others go on.
    """
    hosted = catalog.tenants.hosted()
    unknown = set(_tenant_dirs(directories)) - {str(tenant.tenant_id) for tenant in hosted}
    if unknown:
        log.error(
            "in %s are directories of no tenant in the catalog: %s", directories.tenants, ", ".join(sorted(unknown))
        )
    for tenant in hosted:
        try:
            version = engines.of(tenant.data_version, f"tenant {tenant.name}")
            if tenant.status is TenantStatus.NORMAL:  # any other may be half made, and is made anew or removed
                directory = EngineDirectory(directories.engine(tenant.tenant_id), version)
                require_present(directory)
                refuse_other(directory)
        except EngineError as error:
            log.error("tenant %s: %s", tenant.name, error)  # of its disk, not of its engine: each start looks again
        except (UnknownVersionError, CorruptionError, RefusedError) as error:
            supervisor.refuse(tenant.tenant_id, error)
            log.error("tenant %s is not started, and left as it is: %s", tenant.name, error)
            continue
        supervisor.set_version(tenant.tenant_id, version, is_oracle=tenant.mode is CompatibilityMode.ORACLE)
        if version.binary is None:
            log.error(
                "tenant %s runs on engine %s, which is not installed: it can not be started. To have it, %s",
                tenant.name,
                tenant.data_version,
                install_hint(tenant.data_version),
            )


def check_base(directories: ClusterDirectory) -> None:
    """Refuse to make a cluster among other people's files: a mistyped path may be that of somebody's backups."""
    if directories.cluster_file.exists() or not directories.base.is_dir():
        return
    # What a first start leaves that was killed before its cluster file.
    ours = {
        place.name for place in (directories.lock_file, directories.tenants, directories.restores, directories.trash)
    }
    ours.add(directories.cluster_file.with_suffix(".new").name)
    sys_dir = directories.tenant(SYS_TENANT_ID)
    mark = directories.engine(SYS_TENANT_ID).name + ".founding"
    if sys_dir.is_dir() and {entry.name for entry in sys_dir.iterdir()} <= {mark}:
        ours.add(sys_dir.name)
    strangers = sorted(entry.name for entry in directories.base.iterdir() if entry.name not in ours)
    if {sys_dir.name, directories.server_file.name} & set(strangers):
        raise RefusedError(
            f"{directories.cluster_file} is gone, and {directories.base} holds a cluster",
            hint="put it back, from a copy of the base directory: it holds the cluster's name and number",
        )
    if strangers:
        raise RefusedError(
            f"{directories.base} holds no cluster and is not empty: {', '.join(strangers[:3])}",
            hint="choose an empty or new --base-dir",
        )


def _check_socket_length(directories: ClusterDirectory, engines: Engines) -> None:
    """Refuse a base directory whose engines' sockets would have longer paths than the kernel takes."""
    longest = EngineDirectory(directories.engine(_TENANT_ID_LONGEST), engines.newest).socket
    over = len(os.fsencode(longest)) - _SOCKET_PATH_BYTES_MAX
    if over > 0:
        raise RefusedError(
            f"the path {directories.base} is {over} characters too long for the engines' Unix sockets",
            hint="choose a shorter --base-dir, or a symbolic link to it",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
