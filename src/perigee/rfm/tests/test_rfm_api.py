"""/api/v4/rfm, and events of moves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perigee.cli import rfm
from perigee.cli.remote import Server
from perigee.orders.tests.conftest import wire_order
from perigee.rfm import day
from perigee.testing.api import Api, make_organisation

PATH = "/api/v4/rfm/sales"


def order(number: int, days: int, customer: str = "CRM-1", **members: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(days=days)
    return wire_order(f"SO-{number}", date=at.isoformat(), externalCustomerId=customer, **members)


async def bring(api: Api, *orders: dict[str, Any]) -> None:
    answer = await api.post("/api/v1/orders", {"orders": list(orders)})
    assert answer.content == b""


@pytest.fixture
async def filled(api: Api) -> Api:
    """CRM-1 bought twice today, CRM-2 once 20 days ago."""
    await bring(api, order(1, 0, totalCost=10), order(2, 0, totalCost=5), order(3, 20, "CRM-2", totalCost=7))
    return api


async def contact_id(api: Api, external_id: str) -> int:
    ((found,),) = await api.rows(
        "select contact_id from contact where org_id = %(org_id)s and external_id = %(id)s", id=external_id
    )
    return int(found)


def taken(grid: dict[str, Any]) -> dict[tuple[int, int], tuple[int, float]]:
    return {
        (cell["recency"], cell["frequency"]): (cell["contacts"], cell["total"])
        for cell in grid["cells"]
        if cell["contacts"]
    }


async def test_a_grid_has_all_its_cells(filled: Api) -> None:
    grid = (await filled.get(PATH)).json()
    assert len(grid["cells"]) == 30
    assert taken(grid) == {(1, 2): (1, 15), (2, 1): (1, 7)}
    assert grid["contacts"] == 2
    assert grid["recency"][1] == {"number": 2, "first": 15, "last": 30}
    assert grid["frequency"][-1] == {"number": 5, "first": 11, "last": None}
    assert grid["raise_events"] is False
    assert (await filled.get("/api/v4/rfm/mail")).json()["contacts"] == 0


async def test_deleted_contacts_are_not_counted(filled: Api) -> None:
    await filled.rows(
        "update contact set deleted_at = now() where org_id = %(org_id)s and external_id = 'CRM-2' returning 1"
    )
    assert taken((await filled.get(PATH)).json()) == {(1, 2): (1, 15)}
    assert (await filled.get(PATH + "/cells/2/1/contacts")).json() == {"items": []}


async def test_a_segment_narrows_the_grid(filled: Api) -> None:
    rule = {"is": "orders", "measure": "total", "test": {"op": "at_most", "value": 7}}
    made = await filled.post("/api/v4/segments", {"name": "Small", "condition": rule})
    segment_id = made.json()["segment_id"]
    assert taken((await filled.get(PATH, params={"segment_id": segment_id})).json()) == {(2, 1): (1, 7)}
    assert (await filled.get(PATH, params={"segment_id": 999_999})).status_code == 404


async def test_recent_sends_narrow_the_grid(filled: Api) -> None:
    for external_id, days in (("CRM-1", 40), ("CRM-2", 3)):
        await filled.rows(
            "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status) "
            "values (%(org_id)s, now() - make_interval(days => %(days)s), 7, 1, %(id)s, 'email', 'DELIVERED') "
            "returning 1",
            days=days,
            id=await contact_id(filled, external_id),
        )
    assert taken((await filled.get(PATH, params={"sent_days": 30})).json()) == {(2, 1): (1, 7)}
    assert len(taken((await filled.get(PATH, params={"sent_days": 60})).json())) == 2


async def test_the_contacts_of_a_cell_come_in_pages(filled: Api) -> None:
    await bring(filled, *(order(10 + n, 20, f"C{n}", totalCost=1) for n in range(3)))
    page = (await filled.get(PATH + "/cells/2/1/contacts", params={"limit": 3})).json()
    assert [one["external_id"] for one in page["items"]] == ["CRM-2", "C0", "C1"]
    assert (page["items"][0]["times"], page["items"][0]["total"]) == (1, 7)
    rest = (await filled.get(PATH + "/cells/2/1/contacts", params={"cursor": page["next"]})).json()
    assert [one["external_id"] for one in rest["items"]] == ["C2"]
    assert "next" not in rest


async def test_a_cell_goes_onto_a_list(filled: Api) -> None:
    made = (await filled.post("/api/v4/segments", {"name": "Bought twice"})).json()
    body = {"segment_id": made["segment_id"]}
    assert (await filled.post(PATH + "/cells/1/2/export", body)).json() == {"attached": 1}
    assert (await filled.post(PATH + "/cells/1/2/export", body)).json() == {"attached": 0}
    assert (await filled.post(PATH + "/cells/6/5/export", body)).json() == {"attached": 0}
    for cell in ("1/2", "6/5"):
        unknown = await filled.post(f"{PATH}/cells/{cell}/export", {"segment_id": 999_999})
        assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v4/rfm/visits", 404),
        (PATH + "/cells/7/1/contacts", 404),
        (PATH + "/cells/1/0/contacts", 404),
        (PATH + "?sent_days=0", 400),
        (PATH + "?sent_days=x", 400),
        (PATH + "?segment_id=x", 400),
        (PATH + "/moves?limit=0", 400),
    ],
)
async def test_bad_questions_are_problems(api: Api, path: str, status: int) -> None:
    answer = await api.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def events(api: Api) -> list[dict[str, Any]]:
    found = await api.rows(
        "select e.params || jsonb_build_object('key', t.key, 'category', t.category, 'of', e.contact_id) "
        "from event e join event_type t using (org_id, event_type_id) "
        "where org_id = %(org_id)s and t.key like 'rfm%%' order by e.event_id"
    )
    return [row[0] for row in found]


async def test_a_move_raises_an_event_once_the_switch_is_on(filled: Api) -> None:
    await bring(filled, order(4, 0, "CRM-2"))
    assert await events(filled) == []
    shown = (await filled.call("PATCH", PATH, {"raise_events": True})).json()
    assert shown["raise_events"] is True
    await bring(filled, order(5, 0, "CRM-2"), order(6, 0, "NEW"))
    crm_2 = await contact_id(filled, "CRM-2")
    assert await events(filled) == [
        {
            "key": "rfmSalesMoved",
            "category": "rfm",
            "of": crm_2,
            "grid": "sales",
            "fromRecency": 1,
            "fromFrequency": 2,
            "toRecency": 1,
            "toFrequency": 3,
            "contactId": crm_2,
            "externalCustomerId": "CRM-2",
        }
    ]
    await filled.call("PATCH", PATH, {"raise_events": False})
    await bring(filled, *(order(20 + n, 0, "CRM-2") for n in range(9)))
    assert len(await events(filled)) == 1
    moved = (await filled.get(PATH + "/moves", params={"contact_id": crm_2, "limit": 1})).json()
    assert (moved["items"][0]["from_frequency"], moved["items"][0]["to_frequency"]) == (3, 5)
    (first,) = (await filled.get(PATH + "/moves", params={"cursor": str(int(moved["next"]) - 1)})).json()[
        "items"
    ]
    assert (first["from_recency"], first["to_recency"]) == (2, 1)


async def test_rules_choose_the_moves(filled: Api) -> None:
    rules = [
        {"from": {"recency": 1}, "to": {"recency": 2}},
        {"from": {}, "to": {"recency": 1, "frequency": 5}},
    ]
    shown = (await filled.call("PATCH", PATH, {"raise_events": True, "moves": rules})).json()
    assert shown["moves"] == rules
    await bring(filled, order(4, 0, "CRM-2"))
    assert await events(filled) == []
    await day.keep(filled.db, datetime.now(UTC) + timedelta(days=15))
    assert {(one["fromRecency"], one["toRecency"]) for one in await events(filled)} == {(1, 2)}
    assert len(await events(filled)) == 2
    kept = (await filled.call("PATCH", PATH, {"raise_events": True})).json()
    assert kept["moves"] == rules


@pytest.mark.parametrize(
    "body",
    [
        {"moves": [{"from": {"recency": 7}}]},
        {"moves": [{"to": {"frequency": 0}}]},
        {"moves": [{}] * 101},
        {"raise": True},
        {"raise_events": "yes"},
    ],
)
async def test_bad_settings_change_nothing(api: Api, body: dict[str, Any]) -> None:
    assert (await api.call("PATCH", PATH, body)).status_code == 400
    assert (await api.get(PATH)).json()["raise_events"] is False
    assert await api.rows("select 1 from rfm_grid where org_id = %(org_id)s") == []


async def test_another_organisation_has_its_own_grid(filled: Api) -> None:
    _, key = await make_organisation(filled.db, "Other Shop")
    await filled.call("PATCH", PATH, {"raise_events": True}, key=key)
    assert (await filled.get(PATH, key=key)).json()["contacts"] == 0
    assert (await filled.get(PATH)).json()["raise_events"] is False


async def test_by_command(filled: Api, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(url=host, key=filled.key)

    async def said(command: Any, *arguments: Any) -> str:
        await asyncio.to_thread(command, *arguments, server=server)
        return capsys.readouterr().out

    made = (await filled.post("/api/v4/segments", {"name": "Bought twice"})).json()
    shown = await said(rfm.show, "sales")
    assert "15-30 d" in shown
    assert "2 people" in shown
    assert "CRM-2" in await said(rfm.contacts, "sales", 2, 1)
    assert "1 person" in await said(rfm.attach, "sales", 1, 2, made["segment_id"])
    assert "raise events" in await said(rfm.events, "sales", "on")
    await bring(filled, order(4, 0, "CRM-2"))
    assert "2,1" in await said(rfm.moves, "sales")
