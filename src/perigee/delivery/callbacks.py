"""Where providers call us with their reports: an address that nobody can guess, one per provider."""

from __future__ import annotations

import hmac

from perigee.errors import NotFound
from perigee.lib.tokens import InvalidToken, Key, Signer

PATH = "/hooks/provider/"
_PURPOSE = "provider"


def address(public_url: str, sealing: bytes, org_id: int, provider_id: int) -> str:
    """`sealing`: `Keys.sealing`; the key of the tokens is made from it."""
    return public_url.rstrip("/") + PATH + _signer(sealing).sign(_PURPOSE, org_id, provider_id)


def read_token(sealing: bytes, token: str) -> tuple[int, int]:
    """(organisation, provider). Raises NotFound."""
    try:
        org_id, provider_id = _signer(sealing).verify(_PURPOSE, token)
    except (InvalidToken, ValueError):
        raise NotFound("no provider of ours") from None
    return org_id, provider_id


def _signer(sealing: bytes) -> Signer:
    key = sealing if isinstance(sealing, Key) else Key({1: sealing}, 1)
    versions = {n: hmac.digest(one, b"provider call-backs", "sha256") for n, one in key.versions.items()}
    return Signer(versions, key.current)
