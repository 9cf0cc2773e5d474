"""Holdfast's own users in an engine: how the server gets in when the tenant's users and passwords are none of its business.

There are two (decision 53). Users are rows, rows are in the log, so what opens a restored engine by a plain login opens the living
source's as well. The first, ACCOUNT_USER, is the living engine's, and its secret is in no set. The second, SET_USER, REQUIREs X509: its
password is in each set, and nobody gets in with it but who has a certificate of this very start of the engine (`wallet`). Only engines
that hold somebody's restored log have such a wallet.

    <path>            the login of today: ACCOUNT_USER, or in an engine that was restored and not promoted SET_USER
    <path>.set        what sets hold: SET_USER. Not there as long as <path> is what they hold
    <path>.pending    a change of the first, below

What a set holds is never changed, so each set opens each moment its log reaches: a moment before there was a second account knows the
first one with that very password (`separate` gives the second the password that the first had).

The secret lies in a file of ours (0600) outside the engine's fence, and as a user in the engine. The two can not change in
one step, so a change writes the new secret to `<file>.pending` first:

    1. write and sync pending      killed here: the engine has the old secret; `open_session` finds that current works
    2. ALTER USER                  killed here: the engine has the new secret; `open_session` finds that pending works
    3. rename pending to current

At every moment one of at most two secrets on disk works, and `open_session` settles which. A killed server's ALTER USER may still
be on its way into the engine: so a pending secret is never dropped for a third one before the engine has been told of it (`rotate`),
and a login tries the pending one again after the current one was refused.
"""

import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from ssl import SSLContext
from typing import Any, cast

from holdfast import disk
from holdfast.engine import wallet
from holdfast.engine.session import NO_TLS, Session, SqlError, connect
from holdfast.errors import CorruptionError, EngineError, NotFoundError
from holdfast.values.json_text import parse_json

ACCOUNT_USER = "__holdfast"
SET_USER = "__holdfast_restore"
_ACCESS_DENIED = 1045
_POLICY = (
    "validate_password_length",
    "validate_password_mixed_case_count",
    "validate_password_number_count",
    "validate_password_special_char_count",
)
"""What a tenant may ask of every password set in its engine, ours too: 1819 kept a restored tenant from being opened."""
_SECRET_BYTES = 32
_FILE_BYTES_MAX = 1 << 16
_SECRET_CHARACTERS_MAX = 8192
"""Nobody needs more. The engine takes 4,294,967,294, which no password has."""
_changes_lock = threading.Lock()
_changes: dict[Path, threading.Lock] = {}
_LOGIN_TRIES = 3
"""A change can land between trying the pending and trying the current secret; that it does so twice needs two changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A login. The password is in no `repr`."""

    user: str
    password: str = field(repr=False)

    def encode(self) -> bytes:
        """Return the JSON text that `decode_account` reads; it holds the secret."""
        return json.dumps({"user": self.user, "password": self.password}, sort_keys=True).encode() + b"\n"


def decode_account(data: bytes) -> Account:
    """Return the account `encode` wrote. Raises CorruptionError without showing the bytes."""
    try:
        read = cast(dict[str, Any], parse_json(data))
        return Account(user=str(read["user"]), password=str(read["password"]))
    except (ValueError, KeyError, TypeError) as error:
        # Not chained: the cause of a JSON error quotes the text it failed on.
        raise CorruptionError(f"account file is not valid: {type(error).__name__}") from None


def create_account(session: Session, path: Path | None = None) -> Account:
    """Make the account in a new engine through `session` (root) and, with `path`, store it; return it.

    Repeatable: a creation that was killed half way is finished by doing it again.
    """
    account = _new_account(session)
    if path is not None:
        _write(_pending(path), account)
    _set_password(session, account, create=True)
    session.execute(f"grant all privileges on *.* to '{ACCOUNT_USER}' with grant option")
    if path is not None:
        _settle(path)
    return account


