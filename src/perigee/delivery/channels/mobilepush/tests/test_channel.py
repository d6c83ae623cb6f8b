from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from perigee.delivery.channel import Advice, Outcome, Reason
from perigee.delivery.channels.mobilepush.tests.accounts import APNS_KEYS, APPLE, FCM_PATH, FIREBASE, LOGIN
from perigee.delivery.channels.mobilepush.tests.conftest import Devices

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def fcm_error(status: int, code: str = "", kind: str = FCM_ERROR, message: str = "no") -> dict[str, Any]:
    details = [{"@type": kind, "errorCode": code}] if code else []
    return {"error": {"code": status, "message": message, "details": details}}


async def test_firebase_gets_the_message_and_a_token_of_the_service_account(devices: Devices) -> None:
    token = await devices.device()
    outgoing = devices.outgoing(
        token,
        link="https://perigee.test/c/1",
        linkRaw="https://shop.example.com/sale",
        imageSource="https://shop.example.com/i.png",
        customData='{"level": 3, "nested": {"a": 1}}',
        badgeCount=2,
        ttlSec=600,
        buttons=[{"actionId": "buy", "label": "Buy", "link": "https://perigee.test/c/2"}],
    )
    (receipt,) = await devices.send(outgoing)
    assert receipt.outcome is Outcome.SENT
    login, push = devices.service.arrived
    assert login.path == LOGIN
    assertion = dict(pair.split("=", 1) for pair in login.body.decode().split("&"))["assertion"]
    signed, _, signature = assertion.rpartition(".")
    FIREBASE.public_key().verify(raw(signature), signed.encode(), padding.PKCS1v15(), SHA256())
    assert push.path == FCM_PATH
    assert push.headers["authorization"] == "Bearer at-1"
    message = push.json()["message"]
    assert message["token"] == token
    assert message["notification"] == {
        "title": "Sale",
        "body": "50 %",
        "image": "https://shop.example.com/i.png",
    }
    data = message["data"]
    assert all(isinstance(value, str) for value in data.values())
    assert data["es_interaction_id"] == outgoing.iid
    assert (data["es_link"], data["es_link_raw"]) == (
        "https://perigee.test/c/1",
        "https://shop.example.com/sale",
    )
    assert (data["level"], json.loads(data["nested"])) == ("3", {"a": 1})
    assert json.loads(data["es_buttons"])[0]["actionId"] == "buy"
    assert message["android"]["ttl"] == "600s"
    assert (
        message["android"]["collapse_key"] == message["apns"]["headers"]["apns-collapse-id"] == outgoing.iid
    )
    assert message["apns"]["payload"]["aps"]["badge"] == 2


async def test_apple_gets_the_message_and_a_token_of_the_team(devices: Devices) -> None:
    token = await devices.device(apple=True)
    outgoing = devices.outgoing(token, subtitle="Today", customData='{"level": 3}', soundEnabled=False)
    (receipt,) = await devices.send(outgoing)
    assert receipt.outcome is Outcome.SENT
    (push,) = devices.service.arrived
    assert push.path == f"/3/device/{token}"
    assert push.headers["apns-id"] == push.headers["apns-collapse-id"] == outgoing.iid
    assert push.headers["apns-topic"] == "com.example.shop"
    assert push.headers["apns-push-type"] == "alert"
    assert int(push.headers["apns-expiration"]) > 1_700_000_000
    signed, _, signature = push.headers["authorization"].removeprefix("bearer ").rpartition(".")
    header, claims = (json.loads(raw(part)) for part in signed.split("."))
    assert header == {"kid": "ABC123", "alg": "ES256"}
    assert claims["iss"] == "TEAM99"
    numbers = raw(signature)
    der = encode_dss_signature(int.from_bytes(numbers[:32], "big"), int.from_bytes(numbers[32:], "big"))
    APPLE.public_key().verify(der, signed.encode(), ec.ECDSA(SHA256()))
    body = push.json()
    assert body["aps"]["alert"] == {"title": "Sale", "subtitle": "Today", "body": "50 %"}
    assert "sound" not in body["aps"]
    assert (body["level"], body["es_interaction_id"]) == (3, outgoing.iid)


