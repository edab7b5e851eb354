"""Who is who across the systems: from a record's person to the id by which another system knows them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from msgspec import Struct

from sync.mapping import schema
from sync.mapping.findings import Problems
from sync.mapping.yaml import nearest
from sync.model import Person


class People(Struct, frozen=True, kw_only=True):
    """ids: each person's ids by system or connection. by_id: (system or connection, id) -> person; by_email: too.

    Persons are positions in `ids`; addresses are case folded.
    """

    ids: tuple[Mapping[str, str], ...] = ()
    by_id: Mapping[tuple[str, str], int] = {}
    by_email: Mapping[str, int] = {}

    def id_there(self, person: Person, here: tuple[str, str], there: tuple[str, str]) -> str:
        """The id of somebody's counterpart; empty where nobody is known. here, there: (connection, system)."""
        found = next((self.by_id[where, person.id] for where in here if (where, person.id) in self.by_id), None)
        if found is None and person.email:
            found = self.by_email.get(person.email.casefold())
        if found is None:
            return ""
        return next((self.ids[found][where] for where in there if where in self.ids[found]), "")

    def values(self, names: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """What an id means, and the id that stands for a person, in the systems or connections of these names.

        The first name under which a person has an id counts for writing. A person's key is made of their ids.
        """
        read: dict[str, str] = {}
        write: dict[str, str] = {}
        for ids in self.ids:
            key = _key(ids)
            for name in names:
                if name in ids:
                    read.setdefault(ids[name], key)
                    write.setdefault(key, ids[name])
        return read, write


def _key(ids: Mapping[str, str]) -> str:
    """A key for a person that says nothing of them: it is kept in items, where nothing personal may be."""
    said = "\n".join(sorted(f"{where} {one}" for where, one in ids.items()))
    return f"person-{hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"


def people(file: schema.PeopleFile, problems: Problems, systems: Mapping[str, str] | None) -> People:
    """Compile the file. systems: connection -> system, where they are known."""
    by_id: dict[tuple[str, str], int] = {}
    by_email: dict[str, int] = {}
    known = systems or {}
    names = sorted({*known.keys(), *known.values()})
    for n, person in enumerate(file.people):
        at = ("people", n)
        if not person.ids:
            problems.add((*at, "ids"), "is missing", "name the person's id in each system: `ids: {jira: …}`")
        for m, address in enumerate(person.emails):
            other = by_email.setdefault(address.casefold(), n)
            if other != n:
                problems.add(
                    (*at, "emails", m), f"`{address}` is an address of people[{other}] too", "keep one of them"
                )
        for where, remote in person.ids.items():
            if systems is not None and where not in names:
                hint = nearest(where, names) or f"known are {', '.join(names)}"
                problems.add((*at, "ids", where), f"there is no system or connection `{where}`", hint, key=True)
            other = by_id.setdefault((where, remote), n)
            if other != n:
                problems.add((*at, "ids", where), f"`{remote}` is the id of people[{other}] too", "keep one of them")
    return People(ids=tuple(person.ids for person in file.people), by_id=by_id, by_email=by_email)
