"""The channel against a push service that answers as services do (protocols 2.8)."""

from __future__ import annotations

import asyncio
import time

import msgspec
import psycopg
import pytest

from perigee.delivery.channel import Outcome, Reason
from perigee.delivery.channels.webpush.signing import LIFE
from perigee.delivery.channels.webpush.tests.conftest import SITE, Pushes
from perigee.delivery.channels.webpush.tests.service import claims
from perigee.testing.api import make_organisation
from perigee.testing.ports import free_port


async def test_the_browser_opens_the_message_and_the_service_knows_the_site(pushes: Pushes) -> None:
    token = await pushes.subscribe()
    message = pushes.outgoing(token, link="https://shop.example.com/", ttlSec=600, urgency="high")
    before = int(time.time())
    (receipt,) = await pushes.send(message)
    assert (receipt.outcome, receipt.code) == (Outcome.SENT, 201)
    assert pushes.shown() == [
        {
            "es_interaction_id": message.iid,
            "es_title": "Sale",
            "es_content": "50 %",
            "es_link": "https://shop.example.com/",
            "tag": message.iid,
        }
    ]
    (one,) = pushes.service.arrived
    named = ("ttl", "urgency", "content-encoding", "content-type")
    assert [one.headers[name] for name in named] == ["600", "high", "aes128gcm", "application/octet-stream"]
    assert len(one.headers["topic"]) == 22
    claimed = claims(one.headers["authorization"], pushes.key)
    assert (claimed["aud"], claimed["sub"]) == (pushes.service.origin, SITE)
    assert before + LIFE <= claimed["exp"] <= time.time() + LIFE


async def test_each_browser_gets_its_own_message_over_kept_connections(pushes: Pushes) -> None:
    tokens = [await pushes.subscribe() for _ in range(6)]
    channel = pushes.channel(connections=2)
    for _ in range(2):
        batch = [pushes.outgoing(token, title=token) for token in tokens]
        assert {receipt.outcome for receipt in await channel.send(batch)} == {Outcome.SENT}
    await channel.close()
    assert [(one.path[1:], card["es_title"]) for one, card in zip(pushes.service.arrived, pushes.shown(), strict=True)] == [
        (one.path[1:], one.path[1:]) for one in pushes.service.arrived
    ]  # fmt: skip
    assert sorted(one.path[1:] for one in pushes.service.arrived) == sorted(tokens * 2)
    assert len({one.peer for one in pushes.service.arrived}) <= 2


async def test_no_more_are_on_their_way_than_allowed(pushes: Pushes) -> None:
    token = await pushes.subscribe()
    go = asyncio.Event()
    pushes.service.hold = go.wait
    channel = pushes.channel(connections=3)
    sent = asyncio.gather(*[channel.submit(pushes.outgoing(token)) for _ in range(8)])
    while pushes.service.at_once < 3:  # noqa: ASYNC110  # the service has no event for it
        await asyncio.sleep(0.001)
    go.set()
    assert {receipt.outcome for receipt in await sent} == {Outcome.SENT}
    await channel.close()
    assert pushes.service.most_at_once == 3
    assert len(pushes.service.arrived) == 8


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        (404, Outcome.FAILED, Reason.NO_SUCH_RECIPIENT),
        (410, Outcome.FAILED, Reason.NO_SUCH_RECIPIENT),
        (400, Outcome.FAILED, Reason.BAD_MESSAGE),
        (401, Outcome.DEFERRED, Reason.SENDER_SETUP),
        (403, Outcome.DEFERRED, Reason.SENDER_SETUP),
        (413, Outcome.FAILED, Reason.TOO_LARGE),
        (406, Outcome.DEFERRED, Reason.QUOTA),
        (500, Outcome.DEFERRED, Reason.DESTINATION_BUSY),
        (503, Outcome.DEFERRED, Reason.DESTINATION_BUSY),
    ],
)
async def test_a_refusal_is_read_with_the_words_of_the_service(
    pushes: Pushes, status: int, outcome: Outcome, reason: Reason
) -> None:
    receipt = await pushes.answered(status, "so it is")
    assert (receipt.outcome, receipt.reason, receipt.code, receipt.text) == (
        outcome,
        reason,
        status,
        "so it is",
    )
    assert len(pushes.service.arrived) == 1


