"""What every stand-in of a remote system shares: requests, answers, faults, the loopback server.

A sandbox shares no code with the connector it stands in for.
"""
