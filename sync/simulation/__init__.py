"""One process, virtual time: the real engine and store over the stand-ins' own models.

`world` runs one hub by hand, worker by worker, for tests and for the seeded histories.
"""
