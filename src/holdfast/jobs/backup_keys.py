"""`backup_encryption`: a tenant's backup keys in the hands of its server, for whoever seals and whoever reads.

Order of effects, for the crash:

    1. the vault: property, wrapping key, a new master key, and which destinations are behind it, in one file
                                                                            killed after: it counts; SHOW PARAMETERS is behind
    2. the parameter, for people                                            killed after: destinations are wrapped as before
    3. the key object of each destination that has one                      killed in between: put right before more is sealed there

Nothing is sealed with a master key before the destination that it lies in holds it, wrapped: `secure`. Nothing that is to be sealed
is put in the clear: whoever may not have the key gets a refusal, and waits. A key object is never put over one that holds a master key
the vault has not: that would lose it.

The source of the host is looked at again and again: what was lost is said before it is needed, while this server, which keeps the
keys, can still mend it.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from blake3 import blake3

from holdfast import codes
from holdfast.archive.journal import Sealing
from holdfast.backup_format import names
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.key_record import KEYS_MAX, KeyRecord, Protection, decode_key_record, encode_key_record
from holdfast.backup_format.log_frame import LogKeys
from holdfast.backup_format.piece_keys import PieceKey
from holdfast.catalog.backups import ENCRYPTION_KEY, ENCRYPTION_NONE
from holdfast.catalog.catalog import Catalog
from holdfast.clock import Clock
from holdfast.config import key_of_environment
from holdfast.destination.documents import read_document
from holdfast.errors import (
    CorruptionError,
    HoldfastError,
    NotFoundError,
    RefusedError,
    StoreUnavailableError,
    UnknownVersionError,
    refuse,
)
from holdfast.jobs.destinations import OpenStore
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.reply import OK, Reply, Warn
from holdfast.jobs.rights import not_supported, require_root_of_sys
from holdfast.jobs.session import Session
from holdfast.keys.masters import NO_MASTERS, Master, Masters, new_piece_key, new_set_key
from holdfast.keys.password import Passwords, SetKey, SetPlace
from holdfast.keys.source import (
    FORMS,
    NONE,
    PASSWORD,
    KeySource,
    checked_secret,
    exposure,
    no_key,
    parse_key_from,
    parse_source,
    read_secret,
)
from holdfast.keys.vault import Vault, opened_by
from holdfast.statement.parameter_grammar import BACKUP_ENCRYPTION
from holdfast.store.store import Store
from holdfast.values.archive import FileStatus
from holdfast.values.destination import Destination, DestinationKind
from holdfast.values.lsn import Lsn
from holdfast.values.owner import JobKind
from holdfast.values.tenant import Tenant, TenantStatus

log = logging.getLogger("holdfast.keys")

PARAMETER = BACKUP_ENCRYPTION
_LOOK_SECONDS = 5.0
_KEEP_SECONDS = 30.0
"""How soon a key object that somebody removed from an archive is put again: without it nothing there opens on another machine."""
_OBJECTS_LOOK_SECONDS = 20.0
"""How soon a key object that somebody removed, cut or put back is put again anywhere else; a small read of each destination."""
_END_SECONDS_MAX = 2.0
"""A look takes a millisecond; a command that hangs is left behind."""
_LOOK_SECONDS_MAX = 1.0
"""How long the looks at other tenants wait for one: a source or a destination that hangs is left to its tenant's own thread."""
_COMMAND_LOOK_SECONDS = 60.0
"""A key service is not asked every few seconds whether it still has the key."""

MastersOf = Callable[[int], Masters]
"""The master keys with which a tenant's own destinations may be read."""


def no_masters(tenant_id: int) -> Masters:
    return NO_MASTERS


