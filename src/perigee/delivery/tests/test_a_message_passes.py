"""A message passes: signed by the sender's own keys, in the form that receivers ask for, and its way back is known.

Campaigns go through the SMTP server of the tests, from a domain whose records a name server of the tests has.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import dkim
import pytest

from perigee.bounces import verp
from perigee.campaigns.types import Campaign
from perigee.domains import manage, store
from perigee.domains.manage import Checks
from perigee.domains.types import SenderDomain
from perigee.testing.dns_server import DnsServer, dns_server
from perigee.testing.sending import Shop
from perigee.testing.smtp_server import Accepted, SmtpServer

DOMAIN = "shop.example.com"
READY = frozenset({"dkim_rsa", "dkim_ed25519", "spf", "dmarc"})
BOUNCES = READY | {"bounce_mx", "bounce_spf"}
CONTENT = {
    "from": '"Магазин «Приклад» 🛒" <news@shop.example.com>',
    "subject": "Новини для %FIRSTNAME|друга% – très bientôt, zażółć gęślą jaźń, 東京のお知らせ 🎉 і ще трохи тексту, щоб рядок був довгий",
    "replyTo": '"Підтримка" <help@shop.example.com>',
    "preheader": "Знижки до 50 %",
    "htmlText": "<html><body><p>Вітаємо, %FIRSTNAME|друже%!</p><p>"
    + "Дуже довгий рядок без жодного розриву. " * 80
    + "</p>\n.\n..\nFrom here<a href='https://shop.example.com/a'>Дивитись</a>"
    + "<a href='https://esputnik.com/viewInBrowser'>View</a></body></html>",
}
PEOPLE = {
    "anna@example.com": "Анна-Марія",
    "Jose.Ñandu@example.com": "José «Pepe» Ñandú",
    "li@bücher.example": "李小龍",
    "plain@example.com": "Bob",
}
SINGLE = (
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "reply-to",
    "list-id",
)
ONE_CLICK = ("list-unsubscribe", "list-unsubscribe-post")


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with dns_server() as server:
        yield server


class Sent:
    """A shop with a sender domain, and what came out of its campaign."""

    def __init__(self, shop: Shop, dns: DnsServer, smtp: SmtpServer) -> None:
        self.shop, self.dns, self.smtp = shop, dns, smtp
        shop.settings = replace(shop.settings, dns_servers=dns.setting, bounce_host="mx.perigee.test")

    async def domain(self, *, allow_unverified: bool = False, name: str = DOMAIN) -> int:
        return await manage.add(
            self.shop.db,
            self.shop.org_id,
            self.shop.keys.sealing,
            name,
            bounce_domain=None,
            tracking_domain=None,
            allow_unverified=allow_unverified,
        )

    async def view(self, domain_id: int) -> SenderDomain:
        async with self.shop.db.connection() as connection:
            (domain,) = await store.list_domains(connection, self.shop.org_id, domain_id)
            around = await manage.surroundings(connection, self.shop.org_id, self.shop.settings)
        return manage.view(domain, around)

    async def publish(self, domain_id: int, purposes: frozenset[str]) -> None:
        for record in (await self.view(domain_id)).records:
            if record.purpose in purposes:
                self.dns.put(record.type, record.name, record.value)
        await self.check(domain_id)

    async def check(self, domain_id: int) -> None:
        async def reached(host: str) -> str:
            return ""

        await Checks(self.shop.db, self.shop.settings, reach=reached).check(self.shop.org_id, domain_id)

    async def campaign(self, **content: Any) -> Campaign:
        people = [await self.shop.person(address, first_name=name) for address, name in PEOPLE.items()]
        return await self.shop.started(people, versions={"uk": {**CONTENT, **content}})

    async def mails(self, **provider: Any) -> list[Accepted]:
        await self.shop.use_smtp(self.smtp, **provider)
        campaign = await self.campaign()
        assert campaign.state == "running", campaign.error
        await self.shop.run_sender()
        assert len(self.smtp.accepted) == len(PEOPLE)
        return self.smtp.accepted

    def txt(self, name: bytes, timeout: int = 5) -> bytes | None:
        """The DNS as dkimpy asks it."""
        found = self.dns.records.get((name.decode().rstrip("."), "TXT"))
        return found[0].encode() if found else None

    def verified(self, raw: bytes, signature: int = 0) -> bool:
        try:
            return bool(dkim.DKIM(raw).verify(idx=signature, dnsfunc=self.txt))
        except dkim.DKIMException:
            return False


@pytest.fixture
async def sent(shop: Shop, dns: DnsServer, start_smtp_server: Any) -> Sent:
    smtp = await start_smtp_server()
    return Sent(shop, dns, smtp)


def bytes_of(mail: Accepted) -> bytes:
    assert mail.body is not None
    return mail.body


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.strict)
    assert isinstance(message, EmailMessage)
    return message


def names(raw: bytes) -> Counter[str]:
    head = raw.partition(b"\r\n\r\n")[0]
    return Counter(match.decode().lower() for match in re.findall(rb"(?m)^([!-9;-~]+):", head))


async def test_both_signatures_verify_and_cover_what_may_not_change(sent: Sent) -> None:
    await sent.publish(await sent.domain(), BOUNCES)
    for mail in await sent.mails():
        raw = bytes_of(mail)
        assert names(raw)["dkim-signature"] == 2
        assert sent.verified(raw, 0)
        assert sent.verified(raw, 1)
        (first, second) = [
            "".join(field.split()).lower().split(":")
            for field in re.findall(r"[ ;]h=([^;]*);", raw.partition(b"\r\n\r\n")[0].decode())
        ]
        assert first == second
        present = names(raw)
        for name in (*SINGLE, *ONE_CLICK, "feedback-id", "cfbl-address"):
            assert first.count(name) == present[name] + 1, name
            assert present[name] == 1, name


async def test_any_changed_signed_header_breaks_it(sent: Sent) -> None:
    await sent.publish(await sent.domain(), BOUNCES)
    raw = bytes_of((await sent.mails())[0])
    for name in (*SINGLE, *ONE_CLICK, "feedback-id", "cfbl-address"):
        changed = re.sub(rb"(?im)^(" + name.encode() + rb": )", rb"\1X", raw, count=1)
        assert changed != raw
        assert [sent.verified(changed, which) for which in (0, 1)] == [False, False], name
        added = name.title().encode() + b": <mailto:evil@example.org>\r\n" + raw
        assert [sent.verified(added, which) for which in (0, 1)] == [False, False], name


async def test_it_has_the_form_that_receivers_ask_for(sent: Sent) -> None:
    await sent.publish(await sent.domain(), BOUNCES)
    for mail in await sent.mails():
        raw = bytes_of(mail)
        assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw)
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        assert max(names(raw).values()) == 2, "the two signatures alone stand twice"
        assert [names(raw)[name] for name in SINGLE] == [1] * len(SINGLE)
        message = parsed(raw)
        assert message.defects == []
        parts = list(message.iter_parts())
        assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
        assert [part.defects for part in parts] == [[], []]
        assert "Вітаємо" in parts[0].get_content()
        assert "Вітаємо" in parts[1].get_content()
        assert message["Subject"].startswith("Новини для ")
        assert message["Subject"].endswith("щоб рядок був довгий")
        assert "東京のお知らせ 🎉" in message["Subject"]
        assert message["From"].addresses[0].display_name == "Магазин «Приклад» 🛒"
        assert message["Reply-To"].addresses[0].display_name == "Підтримка"
        one_click = str(message["List-Unsubscribe"])
        assert one_click.startswith("<http")
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert b"=?" not in re.findall(rb"(?m)^List-Unsubscribe: .*$", raw)[0]
    greeted = {
        name
        for mail in sent.smtp.accepted
        for name in PEOPLE.values()
        if name in parsed(bytes_of(mail))["Subject"]
    }
    assert greeted == set(PEOPLE.values())


async def test_bounces_complaints_and_unsubscriptions_by_mail_name_their_message(sent: Sent) -> None:
    await sent.publish(await sent.domain(), BOUNCES)
    keys, seen = sent.shop.keys, set()
    for mail in await sent.mails():
        local, _, domain = mail.sender.partition("@")
        assert domain == f"bounce.{DOMAIN}"
        assert len(local) <= 64
        named = verp.read(keys.bounces, local.removeprefix(verp.BOUNCE))
        assert named.org_id == sent.shop.org_id
        seen.add(named)
        message = parsed(bytes_of(mail))
        assert message["Message-ID"] == f"<{local.removeprefix(verp.BOUNCE)}@{DOMAIN}>"
        complaints = str(message["CFBL-Address"])
        assert complaints == f"{verp.FEEDBACK}{local.removeprefix(verp.BOUNCE)}@bounce.{DOMAIN}; report=arf"
        _, by_mail = str(message["List-Unsubscribe"]).split(", ")
        found = re.fullmatch(
            r"<mailto:u\+([a-z2-7]+)@bounce\.shop\.example\.com\?subject=unsubscribe>", by_mail
        )
        assert found is not None
        assert verp.read(keys.unsubscribe_mail, found[1]) == named
    contacts = await sent.shop.sql("select contact_id, ordinal from delivery where org_id = %(org)s")
    assert {(named.contact_id, named.ordinal) for named in seen} == set(contacts)


async def test_without_a_bounce_domain_the_sender_stays_and_the_operators_takes_its_place(sent: Sent) -> None:
    await sent.publish(await sent.domain(), READY)
    mail = (await sent.mails())[0]
    assert mail.sender == "news@shop.example.com"
    assert {"cfbl-address"}.isdisjoint(names(bytes_of(mail)))
    assert "mailto" not in str(parsed(bytes_of(mail))["List-Unsubscribe"])
    sent.smtp.accepted.clear()
    sent.shop.settings = replace(sent.shop.settings, bounce_domain="bounces.perigee.test")
    await sent.campaign()
    await sent.shop.run_sender()
    assert {mail.sender.partition("@")[2] for mail in sent.smtp.accepted} == {"bounces.perigee.test"}


async def test_only_the_keys_that_are_published_sign(sent: Sent) -> None:
    await sent.publish(await sent.domain(), READY - {"dkim_ed25519"})
    raw = bytes_of((await sent.mails())[0])
    assert names(raw)["dkim-signature"] == 1
    assert sent.verified(raw)


async def test_a_domain_that_broke_does_not_sign_with_our_keys(sent: Sent) -> None:
    domain_id = await sent.domain(allow_unverified=True)
    await sent.publish(domain_id, READY)
    sent.dns.records.clear()
    await sent.check(domain_id)
    assert names(bytes_of((await sent.mails())[0]))["dkim-signature"] == 0


async def test_a_campaign_from_an_unverified_domain_is_refused_unless_it_is_allowed(sent: Sent) -> None:
    domain_id = await sent.domain()
    await sent.shop.use_smtp(sent.smtp)
    refused = await sent.campaign()
    assert refused.state == "failed"
    assert DOMAIN in str(refused.error)
    assert await sent.shop.sql("select 1 from send where org_id = %(org)s") == []
    await sent.shop.sql("update sender_domain set allow_unverified = true where org_id = %(org)s")
    assert (await sent.campaign()).state == "running"
    await sent.shop.sql("update sender_domain set allow_unverified = false where org_id = %(org)s")
    await sent.publish(domain_id, READY)
    assert (await sent.campaign()).state == "running"


async def test_domains_that_were_never_added_send_as_before(sent: Sent) -> None:
    await sent.domain(name="other.example.com")
    mail = (await sent.mails())[0]
    assert mail.sender == "news@shop.example.com"
    assert names(bytes_of(mail))["dkim-signature"] == 0


async def test_links_lead_to_the_tracking_domain(sent: Sent) -> None:
    sent.dns.add("A", f"links.{DOMAIN}", "192.0.2.7")
    await sent.publish(await sent.domain(), READY)
    raw = bytes_of((await sent.mails())[0])
    html = parsed(raw).get_body(("html",))
    assert html is not None
    page = html.get_content()
    assert "perigee.test" not in page + str(parsed(raw)["List-Unsubscribe"])
    for kind in "couv":
        assert f"https://links.{DOMAIN}/{kind}/" in page, kind
    assert str(parsed(raw)["List-Unsubscribe"]).startswith(f"<https://links.{DOMAIN}/u/")


@pytest.mark.parametrize(
    ("service", "header", "value"),
    [
        ("ses", "X-SES-MESSAGE-TAGS", "perigee={}"),
        ("sendgrid", "X-SMTPAPI", '{{"unique_args": {{"perigee": "{}"}}}}'),
        ("mailgun", "X-Mailgun-Variables", '{{"perigee": "{}"}}'),
        ("postmark", "X-PM-Metadata-perigee", "{}"),
    ],
)
async def test_known_services_get_the_header_that_they_report_back(
    sent: Sent, service: str, header: str, value: str
) -> None:
    message = parsed(bytes_of((await sent.mails(service=service))[0]))
    token = str(message["Message-ID"])[1:].partition("@")[0]
    assert message[header] == value.format(token)
    verp.read(sent.shop.keys.bounces, token)
