"""Holdfast's own user in an engine: how the server gets in when the tenant's users and passwords are none of its business.

The secret lies in a file of ours (0600) outside the engine's fence, and as a user in the engine. The two can not change in
one step, so a change writes the new secret to `<file>.pending` first:

    1. write and sync pending      killed here: the engine has the old secret; `open_session` finds that current works
    2. ALTER USER                  killed here: the engine has the new secret; `open_session` finds that pending works
    3. rename pending to current

At every moment one of at most two secrets on disk works, and `open_session` settles which. A killed server's ALTER USER may still
be on its way into the engine: so a pending secret is never dropped for a third one before the engine has been told of it (`rotate`),
and a login tries the pending one again after the current one was refused.
"""

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.engine.session import Session, SqlError, connect
from holdfast.errors import CorruptionError, EngineError, NotFoundError

ACCOUNT_USER = "__holdfast"
_ACCESS_DENIED = 1045
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
        read = json.loads(data)
        return Account(user=str(read["user"]), password=str(read["password"]))
    except (ValueError, KeyError, TypeError) as error:
        # Not chained: the cause of a JSON error quotes the text it failed on.
        raise CorruptionError(f"account file is not valid: {type(error).__name__}") from None


def create_account(session: Session, path: Path | None = None) -> Account:
    """Make the account in a new engine through `session` (root) and, with `path`, store it; return it.

    Repeatable: a creation that was killed half way is finished by doing it again.
    """
    account = _new_account()
    if path is not None:
        _write(_pending(path), account)
    _set_password(session, account, create=True)
    session.execute(f"grant all privileges on *.* to '{ACCOUNT_USER}' with grant option")
    if path is not None:
        _settle(path)
    return account


def rotate(session: Session, path: Path) -> Account:
    """Give the account a new secret through `session` (any that may); return it. Survives a kill at every step."""
    pending = _load_pending(path)
    if pending is not None:
        # Told again, so that it does not matter when the killed server's own telling arrives: it says the same.
        _set_password(session, pending, create=False)
        _settle(path)
    account = _new_account()
    _write(_pending(path), account)
    _set_password(session, account, create=False)
    _settle(path)
    return account


def store_account(path: Path, account: Account) -> None:
    """Write `account` (0600, durable) as the one at `path`."""
    _write(_pending(path), account)
    _settle(path)


def load_account(path: Path) -> Account:
    """Return the account at `path`. Raises NotFoundError or CorruptionError."""
    try:
        return decode_account(path.read_bytes())
    except FileNotFoundError:
        raise NotFoundError(f"no account at {path}") from None


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
        session = _login(socket, load_account(path), database) if pending is None or path.exists() else None
        if session is not None:
            # A pending file stays: the ALTER USER of a killed process may still be on its way into the engine.
            return session
    current = load_account(path)
    return connect(socket, current.user, current.password, database)


def _login(socket: Path, account: Account, database: str | None) -> Session | None:
    """Return a session, None if the engine does not know this secret."""
    try:
        return connect(socket, account.user, account.password, database)
    except SqlError as error:
        if error.errno != _ACCESS_DENIED:
            raise
        return None


def _load_pending(path: Path) -> Account | None:
    """Return the secret of a change under way; None also for one killed while its file was written: nobody was told of that."""
    try:
        return load_account(_pending(path))
    except (NotFoundError, CorruptionError):
        return None


def _new_account() -> Account:
    return Account(user=ACCOUNT_USER, password=secrets.token_urlsafe(32))


def _set_password(session: Session, account: Account, *, create: bool) -> None:
    """Make the engine's user have this password. The secret goes as an argument: no error message shows it."""
    if create:
        session.execute(f"create user if not exists '{ACCOUNT_USER}' identified by %s", (account.password,))
    session.execute(f"alter user '{ACCOUNT_USER}' identified by %s", (account.password,))


def _pending(path: Path) -> Path:
    return path.with_name(path.name + ".pending")


def _write(path: Path, account: Account) -> None:
    """Write atomically and durably, readable by us alone from the first byte on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(account.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise EngineError(f"account file {path} can not be written: {error.strerror}") from error


def _settle(path: Path) -> None:
    """The pending secret is the engine's now: make it the current one. Repeatable from any thread."""
    try:
        os.replace(_pending(path), path)
    except FileNotFoundError:
        return  # another thread settled the same change
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