def rotate(session: Session, path: Path) -> Account:
    """Give the account a new secret through `session` (any that may); return it. Survives a kill at every step."""
    with _changing(path):
        return _rotate(session, path)


def _rotate(session: Session, path: Path) -> Account:
    pending = _load_pending(path)
    if pending is not None:
        # Told again, so that it does not matter when the killed server's own telling arrives: it says the same.
        _set_password(session, pending, create=True)
        _settle(path)
    account = _new_account(session)
    _write(_pending(path), account)
    # A restored engine's moment may have been one without it.
    _set_password(session, account, create=True)
    session.execute(f"grant all privileges on *.* to '{ACCOUNT_USER}' with grant option")
    _settle(path)
    return account


def separate(session: Session, path: Path) -> None:
    """Give sets a login of their own, and the engine one that no set holds, through `session` (any that may). Repeatable.

    The engine must take writes. For each that comes to do so: a new one, a promoted one, one of before there were two accounts.

        1. what sets hold written    killed here or below: done again from here, with the same password
        2. the second account made
        3. the first one's secret changed, as above

    Raises SqlError, EngineError, NotFoundError.
    """
    with _changing(path):
        if is_separate(path):
            return
        held = set_account(path)
        if held.user != SET_USER or not _set_file(path).exists():
            held = Account(user=SET_USER, password=load_account(path).password)
            _write(_set_file(path), held)
        try:
            restore_account(session, path, SET_USER)
        except SqlError as error:
            if error.is_lost:
                raise
            # The engine remembers one that was dropped a moment ago, or whose row was taken away: CREATE IF NOT EXISTS did nothing.
            remake_account(session, path, SET_USER)
        _rotate(session, path)


def is_separate(path: Path) -> bool:
    """Return whether the engine has a login that no set holds; False also when that is not known."""
    try:
        current, held = load_account(path), load_account(_set_file(path))
    except (NotFoundError, CorruptionError):
        return False
    return current.user == ACCOUNT_USER and current.password != held.password


def set_account(path: Path) -> Account:
    """Return the login that sets of this engine hold. Raises NotFoundError, CorruptionError."""
    try:
        return load_account(_set_file(path))
    except NotFoundError:
        return load_account(path)


def is_of_set(path: Path) -> bool:
    """Return whether the login of today is one out of a set: of an engine that was restored and not promoted."""
    try:
        return load_account(path).user == SET_USER
    except (NotFoundError, CorruptionError):
        return False


def authority_file(path: Path) -> Path:
    """Return where the certificate lies by which we know the engine of this start."""
    return path.with_name(path.name + ".ca.pem")


def client_file(path: Path) -> Path:
    """Return where the certificate lies by which the engine knows us, if it has a wallet."""
    return path.with_name(path.name + ".client.pem")


def restore_account(session: Session, path: Path, user: str = ACCOUNT_USER) -> None:
    """Make an account as it was, with the password on disk, where its tenant changed or dropped it. Repeatable.

    It is made by its password's hash, which no policy of the tenant's refuses.

    Raises SqlError, NotFoundError.
    """
    account, required = _told(path, user), _required(user)
    session.execute(
        f"create user if not exists '{user}' identified by password %s require {required}",
        (password_hash(path, user),),
    )
    session.execute(f"alter user '{user}' require {required}")  # first: what is let in by a certificate alone stays so
    if not _has_password(session, path, user):
        _set_password(session, account, create=False)
    session.execute(f"alter user '{user}' account unlock")
    session.execute(f"alter user '{user}' with max_connections_per_hour 0 max_user_connections 0")
    session.execute(f"grant all privileges on *.* to '{user}' with grant option")


