"""What becomes of a message when a gateway answers oddly, late or not at all; and what settings are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.delivery.channel import DeliveryError, Outcome, ProviderRequest, Reason
from perigee.delivery.channels import read_settings
from perigee.delivery.channels.http_gateway import templates
from perigee.delivery.channels.http_gateway.answers import read_answer
from perigee.delivery.channels.http_gateway.channel import GatewayChannel
from perigee.delivery.channels.http_gateway.gateway import Answer, Gateway, preset
from perigee.delivery.channels.http_gateway.receipts import read_receipts
from perigee.delivery.channels.http_gateway.settings import GatewaySettings
from perigee.delivery.channels.http_gateway.tests.conftest import Stand, opened, outgoing
from perigee.errors import Invalid, Unauthorized
from perigee.lib.outside import Rules

PLAIN = Gateway(
    url="http://127.0.0.1:1/send",
    template={"number": "{to}", "words": "{text}"},
    answer=Answer(id=["id"]),
)


def at(stand: Stand, **changes: Any) -> Gateway:
    return msgspec.structs.replace(PLAIN, url=f"http://127.0.0.1:{stand.port}/send", **changes)


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "reason", "after"),
    [
        (429, {"Retry-After": "7"}, Outcome.DEFERRED, Reason.PROVIDER_QUOTA, 7.0),
        (503, {"Retry-After": "999999"}, Outcome.DEFERRED, Reason.PROVIDER_UNREACHABLE, 3600.0),
        (500, {}, Outcome.DEFERRED, Reason.PROVIDER_UNREACHABLE, None),
        (502, {}, Outcome.UNCERTAIN, Reason.ANSWER_LOST, None),
        (504, {}, Outcome.UNCERTAIN, Reason.ANSWER_LOST, None),
        (403, {}, Outcome.DEFERRED, Reason.PROVIDER_LOGIN, None),
        (302, {"Location": "http://127.0.0.1/"}, Outcome.FAILED, Reason.BAD_MESSAGE, None),
        (400, {}, Outcome.FAILED, Reason.BAD_MESSAGE, None),
    ],
)
async def test_the_status_decides(
    stand: Stand, status: int, headers: dict[str, str], outcome: Outcome, reason: Reason, after: float | None
) -> None:
    stand.answers = [(status, {}, headers)]
    async with opened(at(stand)) as channel:
        receipt = await channel.submit(outgoing())
    assert (receipt.outcome, receipt.reason, receipt.retry_after, receipt.code) == (
        outcome,
        reason,
        after,
        status,
    )
    assert receipt.counted is (outcome is not Outcome.DEFERRED)


async def test_a_message_without_an_answer_is_uncertain_and_not_sent_again(stand: Stand) -> None:
    stand.answers = [None]
    async with opened(at(stand)) as channel:
        receipt = await channel.submit(outgoing())
    assert (receipt.outcome, receipt.reason) == (Outcome.UNCERTAIN, Reason.ANSWER_LOST)
    assert len(stand.calls) == 1


async def test_a_gateway_that_takes_a_reference_once_is_asked_again(stand: Stand) -> None:
    stand.answers = [None, (200, {"id": "a"})]
    async with opened(at(stand, once=True)) as channel:
        receipt = await channel.submit(outgoing())
    assert (receipt.outcome, receipt.provider_id) == (Outcome.SENT, "a")
    assert len(stand.calls) == 2


async def test_nobody_at_the_address_is_not_the_messages_fault() -> None:
    async with opened(PLAIN) as channel:
        receipt = await channel.submit(outgoing())
        with pytest.raises(DeliveryError):
            await channel.check()
    assert (receipt.outcome, receipt.reason, receipt.counted) == (
        Outcome.DEFERRED,
        Reason.PROVIDER_UNREACHABLE,
        False,
    )


async def test_no_gateway_leads_into_our_own_network(stand: Stand) -> None:
    stand.answers = [(200, {"id": "a"})]
    async with opened(at(stand), rules=Rules(ports=None)) as channel:
        receipt = await channel.submit(outgoing())
    assert (receipt.outcome, receipt.reason) == (Outcome.DEFERRED, Reason.PROVIDER_REFUSED)
    assert stand.calls == []


async def test_without_the_right_to_send_nothing_is_sent(stand: Stand) -> None:
    async with opened(at(stand)) as channel:
        receipt = await channel.submit(outgoing(allow=lambda: False))
    assert (receipt.outcome, receipt.reason, stand.calls) == (Outcome.DEFERRED, Reason.LEASE_LOST, [])


async def test_an_answer_without_the_promised_id_is_a_refusal(stand: Stand) -> None:
    stand.answers = [(200, {"error": "what?"})]
    async with opened(at(stand)) as channel:
        receipt = await channel.submit(outgoing())
    assert receipt.outcome is Outcome.FAILED


async def test_values_are_escaped_as_the_bodys_kind_asks(stand: Stand) -> None:
    stand.answers = [(200, {"id": "a"})]
    evil = 'a"b&c=d {to}\r\nX: y'
    async with opened(at(stand)) as channel:
        await channel.submit(outgoing(evil))
    assert msgspec.json.decode(stand.calls[0].body) == {"number": "380501234567", "words": evil}
    async with opened(at(stand, body="query", method="GET")) as channel:
        await channel.submit(outgoing("a&b=1"))
    assert stand.calls[1].path == "/send?number=380501234567&words=a%26b%3D1"
    assert templates.fill_header("{from}", {"from": "a\r\nX: y"}).count("\n") == 0
    assert templates.fill_url("https://a.example/{to}/x", {"to": "../?"}) == "https://a.example/..%2F%3F/x"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "preset"),
        ({"preset": "nobody"}, "preset must be one of infobip, turbosms, twilio, vonage"),
        ({"preset": "infobip"}, "values must hold server"),
        ({"preset": "twilio", "gateway": {"url": "https://a.example"}}, "either"),
        ({"gateway": {"url": "ftp://a.example"}}, "http"),
        ({"gateway": {"url": "https://a.example/{account}"}}, "account"),
        ({"gateway": {"url": "https://a.example", "answer": {"verdicts": {"1": "failed oops"}}}}, "verdict"),
        ({"gateway": {"url": "https://a.example", "reports": {"events": {"1": "oops"}}}}, "event"),
        ({"gateway": {"url": "https://a.example", "body": "form", "template": {"a": ["{to}"]}}}, "form"),
    ],
)
def test_settings_that_could_not_work_are_refused(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(Invalid, match=named):
        read_settings("http_gateway", settings)


def test_a_preset_carries_what_it_carries() -> None:
    settings = GatewaySettings(preset="twilio")
    with pytest.raises(Invalid, match="twilio carries no viber"):
        GatewayChannel(settings, medium="viber", rules=Rules(), callback="")


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_answer_breaks_the_reading(status: int, body: bytes) -> None:
    for name, medium in (("twilio", "sms"), ("infobip", "sms"), ("turbosms", "viber")):
        receipt = read_answer(preset(name)[medium], status, {"Retry-After": "x"}, body)
        assert receipt.outcome is not Outcome.SENT or receipt.provider_id


@given(st.binary(max_size=200), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3))
def test_no_report_breaks_the_reading(body: bytes, query: dict[str, str]) -> None:
    for name in ("twilio", "infobip", "vonage"):
        reports = preset(name)["sms"].reports
        assert reports is not None
        for secret in ("", "secret"):
            try:
                read_receipts(
                    reports,
                    ProviderRequest("POST", "/", query, {"authorization": "a.b.c"}, body),
                    url="https://a.example/",
                    secret=secret,
                    now=datetime.now(UTC),
                )
            except (Invalid, Unauthorized):
                continue
