"""From the mail that comes in to the address, the activity and the report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from perigee.bounces import effect, mails, reading, verp
from perigee.bounces.listener import Listener
from perigee.bounces.tests.samples import QMAIL, arf, dsn, written
from perigee.campaigns.types import Campaign
from perigee.contacts.erasure.erase import erase_all
from perigee.testing.sending import Shop
from perigee.testing.smtp_server import SmtpServer


async def sent(shop: Shop, server: SmtpServer, people: int = 3) -> Campaign:
    await shop.use_smtp(server)
    campaign = await shop.started(await shop.people(people))
    await shop.run_sender()
    return campaign


async def token_of(shop: Shop, address: str, key: bytes | None = None) -> str:
    """The token of the last message that went to this address."""
    rows = await shop.sql(
        "select send_id, ordinal, contact_id from delivery where org_id = %(org)s and address = %(a)s"
        " order by send_started_at desc limit 1",
        a=address,
    )
    return verp.token(key or shop.keys.bounces, shop.org_id, *rows[0])


async def come(shop: Shop, *raws: bytes) -> None:
    """As from a mailbox, then worked."""
    async with shop.db.transaction() as connection:
        await mails.keep(connection, shop.org_id, [mails.Incoming(raw) for raw in raws])
    await effect.work(shop.db, shop.keys)


async def states(shop: Shop) -> dict[str, list[str]]:
    rows = await shop.sql(
        "select value, array_remove(array[case when blacklisted_at is not null then 'blacklisted' end,"
        " case when complained_at is not null then 'spam' end,"
        " case when unsubscribed_at is not null then 'unsubscribed' end,"
        " case when blocked_until > now() then 'blocked' end], null) from address where org_id = %(org)s"
    )
    return {value: marks for value, marks in rows if marks}


async def activity(shop: Shop, status: str) -> list[tuple[str, str | None]]:
    rows: list[tuple[str, str | None]] = await shop.sql(
        "select c.email, a.detail from activity a join contact c using (org_id, contact_id)"
        " where a.org_id = %(org)s and a.status = %(s)s order by 1",
        s=status,
    )
    return rows


ANNA = "person-1@example.com"
WORDS = "550 5.1.1 <anna@example.com>: no such user here"


@pytest.fixture
async def port(shop: Shop) -> AsyncIterator[int]:
    async with Listener(shop.db, shop.keys).listening("127.0.0.1", 0) as port:
        yield port


async def say(port: int, *lines: str, body: bytes | None = None) -> list[str]:
    """The answers to these lines; `body` behind the last DATA."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = [(await reader.readline()).decode().strip()]
    for line in lines:
        writer.write(line.encode() + b"\r\n")
        answers.append(await answer(reader))
    if body is not None:
        writer.write(body.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
        answers.append(await answer(reader))
    writer.close()
    await writer.wait_closed()
    return answers[1:]


async def answer(reader: asyncio.StreamReader) -> str:
    while True:
        line = (await asyncio.wait_for(reader.readline(), 20)).decode().strip()
        if line[3:4] != "-":
            return line


def deliver(local: str, sender: str = "") -> Sequence[str]:
    return ("EHLO mx", f"MAIL FROM:<{sender}>", f"RCPT TO:<{local}@bounce.example.com>", "DATA")


async def test_a_bounce_by_the_listener_ends_on_the_blacklist(
    shop: Shop, smtp_server: SmtpServer, port: int
) -> None:
    campaign = await sent(shop, smtp_server)
    local = f"b+{await token_of(shop, ANNA)}"
    answers = await say(port, *deliver(local.upper()), body=dsn())
    assert [one[:3] for one in answers] == ["250", "250", "250", "354", "250"]
    assert await shop.value("select count(*) from bounce_mail where org_id = %(org)s") == 1
    assert await effect.work(shop.db, shop.keys) == 1
    assert await states(shop) == {ANNA: ["blacklisted"]}
    assert await activity(shop, "UNDELIVERED") == [(ANNA, WORDS)]
    report = await shop.report(campaign.campaign_id)
    assert (report.sent, report.bounced, report.failed) == (3, {"no_such_recipient": 1}, {})
    assert await shop.value("select count(*) from bounce_mail where org_id = %(org)s") == 0
    await say(port, *deliver(local), body=dsn())
    await effect.work(shop.db, shop.keys)
    assert len(await activity(shop, "UNDELIVERED")) == 1, "the same report again"


async def test_a_bounce_in_no_standard_form_counts_as_well(
    shop: Shop, smtp_server: SmtpServer, port: int
) -> None:
    await sent(shop, smtp_server)
    await say(port, *deliver(f"b+{await token_of(shop, ANNA)}"), body=QMAIL)
    await effect.work(shop.db, shop.keys)
    assert await states(shop) == {ANNA: ["blacklisted"]}


async def test_nobody_else_gets_mail_here(shop: Shop, smtp_server: SmtpServer, port: int) -> None:
    await sent(shop, smtp_server)
    token = await token_of(shop, ANNA)
    for local in ("postmaster", "b+" + token[:-1] + "2", "u+" + token, token, "b+", "b+" + "a" * 200):
        answers = await say(port, *deliver(local), body=None)
        assert [one[:3] for one in answers] == ["250", "250", "550", "503"], local
    assert await shop.value("select count(*) from bounce_mail") == 0


async def test_a_mail_that_is_too_large_is_refused_and_the_session_goes_on(
    shop: Shop, smtp_server: SmtpServer, port: int
) -> None:
    await sent(shop, smtp_server)
    local = f"b+{await token_of(shop, ANNA)}"
    answers = await say(port, *deliver(local), body=b"x" * 1_500_000)
    assert answers[-1].startswith("552")
    assert await say(port, "EHLO mx", "MAIL FROM:<> SIZE=2000000") == [
        "250 PIPELINING",
        "552 5.3.4 too large",
    ]
    assert await shop.value("select count(*) from bounce_mail") == 0


async def test_lmtp_answers_for_each_recipient(shop: Shop, smtp_server: SmtpServer, port: int) -> None:
    await sent(shop, smtp_server)
    first, second = [f"b+{await token_of(shop, f'person-{n}@example.com')}" for n in (1, 2)]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"LHLO mx\r\nMAIL FROM:<>\r\nRCPT TO:<{first}@b>\r\nRCPT TO:<{second}@b>\r\nDATA\r\n".encode()
    )
    answers = [await answer(reader) for _ in range(6)]
    writer.write(dsn() + b"\r\n.\r\nQUIT\r\n")
    answers += [await answer(reader) for _ in range(3)]
    writer.close()
    assert [one[:3] for one in answers] == ["220", "250", "250", "250", "250", "354", "250", "250", "221"]
    await effect.work(shop.db, shop.keys)
    assert sorted(await states(shop)) == ["person-1@example.com", "person-2@example.com"]


