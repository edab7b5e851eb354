"""The laws of histories, H1 to H30: what judges each of them in these histories, or why nothing here does."""

from __future__ import annotations

from collections.abc import Mapping

JUDGED: Mapping[str, str] = {
    "H1": "at the end: every record shows what its item says, or is aside, held or parked",
    "H2": "at the end: two passes, then no write for a hundred",
    "H3": "online and the reference model: what the hub wrote moves nobody, whatever comes back of it",
    "H4": "at the end: each status that a write replaced in the same moment is named in a conflict",
    "H5": "at the end: a tag that its people removed is gone",
    "H6": "at the end: a tag that nobody removed is there",
    "H7": "at the end: creates, notes and links counted in the stand-ins; online: no change that nobody asked for",
    "H8": "by H7, under answers that are lost",
    "H9": "an older write that reaches a stand-in after a newer one, at contract level and, in rare histories, at wire "
    "level",
    "H10": "online: stored versions never go back",
    "H11": "after every commit at contract level: a stored place in a feed has passed no change that is not stored or "
    "asked for, and goes back only where the feed is begun anew",
    "H12": "by H1, under calls that are dropped",
    "H13": "by H3 and H7, under calls that come twice",
    "H14": "the same edits told in several orders (--orders): both systems and the items show the same after each",
    "H15": "two decide at the same time in rare histories: a decision about what is decided already is not kept",
    "H16": "by H1, H7 and H29, under crashes around each commit",
    "H18": "by all of them, under crashes around each call and each commit",
    "H20": "by all of them, under a wall clock that jumps: at contract level and, in rare histories, at wire level",
    "H21": "online and the reference model: an edited mapping writes nothing",
    "H23": "by H2 and the parks that a large run has to reach: what cannot be done ends, and is shown",
    "H24": "an automation that fights for a ticket, in rare histories: the hub stops in time and names both writers",
    "H25": "the reference model: nobody leaves by itself, and a record that is hidden takes nothing away elsewhere",
    "H26": "the base of one record is lost, in rare histories: at rest nothing is removed or moved for it",
    "H27": "by H1, under writes that are answered well and ignored",
    "H29": "the journal of every item, told again",
}
"""What judges a law in these histories."""

UNCHECKED: Mapping[str, str] = {
    "H17": "a database in memory has no disk to wait for; see tests/sync/store and `make kills`",
    "H19": "replicas: the embedded store has one",
    "H21 (meaning)": "mapping edits here change the fingerprint and no value; for edits of meaning see tests/sync/core",
    "H22": "isolation in time: virtual time measures no delays",
    "H28": "bounds: no history is large enough to reach one; see tests/hostile and tests/sync/engine/test_budgets.py",
    "H30": "erasure: there is no command that erases a person yet (docs/operations.md), so no history does",
}
"""The laws that these histories do not check, and why."""
