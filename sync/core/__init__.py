"""PURE decisions: values in, values out. No clock, log, disk, network, randomness or settings.

`reconcile` is the heart; `group-rules` of the design say what it must do. Everything it needs arrives as values.
"""