async def test_from_a_mailbox_the_enclosed_message_names_itself(shop: Shop, smtp_server: SmtpServer) -> None:
    await sent(shop, smtp_server)
    await come(shop, dsn(f"{await token_of(shop, ANNA)}@shop.example.com"))
    assert await states(shop) == {ANNA: ["blacklisted"]}


async def test_forged_and_foreign_reports_change_nothing(shop: Shop, smtp_server: SmtpServer) -> None:
    await sent(shop, smtp_server)
    send_id, ordinal, contact_id = (
        await shop.sql("select send_id, ordinal, contact_id from delivery where org_id = %(org)s limit 1")
    )[0]
    forged = verp.token(b"another key", shop.org_id, send_id, ordinal, contact_id)
    foreign = verp.token(shop.keys.bounces, shop.org_id + 1, send_id, ordinal, contact_id)
    leaving = await token_of(shop, ANNA, shop.keys.unsubscribe_mail)
    await come(shop, dsn(), dsn(f"{forged}@x"), dsn(f"{foreign}@x"), arf(f"{forged}@x"), dsn(f"{leaving}@x"))
    assert await states(shop) == {}
    assert await activity(shop, "UNDELIVERED") == []
    assert await shop.value("select count(*) from bounce_mail") == 0


async def test_a_delay_costs_nobody_anything(shop: Shop, smtp_server: SmtpServer) -> None:
    await sent(shop, smtp_server)
    name = f"{await token_of(shop, ANNA)}@x"
    await come(shop, dsn(name, action="delayed", status="4.1.1"), dsn(name, action="relayed"))
    assert await states(shop) == {}
    assert await activity(shop, "UNDELIVERED") == []


