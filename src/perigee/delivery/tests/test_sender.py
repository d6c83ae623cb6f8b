"""The sender against a recording SMTP server and the sandbox: everybody once, and the books add up."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from perigee.testing.sending import SETTINGS, Shop, until
from perigee.testing.smtp_fixtures import StartServer
from perigee.testing.smtp_server import SmtpServer


def read(body: bytes | None) -> EmailMessage:
    assert body is not None
    message = email.message_from_bytes(body, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


async def test_everybody_gets_exactly_one(shop: Shop, smtp_server: SmtpServer) -> None:
    await shop.use_smtp(smtp_server)
    people = await shop.people(230)
    campaign = await shop.started(people, batch_size=100)
    await shop.run_sender()
    assert sorted(smtp_server.recipients) == sorted(f"person-{n}@example.com" for n in range(1, 231))
    assert len({message.message_id for message in smtp_server.accepted}) == 230
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent, report.waiting) == ("finished", 230, 0)
    assert await shop.outcomes(campaign.campaign_id) == dict.fromkeys(people, ("sent", None))
    assert (
        await shop.value("select count(*) from activity where org_id = %(org)s and status = 'DELIVERED'")
        == 230
    )
    assert (await shop.progress(campaign.campaign_id)).finished_at is not None


async def test_the_sandbox_keeps_one_for_everybody(shop: Shop) -> None:
    campaign = await shop.started(await shop.people(150))
    await shop.run_sender()
    assert await shop.sql(
        "select count(*), count(distinct address) from sandbox_message where org_id = %(org)s"
    ) == [(150, 150)]
    assert (await shop.report(campaign.campaign_id)).state == "finished"


async def test_sms_goes_to_the_phone(shop: Shop) -> None:
    people = [
        await shop.person(phone="380501112201", first_name="Anna"),
        await shop.person(phone="380501112202"),
    ]
    await shop.started(people, channel="sms")
    await shop.run_sender()
    assert await shop.sql(
        "select address, sender, body from sandbox_message where org_id = %(org)s order by 1"
    ) == [
        ("380501112201", "Shop", b"Hi Anna"),
        ("380501112202", "Shop", b"Hi friend"),
    ]


async def test_language_and_fallback_name(shop: Shop, smtp_server: SmtpServer) -> None:
    await shop.use_smtp(smtp_server)
    people = [
        await shop.person("en@example.com", language="en", first_name="Ann"),
        await shop.person("uk@example.com", language="uk", first_name="Олена"),
        await shop.person("ua@example.com", language="uk-UA"),
        await shop.person("fr@example.com", language="fr"),
        await shop.person("none@example.com"),
    ]
    versions = {
        "en": {"subject": "Hello %FIRSTNAME|friend%"},
        "uk": {"subject": "Вітаємо, %FIRSTNAME|друже%"},
    }
    await shop.started(people, versions=versions)
    await shop.run_sender()
    subjects = {message.recipient: read(message.body)["subject"] for message in smtp_server.accepted}
    assert subjects == {
        "en@example.com": "Hello Ann",
        "uk@example.com": "Вітаємо, Олена",
        "ua@example.com": "Вітаємо, друже",
        "fr@example.com": "Hello friend",
        "none@example.com": "Hello friend",
    }
    languages = await shop.sql("select address, language from delivery where org_id = %(org)s order by 1")
    assert dict(languages)["ua@example.com"] == "uk"
    assert dict(languages)["fr@example.com"] == "en"


async def test_contact_data_are_never_a_template_or_a_header(shop: Shop, smtp_server: SmtpServer) -> None:
    await shop.use_smtp(smtp_server)
    name = "{{ 1 | plus: 1 }}%LASTNAME%\r\nBcc: x@example.com <b>"
    await shop.started([await shop.person("anna@example.com", first_name=name, last_name="secret")])
    await shop.run_sender()
    message = read(smtp_server.accepted[0].body)
    assert smtp_server.recipients == ["anna@example.com"]
    assert message["bcc"] is None
    assert "{{ 1 | plus: 1 }}%LASTNAME%" in message["subject"]
    html = message.get_body(("html",))
    assert html is not None
    assert "&lt;b&gt;" in html.get_content()


async def test_whoever_leaves_between_launch_and_send_is_not_mailed(
    shop: Shop, smtp_server: SmtpServer
) -> None:
    await shop.use_smtp(smtp_server)
    names = (
        "stays",
        "unsubscribed",
        "complained",
        "blacklisted",
        "blocked",
        "deleted",
        "no_address",
        "erased",
    )
    people = {name: await shop.person(f"{name}@example.com") for name in names}
    campaign = await shop.started(list(people.values()))
    for name in ("unsubscribed", "complained", "blacklisted"):
        await shop.mark(f"{name}@example.com", f"{name}_at")
    await shop.mark("blocked@example.com", "blocked_until", "now() + interval '1 day'")
    change = "update contact set {} where org_id = %(org)s and contact_id = %(c)s"
    await shop.sql(change.format("deleted_at = now()"), c=people["deleted"])
    await shop.sql(change.format("email = null"), c=people["no_address"])
    await shop.sql("delete from contact where org_id = %(org)s and contact_id = %(c)s", c=people["erased"])
    await shop.run_sender()
    assert smtp_server.recipients == ["stays@example.com"]
    expected: dict[int, tuple[str, str | None]] = {people[name]: ("dropped", name) for name in names[1:-1]}
    expected |= {people["stays"]: ("sent", None), people["erased"]: ("dropped", "deleted")}
    assert await shop.outcomes(campaign.campaign_id) == expected
    assert (await shop.report(campaign.campaign_id)).state == "finished"


async def test_an_address_is_written_as_its_owner_spells_it_and_known_by_its_normal_form(
    shop: Shop, start_smtp_server: StartServer
) -> None:
    server = await start_smtp_server(answers={"Gone@": "550 5.1.1 no such user"})
    await shop.use_smtp(server)
    await shop.started([await shop.person("Anna.K@Example.com"), await shop.person("Gone@Example.com")])
    await shop.run_sender()
    assert server.recipients == ["Anna.K@Example.com"]
    assert await shop.sql("select address, outcome from delivery where org_id = %(org)s order by 1") == [
        ("anna.k@example.com", "sent"),
        ("gone@example.com", "failed"),
    ]
    assert await shop.sql(
        "select value from address where org_id = %(org)s and blacklisted_at is not null"
    ) == [("gone@example.com",)]


async def test_two_contacts_that_come_to_share_an_address_keep_the_books_exact(shop: Shop) -> None:
    people = [await shop.person("one@example.com"), await shop.person("two@example.com")]
    campaign = await shop.started(people)
    await shop.sql("update contact set email = 'one@example.com' where org_id = %(org)s")
    await shop.run_sender()
    assert (await shop.report(campaign.campaign_id)).state == "finished"
    assert set(await shop.outcomes(campaign.campaign_id)) == set(people)


async def test_two_senders_share_a_campaign(shop: Shop, smtp_server: SmtpServer) -> None:
    await shop.use_smtp(smtp_server)
    campaign = await shop.started(await shop.people(300), batch_size=50)
    await shop.run_sender(senders=2)
    assert len(smtp_server.recipients) == len(set(smtp_server.recipients)) == 300
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent, report.uncertain) == ("finished", 300, 0)


async def test_campaigns_of_two_organisations_do_not_mix(shop: Shop, smtp_server: SmtpServer) -> None:
    from perigee.testing.sending import make_shop

    other = await make_shop(shop.db, "Other Shop")
    await shop.use_smtp(smtp_server)
    mine = await shop.started(await shop.people(5))
    theirs = await other.started(await other.people(7, "other.example.com"))
    async with shop.sending():
        await until(shop.idle)
        await until(other.idle)
    assert len(smtp_server.recipients) == 5, "the other organisation still sends to its sandbox"
    assert (await shop.report(mine.campaign_id)).sent == 5
    assert (await other.report(theirs.campaign_id)).sent == 7


async def test_a_sender_that_lost_its_batch_writes_and_sends_no_more(
    shop: Shop, start_smtp_server: StartServer
) -> None:
    server = await start_smtp_server(delay=0.002)
    await shop.use_smtp(server, connections=1)
    people = await shop.people(300)
    campaign = await shop.started(people)

    async def some_sent() -> bool:
        return len(server.accepted) >= 20

    async with shop.sending():
        await until(some_sent)
        # As after a long sleep of the process: the lease ran out, somebody else takes the batch.
        await shop.sql("update send_batch set epoch = epoch + 1, lease_until = now() - interval '1 second'")
        await until(shop.idle)
    report = await shop.report(campaign.campaign_id)
    assert len(server.recipients) == len(set(server.recipients)), "nobody twice"
    assert report.sent + report.uncertain == 300
    assert 0 < report.uncertain <= SETTINGS.window_size
    sent = await shop.sql("select address from delivery where org_id = %(org)s and outcome = 'sent'")
    assert {row[0] for row in sent} <= set(server.recipients)


async def test_a_person_whose_data_break_the_template_fails_alone(shop: Shop) -> None:
    people = [await shop.person("a@example.com", town="10"), await shop.person("b@example.com", town="0")]
    subject = "{% for n in (1..10000000) %}{{ 1 | divided_by: n }}{% endfor %}"
    campaign = await shop.started(people, versions={"en": {}, "uk": {"subject": subject}})
    await shop.sql("update contact set language = 'uk' where org_id = %(org)s and email = 'b@example.com'")
    await shop.run_sender()
    assert await shop.outcomes(campaign.campaign_id) == {
        people[0]: ("sent", None),
        people[1]: ("failed", "bad_message"),
    }
