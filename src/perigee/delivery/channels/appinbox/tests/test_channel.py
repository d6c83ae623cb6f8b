"""The channel that puts messages into inboxes: once, within bounds, never uncertain (product 11, reliability 11)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.appinbox.tests.conftest import Inbox
from perigee.delivery.channel import Outcome, Reason
from perigee.delivery.channels.appinbox.channel import (
    LONGEST_TTL,
    AppInboxChannel,
    AppInboxSettings,
    category_of,
    ttl_of,
)
from perigee.testing.api import Api, make_organisation


@pytest.fixture
def inbox(api: Api) -> Inbox:
    return Inbox(api)


async def titles(inbox: Inbox, contact_id: int) -> list[str]:
    rows = await inbox.api.rows(
        "select title from inbox_message where org_id = %(org_id)s and contact_id = %(c)s"
        " order by send_id, ordinal",
        c=contact_id,
    )
    return [title for (title,) in rows]


async def test_a_set_goes_in_and_each_is_sent(inbox: Inbox) -> None:
    batch = [inbox.outgoing(contact, title=f"for {contact}") for contact in (1, 2, 3, 1)]
    receipts = await inbox.send(batch)
    assert [receipt.outcome for receipt in receipts] == [Outcome.SENT] * 4
    assert await titles(inbox, 1) == ["for 1", "for 1"]
    assert await titles(inbox, 3) == ["for 3"]


async def test_a_message_sent_again_is_there_once_as_it_was(inbox: Inbox) -> None:
    message = inbox.outgoing(1, title="first")
    again = msgspec.structs.replace(message, payload=b'{"title":"second","text":""}')
    for one in (message, again, message):
        assert (await inbox.send([one]))[0].outcome is Outcome.SENT
    assert await titles(inbox, 1) == ["first"]


async def test_the_newest_are_kept(inbox: Inbox) -> None:
    for number in range(4):
        await inbox.send([inbox.outgoing(1, title=str(number))], keep=3)
    await inbox.send([inbox.outgoing(1, title="4"), inbox.outgoing(2, title="other")], keep=3)
    assert await titles(inbox, 1) == ["2", "3", "4"]
    assert await titles(inbox, 2) == ["other"]


async def test_more_in_one_set_than_are_kept(inbox: Inbox) -> None:
    await inbox.send([inbox.outgoing(1, title=str(number)) for number in range(5)], keep=2)
    assert await titles(inbox, 1) == ["3", "4"]


@pytest.mark.parametrize(
    ("message", "seconds"),
    [({}, 86400), ({"ttlSec": 60}, 60), ({"ttlSec": 0}, 86400), ({"ttlSec": 10**15}, LONGEST_TTL)],
)
async def test_a_message_expires_after_its_ttl_or_a_day(
    inbox: Inbox, message: dict[str, Any], seconds: int
) -> None:
    await inbox.put(1, **message)
    ((life,),) = await inbox.api.rows(
        "select extract(epoch from expires_at - created_at)::bigint from inbox_message"
        " where org_id = %(org_id)s"
    )
    assert life == seconds


async def test_texts_are_stored_as_they_can_be_shown(inbox: Inbox) -> None:
    await inbox.put(1, title="a\x00\x1fb\nc", text="1\x1e2\n3", imageSource="", link=None)
    assert await inbox.api.rows(
        "select title, content, image, link, category, custom_data from inbox_message where org_id = %(org_id)s"
    ) == [("ab c", "12\n3", None, None, None, None)]


async def test_what_came_out_empty_is_empty(inbox: Inbox) -> None:
    message = msgspec.structs.replace(inbox.outgoing(1), payload=b"{}")
    assert (await inbox.send([message]))[0].outcome is Outcome.SENT
    assert await titles(inbox, 1) == [""]


@pytest.mark.parametrize("payload", [b"", b"Hello", b"[]", b'{"title":5}'])
async def test_what_is_no_message_fails_alone(inbox: Inbox, payload: bytes) -> None:
    good, bad = inbox.outgoing(1, title="good"), msgspec.structs.replace(inbox.outgoing(2), payload=payload)
    receipts = await inbox.send([bad, good])
    assert [receipt.outcome for receipt in receipts] == [Outcome.FAILED, Outcome.SENT]
    assert receipts[0].reason is Reason.BAD_MESSAGE
    assert await titles(inbox, 2) == []


async def test_nothing_goes_in_after_the_lease(inbox: Inbox) -> None:
    late = msgspec.structs.replace(inbox.outgoing(1), allow_send=lambda: False)
    (receipt,) = await inbox.send([late])
    assert (receipt.outcome, receipt.reason) == (Outcome.DEFERRED, Reason.LEASE_LOST)
    assert await titles(inbox, 1) == []


async def test_organisations_of_one_set_are_kept_apart(inbox: Inbox) -> None:
    other, _ = await make_organisation(inbox.api.db, "Other Shop")
    batch = [inbox.outgoing(1, title="ours"), msgspec.structs.replace(inbox.outgoing(1), org_id=other)]
    assert [receipt.outcome for receipt in await inbox.send(batch)] == [Outcome.SENT] * 2
    assert await titles(inbox, 1) == ["ours"]


async def test_a_database_that_is_away_defers_and_nothing_is_uncertain(inbox: Inbox) -> None:
    class Away:
        def transaction(self) -> Any:
            raise psycopg.OperationalError("the connection is lost")

    channel = AppInboxChannel(AppInboxSettings(), database=Away())  # type: ignore[arg-type]  # its one use
    (receipt,) = await channel.send([inbox.outgoing(1)])
    assert (receipt.outcome, receipt.counted) == (Outcome.DEFERRED, False)


@given(
    st.one_of(
        st.none(),
        st.text(max_size=30),
        st.recursive(
            st.none() | st.booleans() | st.text(max_size=9),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["category", "x"]), inner),
            max_leaves=5,
        ).map(json.dumps),
    )
)
def test_the_category_is_that_of_the_custom_data(custom_data: str | None) -> None:
    found = category_of(custom_data)
    try:
        members = json.loads(custom_data) if custom_data is not None else None
    except ValueError:
        members = None
    if found is not None:
        assert isinstance(members, dict)
        assert isinstance(members["category"], str)
        assert found
    elif isinstance(members, dict) and isinstance(members.get("category"), str):
        assert not members["category"].isprintable() or not members["category"]


def test_the_category_of_the_contracts_example() -> None:
    assert category_of('{"category":"bonus"}') == "bonus"


@given(st.one_of(st.none(), st.integers()), st.integers(1, LONGEST_TTL))
def test_every_message_has_an_end(named: int | None, default: int) -> None:
    assert 1 <= ttl_of(named, default) <= LONGEST_TTL
