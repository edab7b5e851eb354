"""EFFECTS, thin: read, store, ask the pure core, write. Knows connectors by their contract only.

Flow: `ingest` (snapshots into records, items marked dirty) -> `settle` (load, reconcile, commit the plan) -> `deliver`
(claim, write, receipt). `refresh` and `poll` feed ingest; `doubt` settles what a crash or a lost answer left open.
"""
