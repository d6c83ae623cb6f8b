"""A file of contacts by its link, over the wire (contract 10.2, 10.3)."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from typing import Any
from uuid import UUID

import pytest

from perigee.contacts.upload import apply
from perigee.contacts.upload.apply import apply_upload
from perigee.contacts.upsert import upsert
from perigee.files.download import limits, rules
from perigee.keys import Keys
from perigee.lib.outside import Outside
from perigee.settings import Settings
from perigee.testing.api import SECRET, SETTINGS, Api, make_organisation
from perigee.testing.files import Files

PATH = "/api/v1/contacts/upload"
PEOPLE = "select email, phone, first_name, last_name from contact where org_id = %(org_id)s order by email"


async def upload(api: Api, link: Any, **members: Any) -> dict[str, Any]:
    answer = await api.post(PATH, {"link": link, "dedupeOn": "email", **members})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def status(api: Api, accepted: dict[str, Any]) -> dict[str, Any]:
    answer = await api.get(f"/api/v1/importstatus/{accepted['importId']}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def imported(api: Api, link: str, **members: Any) -> dict[str, Any]:
    accepted = await upload(api, link, **members)
    await api.run_jobs()
    return await status(api, accepted)


async def test_a_file_is_taken_in_at_once_and_applied_by_a_job(api: Api, files: Files) -> None:
    link = files.link("email,firstName\nanna@example.com,Anna\nbo@example.com,Bo\n")
    accepted = await upload(api, link, groupNames=["Import"])
    assert set(accepted) == {"message", "importId", "asyncSessionId", "fileId", "valid"}
    assert accepted["importId"] == accepted["asyncSessionId"] == str(UUID(accepted["importId"]))
    assert accepted["valid"] is True
    assert isinstance(accepted["fileId"], str)
    assert int(accepted["fileId"]) > 0
    assert (await status(api, accepted))["status"] == "STARTED"
    assert files.asked == []
    assert await api.rows("select 1 from segment where org_id = %(org_id)s") == []

    await api.run_jobs()
    done = await status(api, accepted)
    ids = dict(await api.rows("select email, contact_id from contact where org_id = %(org_id)s"))
    assert done["status"] == "FINISHED"
    assert done["description"] == "2 contacts created, 0 updated, 0 skipped"
    assert done["mapping"] == [
        {"dedupeValue": "anna@example.com", "contactId": ids["anna@example.com"]},
        {"dedupeValue": "bo@example.com", "contactId": ids["bo@example.com"]},
    ]
    assert await api.rows(
        "select s.name, count(*) from segment s join segment_member m using (org_id, segment_id)"
        " where s.org_id = %(org_id)s group by 1"
    ) == [("Import", 2)]


async def test_every_documented_heading(api: Api, files: Files) -> None:
    link = files.link(
        "\ufeffFirst name,Last name,Address,Region,City,Postcode,Email,SMS,Language code,Timezone,Contact ID,"
        "Additional info,PERSONAL.BIRTHDAY,SHOP.BONUS,Shoe size\r\n"
        '"Anna","Koval","1 Sample St, ""B""",North,Exampleton,10001,anna@example.com,+380 50 111-22-33,uk,'
        "Europe/Kyiv,CRM-1,likes mugs,31.12.1990,7,38\r\n"
    )
    done = await imported(api, link)
    assert done["status"] == "FINISHED"
    assert "columns without a meaning: Contact ID, Additional info, Shoe size" in done["description"]
    contact_id = done["mapping"][0]["contactId"]
    contact = (await api.get(f"/api/v1/contact/{contact_id}")).json()
    assert (contact["firstName"], contact["lastName"]) == ("Anna", "Koval")
    assert contact["address"] == {
        "region": "North",
        "town": "Exampleton",
        "address": '1 Sample St, "B"',
        "postcode": "10001",
    }
    assert (contact["languageCode"], contact["timeZone"]) == ("uk", "Europe/Kyiv")
    assert {channel["type"]: channel["value"] for channel in contact["channels"]} == {
        "email": "anna@example.com",
        "sms": "380501112233",
    }
    assert sorted(field["value"] for field in contact["fields"]) == ["1990-12-31", "7"]


