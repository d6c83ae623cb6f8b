"""UTM tags: how links of messages tell the site where a visitor came from, and who it is (TRACKING 1.3, 9).

`utm_source`, `utm_medium` and `utm_campaign` are settings: a campaign's go before its message's, and those before the
organisation's. `utm_content=Yespo-<contactId>` is what the script in the site's pages reads. A tag that the author wrote
into a link stays as it is.

Tracked links are tagged when they are clicked: messages grow by nothing, and reports count the author's address. Those of
an SMS whose links are not tracked are tagged in its text. Who says `trackUrls: false` in a call gets his links as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, unquote_plus

import msgspec

from perigee.errors import Invalid
from perigee.lib.text import clean

VALUE_LENGTH = 100
"""Characters of a tag, as it is written and as it comes out: statistics cut longer ones."""
VARIABLES = ("channel", "campaign", "campaign_id", "message", "message_id", "tags", "date")
CONTACT = "utm_content"

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_WEB = re.compile(r"https?://", re.IGNORECASE)

Text = Annotated[str, msgspec.Meta(max_length=VALUE_LENGTH)]


class Utm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is null is as the campaign's message has it, then the organisation, then `DEFAULTS`; '' leaves a tag out.

    `enabled` null: every channel but SMS (product 6). Texts may hold `{channel}`, `{campaign}` (its title; the name of
    a message sent without one), `{campaign_id}`, `{message}`, `{message_id}`, `{tags}` and `{date}`.
    """

    enabled: bool | None = None
    source: Text | None = None
    medium: Text | None = None
    campaign: Text | None = None

    def over(self, below: Utm) -> Utm:
        """These settings, and where they say nothing, those below."""
        return Utm(
            self.enabled if self.enabled is not None else below.enabled,
            self.source if self.source is not None else below.source,
            self.medium if self.medium is not None else below.medium,
            self.campaign if self.campaign is not None else below.campaign,
        )


DEFAULTS = Utm(source="perigee", medium="{channel}", campaign="{campaign}")


def of_organisation(settings: Mapping[str, Any]) -> Utm:
    """The organisation's texts. Its switch, `utm`, is asked when a link is clicked, so that it counts at once."""
    return Utm(None, settings.get("utm_source"), settings.get("utm_medium"), settings.get("utm_campaign"))


def check_utm(utm: Utm, field: str = "utm") -> Utm:
    """The settings with clean texts. Raises Invalid for a variable that there is not."""
    return Utm(
        utm.enabled,
        *(
            None if text is None else check_text(f"{field}.{name}", text)
            for name, text in (("source", utm.source), ("medium", utm.medium), ("campaign", utm.campaign))
        ),
    )


def check_text(field: str, text: str) -> str:
    """One tag's text, clean. Raises Invalid."""
    text = clean(text).strip()
    if len(text) > VALUE_LENGTH:
        raise Invalid.of(field, text, f"must have at most {VALUE_LENGTH} characters")
    for name in _VARIABLE.findall(text):
        if name not in VARIABLES:
            raise Invalid.of(field, text, "knows only {" + "}, {".join(VARIABLES) + "}")
    return text


def tags_of(utm: Utm, channel: str, values: Mapping[str, str]) -> str | None:
    """The tags of a send, ready to be appended; None when its links get none. `values`: by name of the variable."""
    enabled = channel != "sms" if utm.enabled is None else utm.enabled
    if not enabled:
        return None
    utm = utm.over(DEFAULTS)
    texts = {"utm_source": utm.source, "utm_medium": utm.medium, "utm_campaign": utm.campaign}
    written = {name: _written(text or "", values) for name, text in texts.items()}
    return "&".join(f"{name}={quote(text, safe='')}" for name, text in written.items() if text)


def _written(text: str, values: Mapping[str, str]) -> str:
    filled = _VARIABLE.sub(lambda match: values.get(match[1], ""), text)
    return filled[:VALUE_LENGTH].strip()


def tagged(url: str, tags: str | None, contact_id: int) -> str:
    """The address with the tags of `tags_of` and the contact's behind its query; every character of it stays.

    As it is: when `tags` is None, for what is no address of the web, and each tag whose name the query has already.
    `contact_id` 0: nobody is named.
    """
    if tags is None or not _WEB.match(url):
        return url
    rest, hash_, fragment = url.partition("#")
    address, _, query = rest.partition("?")
    wanted = tags.split("&") if tags else []
    if contact_id > 0:
        wanted.append(f"{CONTACT}=Yespo-{contact_id}")
    if query:
        there = {unquote_plus(part.partition("=")[0]).lower() for part in query.split("&")}
        wanted = [tag for tag in wanted if tag.partition("=")[0] not in there]
    if not wanted:
        return url
    joint = "&" if query and not query.endswith("&") else ""
    return f"{address}?{query}{joint}{'&'.join(wanted)}{hash_}{fragment}"
