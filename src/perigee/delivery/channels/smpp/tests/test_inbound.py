"""What comes in: receipts and stop words are durable before they are answered, and take effect."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from perigee.db.pool import Database
from perigee.delivery.channels.smpp import strays
from perigee.delivery.channels.smpp.pdu import Address, Command, Pdu, ShortMessage, Tag, c_string, frame
from perigee.delivery.channels.smpp.tests.conftest import OpenChannel
from perigee.delivery.channels.smpp.tests.peer import Peer
from perigee.delivery.channels.smpp.tests.test_sending import until
from perigee.testing.sending import Shop

PHONE = "380501234567"
PROVIDER = 77


class Ledger:
    """One SMS of the shop's to one person."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    async def write(self, outcome: str, message_ids: list[str], phone: str = PHONE) -> int:
        shop = self.shop
        contact_id = await shop.person(phone=phone)
        campaign = await shop.started([contact_id], channel="sms")
        send_id = await shop.value(
            "select send_id from campaign where org_id = %(org)s and campaign_id = %(c)s",
            c=campaign.campaign_id,
        )
        await shop.sql(
            "insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, address, outcome, reason, at)"
            " select org_id, started_at, send_id, 0, %(c)s, case when %(o)s = 'sent' then %(p)s end, %(o)s,"
            " case when %(o)s = 'sent' then null else 'answer_lost' end, now()"
            " from send where org_id = %(org)s and send_id = %(s)s",
            c=contact_id,
            o=outcome,
            p=phone,
            s=send_id,
        )
        await shop.sql(
            f"update send_batch set {outcome} = {outcome} + 1 where org_id = %(org)s and send_id = %(s)s",
            s=send_id,
        )
        await shop.sql(
            "insert into provider_message (org_id, provider_id, message_id, send_id, ordinal, parts, at)"
            " select %(org)s, %(p)s, unnest(%(m)s::text[]), %(s)s, 0, cardinality(%(m)s::text[]), now()",
            p=PROVIDER,
            m=message_ids,
            s=send_id,
        )
        return int(send_id)

    async def statuses(self) -> list[tuple[str, str | None]]:
        return await self.shop.sql(
            "select status, detail from activity where org_id = %(org)s order by at, status"
        )

    async def outcome(self) -> Any:
        return (await self.shop.sql("select outcome, reason from delivery where org_id = %(org)s"))[0]


@pytest.fixture
def ledger(shop: Shop) -> Ledger:
    return Ledger(shop)


async def answered(peer: Peer, text: bytes, **more: Any) -> Pdu:
    await until(lambda: peer.binds)
    peer.deliver(text, **more)
    async with asyncio.timeout(10):
        return await peer.answers.get()


async def test_a_receipt_is_recorded_before_it_is_answered(
    peer: Peer, open_channel: OpenChannel, ledger: Ledger
) -> None:
    await ledger.write("sent", ["abc"])
    open_channel(peer.port, stand=True)
    answer = await answered(peer, b"id:abc stat:DELIVRD err:000", sequence=41)
    assert (answer.command, answer.sequence, answer.status, answer.body) == (
        Command.DELIVER_SM_RESP,
        41,
        0,
        b"\0",
    )
    assert await ledger.statuses() == [("DELIVERED", None)]
    await answered(peer, b"id:abc stat:DELIVRD err:000", sequence=42)  # again: once is enough
    assert await ledger.statuses() == [("DELIVERED", None)]


async def test_a_failure_keeps_the_operators_text(
    peer: Peer, open_channel: OpenChannel, ledger: Ledger
) -> None:
    await ledger.write("sent", ["abc"])
    open_channel(peer.port, stand=True)
    await answered(peer, b"id:abc stat:UNDELIV err:027")
    assert await ledger.statuses() == [("UNDELIVERED", "id:abc stat:UNDELIV err:027")]


async def test_a_long_message_is_delivered_with_its_last_part(
    peer: Peer, open_channel: OpenChannel, ledger: Ledger
) -> None:
    await ledger.write("sent", ["a", "b"])
    open_channel(peer.port, stand=True)
    await answered(peer, b"id:a stat:DELIVRD")
    assert await ledger.statuses() == []
    await answered(peer, b"id:b stat:DELIVRD")
    assert await ledger.statuses() == [("DELIVERED", None)]