def remake_account(session: Session, path: Path, user: str = ACCOUNT_USER) -> None:
    """Make an account anew, with the password on disk, where the engine's row and what it remembers of it differ. Raises as above.

    Without its row no statement about a user works (1396, measured on 1.4.0), so the row is put back as it was last known, if the
    engine remembers the account (`mysql.user` shows that). What is left after the DROP is nobody's row. Killed between the DROP and the
    CREATE: the account is gone, which is found again as that.
    """
    names = ", ".join(session.columns("select * from oceanbase.__all_user limit 1")[0])
    is_known = session.query("select 1 from oceanbase.__all_user where user_name = %s and host = '%%' limit 1", (user,))
    is_remembered = session.query("select 1 from mysql.user where user = %s and host = '%%' limit 1", (user,))
    if is_remembered and not is_known:
        session.execute(
            f"insert into oceanbase.__all_user ({names}) select {names} from oceanbase.__all_user_history"
            " where user_name = %s and host = '%%' and is_deleted = 0 order by schema_version desc limit 1",
            (user,),
        )
    session.execute(f"drop user if exists '{user}'")
    session.execute("delete from oceanbase.__all_user where user_name = %s and host = '%%'", (user,))
    session.execute(
        f"create user '{user}' identified by password %s require {_required(user)}", (password_hash(path, user),)
    )
    session.execute(f"grant all privileges on *.* to '{user}' with grant option")


def remaking(path: Path) -> tuple[str, ...]:
    """Return the statements that make the account with the password on disk, for a session that is not ours: they hold its hash.

    Raises NotFoundError, CorruptionError.
    """
    return (
        f"drop user if exists '{ACCOUNT_USER}'",
        f"create user '{ACCOUNT_USER}' identified by password '{password_hash(path)}'",
        f"grant all privileges on *.* to '{ACCOUNT_USER}' with grant option",
    )


def _has_password(session: Session, path: Path, user: str) -> bool:
    rows = session.query(
        "select passwd from oceanbase.__all_user where user_name = %s and host = '%%' limit 1", (user,)
    )
    return bool(rows) and str(rows[0][0]).lower() == password_hash(path, user)


def _told(path: Path, user: str) -> Account:
    """Return the account as the engine was last told of it."""
    return set_account(path) if user == SET_USER else _load_pending(path) or load_account(path)


def _required(user: str) -> str:
    return "x509" if user == SET_USER else "none"


