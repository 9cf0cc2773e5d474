"""The engine's own bytes, as measured on a running seekdb: decoded, checked and cut, never guessed. Pure."""
