"""Every key of the installation, derived from the one secret in the settings so that none serves two purposes.

After a change of the secret everything new is made with the new one. What earlier secrets made is still read: links, return
paths, message ids, API keys, sealed passwords.
"""

from __future__ import annotations

from dataclasses import dataclass

from perigee.lib.tokens import Key, Signer, derive
from perigee.settings import Settings, read_old_secrets


@dataclass(frozen=True)
class Keys:
    links: Signer
    """Signs the links in messages."""
    pepper: Key
    """Keys the fingerprints of API keys and tokens."""
    sealing: Key
    """Encrypts secrets at rest."""
    message_ids: Key
    """Makes message ids that cannot be guessed."""
    bounces: Key
    """Signs the tokens of return paths and Message-IDs (`bounces.verp`)."""
    unsubscribe_mail: Key
    """Signs the tokens of mailboxes whose mail unsubscribes (`bounces.verp`)."""

    @classmethod
    def of(cls, secret: str, earlier: str = "") -> Keys:
        """`earlier`: the setting `old_secret_keys`. The current secret has the number after the last of them."""
        secrets = dict(enumerate([*read_old_secrets(earlier), secret], 1))
        current = len(secrets)

        def key(label: str) -> Key:
            versions = {n: derive(one, label) for n, one in secrets.items() if one is not None}
            return Key(versions, current)

        return cls(
            links=Signer(key("links/1").versions, current),
            pepper=key("api-keys"),
            sealing=key("sealing"),
            message_ids=key("message-ids"),
            bounces=key("bounces"),
            unsubscribe_mail=key("unsubscribe-mail"),
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> Keys:
        """`settings.secret_key` must be set."""
        assert settings.secret_key is not None
        return cls.of(settings.secret_key, settings.old_secret_keys)
