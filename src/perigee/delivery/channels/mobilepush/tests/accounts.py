"""Accounts at both services, as their owner gets them."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

FIREBASE = rsa.generate_private_key(65537, 2048)
APPLE = ec.generate_private_key(ec.SECP256R1())


def pem(key: Any) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


FCM_KEYS = {
    "type": "service_account",
    "project_id": "shop-1",
    "private_key_id": "k1",
    "private_key": pem(FIREBASE),
    "client_email": "push@shop-1.example.com",
}
APNS_KEYS = {"key": pem(APPLE), "key_id": "ABC123", "team_id": "TEAM99", "topic": "com.example.shop"}
LOGIN = "/token"
FCM_PATH = "/v1/projects/shop-1/messages:send"
