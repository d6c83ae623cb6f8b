"""What a signed-in person's page reads and marks (contract 22.8, product 11)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from perigee.appinbox.tests.conftest import Inbox
from perigee.testing.api import make_organisation

LIST = "/appinbox/v1/messages"
COUNT = "/appinbox/v1/messages/count"


class Page:
    """The page of one person: keeps the token that each answer brings."""

    def __init__(self, inbox: Inbox, contact_id: int, token: str) -> None:
        self.inbox = inbox
        self.contact_id = contact_id
        self.token = token

    async def get(self, path: str) -> Any:
        answer = await self.inbox.get(path, self.token)
        self.token = answer.headers["ES-TOKEN"]
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json;charset=UTF-8"
        return answer.json()

    async def mark(self, body: Any) -> tuple[int, str]:
        answer = await self.inbox.post(body, self.token)
        self.token = answer.headers["ES-TOKEN"]
        return answer.status_code, answer.text

    async def refused(self, path: str) -> str:
        answer = await self.inbox.get(path, self.token)
        self.token = answer.headers["ES-TOKEN"]
        assert answer.status_code == 400
        return str(answer.json()["message"])

    async def put(self, **message: Any) -> str:
        return await self.inbox.put(self.contact_id, **message)

    async def titles(self, query: str = "") -> list[str]:
        return [one["title"] for one in (await self.get(LIST + query))["list"]]

    async def reads(self) -> list[int]:
        """Ordinals of the READ activity, in order."""
        rows = await self.inbox.api.rows(
            "select ordinal from activity where org_id = %(org_id)s and contact_id = %(contact)s"
            " and channel = 'appinbox' and status = 'READ' and send_id = 4702001 order by 1",
            contact=self.contact_id,
        )
        return [ordinal for (ordinal,) in rows]


@pytest.fixture
async def page(inbox: Inbox) -> Page:
    contact_id = await inbox.contact(email="anna@example.com")
    return Page(inbox, contact_id, await inbox.token(email="anna@example.com"))


class TestReading:
    async def test_an_empty_inbox(self, page: Page) -> None:
        assert await page.get(COUNT) == {"count": 0}
        assert await page.get(LIST) == {"list": [], "totalPages": 0}
        assert await page.get(f"{LIST}?page=0&pageSize=20") == {"list": [], "totalPages": 0}

    async def test_a_message_has_all_its_members(self, page: Page) -> None:
        before = int(time.time() * 1000)
        message_id = await page.put(
            title="A gift",
            text="You have\n50 points",
            link="https://shop.example.com/bonus",
            imageSource="https://shop.example.com/b.png",
            customData='{"category":"bonus","n":5}',
        )
        (message,) = (await page.get(LIST))["list"]
        created = message.pop("createdDate")
        assert before - 1000 <= created <= int(time.time() * 1000) + 1000
        assert message == {
            "id": message_id,
            "title": "A gift",
            "content": "You have\n50 points",
            "image": "https://shop.example.com/b.png",
            "link": "https://shop.example.com/bonus",
            "newMessage": True,
            "status": "UNOPENED",
            "category": "bonus",
            "customData": '{"category":"bonus","n":5}',
        }

    async def test_what_a_message_does_not_have_is_left_out(self, page: Page) -> None:
        await page.put(title="A gift", text="Points")
        (message,) = (await page.get(LIST))["list"]
        assert set(message) == {"id", "createdDate", "title", "content", "newMessage", "status"}

    async def test_pages_count_from_nought_and_the_newest_is_first(self, page: Page) -> None:
        for number in range(5):
            await page.put(title=str(number))
        assert await page.titles() == ["4", "3", "2", "1", "0"]
        assert await page.titles("?page=0&pageSize=2") == ["4", "3"]
        assert await page.titles("?page=2&pageSize=2") == ["0"]
        assert await page.titles("?page=3&pageSize=2") == []
        assert (await page.get(f"{LIST}?page=3&pageSize=2"))["totalPages"] == 3
        assert (await page.get(LIST))["totalPages"] == 1

    async def test_a_page_without_size_has_twenty(self, page: Page) -> None:
        for number in range(21):
            await page.put(title=str(number))
        assert len(await page.titles("?page=0")) == 20
        assert await page.titles("?page=1") == ["0"]
        assert len(await page.titles("?pageSize=21")) == 21

    async def test_status_narrows_list_and_pages(self, page: Page) -> None:
        ids = [await page.put(title=str(number)) for number in range(3)]
        await page.mark({"status": "OPENED", "ids": ids[:1]})
        assert await page.titles("?status=OPENED") == ["0"]
        assert await page.titles("?status=unopened") == ["2", "1"]
        assert (await page.get(f"{LIST}?status=UNOPENED&page=0&pageSize=1"))["totalPages"] == 2
        assert await page.titles("?status=") == ["2", "1", "0"]

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("page=-1", "page: '-1' is not from 0"),
            ("page=x", "page: 'x' is not a whole number"),
            ("pageSize=0", "pageSize: '0' is not from 1"),
            ("page=99999999999999999999", "is not a whole number"),
            ("status=READ", "status: 'READ' must be OPENED or UNOPENED"),
        ],
    )
    async def test_bad_parameters_are_refused(self, page: Page, query: str, message: str) -> None:
        assert message in await page.refused(f"{LIST}?{query}")

    async def test_an_expired_message_is_gone_read_or_not_and_upkeep_removes_it(self, page: Page) -> None:
        await page.inbox.upkeep()  # makes the month's partitions, which upkeep wants before there are rows
        read, unread = await page.put(title="read"), await page.put(title="unread")
        await page.put(title="stays")
        await page.mark({"status": "OPENED", "ids": [read]})
        await page.inbox.api.rows(
            "update inbox_message set expires_at = now() where org_id = %(org_id)s and title <> 'stays'"
        )
        assert await page.titles() == ["stays"]
        assert await page.get(COUNT) == {"count": 1}
        await page.mark({"status": "OPENED", "ids": [unread]})
        assert len(await page.reads()) == 1
        await page.inbox.upkeep()
        rows = await page.inbox.api.rows("select title from inbox_message where org_id = %(org_id)s")
        assert rows == [("stays",)]

    async def test_others_messages_are_not_shown_nor_marked(self, page: Page) -> None:
        other = await page.inbox.contact(email="b@example.com")
        foreign = await page.inbox.put(other, title="for b")
        await page.put(title="for a")
        assert await page.titles() == ["for a"]
        await page.mark({"status": "OPENED", "ids": [foreign]})
        assert (
            await page.inbox.api.rows(
                "select 1 from inbox_message where org_id = %(org_id)s and opened_at is not null"
            )
            == []
        )
        assert await page.get(COUNT) == {"count": 1}

    async def test_another_organisation_with_the_same_ids_is_not_read(self, page: Page) -> None:
        org_id, _ = await make_organisation(page.inbox.api.db, "Other Shop")
        await page.inbox.api.rows(
            "insert into inbox_message (org_id, send_id, ordinal, contact_id, inbox_id, title, content, expires_at)"
            " values (%(other)s, 1, 1, %(contact)s, gen_random_uuid(), 'theirs', '', now() + interval '1 day')",
            other=org_id,
            contact=page.contact_id,
        )
        assert await page.titles() == []


class TestOpening:
    async def test_one_message_counts_once_as_read(self, page: Page) -> None:
        first, second = await page.put(title="1"), await page.put(title="2")
        assert await page.get(COUNT) == {"count": 2}
        for _ in range(2):
            assert await page.mark({"status": "OPENED", "ids": [first]}) == (200, "")
        assert await page.get(COUNT) == {"count": 1}
        shown = {one["id"]: one for one in (await page.get(LIST))["list"]}
        assert (shown[first]["status"], shown[first]["newMessage"]) == ("OPENED", False)
        assert (shown[second]["status"], shown[second]["newMessage"]) == ("UNOPENED", True)
        assert await page.reads() == [1]

    @pytest.mark.parametrize("more", [{"ids": None}, {}])
    async def test_null_ids_are_all(self, page: Page, more: dict[str, None]) -> None:
        for number in range(3):
            await page.put(title=str(number))
        assert await page.mark({"status": "OPENED", **more}) == (200, "")
        assert await page.get(COUNT) == {"count": 0}
        assert await page.reads() == [1, 2, 3]

    async def test_an_empty_list_names_none(self, page: Page) -> None:
        await page.put()
        assert (await page.mark({"status": "OPENED", "ids": []}))[0] == 200
        assert await page.get(COUNT) == {"count": 1}

    async def test_one_id_may_stand_without_its_list_and_unknown_ones_change_nothing(
        self, page: Page
    ) -> None:
        message_id = await page.put()
        unknown = "99d591ab-0000-4000-8000-000000000001"
        assert (await page.mark({"status": "opened", "ids": [unknown]}))[0] == 200
        assert await page.get(COUNT) == {"count": 1}
        assert (await page.mark({"status": "OPENED", "ids": message_id.upper()}))[0] == 200
        assert await page.get(COUNT) == {"count": 0}

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({}, "status: is required"),
            ({"status": "UNOPENED"}, "status: 'UNOPENED' must be OPENED"),
            ({"status": "OPENED", "ids": ["7"]}, "ids: '7' is not the id of a message"),
            ({"status": "OPENED", "ids": [{}]}, "ids: '{}' is not text"),
            ({"status": "OPENED", "ids": ["7"] * 1001}, "ids: 1001 ids are more than 1000"),
            ([], "object"),
        ],
    )
    async def test_bad_bodies_are_refused_and_open_nothing(self, page: Page, body: Any, message: str) -> None:
        await page.put()
        status, text = await page.mark(body)
        assert status == 400
        assert message in text
        assert await page.get(COUNT) == {"count": 1}

    async def test_a_body_that_is_no_json_is_refused(self, page: Page) -> None:
        for content in (b"", b"{"):
            answer = await page.inbox.api.call(
                "POST", f"{LIST}/status", key="", content=content, headers={"ES-TOKEN": page.token}
            )
            page.token = answer.headers["ES-TOKEN"]
            assert answer.status_code == 400


async def test_erasing_the_contact_empties_the_inbox(page: Page) -> None:
    other = await page.inbox.contact(email="b@example.com")
    await page.inbox.token(email="b@example.com")
    await page.inbox.put(other)
    await page.put()
    await page.inbox.api.delete(f"/api/v1/contact/{page.contact_id}?erase=true")
    for table in ("inbox_message", "inbox_session"):
        rows = await page.inbox.api.rows(f"select contact_id from {table} where org_id = %(org_id)s")
        assert rows == [(other,)], table
