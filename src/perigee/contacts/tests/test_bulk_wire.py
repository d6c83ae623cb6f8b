"""Bulk contacts on the wire (contract 10.1, 10.3)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from perigee.contacts import jobs
from perigee.contacts.apply_import import apply_import
from perigee.testing.api import Api

PATH = "/api/v1/contacts"


def person(number: int, **members: Any) -> dict[str, Any]:
    return {"channels": [{"type": "email", "value": f"p{number}@example.com"}], **members}


async def send(api: Api, *contacts: Any, **options: Any) -> dict[str, Any]:
    answer = await api.post(PATH, {"contacts": contacts, "dedupeOn": "email", **options})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def status(api: Api, session_id: str) -> dict[str, Any]:
    answer = await api.get(f"/api/v1/importstatus/{session_id}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def test_a_contact_that_no_answer_can_repeat_fails_alone(api: Api) -> None:
    good = '{"channels":[{"type":"email","value":"good@example.com"}]}'
    bad = '{"channels":[{"type":"email","value":"bad@example.com"}],"firstName":1e400}'
    answer = await api.call(
        "POST",
        PATH,
        content=f'{{"contacts":[{bad},{good}],"dedupeOn":"email"}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    assert list(answer.json()["failedContacts"]) == ["error"]
    await api.run_jobs()
    assert await api.rows("select email from contact where org_id = %(org_id)s") == [("good@example.com",)]


async def test_the_example_is_taken_in_at_once_and_applied_by_a_job(api: Api) -> None:
    ((level,),) = await api.rows("select field_id from field where org_id = %(org_id)s and key = 'LEVEL'")
    example = {
        "contacts": [
            {
                "externalCustomerId": "1001",
                "firstName": "Anna",
                "channels": [{"type": "email", "value": "anna@example.com"}],
                "fields": [{"id": level, "value": "gold"}],
            }
        ],
        "dedupeOn": "email",
        "customFieldsIDs": [level],
        "groupNames": ["Customers"],
        "restoreDeleted": False,
        "eventKeyForNewContacts": "newContact",
    }
    answer = await api.post(PATH, example)
    assert answer.status_code == 200
    body = answer.json()
    assert body["id"] == 0
    assert set(body) == {"id", "asyncSessionId"}
    assert (await status(api, body["asyncSessionId"]))["status"] == "STARTED"
    assert await api.rows("select 1 from segment where org_id = %(org_id)s") == []

    await api.run_jobs()
    done = await status(api, body["asyncSessionId"])
    ((contact_id,),) = await api.rows("select contact_id from contact where org_id = %(org_id)s")
    assert done["status"] == "FINISHED"
    assert done["mapping"] == [{"dedupeValue": "anna@example.com", "contactId": contact_id}]
    found = (await api.get(f"/api/v1/contact/{contact_id}")).json()
    assert found["fields"] == [{"id": level, "value": "gold"}]
    assert [group["name"] for group in found["groups"]] == ["Customers"]
    events = await api.rows(
        "select t.key, e.event_key, e.params, e.contact_id from event e join event_type t using (org_id, event_type_id)"
        " where org_id = %(org_id)s"
    )
    params = {"contactId": contact_id, "EmailAddress": "anna@example.com", "SMS": ""}
    assert events == [("newContact", "anna@example.com", params, contact_id)]


async def test_an_event_is_made_for_new_contacts_only(api: Api) -> None:
    await send(api, person(1))
    await api.run_jobs()
    await send(api, person(1, firstName="A"), person(2), eventKeyForNewContacts="newContact")
    await api.run_jobs()
    assert await api.rows("select event_key from event where org_id = %(org_id)s") == [("p2@example.com",)]


async def test_one_refused_contact_comes_back_as_it_came_and_the_others_arrive(api: Api) -> None:
    bad = {"channels": [{"type": "email", "value": "bad@@example"}]}
    answer = await send(api, person(1), bad, person(2))
    assert answer["failedContacts"] == {**bad, "error": "'bad@@example' is not valid email"}
    await api.run_jobs()
    done = await status(api, answer["asyncSessionId"])
    assert [row["dedupeValue"] for row in done["mapping"]] == ["p1@example.com", "p2@example.com"]
    assert (
        done["description"] == "1 contacts were refused, the first because: 'bad@@example' is not valid email"
    )


async def test_several_refused_contacts_are_a_list(api: Api) -> None:
    answer = await send(
        api,
        {"channels": "x", "id": 5},
        7,
        {"firstName": "Anna"},
        person(1, firstName="12345"),
        {"channels": [{"type": "sms", "value": "380501112233"}]},
        person(2),
        None,
    )
    failed = answer["failedContacts"]
    assert [one["error"].split(":")[0] for one in failed] == [
        "channels", "body", "channels", "firstName",
        "the contact has neither externalCustomerId nor a value for dedupeOn 'email'",
    ]  # fmt: skip
    assert failed[0]["id"] == 5
    await api.run_jobs()
    assert await api.rows("select email from contact where org_id = %(org_id)s") == [("p2@example.com",)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contacts": []}, "contacts: at least one contact is required"),
        ({"contacts": None}, "contacts: at least one contact is required"),
        ({"contacts": [person(n) for n in range(3001)]}, "contacts: 3001 are more than 3000"),
        ({"dedupeOn": "shoe size"}, "dedupeOn: 'shoe size' must be one of"),
        ({"dedupeOn": "fieldId", "fieldId": 5}, "fieldId: '5' is not the id of an additional field"),
        ({"groupNames": ["x" * 256]}, "groupNames: "),
        ({"restoreDeleted": "perhaps"}, "restoreDeleted: 'perhaps' is not true or false"),
        ({"eventKeyForNewContacts": "a?b"}, "eventKeyForNewContacts: 'a?b' must not contain '?'"),
    ],
)
async def test_calls_that_break_a_rule_are_refused_whole(
    api: Api, change: dict[str, Any], message: str
) -> None:
    answer = await api.post(PATH, {"contacts": [person(1)], "dedupeOn": "email", **change})
    assert answer.status_code == 400
    assert message in answer.json()["message"]
    assert await api.rows("select 1 from contact_import where org_id = %(org_id)s") == []


async def test_malformed_and_deep_bodies(api: Api) -> None:
    headers = {"content-type": "application/json"}
    for body in (b'{"contacts": [', b'{"contacts": ' + b"[" * 40 + b"]" * 40 + b"}", b"\xff"):
        answer = await api.call("POST", PATH, content=body, headers=headers)
        assert answer.status_code == 400
    assert (
        await api.call("POST", PATH, content=b"x", headers={"content-type": "text/csv"})
    ).status_code == 415


async def test_lists_to_leave_and_to_join(api: Api) -> None:
    await send(api, person(1), person(2), groupNames=["Old", "Both"])
    await api.run_jobs()
    await send(api, person(1), groupNames=["New"], groupNamesExclude=["Old", "Nobody knows"])
    await api.run_jobs()
    rows = await api.rows(
        "select c.email, array_agg(s.name order by s.name) from segment_member m join segment s using (org_id, segment_id)"
        " join contact c using (org_id, contact_id) where org_id = %(org_id)s group by 1 order by 1"
    )
    assert rows == [("p1@example.com", ["Both", "New"]), ("p2@example.com", ["Both", "Old"])]


async def test_a_single_space_and_null_clear_a_listed_field(api: Api) -> None:
    await send(api, person(1, firstName="Anna", lastName="Koval", contactKey="k"))
    await api.run_jobs()
    await send(
        api, person(1, firstName=" ", lastName=None, contactKey=" "), contactFields=["firstName", "lastName"]
    )
    await api.run_jobs()
    rows = await api.rows("select first_name, last_name, contact_key from contact where org_id = %(org_id)s")
    assert rows == [(None, None, "k")]


async def test_values_that_do_not_fit_are_counted(api: Api) -> None:
    ((bonus,),) = await api.rows("select field_id from field where org_id = %(org_id)s and key = 'BONUS'")
    answer = await send(api, person(1, fields=[{"id": bonus, "value": "many"}, {"id": 5, "value": "x"}]))
    await api.run_jobs()
    done = await status(api, answer["asyncSessionId"])
    assert done["description"] == "2 values of additional fields did not fit and were not saved"


async def test_a_job_that_runs_twice_applies_once(api: Api) -> None:
    answer = await send(api, person(1), eventKeyForNewContacts="newContact")
    session = msgspec.convert(answer["asyncSessionId"], type=type(uuid4()))
    await asyncio.gather(*(apply_import(api.db, api.org_id, session) for _ in range(3)))
    await api.run_jobs()
    assert len(await api.rows("select 1 from contact where org_id = %(org_id)s")) == 1
    assert len(await api.rows("select 1 from event where org_id = %(org_id)s")) == 1


async def test_an_import_that_cannot_be_applied_ends_in_error(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("no")

    answer = await send(api, person(1))
    monkeypatch.setattr(jobs, "apply_import", broken)
    await api.run_jobs()
    done = await status(api, answer["asyncSessionId"])
    assert (done["status"], done["description"]) == ("ERROR", "The import failed; the cause is in the log")
    assert "mapping" not in done


@pytest.mark.parametrize("session", ["x", "0192d3a0-0000-7000-8000-000000000001"])
async def test_an_unknown_session_is_not_found(api: Api, session: str) -> None:
    assert (await api.get(f"/api/v1/importstatus/{session}")).status_code == 404


async def test_bulk_calls_may_be_repeated(api: Api) -> None:
    first, second = await send(api, person(1)), await send(api, person(1))
    assert first["asyncSessionId"] != second["asyncSessionId"]
    await api.run_jobs()
    assert len(await api.rows("select 1 from contact where org_id = %(org_id)s")) == 1
