"""Where a tenant's backup key comes from: a file, an environment variable or a command of the host, or a password.

What a source gives is a secret of 8 bytes to 4 KiB, in whatever form: 32 random bytes or a passphrase. scrypt stretches either. One
newline at its end does not count, as an editor and `openssl rand -hex 32` leave one. The secret is in no message, and neither is what
a command says: it may repeat what it was asked for.
"""

import contextlib
import os
import selectors
import shlex
import signal
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from holdfast import codes
from holdfast.backup_format.key_record import Protection
from holdfast.clock import SystemClock
from holdfast.errors import RefusedError, refuse

SECRET_BYTES_LEAST = 8
SECRET_BYTES_MAX = 4096
COMMAND_SECONDS_MAX = 10.0
"""A key service on the network answers in well under a second; a statement waits for it."""
_TEXT_CHARACTERS_MAX = 4096
_COMMAND_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

NONE = "NONE"
PASSWORD = "password"
FORMS = "NONE, 'file:/path', 'env:NAME', 'command:/path/of/program argument ...' or 'password' IDENTIFIED BY '...'"
_KEY_FROM_FORMS = (
    "'file:/path', 'env:NAME' or 'command:/path/of/program argument ...'; a password goes into SET DECRYPTION IDENTIFIED BY '...' of the"
    " same session instead (--encryption-password-file of the command line)"
)
_SCHEMES = {"file": Protection.FILE, "env": Protection.ENVIRONMENT, "command": Protection.COMMAND}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """A source of the host. `value`: path, name or command line."""

    protection: Protection
    value: str

    @property
    def kind(self) -> str:
        """Return file, env or command: all that a tenant is told of it."""
        return next(name for name, protection in _SCHEMES.items() if protection is self.protection)

    @property
    def text(self) -> str:
        """Return the source as it is written. A command's arguments are its owner's business: see `shown`."""
        return f"{self.kind}:{self.value}"

    @property
    def shown(self) -> str:
        """Return the source for root@sys and the log, a command without its arguments."""
        if self.protection is not Protection.COMMAND:
            return self.text
        argv = shlex.split(self.value)
        return f"command:{argv[0]}{' ***' if len(argv) > 1 else ''}"


def parse_key_from(text: str) -> KeySource:
    """Return the source that a WITH KEY FROM names. Raises as `parse_source`, in words for one who reads."""
    return parse_source(text, argument="WITH KEY FROM", forms=_KEY_FROM_FORMS)


def parse_source(text: str, *, argument: str = "backup_encryption", forms: str = FORMS) -> KeySource:
    """Return a source of the host. Raises RefusedError 1210 for any other text, which is not repeated.

    `argument`, `forms`: what the refusal calls it, and what may be written there.
    """
    scheme, has_value, value = text.strip().partition(":")
    protection, value = _SCHEMES.get(scheme.lower()), value.strip()
    if protection is None or not has_value or not value or len(text) > _TEXT_CHARACTERS_MAX or "\0" in text:
        raise refuse(codes.OB_INVALID_ARGUMENT, argument, hint=f"write {forms}")
    if protection is Protection.COMMAND:
        try:
            argv = shlex.split(value)
        except ValueError:
            argv = []
        if not argv or not os.path.isabs(argv[0]):
            raise refuse(
                codes.OB_INVALID_ARGUMENT,
                argument,
                hint="write 'command:/absolute/path argument ...', quoted as for a shell; none runs it",
            )
    elif protection is Protection.FILE and not os.path.isabs(value):
        raise refuse(codes.OB_INVALID_ARGUMENT, argument, hint="write 'file:/absolute/path'")
    elif protection is Protection.ENVIRONMENT and ("=" in value or not value.isprintable()):
        raise refuse(codes.OB_INVALID_ARGUMENT, argument, hint="write 'env:NAME'")
    return KeySource(protection=protection, value=value)


def read_secret(source: KeySource, environment: Callable[[str], bytes | None], *, called: str = "") -> bytes:
    """Return the secret a source gives now. Raises RefusedError saying why there is none.

    `called`: what messages call it where others than root@sys read them; "": by itself.
    """
    called = called or source.shown
    if source.protection is Protection.FILE:
        found = _read_file(source.value, called)
    elif source.protection is Protection.COMMAND:
        found = _read_command(source, called)
    else:
        value = environment(source.value)
        if value is None:
            raise no_key(f"{called} is not set", hint="start the server with the variable, from where its key is kept")
        found = value
    return checked_secret(found, called)