async def test_a_complaint_makes_spam_and_nothing_is_mailed_again(
    shop: Shop, smtp_server: SmtpServer
) -> None:
    await shop.use_smtp(smtp_server)
    people = await shop.people(2)
    first = await shop.started(people)
    await shop.run_sender()
    await come(shop, arf(f"{await token_of(shop, ANNA)}@x"), arf(f"{await token_of(shop, ANNA)}@x"))
    assert await states(shop) == {ANNA: ["spam"]}
    assert len(await activity(shop, "SPAM")) == 1
    assert await shop.sql("select value, action, source from consent_log where org_id = %(org)s") == [
        (ANNA, "complained", "provider")
    ]
    assert (await shop.report(first.campaign_id)).complained == 1
    second = await shop.started(people)
    await shop.run_sender()
    report = await shop.report(second.campaign_id)
    assert (report.sent, report.dropped) == (1, {"complained": 1})


async def test_not_spam_and_failed_authentication_are_no_complaints(
    shop: Shop, smtp_server: SmtpServer
) -> None:
    await sent(shop, smtp_server)
    name = f"{await token_of(shop, ANNA)}@x"
    await come(shop, arf(name, kind="not-spam"), arf(name, kind="auth-failure"))
    assert await states(shop) == {}


async def test_a_full_mailbox_climbs_and_is_released(shop: Shop, smtp_server: SmtpServer) -> None:
    await shop.use_smtp(smtp_server)
    people = await shop.people(1)
    for days in (1, 2, 3, 90, 90):
        campaign = await shop.started(people)
        await shop.run_sender()
        assert (await shop.report(campaign.campaign_id)).sent == 1, "released"
        name = f"{await token_of(shop, ANNA)}@x"
        await come(shop, dsn(name, status="5.2.2", diagnostic="smtp; 552 5.2.2 mailbox full"))
        assert (
            await shop.value(
                "select round(extract(epoch from blocked_until - now()) / 86400)::int from address"
                " where org_id = %(org)s"
            )
            == days
        )
        blocked = await shop.started(people)
        assert (await shop.report(blocked.campaign_id)).dropped == {"blocked": 1}
        await shop.sql(
            "update address set blocked_until = now() - interval '1 second' where org_id = %(org)s"
        )


async def test_an_unclear_refusal_counts_when_it_comes_again_a_day_later(
    shop: Shop, smtp_server: SmtpServer
) -> None:
    await shop.use_smtp(smtp_server)
    people = await shop.people(1)
    for hours, dead in ((0, False), (23, False), (25, True)):
        await shop.sql(
            "update address set doubted_at = now() - make_interval(hours => %(h)s)"
            " where org_id = %(org)s and doubted_at is not null",
            h=hours,
        )
        await shop.started(people)
        await shop.run_sender()
        name = f"{await token_of(shop, ANNA)}@x"
        await come(shop, dsn(name, status="5.0.0", diagnostic="smtp; 554 no"))
        assert bool(await states(shop)) is dead, hours


