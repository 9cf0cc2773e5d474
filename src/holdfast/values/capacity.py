"""Time and capacity texts as OceanBase writes them; none is more than 2^63 - 1."""

import re

_TIME = re.compile(r"(\d{1,19})\s*(us|ms|s|m|h|d)?", re.ASCII | re.IGNORECASE)
_TIME_US = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_CAPACITY = re.compile(r"(\d{1,19})\s*(byte|b|kb|k|mb|m|gb|g|tb|t|pb|p)", re.ASCII | re.IGNORECASE)
_CAPACITY_SHIFT = {"b": 0, "byte": 0, "k": 10, "kb": 10, "m": 20, "mb": 20, "g": 30, "gb": 30, "t": 40, "tb": 40}
_CAPACITY_SHIFT |= {"p": 50, "pb": 50}
_VALUE_MAX = 2**63 - 1
"""What columns and records hold."""


def time_us_from_text(text: str) -> int:
    """Return microseconds. Shape: integer, then us, ms, s, m, h or d in any case; no unit means seconds.

    Raises ValueError on anything else.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a time: {text!r:.40}")
    return _bounded(int(match[1]) * _TIME_US[(match[2] or "s").lower()])


def capacity_bytes_from_text(text: str) -> int:
    """Return bytes. Shape: integer, then a required unit B, K, M, G, T or P (KB and so on too), powers of 1024.

    Raises ValueError on anything else.
    """
    match = _CAPACITY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a capacity: {text!r:.40}")
    return _bounded(int(match[1]) << _CAPACITY_SHIFT[match[2].lower()])


def _bounded(value: int) -> int:
    if value > _VALUE_MAX:
        raise ValueError("more than 2^63 - 1")
    return value


def capacity_text(size_bytes: int) -> str:
    """Return the shortest exact text with a unit, such as `2G` or `1536M`."""
    for unit, shift in (("P", 50), ("T", 40), ("G", 30), ("M", 20), ("K", 10)):
        if size_bytes and size_bytes % (1 << shift) == 0:
            return f"{size_bytes >> shift}{unit}"
    return f"{size_bytes}B"


def bytes_display(size_bytes: int) -> str:
    """Return what the views' _DISPLAY columns show: two decimals with MB, GB, TB or PB, never below MB."""
    for unit, shift in (("PB", 50), ("TB", 40), ("GB", 30)):
        if size_bytes >= 1 << shift:
            return f"{size_bytes / (1 << shift):.2f}{unit}"
    return f"{size_bytes / (1 << 20):.2f}MB"