async def test_a_service_that_asks_to_wait_is_waited_for(pushes: Pushes) -> None:
    receipt = await pushes.answered(429, Retry_After="90")
    assert (receipt.outcome, receipt.reason, receipt.retry_after) == (Outcome.DEFERRED, Reason.QUOTA, 90.0)


async def test_a_redirect_is_not_followed(pushes: Pushes) -> None:
    receipt = await pushes.answered(307, Location=f"{pushes.service.origin}/elsewhere")
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, Reason.DESTINATION_REFUSED)
    assert [one.path for one in pushes.service.arrived] != ["/elsewhere"]
    assert len(pushes.service.arrived) == 1


async def test_an_answer_without_end_is_cut_and_keeps_its_meaning(pushes: Pushes) -> None:
    receipt = await pushes.answered(410, "x" * 200_000)
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, Reason.NO_SUCH_RECIPIENT)


async def test_a_message_whose_answer_was_lost_goes_again_in_place_of_the_first(pushes: Pushes) -> None:
    token = await pushes.subscribe()
    pushes.service.break_off(f"/{token}")
    (receipt,) = await pushes.send(pushes.outgoing(token))
    assert receipt.outcome is Outcome.SENT
    first, second = pushes.service.arrived
    assert first.headers["topic"] == second.headers["topic"]
    assert pushes.shown()[0]["tag"] == pushes.shown()[1]["tag"]


async def test_a_message_whose_answer_is_lost_twice_is_uncertain(pushes: Pushes) -> None:
    token = await pushes.subscribe()
    pushes.service.break_off(f"/{token}", times=2)
    (receipt,) = await pushes.send(pushes.outgoing(token))
    assert (receipt.outcome, receipt.reason) == (Outcome.UNCERTAIN, Reason.ANSWER_LOST)


async def test_what_may_have_arrived_is_uncertain_when_the_right_to_send_ends(pushes: Pushes) -> None:
    token = await pushes.subscribe()
    pushes.service.break_off(f"/{token}")
    allowed = iter([True, False])
    message = msgspec.structs.replace(pushes.outgoing(token), allow_send=lambda: next(allowed))
    assert (await pushes.send(message))[0].outcome is Outcome.UNCERTAIN
    assert len(pushes.service.arrived) == 1


async def test_a_service_that_is_away_is_tried_again_later(pushes: Pushes) -> None:
    token = await pushes.subscribe(f"http://127.0.0.1:{free_port()}/secret")
    (receipt,) = await pushes.send(pushes.outgoing(token))
    assert (receipt.outcome, receipt.reason) == (Outcome.DEFERRED, Reason.DESTINATION_UNREACHABLE)
    assert "secret" not in receipt.text


@pytest.mark.parametrize("networks", ["", "10.0.0.0/8"])
async def test_nothing_is_sent_without_tls_or_into_the_operators_network(
    pushes: Pushes, networks: str
) -> None:
    plain = await pushes.subscribe()
    private = await pushes.subscribe(f"https://127.0.0.1:{pushes.service.port}/secret")
    named = await pushes.subscribe("http://push.example.com/secret")
    for token in (plain, private, named):
        (receipt,) = await pushes.send(pushes.outgoing(token), networks=networks)
        assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, Reason.DESTINATION_REFUSED)
        assert "secret" not in receipt.text
    assert pushes.service.arrived == []