async def test_mail_to_the_address_of_the_header_unsubscribes(
    shop: Shop, smtp_server: SmtpServer, port: int
) -> None:
    await sent(shop, smtp_server)
    local = f"u+{await token_of(shop, ANNA, shop.keys.unsubscribe_mail)}"
    away = written("I am away", headers="Auto-Submitted: auto-replied\r\n")
    await say(port, *deliver(local, "anna@example.com"), body=away)
    await effect.work(shop.db, shop.keys)
    assert await states(shop) == {}
    await say(port, *deliver(local, "anna@example.com"), body=written("", subject="unsubscribe"))
    await effect.work(shop.db, shop.keys)
    assert await states(shop) == {ANNA: ["unsubscribed"]}
    assert await shop.sql("select action, source from consent_log where org_id = %(org)s") == [
        ("unsubscribed", "mail")
    ]
    assert await activity(shop, "UNSUBSCRIBED") == [(ANNA, None)]


async def test_a_reply_unsubscribes_only_from_the_address_it_went_to(
    shop: Shop, smtp_server: SmtpServer
) -> None:
    await sent(shop, smtp_server)
    name = f"{await token_of(shop, ANNA)}@x"
    await come(shop, written("unsubscribe", reply_to=name, sender="stranger@example.com"))
    assert await states(shop) == {}
    await come(shop, written("Thank you", reply_to=name, sender=ANNA))
    assert await states(shop) == {}
    await come(shop, written("Unsubscribe", reply_to=name, sender=f"Anna <{ANNA.upper()}>"))
    assert await states(shop) == {ANNA: ["unsubscribed"]}


async def test_mail_that_ends_its_reader_is_kept_and_never_tried_again(
    shop: Shop, smtp_server: SmtpServer
) -> None:
    await sent(shop, smtp_server)
    slow = b"From: " + b",".join(b"a <a@b>" for _ in range(100_000)) + b"\r\n\r\n"
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(2000)
    )
    await come(shop, deep, b"\0" * 100, dsn(f"{await token_of(shop, ANNA)}@x"), slow[:1_000_000] * 2)
    assert await states(shop) == {ANNA: ["blacklisted"]}
    kept = "select count(*) from bounce_mail where org_id = %(org)s and failed_at is not null"
    assert await shop.value(kept) == 2
    assert await effect.work(shop.db, shop.keys) == 0


async def test_a_child_that_dies_costs_only_the_mail_it_died_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAIL_SECONDS", 0.0)
    assert await reading.read_all([dsn()]) == [None]
    monkeypatch.setattr(reading, "START_SECONDS", 0.0)
    with pytest.raises(reading.NoChild):
        await reading.read_all([dsn()])


async def test_what_came_back_is_erased_with_the_person(shop: Shop, smtp_server: SmtpServer) -> None:
    await sent(shop, smtp_server)
    contact_id = await shop.value(
        "select contact_id from contact where org_id = %(org)s and email = %(a)s", a=ANNA
    )
    async with shop.db.transaction() as connection:
        incoming = [
            mails.Incoming(b"of the person", "b+x", contact_id),
            mails.Incoming(f"about {ANNA}".encode()),
            mails.Incoming(b"of somebody else"),
        ]
        await mails.keep(connection, shop.org_id, incoming)
        await erase_all(connection, shop.org_id, [contact_id])
    assert await shop.sql("select raw from bounce_mail where org_id = %(org)s") == [(b"of somebody else",)]


async def test_a_message_that_went_out_comes_back_by_its_own_sender_and_id(
    shop: Shop, smtp_server: SmtpServer, port: int
) -> None:
    shop.settings = replace(shop.settings, bounce_domain="bounce.example.com")
    await sent(shop, smtp_server, people=2)
    first, second = smtp_server.accepted
    await say(port, *deliver(first.sender.partition("@")[0]), body=dsn())
    await come(shop, dsn(second.message_id.strip("<>")))
    assert await states(shop) == {first.recipient: ["blacklisted"], second.recipient: ["blacklisted"]}
    assert len(await activity(shop, "UNDELIVERED")) == 2
