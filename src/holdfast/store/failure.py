"""What an operating system's error means to the one who used a destination."""

import errno

from holdfast import codes
from holdfast.codes import Code
from holdfast.errors import HoldfastError, NotFoundError, StoreUnavailableError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_TRANSIENT = frozenset(
    {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR, errno.EREMOTEIO, errno.ENETDOWN}
    | {errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ECONNRESET, errno.EMFILE, errno.ENFILE}
)
_MEANINGS: dict[int, tuple[Code, str]] = {
    **dict.fromkeys(_FULL, (codes.OB_BACKUP_DEVICE_OUT_OF_SPACE, "free space at the destination, or enlarge it")),
    **dict.fromkeys(_FORBIDDEN, (codes.OB_BACKUP_PERMISSION_DENIED, "let the server's user read and write there")),
    errno.ELOOP: (codes.OB_OBJECT_STORAGE_IO_ERROR, "remove the symbolic link: a destination holds plain files only"),
    errno.ENOTDIR: (codes.OB_OBJECT_STORAGE_IO_ERROR, "a file or a symbolic link stands where a directory must be"),
    errno.EISDIR: (codes.OB_OBJECT_STORAGE_IO_ERROR, "a directory stands where an object must be"),
}


def object_error(error: OSError, what: str, path: str) -> HoldfastError:
    """Return the error of an operation on one object; raise it `from error`. `what`: the verb, such as "write"."""
    if error.errno == errno.ENOENT:
        return NotFoundError(
            f"{codes.OB_OBJECT_NOT_EXIST.default}: {path}",
            hint="check the path, and whether the backup was deleted",
            code=codes.OB_OBJECT_NOT_EXIST,
        )
    return unavailable(error, what, path)


def unavailable(error: OSError, what: str, path: str) -> StoreUnavailableError:
    """Return the error of an operation that any destination must be able to do; raise it `from error`."""
    code, hint = _MEANINGS.get(
        error.errno or 0, (codes.OB_OBJECT_STORAGE_IO_ERROR, "check that the destination is there, mounted and healthy")
    )
    return StoreUnavailableError(f"{code.default}: can not {what} {path}: {error.strerror}", hint=hint, code=code)


def is_transient(error: StoreUnavailableError) -> bool:
    """Return whether the same call may well succeed in a moment: a network file system that hiccups, not a full disk."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in _TRANSIENT
