"""RECOVER TABLE: the statements, and the threads that carry recoveries out.

Order of effects, for the crash:

    1. what can be refused is refused; the auxiliary tenant's restore begins (`restores.begin`)
                                           killed after: no recovery names the tenant, so the next server removes it
    2. two job rows                        killed after: the next server goes on, wherever it was (`table_recovery_worker`)
    3. the auxiliary tenant goes, then the rows end: as long as they are active somebody comes back
"""

import logging
import threading
from dataclasses import dataclass, replace
from functools import partial

from holdfast import codes
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.table_recoveries import RecoverJob
from holdfast.clock import Clock
from holdfast.defects import guarded
from holdfast.errors import HoldfastError, RefusedError, refuse
from holdfast.jobs.ground import named_uri
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.leftovers import Leftovers
from holdfast.jobs.reply import OK, Reply
from holdfast.jobs.restores import RestoreOrder, Restores, check_keys, check_options
from holdfast.jobs.rights import not_supported
from holdfast.jobs.session import Session, target_of
from holdfast.jobs.stops import Stops
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.table_recovery_worker import RecoveryRun, Surroundings
from holdfast.jobs.tenants import Tenants
from holdfast.statement.commands import CancelRecoverTable, OptionPairs, RecoverTable
from holdfast.statement.render import render
from holdfast.statement.restore_options import read_options
from holdfast.tables.plan import check_items, check_targets, fixed_targets
from holdfast.tables.run import databases_of, tables_of
from holdfast.values.table_recovery import RecoverStatus
from holdfast.values.tenant import RECOVER_PREFIX, SYS_TENANT_ID, Tenant, TenantPurpose, TenantRole, TenantStatus

log = logging.getLogger("holdfast.tables")

_STOP_SECONDS = 30.0
_DROP_SECONDS = 120.0
"""A cancelled recovery removes a tenant, which takes seconds."""


@dataclass(slots=True)
class _Running:
    run: RecoveryRun
    stops: Stops
    thread: threading.Thread


