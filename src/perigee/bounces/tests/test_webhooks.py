"""Providers that report by calling us: proven, each report once."""

from __future__ import annotations

import base64
import hmac
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from perigee.bounces import pages, verp
from perigee.bounces.tests.test_coming_back import activity, states
from perigee.bounces.webhooks import ses
from perigee.lib.outside import Outside, Rules
from perigee.testing.api import Api
from perigee.testing.outside import Names
from perigee.testing.sending import Shop
from perigee.testing.smtp_fixtures import self_signed
from perigee.testing.smtp_server import SmtpServer

ANNA, BERT = "person-1@example.com", "person-2@example.com"
SIGNING = "a-signing-key-of-mailgun-0123456789"
PASSWORD = "0123456789abcdef0123456789abcdef"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
HOST = "sns.eu-west-1.amazonaws.com"


class World:
    """A shop whose campaign went to two people, and its web application."""

    def __init__(self, api: Api, shop: Shop) -> None:
        self.api = api
        self.shop = shop
        self.paths: dict[str, str] = {}

    async def intake(self, service: str, key: str) -> None:
        made = await self.api.post("/api/v4/webhook-intakes", {"service": service, "key": key})
        assert made.status_code == 201, made.text
        self.paths[service] = made.json()["url"].removeprefix("http://perigee.test")

    async def token(self, address: str) -> str:
        rows = await self.shop.sql(
            "select send_id, ordinal, contact_id from delivery where org_id = %(org)s and address = %(a)s",
            a=address,
        )
        return verp.token(self.shop.keys.bounces, self.shop.org_id, *rows[0])

    async def post(self, service: str, body: bytes, headers: dict[str, str] | None = None) -> int:
        answer = await self.api.call(
            "POST",
            self.paths[service],
            key="",
            content=body,
            headers={"content-type": "text/plain", **(headers or {})},
        )
        return answer.status_code


@pytest.fixture
async def world(api: Api, smtp_server: SmtpServer) -> World:
    shop = Shop(api.db, api.org_id)
    await shop.use_smtp(smtp_server)
    await shop.started(await shop.people(2))
    await shop.run_sender()
    return World(api, shop)


# -- Mailgun


def mailgun(event: dict[str, Any], key: str = SIGNING, at: float | None = None) -> bytes:
    seconds = str(int(at or time.time()))
    token = "t" * 50
    signature = hmac.new(key.encode(), (seconds + token).encode(), "sha256").hexdigest()
    signed = {"timestamp": seconds, "token": token, "signature": signature}
    return json.dumps({"signature": signed, "event-data": event}).encode()


def failed(token: str, **more: Any) -> dict[str, Any]:
    return {
        "event": "failed",
        "severity": "permanent",
        "id": "e1",
        "timestamp": time.time(),
        "user-variables": {"perigee": token},
        "delivery-status": {"code": 550, "message": "5.1.1 no such user"},
        **more,
    }


async def test_mailgun_reports_a_dead_address_once(world: World) -> None:
    await world.intake("mailgun", SIGNING)
    body = mailgun(failed(await world.token(ANNA)))
    assert [await world.post("mailgun", body) for _ in range(2)] == [200, 200]
    assert await states(world.shop) == {ANNA: ["blacklisted"]}
    assert await activity(world.shop, "UNDELIVERED") == [(ANNA, "5.1.1 no such user")]


async def test_mailgun_reports_what_people_did(world: World) -> None:
    await world.intake("mailgun", SIGNING)
    anna, bert = await world.token(ANNA), await world.token(BERT)
    for event in (
        failed(anna, severity="temporary"),
        failed(anna, event="opened"),
        failed(
            anna,
            event="complained",
            **{"user-variables": {}, "message": {"headers": {"message-id": f"{anna}@x"}}},
        ),
        failed(bert, event="unsubscribed"),
    ):
        assert await world.post("mailgun", mailgun(event)) == 200
    assert await states(world.shop) == {ANNA: ["spam"], BERT: ["unsubscribed"]}
    assert await activity(world.shop, "READ") == [], "we count opens ourselves"


