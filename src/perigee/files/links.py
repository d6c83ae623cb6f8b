"""Links of callers on their way from the call to the job: checked at once, sealed while they wait.

A link may hold a password, or a token that is as good as one, so it stands in the database only sealed, and only until
the job that needs it is done. It is never an argument of a job.
"""

from __future__ import annotations

from perigee.errors import Invalid
from perigee.lib.outside import Outside, Rules
from perigee.lib.tokens import seal, unseal


def clean_link(link: str | int | float | bool | None, rules: Rules) -> str:
    """Raises Invalid of `link`. Where the host's name leads is looked up later, by the job."""
    if link is None or (isinstance(link, str) and not link.strip()):
        raise Invalid("link: is required", field="link")
    return str(Outside(rules).check(link))


def seal_link(sealing: bytes, org_id: int, link: str) -> bytes:
    return seal(sealing, link.encode(), _whose(org_id))


def open_link(sealing: bytes, org_id: int, sealed: bytes) -> str:
    """Raises InvalidToken, also for the link of another organisation."""
    return unseal(sealing, sealed, _whose(org_id)).decode()


def _whose(org_id: int) -> bytes:
    return b"link of %d" % org_id