async def test_additional_info_goes_into_the_field_of_that_key(api: Api, files: Files) -> None:
    groups = (await api.get("/api/v4/fields")).json()["groups"]
    made = await api.post(
        "/api/v4/fields",
        {"group_id": groups[0]["group_id"], "name": "Additional info", "type": "textarea"},
    )
    assert made.status_code == 201
    done = await imported(api, files.link("Email,Additional info\nanna@example.com,likes mugs\n"))
    assert "columns" not in done["description"]
    contact = (await api.get(f"/api/v1/contact/{done['mapping'][0]['contactId']}")).json()
    assert contact["fields"] == [{"id": made.json()["field_id"], "value": "likes mugs"}]


async def test_a_known_contact_gets_what_the_file_holds_and_loses_nothing(api: Api, files: Files) -> None:
    link = files.link("email,firstName,lastName,SHOP.BONUS,SHOP.LEVEL\nanna@example.com,Anna,Koval,7,gold\n")
    await imported(api, link)
    done = await imported(
        api, files.link("EMAIL,first_name,Last Name,shop.bonus,SHOP.LEVEL\nANNA@example.com,Anya,,9,\n")
    )
    assert done["description"] == "0 contacts created, 1 updated, 0 skipped"
    assert await api.rows(PEOPLE) == [("anna@example.com", None, "Anya", "Koval")]
    contact = (await api.get(f"/api/v1/contact/{done['mapping'][0]['contactId']}")).json()
    assert sorted(field["value"] for field in contact["fields"]) == ["9", "gold"]


async def test_contacts_are_found_by_phone_by_either_or_by_id(api: Api, files: Files) -> None:
    for dedupe_on, text in (
        ("sms", "sms,firstName\n380501112233,Anna\n380501112233,Anya\n"),
        ("email_or_sms", "email,sms,firstName\n,380501112233,Olha\nbo@example.com,,Bo\n"),
    ):
        assert (await imported(api, files.link(text), dedupeOn=dedupe_on))["status"] == "FINISHED"
    assert await api.rows(PEOPLE) == [
        ("bo@example.com", None, "Bo", None),
        (None, "380501112233", "Olha", None),
    ]
    ((contact_id,),) = await api.rows(
        "select contact_id from contact where org_id = %(org_id)s and phone > ''"
    )
    done = await imported(
        api, files.link(f"Contact ID,First name\n{contact_id},Iryna\n999999999,Nobody\n"), dedupeOn="id"
    )
    assert done["mapping"] == [{"dedupeValue": str(contact_id), "contactId": contact_id}]
    assert (
        "1 contacts were refused, the first because: line 3: Contact with id='999999999' is not found"
        in (done["description"])
    )
    assert ("Iryna",) in await api.rows("select first_name from contact where org_id = %(org_id)s")


async def test_lists_to_leave_deleted_contacts_and_events_of_new_ones(api: Api, files: Files) -> None:
    link = files.link("email\nanna@example.com\nbo@example.com\n")
    await imported(api, link, groupNames=["Old"], eventKeyForNewContacts="newContact")
    events = "select count(*) from event where org_id = %(org_id)s and source = 'import'"
    assert await api.rows(events) == [(2,)]
    ((anna,),) = await api.rows(
        "select contact_id from contact where org_id = %(org_id)s and email like 'anna%%'"
    )
    await api.delete(f"/api/v1/contact/{anna}")
    done = await imported(api, link, groupNamesExclude=["Old"], eventKeyForNewContacts="newContact")
    assert done["description"] == "0 contacts created, 1 updated, 1 skipped"
    assert await api.rows(events) == [(2,)]
    members = "select contact_id from segment_member where org_id = %(org_id)s"
    assert await api.rows(members) == [(anna,)]
    done = await imported(api, link, restoreDeleted=True)
    assert done["description"] == "0 contacts created, 2 updated, 0 skipped"


async def test_bad_rows_are_counted_and_described_and_the_others_written(api: Api, files: Files) -> None:
    link = files.link(
        "email,firstName,SHOP.BONUS\nbad@@example,Anna,1\n\n  ,  ,\n,Nobody,2\nbo@example.com,Bo,many\n"
        "cy@example.com,Cy,3,more,cells\n"
    )
    done = await imported(api, link)
    assert done["status"] == "FINISHED"
    assert "2 contacts created" in done["description"]
    assert (
        "2 contacts were refused, the first because: line 2: 'bad@@example' is not valid email"
        in (done["description"])
    )
    assert "1 values of additional fields did not fit" in done["description"]
    assert [row[0] for row in await api.rows(PEOPLE)] == ["bo@example.com", "cy@example.com"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is an empty file"),
        (b"email\nanna@example.com\xff\n", "is not UTF-8 text"),
        (b"email\n", "has no line below its headings"),
        (b"email\n\n \n", "has no line below its headings"),
        (b"name,size\nAnna,38\n", "has no column Email, which dedupeOn needs"),
        (b'email\nanna@example.com\n"bo@example.com\ncy@example.com\n', "line 4 of the file is not CSV"),
        (b'email\n"anna"@example.com\n', "line 2 of the file is not CSV"),
        (b'email\nanna@example.com\n"' + b"x" * 200_000 + b'"\n', "is not CSV"),
    ],
)
async def test_a_file_that_cannot_be_used_ends_in_error_and_writes_nobody(
    api: Api, files: Files, body: bytes, why: str
) -> None:
    done = await imported(api, files.link(body))
    assert done["status"] == "ERROR"
    assert why in done["description"]
    assert "mapping" not in done
    assert await api.rows(PEOPLE) == []


