"""With what the services behind an application know its owner: a Firebase service account, an Apple signing key, a bot's
token.

Stored sealed, whole, and never shown again but for what names them.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
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


class Telegram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`bot_token`: as BotFather hands it out."""

    bot_token: Annotated[str, Meta(pattern=r"^[0-9]{3,20}:[A-Za-z0-9_-]{20,100}\Z")]


class Credentials(msgspec.Struct, frozen=True, omit_defaults=True):
    fcm: Fcm | None = None
    apns: Apns | None = None
    telegram: Telegram | None = None


class CredentialsUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """A member that is absent stays as it is; null takes it away."""

    fcm: Fcm | UnsetType | None = UNSET
    apns: Apns | UnsetType | None = UNSET
    telegram: Telegram | UnsetType | None = UNSET


KIND: Final = {"fcm": "mobilepush", "apns": "mobilepush", "telegram": "telegram"}
"""Account → kind of the applications that have one."""


class FcmView(msgspec.Struct):
    project_id: str
    client_email: str


class ApnsView(msgspec.Struct):
    key_id: str
    team_id: str
    topic: str
    environment: str


class TelegramView(msgspec.Struct):
    bot_id: str


class CredentialsView(msgspec.Struct, omit_defaults=True):
    """No secret is shown."""

    app_id: UUID
    fcm: FcmView | None = None
    apns: ApnsView | None = None
    telegram: TelegramView | None = None


async def get(conn: Connection, org_id: int, sealing: bytes, app_id: UUID) -> Credentials:
    """Raises NotFound."""
    row = await store.app_credentials(conn, org_id, app_id)
    if row is None:
        raise NotFound(f"application {app_id} does not exist")
    return opened(sealing, org_id, app_id, row[1])


async def change(
    conn: Connection, org_id: int, sealing: bytes, app_id: UUID, wanted: CredentialsUpdate
) -> Credentials:
    """Raises NotFound; Invalid for keys that are none, and for accounts that an application of this kind cannot have."""
    row = await store.app_credentials(conn, org_id, app_id, lock=True)
    if row is None:
        raise NotFound(f"application {app_id} does not exist")
    given = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not UNSET}
    for name in given:
        if KIND[name] != row[0]:
            raise Invalid(f"{name}: an application of the kind {row[0]} has no such account", field=name)
    made = msgspec.structs.replace(opened(sealing, org_id, app_id, row[1]), **given)
    if made.fcm is not None:
        fcm_key(made.fcm)
    if made.apns is not None:
        apns_key(made.apns)
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


class Opened:
    """Credentials that a process has opened, so that each is opened once."""

    def __init__(self, sealing: bytes) -> None:
        self._sealing = sealing
        self._kept: dict[tuple[int, UUID], tuple[bytes, Credentials]] = {}

    def of(self, org_id: int, app_id: UUID, stored: bytes) -> Credentials:
        """Raises InvalidToken."""
        kept = self._kept.get((org_id, app_id))
        if kept is None or kept[0] != stored:
            kept = self._kept[org_id, app_id] = stored, opened(self._sealing, org_id, app_id, stored)
        return kept[1]


def view(app_id: UUID, found: Credentials) -> CredentialsView:
    shown = CredentialsView(app_id)
    if (fcm := found.fcm) is not None:
        shown.fcm = FcmView(fcm.project_id, fcm.client_email)
    if (apns := found.apns) is not None:
        shown.apns = ApnsView(apns.key_id, apns.team_id, apns.topic, apns.environment)
    if (bot := found.telegram) is not None:
        shown.telegram = TelegramView(bot.bot_token.partition(":")[0])
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
