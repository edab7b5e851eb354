"""The daemon as a process against both stand-ins over real sockets: killed, starved, and kept busy for a long time.

`python -m tests.proof.kills --cycles 500` and `python -m tests.proof.soak --changes 100000` are the long runs; the
tests in `tests/sync/kills` are their small versions and the hard faults of the machine.
"""
