"""Dictionary views of a user tenant: the same text, with another schema before the view's name."""


def substitute_views(text: str, names: frozenset[str], schema: str, current_schema: str = "") -> str | None:
    """Return `text` reading `schema`.v wherever it read oceanbase.v or SYS.v, or None if it names none of `names`.

    `names` in upper case. With current schema oceanbase or SYS, bare names count too.
    """
    raise NotImplementedError
