"""Histories with machines in them: a Sentry and a gateway beside an issue and a ticket of one item.

The real engine, store and clients, the stand-ins, and a log file that the gateway's feed reads, in virtual time.
"""
