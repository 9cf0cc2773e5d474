"""RESTORE: the statements, and what another job asks for that needs a restored tenant.

Order of effects, for the crash:

    1. everything that can be refused is refused: destinations are read, the plan is made
    2. tenant row (RESTORE) with its pools     killed after: no job row, so the next server removes it
    3. two job rows                            killed after: the next server begins the work again, three times at most

What follows lies in `restore_worker`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.manifest import EncryptionMode
from holdfast.backup_format.reach import Damage
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.restores import RestoreJob
from holdfast.clock import Clock
from holdfast.destination.facts import Facts, places_of
from holdfast.engine.version import Engines
from holdfast.errors import CorruptionError, RefusedError, refuse
from holdfast.jobs.activation import Activation
from holdfast.jobs.backup_keys import BackupKeys
from holdfast.jobs.ground import named_uri
from holdfast.jobs.reply import OK, Column, ColumnKind, Reply, Warn
from holdfast.jobs.restore_worker import RESTORED_FULLY, RestoreWorkers
from holdfast.jobs.rights import not_supported
from holdfast.jobs.session import Session, target_of
from holdfast.jobs.tenants import Tenants
from holdfast.keys.masters import Master, Masters
from holdfast.keys.password import Passwords, SetKey
from holdfast.keys.source import parse_key_from
from holdfast.keys.vault import Vault
from holdfast.restore.plan import RestorePlan
from holdfast.restore.refusal import Form
from holdfast.restore.unlock import data_keys, kept_keys, open_keys, require_log_keys
from holdfast.statement.commands import AddRestoreSource, OptionPairs, Restore, RestorePreview
from holdfast.statement.restore_options import RestoreOptions, read_options
from holdfast.values.destination import Uri
from holdfast.values.restore import RestoreStatus
from holdfast.values.scn import Scn
from holdfast.values.tenant import (
    SYS_TENANT_ID,
    TENANT_NAME_HINT,
    Tenant,
    TenantPurpose,
    TenantRole,
    TenantStatus,
    is_auxiliary_name,
    is_valid_tenant_name,
)

_PREVIEW_COLUMNS = (
    Column(name="backup_type"),
    Column(name="backup_id", kind=ColumnKind.INTEGER),
    Column(name="backup_dest"),
    Column(name="description"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOrder:
    """A restore as a statement or another job orders it. `target` None: the latest reachable moment.

    `kept`: keys of encrypted sets by set id, which this server keeps; else `passwords` open them. `masters`: the master keys to use; None:
    those that `passwords`, `key_source` (WITH KEY FROM) and this server's own sources open.
    """

    name: str
    sources: tuple[Uri, ...]
    target: Scn | None
    passwords: Passwords | None = field(default=None, repr=False)
    key_source: str | None = field(default=None, repr=False)
    masters: Masters | None = None
    kept: Callable[[int], SetKey | None] | None = field(default=None, repr=False)
    pools: tuple[str, ...] = ()
    options: OptionPairs = ()
    description: str = ""
    purpose: TenantPurpose = TenantPurpose.USER
    form: Form = Form.FROM


class Restores:
    """Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        workers: RestoreWorkers,
        tenants: Tenants,
        activation: Activation,
        clock: Clock,
        *,
        engines: Engines,
        generation: int,
        keys: BackupKeys,
        catch_up: Callable[[set[str], Scn | None], None] = lambda places, target: None,
    ) -> None:
        """`catch_up`: has archives that run in this server reach a moment before it is looked for at their places."""
        self._catalog = catalog
        self._workers = workers
        self._tenants = tenants
        self._activation = activation
        self._clock = clock
        self._engines = engines
        self._generation = generation
        self._keys = keys
        self._catch_up = catch_up

    # --- statements

    def restore(self, session: Session, command: Restore) -> Reply:
        """RESTORE t [FROM ...]: everything is checked, then the tenant's row and the job's exist and this returns.

        Without FROM from the restore sources of the session, which are forgotten whatever comes of it.
        """
        gathered, session.restore_sources = session.restore_sources, ()
        if command.sources and gathered:
            raise not_supported("have backup_dest and restore_source at the same time")
        check_keys(command.key_password, command.password, command.sts_credential)
        options = read_options(command.options)
        check_options(command.options, options)
        self._check_name(command.tenant)
        sources = tuple(named_uri(text) for text in command.sources) or gathered
        if not sources:
            raise not_supported(
                "restore without FROM is",
                hint="write FROM 'file:///data,file:///archive', or name sets and pieces by ADD RESTORE SOURCE before",
            )
        tenant, plan = self._begin(
            RestoreOrder(
                name=command.tenant,
                sources=sources,
                target=target_of(command.until, session),
                passwords=session.decryption,
                key_source=command.key_source,
                pools=options.pools,
                options=command.options,
                description=command.description,
                form=Form.SOURCE if gathered else Form.FROM,
            )
        )
        warnings: list[Warn] = []
        obstacle = self._workers.find_obstacle() if options.method == "quick" else None
        if obstacle is not None:
            warnings.append(Warn(number=codes.OB_NOT_SUPPORTED.client, message=RESTORED_FULLY.format(obstacle)))
        if self._workers.has_vault(tenant.tenant_id):
            warnings.append(_unsealed(tenant))
        warnings += _told(plan, is_key_named=command.key_source is not None)
        return Reply(warnings=tuple(warnings)) if warnings else OK

    def add_sources(self, session: Session, command: AddRestoreSource) -> Reply:
        """ADD RESTORE SOURCE: folders of single sets and pieces for the next RESTORE of this session; whole paths too."""
        added = tuple(named_uri(text) for text in command.sources)
        self._workers.open(added)  # a path that is nothing is refused now
        known = {uri.identity for uri in session.restore_sources}
        session.restore_sources += tuple(uri for uri in dict.fromkeys(added) if uri.identity not in known)
        return OK

    def clear_sources(self, session: Session) -> Reply:
        """CLEAR RESTORE SOURCE."""
        session.restore_sources = ()
        return OK

    def preview(self, session: Session, command: RestorePreview) -> Reply:
        """RESTORE FROM ... UNTIL ... PREVIEW: kept in the session for SHOW RESTORE PREVIEW, which looks."""
        target = target_of(command.until, session)
        if target is None:
            raise refuse(codes.OB_OP_NOT_ALLOW, "restore preview must have a scn or timestamp, otherwise")
        if command.key_source is not None:
            parse_key_from(command.key_source)
        session.preview = (tuple(named_uri(text) for text in command.sources), target, command.key_source)
        return OK

    def show_preview(self, session: Session) -> Reply:
        """SHOW RESTORE PREVIEW: the sets and pieces that the restore would read, in the order it needs them.

        What such a restore would warn of is a warning here too, and so is what it would be refused for: a key that is not at hand.
        """
        if session.preview is None:
            raise not_supported("show restore preview before ALTER SYSTEM RESTORE PREVIEW is")
        sources, target, key_source = session.preview
        self._catch_up(places_of(sources), target)
        opened = self._workers.open(sources)
        masters, _ = self._keys.for_restore([one.store for one in opened], session.decryption, key_source)
        found = self._workers.read(opened, masters)
        plan = self._workers.plan(
            found, target, is_key_named=key_source is not None, has_passwords=session.decryption is not None
        )
        warnings = [*_refusals(plan, session.decryption, masters), *_told(plan, is_key_named=key_source is not None)]
        rows = [
            (
                "BACKUP_SET",
                fact.manifest.backup_set_id,
                f"{found.sources[fact.source].store.location}/{fact.root}",
                f"{_type_of(fact.root)}, consistent at SCN {int(fact.manifest.min_restore_scn)}",
            )
            for fact in plan.chain
        ]
        rows += [
            (
                "BACKUP_PIECE",
                step.piece.piece_id,
                f"{found.sources[step.piece.source].store.location}/{step.piece.root}",
                f"round {step.piece.round_id}, SCN {int(step.piece.start_scn)} to {int(step.piece.end.scn)}",
            )
            for step in plan.steps
        ]
        return Reply(columns=_PREVIEW_COLUMNS, rows=tuple(rows), warnings=tuple(warnings))

    def begin(self, order: RestoreOrder) -> Tenant:
        """Check the order, record the tenant and its job and let a worker begin; return the tenant, in status RESTORE.

        When the job has ended the tenant is NORMAL and STANDBY, or gone. A caller learns it from the job's row in the catalog
        (`restores.job`, of sys or of the tenant), which outlives both. Raises RefusedError, CorruptionError; nothing is left.
        """
        return self._begin(order)[0]

    def _begin(self, order: RestoreOrder) -> tuple[Tenant, RestorePlan]:
        self._catch_up(places_of(order.sources), order.target)
        opened = self._workers.open(order.sources)
        masters, vault = order.masters, Vault()
        if masters is None:
            masters, others = self._keys.for_restore([one.store for one in opened], order.passwords, order.key_source)
            vault = Vault(others=others, readers=(order.key_source,) if order.key_source else ())
        found = self._workers.read(opened, masters)
        plan = self._workers.plan(
            found,
            order.target,
            order.form,
            is_key_named=order.key_source is not None,
            has_passwords=order.passwords is not None,
        )
        if order.kept is None:
            secrets = open_keys(plan, order.passwords, masters)
        else:
            secrets = kept_keys(plan, order.kept, masters)
        require_log_keys(plan, masters)
        vault = replace(vault, others=_with_those_of(plan, masters, vault.others))
        data_keys(plan, secrets.get)  # a changed manifest is refused before anything is created
        # A set is read by its own engine and no other; `plan` has made sure that it is here.
        version = self._engines.of(plan.set.manifest.engine_data_version)
        state = (TenantStatus.RESTORE, TenantRole.RESTORE)
        mode = plan.set.manifest.compatibility_mode
        try:
            tenant = self._tenants.allocate(
                order.name, order.pools, *state, mode, version=version, purpose=order.purpose
            )
        except RefusedError as error:
            if error.code is codes.OB_TENANT_EXIST:
                raise _name_exists() from error
            raise
        try:
            keyring = self._workers.keyring(tenant.tenant_id)
            for set_id, key in secrets.items():
                keyring.put(set_id, key)
            if vault.others:
                self._workers.put_vault(tenant.tenant_id, vault)
            self._catalog.restores.insert(self._new_jobs(tenant, order, found, plan))
        except BaseException:
            self._workers.forget_keys(tenant.tenant_id)
            self._tenants.remove(tenant)
            raise
        self._workers.hand_over(tenant)
        return tenant, plan

    # --- life

    def resume_all(self) -> None:
        """Finish, take up or remove what a dead server left. Called once, before the door opens."""
        self._workers.sweep_keys()
        for tenant in self._catalog.tenants.hosted():
            if tenant.status is TenantStatus.RESTORE:
                self._workers.take_up(tenant)
            elif tenant.status is TenantStatus.NORMAL and tenant.role is TenantRole.PRIMARY:
                self._activation.finish(tenant)

    # --- checks and rows

    def _check_name(self, name: str) -> None:
        if self._catalog.restores.active_by_name(name):
            raise refuse(codes.OB_RESTORE_IN_PROGRESS)
        if self._catalog.tenants.find(name) is not None:
            raise _name_exists()
        if not is_valid_tenant_name(name) or is_auxiliary_name(name):
            raise refuse(codes.OB_INVALID_ARGUMENT, "tenant name", hint=TENANT_NAME_HINT)

    def _new_jobs(
        self, tenant: Tenant, order: RestoreOrder, found: Facts, plan: RestorePlan
    ) -> tuple[RestoreJob, RestoreJob]:
        manifest = plan.set.manifest
        row = RestoreJob(
            tenant_id=tenant.tenant_id,
            job_id=self._catalog.restores.next_job_id(tenant.tenant_id),
            restore_tenant_name=tenant.name,
            restore_tenant_id=tenant.tenant_id,
            backup_tenant_name=manifest.tenant_name,
            backup_tenant_id=manifest.tenant_id,
            backup_cluster_name=manifest.cluster_name,
            backup_dest=",".join(uri.identity for uri in order.sources),
            restore_option="&".join(f"{key}={value}" for key, value in order.options),
            restore_scn=plan.target,
            status=RestoreStatus.RESTORE_PRE,
            start_timestamp_us=self._clock.now_ns() // 1000,
            backup_set_list=_listed(found, [(fact.source, fact.root) for fact in plan.chain]),
            backup_piece_list=_listed(found, [(step.piece.source, step.piece.root) for step in plan.steps]),
            consistent_scn=manifest.min_restore_scn,
            description=order.description,
            owner_generation=self._generation,
        )
        sys_row = replace(
            row,
            tenant_id=SYS_TENANT_ID,
            job_id=self._catalog.restores.next_job_id(SYS_TENANT_ID),
            status=RestoreStatus.WAIT_TENANT_RESTORE_FINISH,
        )
        return sys_row, row


