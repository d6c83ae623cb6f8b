from __future__ import annotations

import csv
import io

import pytest

from perigee.reports.campaign import people
from perigee.reports.campaign.tests.test_breakdowns import Told
from perigee.testing.api import Api


@pytest.fixture
async def told(api: Api) -> Told:
    made = Told(api)
    await made.send()
    return made


async def test_pages_hold_everybody_once(told: Told) -> None:
    path = f"/api/v4/campaigns/{told.campaign_id}/recipients"
    seen: list[int] = []
    cursor = ""
    while True:
        page = (await told.api.get(f"{path}?limit=2{cursor}")).json()
        seen += [one["contact_id"] for one in page["items"]]
        if "next" not in page:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(seen) == sorted(told.people)
    assert (await told.api.get(f"{path}?cursor=7")).status_code in (400, 422)


async def test_filters_choose(told: Told) -> None:
    await told.act(told.people[0], "READ")
    await told.act(told.people[1], "CLICKED", link_no=1, url="u")
    await told.act(told.people[2], "READ", meta={"machine": "scanner"})
    await told.act(told.people[3], "UNSUBSCRIBED")
    path = f"/api/v4/campaigns/{told.campaign_id}/recipients"

    async def found(query: str) -> set[int]:
        return {one["contact_id"] for one in (await told.api.get(f"{path}?{query}")).json()["items"]}

    one, two, _, four, _, gone = told.people
    assert await found("engaged=opened") == {one, two}
    assert await found("engaged=clicked") == {two}
    assert await found("engaged=unsubscribed") == {four}
    assert await found("outcome=dropped") == await found("reason=blacklisted") == {gone}
    assert await found("domain=b.example.com&outcome=sent") == {four, told.people[4]}
    assert await found("address=person-1@a.example.com") == {one}
    assert await found("outcome=sent&engaged=complained") == set()


async def test_what_came_later_stands_beside_the_outcome(told: Told) -> None:
    await told.act(told.people[0], "CLICKED", link_no=1, url="u")
    await told.act(told.people[0], "UNDELIVERED", url="550 gone after all")
    page = await told.api.get(
        f"/api/v4/campaigns/{told.campaign_id}/recipients?address=person-1@a.example.com"
    )
    (one,) = page.json()["items"]
    assert one["outcome"] == "sent"
    assert (one["clicks"], one["bounce_text"]) == (1, "550 gone after all")
    assert one["opened_at"] == one["clicked_at"]


async def test_the_export_holds_everybody_in_pieces_and_guards_formulas(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "EXPORT_ROWS", 2)
    await told.shop.sql(
        "update delivery set provider_text = '=cmd()' where org_id = %(org)s and contact_id = %(c)s",
        c=told.people[0],
    )
    answer = await told.api.get(f"/api/v4/campaigns/{told.campaign_id}/recipients.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert sorted(int(line["contact_id"]) for line in lines) == sorted(told.people)
    assert [line["provider_text"] for line in lines if line["provider_text"]] == ["'=cmd()"]
    assert (await told.api.get("/api/v4/campaigns/999999/recipients.csv")).status_code == 404
