"""/api/v4/campaigns on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api, make_organisation
from perigee.testing.sending import Shop

PATH = "/api/v4/campaigns"


@pytest.fixture
async def shop(api: Api) -> Shop:
    return Shop(api.db, api.org_id)


async def created(api: Api, shop: Shop, people: int = 3) -> dict[str, Any]:
    wanted = {
        "message_id": await shop.message(),
        "include": [await shop.segment("All", await shop.people(people))],
        "title": "Spring",
    }
    answer = await api.post(PATH, wanted)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_from_draft_to_report(api: Api, shop: Shop) -> None:
    made = await created(api, shop)
    path = f"{PATH}/{made['campaign_id']}"
    assert (made["state"], made["title"]) == ("draft", "Spring")
    assert (await api.get(path)).json() == made
    assert (await api.get(f"{path}/audience")).json() == {"chosen": 3, "reachable": 3, "dropped": {}}
    for _ in range(2):
        launched = await api.post(f"{path}/launch")
        assert (launched.status_code, launched.json()["state"]) == (200, "scheduled")
    await shop.launch_due()
    assert (await api.post(f"{path}/pause")).json()["state"] == "paused"
    assert (await api.post(f"{path}/resume")).json()["state"] == "running"
    await shop.run_sender()
    report = (await api.get(f"{path}/report")).json()
    assert (report["state"], report["chosen"], report["sent"], report["waiting"]) == ("finished", 3, 3, 0)
    progress = (await api.get(f"{path}/progress")).json()
    assert (progress["state"], progress["sent"]) == ("finished", 3)
    first = (await api.get(f"{path}/recipients?limit=2")).json()
    rest = (await api.get(f"{path}/recipients?limit=2&cursor={first['next']}")).json()
    lines = first["items"] + rest["items"]
    assert [line["ordinal"] for line in lines] == [0, 1, 2]
    assert {line["outcome"] for line in lines} == {"sent"}
    assert rest.get("next") is None
    assert (await api.get(f"{path}/recipients?outcome=failed")).json()["items"] == []
    assert (await api.post(f"{path}/stop")).status_code == 409


async def test_the_list_is_paged_newest_first(api: Api, shop: Shop) -> None:
    message, segment = await shop.message(), await shop.segment("All", [])
    made = [(await api.post(PATH, {"message_id": message, "include": [segment]})).json() for _ in range(3)]
    first = (await api.get(f"{PATH}?limit=2")).json()
    rest = (await api.get(f"{PATH}?limit=2&cursor={first['next']}")).json()
    assert first["items"] + rest["items"] == made[::-1]


async def test_a_draft_has_an_empty_report(api: Api, shop: Shop) -> None:
    path = f"{PATH}/{(await created(api, shop))['campaign_id']}"
    report = (await api.get(f"{path}/report")).json()
    assert (report["state"], report["chosen"], report["links"]) == ("draft", 0, [])
    assert (await api.get(f"{path}/recipients")).json()["items"] == []


async def test_bad_bodies_name_their_field(api: Api, shop: Shop) -> None:
    message, segment = await shop.message(), await shop.segment("All", [])
    good = {"message_id": message, "include": [segment]}
    for change, status in (
        ({"include": []}, 400),
        ({"include": ["x"]}, 400),
        ({"include": [404]}, 400),
        ({"include": [2**63]}, 400),
        ({"message_id": 404}, 404),
        ({"message_id": 2**70}, 400),
        ({"message_id": None}, 400),
        ({"pace": {"count": 0, "unit": "HOUR"}}, 400),
        ({"pace": {"count": 1, "unit": "WEEK"}}, 400),
        ({"title": "x" * 251}, 400),
        ({"unknown": 1}, 400),
    ):
        answer = await api.post(PATH, {**good, **change})
        assert answer.status_code == status, (change, answer.text)
        assert answer.json()["title" if status == 404 else "detail"]


async def test_a_title_with_controls_is_cleaned(api: Api, shop: Shop) -> None:
    wanted = {"message_id": await shop.message(), "include": [await shop.segment("All", [])]}
    for title, kept in (("nul \x00 and\r\nlines", "nul  and lines"), ("\x00", "News"), (" ", "News")):
        answer = await api.post(PATH, {**wanted, "title": title})
        assert (answer.status_code, answer.json()["title"]) == (201, kept)


async def test_a_time_to_launch(api: Api, shop: Shop) -> None:
    path = f"{PATH}/{(await created(api, shop))['campaign_id']}/launch"
    for at in ("2001-01-01T00:00:00Z", "tomorrow", "", " ", 5):
        assert (await api.post(path, {"at": at})).status_code == 400, at
    planned = await api.post(path, {"at": "2099-01-01T10:00:00+02:00"})
    assert planned.json()["state"] == "scheduled"
    assert planned.json()["scheduled_at"] == "2099-01-01T08:00:00Z"


async def test_another_organisation_finds_nothing(api: Api, shop: Shop) -> None:
    made = await created(api, shop)
    _, key = await make_organisation(api.db, "Other Shop")
    path = f"{PATH}/{made['campaign_id']}"
    for part in ("", "/audience", "/progress", "/report", "/recipients"):
        assert (await api.get(path + part, key=key)).status_code == 404, part
    for part in ("/launch", "/pause", "/resume", "/stop"):
        assert (await api.post(path + part, key=key)).status_code == 404, part
    assert (await api.get(PATH, key=key)).json()["items"] == []
    assert (await api.get(PATH, key="")).status_code == 401
    assert (await api.get(path)).json()["state"] == "draft"


@pytest.mark.parametrize(
    ("plan", "status"),
    [
        ({"goal": {"event": "a\u0000b"}}, 201),
        ({"experiment": {"variants": [{"subject": "a\u0000b"}, {}]}}, 201),
        ({"experiment": {"variants": [{"subject": "\u0000"}, {}]}}, 400),
        ({"experiment": {"variants": [{"message_id": 2**63}, {}]}}, 400),
        ({"follow": {"campaign_id": 2**63, "who": "opened"}}, 400),
        ({"follow": {"campaign_id": 2**62, "who": "opened"}}, 404),
    ],
)
async def test_plans_with_what_no_database_holds(
    api: Api, shop: Shop, plan: dict[str, Any], status: int
) -> None:
    wanted = {"message_id": await shop.message(), "include": [await shop.segment("All", [])], "plan": plan}
    assert (await api.post(PATH, wanted)).status_code == status
