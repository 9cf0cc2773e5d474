"""seekdb as a process: its directory, start and fence, sessions with it, and claims on its log."""