async def test_one_sign_in_and_one_connection_serve_many(devices: Devices) -> None:
    tokens = [await devices.device() for _ in range(20)]
    receipts = await devices.send(*[devices.outgoing(token) for token in tokens])
    assert {receipt.outcome for receipt in receipts} == {Outcome.SENT}
    assert [one.path for one in devices.service.arrived].count(LOGIN) == 1
    assert {one.json()["message"]["token"] for one in devices.pushes()} == set(tokens)
    assert devices.service.connections == 1


@pytest.mark.parametrize(
    ("status", "body", "outcome", "reason", "advice"),
    [
        (404, fcm_error(404, "UNREGISTERED"), Outcome.FAILED, Reason.NO_SUCH_RECIPIENT, Advice.SUPPRESS),
        (
            400,
            fcm_error(400, "INVALID_ARGUMENT"),
            Outcome.FAILED,
            Reason.UNCLASSIFIED,
            Advice.SUPPRESS_IF_REPEATED,
        ),
        (
            400,
            fcm_error(400, "x", "type.googleapis.com/google.rpc.BadRequest"),
            Outcome.FAILED,
            Reason.BAD_MESSAGE,
            Advice.STOP_MESSAGE,
        ),
        (
            403,
            fcm_error(403, "SENDER_ID_MISMATCH"),
            Outcome.FAILED,
            Reason.ADDRESS_NOT_SUPPORTED,
            Advice.NOTHING,
        ),
        (
            401,
            fcm_error(401, "THIRD_PARTY_AUTH_ERROR"),
            Outcome.DEFERRED,
            Reason.SENDER_SETUP,
            Advice.PAUSE_SENDER,
        ),
        (429, fcm_error(429, "QUOTA_EXCEEDED"), Outcome.DEFERRED, Reason.QUOTA, Advice.STOP_QUOTA),
        (503, "", Outcome.DEFERRED, Reason.DESTINATION_BUSY, Advice.SLOW_DESTINATION),
        (418, "", Outcome.FAILED, Reason.DESTINATION_REFUSED, Advice.BREAKER),
    ],
)
async def test_what_firebase_answers(
    devices: Devices, status: int, body: Any, outcome: Outcome, reason: Reason, advice: Advice
) -> None:
    token = await devices.device()
    devices.service.answer(FCM_PATH, status, body)
    (receipt,) = await devices.send(devices.outgoing(token))
    assert (receipt.outcome, receipt.reason, receipt.advice) == (outcome, reason, advice)
    assert receipt.code == status


async def test_a_429_of_firebase_waits_as_long_as_it_says(devices: Devices) -> None:
    for headers, seconds in (({"retry-after": "7"}, 7.0), ({}, 60.0)):
        devices.service.answer(FCM_PATH, 429, "", headers=headers)
        (receipt,) = await devices.send(devices.outgoing(await devices.device()))
        assert receipt.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "body", "outcome", "reason"),
    [
        (
            410,
            {"reason": "Unregistered", "timestamp": 4_000_000_000_000},
            Outcome.FAILED,
            Reason.NO_SUCH_RECIPIENT,
        ),
        (
            410,
            {"reason": "Unregistered", "timestamp": 1_500_000_000_000},
            Outcome.DEFERRED,
            Reason.RECIPIENT_BUSY,
        ),
        (400, {"reason": "BadDeviceToken"}, Outcome.FAILED, Reason.BAD_ADDRESS),
        (400, {"reason": "DeviceTokenNotForTopic"}, Outcome.FAILED, Reason.ADDRESS_NOT_SUPPORTED),
        (400, {"reason": "BadExpirationDate"}, Outcome.FAILED, Reason.BAD_MESSAGE),
        (403, {"reason": "InvalidProviderToken"}, Outcome.DEFERRED, Reason.SENDER_SETUP),
        (413, {"reason": "PayloadTooLarge"}, Outcome.FAILED, Reason.TOO_LARGE),
        (429, {"reason": "TooManyRequests"}, Outcome.DEFERRED, Reason.RECIPIENT_BUSY),
        (429, {"reason": "TooManyProviderTokenUpdates"}, Outcome.DEFERRED, Reason.PROVIDER_QUOTA),
        (503, {"reason": "Shutdown"}, Outcome.DEFERRED, Reason.DESTINATION_BUSY),
        (500, None, Outcome.DEFERRED, Reason.DESTINATION_BUSY),
    ],
)
async def test_what_apple_answers(
    devices: Devices, status: int, body: Any, outcome: Outcome, reason: Reason
) -> None:
    token = await devices.device(apple=True)
    devices.service.answer(f"/3/device/{token}", status, body)
    (receipt,) = await devices.send(devices.outgoing(token))
    assert (receipt.outcome, receipt.reason) == (outcome, reason)


