"""`people.yaml`: who is who across the systems."""

from __future__ import annotations

from pydantic import Field

from sync.mapping.schema.ground import Strict, Text


class PersonEntry(Strict):
    """One person, as each system knows them."""

    name: str = Field(default="", description="The name, for people who read this file.", examples=["Ada Reed"])
    emails: list[Text] = Field(
        default_factory=list,
        description="The person's addresses. A record's person with one of them is this one.",
        examples=[["ada@example.com"]],
    )
    ids: dict[Text, Text] = Field(
        default_factory=dict,
        description="The person's id by system, or by the name of a connection.",
        examples=[{"zendesk": "360001234", "jira": "557058:f58131cb-b67d-43c7-b30d-6b58d40bd077"}],
    )


class PeopleFile(Strict):
    """`people.yaml`: who is who across the systems. It names people: keep it where only the hub can read it."""

    people: list[PersonEntry] = Field(
        default_factory=list,
        description="The people.",
        examples=[[{"emails": ["ada@example.com"], "ids": {"jira": "557058:f58131cb"}}]],
    )
