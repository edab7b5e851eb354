"""Learning from live systems: what they have, a first mapping for them, and where a mapping and a system differ.

Asks only through the `Remote` it is given; decides nothing about records and writes nothing.
"""
