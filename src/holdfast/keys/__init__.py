"""Passwords and data keys: how a set's key is derived, wrapped, found again, and kept by the server that made it."""
