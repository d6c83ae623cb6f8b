"""Contract 6: which key may call which method, line by line of its table, in every version of a method."""

from __future__ import annotations

import re

import pytest

from perigee.accounts.keys import create_api_key
from perigee.accounts.rights import ACCESS, Right
from perigee.http import routes
from perigee.http.operation import Operation
from perigee.keys import Keys
from perigee.openapi.contract import shape
from perigee.testing.api import SECRET, Api
from perigee.testing.wire import refused

GENERAL = (
    "GET /v1/version",
    "GET /v2/version",
    "GET /v1/account/info",
    "GET /v1/balance",
    "GET /v1/subscriptions",
    "GET /v1/addressbooks",
    "* /v1/messages/email*",
    "* /v1/messages/sms*",
    "* /v1/interfaces/*",
    "* /v1/callouts/sms",
    "* /v1/contact/token/activated/*",
    "* /v1/interactions/*",
)
CONTACT_UPDATE = (
    "POST /v1/contacts",
    "POST /v1/contacts/upload",
    "GET /v1/importstatus/*",
    "POST /v1/contact",
    "PUT /v1/contact/{}",
    "DELETE /v1/contact/{}",
    "PUT /v1/contact/{}/subscriptions",
    "POST /v1/contact/subscribe",
    "* /v1/emails/unsubscribed*",
    "POST /v1/group/{}/contacts/detach",
    "POST /v1/group/{}/contacts/attach",
)
CONTACT_READ = (
    "GET /v1/contacts",
    "GET /v1/contact/{}",
    "GET /v1/contacts/email",
    "GET /v1/contact/{}/subscriptions",
    "GET /v1/groups",
    "GET /v1/group/{}/contacts",
)
ACTIVITY = ("GET /v1/contacts/activity", "GET /v2/contacts/activity")
EVENTS = ("POST /v*/event", "POST /v*/past_events", "DELETE /v1/past_events")
MESSAGES = (
    "POST /v1/message/{}/smartsend",
    "POST /v1/message/{}/send",
    "GET /v1/message/status",
    "POST /v1/message/email",
    "POST /v1/message/sms",
    "POST /v1/message/viber",
    "GET /v1/message/email/status",
    "GET /v1/message/sms/status",
    "GET /v1/message/viber/status",
    "* /v1/broadcast",
    "* /v1/broadcast/{}",
    "GET /v1/broadcasts",
)
TABLE = {
    Right.GENERAL: GENERAL,
    Right.CONTACT_UPDATE: CONTACT_UPDATE,
    Right.CONTACT_READ: CONTACT_READ,
    Right.ACTIVITY: ACTIVITY,
    Right.EVENTS: EVENTS,
    Right.MESSAGES: MESSAGES,
}
"""Groups of the contract's table as `METHOD path`; `*` stands for anything, `{}` for one part."""

SAME_THING = {
    "DELETE /v1/contact": Right.CONTACT_UPDATE,
    "POST /v1/emails/unsubscribe/add": Right.CONTACT_UPDATE,
    "POST /v1/emails/unsubscribe/delete": Right.CONTACT_UPDATE,
    "GET /v1/contactActivity": Right.ACTIVITY,
    "GET /v1/contacts/old": Right.CONTACT_READ,
    "GET /v1/additionalfields": Right.GENERAL,
    "GET /v1/event": Right.EVENTS,
}
"""Other names and forms of methods that the table has: the right of the method they stand for."""

OPERATIONS = [one for one in routes.operations() if one.face.prefix == "/api"]


def name(operation: Operation) -> str:
    return f"{operation.method} {shape(operation.path)}"


def matches(pattern: str, called: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), called) is not None


def documented(called: str) -> Right | None:
    return next(
        (right for right, lines in TABLE.items() if any(matches(line, called) for line in lines)), None
    )


def test_every_line_of_the_table_names_a_method() -> None:
    called = [name(one) for one in OPERATIONS]
    for lines in TABLE.values():
        for line in lines:
            assert any(matches(line, one) for one in called), line
    assert set(SAME_THING) <= set(called)


def test_every_method_has_the_right_of_the_table_and_others_need_full_access() -> None:
    found = {name(one): one.right for one in OPERATIONS}
    wanted = {called: documented(called) or SAME_THING.get(called, Right.FULL) for called in found}
    assert {called: right for called, right in found.items() if right is not wanted[called]} == {}


LEVELS = {
    "full": set(Right),
    "events": {Right.GENERAL, Right.EVENTS},
    "events_contacts": {
        Right.GENERAL,
        Right.EVENTS,
        Right.CONTACT_UPDATE,
        Right.CONTACT_READ,
        Right.ACTIVITY,
    },
    "events_contacts_write": {Right.GENERAL, Right.EVENTS, Right.CONTACT_UPDATE},
    "messages": {Right.GENERAL, Right.MESSAGES},
}


def test_a_key_has_one_of_five_levels() -> None:
    assert {level: set(rights) for level, rights in ACCESS.items() if level != "event_token"} == LEVELS


SAMPLES = {
    Right.GENERAL: ("GET", "/api/v2/version"),
    Right.EVENTS: ("POST", "/api/v3/event"),
    Right.CONTACT_UPDATE: ("POST", "/api/v1/contact"),
    Right.CONTACT_READ: ("GET", "/api/v1/contacts"),
    Right.ACTIVITY: ("GET", "/api/v2/contacts/activity"),
    Right.MESSAGES: ("POST", "/api/v1/message/email"),
    Right.FULL: ("POST", "/api/v1/orders"),
}


@pytest.mark.parametrize("access", LEVELS)
async def test_a_level_opens_its_groups_and_the_others_are_403(api: Api, access: str) -> None:
    async with api.db.transaction() as connection:
        pepper = Keys.of(SECRET).pepper
        _, key = await create_api_key(connection, api.org_id, pepper, description="x", access=access)
    for right, (method, path) in SAMPLES.items():
        answer = await api.call(method, path, key=key)
        if right in LEVELS[access]:
            assert answer.status_code in (200, 400), answer.text
        else:
            assert access in refused(answer, 403)
