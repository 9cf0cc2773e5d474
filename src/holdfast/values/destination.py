"""Destinations: where backups and archived logs go, as OceanBase writes them."""

from dataclasses import dataclass, field
from enum import StrEnum

from holdfast import codes
from holdfast.errors import RefusedError, refuse


class DestinationKind(StrEnum):
    """What a destination is for; the text is the format file's and DEST_TYPE's."""

    BACKUP_DATA = "backup_data"
    ARCHIVE_LOG = "archive_log"


class Binding(StrEnum):
    OPTIONAL = "OPTIONAL"
    MANDATORY = "MANDATORY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uri:
    """A destination URI taken apart. `path` is absolute for file. Options never change a path's identity.

    `resolved`: where the path led, symbolic links followed, when a user tenant was allowed to name it. Whoever opens it finds that
    it leads there still (`jobs.ground`). Empty for what sys named, or what was set by a build that knew no destination roots.
    """

    scheme: str
    path: str
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # may hold access keys
    resolved: str = field(default="", compare=False)

    @property
    def identity(self) -> str:
        """Return scheme and path without options: what views show and format files compare."""
        return f"{self.scheme}://{self.path}"


_OBJECT_SCHEMES = {"oss", "cos", "s3"}


def parse_uri(text: str) -> Uri:
    """Return the checked URI.

    Raises RefusedError: -9026 for a malformed one, 1235 for an object store (they come later, file:// works now).
    """
    scheme, separator, rest = text.strip().partition("://")
    scheme = scheme.lower()
    path, question, query = rest.partition("?")
    if not separator or not path or "\0" in text or len(text) > 1024:
        raise _not_valid("it needs the form file:///absolute/path")
    if scheme in _OBJECT_SCHEMES:
        raise refuse(codes.OB_NOT_SUPPORTED, f"destination scheme {scheme}:// is", hint="use file:///absolute/path")
    if scheme != "file":
        raise _not_valid(f"unknown scheme {scheme!r}")
    parts = path.split("/")
    if not path.startswith("/") or ".." in parts:
        raise _not_valid("a file path must be absolute and may not contain '..'")
    options = tuple(_option(item) for item in query.split("&") if item) if question else ()
    if "," in path:
        raise _not_valid("a path may not contain ',': lists of paths are parted by it")
    if any(name in {"host", "access_id", "access_key", "delete_mode", "encrypt_key"} for name, _ in options):
        raise _not_valid("file:// takes no host, keys or delete_mode")
    normal = "/" + "/".join(part for part in parts if part not in {"", "."})
    if normal == "/":
        raise _not_valid("the root directory can not be a destination")
    return Uri(scheme=scheme, path=normal, options=options)


def _option(item: str) -> tuple[str, str]:
    name, _, value = item.partition("=")
    return name.lower(), value


def _not_valid(why: str) -> RefusedError:
    return refuse(codes.OB_INVALID_BACKUP_DEST, "uri", hint=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One destination of one tenant. DEST_ID is unique per tenant and new for each new path."""

    tenant_id: int
    dest_id: int
    kind: DestinationKind
    uri: Uri


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveDestination:
    """LOG_ARCHIVE_DEST with all its items. `piece_switch_interval_us`: microseconds, 1 to 7 days."""

    destination: Destination
    binding: Binding
    piece_switch_interval_us: int
    piece_switch_interval_text: str
    compression: bool | None
    enabled: bool