async def test_a_lost_answer_is_asked_for_once_more_with_the_same_id(devices: Devices) -> None:
    token = await devices.device(apple=True)
    outgoing = devices.outgoing(token)
    devices.service.answer(f"/3/device/{token}", break_off=True)
    (receipt,) = await devices.send(outgoing)
    assert receipt.outcome is Outcome.SENT
    assert [one.headers["apns-id"] for one in devices.service.arrived] == [outgoing.iid] * 2


async def test_two_lost_answers_are_uncertain(devices: Devices) -> None:
    token = await devices.device(apple=True)
    for _ in range(2):
        devices.service.answer(f"/3/device/{token}", break_off=True)
    (receipt,) = await devices.send(devices.outgoing(token))
    assert receipt.outcome is Outcome.UNCERTAIN


async def test_what_the_service_says_it_did_not_begin_is_sent_on_another_connection(devices: Devices) -> None:
    token = await devices.device(apple=True)
    devices.service.answer(f"/3/device/{token}", go_away=0)
    (receipt,) = await devices.send(devices.outgoing(token))
    assert receipt.outcome is Outcome.SENT
    assert [one.connection for one in devices.service.arrived] == [1, 2]


async def test_a_refused_service_account_sends_nothing_and_blames_nobody(devices: Devices) -> None:
    token = await devices.device()
    devices.service.answers[LOGIN].clear()
    devices.service.answer(LOGIN, 400, {"error": "invalid_grant"})
    (receipt,) = await devices.send(devices.outgoing(token))
    assert (receipt.outcome, receipt.reason, receipt.counted) == (
        Outcome.DEFERRED,
        Reason.PROVIDER_LOGIN,
        False,
    )
    assert devices.pushes() == []


@pytest.mark.parametrize(("apple", "name"), [(False, "from"), (False, "google.x"), (True, "aps")])
async def test_names_that_a_service_keeps_are_refused(devices: Devices, apple: bool, name: str) -> None:
    token = await devices.device(apple=apple)
    (receipt,) = await devices.send(devices.outgoing(token, customData=json.dumps({name: "x"})))
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, Reason.BAD_MESSAGE)
    assert name in receipt.text
    assert devices.pushes() == []


@pytest.mark.parametrize("apple", [False, True])
async def test_too_large_a_message_is_not_sent(devices: Devices, apple: bool) -> None:
    token = await devices.device(apple=apple)
    (receipt,) = await devices.send(devices.outgoing(token, customData=json.dumps({"x": "ж" * 2000})))
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, Reason.TOO_LARGE)


async def test_a_token_of_an_unregistered_application_goes_by_the_only_one_with_keys(
    devices: Devices,
) -> None:
    token = await devices.device(app_id="")
    (receipt,) = await devices.send(devices.outgoing(token))
    assert receipt.outcome is Outcome.SENT
    other = await devices.api.post("/api/v4/apps", {"kind": "mobilepush", "name": "Other"})
    await devices.api.put(f"/api/v4/apps/{other.json()['app_id']}/credentials", {"apns": APNS_KEYS})
    (receipt,) = await devices.send(devices.outgoing(token))
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, Reason.ADDRESS_NOT_SUPPORTED)
