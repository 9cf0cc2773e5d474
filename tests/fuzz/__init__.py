"""Changed captures for everything that takes bytes from outside."""
