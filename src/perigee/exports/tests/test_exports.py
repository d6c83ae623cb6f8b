"""Exports over the wire: what is in the files, who joins lists, and what becomes of them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from perigee.exports import kinds, store
from perigee.exports.run import run
from perigee.testing.api import Api
from perigee.testing.sending import Shop as Sending

EXPORTS = "/api/v4/exports"
NOW = datetime.now(UTC)


def table(content: bytes) -> list[list[str]]:
    text = content.decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


class Shop:
    def __init__(self, api: Api) -> None:
        self.api = api

    async def person(self, email: str, **more: Any) -> int:
        answer = await self.api.post("/api/v4/contacts", {"email": email, **more})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["contact_id"])

    async def start(self, **wanted: Any) -> dict[str, Any]:
        answer = await self.api.post(EXPORTS, wanted)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def made(self, **wanted: Any) -> dict[str, Any]:
        """Run to its end."""
        export_id = (await self.start(**wanted))["export_id"]
        await self.api.run_jobs()
        found: dict[str, Any] = (await self.api.get(f"{EXPORTS}/{export_id}")).json()
        return found

    async def file(self, **wanted: Any) -> list[list[str]]:
        made = await self.made(**wanted)
        assert made["state"] == "done", made
        answer = await self.api.get(f"{EXPORTS}/{made['export_id']}/file")
        assert answer.status_code == 200, answer.text
        assert len(answer.content) == made["bytes"]
        return table(answer.content)


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def orders(api: Api, *given: dict[str, Any]) -> None:
    base = {"date": "2026-02-03T10:00:00Z", "currency": "USD", "totalCost": 10, "status": "DELIVERED"}
    answer = await api.post("/api/v1/orders", {"orders": [{**base, **one} for one in given]})
    assert answer.status_code == 200, answer.text


async def test_everybody_with_all_that_is_known(shop: Shop, api: Api) -> None:
    group = (await api.post("/api/v4/fields/groups", {"name": "Club"})).json()["group_id"]
    field = {"group_id": group, "name": "Colours", "type": "checkboxlist", "choices": ["red", "blue"]}
    number = (await api.post("/api/v4/fields", field)).json()["field_id"]
    anna = await shop.person(
        "Anna@Example.com",
        external_id="CRM-1",
        phone="380501112233",
        first_name="Anna",
        town='Lviv, "old"',
        fields={str(number): ["red", "blue"]},
        lists=["News", "Buyers"],
    )
    bo = await shop.person("bo@example.com")
    await api.post("/api/v1/emails/unsubscribed/add", {"emails": ["bo@example.com"]})
    await orders(
        api,
        {"externalOrderId": "1", "externalCustomerId": "CRM-1", "totalCost": "10.50"},
        {"externalOrderId": "2", "externalCustomerId": "CRM-1", "totalCost": 20},
        {"externalOrderId": "3", "externalCustomerId": "CRM-1", "totalCost": 99, "status": "CANCELLED"},
    )
    heading, *rows = await shop.file()
    found = [dict(zip(heading, row, strict=True)) for row in rows]
    assert [one["contact_id"] for one in found] == [str(anna), str(bo)]
    assert found[0]["email"] == "Anna@example.com"  # as it was written, its domain in small letters
    assert found[0]["town"] == 'Lviv, "old"'
    assert found[0]["lists"] == "Buyers; News"
    assert (found[0]["orders"], found[0]["orders_total"], found[0]["orders_average"]) == (
        "2",
        "30.5",
        "15.25",
    )
    assert found[0]["last_order_at"] == "2026-02-03T10:00:00Z"
    assert [value for name, value in found[0].items() if name.startswith("CLUB.")] == ["red; blue"]
    assert (found[0]["email_state"], found[1]["email_state"]) == ("active", "unsubscribed")
    assert (found[0]["phone_state"], found[1]["phone_state"], found[1]["orders"]) == ("active", "", "")


async def test_chosen_columns_in_their_order(shop: Shop) -> None:
    await shop.person("anna@example.com", first_name="Anna")
    wanted = ["first_name", "email"]
    assert await shop.file(columns=wanted) == [wanted, ["Anna", "anna@example.com"]]


async def test_a_cell_that_is_a_formula_is_guarded_unless_a_program_reads_it(shop: Shop) -> None:
    await shop.person("anna@example.com", town="=1+1")
    assert (await shop.file(columns=["town"]))[1] == ["'=1+1"]
    assert (await shop.file(columns=["town"], guarded=False))[1] == ["=1+1"]


async def test_the_people_of_a_list_of_a_dynamic_segment_and_of_a_condition(shop: Shop, api: Api) -> None:
    await shop.person("anna@example.com", lists=["News"], town="Lviv")
    await shop.person("bo@example.com", town="Lviv")
    await shop.person("cy@example.com", lists=["News"], town="Kyiv")
    gone = await shop.person("di@example.com", lists=["News"])
    await api.delete(f"/api/v4/contacts/{gone}")
    (news,) = (await api.get("/api/v4/segments")).json()["items"]
    condition = {"is": "field", "field": "town", "test": {"op": "equals", "value": "Lviv"}}
    lviv = (await api.post("/api/v4/segments", {"name": "Lviv", "condition": condition})).json()
    short = {"columns": ["email"]}
    assert (await shop.file(segment_id=news["segment_id"], **short))[1:] == [
        ["anna@example.com"],
        ["cy@example.com"],
    ]
    by_rule = [["anna@example.com"], ["bo@example.com"]]
    assert (await shop.file(segment_id=lviv["segment_id"], **short))[1:] == by_rule
    assert (await shop.file(condition=condition, **short))[1:] == by_rule


async def test_people_join_a_new_list_and_lists_that_are_there(shop: Shop, api: Api) -> None:
    first = await shop.person("anna@example.com", lists=["Old"])
    second = await shop.person("bo@example.com")
    (old,) = (await api.get("/api/v4/segments")).json()["items"]
    made = await shop.made(lists=[old["segment_id"]], new_list="Everybody", file=False)
    assert (made["state"], made["total"], made["done"], made["attached"]) == ("done", 2, 2, 3)
    assert "link" not in made
    new = made["lists"][1]
    members = (
        "select contact_id from segment_member where org_id = %(org_id)s and segment_id = %(new)s order by 1"
    )
    assert await api.rows(members, new=new) == [(first,), (second,)]
    again = await api.post(EXPORTS, {"new_list": "Everybody"})
    assert again.status_code == 409
    assert (await api.get(f"{EXPORTS}/{made['export_id']}/file")).status_code == 404


async def test_orders_and_their_items(shop: Shop, api: Api) -> None:
    items = [
        {"externalItemId": "A", "name": "Mug", "quantity": 2, "cost": "4.5"},
        {"externalItemId": "B", "name": "Cup", "quantity": 1, "cost": 1},
    ]
    await orders(
        api,
        {"externalOrderId": "1", "email": "anna@example.com", "items": items},
        {"externalOrderId": "2", "email": "anna@example.com", "date": "2026-03-01T00:00:00Z"},
        {"externalOrderId": "3", "email": "bo@example.com", "status": "CANCELLED"},
    )
    columns = ["external_order_id", "email", "status", "total", "items"]
    assert (await shop.file(kind="orders", columns=columns))[1:] == [
        ["1", "anna@example.com", "DELIVERED", "10", "2"],
        ["2", "anna@example.com", "DELIVERED", "10", "0"],
        ["3", "bo@example.com", "CANCELLED", "10", "0"],
    ]
    only = {"columns": ["external_order_id"], "kind": "orders"}
    assert (await shop.file(status="CANCELLED", **only))[1:] == [["3"]]
    assert (await shop.file(first="2026-02-03T10:00:00Z", until="2026-03-01T00:00:00Z", **only))[1:] == [
        ["1"],
        ["3"],
    ]
    by_item = ["external_order_id", "item_id", "item_quantity", "item_cost"]
    assert (await shop.file(kind="order_items", status="DELIVERED", columns=by_item))[1:] == [
        ["1", "A", "2", "4.5"],
        ["1", "B", "1", "1"],
        ["2", "", "", ""],
    ]


async def test_the_people_of_a_campaign_and_what_became_of_them(shop: Shop, api: Api) -> None:
    sending = Sending(api.db, api.org_id)
    people = [await sending.person(f"p{number}@example.com") for number in range(5)]
    campaign = await sending.started(people)
    await sending.run_sender()
    await api.rows(
        """insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status)
           select org_id, now(), send_id, ordinal, contact_id, 'email', 'READ' from delivery
           where org_id = %(org_id)s and contact_id = %(reader)s returning 1""",
        reader=people[2],
    )
    asked = {"campaign_id": campaign.campaign_id}
    columns = ["contact_id", "address", "outcome"]
    all_of_it = await shop.file(kind="recipients", recipients=asked, columns=columns)
    assert all_of_it == [columns, *([str(one), f"p{n}@example.com", "sent"] for n, one in enumerate(people))]
    opened = await shop.file(kind="recipients", recipients={**asked, "engaged": "opened"}, columns=columns)
    assert [row[0] for row in opened[1:]] == [str(people[2])]
    follow = {"campaign_id": campaign.campaign_id, "who": "opened"}
    assert (await shop.file(follow=follow, columns=["email"]))[1:] == [["p2@example.com"]]
    await api.delete(f"/api/v4/contacts/{people[0]}")
    rest = await shop.file(follow={**follow, "who": "not_opened"}, columns=["contact_id"])
    assert rest[1:] == [[str(people[1])], [str(people[3])], [str(people[4])]]


async def test_events_of_a_type_and_of_a_contact(shop: Shop, api: Api) -> None:
    anna = await shop.person("anna@example.com")
    for key, email, params in (("looked", "anna", {"page": "a"}), ("left", "anna", {}), ("looked", "bo", {})):
        body = {"eventTypeKey": key, "params": {"email": f"{email}@example.com", **params}}
        await api.post("/api/v3/event", body)
    columns = ["event_type", "email", "params"]
    looked = (await shop.file(kind="events", event_type="looked", columns=columns))[1:]
    assert [row[:2] for row in looked] == [["looked", "anna@example.com"], ["looked", "bo@example.com"]]
    assert '"page":"a"' in looked[0][2]
    mine = (await shop.file(kind="events", contact_id=anna, columns=["event_type"]))[1:]
    assert [row for row in mine if row[0] in ("looked", "left")] == [["looked"], ["left"]]


async def test_addresses_that_must_not_be_written_to(shop: Shop, api: Api) -> None:
    await shop.person("anna@example.com")
    await shop.person("bo@example.com")
    await api.post("/api/v1/emails/unsubscribed/add", {"emails": ["bo@example.com"]})
    await api.rows(
        "insert into address (org_id, kind, value, blacklisted_at, blacklist_reason) "
        "values (%(org_id)s, 'phone', '380501112233', now(), 'dead') returning 1"
    )
    columns = ["kind", "address", "state"]
    found = await shop.file(kind="unsubscribed", columns=columns)
    assert found == [
        columns,
        ["email", "bo@example.com", "unsubscribed"],
        ["phone", "380501112233", "blacklisted"],
    ]


@pytest.mark.parametrize("kind", ["contacts", "orders", "order_items", "events", "unsubscribed"])
async def test_pages_continue_where_a_dead_worker_stopped(shop: Shop, api: Api, kind: str) -> None:
    for number in range(7):
        await orders(api, {"externalOrderId": str(number), "email": f"p{number}@example.com"})
    await api.post("/api/v1/emails/unsubscribed/add", {"emails": [f"p{n}@example.com" for n in range(7)]})
    first = await shop.start(kind=kind)
    second = await shop.start(kind=kind)
    await run(api.db, api.org_id, first["export_id"], NOW, page=10_000)

    class Died(Exception):
        pass

    calls = 0

    def dying(*_: Any, **__: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 2 == 0:
            raise Died
        return original(*_, **__)

    original = store.move
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("perigee.exports.store.move", dying)
        for _ in range(20):
            try:
                await run(api.db, api.org_id, second["export_id"], NOW, page=2)
                break
            except Died:
                continue
    whole = await api.get(f"{EXPORTS}/{first['export_id']}/file")
    in_parts = await api.get(f"{EXPORTS}/{second['export_id']}/file")
    assert calls > 4
    assert len(table(whole.content)) >= 8
    assert in_parts.content == whole.content


async def test_the_link_opens_the_file_without_a_key_until_it_expires(shop: Shop, api: Api) -> None:
    await shop.person("anna@example.com")
    made = await shop.made(columns=["email"])
    path = made["link"].removeprefix("http://perigee.test")
    answer = await api.get(path, key="")
    assert table(answer.content) == [["email"], ["anna@example.com"]]
    assert answer.headers["cache-control"] == "private, no-store"
    assert (await api.get(path[:-1] + ("A" if path[-1] != "A" else "B"), key="")).status_code == 404
    await api.rows(
        "update export set finished_at = finished_at - interval '3 days' where org_id = %(org_id)s"
    )
    assert (await api.get(path, key="")).status_code == 404
    async with api.db.transaction() as conn:
        await store.prune(conn, 3)
    for name in ("export", "export_person", "export_piece"):
        assert await api.rows(f"select 1 from {name} where org_id = %(org_id)s") == []


async def test_an_export_can_be_cancelled_once_and_deleted(shop: Shop, api: Api) -> None:
    await shop.person("anna@example.com")
    export_id = (await shop.start())["export_id"]
    assert (await api.get(f"{EXPORTS}/{export_id}/file")).status_code == 409
    answer = await api.post(f"{EXPORTS}/{export_id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert (await api.post(f"{EXPORTS}/{export_id}/cancel")).status_code == 409
    await api.run_jobs()
    assert (await api.get(f"{EXPORTS}/{export_id}")).json()["state"] == "cancelled"
    assert (await api.delete(f"{EXPORTS}/{export_id}")).status_code == 204
    assert (await api.get(f"{EXPORTS}/{export_id}")).status_code == 404


async def test_of_an_erased_person_no_file_stays(shop: Shop, api: Api) -> None:
    anna = await shop.person("anna@example.com", town="Lviv")
    await shop.person("bo@example.com", town="Kyiv")
    in_lviv = {"is": "field", "field": "town", "test": {"op": "equals", "value": "Lviv"}}
    named = {"is": "field", "field": "email", "test": {"op": "equals", "value": "anna@example.com"}}
    with_her = await shop.made(condition=in_lviv)
    without = await shop.made(condition={"is": "not", "of": in_lviv})
    orders_of_all = await shop.made(kind="orders")
    asked_for = await shop.made(condition={"is": "all", "of": [named, {"is": "not", "of": in_lviv}]})
    await api.delete(f"/api/v4/contacts/{anna}?erase=true")
    states = {}
    for one in (with_her, without, orders_of_all, asked_for):
        states[one["export_id"]] = (await api.get(f"{EXPORTS}/{one['export_id']}")).json()["state"]
    assert list(states.values()) == ["erased", "done", "erased", "erased"]
    for name in ("export", "export_person", "export_piece"):
        rows = await api.rows(f"select t::text from {name} t where org_id = %(org_id)s")
        assert not [row for row in rows if "anna@example.com" in row[0]]
    assert await api.rows("select distinct export_id from export_piece where org_id = %(org_id)s") == [
        (without["export_id"],)
    ]
    assert (await api.get(f"{EXPORTS}/{with_her['export_id']}/file")).status_code == 404


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "orders", "status": "a\u0000b"},
        {"new_list": "a\u0000b"},
        {"condition": {"is": "field", "field": "town", "test": {"op": "equals", "value": "a\u0000b"}}},
    ],
)
async def test_signs_that_no_text_has_are_left_out(shop: Shop, wanted: dict[str, Any]) -> None:
    assert (await shop.made(**wanted))["state"] == "done"


async def test_who_cancels_while_the_people_are_worked_out_does_not_wait(
    shop: Shop, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.person("anna@example.com")
    export_id = (await shop.start())["export_id"]
    gathered = kinds.begin

    async def slow(*given: Any) -> int | None:
        total = await gathered(*given)
        assert (await api.post(f"{EXPORTS}/{export_id}/cancel")).status_code == 200
        return total

    monkeypatch.setattr("perigee.exports.kinds.begin", slow)
    await run(api.db, api.org_id, export_id, NOW)
    assert (await api.get(f"{EXPORTS}/{export_id}")).json()["state"] == "cancelled"
    assert await api.rows("select 1 from export_person where org_id = %(org_id)s") == []


async def test_what_was_begun_while_a_person_was_being_erased_goes_with_the_sweep(
    shop: Shop, api: Api
) -> None:
    """As if the erasure had committed after the export read the person."""
    anna = await shop.person("anna@example.com")
    meanwhile = (await shop.made())["export_id"]
    orders_meanwhile = (await shop.made(kind="orders"))["export_id"]
    await api.rows(
        "update export set created_at = created_at - interval '5 minutes' where org_id = %(org_id)s"
    )
    later = (await shop.made(kind="orders"))["export_id"]
    async with api.db.transaction() as conn:
        await store.sweep(conn, api.org_id, [anna], 240)
    states = await api.rows("select export_id, state from export where org_id = %(org_id)s order by 1")
    assert states == [(meanwhile, "erased"), (orders_meanwhile, "erased"), (later, "done")]


async def test_a_segment_that_is_gone_fails_the_export_and_says_so(shop: Shop, api: Api) -> None:
    made = (await api.post("/api/v4/segments", {"name": "Gone"})).json()
    export_id = (await shop.start(segment_id=made["segment_id"]))["export_id"]
    await api.delete(f"/api/v4/segments/{made['segment_id']}")
    await api.run_jobs()
    found = (await api.get(f"{EXPORTS}/{export_id}")).json()
    assert found["state"] == "failed"
    assert "is not found" in found["error"]


@pytest.mark.parametrize(
    ("wanted", "status", "field"),
    [
        ({"kind": "orders", "segment_id": 1}, 400, "segment_id"),
        ({"kind": "unsubscribed", "status": "x"}, 400, "status"),
        ({"columns": []}, 400, "columns"),
        ({"columns": ["email", "colour"]}, 400, "columns"),
        ({"kind": "events", "columns": ["first_name"]}, 400, "columns"),
        ({"segment_id": 1, "condition": {"is": "field"}}, 400, "condition"),
        ({"file": False}, 400, "file"),
        ({"kind": "recipients"}, 400, "recipients"),
        ({"kind": "orders", "first": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, 400, "until"),
        ({"kind": "orders", "first": "2026-02-01T00:00:00"}, 400, "first"),
        ({"segment_id": 999999}, 404, None),
        ({"lists": [999999]}, 404, None),
        ({"kind": "recipients", "recipients": {"campaign_id": 999999}}, 404, None),
    ],
)
async def test_a_bad_request_names_its_member_and_leaves_nothing(
    api: Api, wanted: dict[str, Any], status: int, field: str | None
) -> None:
    answer = await api.post(EXPORTS, wanted)
    assert answer.status_code == status, answer.text
    assert answer.json().get("field") == field
    assert await api.rows("select 1 from export where org_id = %(org_id)s") == []
