"""Pure level: histories of groups over `sync.core` alone, with records in memory, at a rate no database allows.

One item with a tracker, tickets and signals; users edit, records join, leave, are merged and deleted; reads are old or
missing, writes are refused, or applied and their answers lost; users edit between our read and our write. Tags have
names of their own, so that their fate is exact. The oracle is the one of the group rules' model, section 6 there.

Millions of these are played, so the tables are made once, and nothing is built anew that has not changed.
"""
