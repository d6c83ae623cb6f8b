"""What links in messages lead to, from a message that was really sent."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from email.message import EmailMessage

import pytest

from perigee.campaigns.types import Campaign
from perigee.messages.links import TRAP
from perigee.testing.api import Api
from perigee.testing.sending import Shop

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class Sent:
    """A campaign that was sent to the sandbox, and the mail of its first recipient."""

    api: Api
    shop: Shop
    campaign: Campaign
    mail: EmailMessage

    @property
    def html(self) -> str:
        part = self.mail.get_body(("html",))
        assert part is not None
        return str(part.get_content())

    def links(self, kind: str) -> list[str]:
        """Paths of the links of a kind: `c`, `o`, `u` or `v`."""
        found = re.findall(rf"http://perigee\.test(/{kind}/[^\"'\s<>]+)", self.html)
        return [path for path in found if not path.endswith(f".{TRAP}")]

    @property
    def trap(self) -> str:
        (path,) = re.findall(r"http://perigee\.test(/c/[^\"'\s<>]+\.0)\"", self.html)
        return str(path)

    @property
    def unsubscribe(self) -> str:
        return str(self.mail["List-Unsubscribe"]).strip("<>").removeprefix("http://perigee.test")

    async def state(self) -> list[tuple[object, ...]]:
        return await self.shop.sql(
            "select unsubscribed_at is not null, unsubscribe_source, unsubscribe_reason from address"
            " where org_id = %(org)s and value = 'anna@example.com'"
        )

    async def activities(self, status: str) -> int:
        return int(
            await self.shop.value(
                "select count(*) from activity where org_id = %(org)s and status = %(s)s", s=status
            )
        )


@pytest.fixture
async def sent(api: Api) -> Sent:
    shop = Shop(api.db, api.org_id)
    people = [
        await shop.person("Anna@Example.com", first_name="Anna", town="Kyiv & Co"),
        await shop.person("bob@example.com"),
    ]
    campaign = await shop.started(people)
    await shop.run_sender()
    await shop.sql("update delivery set at = at - interval '1 minute' where org_id = %(org)s")
    (body,) = await shop.sql(
        "select body from sandbox_message where org_id = %(org)s and contact_id = %(c)s", c=people[0]
    )
    mail = email.message_from_bytes(body[0], policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return Sent(api, shop, campaign, mail)


async def test_the_open_pixel_counts_and_is_always_a_picture(sent: Sent) -> None:
    (pixel,) = sent.links("o")
    for path in (pixel, pixel, pixel[:-1] + ("A" if pixel[-1] != "A" else "B"), "/o/nonsense"):
        answer = await sent.api.call("GET", path, key="")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.content.startswith(b"GIF89a")
    assert await sent.activities("READ") == 2
    report = await sent.shop.report(sent.campaign.campaign_id)
    assert (report.opened, report.clicked) == (1, 0), "people, not hits"


async def test_a_click_leads_to_the_stored_and_to_the_rendered_target(sent: Sent) -> None:
    targets = []
    for path in sent.links("c"):
        for _ in range(2):
            answer = await sent.api.call("GET", path, key="")
            assert answer.status_code == 302
        targets.append(answer.headers["location"])
    plain = [target.partition("utm_")[0].rstrip("?&") for target in targets]
    assert plain == ["https://shop.example.com/a", "https://shop.example.com/p?t=Kyiv%20%26%20Co"]
    assert await sent.activities("CLICKED") == 4
    report = await sent.shop.report(sent.campaign.campaign_id)
    assert (report.opened, report.clicked) == (1, 1), "who clicked has read"
    assert sorted((link.url, link.clicks, link.people) for link in report.links) == [
        (target, 2, 1) for target in sorted(plain)
    ], "by the author's address, without the UTM tags"


async def test_a_forged_click_leads_nowhere(sent: Sent) -> None:
    stored, rendered = sent.links("c")
    token, _, number = stored.rpartition(".")
    base, target, seal = rendered.split(".")
    forged = [
        f"{token}.99",
        f"{token}.0{number}",
        f"{token[:-1]}{'A' if token[-1] != 'A' else 'B'}.{number}",
        f"{base}.aHR0cHM6Ly9ldmlsLmV4YW1wbGU.{seal}",
        f"{base}.{target}",
        sent.links("o")[0].replace("/o/", "/c/") + ".1",
        sent.unsubscribe.replace("/u/", "/c/") + ".1",
        "/c/nonsense",
    ]
    for path in forged:
        answer = await sent.api.call("GET", path, key="")
        assert answer.status_code == 404, path
        assert "location" not in answer.headers
    assert await sent.activities("CLICKED") == 0


async def test_the_headers_of_rfc_8058_point_to_what_works(sent: Sent) -> None:
    assert sent.mail["List-Unsubscribe-Post"] == ONE_CLICK
    assert str(sent.mail["List-Unsubscribe"]).startswith("<http://perigee.test/u/")
    answer = await sent.api.call("POST", sent.unsubscribe, key="", content=ONE_CLICK, headers=FORM)
    assert (answer.status_code, answer.content) == (200, b"")
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert await sent.state() == [(True, "one_click", None)]


async def test_one_click_as_multipart(sent: Sent) -> None:
    answer = await sent.api.call(
        "POST", sent.unsubscribe, key="", files={"List-Unsubscribe": (None, "One-Click")}
    )
    assert (answer.status_code, answer.content) == (200, b"")
    assert await sent.state() == [(True, "one_click", None)]


@pytest.mark.parametrize("content", [b"", b"\xff\x00garbage", b"a=" + b"b" * 10_000])
async def test_a_body_that_makes_no_sense_still_unsubscribes(sent: Sent, content: bytes) -> None:
    answer = await sent.api.call("POST", sent.unsubscribe, key="", content=content, headers=FORM)
    assert answer.status_code == 200
    assert (await sent.state())[0][0] is True


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_changes_nothing(sent: Sent, method: str) -> None:
    for path in (sent.unsubscribe, sent.unsubscribe + "?List-Unsubscribe=One-Click", *sent.links("c")):
        answer = await sent.api.call(method, path, key="")
        assert answer.status_code in (200, 302)
        assert (answer.content == b"") == (method == "HEAD" or answer.status_code == 302)
    assert await sent.state() == [(False, None, None)]
    assert await sent.activities("UNSUBSCRIBED") == 0


async def test_people_unsubscribe_on_the_page_with_a_reason(sent: Sent) -> None:
    shown = await sent.api.call("GET", sent.unsubscribe, key="")
    assert shown.status_code == 200
    assert 'method="post"' in shown.text
    assert "anna" not in shown.text.lower(), "the page shows nobody's address"
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    form = {"from": "page", "reason": "often"}
    for _ in range(2):
        done = await sent.api.call("POST", sent.unsubscribe, key="", data=form)
        assert done.status_code == 200
        assert "unsubscribed" in done.text
    again = await sent.api.call("POST", sent.unsubscribe, key="", content=ONE_CLICK, headers=FORM)
    assert again.status_code == 200
    assert await sent.state() == [(True, "page", "Too many messages")]
    assert await sent.activities("UNSUBSCRIBED") == 1
    assert await sent.shop.sql(
        "select value, action, source, reason, send_id from consent_log where org_id = %(org)s"
    ) == [("anna@example.com", "unsubscribed", "page", "Too many messages", sent.campaign.send_id)]
    assert (await sent.shop.report(sent.campaign.campaign_id)).unsubscribed == 1


async def test_a_forged_unsubscribe_is_not_found(sent: Sent) -> None:
    token = sent.unsubscribe.removeprefix("/u/")
    for path in (f"/u/{token}A", "/u/nonsense", sent.links("o")[0].replace("/o/", "/u/")):
        for method in ("GET", "POST"):
            assert (await sent.api.call(method, path, key="")).status_code == 404
    assert await sent.state() == [(False, None, None)]


async def test_whoever_unsubscribed_is_skipped_by_the_next_campaign(sent: Sent) -> None:
    await sent.api.call("POST", sent.unsubscribe, key="", content=ONE_CLICK, headers=FORM)
    people = [row[0] for row in await sent.shop.sql("select contact_id from contact where org_id = %(org)s")]
    again = await sent.shop.started(people)
    await sent.shop.run_sender()
    report = await sent.shop.report(again.campaign_id)
    assert (report.sent, report.dropped) == (1, {"unsubscribed": 1})


async def test_the_web_version_is_the_mail_of_this_person_in_a_sandbox(sent: Sent) -> None:
    from perigee.messages.links import SignedLinks

    contact, send = await sent.shop.value("select min(contact_id) from contact"), sent.campaign.send_id
    assert send is not None
    links = SignedLinks(sent.shop.keys.links, "", sent.api.org_id, send)
    path = links.of(0, contact).view()
    answer = await sent.api.call("GET", path, key="")
    assert answer.status_code == 200
    assert "Dear Anna" in answer.text
    assert answer.headers["content-security-policy"].startswith("sandbox ")
    assert (await sent.api.call("GET", path + "x", key="")).status_code == 404
    assert (await sent.api.call("GET", sent.unsubscribe.replace("/u/", "/v/"), key="")).status_code == 404
    await sent.shop.sql("update contact set deleted_at = now() where org_id = %(org)s")
    assert (await sent.api.call("GET", path, key="")).status_code == 404