def _with_those_of(plan: RestorePlan, masters: Masters, others: tuple[Master, ...]) -> tuple[Master, ...]:
    """Return these master keys and those that the plan's log needs."""
    known = {master.key_id for master in others}
    needed = {key.key_id for step in plan.steps for key in step.piece.keys if key.is_sealed} - known
    found = [
        Master(key_id=key_id, created_us=0, secret=secret)
        for key_id in sorted(needed)
        if (secret := masters.get(key_id)) is not None
    ]
    return (*others, *found)


def _told(plan: RestorePlan, *, is_key_named: bool) -> list[Warn]:
    """Return what to say of the plan: what it reads in the clear, which somebody else may have made."""
    warnings: list[Warn] = []
    if is_key_named:
        warnings += [
            _left_aside([one for one in plan.left_aside if one.words == words])
            for words in dict.fromkeys(one.words for one in plan.left_aside)
        ]
        plain = [fact.root for fact in plan.chain if fact.manifest.encryption.mode is EncryptionMode.NONE]
        warnings += [_set_in_the_clear(plain)] if plain else []
    if plan.roots_in_the_clear:
        warnings.append(_in_the_clear(plan.roots_in_the_clear))
    return warnings


def _refusals(plan: RestorePlan, passwords: Passwords | None, masters: Masters) -> list[Warn]:
    """Return for what a restore of this plan is refused, as it is now: keys that are not at hand, a manifest that was changed."""
    found: list[Warn] = []

    def open_sets() -> None:
        data_keys(plan, open_keys(plan, passwords, masters).get)

    for check in (open_sets, lambda: require_log_keys(plan, masters)):
        try:
            check()
        except (RefusedError, CorruptionError) as error:
            found.append(Warn(number=error.code.client, message=f"RESTORE would be refused: {error}"))
    return found


