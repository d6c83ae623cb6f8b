"""From a template to the endpoint: campaigns and single messages, set up and asked for over the wire."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from perigee.campaigns import manage
from perigee.delivery import lease
from perigee.delivery.channels.webhook.tests.conftest import SECRET, Call, Endpoint
from perigee.delivery.lease import Window
from perigee.testing.api import SETTINGS, Api
from perigee.testing.sending import Shop

BODY = '{"name": "{{ first_name | default: "friend" }}", "mail": "%EMAIL%", "points": {{ points | default: 50 }}}'


@pytest.fixture
def shop(api: Api) -> Shop:
    open_ = dataclasses.replace(
        SETTINGS, outside_networks="127.0.0.0/8", outside_ports="any", lease_seconds=30
    )
    return Shop(api.db, api.org_id, open_)


@pytest.fixture
async def provider_id(api: Api, endpoint: Endpoint) -> int:
    settings = {"url": endpoint.url, "secret": SECRET, "headers": {"X-Api-Key": "for the endpoint"}}
    answer = await api.post(
        "/api/v4/providers",
        {"channel": "webhook", "kind": "webhook", "name": "Our own", "settings": settings},
    )
    assert answer.status_code == 201, answer.text
    return int(answer.json()["provider_id"])


async def made(api: Api, body: str = BODY, **members: Any) -> int:
    answer = await api.post(
        "/api/v4/messages", {"channel": "webhook", "name": "Bonus", "content": {"body": body}, **members}
    )
    assert answer.status_code == 201, answer.text
    return int(answer.json()["message_id"])


async def started(api: Api, shop: Shop, people: Sequence[int], **members: Any) -> int:
    message_id = await made(api, **members)
    segment_id = await shop.segment(f"for {message_id}", people)
    campaign = await shop.launch((await shop.campaign(message_id, [segment_id])).campaign_id)
    return campaign.campaign_id


def documents(calls: Sequence[Call]) -> list[Any]:
    """What was posted, each with a signature that holds."""
    return [Webhook(SECRET).verify(call.body, call.headers) for call in calls]


@pytest.mark.usefixtures("provider_id")
async def test_a_campaign_posts_a_document_for_each_person(api: Api, shop: Shop, endpoint: Endpoint) -> None:
    anna = await shop.person("anna@example.com", first_name='An"na')
    nobody = await shop.person(external_id="CRM-7")  # no address at all: a webhook needs none
    gone = await shop.person("gone@example.com")
    campaign_id = await started(api, shop, [anna, nobody, gone])
    await shop.sql(
        "update contact set deleted_at = now() where org_id = %(org)s and contact_id = %(c)s", c=gone
    )
    await shop.run_sender()
    outcomes = await shop.outcomes(campaign_id)
    assert outcomes == {anna: ("sent", None), nobody: ("sent", None), gone: ("dropped", "deleted")}
    found = sorted(documents(endpoint.calls), key=lambda document: str(document["mail"]))
    assert found == [
        {"name": "friend", "mail": "", "points": 50},
        {"name": 'An"na', "mail": "anna@example.com", "points": 50},
    ]
    assert len({call.headers["webhook-id"] for call in endpoint.calls}) == 2
    assert {call.headers["X-Api-Key"] for call in endpoint.calls} == {"for the endpoint"}
    assert (await shop.report(campaign_id)).sent == 2


async def test_secret_and_headers_are_sealed(api: Api, shop: Shop, provider_id: int) -> None:
    listed = (await api.get("/api/v4/providers")).text
    ((settings, sealed),) = await shop.sql(
        "select settings::text, secrets from provider where org_id = %(org)s and provider_id = %(p)s",
        p=provider_id,
    )
    for text in (listed, settings, bytes(sealed).decode("latin-1")):
        assert SECRET not in text
        assert "for the endpoint" not in text
    answer = await api.call(
        "PATCH", f"/api/v4/providers/{provider_id}", {"settings": {"url": "https://elsewhere.example.com/"}}
    )
    assert answer.status_code == 400
    assert "must be given again" in answer.text


@pytest.mark.usefixtures("provider_id")
async def test_those_outside_the_category_are_left_out(api: Api, shop: Shop, endpoint: Endpoint) -> None:
    inside, outside = await shop.people(2)
    news = await shop.segment("news", [inside])
    await shop.sql(
        "insert into subscription_category (org_id, key, name, segment_id) values (%(org)s, 'news', 'News', %(s)s)",
        s=news,
    )
    campaign_id = await started(api, shop, [inside, outside], subscriptions_keys=["news"])
    await shop.run_sender()
    assert await shop.outcomes(campaign_id) == {inside: ("sent", None), outside: ("dropped", "category")}
    assert len(endpoint.calls) == 1


@pytest.mark.usefixtures("provider_id")
async def test_a_refusal_is_told_in_the_answers_words(api: Api, shop: Shop, endpoint: Endpoint) -> None:
    endpoint.answers = [(422, "points: unknown", {})]
    (person,) = await shop.people(1)
    campaign_id = await started(api, shop, [person])
    await shop.run_sender()
    assert await shop.outcomes(campaign_id) == {person: ("failed", "bad_message")}
    assert (
        await shop.value("select provider_text from delivery where org_id = %(org)s") == "422 points: unknown"
    )


@pytest.mark.usefixtures("provider_id")
async def test_what_the_endpoint_could_not_take_comes_again_under_its_id(
    api: Api, shop: Shop, endpoint: Endpoint
) -> None:
    endpoint.answers = [(500, "", {}), None, (200, "", {})]
    (person,) = await shop.people(1)
    campaign_id = await started(api, shop, [person])
    for _ in range(3):
        await shop.run_sender()
        await shop.retry_now()
    assert await shop.outcomes(campaign_id) == {person: ("sent", None)}
    assert len(endpoint.calls) == 3
    assert len({call.headers["webhook-id"] for call in endpoint.calls}) == 1


@pytest.mark.usefixtures("provider_id")
async def test_an_endpoint_that_is_gone_stops_the_campaign_and_nobody_is_lost(
    api: Api, shop: Shop, endpoint: Endpoint
) -> None:
    endpoint.answers = [(410, "moved out", {})]
    people = await shop.people(3)
    campaign_id = await started(api, shop, people)
    await shop.run_sender()
    stopped = await shop.get(campaign_id)
    assert (stopped.state, stopped.error) == ("paused", "moved out")
    assert (await shop.report(campaign_id)).waiting == 3
    endpoint.answers = [(200, "", {})]
    await shop.act(manage.resume, campaign_id)
    await shop.retry_now()
    await shop.run_sender()
    assert await shop.outcomes(campaign_id) == dict.fromkeys(people, ("sent", None))


@pytest.mark.usefixtures("provider_id")
async def test_what_a_dead_sender_left_in_flight_is_posted_again(
    api: Api, shop: Shop, endpoint: Endpoint
) -> None:
    people = await shop.people(3)
    campaign_id = await started(api, shop, people)
    held = await lease.claim(shop.db, uuid.UUID(int=1), 30, lease.Lane.CAMPAIGN)
    assert held is not None
    async with shop.db.connection() as connection:
        await lease.commit(connection, held, Window(position=2, in_flight=[0, 1]), 30)
    await shop.sql("update send_batch set lease_until = now() - interval '1 second' where org_id = %(org)s")
    await shop.run_sender()
    await shop.retry_now()
    await shop.run_sender()
    assert await shop.outcomes(campaign_id) == dict.fromkeys(people, ("sent", None))
    assert len(endpoint.calls) == 3


@pytest.mark.usefixtures("provider_id")
async def test_a_single_message_brings_its_data_and_finds_its_person_by_any_name(
    api: Api, shop: Shop, endpoint: Endpoint
) -> None:
    await shop.person("anna@example.com", external_id="CRM-1", first_name="Anna")
    message_id = await made(api)
    for who in ({"externalCustomerId": "CRM-1"}, {"locator": "anna@example.com"}):
        answer = await api.post(
            f"/api/v1/message/{message_id}/smartsend",
            {"recipients": [{**who, "jsonParam": '{"points": 70}'}]},
        )
        assert answer.status_code == 200, answer.text
    await shop.run_sender()
    assert documents(endpoint.calls) == [{"name": "Anna", "mail": "anna@example.com", "points": 70}] * 2
    status = await api.get(f"/api/v1/message/status?ids={answer.json()['results']['requestId']}")
    assert status.json()["results"]["status"] == "DELIVERED", status.text


@pytest.mark.usefixtures("provider_id")
async def test_somebody_whose_data_make_no_json_fails_alone(api: Api, shop: Shop, endpoint: Endpoint) -> None:
    good = await shop.person("a@example.com", first_name="5")
    bad = await shop.person("b@example.com", first_name="five")
    campaign_id = await started(api, shop, [good, bad], body='{"points": {{ first_name }}}')
    await shop.run_sender()
    assert await shop.outcomes(campaign_id) == {good: ("sent", None), bad: ("failed", "bad_message")}
    assert documents(endpoint.calls) == [{"points": 5}]


@pytest.mark.usefixtures("provider_id")
async def test_of_somebody_who_is_erased_no_message_waits(api: Api, shop: Shop, endpoint: Endpoint) -> None:
    endpoint.answers = [(500, "", {})]
    people = await shop.people(2)
    await started(api, shop, people)
    await shop.run_sender()
    answer = await api.delete(f"/api/v1/contact/{people[0]}?erase=true")
    assert answer.status_code == 200, answer.text
    waiting = await shop.sql("select recipient from send_retry where org_id = %(org)s order by recipient")
    assert waiting == [(0,), (people[1],)], "of nobody, to be written off when it is due"


async def test_without_a_provider_the_sandbox_shows_the_document(api: Api, shop: Shop) -> None:
    (person,) = await shop.people(1)
    await started(api, shop, [person], body='[{"to": "%EMAIL%"}]')
    await shop.run_sender()
    (kept,) = (await api.get("/api/v4/sandbox?channel=webhook")).json()["items"]
    assert json.loads(kept["headline"]) == [{"to": "person-1@example.com"}]


async def test_a_body_that_is_no_json_is_refused(api: Api) -> None:
    answer = await api.post(
        "/api/v4/messages", {"channel": "webhook", "name": "Bonus", "content": {"body": '{"a": '}}
    )
    assert answer.status_code == 400
    assert answer.json()["field"] == "body", answer.text