@dataclass(slots=True)
class _State:
    """What is known of one tenant. `verified`: digest of the secret that its source gave when it was looked at last, and was right.

    `lacking`: by destination, why its key object is not as it must be, so that what lies there opens with no source's key or another's.
    `exposed`: what was said last of who else may reach the source.
    """

    vault: Vault
    trouble: RefusedError | None = None
    lacking: dict[str, str] = field(default_factory=dict)
    exposed: str = ""
    verified: bytes = field(default=b"", repr=False)
    looked_at: float = float("-inf")

    def __post_init__(self) -> None:
        """Take from the vault what another server of this directory knew to be lacking: the place may be away since."""
        for place in self.vault.behind:
            self.lacking.setdefault(place, _needs_before(place, f"it was not reached since {PARAMETER} was set"))


class BackupKeys:
    """Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        directories: ClusterDirectory,
        clock: Clock,
        *,
        identity: ClusterIdentity,
        open_store: OpenStore,
        take: Callable[[Destination, Store], None],
        environment: Callable[[str], bytes | None] = key_of_environment,
    ) -> None:
        """`take`: makes this server the writer of a destination, or raises (decision 42)."""
        self._catalog = catalog
        self._directories = directories
        self._clock = clock
        self._identity = identity
        self._open_store = open_store
        self._take = take
        self._environment = environment
        self._lock = threading.Lock()
        self._tenant_locks: dict[int, threading.RLock] = {}
        self._states: dict[int, _State] = {}
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    # --- life

    def begin(self) -> None:
        """Look at the sources, and at the key objects of the destinations, from now on. The one does not wait for the other."""
        for name, wait_seconds, look in (
            ("backup keys", _LOOK_SECONDS, self._look_regularly),
            ("key objects", _OBJECTS_LOOK_SECONDS, self.keep_objects),
        ):
            thread = threading.Thread(target=self._watch, args=(wait_seconds, look), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(_END_SECONDS_MAX)

    # --- the statement

    def assign(self, session: Session, tenants: Sequence[Tenant], text: str, password: str | None) -> Reply:
        """SET backup_encryption: every tenant is checked and the source read before the first takes effect.

        Raises RefusedError 1227 for a source of the host that another than root@sys names, and to a tenant for what sys set; 1235 for
        tenant sys; 1210 for a bad text; -9047 for a source that gives no key, or that does not open the keys a destination holds.
        """
        kind = text.strip()
        source: KeySource | None = None
        secret = b""
        if any(tenant.is_sys for tenant in tenants):
            raise not_supported("backup_encryption of tenant sys is", hint="name a user tenant: ... TENANT = t")
        if kind.lower() == PASSWORD:
            if password is None:
                raise refuse(codes.OB_INVALID_ARGUMENT, PARAMETER, hint="write 'password' IDENTIFIED BY '...'")
            secret = checked_secret(password.encode(), "the password")
        elif password is not None:
            raise refuse(codes.OB_INVALID_ARGUMENT, PARAMETER, hint=f"write {FORMS}")
        elif kind.upper() != NONE:
            source = parse_source(text)
            require_root_of_sys(
                session, "names a file, a variable or a command of the server's machine for backup_encryption"
            )
            secret = read_secret(source, self._environment)
        if not session.tenant.is_sys:
            for tenant in tenants:
                if self._loaded(tenant.tenant_id).vault.source not in (NONE, PASSWORD):
                    raise refuse(codes.OB_ERR_NO_PRIVILEGE, "SYS TENANT")
        warnings: list[Warn] = []
        if source is not None and (exposed := exposure(source)):
            warnings.append(
                Warn(
                    number=codes.OB_OP_NOT_ALLOW.client, message=f"{exposed}: only the server's account should reach it"
                )
            )
        for tenant in tenants:
            warnings += self._assign(tenant, source, secret, is_password=kind.lower() == PASSWORD)
        return Reply(warnings=tuple(warnings)) if warnings else OK

    def _assign(self, tenant: Tenant, source: KeySource | None, secret: bytes, *, is_password: bool) -> list[Warn]:
        tenant_id = tenant.tenant_id
        with self._tenant_lock(tenant_id):
            vault = self._vault_or_none(tenant_id) or Vault()
            if secret:
                vault = vault.with_masters(self._found(tenant_id, secret))
                if len(vault.masters) >= KEYS_MAX:
                    raise not_supported(
                        f"more than {KEYS_MAX} keys of one tenant are", hint="begin with new destinations"
                    )
                vault = vault.protected_by(
                    PASSWORD if source is None else source.text,
                    Protection.PASSWORD if source is None else source.protection,
                    secret,
                    self._clock.now_ns() // 1000,
                )
                assert is_password == (source is None)
                needed = [one.uri.identity for one in self._used(tenant_id) if self._is_needed(one)]
                vault = replace(vault, behind=tuple(needed))
            else:
                vault = replace(vault, source=NONE)
            self._directories.vault(tenant_id).put(vault)
            state = _State(vault=vault, verified=_digest(secret), looked_at=self._clock.monotonic())
            with self._lock:
                self._states[tenant_id] = state
            self._show(tenant_id, vault)
            return self._secure_all(tenant, state) if secret else []

    def _note_lacking(self, tenant_id: int, state: _State, lacking: dict[str, str]) -> None:
        """Have the state and the vault say which destinations lack their key object; a state that was replaced meanwhile says nothing."""
        with self._tenant_lock(tenant_id):
            with self._lock:
                if self._states.get(tenant_id) is not state:
                    return
            state.lacking = lacking
            behind = tuple(sorted(lacking))
            if behind != tuple(sorted(state.vault.behind)):
                state.vault = replace(state.vault, behind=behind)
                self._directories.vault(tenant_id).put(state.vault)

    def _found(self, tenant_id: int, secret: bytes) -> tuple[Master, ...]:
        """Return what the key objects of the tenant's destinations hold for this secret: all, when this server lost its own."""
        found: dict[str, Master] = {}
        for destination in self._used(tenant_id):
            place = destination.uri.identity
            try:
                store = self._open_store(destination.uri, create=False)
                record = read_keys(store)
            except HoldfastError as error:
                log.warning("tenant %d: keys are not looked for at %s: %s", tenant_id, place, error)
                continue
            if record is not None and record.tenant_id == tenant_id:
                name = f"{store.location}/{names.KEYS_FILE}"
                found.update((one.key_id, one) for one in opened_by(record, secret, name=name))
        return tuple(found.values())

    def _secure_all(self, tenant: Tenant, state: _State) -> list[Warn]:
        """Wrap the master keys anew in every destination that holds them. One that can not be written now is looked at again and again;
        until then the source before opens it. One that another server writes by now is that one's: what it has sealed since
        would not open any more."""
        lacking: dict[str, str] = {}
        for destination in self._used(tenant.tenant_id):
            place, store = destination.uri.identity, None
            try:
                store = self._open_store(destination.uri, create=False)
                if store.stat(names.KEYS_FILE) is None:
                    continue  # nothing of it is sealed yet, or `keep_objects` finds that something is
                self._take(destination, store)
                self.secure(tenant.tenant_id, store)
            except HoldfastError as error:
                log.warning("tenant %d: %s may need its key of before: %s", tenant.tenant_id, place, error)
                if store is not None or self._is_needed(destination):
                    lacking[place] = _needs_before(place, str(error))
        self._note_lacking(tenant.tenant_id, state, lacking)
        number = codes.OB_BACKUP_INVALID_PASSWORD.client
        return [Warn(number=number, message=message) for message in lacking.values()]

    def keep_objects(self, tenant_id: int) -> None:
        """Have each destination that holds something sealed hold its key object, wrapped by the source that counts now.

        Without it nothing there opens on another machine, and only there would it be noticed: this server has the keys. What can not be
        put right is told by `trouble`. A destination that is away is told of elsewhere, unless its keys are known to be another source's.
        """
        state = self._state_or_none(tenant_id)
        if state is None or state.vault.wrapping is None:
            return
        lacking: dict[str, str] = {}
        for destination in self._used(tenant_id):
            place, store = destination.uri.identity, None
            is_needed = self._is_needed(destination)
            if not is_needed and place not in state.lacking:
                continue
            try:
                store = self._open_store(destination.uri, create=False)
                if store.stat(names.FORMAT_FILE) is None:
                    raise NotFoundError(f"{store.location} has no {names.FORMAT_FILE}")
            except HoldfastError:
                if is_needed and place in state.lacking:
                    lacking[place] = state.lacking[place]
                continue
            try:
                if self._is_kept(tenant_id, store, state.vault):
                    continue
                self._take(destination, store)
                self.secure(tenant_id, store)
                log.warning("tenant %d: %s/%s was put again", tenant_id, store.location, names.KEYS_FILE)
            except HoldfastError as error:
                lacking[place] = f"{names.KEYS_FILE} of {place} is not what opens what is sealed there: {error}"
                if place not in state.lacking:
                    log.error("tenant %d: %s", tenant_id, lacking[place])
        self._note_lacking(tenant_id, state, lacking)

    def _is_needed(self, destination: Destination) -> bool:
        """Return whether the catalog lists something at this destination that is sealed by a key of the tenant's."""
        tenant_id, dest_id = destination.tenant_id, destination.dest_id
        if destination.kind is DestinationKind.BACKUP_DATA:
            sets = self._catalog.backups.sets(tenant_id, dest_id)
            return any(
                one.encryption_mode == ENCRYPTION_KEY and one.file_status is FileStatus.AVAILABLE for one in sets
            )
        pieces = self._catalog.rounds.pieces(tenant_id)
        return any(
            one.dest_id == dest_id
            and one.encryption_mode != ENCRYPTION_NONE
            and one.file_status is FileStatus.AVAILABLE
            for one in pieces
        )

    def _is_kept(self, tenant_id: int, store: Store, vault: Vault) -> bool:
        try:
            there = read_keys(store)
        except CorruptionError as error:
            log.warning("tenant %d: %s", tenant_id, error)
            return False
        return there is not None and vault.is_in(there)

    def _used(self, tenant_id: int) -> Iterator[Destination]:
        """Yield every destination that the tenant has used, each place once."""
        seen: set[str] = set()
        for destination in self._catalog.destinations.all_of(tenant_id):
            if destination.uri.identity not in seen:
                seen.add(destination.uri.identity)
                yield destination

    # --- writing

    def seals(self, tenant_id: int) -> bool:
        """Return whether what is backed up now is sealed, or would be if its key were at hand."""
        state = self._loaded(tenant_id)
        return state.vault.seals or state.trouble is not None

    def require(self, tenant_id: int) -> Master | None:
        """Return the master key that seals now, None in the clear. Its source is looked at now. Raises RefusedError -9047."""
        state = self._loaded(tenant_id)
        if state.vault.seals:
            self._look(tenant_id, state)
        if state.trouble is not None:
            raise state.trouble
        return state.vault.masters[-1] if state.vault.seals else None

    def new_set_key(self, tenant_id: int, backup_set_id: int) -> SetKey | None:
        """Return the key of a new set, None in the clear. Raises as `require`."""
        master = self.require(tenant_id)
        if master is None:
            return None
        place = SetPlace(cluster_id=self._identity.cluster_id, tenant_id=tenant_id, backup_set_id=backup_set_id)
        return new_set_key(master, place)

    def secure(self, tenant_id: int, store: Store) -> None:
        """Have a destination hold every master key, wrapped by the source that counts now. Repeatable.

        Raises RefusedError -9047 for one that holds keys which are not known here; StoreUnavailableError.
        """
        with self._tenant_lock(tenant_id):
            vault = self._loaded(tenant_id).vault
            if vault.wrapping is None:
                return
            try:
                there = read_keys(store)
            except CorruptionError as error:
                log.warning("tenant %d: its key object is put anew: %s", tenant_id, error)
                there = None
            if there is not None:
                if vault.is_in(there):
                    return
                self._refuse_loss(tenant_id, there, vault, store)
            owner = self._identity.server.owner(self._clock.now_ns() // 1000, JobKind.NONE, 0)
            record = vault.record(self._identity.cluster_id, tenant_id, owner)
            store.put(names.KEYS_FILE, encode_key_record(record))
            written = read_keys(store)
            if written is None or not vault.is_in(written):
                raise StoreUnavailableError(
                    f"{store.location} does not give back what was written to {names.KEYS_FILE}",
                    hint="look at the destination: it may be full, or somebody else's",
                )

    def _refuse_loss(self, tenant_id: int, there: KeyRecord, vault: Vault, store: Store) -> None:
        own = {master.key_id for master in vault.masters}
        strange = [key.key_id for key in there.keys if key.key_id not in own]
        if strange or (there.cluster_id, there.tenant_id) != (self._identity.cluster_id, tenant_id):
            raise no_key(
                f"{store.location} holds {len(strange)} backup keys that this server does not have, of tenant {there.tenant_id} of"
                f" cluster {there.cluster_id}",
                hint=f"SET {PARAMETER} to what opens them ({there.protection}), then to the new source; or set another destination",
            )

    def sealing(self, tenant_id: int) -> Sealing:
        """Return how the tenant's archive is sealed."""
        return _TenantSealing(self, tenant_id, self._identity.cluster_id, self._clock)

    def trouble(self, tenant_id: int) -> str:
        """Return why the tenant's backup key is not at hand, or what is sealed lies without it; "" while all is well. Cheap."""
        try:
            self.key_id(tenant_id)
        except HoldfastError as error:
            return str(error)
        state = self._state_or_none(tenant_id)
        return "" if state is None else "; ".join(state.lacking.values())

    def key_id(self, tenant_id: int) -> str:
        """Return the id of the master key that seals now, "" in the clear, as of the last look. Raises RefusedError -9047."""
        state = self._loaded(tenant_id)
        if state.vault.seals and state.looked_at == float("-inf"):
            self._look(tenant_id, state)
        if state.trouble is not None:
            raise state.trouble
        return state.vault.masters[-1].key_id if state.vault.seals else ""

    # --- reading

    def masters(self, tenant_id: int) -> Masters:
        """Return the tenant's own master keys, and those of the tenant it was restored from."""
        try:
            vault = self._loaded(tenant_id).vault
        except RefusedError:
            return NO_MASTERS
        return Masters({master.key_id: master.secret for master in (*vault.others, *vault.masters)})

    def of_log_source(self, tenant_id: int, store: Store) -> Masters:
        """Return what a standby reads its source's archive with: also what its primary, or its key source, has got since.

        Keys of any tenant of this server serve: what a standby takes in is its own log's continuation, or refused.
        """

        def more(key_id: str) -> bytes | None:
            hosted = (self.masters(tenant.tenant_id) for tenant in self._catalog.tenants.hosted())
            found = next((secret for masters in hosted if (secret := masters.get(key_id)) is not None), None)
            return found or self._read_again(tenant_id, store, key_id)

        return Masters(self.masters(tenant_id).known(), more)

    def _read_again(self, tenant_id: int, store: Store, key_id: str) -> bytes | None:
        """Return a master key that the key sources this tenant was restored with open, and keep what they open."""
        with self._tenant_lock(tenant_id):
            vault = self._loaded(tenant_id).vault
            record = read_keys(store) if vault.readers else None
            if record is None:
                return None
            found: dict[str, Master] = {}
            for text in vault.readers:
                try:
                    secret = read_secret(parse_source(text), self._environment)
                    found.update((one.key_id, one) for one in opened_by(record, secret, name=names.KEYS_FILE))
                except HoldfastError as error:
                    log.warning("tenant %d: the key of its log source can not be read: %s", tenant_id, error)
            known = {master.key_id for master in vault.others}
            added = tuple(master for master in found.values() if master.key_id not in known)
            if added:
                vault = replace(vault, others=(*vault.others, *added))
                self._directories.vault(tenant_id).put(vault)
                with self._lock:
                    self._states[tenant_id] = _State(vault=vault)
            return found[key_id].secret if key_id in found else None

    def for_restore(
        self, stores: Sequence[Store], passwords: Passwords | None, key_source: str | None
    ) -> tuple[Masters, tuple[Master, ...]]:
        """Return the master keys a RESTORE by sys may use, and those that the key objects of its paths hold.

        They come from the source that WITH KEY FROM names, the passwords of SET DECRYPTION, and what sources of the host the tenants
        of this server have: root@sys set them. Raises RefusedError -9047 for a WITH KEY FROM that opens nothing,
        1210 for one that is no source.
        """
        secrets = [] if passwords is None else list(passwords.secrets())
        source = None if key_source is None else parse_key_from(key_source)
        named = None if source is None else read_secret(source, self._environment)
        if source is not None and (exposed := exposure(source)):
            log.warning("WITH KEY FROM: %s", exposed)
        if named is not None:
            secrets.insert(0, named)
        hosted: dict[str, bytes] = {}
        for tenant in self._catalog.tenants.hosted():
            state = self._state_or_none(tenant.tenant_id)
            if state is not None and state.vault.protection is not Protection.PASSWORD:
                hosted.update((master.key_id, master.secret) for master in state.vault.masters)
        found: dict[str, Master] = {}
        has_opened = has_record = False
        for store in stores:
            record = self._sound_record(store)
            if record is None:
                continue
            has_record = True
            for key in record.keys:
                if key.key_id in hosted:
                    found[key.key_id] = Master(key_id=key.key_id, created_us=key.created_us, secret=hosted[key.key_id])
            for secret in secrets:
                if secret is not named and all(key.key_id in found for key in record.keys):
                    continue
                opened = opened_by(record, secret, name=f"{store.location}/{names.KEYS_FILE}")
                found.update((one.key_id, one) for one in opened)
                has_opened = has_opened or (secret is named and bool(opened))
        if named is not None and not has_record:
            raise no_key(
                f"none of the paths has a sound {names.KEYS_FILE}",
                hint=f"name the archive's path as well, or copy its {names.KEYS_FILE} here: one opens both; what is in the clear needs no"
                " WITH KEY FROM",
            )
        if named is not None and not has_opened:
            raise no_key(
                "WITH KEY FROM opens none of the paths", hint="name the key that its tenant's backup_encryption named"
            )
        return Masters({**hosted, **{one.key_id: one.secret for one in found.values()}}), tuple(found.values())

    def _sound_record(self, store: Store) -> KeyRecord | None:
        """Return a path's key object; one that is damaged hides nothing that another path's opens."""
        try:
            return read_keys(store)
        except (CorruptionError, UnknownVersionError) as error:
            log.warning("%s", error)
            return None

    # --- looking at sources

    def _look_regularly(self, tenant_id: int) -> None:
        state = self._state_or_none(tenant_id)
        if state is not None and state.vault.seals:
            self._look(tenant_id, state, is_regular=True)

    def _watch(self, wait_seconds: float, look: Callable[[int], None]) -> None:
        """Look at all tenants in turn, again and again. Each look has a thread of its own, at most one for each tenant: a system call
        in a dead network file system does not return, and may keep nobody else's keys from being looked at."""
        looks: dict[int, threading.Thread] = {}
        while not self._ended.wait(wait_seconds):
            try:
                tenants = [one for one in self._catalog.tenants.hosted() if one.status is TenantStatus.NORMAL]
            except HoldfastError:
                continue  # the catalog's engine is on its way back
            looks = {tenant_id: thread for tenant_id, thread in looks.items() if thread.is_alive()}
            for tenant in tenants:
                if self._ended.is_set():
                    return
                if tenant.tenant_id in looks:
                    continue
                thread = threading.Thread(
                    target=self._look_at,
                    args=(tenant.tenant_id, look),
                    name=f"{threading.current_thread().name} {tenant.tenant_id}",
                    daemon=True,
                )
                try:
                    thread.start()
                except RuntimeError as error:  # no more threads just now
                    log.warning("tenant %d: its backup key is looked at later: %s", tenant.tenant_id, error)
                    continue
                thread.join(_LOOK_SECONDS_MAX)
                looks[tenant.tenant_id] = thread
                if thread.is_alive():
                    log.warning("tenant %d: a look at its backup key hangs: %s", tenant.tenant_id, thread.name)

    def _look_at(self, tenant_id: int, look: Callable[[int], None]) -> None:
        try:
            look(tenant_id)
        except HoldfastError as error:
            log.warning("tenant %d: its backup key can not be looked at: %s", tenant_id, error)
        except Exception:
            log.exception("tenant %d: its backup key can not be looked at", tenant_id)

    def _look(self, tenant_id: int, state: _State, *, is_regular: bool = False) -> None:
        """Note in the state whether the source still gives the key that it gave when it was set."""
        vault, now = state.vault, self._clock.monotonic()
        if vault.protection is Protection.PASSWORD or vault.wrapping is None:
            state.looked_at = now
            return
        if is_regular and vault.protection is Protection.COMMAND and now - state.looked_at < _COMMAND_LOOK_SECONDS:
            return
        source = parse_source(vault.source)
        # The tenant reads it in views and refusals, and the host is not its business.
        called = f"the {source.kind} that {PARAMETER} names"
        trouble: RefusedError | None = None
        self._tell_exposure(tenant_id, state, source)
        try:
            secret = read_secret(source, self._environment, called=called)
            digest = _digest(secret)
            if digest != state.verified:
                if vault.wrapping.is_of(secret):
                    state.verified = digest
                else:
                    trouble = no_key(
                        f"{called} gives another key than when it was set",
                        hint=f"put the key back; or SET {PARAMETER} again, which takes the new one",
                    )
        except RefusedError as error:
            trouble = RefusedError(
                error.message,
                hint=f"{error.hint}; or SET {PARAMETER} to another source, which needs no old key while this server lives",
                code=error.code,
            )
        if trouble is not None and state.trouble is None:
            log.error("tenant %d: %s (%s)", tenant_id, trouble, source.shown)
        elif trouble is None and state.trouble is not None:
            log.warning("tenant %d: its backup key is back", tenant_id)
        state.trouble, state.looked_at = trouble, now

    def _tell_exposure(self, tenant_id: int, state: _State, source: KeySource) -> None:
        """Log, once for each state of it, that others than the server's account may reach the key."""
        exposed = exposure(source)
        if exposed and exposed != state.exposed:
            log.warning("tenant %d: its backup key: %s", tenant_id, exposed)
        state.exposed = exposed

    # --- vaults

    def _loaded(self, tenant_id: int) -> _State:
        """Return the tenant's state. Raises RefusedError -9047 for a vault that can not be read."""
        with self._lock:
            state = self._states.get(tenant_id)
        if state is not None and (state.vault.seals or state.vault.others or state.vault.masters):
            return state
        vault = self._vault_or_none(tenant_id)
        if state is None or vault is not None:
            state = _State(vault=vault or Vault())
            if vault is None and self._is_wanted(tenant_id):
                state.trouble = self._lost(tenant_id)
            elif vault is not None:
                self._show(tenant_id, vault)
            with self._lock:
                self._states[tenant_id] = state
        return state

    def _state_or_none(self, tenant_id: int) -> _State | None:
        try:
            return self._loaded(tenant_id)
        except RefusedError:
            return None

    def _vault_or_none(self, tenant_id: int) -> Vault | None:
        try:
            return self._directories.vault(tenant_id).read()
        except CorruptionError as error:
            raise no_key(error.message, hint=error.hint) from None
        except OSError as error:
            raise no_key(f"the key file of tenant {tenant_id} can not be read: {error.strerror}", hint="") from None

    def _show(self, tenant_id: int, vault: Vault) -> None:
        """Have the parameter say what the vault does: a server may have been killed between the two."""
        if self._catalog.parameters.get(tenant_id, PARAMETER) != shown_source(vault):
            self._catalog.parameters.set(tenant_id, PARAMETER, shown_source(vault))

    def _is_wanted(self, tenant_id: int) -> bool:
        """Return whether the parameter says that backups are sealed: it outlives a vault that was lost."""
        return self._catalog.parameters.get(tenant_id, PARAMETER).upper() != NONE

    def _lost(self, tenant_id: int) -> RefusedError:
        return no_key(
            f"{self._directories.keys(tenant_id)} has lost the keys of tenant {tenant_id}",
            hint=f"SET {PARAMETER} again to what it named: the destinations hold the keys too",
        )

    def _tenant_lock(self, tenant_id: int) -> threading.RLock:
        with self._lock:
            return self._tenant_locks.setdefault(tenant_id, threading.RLock())


class _TenantSealing:
    """Implements `archive.journal.Sealing`."""

    def __init__(self, keys: BackupKeys, tenant_id: int, cluster_id: int, clock: Clock) -> None:
        self._keys = keys
        self._tenant_id = tenant_id
        self._cluster_id = cluster_id
        self._clock = clock
        self._kept_at = float("-inf")

    def keep(self, store: Store) -> None:
        if self.key_id() and self._clock.monotonic() - self._kept_at >= _KEEP_SECONDS:
            self._keys.secure(self._tenant_id, store)
            self._kept_at = self._clock.monotonic()

    def key_id(self) -> str:
        return self._keys.key_id(self._tenant_id)

    def new_key(self, store: Store, *, root: str, timeline: str, from_lsn: Lsn) -> tuple[PieceKey, DataKey]:
        master = self._keys.require(self._tenant_id)
        if master is None:
            raise no_key("it was switched off at this moment", hint="nothing is to be done")
        self._keys.secure(self._tenant_id, store)
        return new_piece_key(
            master,
            cluster_id=self._cluster_id,
            tenant_id=self._tenant_id,
            root=root,
            timeline=timeline,
            from_lsn=from_lsn,
        )

    def log_keys(self, keys: tuple[PieceKey, ...], *, root: str, timeline: str) -> LogKeys:
        return self._keys.masters(self._tenant_id).log_keys(
            keys, cluster_id=self._cluster_id, tenant_id=self._tenant_id, root=root, timeline=timeline
        )


def read_keys(store: Store) -> KeyRecord | None:
    """Return a destination's key object, None without one. Raises CorruptionError, UnknownVersionError, StoreUnavailableError."""
    name = f"{store.location}/{names.KEYS_FILE}"
    try:
        return read_document(store, names.KEYS_FILE, lambda data: decode_key_record(data, name=name))[0]
    except NotFoundError:
        return None


def _needs_before(place: str, why: str) -> str:
    return f"{place} still needs the key of before for what is sealed there: {why}"


def shown_source(vault: Vault) -> str:
    """Return what SHOW PARAMETERS says of the property."""
    return vault.source if vault.source in (NONE, PASSWORD) else parse_source(vault.source).shown


def _digest(secret: bytes) -> bytes:
    return blake3(secret, derive_key_context="holdfast backup key source, seen before").digest() if secret else b""
