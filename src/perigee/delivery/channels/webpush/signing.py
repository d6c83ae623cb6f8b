"""Who sends a push: a JWT for one push service, signed with the site's key (RFC 8292)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from perigee.lib.jwt import es256

LIFE: Final = 12 * 3600
"""Seconds; services refuse more than 24 hours, and clocks differ."""
RENEW: Final = LIFE // 2
KEEP: Final = 256
"""Push services whose tokens are kept: there are some dozens of them."""


class Signer:
    """Of one site. A token serves every message to its service until half of its life is over."""

    def __init__(
        self, private: bytes, public: str, subject: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        """`private`: the scalar; `public`: base64url of the point; `subject`: `mailto:` or `https:`, where the
        service's people reach those who send."""
        self._key = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())
        self._public = public
        self._subject = subject
        self._clock = clock
        self._made: dict[str, tuple[float, str]] = {}

    def authorization(self, origin: str) -> str:
        """Value of the header of that name. `origin`: scheme and host of the endpoint, the port if it is unusual."""
        now = self._clock()
        made = self._made.get(origin)
        if made is not None and 0 <= now - made[0] < RENEW:  # a clock set back makes a new one, too
            return made[1]
        if len(self._made) >= KEEP:
            self._made.clear()
        value = f"vapid t={self._token(origin, int(now) + LIFE)}, k={self._public}"
        self._made[origin] = (now, value)
        return value

    def _token(self, origin: str, expires: int) -> str:
        return es256(self._key, {"aud": origin, "exp": expires, "sub": self._subject}, typ="JWT")
