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

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from holdfast import disk
from holdfast.engine.session import Session, SqlError, connect
from holdfast.errors import CorruptionError, EngineError, NotFoundError
from holdfast.values.json_text import parse_json

ACCOUNT_USER = "__holdfast"
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
    pending = _load_pending(path)
    if pending is not None:
        # Told again, so that it does not matter when the killed server's own telling arrives: it says the same.
        _set_password(session, pending, create=False)
        _settle(path)
    account = _new_account(session)
    _write(_pending(path), account)
    _set_password(session, account, create=False)
    _settle(path)
    return account


def restore_account(session: Session, path: Path) -> None:
    """Make the account as it was, with the password on disk, where its tenant changed or dropped it. Repeatable.

    It is made by its password's hash, which no policy of the tenant's refuses.

    Raises SqlError, NotFoundError.
    """
    account = _load_pending(path) or load_account(path)
    session.execute(f"create user if not exists '{ACCOUNT_USER}' identified by password %s", (password_hash(path),))
    if not _has_password(session, path):
        _set_password(session, account, create=False)
    session.execute(f"alter user '{ACCOUNT_USER}' account unlock")
    session.execute(f"alter user '{ACCOUNT_USER}' with max_connections_per_hour 0 max_user_connections 0")
    session.execute(f"alter user '{ACCOUNT_USER}' require none")
    session.execute(f"grant all privileges on *.* to '{ACCOUNT_USER}' with grant option")


def remake_account(session: Session, path: Path) -> None:
    """Make the account anew, with the password on disk, where the engine's row and what it remembers of it differ. Raises as above.

    Without its row no statement about a user works (1396, measured on 1.4.0), so the row is put back as it was last known, if the
    engine remembers the account (`mysql.user` shows that). What is left after the DROP is nobody's row. Killed between the DROP and the
    CREATE: the account is gone, which is found again as that.
    """
    names = ", ".join(session.columns("select * from oceanbase.__all_user limit 1")[0])
    is_known = session.query(
        "select 1 from oceanbase.__all_user where user_name = %s and host = '%%' limit 1", (ACCOUNT_USER,)
    )
    is_remembered = session.query("select 1 from mysql.user where user = %s and host = '%%' limit 1", (ACCOUNT_USER,))
    if is_remembered and not is_known:
        session.execute(
            f"insert into oceanbase.__all_user ({names}) select {names} from oceanbase.__all_user_history"
            " where user_name = %s and host = '%%' and is_deleted = 0 order by schema_version desc limit 1",
            (ACCOUNT_USER,),
        )
    session.execute(f"drop user if exists '{ACCOUNT_USER}'")
    session.execute("delete from oceanbase.__all_user where user_name = %s and host = '%%'", (ACCOUNT_USER,))
    session.execute(f"create user '{ACCOUNT_USER}' identified by password %s", (password_hash(path),))
    session.execute(f"grant all privileges on *.* to '{ACCOUNT_USER}' with grant option")


def remaking(path: Path) -> tuple[str, ...]:
    """Return the statements that make the account with the password on disk, for a session that is not ours: they hold its hash.

    Raises NotFoundError, CorruptionError.
    """
    return (
        f"drop user if exists '{ACCOUNT_USER}'",
        f"create user '{ACCOUNT_USER}' identified by password '{password_hash(path)}'",
        f"grant all privileges on *.* to '{ACCOUNT_USER}' with grant option",
    )


def _has_password(session: Session, path: Path) -> bool:
    rows = session.query(
        "select passwd from oceanbase.__all_user where user_name = %s and host = '%%' limit 1", (ACCOUNT_USER,)
    )
    return bool(rows) and str(rows[0][0]).lower() == password_hash(path)


def password_hash(path: Path) -> str:
    """Return what the engine keeps of the password on disk, in lower case. Raises NotFoundError, CorruptionError."""
    account = _load_pending(path) or load_account(path)
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
        session.execute(f"create user if not exists '{ACCOUNT_USER}' identified by %s", (account.password,))
    session.execute(f"alter user '{ACCOUNT_USER}' identified by %s", (account.password,))


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
