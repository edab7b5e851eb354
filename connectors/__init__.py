"""One folder per kind of remote system, all with the same first files; see `README.md`."""
