"""Opens and clicks that no person made are kept and left out of the figures."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.campaigns.types import Report
from perigee.delivery.devices import device_of
from perigee.delivery.machines import known_at_once
from perigee.delivery.tests.test_pages import Sent, sent  # noqa: F401  # the fixture
from perigee.lib.public_addresses import parse_networks

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.0 Mobile/15E148 Safari/604.1"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


async def report(sent: Sent) -> Report:  # noqa: F811
    return await sent.shop.report(sent.campaign.campaign_id)


async def get(sent: Sent, path: str, agent: str = FIREFOX, method: str = "GET") -> Any:  # noqa: F811
    return await sent.api.call(method, path, key="", headers={"user-agent": agent})


async def machines(sent: Sent) -> list[Any]:  # noqa: F811
    rows = await sent.shop.sql(
        "select status, meta ->> 'machine' from activity where org_id = %(org)s"
        " and status in ('READ', 'CLICKED') order by activity_id"
    )
    return [tuple(row) for row in rows]


async def test_a_person_counts_with_device_program_and_system(sent: Sent) -> None:  # noqa: F811
    await get(sent, sent.links("o")[0], IPHONE)
    await get(sent, sent.links("c")[0])
    found = await report(sent)
    assert (found.opened, found.clicked, found.machine_opened, found.machine_clicked) == (1, 1, 0, 0)
    metas = await sent.shop.sql(
        "select meta - 'ua' from activity where org_id = %(org)s and status in ('READ', 'CLICKED') order by activity_id"
    )
    assert metas == [
        ({"device": "mobile", "client": "Mobile Safari", "os": "iOS"},),
        ({"device": "desktop", "client": "Firefox", "os": "Linux"},),
    ]


@pytest.mark.parametrize(
    ("kind", "agent", "method", "reason"),
    [
        ("o", "Mozilla/5.0", "GET", "prefetch"),
        ("o", "", "GET", "agent"),
        ("c", "curl/8.0", "GET", "agent"),
        ("c", FIREFOX, "HEAD", "head"),
    ],
)
async def test_what_the_request_says_by_itself(
    sent: Sent,  # noqa: F811
    kind: str,
    agent: str,
    method: str,
    reason: str,
) -> None:
    await get(sent, sent.links(kind)[0], agent, method)
    assert [row[1] for row in await machines(sent)] == [reason]
    found = await report(sent)
    assert (found.opened, found.clicked) == (0, 0)
    assert found.machine_opened + found.machine_clicked == 1


async def test_a_picture_proxy_stands_for_a_person(sent: Sent) -> None:  # noqa: F811
    await get(sent, sent.links("o")[0], GMAIL)
    assert (await report(sent)).opened == 1
    (meta,) = (await sent.shop.sql("select meta from activity where org_id = %(org)s and status = 'READ'"))[0]
    assert meta["proxy"] == "mail"
    assert not {"device", "client", "os"} & set(meta)


async def test_a_click_right_after_the_delivery_is_no_persons(sent: Sent) -> None:  # noqa: F811
    await sent.shop.sql("update delivery set at = now() where org_id = %(org)s")
    await get(sent, sent.links("c")[0])
    await get(sent, sent.links("o")[0])
    assert await machines(sent) == [("CLICKED", "early"), ("READ", None)]


async def test_who_follows_the_trap_is_a_machine_before_and_after(sent: Sent) -> None:  # noqa: F811
    await get(sent, sent.links("o")[0])
    await get(sent, sent.links("c")[0])
    answer = await get(sent, sent.trap)
    assert answer.status_code == 200
    assert "location" not in answer.headers
    await get(sent, sent.links("c")[1])
    assert await machines(sent) == [("READ", "trap"), *[("CLICKED", "trap")] * 3]
    found = await report(sent)
    assert (found.opened, found.clicked, found.machine_opened, found.machine_clicked) == (0, 0, 1, 1)
    assert found.links == []


async def test_the_trap_says_nothing_of_what_was_long_before_or_of_others(sent: Sent) -> None:  # noqa: F811
    await get(sent, sent.links("c")[0])
    await sent.shop.sql(
        "update activity set at = at - interval '2 minutes' where org_id = %(org)s and status = 'CLICKED'"
    )
    await sent.shop.sql(
        "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status)"
        " values (%(org)s, now(), %(s)s, 1, 5, 'email', 'READ')",
        s=sent.campaign.send_id,
    )
    await get(sent, sent.trap)
    assert sorted(await machines(sent), key=str) == [("CLICKED", "trap"), ("CLICKED", None), ("READ", None)]


async def test_many_links_within_a_second_are_a_machines(sent: Sent) -> None:  # noqa: F811
    from perigee.delivery.tracking import Hit, record_hits
    from perigee.messages.links import CLICK, read_recipient

    token = sent.links("c")[0].removeprefix("/c/").partition(".")[0]
    recipient = read_recipient(sent.shop.keys.links, CLICK, token)
    async with sent.shop.db.transaction() as connection:
        (now,) = await (await connection.execute(b"select now()")).fetchone()  # type: ignore[misc]  # there is a row
        hits = [Hit(recipient, "CLICKED", now, link_no=n, user_agent=FIREFOX) for n in (1, 1, 2)]
        await record_hits(connection, sent.api.org_id, hits)
    assert {row[1] for row in await machines(sent)} == {None}
    async with sent.shop.db.transaction() as connection:
        await record_hits(connection, sent.api.org_id, [Hit(recipient, "CLICKED", now, link_no=3)])
    assert {row[1] for row in await machines(sent)} == {"burst"}


async def test_the_organisation_can_do_without_the_trap(sent: Sent) -> None:  # noqa: F811
    await sent.api.call("PATCH", "/api/v4/organisation", {"honeypot": False})
    people = [row[0] for row in await sent.shop.sql("select contact_id from contact where org_id = %(org)s")]
    again = await sent.shop.started(people)
    await sent.shop.run_sender()
    bodies = await sent.shop.sql(
        "select convert_from(body, 'UTF8') from sandbox_message where org_id = %(org)s and send_id = %(s)s",
        s=again.send_id,
    )
    assert bodies
    assert not any('mso-hide:all" aria-hidden' in body for (body,) in bodies)


def test_networks_of_the_setting() -> None:
    networks = parse_networks("17.0.0.0/8 2001:db8::/32")

    def judged(address: str) -> str | None:
        return known_at_once(
            method="GET", user_agent=FIREFOX, address=address, networks=networks, opened=False
        )

    assert [judged(one) for one in ("17.1.2.3", "2001:db8::1", "192.0.2.1", "testclient", "")] == [
        "network",
        "network",
        None,
        None,
        None,
    ]


@pytest.mark.parametrize("agent", ["x" * 1_024, "(" * 1_000, "Mozilla/5.0 (\x00"])
def test_a_hostile_header_is_no_device(agent: str) -> None:
    assert set(device_of(agent)) <= {"device", "client", "os"}
