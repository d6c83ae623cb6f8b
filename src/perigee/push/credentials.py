"""With what the services behind an application know its owner: a Firebase service account, an Apple signing key.

Stored sealed, whole, and never shown again but for what names them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import UNSET, Meta, UnsetType

from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound
from perigee.lib.tokens import seal, unseal
from perigee.push import store

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Pem = Annotated[str, Meta(min_length=1, max_length=10_000)]


class Fcm(msgspec.Struct, frozen=True):
    """Of the JSON file that Firebase hands out for a service account; its other members are not kept."""

    project_id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.:-]{1,99}\Z")]
    client_email: Name
    private_key: Pem
    private_key_id: Annotated[str, Meta(max_length=200)] = ""


class Apns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`key`: the .p8 file; `topic`: the bundle id of the application."""

    key: Pem
    key_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,20}\Z")]
    team_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,20}\Z")]
    topic: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]{1,155}\Z")]
    environment: Literal["production", "development"] = "production"


class Credentials(msgspec.Struct, frozen=True, omit_defaults=True):
    fcm: Fcm | None = None
    apns: Apns | None = None


class CredentialsUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """A member that is absent stays as it is; null takes it away."""

    fcm: Fcm | UnsetType | None = UNSET
    apns: Apns | UnsetType | None = UNSET


class FcmView(msgspec.Struct):
    project_id: str
    client_email: str


class ApnsView(msgspec.Struct):
    key_id: str
    team_id: str
    topic: str
    environment: str


class CredentialsView(msgspec.Struct, omit_defaults=True):
    """No secret is shown."""

    app_id: UUID
    fcm: FcmView | None = None
    apns: ApnsView | None = None


async def get(conn: Connection, org_id: int, sealing: bytes, app_id: UUID) -> Credentials:
    """Raises NotFound."""
    row = await store.app_credentials(conn, org_id, app_id)
    if row is None:
        raise NotFound(f"application {app_id} does not exist")
    return opened(sealing, org_id, app_id, row[1])


async def change(
    conn: Connection, org_id: int, sealing: bytes, app_id: UUID, wanted: CredentialsUpdate
) -> Credentials:
    """Raises NotFound; Invalid for keys that are none, and for an application that is no mobile one."""
    row = await store.app_credentials(conn, org_id, app_id, lock=True)
    if row is None:
        raise NotFound(f"application {app_id} does not exist")
    if row[0] != "mobilepush":
        raise Invalid.of("app_id", app_id, f"is of the kind {row[0]}, which has no such keys")
    known = opened(sealing, org_id, app_id, row[1])
    fcm = known.fcm if wanted.fcm is UNSET else wanted.fcm
    apns = known.apns if wanted.apns is UNSET else wanted.apns
    if fcm is not None:
        fcm_key(fcm)
    if apns is not None:
        apns_key(apns)
    made = Credentials(fcm, apns)
    stored = (
        None if made == Credentials() else seal(sealing, msgspec.json.encode(made), _context(org_id, app_id))
    )
    await store.set_app_credentials(conn, org_id, app_id, stored)
    return made


def opened(sealing: bytes, org_id: int, app_id: UUID, stored: bytes | None) -> Credentials:
    """Raises InvalidToken: sealed with another secret, or for another application."""
    if stored is None:
        return Credentials()
    return msgspec.json.decode(unseal(sealing, bytes(stored), _context(org_id, app_id)), type=Credentials)


def view(app_id: UUID, found: Credentials) -> CredentialsView:
    shown = CredentialsView(app_id)
    if (fcm := found.fcm) is not None:
        shown.fcm = FcmView(fcm.project_id, fcm.client_email)
    if (apns := found.apns) is not None:
        shown.apns = ApnsView(apns.key_id, apns.team_id, apns.topic, apns.environment)
    return shown


def fcm_key(credentials: Fcm) -> rsa.RSAPrivateKey:
    """Raises Invalid."""
    key = _read("fcm.private_key", credentials.private_key)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Invalid("fcm.private_key: must be an RSA key", field="fcm.private_key")
    return key


def apns_key(credentials: Apns) -> ec.EllipticCurvePrivateKey:
    """Raises Invalid."""
    key = _read("apns.key", credentials.key)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Invalid("apns.key: must be a key on the curve P-256", field="apns.key")
    return key


def _read(field: str, pem: str) -> Any:
    try:
        return load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Invalid(f"{field}: is no private key in PEM form", field=field) from None


def _context(org_id: int, app_id: UUID) -> bytes:
    return b"app %d/%s" % (org_id, app_id.bytes)
