"""Destination roots: the directories below which user tenants set destinations, and trees of the machine that are never theirs.

Everything here compares texts. Whoever asks says where a path leads (`jobs.ground`).
"""

KERNEL_TREES = ("/dev", "/proc", "/sys")
"""What lies there is no file: it is memory, a device or the kernel. Nobody keeps a backup there, sys neither."""

SYSTEM_TREES = (
    *("/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/root", "/run", "/sbin", "/usr", "/var"),
    *KERNEL_TREES,
)
"""Where programs look for what they run, print, mail or believe. A server that runs as root owns all of it, /var/spool/cron
empty among it, so its ownership tells nothing there; an operator who keeps backups in /var names a root."""

_ROOTS_MAX = 64
_PATH_CHARACTERS_MAX = 1024


def lies_in(path: str, tree: str) -> bool:
    """Return whether the path is the tree or below it. Both absolute, without `.`, `..` and doubled slashes."""
    return path == tree or is_below(path, tree)


def is_below(path: str, tree: str) -> bool:
    """Return whether the path is below the tree: a tenant that took the root itself would leave no place for the others."""
    return path != tree and path.startswith(f"{tree.rstrip('/')}/")


def parse_roots(text: str) -> tuple[str, ...]:
    """Return the directories of a list parted by commas, repeats dropped, in their one spelling; none for an empty text.

    Raises ValueError for a path that is not absolute, has `..`, or lies where no destination may.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > _ROOTS_MAX:
        raise ValueError(f"more than {_ROOTS_MAX} roots")
    return tuple(dict.fromkeys(root_from_text(part) for part in parts))


def root_from_text(text: str) -> str:
    """Return one root in its one spelling. Raises as `parse_roots`."""
    parts = text.split("/")
    if not text.startswith("/") or ".." in parts or "\0" in text or "," in text or len(text) > _PATH_CHARACTERS_MAX:
        raise ValueError(f"no absolute path: {text[:80]!r}")
    root = "/" + "/".join(part for part in parts if part not in {"", "."})
    if any(lies_in(root, tree) for tree in KERNEL_TREES):
        raise ValueError(f"no destination may lie there: {text[:80]!r}")
    return root
