"""A push service on this host with the browsers behind it: they alone hold the keys that open a message."""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from perigee.testing.outside import web_server

P256 = ec.SECP256R1()


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Browser:
    """Of one subscription."""

    def __init__(self, private: ec.EllipticCurvePrivateKey | None = None, auth: bytes | None = None) -> None:
        self.private = private or ec.generate_private_key(P256)
        self.p256dh = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.auth = auth or secrets.token_bytes(16)

    def open(self, body: bytes) -> bytes:
        """The plain text of a single record; anything wrong raises (RFC 8188 2, RFC 8291 3.4)."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, cipher = body[21 : 21 + length], body[21 + length :]
        assert length == 65
        assert len(body) <= 4096
        assert len(cipher) <= size
        shared = self.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(P256, sender))
        secret = HKDF(SHA256(), 32, self.auth, b"WebPush: info\0" + self.p256dh + sender).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        text = AESGCM(key).decrypt(nonce, cipher, None).rstrip(b"\0")
        assert text[-1:] == b"\x02", "the last record ends with 2"
        return text[:-1]


def claims(authorization: str, public: str) -> dict[str, Any]:
    """Of a VAPID header, once its signature by this key is proven (RFC 8292 2 and 3)."""
    scheme, _, rest = authorization.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert scheme == "vapid"
    assert hmac.compare_digest(parts["k"], public)
    signed, _, signature = parts["t"].rpartition(".")
    header, claimed = (json.loads(raw(part)) for part in signed.split("."))
    assert header == {"typ": "JWT", "alg": "ES256"}
    numbers = raw(signature)
    assert len(numbers) == 64
    der = encode_dss_signature(int.from_bytes(numbers[:32], "big"), int.from_bytes(numbers[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(P256, raw(public))
    key.verify(der, signed.encode(), ec.ECDSA(SHA256()))
    return dict(claimed)


@dataclass
class Arrived:
    path: str
    headers: dict[str, str]
    body: bytes
    peer: Any


Answer = Callable[[], web.StreamResponse]


@dataclass
class PushService:
    """Takes everything; `answers`, by path, are given first. An answer that raises breaks the connection off."""

    port: int = 0
    arrived: list[Arrived] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    at_once: int = 0
    most_at_once: int = 0
    hold: Callable[[], Any] | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str, status: int, text: str = "", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault(path, []).append(
            lambda: web.Response(status=status, text=text, headers=named)
        )

    def break_off(self, path: str, times: int = 1) -> None:
        self.answers.setdefault(path, []).extend([_broken] * times)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        peer = request.transport.get_extra_info("peername") if request.transport else None
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.arrived.append(Arrived(request.path, headers, await request.read(), peer))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.hold is not None:
                await self.hold()
        finally:
            self.at_once -= 1
        waiting = self.answers.get(request.path)
        if not waiting:
            return web.Response(status=201)
        answer = waiting.pop(0)
        if answer is _broken:
            assert request.transport is not None
            request.transport.close()
        return answer()


def _broken() -> web.StreamResponse:
    return web.Response(status=201)


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    service = PushService()
    async with web_server(service.handle) as port:
        service.port = port
        yield service
