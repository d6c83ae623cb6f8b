"""Every key of the installation, derived from the one secret in the settings so that none serves two purposes."""

from __future__ import annotations

from dataclasses import dataclass

from perigee.lib.tokens import Signer, derive


@dataclass(frozen=True)
class Keys:
    links: Signer
    """Signs the links in messages."""
    pepper: bytes
    """Keys the fingerprints of API keys and tokens."""
    sealing: bytes
    """Encrypts secrets at rest."""
    message_ids: bytes
    """Makes message ids that cannot be guessed."""
    bounces: bytes
    """Signs the tokens of return paths and Message-IDs (`bounces.verp`)."""
    unsubscribe_mail: bytes
    """Signs the tokens of mailboxes whose mail unsubscribes (`bounces.verp`)."""

    @classmethod
    def of(cls, secret: str) -> Keys:
        return cls(
            links=Signer({1: derive(secret, "links/1")}, current=1),
            pepper=derive(secret, "api-keys"),
            sealing=derive(secret, "sealing"),
            message_ids=derive(secret, "message-ids"),
            bounces=derive(secret, "bounces"),
            unsubscribe_mail=derive(secret, "unsubscribe-mail"),
        )
