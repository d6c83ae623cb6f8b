"""The owner's own VAPID pair in place of ours (TRACKING 4.2): browsers that took push before Perigee stay subscribed."""

from __future__ import annotations

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from psycopg.errors import UniqueViolation

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Conflict, Invalid, NotFound
from perigee.lib.tokens import InvalidToken, decode
from perigee.push.vapid import point, sealed

q = load(__package__)


class WebPushSite(msgspec.Struct):
    """A web-push domain and its key. `app_id` stands in `webPushSubscription.appId` of its browsers."""

    app_id: int
    domain: str
    public_key: str | None
    """base64url; absent until the scripts were asked for or a pair was set."""
    subscriptions: int


class VapidKeys(msgspec.Struct, forbid_unknown_fields=True):
    """A pair on P-256 in base64url: the uncompressed point and the scalar, as `web-push generate-vapid-keys` prints
    them."""

    public_key: str
    private_key: str


def read(keys: VapidKeys) -> tuple[str, bytes]:
    """The public key as browsers take it, and the scalar. Raises Invalid: not on the curve, not one pair. Pure."""
    public = point(keys.public_key)
    if public is None:
        raise Invalid.of("public_key", keys.public_key, "is not a public key on P-256 in base64url")
    try:
        private = decode(keys.private_key.rstrip("="))
        pair = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())
    except (InvalidToken, ValueError):
        private = b""
    if len(private) != 32:
        raise Invalid("private_key: is not the 32 bytes of a private key in base64url", field="private_key")
    if pair.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) != public:
        raise Invalid("private_key: does not belong to public_key", field="private_key")
    return keys.public_key.rstrip("="), private


async def list_sites(conn: Connection, org_id: int, app_id: int | None = None) -> list[WebPushSite]:
    cursor = await conn.execute(q.webpush_sites, {"org_id": org_id, "app_id": app_id})
    return [WebPushSite(*row) for row in await cursor.fetchall()]


async def replace(conn: Connection, org_id: int, app_id: int, keys: VapidKeys, sealing: bytes) -> None:
    """Raises NotFound; Conflict where browsers are subscribed under the present pair, or the pair is in use."""
    public, private = read(keys)
    found = await list_sites(conn, org_id, app_id)
    if not found:
        raise NotFound(f"web-push domain {app_id} is not found")
    (site,) = found
    if site.public_key == public:
        return
    if site.subscriptions:
        raise Conflict(f"{site.subscriptions} browsers are subscribed under the present key pair")
    values = {
        "org_id": org_id,
        "app_id": app_id,
        "public": public,
        "private": sealed(sealing, org_id, app_id, private),
    }
    try:
        async with conn.transaction():
            await conn.execute(q.replace_vapid_keys, values)
    except UniqueViolation:
        raise Conflict("public_key: is the key of another domain") from None