async def test_a_token_without_a_subscription_fails_and_the_others_go(pushes: Pushes) -> None:
    known = await pushes.subscribe()
    unknown, sent = await pushes.send(pushes.outgoing("from-elsewhere"), pushes.outgoing(known))
    assert (unknown.outcome, unknown.reason) == (Outcome.FAILED, Reason.ADDRESS_NOT_SUPPORTED)
    assert sent.outcome is Outcome.SENT


async def test_a_token_of_another_organisation_is_none_of_ours(pushes: Pushes) -> None:
    token = await pushes.subscribe()
    other, _ = await make_organisation(pushes.api.db, "Other Shop")
    message = msgspec.structs.replace(pushes.outgoing(token), org_id=other)
    assert (await pushes.send(message))[0].reason is Reason.ADDRESS_NOT_SUPPORTED
    assert pushes.service.arrived == []


async def test_a_message_that_is_too_large_is_not_sent(pushes: Pushes) -> None:
    token = await pushes.subscribe()
    (receipt,) = await pushes.send(pushes.outgoing(token, text="ї" * 2000))
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, Reason.TOO_LARGE)
    assert pushes.service.arrived == []


@pytest.mark.parametrize("payload", [b"", b"Hello", b"[]", b'{"title":5}'])
async def test_what_is_no_message_fails(pushes: Pushes, payload: bytes) -> None:
    token = await pushes.subscribe()
    message = msgspec.structs.replace(pushes.outgoing(token), payload=payload)
    (receipt,) = await pushes.send(message)
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, Reason.BAD_MESSAGE)


async def test_nothing_leaves_after_the_lease_or_without_a_fresh_look(pushes: Pushes) -> None:
    message = pushes.outgoing(await pushes.subscribe())
    late = msgspec.structs.replace(message, allow_send=lambda: False)
    stale = msgspec.structs.replace(message, fresh_until=0.0)
    receipts = await pushes.send(late, stale)
    assert [(one.outcome, one.reason, one.counted) for one in receipts] == [
        (Outcome.DEFERRED, Reason.LEASE_LOST, False),
        (Outcome.DEFERRED, Reason.STALE, False),
    ]
    assert pushes.service.arrived == []


async def test_a_key_sealed_with_another_secret_stops_the_sender_and_no_token(pushes: Pushes) -> None:
    token = await pushes.subscribe()
    channel = pushes.channel()
    channel._sealing = bytes(32)
    receipt = await channel.submit(pushes.outgoing(token))
    await channel.close()
    assert (receipt.outcome, receipt.reason) == (Outcome.DEFERRED, Reason.SENDER_SETUP)


async def test_a_new_key_pair_of_the_site_is_used_at_once(pushes: Pushes) -> None:
    """Pairs change while no browser is subscribed; the channel stays open meanwhile."""
    from perigee.push.vapid import make_pair, sealed

    channel = pushes.channel()
    token = await pushes.subscribe()
    await channel.submit(pushes.outgoing(token))
    pair = make_pair()
    app_id = await pushes.shop.value("select app_id from webpush_domain where org_id = %(org)s")
    await pushes.shop.sql(
        "update webpush_domain set vapid_public = %(u)s, vapid_private = %(r)s where org_id = %(org)s",
        u=pair.public,
        r=sealed(channel._sealing, pushes.api.org_id, app_id, pair.private),
    )
    await channel.submit(pushes.outgoing(token))
    await channel.close()
    claims(pushes.service.arrived[1].headers["authorization"], pair.public)


async def test_a_database_that_is_away_defers_and_nothing_is_sent(
    pushes: Pushes, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await pushes.subscribe()

    def gone() -> None:
        raise psycopg.OperationalError("the server is gone")

    channel = pushes.channel()
    monkeypatch.setattr(channel._database, "connection", gone)
    receipt = await channel.submit(pushes.outgoing(token))
    await channel.close()
    assert (receipt.outcome, receipt.reason, receipt.counted) == (
        Outcome.DEFERRED,
        Reason.CONNECTION_LOST,
        False,
    )
    assert pushes.service.arrived == []
