"""What a gateway is: how a message is written down for it, how its answer and its reports are read. All of it is data."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, Final, Literal

import msgspec

from perigee.delivery.channel import EventType, Outcome, Reason
from perigee.delivery.channels.http_gateway.templates import words
from perigee.lib.urls import parse_http_url

MESSAGE: Final = frozenset(
    {
        "to",
        "plus_to",
        "from",
        "text",
        "reference",
        "callback",
        "image",
        "button",
        "link",
        "sms_from",
        "sms_text",
    }
)
"""Values of every message. `to` is the number in digits, `plus_to` with a plus before; `reference` our fixed id of the
message; `callback` where its reports go; the rest is of Viber and may be empty."""
SECRETS: Final = frozenset({"username", "password", "token"})
_ANSWERED: Final = frozenset({Outcome.SENT, Outcome.FAILED, Outcome.DEFERRED})


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`verdict`: paths to the word that says what became of the message, the first that is there counts. `verdicts`:
    word → `sent`, or an outcome and a reason (`failed no_such_recipient`, `deferred provider_quota`)."""

    id: list[str] = []
    verdict: list[str] = []
    verdicts: dict[str, str] = {}
    text: list[str] = []

    def __post_init__(self) -> None:
        for word, verdict in self.verdicts.items():
            try:
                read_verdict(verdict)
            except ValueError:
                raise ValueError(f"verdict of '{word[:40]}' is not an outcome and a reason") from None


class Reports(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`items`: path to the list of reports; without one the call is one report. `events`: status → an event and, of
    `bounced`, a reason; an unknown status is passed over. `errors`: the gateway's error → reason, which then counts."""

    body: Literal["json", "form", "query"] = "json"
    items: str = ""
    id: str = ""
    reference: str = ""
    status: str = ""
    at: str = ""
    error: str = ""
    text: list[str] = []
    events: dict[str, str] = {}
    errors: dict[str, Reason] = {}
    signature: Literal["", "twilio", "vonage"] = ""

    def __post_init__(self) -> None:
        for status, event in self.events.items():
            try:
                read_event(event)
            except ValueError:
                raise ValueError(f"event of '{status[:40]}' is not an event and a reason") from None


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`once`: the gateway takes a `reference` once only, so a message whose answer was lost may be sent again."""

    url: str
    method: Literal["GET", "POST", "PUT"] = "POST"
    auth: Literal["none", "basic", "bearer"] = "none"
    headers: dict[str, str] = {}
    body: Literal["json", "form", "query"] = "json"
    template: dict[str, Any] = {}
    answer: Answer = msgspec.field(default_factory=Answer)
    reports: Reports | None = None
    once: bool = False

    def __post_init__(self) -> None:
        if self.body != "json" and not all(isinstance(member, str) for member in self.template.values()):
            raise ValueError("the template of a form has texts only")
        if (
            not self.url.startswith("{")
            and parse_http_url(self.url.replace("{", "").replace("}", "")) is None
        ):
            raise ValueError("url must begin with http://, https:// or a value")

    @property
    def needs(self) -> set[str]:
        """Values that the provider's settings must hold."""
        named = {*words(self.url), *words(list(self.headers.values())), *words(self.template)}
        return named - MESSAGE - SECRETS


def read_verdict(text: str) -> tuple[Outcome, Reason | None]:
    """Raises ValueError."""
    word, _, reason = text.partition(" ")
    outcome = Outcome(word)
    if outcome not in _ANSWERED:
        raise ValueError(text)
    return outcome, Reason(reason) if outcome is not Outcome.SENT else None


def read_event(text: str) -> tuple[EventType, Reason | None]:
    """Raises ValueError."""
    word, _, reason = text.partition(" ")
    return EventType(word), Reason(reason) if reason else None


def presets() -> list[str]:
    folder = resources.files(f"{__package__}.presets")
    return sorted(one.name.removesuffix(".json") for one in folder.iterdir() if one.name.endswith(".json"))


@cache
def preset(name: str) -> dict[str, Gateway]:
    """By medium. Raises ValueError for an unknown name."""
    if name not in presets():
        raise ValueError(f"preset must be one of {', '.join(presets())}")
    text = resources.files(f"{__package__}.presets").joinpath(f"{name}.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, Gateway])