async def test_a_link_that_fails_for_good_ends_in_error_at_once(api: Api, files: Files) -> None:
    files.status = 404
    done = await imported(api, files.link("email\na@example.com\n", user="anna:secret@"))
    assert done["status"] == "ERROR"
    assert done["description"].endswith("/file' answers with the status 404, not 200")
    assert "secret" not in done["description"]
    assert len(files.asked) == 1


async def test_a_link_that_does_not_answer_is_tried_three_times(api: Api, files: Files) -> None:
    files.status = 503
    accepted = await upload(api, files.link("email\na@example.com\n"))
    for _ in range(3):
        assert (await status(api, accepted))["status"] in ("STARTED", "IMPORTING")
        await api.rows("update procrastinate_jobs set scheduled_at = null where %(org_id)s > 0")
        await api.run_jobs()
    done = await status(api, accepted)
    assert (done["status"], len(files.asked)) == ("ERROR", 3)
    assert "answers with the status 503" in done["description"]


async def test_a_file_larger_than_the_setting_is_refused(api: Api, files: Files) -> None:
    api.settings = dataclasses.replace(api.settings, max_import_file_mb=1)
    done = await imported(api, files.link(b"email\n" + b"a@example.com\n" * 80_000))
    assert (done["status"], done["description"].split("'")[-1]) == ("ERROR", " is larger than 1 MB")


async def test_credentials_of_the_link_are_used_kept_sealed_and_forgotten(api: Api, files: Files) -> None:
    accepted = await upload(api, files.link("email\na@example.com\n", user="anna:top-secret@"))
    ((link,),) = await api.rows("select link from contact_upload where org_id = %(org_id)s")
    assert b"top-secret" not in link
    ((args,),) = await api.rows("select args::text from procrastinate_jobs where %(org_id)s > 0")
    assert "top-secret" not in args
    await api.run_jobs()
    (request,) = files.asked
    assert base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"anna:top-secret"
    assert (await status(api, accepted))["status"] == "FINISHED"
    assert await api.rows("select link from contact_upload where org_id = %(org_id)s") == [(None,)]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"link": None}, "link: is required"),
        ({"link": " "}, "link: is required"),
        ({"link": "files.example.com/a.csv"}, "is not an address that begins with http:// or https://"),
        ({"link": "ftp://files.example.com/a.csv"}, "is not an address that begins with http:// or https://"),
        ({"link": "http://169.254.169.254/latest"}, "leads to an address that is not public"),
        ({"link": "http://[::ffff:10.0.0.1]/a.csv"}, "leads to an address that is not public"),
        ({"dedupeOn": None}, "dedupeOn: is required"),
        ({"dedupeOn": "fieldId"}, "dedupeOn: 'fieldId' must be one of email, sms, email_or_sms, id"),
        ({"eventKeyForNewContacts": "a<b"}, "eventKeyForNewContacts"),
        ({"restoreDeleted": "perhaps"}, "restoreDeleted"),
    ],
)
async def test_a_bad_call_is_refused_and_stores_nothing(
    api: Api, files: Files, members: dict[str, Any], field: str
) -> None:
    body = {"link": files.link("email\na@example.com\n"), "dedupeOn": "email", **members}
    answer = await api.post(PATH, body)
    assert answer.status_code == 400
    assert field in answer.json()["message"]
    assert await api.rows("select 1 from contact_import where org_id = %(org_id)s") == []
    assert await api.rows("select 1 from procrastinate_jobs where %(org_id)s > 0") == []


