"""The token of a signed-in contact: who gets one (contract 22.7), and how it changes (22.8)."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from perigee.appinbox.tests.conftest import Inbox
from perigee.testing.api import Api, make_organisation

COUNT = "/appinbox/v1/messages/count"


class TestWhoGetsOne:
    @pytest.mark.parametrize(
        "who",
        [
            {"email": "Anna@Example.com"},
            {"phone": "+38 050 111-22-33"},
            {"externalCustomerId": "CRM-1001"},
            {"extid": "CRM-1001"},
            {"email": "", "phone": None, "externalCustomerId": "CRM-1001"},
        ],
    )
    async def test_any_identifier_is_enough(self, inbox: Inbox, who: dict[str, str]) -> None:
        contact_id = await inbox.contact(
            email="anna@example.com", phone="380501112233", external_id="CRM-1001"
        )
        answer = await inbox.api.post("/api/v1/auth/contact/token", who)
        assert answer.status_code == 200
        assert await inbox.owner(answer.json()["token"]) == contact_id

    async def test_a_number_is_good_as_external_id(self, inbox: Inbox) -> None:
        contact_id = await inbox.contact(external_id="1001")
        assert await inbox.owner(await inbox.token(extid=1001)) == contact_id

    @pytest.mark.parametrize(
        "who",
        [
            {"email": "nobody@example.com"},
            {"phone": "380509999999"},
            {"externalCustomerId": "NOBODY"},
            {"email": "not an address", "phone": "n/a"},
        ],
    )
    async def test_an_unknown_contact_gets_an_empty_token(self, inbox: Inbox, who: dict[str, str]) -> None:
        await inbox.contact(email="anna@example.com", external_id="CRM-1001")
        answer = await inbox.api.post("/api/v1/auth/contact/token", who)
        assert (answer.status_code, answer.json()) == (200, {"token": ""})

    async def test_a_deleted_contact_is_unknown(self, inbox: Inbox) -> None:
        contact_id = await inbox.contact(email="anna@example.com")
        await inbox.api.delete(f"/api/v1/contact/{contact_id}")
        assert await inbox.token(email="anna@example.com") == ""

    async def test_nobody_named_is_refused(self, inbox: Inbox) -> None:
        for who in ({}, {"email": " ", "phone": None}):
            answer = await inbox.api.post("/api/v1/auth/contact/token", who)
            assert answer.status_code == 400
            assert "at least one is required" in answer.json()["message"]

    async def test_the_external_id_goes_before_the_email_and_the_email_before_the_phone(
        self, inbox: Inbox
    ) -> None:
        by_phone = await inbox.contact(phone="380501112233")
        by_email = await inbox.contact(email="anna@example.com")
        by_id = await inbox.contact(external_id="CRM-1001")
        who: dict[str, object] = {"phone": "380501112233"}
        assert await inbox.owner(await inbox.token(**who)) == by_phone
        who["email"] = "anna@example.com"
        assert await inbox.owner(await inbox.token(**who)) == by_email
        who["externalCustomerId"] = "CRM-1001"
        assert await inbox.owner(await inbox.token(**who)) == by_id

    async def test_an_unknown_external_id_prefers_a_contact_without_a_foreign_one(self, inbox: Inbox) -> None:
        await inbox.contact(email="shared@example.com", external_id="CRM-1")
        free = await inbox.contact(email="shared@example.com")
        await inbox.contact(email="shared@example.com", external_id="CRM-2")
        who = {"email": "shared@example.com", "externalCustomerId": "CRM-3"}
        assert await inbox.owner(await inbox.token(**who)) == free

    async def test_it_needs_an_api_key(self, inbox: Inbox) -> None:
        answer = await inbox.api.post("/api/v1/auth/contact/token", {"email": "a@example.com"}, key="")
        assert answer.status_code == 401

    async def test_another_organisations_contact_is_unknown(self, inbox: Inbox) -> None:
        await inbox.contact(email="anna@example.com")
        _, key = await make_organisation(inbox.api.db, "Other Shop")
        answer = await inbox.api.post("/api/v1/auth/contact/token", {"email": "anna@example.com"}, key=key)
        assert answer.json() == {"token": ""}


class TestHowItChanges:
    async def test_every_answer_carries_the_next_token(self, inbox: Inbox) -> None:
        token = await inbox.signed_in()
        seen = {token}
        for _ in range(5):
            answer = await inbox.get(COUNT, token)
            assert answer.status_code == 200
            token = answer.headers["ES-TOKEN"]
            assert token not in seen
            seen.add(token)

    async def test_the_old_token_dies_when_the_new_one_is_used(self, inbox: Inbox) -> None:
        first = await inbox.signed_in()
        second = (await inbox.get(COUNT, first)).headers["ES-TOKEN"]
        assert (await inbox.get(COUNT, second)).status_code == 200
        answer = await inbox.get(COUNT, first)
        assert answer.status_code == 401
        assert "ES-TOKEN" not in answer.headers

    async def test_a_lost_answer_locks_nobody_out(self, inbox: Inbox) -> None:
        first = await inbox.signed_in()
        lost = (await inbox.get(COUNT, first)).headers["ES-TOKEN"]
        again = await inbox.get(COUNT, first)
        assert again.status_code == 200
        assert again.headers["ES-TOKEN"] == lost
        assert (await inbox.get(COUNT, lost)).status_code == 200

    async def test_two_requests_at_once_get_the_same_next_token(self, inbox: Inbox) -> None:
        first = await inbox.signed_in()
        answers: list[httpx.Response] = await asyncio.gather(*[inbox.get(COUNT, first) for _ in range(8)])
        assert {answer.status_code for answer in answers} == {200}
        (second,) = {answer.headers["ES-TOKEN"] for answer in answers}
        assert (await inbox.get(COUNT, second)).status_code == 200

    async def test_a_token_two_steps_old_is_dead_even_when_the_last_was_not_used(self, inbox: Inbox) -> None:
        first = await inbox.signed_in()
        second = (await inbox.get(COUNT, first)).headers["ES-TOKEN"]
        await inbox.get(COUNT, second)
        assert (await inbox.get(COUNT, first)).status_code == 401
        assert (await inbox.get(COUNT, second)).status_code == 200

    async def test_chains_do_not_disturb_each_other(self, inbox: Inbox) -> None:
        laptop = await inbox.signed_in()
        phone = await inbox.token(email="anna@example.com")
        for _ in range(3):
            laptop = (await inbox.get(COUNT, laptop)).headers["ES-TOKEN"]
        assert (await inbox.get(COUNT, phone)).status_code == 200

    @pytest.mark.parametrize("token", ["", "x", "eyJhbGciOi", "A" * 600, "\u00e4\u00f6"])
    async def test_a_wrong_token_is_401_in_the_error_envelope(self, inbox: Inbox, token: str) -> None:
        answer = await inbox.get(COUNT, token)
        assert answer.status_code == 401
        body = answer.json()
        assert (body["status"], body["error"], body["path"]) == (401, "Unauthorized", COUNT)
        assert "WWW-Authenticate" not in answer.headers  # no browser dialog
        assert "ES-TOKEN" not in answer.headers

    async def test_a_changed_token_is_401(self, inbox: Inbox) -> None:
        token = await inbox.signed_in()
        changed = ("B" if token[5] != "B" else "C").join((token[:5], token[6:]))
        assert (await inbox.get(COUNT, changed)).status_code == 401

    async def test_an_expired_token_is_401_and_upkeep_removes_it(self, inbox: Inbox) -> None:
        token = await inbox.signed_in()
        other = await inbox.token(email="anna@example.com")
        await inbox.api.rows(
            "update inbox_session set expires_at = now() - interval '1 second' where org_id = %(org_id)s"
        )
        assert (await inbox.get(COUNT, token)).status_code == 401
        await inbox.upkeep()
        assert await inbox.api.rows("select 1 from inbox_session where org_id = %(org_id)s") == []
        assert (await inbox.get(COUNT, other)).status_code == 401

    async def test_use_keeps_a_token_alive_for_the_time_of_the_setting(self, inbox: Inbox) -> None:
        token = await inbox.signed_in()
        await inbox.api.rows(
            "update inbox_session set expires_at = now() + interval '1 minute' where org_id = %(org_id)s"
        )
        await inbox.get(COUNT, token)
        ((minutes,),) = await inbox.api.rows(
            "select round(extract(epoch from expires_at - now()) / 60) from inbox_session"
            " where org_id = %(org_id)s"
        )
        assert minutes == 60

    @pytest.mark.parametrize("erase", [False, True])
    async def test_deleting_the_contact_ends_its_tokens(self, inbox: Inbox, erase: bool) -> None:
        contact_id = await inbox.contact(email="anna@example.com")
        token = await inbox.token(email="anna@example.com")
        await inbox.api.delete(f"/api/v1/contact/{contact_id}?erase={erase}")
        assert (await inbox.get(COUNT, token)).status_code == 401

    async def test_a_refusal_also_carries_the_next_token(self, inbox: Inbox) -> None:
        token = await inbox.signed_in()
        answer = await inbox.get("/appinbox/v1/messages?page=-1", token)
        assert answer.status_code == 400
        assert (await inbox.get(COUNT, answer.headers["ES-TOKEN"])).status_code == 200

    async def test_the_api_key_opens_no_inbox(self, api: Api) -> None:
        assert (await api.get(COUNT)).status_code == 401


class TestTheBrowser:
    async def test_preflight_allows_and_answers_expose_the_header(self, inbox: Inbox) -> None:
        answer = await inbox.api.call("OPTIONS", "/appinbox/v1/messages", key="")
        assert answer.status_code == 200
        assert "ES-TOKEN" in answer.headers["access-control-allow-headers"]
        answer = await inbox.get(COUNT, await inbox.signed_in())
        assert "ES-TOKEN" in answer.headers["access-control-expose-headers"]
        assert answer.headers["cache-control"] == "no-store"

    async def test_trailing_slashes_are_the_same_paths(self, inbox: Inbox) -> None:
        token = await inbox.signed_in()
        for path in (COUNT, "/appinbox/v1/messages"):
            answer = await inbox.get(path + "/", token)
            assert answer.status_code == 200
            token = answer.headers["ES-TOKEN"]
        answer = await inbox.post({"status": "OPENED"}, token, path="/appinbox/v1/messages/status/")
        assert answer.status_code == 200


class TestPagesOfAShop:
    async def test_any_origin_may_call_with_a_token(self, inbox: Inbox) -> None:
        await inbox.contact(external_id="CRM-1001")
        page = {"origin": "https://shop.example.com"}
        asked = await inbox.api.call(
            "OPTIONS", COUNT, key="", headers={**page, "access-control-request-headers": "es-token"}
        )
        token = await inbox.token(externalCustomerId="CRM-1001")
        good = await inbox.api.get(COUNT, key="", headers={**page, "ES-TOKEN": token})
        refused = await inbox.api.get(COUNT, key="", headers={**page, "ES-TOKEN": "x"})
        assert [one.status_code for one in (asked, good, refused)] == [200, 200, 401]
        for answer in (asked, good, refused):
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in answer.headers
