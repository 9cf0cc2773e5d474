"""One backup of one tenant: an exact image of a running engine's files, put into a destination as a set."""
