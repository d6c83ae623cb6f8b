"""From credentials to the caller: API keys over Basic, tokens over Bearer, a login with its password.

API keys and tokens are looked up by their keyed fingerprint through a unique index. What was found is remembered
for a few seconds per process, so a switched-off key works at most `CACHE_SECONDS` longer.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time

import argon2

from perigee.accounts import store
from perigee.accounts.types import Principal
from perigee.db.pool import Database
from perigee.errors import Unauthorized
from perigee.lib import api_keys

CACHE_SECONDS = 5.0
CACHE_SIZE = 10_000


class Authenticator:
    def __init__(self, database: Database, pepper: bytes, *, key_idle_days: int) -> None:
        self._database = database
        self._pepper = pepper
        self._key_idle_days = key_idle_days
        self._cache: dict[bytes, tuple[float, Principal | None]] = {}
        self._hasher = argon2.PasswordHasher()
        # One hash takes 64 MiB and a fifth of a second: at most two at a time (reliability 35).
        self._hashing = asyncio.Semaphore(2)

    async def authenticate(self, authorization: str | None) -> Principal:
        """The caller named by an Authorization header. Raises Unauthorized."""
        scheme, _, value = (authorization or "").partition(" ")
        match scheme.lower():
            case "basic":
                _, secret = basic_credentials(value)
                principal = await self._by_secret(secret, "key")
            case "bearer":
                principal = await self._by_secret(value.strip(), "token")
            case _:
                principal = None
        if principal is None:
            raise Unauthorized(
                "wrong or missing credentials: send the API key as the password of Basic authentication"
            )
        return principal

    async def authenticate_person(self, authorization: str | None) -> Principal:
        """As `authenticate`, but a login (email and password) is good too: for pages that people open."""
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() == "basic":
            login, secret = basic_credentials(value)
            if "@" in login and (found := await self._by_password(login, secret)):
                return found
        return await self.authenticate(authorization)

    async def _by_secret(self, secret: str, kind: str) -> Principal | None:
        if not secret or len(secret) > 512:
            return None
        fingerprint = api_keys.fingerprint(secret, self._pepper)
        now = time.monotonic()
        cached = self._cache.get(fingerprint)
        if cached is not None and cached[0] > now:
            return (
                cached[1]
                if cached[1] is None or (cached[1].access == "event_token") == (kind == "token")
                else None
            )
        principal = await self._look_up(fingerprint, kind)
        if principal is not None:
            if len(self._cache) >= CACHE_SIZE:
                self._cache.clear()
            self._cache[fingerprint] = (now + CACHE_SECONDS, principal)
        return principal

    async def _look_up(self, fingerprint: bytes, kind: str) -> Principal | None:
        async with self._database.transaction() as connection:
            if kind == "token":
                return await store.principal_by_token(connection, fingerprint)
            return await store.principal_by_key(connection, fingerprint, idle_days=self._key_idle_days)

    async def _by_password(self, login: str, password: str) -> Principal | None:
        async with self._database.connection() as connection:
            found = await store.principal_by_login(connection, login.strip().casefold())
        async with self._hashing:
            # An unknown login costs the same time as a wrong password.
            hashed = found[1] if found else _UNKNOWN
            ok = await asyncio.to_thread(self._verify, hashed, password)
        return found[0] if found and ok else None

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except argon2.exceptions.VerificationError:
            return False


_UNKNOWN = argon2.PasswordHasher().hash("nobody's password")


def basic_credentials(value: str) -> tuple[str, str]:
    """User name and password; empty ones when the header is malformed. Any user name is allowed (contract 2.1)."""
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    user, _, password = decoded.partition(":")
    return user, password
