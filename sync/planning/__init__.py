"""Plans: what an edited mapping would do to the records that are known, shown before it is done, and done as shown.

`owed` is pure; `known`, `build` and `undoing` read the database; `execute` writes it, with the engine's outbox.
"""
