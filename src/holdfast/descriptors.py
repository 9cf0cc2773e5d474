"""How many files this process may have open: two for each client are needed, and the usual soft limit is 1024."""

import resource

_WANTED = 1 << 20
"""More than any number of clients takes; where the hard limit is "infinity" some programs count up to it."""


def raise_limit() -> int:
    """Raise the soft limit to the hard one and return what counts now. Never lowers it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return _WANTED if soft == resource.RLIM_INFINITY else soft
