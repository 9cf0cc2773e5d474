"""The MySQL wire protocol: bytes in, events out. It never waits and never touches a socket."""