class TableRecoveries:
    """Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        supervisor: Supervisor,
        tenants: Tenants,
        restores: Restores,
        clock: Clock,
        *,
        identity: ClusterIdentity,
        generation: int,
    ) -> None:
        self._catalog = catalog
        self._supervisor = supervisor
        self._tenants = tenants
        self._restores = restores
        self._clock = clock
        self._generation = generation
        self._around = Surroundings(catalog, supervisor, tenants, clock, identity)
        self._lock = threading.Lock()
        self._running: dict[int, _Running] = {}
        self._left = Leftovers()

    # --- statements

    def recover(self, session: Session, command: RecoverTable) -> Reply:
        """RECOVER TABLE: checked, the auxiliary tenant's restore begun, the job recorded; the rest follows behind."""
        target = self._target(command)
        _check_command(command)
        options = read_options(command.options)
        check_options(command.options, options)
        if options.ttl_seconds is not None:
            raise not_supported("ttl of a table recovery is", hint="its own tenant goes when the tables are there")
        check_items(command.items, command.remap_tables)
        if not command.preview:
            self._check_target(target, command)
        if any(job.target_tenant_id == target.tenant_id for job in self._catalog.table_recoveries.active()):
            raise refuse(
                codes.OB_OP_NOT_ALLOW,
                "recover table when recover table job exists is",
                hint=f"wait for it, or run ALTER SYSTEM CANCEL RECOVER TABLE {target.name}",
            )
        sources = tuple(named_uri(text) for text in command.sources)
        if not sources:
            raise not_supported("recover table without FROM is", hint="write FROM 'file:///data,file:///archive'")
        auxiliary = self._restores.begin(
            RestoreOrder(
                name=f"{RECOVER_PREFIX}{self._clock.now_ns() // 1000}",
                sources=sources,
                target=target_of(command.until, session),
                passwords=session.decryption,
                key_source=command.key_source,
                pools=options.pools,
                options=_auxiliary_options(command.options),
                description=f"recover table into {target.name}",
                purpose=TenantPurpose.AUXILIARY,
            )
        )
        try:
            jobs = self._new_jobs(target, auxiliary, command)
            self._catalog.table_recoveries.insert(jobs)
        except BaseException:
            self._tenants.drop_auxiliary(auxiliary)
            raise
        self._hand_over(jobs[1])
        return OK

    def cancel(self, session: Session, command: CancelRecoverTable) -> Reply:
        """CANCEL RECOVER TABLE t: ends when the auxiliary tenant is gone. Without effect when nothing runs."""
        target = self._catalog.tenants.get(command.tenant)
        if self._catalog.table_recoveries.request_cancel(target.tenant_id):
            self._take_up_lost(target.tenant_id)
            self._cancel(target.tenant_id)
        return OK

    # --- life

    def resume_all(self) -> None:
        """Go on with what a dead server left; remove auxiliary tenants that no recovery names. When restores are resumed."""
        active = self._catalog.table_recoveries.active()
        named = {job.aux_tenant_id for job in active}
        for tenant in self._catalog.tenants.hosted():
            if tenant.is_auxiliary and tenant.name.startswith(RECOVER_PREFIX) and tenant.tenant_id not in named:
                log.warning("tenant %s belongs to no recovery; removing it", tenant.name)
                try:
                    self._tenants.drop_auxiliary(tenant)
                except HoldfastError as error:
                    log.error("tenant %s could not be removed: %s", tenant.name, error)
        for job in active:
            if job.tenant_id != SYS_TENANT_ID:
                log.info("tenant %s: going on with its table recovery", job.target_tenant_name)
                self._hand_over(job)

    def stop_all(self) -> None:
        """End the workers between two batches; the next server goes on."""
        self._left.end()
        with self._lock:
            running = list(self._running.values())
        for one in running:
            one.stops.stop_server()
            one.run.interrupt()
        for one in running:
            one.thread.join(_STOP_SECONDS)

    def drop_tenant(self, tenant_id: int) -> None:
        """End the recovery into this tenant; returns when its worker is out of it."""
        if self._catalog.table_recoveries.request_cancel(tenant_id):
            self._take_up_lost(tenant_id)
            self._cancel(tenant_id)

    def _cancel(self, target_tenant_id: int) -> None:
        with self._lock:
            running = self._running.get(target_tenant_id)
        if running is None:
            return
        running.stops.cancel()
        running.run.interrupt()
        if not running.stops.wait_over(_DROP_SECONDS):
            raise RefusedError(
                f"the table recovery did not end in {_DROP_SECONDS:.0f} s",
                hint="cancel it again",
                code=codes.OB_TIMEOUT,
            )

    def _take_up_lost(self, target_tenant_id: int) -> None:
        """Give a job without a worker one: the end of its last one could not be recorded."""
        with self._lock:
            if target_tenant_id in self._running:
                return
        for job in self._catalog.table_recoveries.active():
            if job.target_tenant_id == target_tenant_id and job.tenant_id != SYS_TENANT_ID:
                self._hand_over(job)

    def _hand_over(self, job: RecoverJob) -> None:
        stops = Stops()
        run = RecoveryRun(self._around, job, stops)
        thread = threading.Thread(
            target=guarded(
                log,
                f"tenant {job.target_tenant_name}: the end of its table recovery",
                partial(self._carry_out, run, job, stops),
            ),
            name=f"recover-table-{job.target_tenant_id}",
            daemon=True,
        )
        with self._lock:
            if job.target_tenant_id in self._running:
                return  # two at once found it without a worker
            self._running[job.target_tenant_id] = _Running(run, stops, thread)
        if job.cancel_requested:
            stops.cancel()
        thread.start()

    def _carry_out(self, run: RecoveryRun, job: RecoverJob, stops: Stops) -> None:
        try:
            run.run()
        except Exception:
            log.exception("tenant %s: its table recovery met a defect of Holdfast", job.target_tenant_name)
        finally:
            with self._lock:
                self._running.pop(job.target_tenant_id, None)
            stops.end()
            if not stops.is_server_stopping:
                self._left.look_after(
                    job.tenant_id, job.job_id, lambda: self._still_active(job) is not None, lambda: self._again(job)
                )

    def _still_active(self, job: RecoverJob) -> RecoverJob | None:
        """Return the job's row as it is, None when it has ended."""
        rows = self._catalog.table_recoveries.active()
        return next((row for row in rows if (row.tenant_id, row.job_id) == (job.tenant_id, job.job_id)), None)

    def _again(self, job: RecoverJob) -> None:
        """Give a recovery that its worker left to another, unless it has ended. Raises HoldfastError when that can not be known."""
        row = self._still_active(job)
        if row is not None:
            log.warning("tenant %s: going on with its table recovery, which its worker left", row.target_tenant_name)
            self._hand_over(row)

    # --- checks and rows

    def _target(self, command: RecoverTable) -> Tenant:
        if command.target is None:
            raise refuse(codes.OB_OP_NOT_ALLOW, "no target tenant specified", hint="write TO TENANT t")
        target = self._catalog.tenants.get(command.target)
        if target.is_sys or target.is_auxiliary:
            raise refuse(codes.OB_INVALID_ARGUMENT, "TENANT, it must be user tenant")
        if target.status is not TenantStatus.NORMAL:
            raise refuse(codes.OB_OP_NOT_ALLOW, "recover table to a tenant that is not normal is")
        if target.role is not TenantRole.PRIMARY:
            raise not_supported("recover table to standby tenant is", hint="activate it first")
        return target

    def _check_target(self, target: Tenant, command: RecoverTable) -> None:
        """Refuse what is known to fail: a listed table's database that is missing, its name that is taken."""
        with self._supervisor.session(target.tenant_id) as session:
            targets = fixed_targets(command.items, command.remap_tables)
            check_targets(targets, databases_of(session), tables_of(session))

    def _new_jobs(self, target: Tenant, auxiliary: Tenant, command: RecoverTable) -> tuple[RecoverJob, RecoverJob]:
        restore = self._catalog.restores.of_tenant(auxiliary.tenant_id)
        sys_id = self._catalog.table_recoveries.next_job_id(SYS_TENANT_ID)
        row = RecoverJob(
            tenant_id=target.tenant_id,
            job_id=self._catalog.table_recoveries.next_job_id(target.tenant_id),
            initiator_tenant_id=SYS_TENANT_ID,
            initiator_job_id=sys_id,
            start_timestamp_us=self._clock.now_ns() // 1000,
            status=RecoverStatus.RESTORE_AUX_TENANT,
            aux_tenant_name=auxiliary.name,
            target_tenant_name=target.name,
            statement=render(command, reveal=True),  # no password is in it: those were refused
            target_tenant_id=target.tenant_id,
            aux_tenant_id=auxiliary.tenant_id,
            import_all=int(any(item.database == "*" for item in command.items)),
            db_list=", ".join(item.database for item in command.items if item.table == "*" and item.database != "*"),
            table_list=", ".join(f"{item.database}.{item.table}" for item in command.items if item.table != "*"),
            restore_scn=restore.restore_scn,
            restore_option=restore.restore_option,
            backup_dest=restore.backup_dest,
            backup_set_list=restore.backup_set_list,
            backup_piece_list=restore.backup_piece_list,
            remap_db_list=", ".join(
                f"{rule.database}:{rule.to_database}" for rule in command.remap_tables if rule.table == "*"
            ),
            remap_table_list=", ".join(
                f"{rule.database}.{rule.table}:{rule.to_database or rule.database}.{rule.to_table}"
                for rule in command.remap_tables
                if rule.table != "*"
            ),
            description=command.description,
            owner_generation=self._generation,
        )
        sys_row = replace(
            row, tenant_id=SYS_TENANT_ID, job_id=sys_id, status=RecoverStatus.RECOVERING, initiator_job_id=sys_id
        )
        return sys_row, row


def _auxiliary_options(given: OptionPairs) -> OptionPairs:
    """Return the options of the auxiliary tenant's restore: of a tenant that is read in part and thrown away, blocks come when
    they are touched, unless the statement names a method. Where that can not be, it is restored fully."""
    return given if any(name == "method" for name, _ in given) else (*given, ("method", "quick"))


def _check_command(command: RecoverTable) -> None:
    check_keys(command.key_password, command.password, command.sts_credential)
    for name, _ in command.remap_tablegroups[:1]:
        raise refuse(
            codes.OB_TABLEGROUP_NOT_EXIST, hint=f"seekdb has no table groups: leave REMAP TABLEGROUP {name} out"
        )
    for _, name in command.remap_tablespaces[:1]:
        raise refuse(codes.OB_TABLESPACE_NOT_EXIST, name, hint="seekdb has no tablespaces: leave REMAP TABLESPACE out")
