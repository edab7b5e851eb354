"""How fast the daemon is, measured as a process of its own against the stand-ins over real sockets: `make bench`."""