def exposure(source: KeySource) -> str:
    """Return what others than the server's account can do with a key file, or with the program that gives the key; "" for nothing.

    As PostgreSQL judges a key file, but not refused: the mount of a secret in a container is often 0644. One of root's may be given
    to the server by its group.
    """
    try:
        path = source.value if source.protection is Protection.FILE else shlex.split(source.value)[0]
        found = None if source.protection is Protection.ENVIRONMENT else os.stat(path)
    except OSError:
        return ""  # whoever reads it says so
    if found is None:
        return ""
    mode, account = stat.S_IMODE(found.st_mode), os.geteuid()
    words = []
    if found.st_uid not in (account, 0):
        words.append(f"belongs to account {found.st_uid}")
    is_lent = found.st_uid == 0 and account != 0
    if source.protection is Protection.FILE and mode & (stat.S_IROTH | (0 if is_lent else stat.S_IRGRP)):
        words.append("can be read by others")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        words.append("can be written by others")
    return f"{source.shown} {' and '.join(words)} (mode {mode:04o})" if words else ""


def checked_secret(secret: bytes, shown: str) -> bytes:
    """Return the secret without its last newline. Raises RefusedError for one that is too short or too long."""
    secret = secret.removesuffix(b"\n").removesuffix(b"\r")
    if len(secret) > SECRET_BYTES_MAX:
        raise no_key(f"{shown} gives more than {SECRET_BYTES_MAX} bytes", hint="it is not a key: name another source")
    if not secret.strip():
        raise no_key(f"{shown} gives nothing but blanks", hint="`openssl rand -hex 32` makes a key")
    if len(secret) < SECRET_BYTES_LEAST:
        raise no_key(
            f"{shown} gives {len(secret)} bytes",
            hint=f"a key has {SECRET_BYTES_LEAST} at least; `openssl rand -hex 32` makes one",
        )
    return secret


def no_key(what: str, *, hint: str) -> RefusedError:
    """Return the refusal (-9047) of what a key source does not give."""
    return RefusedError(f"no backup key: {what}", hint=hint, code=codes.OB_BACKUP_INVALID_PASSWORD)


def _read_file(path: str, called: str) -> bytes:
    try:
        # Not blocking: a pipe without a writer would hold the server.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise no_key(f"{called} is no regular file", hint="name a file that holds the key")
            return os.read(descriptor, SECRET_BYTES_MAX + 3)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise no_key(
            f"{called} can not be read: {error.strerror}",
            hint="put the file back, readable for the server's account",
        ) from None


def _read_command(source: KeySource, called: str) -> bytes:
    """Return what the command writes. No shell runs it, and of the server's environment it sees nothing."""
    try:
        process = subprocess.Popen(
            shlex.split(source.value),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": _COMMAND_PATH, "LANG": "C"},
            cwd="/",
            start_new_session=True,
            close_fds=True,
        )
    except OSError as error:
        raise no_key(
            f"{called} does not start: {error.strerror}", hint="the account of the server must be able to run it"
        ) from None
    with process:
        assert process.stdout is not None, "it is a pipe"
        try:
            said = _said(process.stdout.fileno())
            if len(said) <= SECRET_BYTES_MAX + 2:
                process.wait(COMMAND_SECONDS_MAX)
        except (TimeoutError, subprocess.TimeoutExpired):
            raise no_key(
                f"{called} takes more than {COMMAND_SECONDS_MAX:g} s",
                hint="run it by hand, as the server's account",
            ) from None
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0 and len(said) <= SECRET_BYTES_MAX + 2:
        raise no_key(f"{called} ends with {process.returncode}", hint="run it by hand, as the server's account")
    return said


def _said(descriptor: int) -> bytes:
    """Return what is written to a pipe until its end, or a little more than a key may have. Raises TimeoutError."""
    clock = SystemClock()
    end, said = clock.monotonic() + COMMAND_SECONDS_MAX, b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while len(said) <= SECRET_BYTES_MAX + 2:
            if not selector.select(max(0.0, end - clock.monotonic())):
                raise TimeoutError
            part = os.read(descriptor, SECRET_BYTES_MAX + 3)
            if not part:
                break
            said += part
    return said