async def test_a_call_that_proves_nothing_changes_nothing(world: World) -> None:
    await world.intake("mailgun", SIGNING)
    event = failed(await world.token(ANNA))
    for body in (mailgun(event, "another key"), mailgun(event, at=time.time() - 90_000), b"{}"):
        assert await world.post("mailgun", body) == 401
    assert await world.post("mailgun", b"no json") == 400
    world.paths["mailgun"] = world.paths["mailgun"][:-1] + "x"
    assert await world.post("mailgun", mailgun(event)) == 401
    assert await states(world.shop) == {}


async def test_a_foreign_token_in_a_proven_call_changes_nothing(world: World) -> None:
    await world.intake("mailgun", SIGNING)
    forged = verp.token(b"another key", world.shop.org_id, 1, 1, 1)
    foreign = verp.token(world.shop.keys.bounces, world.shop.org_id + 1, *(await _numbers(world)))
    for token in (forged, foreign, "", "x" * 500):
        assert await world.post("mailgun", mailgun(failed(token))) == 200
    assert await states(world.shop) == {}


async def _numbers(world: World) -> tuple[int, int, int]:
    rows = await world.shop.sql(
        "select send_id, ordinal, contact_id from delivery where org_id = %(org)s limit 1"
    )
    return rows[0][0], rows[0][1], rows[0][2]


async def test_an_intake_that_was_removed_is_closed(world: World) -> None:
    await world.intake("mailgun", SIGNING)
    (listed,) = (await world.api.get("/api/v4/webhook-intakes")).json()["items"]
    assert SIGNING not in json.dumps(listed)
    assert (await world.api.delete(f"/api/v4/webhook-intakes/{listed['intake_id']}")).status_code == 204
    assert (await world.api.delete(f"/api/v4/webhook-intakes/{listed['intake_id']}")).status_code == 404
    assert await world.post("mailgun", mailgun(failed(await world.token(ANNA)))) == 401


async def test_one_services_address_is_none_of_anothers(world: World) -> None:
    await world.intake("mailgun", SIGNING)
    world.paths["postmark"] = world.paths["mailgun"].replace("mailgun", "postmark")
    assert await world.post("postmark", b"{}", basic(SIGNING)) == 401


# -- SendGrid


