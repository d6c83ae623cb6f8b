"""One message on the wire: what is posted, and what becomes of it by the answer."""

from __future__ import annotations

import pytest
from standardwebhooks.webhooks import Webhook

from perigee.delivery.channel import Advice, DeliveryError, Outcome, Reason
from perigee.delivery.channels import read_settings
from perigee.delivery.channels.webhook import signing
from perigee.delivery.channels.webhook.tests.conftest import SECRET, Endpoint, opened, outgoing
from perigee.errors import Invalid
from perigee.lib.outside import Rules


async def test_the_document_is_posted_as_it_is_and_its_signature_holds(endpoint: Endpoint) -> None:
    async with opened(endpoint.url, headers={"Authorization": "Bearer abc"}) as channel:
        receipt = await channel.submit(outgoing())
    assert (receipt.outcome, receipt.code) == (Outcome.SENT, 204)
    (call,) = endpoint.calls
    assert (call.method, call.path) == ("POST", "/take?from=perigee")
    assert call.headers["Content-Type"] == "application/json"
    assert call.headers["Authorization"] == "Bearer abc"
    assert call.headers["webhook-id"] == "0b6f1c1e-iid"
    assert Webhook(SECRET).verify(call.body, call.headers) == {"name": "Анна"}


def test_a_signature_is_of_id_moment_and_body() -> None:
    key = signing.read_secret(SECRET)
    one = signing.signed(key, "a", 1, b"{}")["webhook-signature"]
    others = [
        signing.signed(key, "b", 1, b"{}"),
        signing.signed(key, "a", 2, b"{}"),
        signing.signed(key, "a", 1, b"[]"),
        signing.signed(signing.read_secret(signing.new_secret()), "a", 1, b"{}"),
    ]
    assert one not in [other["webhook-signature"] for other in others]


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "reason", "after", "counted"),
    [
        (200, {}, Outcome.SENT, None, None, True),
        (302, {"Location": "http://127.0.0.1/"}, Outcome.DEFERRED, Reason.PROVIDER_REFUSED, None, False),
        (400, {}, Outcome.FAILED, Reason.BAD_MESSAGE, None, True),
        (401, {}, Outcome.FAILED, Reason.BAD_MESSAGE, None, True),
        (408, {}, Outcome.DEFERRED, Reason.DESTINATION_BUSY, None, True),
        (410, {}, Outcome.DEFERRED, Reason.PROVIDER_GONE, 600.0, False),
        (422, {}, Outcome.FAILED, Reason.BAD_MESSAGE, None, True),
        (429, {"Retry-After": "7"}, Outcome.DEFERRED, Reason.PROVIDER_QUOTA, 7.0, False),
        (500, {"Retry-After": "9"}, Outcome.DEFERRED, Reason.DESTINATION_BUSY, 9.0, True),
        (503, {"Retry-After": "999999"}, Outcome.DEFERRED, Reason.PROVIDER_UNREACHABLE, 3600.0, False),
    ],
)
async def test_the_status_decides(
    endpoint: Endpoint,
    status: int,
    headers: dict[str, str],
    outcome: Outcome,
    reason: Reason | None,
    after: float | None,
    counted: bool,
) -> None:
    endpoint.answers = [(status, "no such\npoints\x00", headers)]
    async with opened(endpoint.url) as channel:
        receipt = await channel.submit(outgoing())
    assert (receipt.outcome, receipt.reason, receipt.retry_after) == (outcome, reason, after)
    assert (receipt.counted, receipt.code, len(endpoint.calls)) == (counted, status, 1)
    if status in (400, 429):
        assert receipt.text == "no such points"


async def test_a_message_whose_answer_was_lost_is_sent_again_under_its_id(endpoint: Endpoint) -> None:
    endpoint.answers = [None, (200, "", {})]
    async with opened(endpoint.url) as channel:
        lost = await channel.submit(outgoing())
        again = await channel.submit(outgoing())
    assert (lost.outcome, lost.reason, again.outcome) == (
        Outcome.DEFERRED,
        Reason.DESTINATION_BUSY,
        Outcome.SENT,
    )
    assert [call.headers["webhook-id"] for call in endpoint.calls] == ["0b6f1c1e-iid"] * 2


async def test_a_long_answer_changes_nothing(endpoint: Endpoint) -> None:
    endpoint.answers = [(200, "x" * 300_000, {}), (400, "x" * 300_000, {})]
    async with opened(endpoint.url) as channel:
        assert (await channel.submit(outgoing())).outcome is Outcome.SENT
        assert (await channel.submit(outgoing())).outcome is Outcome.FAILED


async def test_nobody_at_the_address_lets_the_provider_rest() -> None:
    async with opened("http://127.0.0.1:1/") as channel:
        receipt = await channel.submit(outgoing())
        with pytest.raises(DeliveryError):
            await channel.check()
    assert (receipt.outcome, receipt.counted, receipt.advice) == (
        Outcome.DEFERRED,
        False,
        Advice.PAUSE_PROVIDER,
    )


async def test_no_endpoint_leads_into_our_own_network(endpoint: Endpoint) -> None:
    async with opened(endpoint.url, rules=Rules(ports=None)) as channel:
        receipt = await channel.submit(outgoing())
    assert (receipt.outcome, receipt.reason) == (Outcome.DEFERRED, Reason.PROVIDER_REFUSED)
    assert endpoint.calls == []


async def test_nothing_is_begun_without_the_right_to_or_too_late(endpoint: Endpoint) -> None:
    async with opened(endpoint.url) as channel:
        lost = await channel.submit(outgoing(allow=lambda: False))
        stale = await channel.submit(outgoing(fresh_until=0.0))
    assert (lost.reason, stale.reason, endpoint.calls) == (Reason.LEASE_LOST, Reason.STALE, [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://example.com/"},
        {"url": "https://user:pw@example.com/"},
        {"secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        {"secret": "whsec_c2hvcnQ="},
        {"secret": "whsec_!"},
        {"headers": {"Webhook-Id": "x"}},
        {"headers": {"content-type": "text/plain"}},
        {"headers": {"X-A": "a\r\nX-B: b"}},
        {"headers": {"X A": "a"}},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    right = {"url": "https://example.com/take", "secret": SECRET, "headers": {"X-A": "a"}}
    read_settings("webhook", right)
    with pytest.raises(Invalid):
        read_settings("webhook", {**right, **wrong})
