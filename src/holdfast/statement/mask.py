"""Secrets out of statement texts, before anything is logged or quoted in an error."""


def mask_secrets(text: str) -> str:
    """Return `text` with passwords, access keys and unknown URI options replaced by `***`; line breaks stay."""
    raise NotImplementedError