@pytest.fixture
def sendgrid() -> tuple[str, Callable[..., dict[str, str]]]:
    """(the verification key, a maker of signed headers)."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def headers(body: bytes, at: float | None = None) -> dict[str, str]:
        seconds = str(int(at or time.time()))
        signature = private.sign(seconds.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": seconds,
        }

    return base64.b64encode(public).decode(), headers


async def test_sendgrid_reports_a_set(world: World, sendgrid: Any) -> None:
    key, headers = sendgrid
    await world.intake("sendgrid", key)
    anna, bert = await world.token(ANNA), await world.token(BERT)
    body = json.dumps(
        [
            {"event": "processed", "perigee": anna},
            {"event": "open", "perigee": anna, "sg_event_id": "o"},
            {
                "event": "bounce",
                "type": "bounce",
                "perigee": anna,
                "status": "5.1.1",
                "reason": "550 5.1.1 gone",
                "timestamp": int(time.time()),
                "sg_event_id": "b",
            },
            {"event": "deferred", "perigee": bert, "response": "450 later"},
            {"event": "spamreport", "smtp-id": f"<{bert}@shop.example.com>"},
        ]
    ).encode()
    assert await world.post("sendgrid", body, headers(body)) == 200
    assert await states(world.shop) == {ANNA: ["blacklisted"], BERT: ["spam"]}
    assert await activity(world.shop, "UNDELIVERED") == [(ANNA, "550 5.1.1 gone")]


async def test_sendgrids_signature_covers_body_and_time(world: World, sendgrid: Any) -> None:
    key, headers = sendgrid
    await world.intake("sendgrid", key)
    body = json.dumps([{"event": "spamreport", "perigee": await world.token(ANNA)}]).encode()
    later = {**headers(body), "X-Twilio-Email-Event-Webhook-Timestamp": str(int(time.time()) + 1)}
    for wrong in (headers(body + b" "), later, headers(body, time.time() - 90_000), {}):
        assert await world.post("sendgrid", body, wrong) == 401
    assert await states(world.shop) == {}


# -- Postmark


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"perigee:{password}".encode()).decode()}


@pytest.mark.parametrize(
    ("record", "marks"),
    [
        ({"RecordType": "Bounce", "Type": "HardBounce", "Details": "550 no"}, ["blacklisted"]),
        ({"RecordType": "Bounce", "Type": "SoftBounce", "Details": "smtp;452 4.2.2 full"}, ["blocked"]),
        ({"RecordType": "Bounce", "Type": "Transient", "Details": "later"}, None),
        ({"RecordType": "Bounce", "Type": "AutoResponder", "Details": "away"}, None),
        ({"RecordType": "SpamComplaint", "Type": "SpamComplaint"}, ["spam"]),
        (
            {
                "RecordType": "SubscriptionChange",
                "SuppressSending": True,
                "SuppressionReason": "ManualSuppression",
            },
            ["unsubscribed"],
        ),
        ({"RecordType": "SubscriptionChange", "SuppressSending": False}, None),
        ({"RecordType": "Open"}, None),
    ],
)
async def test_postmark_reports(world: World, record: dict[str, Any], marks: list[str] | None) -> None:
    await world.intake("postmark", PASSWORD)
    body = json.dumps({"ID": 42, "Metadata": {"perigee": await world.token(ANNA)}, **record}).encode()
    assert await world.post("postmark", body, basic("wrong")) == 401
    assert await world.post("postmark", body) == 401
    assert await states(world.shop) == {}
    assert await world.post("postmark", body, basic(PASSWORD)) == 200
    assert await states(world.shop) == ({ANNA: marks} if marks else {})


# -- SES over SNS


class Amazon:
    """SNS as the wire shows it: signs with a key whose certificate stands on its host."""

    def __init__(self, certificate: bytes, private: rsa.RSAPrivateKey) -> None:
        self.certificate = certificate
        self.private = private
        self.asked: list[str] = []

    def answer(self, path: str) -> bytes:
        self.asked.append(path)
        return self.certificate if path.endswith(".pem") else b"ok"

    def envelope(self, kind: str = "Notification", version: str = "2", **more: Any) -> dict[str, Any]:
        told = {
            "Type": kind,
            "MessageId": "m1",
            "TopicArn": TOPIC,
            "Timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "SignatureVersion": version,
            "SigningCertURL": f"https://{HOST}/SimpleNotificationService-1.pem",
            **more,
        }
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        signed = "".join(f"{name}\n{told[name]}\n" for name in names if name in told).encode()
        algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
        signature = self.private.sign(signed, padding.PKCS1v15(), algorithm)
        return {**told, "Signature": base64.b64encode(signature).decode()}


class _AtPort(Names):
    """Every name is this host, at one port."""

    def __init__(self, port: int) -> None:
        super().__init__(**{HOST: [["127.0.0.1"]]})
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        return [{**one, "port": self._port} for one in await super().resolve(host, port, family)]


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Amazon]:
    private = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(private, hashes.SHA256())
    )
    found = Amazon(certificate.public_bytes(Encoding.PEM), private)
    served, trusted = self_signed(tmp_path, HOST)
    ses._certificates.clear()
    with tls_server(found, served) as port:
        rules = Rules.of("127.0.0.0/8", "any")
        monkeypatch.setattr(pages, "outside", lambda _: Outside(rules, resolver=_AtPort(port), ssl=trusted))
        yield found
    ses._certificates.clear()


@contextmanager
def tls_server(amazon: Amazon, context: ssl.SSLContext) -> Iterator[int]:
    """In a thread: the application under test holds up the test's own loop while it answers."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = amazon.answer(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def bounce(token: str, **more: Any) -> str:
    recipient = {"emailAddress": ANNA, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 gone"}
    told = {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [recipient], **more}
    return json.dumps({"eventType": "Bounce", "mail": {"tags": {"perigee": [token]}}, "bounce": told})


@pytest.mark.parametrize("version", ["1", "2"])
async def test_ses_reports_a_dead_address_once(world: World, amazon: Amazon, version: str) -> None:
    await world.intake("ses", TOPIC)
    body = json.dumps(amazon.envelope(version=version, Message=bounce(await world.token(ANNA)))).encode()
    assert [await world.post("ses", body) for _ in range(2)] == [200, 200]
    assert await states(world.shop) == {ANNA: ["blacklisted"]}
    assert await activity(world.shop, "UNDELIVERED") == [(ANNA, "550 5.1.1 gone")]
    assert len(amazon.asked) == 1, "the certificate is kept"


async def test_ses_complaints_delays_and_automatic_answers(world: World, amazon: Amazon) -> None:
    await world.intake("ses", TOPIC)
    anna, bert = await world.token(ANNA), await world.token(BERT)
    away = {"bounceType": "Transient", "bouncedRecipients": [{"emailAddress": ANNA}]}
    named = {"mail": {"commonHeaders": {"messageId": f"<{bert}@shop.example.com>"}}}
    complaint = {"notificationType": "Complaint", **named, "complaint": {"complaintFeedbackType": "abuse"}}
    not_spam = {"notificationType": "Complaint", "mail": {"tags": {"perigee": [anna]}}}
    not_spam["complaint"] = {"complaintFeedbackType": "not-spam"}
    for message in (bounce(anna, **away), json.dumps(complaint), json.dumps(not_spam)):
        assert await world.post("ses", json.dumps(amazon.envelope(Message=message)).encode()) == 200
    assert await states(world.shop) == {BERT: ["spam"]}


async def test_a_subscription_to_our_topic_is_confirmed(world: World, amazon: Amazon) -> None:
    await world.intake("ses", TOPIC)
    link = f"https://{HOST}/?Action=ConfirmSubscription&Token=t"
    confirmation = amazon.envelope("SubscriptionConfirmation", Message="m", Token="t", SubscribeURL=link)
    assert await world.post("ses", json.dumps(confirmation).encode()) == 200
    assert amazon.asked[-1] == "/?Action=ConfirmSubscription&Token=t"


async def test_what_is_not_our_topics_is_refused(world: World, amazon: Amazon) -> None:
    await world.intake("ses", TOPIC)
    message = bounce(await world.token(ANNA))
    good = amazon.envelope(Message=message)
    old = (datetime.now(UTC) - timedelta(hours=25)).isoformat()
    for wrong in (
        {**good, "Message": message.replace("General", "NoEmail")},
        {**good, "Signature": "AAAA"},
        amazon.envelope(Message=message, TopicArn=TOPIC + "2"),
        amazon.envelope(Message=message, Timestamp=old),
        amazon.envelope(Message=message, SigningCertURL="https://evil.example.com/x.pem"),
        amazon.envelope(Message=message, SigningCertURL=f"https://{HOST}.evil.example.com/x.pem"),
        amazon.envelope(Message=message, SigningCertURL=f"https://{HOST}@evil.example.com/x.pem"),
        amazon.envelope(Message=message, SigningCertURL=f"http://{HOST}/x.pem"),
        amazon.envelope(Message=message, SigningCertURL=f"https://{HOST}/x.txt"),
    ):
        assert await world.post("ses", json.dumps(wrong).encode()) == 401
    assert await states(world.shop) == {}


@pytest.mark.parametrize(
    ("service", "key"), [("ses", "arn"), ("sendgrid", "AAAA"), ("mailgun", "short"), ("postmark", "short")]
)
async def test_a_key_that_is_none_of_the_services_is_refused(api: Api, service: str, key: str) -> None:
    answer = await api.post("/api/v4/webhook-intakes", {"service": service, "key": key})
    assert (answer.status_code, answer.json()["field"]) == (400, "key")
