"""What is kept of the moment somebody gave or took back their word (GDPR 7(1), protocols 2.13).

`consent_log.detail` holds: `text` the words shown beside the button, `ip`, `ua` the browser's name of itself, and
`comment` what the person wrote. Erased with the person, as the rest of the line.
"""

from __future__ import annotations

from dataclasses import dataclass

from perigee.http.body import AnyRequest
from perigee.http.client_address import client_address
from perigee.lib.text import clean

USER_AGENT_LENGTH = 300
COMMENT_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class Proof:
    text: str = ""
    ip: str = ""
    user_agent: str = ""
    comment: str = ""

    def detail(self) -> dict[str, str]:
        """As `consent_log.detail` holds it; empty members are left out."""
        members = {"text": self.text, "ip": self.ip, "ua": self.user_agent, "comment": self.comment}
        return {name: value for name, value in members.items() if value}


def proof_of(request: AnyRequest, text: str = "", comment: str = "") -> Proof:
    return Proof(
        text,
        client_address(request),
        clean(request.headers.get("user-agent", "")[:USER_AGENT_LENGTH]),
        clean(comment[:COMMENT_LENGTH]).strip(),
    )
