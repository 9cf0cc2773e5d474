"""What can go wrong, by what the caller can do about it. Every error knows the OceanBase code a client will see."""

from holdfast import codes
from holdfast.codes import Code
from holdfast.values.outside import one_line


class HoldfastError(Exception):
    """A failure with a message a person can act on.

    `message` is a fact with the object, the offset, what was expected and what was found; `hint` says what to do.
    Neither ever carries a secret. Both may hold words from outside, so both are printable, on one line and cut at a bound here,
    through which every error goes.
    """

    default_code: Code = codes.OB_ERR_UNEXPECTED

    def __init__(self, message: str, *, hint: str = "", code: Code | None = None) -> None:
        self.message = one_line(message)
        self.hint = one_line(hint)
        super().__init__(self.message)
        self.code = code or self.default_code

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class StatementError(HoldfastError):
    """The text is wrong: fix the statement."""

    default_code = codes.OB_ERR_PARSE_SQL


class RefusedError(HoldfastError):
    """A precondition does not hold: meet it, then try again. Nothing was changed."""

    default_code = codes.OB_OP_NOT_ALLOW


class NotFoundError(HoldfastError):
    """The thing named does not exist."""

    default_code = codes.OB_ENTRY_NOT_EXIST


class ConflictError(HoldfastError):
    """Another writer was there first, or the thing exists already."""

    default_code = codes.OB_ENTRY_EXIST


class ForeignOwnerError(RefusedError):
    """Another server made it, or writes there under this server's name: never taken up, never written over.

    Nothing heals it but a person, who says which of the two is meant to live.
    """

    default_code = codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH


class CorruptionError(HoldfastError):
    """Bytes are not what they must be. Never retried, never ignored."""

    default_code = codes.OB_CHECKSUM_ERROR


class UnknownVersionError(HoldfastError):
    """The bytes say a version this build does not know: upgrade, never guess."""

    default_code = codes.OB_VERSION_NOT_MATCH


class StoreUnavailableError(HoldfastError):
    """The destination did not answer, is full or forbids: repair it and retry."""

    default_code = codes.OB_OBJECT_STORAGE_IO_ERROR


class WriterMayLiveError(StoreUnavailableError):
    """The destination answers, and its last writer may still live: its silence is waited for, which ends within seconds."""


class ObjectReplacedError(StoreUnavailableError):
    """A name shows another object than the one that was open, or more of it: read back what is there, then decide."""


class EngineError(HoldfastError):
    """The engine did not do what was asked."""

    default_code = codes.OB_ERR_UNEXPECTED


class CanceledError(HoldfastError):
    """The user asked for the work to end."""

    default_code = codes.OB_CANCELED

    def __init__(self, message: str = "canceled by the user") -> None:
        super().__init__(message)


def refuse(code: Code, *details: object, hint: str = "") -> RefusedError:
    """Return the refusal with OceanBase's own sentence for `code`, its pattern filled with `details`."""
    return RefusedError(code.text(*details), code=code, hint=hint)