async def test_a_receipt_in_a_data_sm_counts_too(
    peer: Peer, open_channel: OpenChannel, ledger: Ledger
) -> None:
    await ledger.write("sent", ["abc"])
    open_channel(peer.port, stand=True)
    await until(lambda: peer.binds)
    body = b"\0\1\1" + c_string(PHONE, 65) + b"\5\0Shop\0" + b"\x04\0\0"
    body += b"\x00\x1e\x00\x04abc\0" + b"\x04\x27\x00\x01\x02"
    peer.connections[0].write(frame(Command.DATA_SM, 5, body))
    answer = await peer.answers.get()
    assert (answer.command, answer.status) == (0x80000103, 0)
    assert await ledger.statuses() == [("DELIVERED", None)]


async def test_what_cannot_be_stored_is_brought_again(
    peer: Peer, open_channel: OpenChannel, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.write("sent", ["abc"])
    open_channel(peer.port, stand=True)

    async def away(*_: Any) -> None:
        raise ConnectionError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr("perigee.delivery.channels.smpp.inbound.apply", away)
        assert (await answered(peer, b"id:abc stat:DELIVRD")).status == 0x64
    assert (await answered(peer, b"id:abc stat:DELIVRD")).status == 0
    assert await ledger.statuses() == [("DELIVERED", None)]


async def test_what_cannot_be_read_is_refused_for_good(
    peer: Peer, open_channel: OpenChannel, shop: Shop
) -> None:
    channel = open_channel(peer.port, stand=True)
    await until(lambda: channel._binds.sessions)
    peer.connections[0].write(frame(Command.DELIVER_SM, 8, b"no end"))
    assert (await peer.answers.get()).status == 0x66
    assert (await answered(peer, b"id:1 stat:WHATEVER")).status == 0  # logged as it came


async def test_a_receipt_tells_what_became_of_an_uncertain_message(
    peer: Peer, open_channel: OpenChannel, ledger: Ledger, shop: Shop
) -> None:
    await ledger.write("uncertain", [])
    open_channel(peer.port, stand=True)
    await answered(peer, b"id:never-read stat:DELIVRD")
    assert await ledger.outcome() == ("uncertain", "answer_lost")
    assert await strays.settle(shop.db) == 0  # its message may be committed in a moment
    assert await strays.settle(shop.db, wait=0) == 1
    assert await ledger.outcome() == ("sent", None)
    counts = await shop.sql("select sum(sent), sum(uncertain) from send_batch where org_id = %(org)s")
    assert counts == [(1, 0)]
    assert await ledger.statuses() == [("DELIVERED", None)]
    assert await strays.settle(shop.db, wait=0) == 0


async def test_a_failed_uncertain_message_is_failed(
    peer: Peer, open_channel: OpenChannel, ledger: Ledger, shop: Shop
) -> None:
    await ledger.write("uncertain", [])
    open_channel(peer.port, stand=True)
    await answered(peer, b"stat:EXPIRED")  # no id at all
    await strays.settle(shop.db, wait=0)
    assert await ledger.outcome() == ("failed", "expired")


async def test_of_two_uncertain_messages_a_receipt_says_nothing(
    peer: Peer, open_channel: OpenChannel, ledger: Ledger, shop: Shop
) -> None:
    await ledger.write("uncertain", [])
    row = await shop.sql("select contact_id from contact where org_id = %(org)s")
    await shop.started([row[0][0]], channel="sms")
    await shop.sql(
        "insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, outcome, at)"
        " select org_id, started_at, send_id, 0, %(c)s, 'uncertain', now() from send s where org_id = %(org)s"
        " and not exists (select from delivery d where d.org_id = s.org_id and d.send_id = s.send_id)",
        c=row[0][0],
    )
    open_channel(peer.port, stand=True)
    await answered(peer, b"id:never-read stat:DELIVRD")
    assert await strays.settle(shop.db, wait=0) == 0
    assert await ledger.outcome() == ("uncertain", "answer_lost")


async def test_a_receipt_of_a_message_that_was_committed_meanwhile_is_no_stray(
    peer: Peer, open_channel: OpenChannel, ledger: Ledger, shop: Shop
) -> None:
    send_id = await ledger.write("uncertain", [])
    open_channel(peer.port, stand=True)
    await answered(peer, b"id:other stat:DELIVRD")
    await shop.sql(
        "insert into provider_message (org_id, provider_id, message_id, send_id, ordinal, at)"
        " values (%(org)s, %(p)s, 'other', %(s)s, 9, now())",
        p=PROVIDER,
        s=send_id,
    )
    assert await strays.settle(shop.db, wait=0) == 0
    assert await shop.sql("select 1 from smpp_stray where org_id = %(org)s") == []
    assert await ledger.outcome() == ("uncertain", "answer_lost")


async def test_strays_are_erased_with_their_contact(
    peer: Peer, open_channel: OpenChannel, shop: Shop
) -> None:
    from perigee.contacts.erasure.store import erase_traces

    contact_id = await shop.person(phone=PHONE)
    open_channel(peer.port, stand=True)
    await answered(peer, b"id:unknown stat:DELIVRD")
    assert await shop.sql("select contact_id from smpp_stray where org_id = %(org)s") == [(contact_id,)]
    async with shop.db.transaction() as connection:
        await erase_traces(connection, shop.org_id, [contact_id])
    assert await shop.sql("select 1 from smpp_stray where org_id = %(org)s") == []


async def consents(shop: Shop) -> list[Any]:
    return await shop.sql(
        "select value, action, source, reason from consent_log where org_id = %(org)s and action = 'unsubscribed'"
    )


@pytest.mark.parametrize(
    "word",
    ["STOP", " stop. ", "Стоп!", "quit", "END", "Revoke", "opt-out", "OPT OUT", "cancel", "UNSUBSCRIBE"],
)
async def test_a_stop_word_takes_the_number_off(
    peer: Peer, open_channel: OpenChannel, shop: Shop, word: str
) -> None:
    await shop.person(phone=PHONE)
    open_channel(peer.port, stand=True)
    answer = await answered(peer, word.encode("utf-16-be"), esm_class=0, data_coding=8)
    assert answer.status == 0
    assert await consents(shop) == [(PHONE, "unsubscribed", "sms", word)]


async def test_a_stop_word_is_told_of_the_last_message(
    peer: Peer, open_channel: OpenChannel, ledger: Ledger, shop: Shop
) -> None:
    send_id = await ledger.write("sent", ["abc"])
    open_channel(peer.port, stand=True)
    await answered(peer, b"STOP", esm_class=0, source="+" + PHONE)
    assert await ledger.statuses() == [("UNSUBSCRIBED", None)]
    assert await shop.value("select send_id from consent_log where org_id = %(org)s") == send_id


async def test_other_texts_take_nobody_off(peer: Peer, open_channel: OpenChannel, shop: Shop) -> None:
    await shop.person(phone=PHONE)
    open_channel(peer.port, stand=True)
    assert (await answered(peer, b"please do not stop", esm_class=0)).status == 0
    assert (await answered(peer, b"STOP", esm_class=0x08)).status == 0  # the handset's acknowledgement
    assert await consents(shop) == []


async def test_the_settings_may_name_more_words(peer: Peer, open_channel: OpenChannel, shop: Shop) -> None:
    open_channel(peer.port, stand=True, stop_words=["Відписатись", "NO MORE"])
    await answered(peer, b"no more!", esm_class=0)
    assert [row[0] for row in await consents(shop)] == [PHONE]


async def test_one_confirmation_where_the_settings_have_it(
    peer: Peer, open_channel: OpenChannel, db: Database
) -> None:
    open_channel(peer.port, stand=True, stop_reply="You are off.")
    await answered(peer, b"STOP", esm_class=0)
    await until(lambda: peer.submitted)
    await answered(peer, b"STOP", esm_class=0)
    await answered(peer, b"STOP", esm_class=0)
    (sent,) = peer.submitted
    assert (sent.destination.value, sent.source.value, sent.text) == (PHONE, "Shop", b"You are off.")


def test_the_peer_writes_what_the_specification_says() -> None:
    """A receipt in the form the peer sends it, read by hand."""
    octets = ShortMessage(Address(1, 1, "1"), Address(), b"x", tlvs=((Tag.MESSAGE_STATE, b"\2"),)).encode()
    assert octets == b"\0\1\0011\0\0\0\0\0\0\0\0\0\0\0\0\0\1x\x04\x27\0\1\2"
