"""Bulk matching (contract 10.1), which works on whole sets, against the rules read out one contact after the other.

The model below is the contract in plain Python. Where the contract leaves a choice open (several contacts were
updated last, by one call) it names them all, and follows the one that was taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st

from perigee.contacts.bulk_options import Options
from perigee.contacts.rows import ContactRow, Token
from perigee.contacts.tests.conftest import People
from perigee.contacts.upsert import Action, Done, Result
from perigee.errors import Invalid, NotFound

FIELD = 79001
DEDUPE = (
    "email",
    "sms",
    "push",
    "mobilepush",
    "webpush",
    "email_or_sms",
    "id",
    "externalCustomerId",
    "fieldId",
)
KEPT = {"email": {"email"}, "sms": {"phone"}, "email_or_sms": {"email", "phone"}}


class Given(NamedTuple):
    """A contact of a call. `person`: a stored one by its place, for `dedupeOn` = `id`."""

    external: str | None
    email: str | None
    phone: str | None
    mobile: str | None
    web: str | None
    card: str | None
    person: int | None


class Call(NamedTuple):
    dedupe_on: str
    restore: bool
    contacts: list[Given]


class Delete(NamedTuple):
    person: int


@dataclass
class Person:
    external: str | None = None
    email: str | None = None
    phone: str | None = None
    card: str | None = None
    towns: set[str | None] = field(default_factory=set)
    """What the last call wrote. A row that has to wait for an earlier one may be overtaken by a later one that names
    the same stored contact by something else, so any of them may stand."""
    deleted: bool = False
    updated: int = 0
    """The number of the call that wrote it last."""


@dataclass
class Model:
    people: dict[int, Person] = field(default_factory=dict)
    holders: dict[tuple[str, str], int] = field(default_factory=dict)
    """Token → its contact: the last that brought it."""

    def find(self, row: ContactRow, dedupe_on: str) -> set[int]:
        """Contacts that may be taken; none: a new one."""
        for contact_id, person in self.people.items():
            if row.external_id is not None and person.external == row.external_id:
                return {contact_id}
        for candidates in self._ways(row, dedupe_on):
            free = [one for one in candidates if self._may_be(row, one, dedupe_on)]
            if alive := [one for one in free if not self.people[one].deleted]:
                return self._last(alive)
        for candidates in self._ways(row, dedupe_on):
            if free := [one for one in candidates if self._may_be(row, one, dedupe_on)]:
                return self._last(free)
        return set()

    def _ways(self, row: ContactRow, dedupe_on: str) -> Iterator[list[int]]:
        """Contacts by each thing that `dedupeOn` looks at, in order."""
        people = self.people.items()
        if dedupe_on in ("email", "email_or_sms") and row.email is not None:
            yield [one for one, person in people if person.email == row.email]
        if dedupe_on in ("sms", "email_or_sms") and row.phone is not None:
            yield [one for one, person in people if person.phone == row.phone]
        if dedupe_on == "fieldId" and (card := row.fields.get(str(FIELD))) is not None:
            yield [one for one, person in people if person.card == card]
        if dedupe_on == "id" and row.contact_id is not None:
            yield [one for one in self.people if one == row.contact_id]
        kinds = ("mobilepush", "webpush") if dedupe_on == "push" else (dedupe_on,)
        tokens = [(token.kind, token.value) for token in row.tokens if token.kind in kinds]
        if known := [self.holders[token] for token in tokens if token in self.holders]:
            yield known[:1]

    def _may_be(self, row: ContactRow, contact_id: int, dedupe_on: str) -> bool:
        """A contact that has another external id is somebody else, unless the call names it by our id."""
        return row.external_id is None or dedupe_on == "id" or self.people[contact_id].external is None

    def _last(self, contact_ids: Sequence[int]) -> set[int]:
        newest = max(self.people[one].updated for one in contact_ids)
        return {one for one in contact_ids if self.people[one].updated == newest}

    def write(self, row: ContactRow, contact_id: int, dedupe_on: str, call: int) -> None:
        new = contact_id not in self.people
        person = self.people.setdefault(contact_id, Person())
        person.external = row.external_id or person.external
        for name in ("email", "phone"):
            stored = getattr(person, name)
            if stored is None or name not in KEPT.get(dedupe_on, ()):
                setattr(person, name, getattr(row, name) or stored)
        if new:
            person.card = row.fields.get(str(FIELD))
        person.towns = (person.towns if person.updated == call else set()) | {row.town}
        person.deleted, person.updated = False, call
        for token in row.tokens:
            self.holders[token.kind, token.value] = contact_id

    def check(self, row: ContactRow, result: Result, call: int, dedupe_on: str, *, restore: bool) -> None:
        """Is the result one of those that the rules allow? Then it becomes true here too."""
        allowed = self.find(row, dedupe_on)
        if not allowed and row.contact_id is not None and dedupe_on == "id":
            assert isinstance(result, NotFound)
            return
        assert isinstance(result, Done), (row, result)
        if not allowed:
            assert result.action is Action.CREATED, (row, result)
            assert result.contact_id not in self.people
        else:
            assert result.contact_id in allowed, (row, result, allowed)
            deleted = self.people[result.contact_id].deleted
            alive = Action.RESTORED if restore else Action.SKIPPED
            assert result.action is (alive if deleted else Action.UPDATED), (row, result)
        if result.action is not Action.SKIPPED:
            self.write(row, result.contact_id, dedupe_on, call)


def row_of(contact: Given, town: int, ids: Sequence[int], dedupe_on: str) -> ContactRow:
    tokens = [
        Token(kind, value)
        for kind, value in (("mobilepush", contact.mobile), ("webpush", contact.web))
        if value
    ]
    named = None
    if dedupe_on == "id" and contact.person is not None:
        named = ids[contact.person] if contact.person < len(ids) else 5
    return ContactRow(
        external_id=contact.external,
        email=contact.email,
        phone=contact.phone,
        town=str(town),
        fields={} if contact.card is None else {str(FIELD): contact.card},
        tokens=tuple(tokens),
        contact_id=named,
    )


def has_key(row: ContactRow, options: Options) -> bool:
    """Others are refused before anybody looks for them."""
    try:
        options.check_key(row)
    except Invalid:
        return False
    return True


def maybe(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from((*values, None))


contacts = st.builds(
    Given, maybe("A", "B", "C"), maybe("a@x.example", "b@x.example"), maybe("15550100", "15550101"),
    maybe("m1", "m2"), maybe("w1"), maybe("c1", "c2"), maybe(0, 1, 2, 9),
)  # fmt: skip
calls = st.builds(Call, st.sampled_from(DEDUPE), st.booleans(), st.lists(contacts, min_size=1, max_size=4))
deletes = st.builds(Delete, st.integers(0, 4))
histories = st.lists(calls | calls | deletes, min_size=5, max_size=8)


def person(external: str | None = None, email: str | None = None, phone: str | None = None) -> Given:
    return Given(external, email, phone, None, None, None, None)


EMAIL_BEFORE_PHONE: list[Call | Delete] = [
    Call("email", False, [person(email="a")]),
    Call("sms", False, [person(phone="1")]),
    Call("email_or_sms", False, [person(email="a", phone="1")]),
]
ALIVE_BEFORE_DELETED: list[Call | Delete] = [
    Call("externalCustomerId", False, [person("A", "a")]),
    Call("externalCustomerId", False, [person("B", "a")]),
    Delete(1),
    Call("email", False, [person(email="a")]),
]


@settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=histories)
@example(history=EMAIL_BEFORE_PHONE)
@example(history=ALIVE_BEFORE_DELETED)
async def test_sets_match_as_the_rules_say(people: People, history: list[Call | Delete]) -> None:
    shop = await people.another()
    model, towns = Model(), count(1)
    for number, step in enumerate(history, 1):
        note(repr(step))
        ids = sorted(model.people)
        if isinstance(step, Delete):
            if step.person < len(ids):
                await shop.delete(ids[step.person])
                model.people[ids[step.person]].deleted = True
            continue
        options = Options(
            step.dedupe_on, field_id=FIELD if step.dedupe_on == "fieldId" else None,
            fields=frozenset({str(FIELD)}) if step.dedupe_on == "fieldId" else frozenset(), restore=step.restore,
        )  # fmt: skip
        rows = [row_of(contact, next(towns), ids, step.dedupe_on) for contact in step.contacts]
        rows = [row for row in rows if has_key(row, options)]
        for row, result in zip(rows, await shop.write(rows, options.policy("api")), strict=True):
            model.check(row, result, number, step.dedupe_on, restore=step.restore)
    await check_stored(shop, model)


async def check_stored(shop: People, model: Model) -> None:
    stored = await shop.rows("select * from contact where org_id = %(org_id)s")
    assert {
        one["contact_id"]: (
            one["external_id"], one["email"], one["phone"], one["fields"].get(str(FIELD)),
            one["deleted_at"] is not None,
        )
        for one in stored
    } == {
        contact_id: (one.external, one.email, one.phone, one.card, one.deleted)
        for contact_id, one in model.people.items()
    }  # fmt: skip
    assert all(one["town"] in model.people[one["contact_id"]].towns for one in stored)
    tokens = await shop.rows("select kind, token, contact_id from push_token where org_id = %(org_id)s")
    assert {(one["kind"], one["token"]): one["contact_id"] for one in tokens} == model.holders