async def test_another_organisation_does_not_know_the_session(api: Api, files: Files) -> None:
    accepted = await upload(api, files.link("email\na@example.com\n"))
    _, other = await make_organisation(api.db, "Other Shop")
    answer = await api.get(f"/api/v1/importstatus/{accepted['importId']}", key=other)
    assert answer.status_code == 404


# Deaths of the worker


async def apply_once(api: Api, session: str) -> None:
    settings = api.settings
    async with Outside(rules(settings)) as outside:
        await apply_upload(
            api.db,
            outside,
            Keys.of(SECRET).sealing,
            limits(settings, settings.max_import_file_mb),
            api.org_id,
            UUID(session),
        )


class Killed(BaseException):
    """The worker is gone."""


class Deadly:
    """Dies in the middle of the step after so many, as `upsert` of the job."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
        self.left = steps
        self.rows: list[int] = []
        self.upsert = upsert
        monkeypatch.setattr(apply, "upsert", self)

    async def __call__(self, conn: Any, org_id: int, rows: Any, policy: Any) -> Any:
        results = await self.upsert(conn, org_id, rows, policy)
        if self.left == 0:
            raise Killed
        self.left -= 1
        self.rows.append(len(rows))
        return results


def people(count: int) -> str:
    return "email\n" + "".join(f"p{number:03}@example.com\n" for number in range(count))


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "STEP", 10)


@pytest.mark.usefixtures("small_steps")
async def test_after_a_death_the_next_worker_goes_on_where_the_last_step_ended(
    api: Api, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = await upload(api, files.link(people(35)), eventKeyForNewContacts="newContact")
    deadly = Deadly(monkeypatch, steps=2)
    with pytest.raises(Killed):
        await apply_once(api, accepted["importId"])
    half = await status(api, accepted)
    assert (half["status"], half["description"]) == ("IMPORTING", "20 contacts created, 0 updated, 0 skipped")
    deadly.left, deadly.rows = 100, []
    await apply_once(api, accepted["importId"])
    done = await status(api, accepted)
    assert deadly.rows == [10, 5]
    assert (done["status"], done["description"]) == ("FINISHED", "35 contacts created, 0 updated, 0 skipped")
    assert [one["dedupeValue"] for one in done["mapping"]] == people(35).split()[1:]
    assert await api.rows("select count(*) from event where org_id = %(org_id)s") == [(35,)]
    await apply_once(api, accepted["importId"])
    assert await status(api, accepted) == done


@pytest.mark.usefixtures("small_steps")
async def test_a_file_that_changed_since_is_begun_anew(
    api: Api, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = await upload(api, files.link(people(25)))
    deadly = Deadly(monkeypatch, steps=2)
    with pytest.raises(Killed):
        await apply_once(api, accepted["importId"])
    files.link(people(12) + "bad@@example\n")
    deadly.left = 100
    await apply_once(api, accepted["importId"])
    done = await status(api, accepted)
    assert done["description"].startswith(
        "0 contacts created, 12 updated, 0 skipped; 1 contacts were refused"
    )
    assert len(done["mapping"]) == 12


@pytest.mark.usefixtures("small_steps")
async def test_two_workers_on_one_file_write_each_step_once(api: Api, files: Files) -> None:
    accepted = await upload(api, files.link(people(95)), eventKeyForNewContacts="newContact")
    await asyncio.gather(*(apply_once(api, accepted["importId"]) for _ in range(3)))
    done = await status(api, accepted)
    assert (done["status"], done["description"]) == ("FINISHED", "95 contacts created, 0 updated, 0 skipped")
    assert len(done["mapping"]) == 95


async def test_a_fault_of_ours_is_told_as_such(
    api: Api, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(apply, "upsert", broken)
    done = await imported(api, files.link(people(1)))
    assert (done["status"], done["description"]) == ("ERROR", "The import failed; the cause is in the log")


async def test_private_networks_are_not_reached_without_the_setting(api: Api, files: Files) -> None:
    accepted = await upload(api, files.link(people(1)))
    api.settings = dataclasses.replace(SETTINGS, outside_ports="any")
    await api.run_jobs()
    done = await status(api, accepted)
    assert done["status"] == "ERROR"
    assert done["description"].endswith("leads to an address that is not public")
    assert files.asked == []


def test_the_settings_are_checked() -> None:
    for name, value in (("PERIGEE_OUTSIDE_NETWORKS", "10.0.0.1/8"), ("PERIGEE_OUTSIDE_PORTS", "http")):
        with pytest.raises(Exception, match=name):
            Settings.load({"PERIGEE_HOME": "/nonexistent", name: value})
