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
from perigee.accounts.guessing import Failures
from perigee.accounts.types import Principal
from perigee.db.pool import Database
from perigee.errors import Unauthorized
from perigee.lib import api_keys
from perigee.lib.tokens import known

CACHE_SECONDS = 5.0
PASSWORD_CACHE_SECONDS = 60.0
CACHE_SIZE = 10_000
FAILURES_PER_MINUTE = 30


class Authenticator:
    """`passwords`: may a login and its password stand where an API key is meant (contract 2.1, old libraries)?"""

    def __init__(
        self,
        database: Database,
        pepper: bytes,
        *,
        key_idle_days: int,
        passwords: bool = False,
        failures_per_minute: int = FAILURES_PER_MINUTE,
    ) -> None:
        self._database = database
        self._pepper = pepper
        self._peppers = known(pepper)
        self._key_idle_days = key_idle_days
        self._passwords = passwords
        self._failures = Failures(failures_per_minute)
        self._cache: dict[bytes, tuple[float, Principal | None]] = {}
        self._logins: dict[bytes, tuple[float, Principal]] = {}
        self._hasher = argon2.PasswordHasher()
        # One hash takes 64 MiB and a fifth of a second: at most two at a time (reliability 35).
        self._hashing = asyncio.Semaphore(2)

    async def authenticate(self, authorization: str | None, address: str = "") -> Principal:
        """The caller named by an Authorization header that came from `address`. Raises Unauthorized, and Limited
        when too many wrong ones came from there."""
        principal = await self._by_key(authorization, address, passwords=self._passwords)
        if principal is None:
            if authorization:
                self._failures.note(address)
            raise Unauthorized(
                "wrong or missing credentials: send the API key as the password of Basic authentication"
            )
        return principal

    async def authenticate_person(self, authorization: str | None, address: str = "") -> Principal:
        """As `authenticate`, but a login (email and password) is good too: for pages that people open."""
        principal = await self._by_key(authorization, address, passwords=True)
        return principal or await self.authenticate(authorization, address)

    async def _by_key(self, authorization: str | None, address: str, *, passwords: bool) -> Principal | None:
        scheme, _, value = (authorization or "").partition(" ")
        match scheme.lower():
            case "basic":
                login, secret = basic_credentials(value)
                principal = await self._by_secret(secret, "key")
                if principal is None and passwords and "@" in login and secret:
                    principal = await self._by_login(login, secret, address)
                return principal
            case "bearer":
                return await self._by_secret(value.strip(), "token")
        return None

    async def _by_login(self, login: str, password: str, address: str) -> Principal | None:
        """By login and password; a good pair is remembered for a minute, as its keyed fingerprint."""
        fingerprint = api_keys.fingerprint(f"{login.strip().casefold()}\n{password}", self._pepper)
        known = self._logins.get(fingerprint)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        self._failures.check(address)  # before the costly hash
        principal = await self._by_password(login, password)
        if principal is not None:
            if len(self._logins) >= CACHE_SIZE:
                self._logins.clear()
            self._logins[fingerprint] = (time.monotonic() + PASSWORD_CACHE_SECONDS, principal)
        return principal

    async def _by_secret(self, secret: str, kind: str) -> Principal | None:
        if not api_keys.looks_valid(secret):
            return None
        for pepper in self._peppers:
            if principal := await self._by_fingerprint(api_keys.fingerprint(secret, pepper), kind):
                return principal
        return None

    async def _by_fingerprint(self, fingerprint: bytes, kind: str) -> Principal | None:
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