def password_hash(path: Path, user: str = ACCOUNT_USER) -> str:
    """Return what the engine keeps of the password on disk, in lower case. Raises NotFoundError, CorruptionError."""
    account = _told(path, user)
    inner = hashlib.sha1(account.password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(inner, usedforsecurity=False).hexdigest()


def store_account(path: Path, account: Account) -> None:
    """Write `account` (0600, durable) as the one at `path`."""
    _write(_pending(path), account)
    _settle(path)


def is_stored(path: Path) -> bool:
    """Return whether there is an account at `path`, be it the first half of a change that was killed."""
    return path.exists() or _pending(path).exists()


def load_account(path: Path) -> Account:
    """Return the account at `path`. Raises NotFoundError or CorruptionError."""
    try:
        return decode_account(disk.read_file(path, size_bytes_max=_FILE_BYTES_MAX))
    except FileNotFoundError:
        raise NotFoundError(f"no account at {path}") from None
    except ValueError as error:
        raise CorruptionError(f"account file {path} is {error}") from None


def open_session(socket: Path, path: Path, database: str | None = None) -> Session:
    """Return a session of the account stored at `path`, settling a change that was killed half way.

    Raises SqlError (1045: the engine knows neither secret; 2003: nobody listens) or NotFoundError.
    """
    for _ in range(_LOGIN_TRIES):
        pending = _load_pending(path)
        if pending is not None:
            session = _login(socket, pending, database)
            if session is not None:
                _settle(path)
                return session
        session = _login_of_today(socket, path, database) if pending is None or path.exists() else None
        if session is not None:
            # A pending file stays: the ALTER USER of a killed process may still be on its way into the engine.
            return session
    return connect(socket, ACCOUNT_USER, load_account(path).password, database)


def _login_of_today(socket: Path, path: Path, database: str | None) -> Session | None:
    """Return a session, None if the engine knows neither account with this secret.

    A set's secret is the second account's, or at a moment before there was one the first one's: a standby that follows comes from one to
    the other. What an older server restored is kept as the first one's.
    """
    account = load_account(path)
    first, second = Account(user=ACCOUNT_USER, password=account.password), replace(account, user=SET_USER)
    tls = wallet.client_context(client_file(path))
    if tls is None:
        return _login(socket, first, database)
    if account.user == SET_USER:
        return _login(socket, second, database, tls) or _login(socket, first, database)
    session = _login(socket, first, database)
    if session is None and not _set_file(path).exists():
        session = _login(socket, second, database, tls)
        if session is not None:
            with _changing(path):
                # By this name alone: `.pending` is a promotion's, which may have come between.
                if load_account(path) == account and not _set_file(path).exists():
                    _write(path, second)
    return session


def _login(socket: Path, account: Account, database: str | None, tls: SSLContext | None = None) -> Session | None:
    """Return a session, None if the engine does not know this secret, or no certificates."""
    try:
        return connect(socket, account.user, account.password, database, tls=tls)
    except SqlError as error:
        if error.errno != _ACCESS_DENIED and (tls is None or error.errno != NO_TLS):
            raise
        return None


def _load_pending(path: Path) -> Account | None:
    """Return the secret of a change under way; None also for one killed while its file was written: nobody was told of that."""
    try:
        return load_account(_pending(path))
    except (NotFoundError, CorruptionError):
        return None


def _new_account(session: Session) -> Account:
    return Account(user=ACCOUNT_USER, password=new_secret(session))


def new_secret(session: Session) -> str:
    """Return a secret of ours that the engine's password policy, which is its tenant's to set, accepts. Raises EngineError."""
    row = session.query(f"select {', '.join(f'@@global.{name}' for name in _POLICY)} limit 1")[0]
    length, *counts = (int(value) for value in row)
    letters, digits, specials = counts
    if max(length, 2 * letters + digits + specials) > _SECRET_CHARACTERS_MAX:
        told = ", ".join(f"{name} = {value}" for name, value in zip(_POLICY, (length, *counts), strict=True))
        raise EngineError(
            f"no password of Holdfast's own account meets the tenant's policy: {told}",
            hint=f"SET GLOBAL {_POLICY[0]} to {_SECRET_CHARACTERS_MAX} or less, the counts likewise",
        )
    secret = secrets.token_urlsafe(_SECRET_BYTES) + "aA" * letters + "1" * digits + "-" * specials
    return secret.ljust(length, "x")


def _set_password(session: Session, account: Account, *, create: bool) -> None:
    """Make the engine's user have this password. The secret goes as an argument: no error message shows it."""
    if create:
        session.execute(f"create user if not exists '{account.user}' identified by %s", (account.password,))
    session.execute(f"alter user '{account.user}' identified by %s", (account.password,))


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Let one change of an engine's accounts go on at a time: a start, a look and a promotion may each come to one."""
    with _changes_lock:
        lock = _changes.setdefault(path, threading.Lock())
    with lock:
        yield


def _set_file(path: Path) -> Path:
    return path.with_name(path.name + ".set")


def _pending(path: Path) -> Path:
    return path.with_name(path.name + ".pending")


def _write(path: Path, account: Account) -> None:
    """Write atomically and durably, readable by us alone from the first byte on."""
    try:
        disk.make_folder(path.parent)
        disk.write_file(path, account.encode())
    except OSError as error:
        raise EngineError(f"account file {path} can not be written: {error.strerror}") from error


def _settle(path: Path) -> None:
    """The pending secret is the engine's now: make it the current one. Repeatable from any thread."""
    try:
        disk.move(_pending(path), path)
    except FileNotFoundError:
        return  # another thread settled the same change
