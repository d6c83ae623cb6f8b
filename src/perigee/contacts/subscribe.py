"""A subscription form (contract 9.6): the person, the lists and categories, and the event that starts the welcome.

A new address is unconfirmed until its owner answers the confirmation mail, unless the organisation switched double
opt-in off. Of a known contact the fields are
updated, its channels and the state of its address stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from perigee.contacts import fields, form_store
from perigee.contacts.policy import SUBSCRIBE, SUBSCRIBE_AT_ONCE
from perigee.contacts.rows import ContactRow
from perigee.contacts.upsert import Action, Done, Result, upsert
from perigee.db.pool import Connection
from perigee.errors import Invalid, PerigeeError
from perigee.events.record import record
from perigee.events.types import NewEvent
from perigee.jobs import enqueue

ASK_CONFIRMATION = "perigee.consent.ask_confirmation"
"""The job that sends the mail (`consent.jobs`)."""


class EmailStatus(StrEnum):
    """How far the subscription of the address has come. Of a person without one: of the person."""

    NEED_CONFIRMATION = "NEED_CONFIRMATION"
    SUBSCRIBED = "SUBSCRIBED"
    ALREADY_SUBSCRIBED = "ALREADY_SUBSCRIBED"
    BLACKLISTED = "BLACKLISTED"


class Form(NamedTuple):
    """What one form brings; `row.groups` holds the lists."""

    row: ContactRow
    categories: tuple[str, ...] = ()
    form_type: str | None = None


class Subscribed(NamedTuple):
    contact_id: int
    email_status: EmailStatus
    new: bool


class Address(NamedTuple):
    """The email of a contact and its state; `email` None: it has none."""

    email: str | None
    confirmed: bool
    unsubscribed: bool
    blacklisted: bool


async def subscribe(conn: Connection, org_id: int, forms: Sequence[Form]) -> list[Subscribed | PerigeeError]:
    """One result per form; Invalid for an unknown category."""
    known = await form_store.category_segments(
        conn, org_id, {key for form in forms for key in form.categories}
    )
    refused = [_unknown_category(form, known) for form in forms]
    good = [form for form, error in zip(forms, refused, strict=True) if error is None]
    rows = [form.row for form in good]
    await fields.apply_types(conn, org_id, rows)
    policy = SUBSCRIBE if await form_store.double_opt_in(conn, org_id) else SUBSCRIBE_AT_ONCE
    results = await upsert(conn, org_id, rows, policy)
    pairs = [(form, result) for form, result in zip(good, results, strict=True) if isinstance(result, Done)]
    states = await form_store.email_states(conn, org_id, [done.contact_id for _, done in pairs])
    addresses = {contact_id: Address(*state) for contact_id, state in states.items()}
    await form_store.join_categories(
        conn, org_id, [(known[key], done.contact_id) for form, done in pairs for key in form.categories]
    )
    await record(conn, org_id, [_event(form, done, addresses[done.contact_id]) for form, done in pairs])
    await _ask_confirmation(conn, org_id, addresses)
    answers = iter(_answers(results, addresses))
    return [next(answers) if error is None else error for error in refused]


async def _ask_confirmation(conn: Connection, org_id: int, addresses: Mapping[int, Address]) -> None:
    """The mail itself is work for later: a form is answered whether or not one can be sent."""
    asked = [
        contact_id
        for contact_id, address in addresses.items()
        if email_status(address, new=False) is EmailStatus.NEED_CONFIRMATION
    ]
    if asked:
        await enqueue(conn, ASK_CONFIRMATION, org_id=org_id, contact_ids=sorted(asked))


def _answers(results: Sequence[Result], addresses: dict[int, Address]) -> list[Subscribed | PerigeeError]:
    return [
        Subscribed(
            result.contact_id,
            email_status(addresses[result.contact_id], new=result.action is Action.CREATED),
            result.action is Action.CREATED,
        )
        if isinstance(result, Done)
        else result
        for result in results
    ]


def email_status(address: Address, *, new: bool) -> EmailStatus:
    """An address that was unsubscribed needs its owner's word again, as one that was never confirmed. Pure."""
    if address.blacklisted:
        return EmailStatus.BLACKLISTED
    if address.email is not None and (not address.confirmed or address.unsubscribed):
        return EmailStatus.NEED_CONFIRMATION
    return EmailStatus.SUBSCRIBED if new else EmailStatus.ALREADY_SUBSCRIBED


def _unknown_category(form: Form, known: dict[str, int]) -> Invalid | None:
    unknown = next((key for key in form.categories if key not in known), None)
    if unknown is None:
        return None
    return Invalid.of("subscriptions", unknown, "is not the key of a subscription category")


def _event(form: Form, done: Done, address: Address) -> NewEvent:
    key = "subscribeFromApi" if done.action is Action.CREATED else "subscribeUpdateFromApi"
    if form.form_type is not None:
        key += f"-{form.form_type}"
    params: dict[str, object] = {"ContactId": done.contact_id}
    if address.email is not None:
        params["EmailAddress"] = address.email
    return NewEvent(key, str(done.contact_id), contact_id=done.contact_id, params=params, source="form")


def with_groups(row: ContactRow, names: tuple[str, ...]) -> ContactRow:
    return msgspec.structs.replace(row, groups=tuple(dict.fromkeys(row.groups + names)))
