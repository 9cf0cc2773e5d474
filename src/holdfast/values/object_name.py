"""What an object of a destination may be called: the law that every store keeps, and every manifest that names objects."""

NAME_BYTES_MAX = 1024
PART_BYTES_MAX = 255
TEMPORARY_FOLDER = ".holdfast-tmp"
"""Where file destinations keep what is not yet, or no more, visible. No object name begins with it."""


def check_name(name: str) -> tuple[str, ...]:
    """Return the folders and the last part of an object's name.

    Raises ValueError on a name that is empty, absolute, too long, or has an empty, `.` or `..` part or a control
    character: such a name is a defect of the caller, or an attack, and never reaches a file system.
    """
    parts = tuple(name.split("/"))
    if not name or _size_bytes(name) > NAME_BYTES_MAX or parts[0] == TEMPORARY_FOLDER:
        raise ValueError(f"not an object name: {name!r:.80}")
    for part in parts:
        if part in {"", ".", ".."} or _size_bytes(part) > PART_BYTES_MAX or not part.isprintable():
            raise ValueError(f"not an object name: {name!r:.80}")
    return parts


def is_object_name(name: str) -> bool:
    """Return whether an object may be called so. What a listing finds beside such is nobody's: no store could have put it."""
    try:
        check_name(name)
    except ValueError:
        return False
    return True


def _size_bytes(text: str) -> int:
    """Return the size in UTF-8; half a character, which has none, counts as too long."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return NAME_BYTES_MAX + 1
