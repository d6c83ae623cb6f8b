"""Data for messages from JSON files by link, over the wire (contract 21.4 to 21.6)."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.contacts.delete import delete
from perigee.files import preprocessor, store
from perigee.files.download import limits, rules
from perigee.files.load import load_data
from perigee.files.preprocessor import data_for
from perigee.keys import Keys
from perigee.lib.outside import Outside
from perigee.testing.api import SECRET, Api, make_organisation
from perigee.testing.files import Files

PATH = "/api/v1/preprocessor/file"
ANNA, BO = "anna@example.com", "bo@example.com"


async def upload(api: Api, link: str, kind: str = "Key", **members: Any) -> dict[str, Any]:
    answer = await api.post(f"{PATH}/upload", {"link": link, "preprocessorType": kind, **members})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def status(api: Api, session: str) -> dict[str, Any]:
    answer = await api.get(f"{PATH}/{session}/status")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def loaded(api: Api, files: Files, data: Any, kind: str = "Key", **members: Any) -> dict[str, Any]:
    body = data if isinstance(data, str | bytes) else json.dumps(data)
    accepted = await upload(api, files.link(body), kind, **members)
    await api.run_jobs()
    return {**accepted, **await status(api, accepted["importId"])}


async def data(api: Api, *emails: str, org_id: int | None = None) -> dict[str, list[Any]]:
    async with api.db.connection() as conn:
        return await data_for(conn, org_id or api.org_id, emails)


async def test_data_by_email(api: Api, files: Files) -> None:
    body = {ANNA: [{"name": "Mug", "price": 9.5}, {"name": "Cup"}], " BO@Example.com": [{"name": "Tea"}]}
    accepted = await upload(api, files.link(json.dumps(body)), ttlHours=240)
    assert set(accepted) == {"message", "importId", "fileId", "valid"}
    assert (accepted["message"], accepted["valid"]) == ("", True)
    assert isinstance(accepted["fileId"], str)
    assert str(UUID(accepted["importId"])) == accepted["importId"]
    assert await status(api, accepted["importId"]) == {"status": "PENDING"}
    assert await data(api, ANNA) == {}
    await api.run_jobs()
    assert await status(api, accepted["importId"]) == {"status": "COMPLETED"}
    assert await data(api, ANNA, BO, "cy@example.com") == {ANNA: body[ANNA], BO: [{"name": "Tea"}]}


async def test_data_drawn_by_chance(api: Api, files: Files) -> None:
    elements = [{"n": 0}, [{"n": 1}, {"n": 1}], {"n": 2}]
    assert (await loaded(api, files, {"a.b": elements}, "random"))["status"] == "COMPLETED"
    people = [f"p{n}@example.com" for n in range(60)] + ["nobody's address"]
    async with api.db.connection() as conn:
        first = await data_for(conn, api.org_id, people, salt="1")
        again = await data_for(conn, api.org_id, people, salt="1")
        other = await data_for(conn, api.org_id, people, salt="2")
    assert list(first) == people
    assert {json.dumps(value) for value in first.values()} == {
        '[{"n": 0}]',
        '[{"n": 1}, {"n": 1}]',
        '[{"n": 2}]',
    }
    assert again == first
    assert other != first


@given(st.text(max_size=20), st.text(max_size=20), st.integers(1, 10**6))
def test_a_draw_is_always_an_element(salt: str, person: str, elements: int) -> None:
    assert 0 <= preprocessor.draw(salt, person, elements) < elements


async def test_elements_that_cannot_be_used_leave_no_gap_to_draw(api: Api, files: Files) -> None:
    done = await loaded(api, files, {"all": [None, "x" * 200_000, {"n": 1}]}, "Random")
    assert done["status"] == "COMPLETED"
    assert done["description"] == "2 entries were left out, the first because: element 1 is null"
    assert await data(api, ANNA) == {ANNA: [{"n": 1}]}


async def test_a_persons_own_data_go_before_a_draw_and_the_latest_file_first(api: Api, files: Files) -> None:
    await loaded(api, files, {ANNA: [1], BO: [1]})
    await loaded(api, files, {"all": [{"n": 0}]}, "Random")
    await loaded(api, files, {ANNA: [2]})
    assert await data(api, ANNA, BO, "cy@example.com") == {ANNA: [2], BO: [1], "cy@example.com": [{"n": 0}]}


async def test_new_data_for_a_file_replace_the_old(api: Api, files: Files) -> None:
    done = await loaded(api, files, {ANNA: [1], BO: [1]})
    answer = await api.post(
        f"{PATH}/{done['fileId']}", {"link": files.link(json.dumps({ANNA: [2]})), "ttlHours": 5}
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body == {"message": "", "asyncSessionId": body["asyncSessionId"], "valid": True}
    assert await data(api, ANNA, BO) == {ANNA: [1], BO: [1]}
    await api.run_jobs()
    assert await status(api, body["asyncSessionId"]) == {"status": "COMPLETED"}
    assert await data(api, ANNA, BO) == {ANNA: [2]}
    ((hours,),) = await api.rows(
        "select extract(epoch from expires_at - loaded_at) / 3600 from data_file where org_id = %(org_id)s"
    )
    assert round(hours) == 5


async def test_new_data_that_cannot_be_loaded_leave_the_old(api: Api, files: Files) -> None:
    done = await loaded(api, files, {ANNA: [1]})
    many = "{" + ",".join(f'"p{n}@example.com":[{n}]' for n in range(1200)) + ',"anna@example.com": ['
    answer = await api.post(f"{PATH}/{done['fileId']}", {"link": files.link(many)})
    await api.run_jobs()
    failed = await status(api, answer.json()["asyncSessionId"])
    assert failed["status"] == "ERROR"
    assert "is not valid JSON" in failed["description"]
    assert await data(api, ANNA, "p1@example.com") == {ANNA: [1]}


async def test_data_live_for_a_month_or_as_said_and_are_dropped_then(api: Api, files: Files) -> None:
    await loaded(api, files, {ANNA: [1]})
    lives = (
        "select extract(epoch from expires_at - loaded_at) / 3600 from data_file where org_id = %(org_id)s"
    )
    ((hours,),) = await api.rows(lives)
    assert round(hours) == 720
    await loaded(api, files, {BO: [1]})
    await api.rows(
        "update data_file set expires_at = now() where org_id = %(org_id)s"
        " and file_id in (select file_id from data_value where org_id = %(org_id)s and key like 'anna%%')"
    )
    assert await data(api, ANNA, BO) == {BO: [1]}
    async with api.db.transaction() as conn:
        await preprocessor.prune(conn)
    assert await api.rows("select key from data_value where org_id = %(org_id)s") == [(BO,)]


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        (b"", "Key", "is an empty file"),
        (b"[]", "Key", "is not a JSON object of lists by key"),
        (b"{}", "Key", "the file holds no data"),
        (b'{"all": []}', "Random", "the file holds no data"),
        (b'{"all": {"a": 1}}', "Random", "the file holds no data"),
        (b'{"a": [1], "b": [2]}', "Random", "the file has 2 keys, 'Random' needs exactly one"),
        (b'{"anna@example.com": [1]} {}', "Key", "is not valid JSON"),
        (b'{"anna@example.com": [1}', "Key", "is not valid JSON"),
        (b'{"anna@example.com": [\xff]}', "Key", "is not UTF-8 text"),
        (b'{"nobody": [1]}', "Key", "link: 'nobody' is not a valid email"),
        (
            b'{"anna@example.com": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "Key",
            "nested deeper than 32 levels",
        ),
        (b'{"anna@example.com": ' + b"1" * 5000 + b"}", "Key", "is not valid JSON"),
        (b'{"anna@example.com": 99999999999999999999}', "Key", "is not valid JSON"),
        (b'{"a": [' + b"[" * 40 + b"]" * 40 + b"]}", "Random", "nested deeper than 32 levels"),
    ],
)
async def test_a_file_that_cannot_be_used_ends_in_error(
    api: Api, files: Files, body: bytes, kind: str, why: str
) -> None:
    done = await loaded(api, files, body, kind)
    assert done["status"] == "ERROR"
    assert why in done["description"]
    assert await api.rows("select 1 from data_value where org_id = %(org_id)s") == []


async def test_entries_that_cannot_be_used_are_left_out_and_counted(api: Api, files: Files) -> None:
    done = await loaded(
        api,
        files,
        '\ufeff{"nobody": [1], "anna@example.com": {"a": "x\\u0000\\ud800\\u001f"}, "bo@example.com": null,'
        ' "cy@example.com": ["' + "x" * 200_000 + '"]}',
    )
    assert (done["status"], done["description"]) == (
        "COMPLETED",
        "2 entries were left out, the first because: 'nobody' is not a valid email",
    )
    found = await data(api, ANNA, BO)
    assert list(found) == [ANNA]
    assert found[ANNA][0]["a"].startswith("x")
    assert "\0" not in found[ANNA][0]["a"]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"link": None}, "link: is required"),
        ({"link": "http://10.0.0.1/a.json"}, "leads to an address that is not public"),
        ({"preprocessorType": None}, "preprocessorType: is required"),
        ({"preprocessorType": "Keys"}, "preprocessorType: 'Keys' must be Key or Random"),
        ({"ttlHours": 0}, "ttlHours"),
        ({"ttlHours": "soon"}, "ttlHours"),
    ],
)
async def test_a_bad_call_is_refused_and_stores_nothing(
    api: Api, files: Files, members: dict[str, Any], field: str
) -> None:
    body = {"link": files.link("{}"), "preprocessorType": "Key", **members}
    answer = await api.post(f"{PATH}/upload", body)
    assert answer.status_code == 400
    assert field in answer.json()["message"]
    assert await api.rows("select 1 from data_file where org_id = %(org_id)s") == []


async def test_what_is_not_there_or_anothers_is_404(api: Api, files: Files) -> None:
    done = await loaded(api, files, {ANNA: [1]})
    other_id, other = await make_organisation(api.db, "Other Shop")
    body = {"link": files.link("{}")}
    for path, key in (
        (f"{PATH}/{done['importId']}/status", other),
        (f"{PATH}/{UUID(int=1)}/status", api.key),
        (f"{PATH}/no-session/status", api.key),
    ):
        assert (await api.get(path, key=key)).status_code == 404
    for file_id, key in ((done["fileId"], other), (999_999, api.key), (2**63, api.key)):
        assert (await api.post(f"{PATH}/{file_id}", body, key=key)).status_code == 404
    assert await data(api, ANNA, org_id=other_id) == {}


async def test_erasing_a_person_erases_their_data(api: Api, files: Files) -> None:
    await loaded(api, files, {ANNA: [1], BO: [1]})
    made = await api.post("/api/v1/contact", {"channels": [{"type": "email", "value": ANNA}]})
    async with api.db.transaction() as conn:
        await delete(conn, api.org_id, made.json()["id"], erase=True)
    assert await api.rows("select key from data_value where org_id = %(org_id)s") == [(BO,)]


# Deaths of the worker


async def load_once(api: Api, session: str) -> None:
    settings = api.settings
    async with Outside(rules(settings)) as outside:
        most = limits(settings, settings.max_data_file_mb)
        await load_data(api.db, outside, Keys.of(SECRET).sealing, most, api.org_id, UUID(session))


async def test_a_worker_that_dies_leaves_the_old_data_and_the_next_one_loads_the_new(
    api: Api, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    done = await loaded(api, files, {ANNA: ["old"]})
    link = files.link(json.dumps({ANNA: ["new"], BO: ["new"]}))
    session = (await api.post(f"{PATH}/{done['fileId']}", {"link": link})).json()["asyncSessionId"]
    insert = store.insert_values

    async def deadly(*arguments: Any) -> None:
        await insert(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(store, "insert_values", deadly)
        with pytest.raises(Killed):
            await load_once(api, session)
    assert await status(api, session) == {"status": "PROCESSING"}
    assert await data(api, ANNA, BO) == {ANNA: ["old"]}
    await load_once(api, session)
    assert await status(api, session) == {"status": "COMPLETED"}
    assert await data(api, ANNA, BO) == {ANNA: ["new"], BO: ["new"]}
    asked = len(files.asked)
    await load_once(api, session)
    assert len(files.asked) == asked


async def test_two_workers_on_one_load_take_turns(api: Api, files: Files) -> None:
    accepted = await upload(api, files.link(json.dumps({f"p{n}@example.com": [n] for n in range(1200)})))
    await asyncio.gather(*(load_once(api, accepted["importId"]) for _ in range(3)))
    assert await status(api, accepted["importId"]) == {"status": "COMPLETED"}
    assert await api.rows("select count(*) from data_value where org_id = %(org_id)s") == [(1200,)]
