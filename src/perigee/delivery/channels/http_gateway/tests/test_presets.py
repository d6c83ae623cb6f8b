"""Each preset against a stand-in at the wire: the request it makes, the answers and reports it reads."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec
import pytest

from perigee.delivery.channel import EventType, Outcome, ProviderRequest, Reason
from perigee.delivery.channels.http_gateway.gateway import preset, presets
from perigee.delivery.channels.http_gateway.settings import GatewaySettings
from perigee.delivery.channels.http_gateway.tests.conftest import CALLBACK, Stand, moved, opened, outgoing
from perigee.errors import Unauthorized

VIBER = '{"from":"Shop","text":"Hi","img":"https://i.example.com/1.png","caption":"Look","action":"https://example.com/"'


def request(
    body: bytes | dict[str, Any], query: dict[str, str] | None = None, **headers: str
) -> ProviderRequest:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return ProviderRequest("POST", "/hooks/provider/token", query or {}, names, raw)


def test_the_presets() -> None:
    assert {name: sorted(preset(name)) for name in presets()} == {
        "infobip": ["sms", "viber"],
        "turbosms": ["sms", "viber"],
        "twilio": ["sms"],
        "vonage": ["sms", "viber"],
    }
    for name in presets():
        values = {"server": "https://xyz.example.com"}
        settings = msgspec.convert({"preset": name, "values": values}, GatewaySettings)
        assert settings.of("sms") == preset(name)["sms"]


async def test_twilio_sends(stand: Stand) -> None:
    stand.answers = [(201, {"sid": "SM1", "status": "queued", "error_code": None})]
    account: dict[str, Any] = {"username": "AC1", "password": "secret"}
    async with opened(moved("twilio", "sms", stand.port), **account) as channel:
        assert channel.reports
        receipt = await channel.submit(outgoing())
    assert (receipt.outcome, receipt.provider_ids) == (Outcome.SENT, ("SM1",))
    call = stand.calls[0]
    assert call.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert call.headers["Authorization"] == "Basic " + base64.b64encode(b"AC1:secret").decode()
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(call.body.decode()) == {
        "To": ["+380501234567"],
        "From": ["Shop"],
        "Body": ["Hi Anna & {all}"],
        "StatusCallback": [f"{CALLBACK}?ref=iid-1"],
    }


@pytest.mark.parametrize(
    ("status", "code", "outcome", "reason"),
    [
        (400, 21211, Outcome.FAILED, Reason.BAD_ADDRESS),
        (400, 21614, Outcome.FAILED, Reason.NO_SUCH_RECIPIENT),
        (400, 21606, Outcome.FAILED, Reason.SENDER_REFUSED),
        (400, 99999, Outcome.FAILED, Reason.BAD_MESSAGE),
        (401, 20003, Outcome.DEFERRED, Reason.PROVIDER_LOGIN),
        (429, 20429, Outcome.DEFERRED, Reason.PROVIDER_QUOTA),
    ],
)
async def test_twilio_refuses(stand: Stand, status: int, code: int, outcome: Outcome, reason: Reason) -> None:
    stand.answers = [(status, {"code": code, "message": "Words", "status": status})]
    async with opened(moved("twilio", "sms", stand.port), username="AC1") as channel:
        receipt = await channel.submit(outgoing())
    assert (receipt.outcome, receipt.reason, receipt.text) == (outcome, reason, "Words")


def _twilio(body: bytes, query: dict[str, str], secret: str = "secret") -> str:
    members = "".join(name + values[0] for name, values in sorted(parse_qs(body.decode()).items()))
    address = CALLBACK + ("?" + urlencode(query) if query else "")
    return base64.b64encode(hmac.digest(secret.encode(), (address + members).encode(), "sha1")).decode()


async def test_twilio_reports_are_signed(stand: Stand) -> None:
    body = urlencode(
        {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30005", "To": "+380501234567"}
    ).encode()
    query = {"ref": "iid-1"}
    async with opened(moved("twilio", "sms", stand.port), signature_secret="secret") as channel:
        (event,) = channel.read_events(request(body, query, x_twilio_signature=_twilio(body, query)))
        for wrong in ("", _twilio(body, query, "other"), _twilio(body + b"1", query), _twilio(body, {})):
            with pytest.raises(Unauthorized):
                channel.read_events(request(body, query, x_twilio_signature=wrong))
    assert (event.type, event.reason, event.text) == (
        EventType.BOUNCED,
        Reason.NO_SUCH_RECIPIENT,
        "30005",
    )
    assert (event.provider_id, event.iid) == ("SM1", "iid-1")


async def test_infobip_sends_and_reports(stand: Stand) -> None:
    stand.answers = [
        (
            200,
            {
                "bulkId": "b",
                "messages": [
                    {
                        "messageId": "iid-1",
                        "destination": "380501234567",
                        "status": {"groupId": 1, "groupName": "PENDING", "name": "PENDING_ACCEPTED"},
                    }
                ],
            },
        ),
        (
            200,
            {
                "messages": [
                    {"messageId": "x", "status": {"groupName": "REJECTED", "name": "REJECTED_SENDER"}}
                ]
            },
        ),
        (401, {"requestError": {"serviceException": {"messageId": "UNAUTHORIZED", "text": "Invalid login"}}}),
    ]
    async with opened(
        moved("infobip", "sms", stand.port), token="key", values={"server": "https://xyz.example.com"}
    ) as channel:
        taken, refused, login = [await channel.submit(outgoing()) for _ in range(3)]
        delivered, bounced = channel.read_events(
            request(
                {
                    "results": [
                        {
                            "messageId": "iid-1",
                            "doneAt": "2020-11-09T16:00:00.000+0000",
                            "status": {"groupName": "DELIVERED", "name": "DELIVERED_TO_HANDSET"},
                            "error": {"name": "NO_ERROR", "groupName": "OK"},
                        },
                        {
                            "messageId": "iid-2",
                            "status": {"groupName": "UNDELIVERABLE"},
                            "error": {"name": "EC_UNKNOWN_SUBSCRIBER", "description": "Unknown subscriber"},
                        },
                        {"messageId": "iid-3", "status": {"groupName": "PENDING"}},
                    ]
                }
            )
        )
    assert (taken.outcome, taken.provider_id) == (Outcome.SENT, "iid-1")
    assert (refused.outcome, refused.reason) == (Outcome.FAILED, Reason.SENDER_REFUSED)
    assert (login.outcome, login.reason, login.text) == (
        Outcome.DEFERRED,
        Reason.PROVIDER_LOGIN,
        "Invalid login",
    )
    call = stand.calls[0]
    assert (call.path, call.headers["Authorization"]) == ("/sms/3/messages", "App key")
    (message,) = msgspec.json.decode(call.body)["messages"]
    assert message == {
        "sender": "Shop",
        "destinations": [{"to": "380501234567", "messageId": "iid-1"}],
        "content": {"text": "Hi Anna & {all}"},
        "webhooks": {"delivery": {"url": f"{CALLBACK}?ref=iid-1"}, "contentType": "application/json"},
    }
    assert (delivered.type, delivered.provider_id) == (EventType.DELIVERED, "iid-1")
    assert delivered.at == datetime(2020, 11, 9, 16, tzinfo=UTC)
    assert (bounced.type, bounced.reason, bounced.text) == (
        EventType.BOUNCED,
        Reason.NO_SUCH_RECIPIENT,
        "Unknown subscriber",
    )


async def test_infobip_viber_falls_back_to_sms_where_it_is_wanted(stand: Stand) -> None:
    stand.answers = [(200, {"messages": [{"messageId": "m", "status": {"groupName": "PENDING"}}]})]
    account: dict[str, Any] = {"token": "key", "values": {"server": "https://xyz.example.com"}}
    async with opened(moved("infobip", "viber", stand.port), "viber", **account) as channel:
        await channel.submit(outgoing(VIBER + "}"))
        await channel.submit(
            outgoing(VIBER + ',"smsFallback":true,"smsSender":"ShopSms","smsContent":"Short"}')
        )
    first, second = (msgspec.json.decode(call.body)["messages"][0] for call in stand.calls)
    assert stand.calls[0].path == "/viber/2/messages"
    assert first["content"] == {"type": "TEXT", "text": "Hi"}
    assert "options" not in first
    assert second["options"] == {"smsFailover": {"sender": "ShopSms", "text": "Short"}}


async def test_vonage_sends_and_its_reports_name_the_message_twice(stand: Stand) -> None:
    stand.answers = [(202, {"message_uuid": "u-1"})]
    async with opened(
        moved("vonage", "sms", stand.port), username="key", password="secret", signature_secret="s" * 32
    ) as channel:
        receipt = await channel.submit(outgoing())
        body = msgspec.json.encode(
            {
                "message_uuid": "u-1",
                "client_ref": "iid-1",
                "timestamp": "2025-02-03T12:14:25Z",
                "status": "rejected",
                "error": {"type": "https://…#1", "title": 1000, "detail": "Throttled"},
            }
        )
        (event,) = channel.read_events(request(body, authorization=_jwt(body, "s" * 32)))
        for wrong in (
            "",
            "Bearer a.b",
            "Bearer {}.{}.x",
            _jwt(body, "t" * 32),
            _jwt(body + b" ", "s" * 32),
            _jwt(body, "s" * 32, alg="none"),
        ):
            with pytest.raises(Unauthorized):
                channel.read_events(request(body, authorization=wrong))
    assert (receipt.outcome, receipt.provider_id) == (Outcome.SENT, "u-1")
    sent = msgspec.json.decode(stand.calls[0].body)
    assert (sent["client_ref"], sent["webhook_url"], sent["channel"]) == (
        "iid-1",
        f"{CALLBACK}?ref=iid-1",
        "sms",
    )
    assert (event.type, event.iid, event.provider_id, event.text) == (
        EventType.BOUNCED,
        "iid-1",
        "u-1",
        "Throttled",
    )


def _jwt(body: bytes, secret: str, alg: str = "HS256") -> str:
    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    claims = {"iss": "Vonage", "payload_hash": hashlib.sha256(body).hexdigest()}
    signed = part(msgspec.json.encode({"alg": alg, "typ": "JWT"})) + "." + part(msgspec.json.encode(claims))
    return f"Bearer {signed}.{part(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


async def test_turbosms_sends_sms_and_viber_in_one_call(stand: Stand) -> None:
    def accepted(_: object) -> object:
        result = {"phone": "380501234567", "response_code": 0, "message_id": "t-1", "response_status": "OK"}
        return (
            200,
            {
                "response_code": 800,
                "response_status": "SUCCESS_MESSAGE_ACCEPTED",
                "response_result": [result],
            },
        )

    stand.answers = [accepted]
    gateway = moved("turbosms", "viber", stand.port)
    async with opened(gateway, "viber", token="key") as channel:
        assert not channel.reports  # counts as delivered when it is taken
        receipt = await channel.submit(outgoing(VIBER + ',"smsFallback":true,"smsSender":"ShopSms"}'))
        await channel.submit(outgoing('{"from":"Shop","text":"Hi"}'))
    assert (receipt.outcome, receipt.provider_id) == (Outcome.SENT, "t-1")
    assert stand.calls[0].headers["Authorization"] == "Bearer key"
    assert msgspec.json.decode(stand.calls[0].body) == {
        "recipients": ["380501234567"],
        "sequence_id": "iid-1",
        "viber": {
            "sender": "Shop",
            "text": "Hi",
            "image_url": "https://i.example.com/1.png",
            "caption": "Look",
            "action": "https://example.com/",
        },
        "sms": {"sender": "ShopSms", "text": "Hi"},
    }
    assert msgspec.json.decode(stand.calls[1].body)["viber"] == {"sender": "Shop", "text": "Hi"}
    assert "sms" not in msgspec.json.decode(stand.calls[1].body)


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (
            {
                "response_code": 802,
                "response_status": "SUCCESS_MESSAGE_PARTIAL_ACCEPTED",
                "response_result": [
                    {
                        "response_code": 406,
                        "message_id": None,
                        "response_status": "NOT_ALLOWED_RECIPIENT_COUNTRY",
                    }
                ],
            },
            Outcome.FAILED,
            Reason.ADDRESS_NOT_SUPPORTED,
        ),
        (
            {"response_code": 103, "response_status": "REQUIRED_TOKEN", "response_result": None},
            Outcome.DEFERRED,
            Reason.PROVIDER_LOGIN,
        ),
        (
            {"response_code": 1, "response_status": "SOMETHING_NEW", "response_result": None},
            Outcome.FAILED,
            Reason.BAD_MESSAGE,
        ),
    ],
)
async def test_turbosms_refuses_with_the_status_200(
    stand: Stand, answer: dict[str, Any], outcome: Outcome, reason: Reason
) -> None:
    stand.answers = [(200, answer)]
    async with opened(moved("turbosms", "sms", stand.port), token="key") as channel:
        receipt = await channel.submit(outgoing())
    assert (receipt.outcome, receipt.reason) == (outcome, reason)