def _left_aside(aside: Sequence[Damage]) -> Warn:
    """Return the warning of sets that are left aside for one reason."""
    more = f" and {len(aside) - 1} more" if len(aside) > 1 else ""
    return Warn(
        number=codes.OB_BACKUP_INVALID_PASSWORD.client,
        message=f"{aside[0].root}{more} is left aside: {aside[0].words}",
    )


def _set_in_the_clear(roots: Sequence[str]) -> Warn:
    return Warn(
        number=codes.OB_BACKUP_INVALID_PASSWORD.client,
        message=f"{roots[0]} is in the clear, although a key is named: unless backup_encryption was set after it was made, somebody who"
        " writes there has made it",
    )


def _in_the_clear(roots: Sequence[str]) -> Warn:
    more = f" and {len(roots) - 1} more" if len(roots) > 1 else ""
    return Warn(
        number=codes.OB_BACKUP_INVALID_PASSWORD.client,
        message=f"{roots[0]}{more} holds log in the clear behind a sealed set: unless backup_encryption was off by then, somebody who"
        " writes there has exchanged it",
    )


def _unsealed(tenant: Tenant) -> Warn:
    return Warn(
        number=codes.OB_OP_NOT_ALLOW.client,
        message=f"tenant {tenant.name} is restored from sealed backups, and its own are not: ALTER SYSTEM SET backup_encryption seals them",
        level="Note",
    )


def check_keys(*others: str | None) -> None:
    """Refuse the keys of a statement that stand in another clause than WITH KEY FROM 'source', which this version has."""
    if any(other is not None for other in others):
        raise not_supported(
            "ENCRYPTED BY or TENANT_STS_CREDENTIAL is",
            hint="a key comes by WITH KEY FROM 'file:/path', 'env:NAME' or 'command:/program ...', a password by SET DECRYPTION",
        )


def check_options(pairs: OptionPairs, options: RestoreOptions) -> None:
    """Refuse options of a restore that this version does not have."""
    if options.kms_encrypt:
        raise not_supported("kms_encrypt is", hint="seekdb has no transparent encryption")
    if pairs and not options.pools:
        raise refuse(codes.OB_MISS_ARGUMENT, "pool_list", hint="or leave WITH out: a default pool is made")


def _type_of(root: str) -> str:
    found = names.parse_set_root(root)
    return "" if found is None else str(found.type)


def _name_exists() -> RefusedError:
    return refuse(codes.OB_OP_NOT_ALLOW, "restore tenant with existed tenant name is")


def _listed(found: Facts, places: list[tuple[int, str]]) -> str:
    return ",".join(f"{found.sources[source].store.location}/{root}" for source, root in places)
