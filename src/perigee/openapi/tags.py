"""Under which heading a method is shown: the contract's section, or the resource of our own API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perigee.http.operation import Operation

SECTIONS = {
    "8": "Account",
    "9": "Contacts, one at a time",
    "10": "Contacts, in bulk",
    "11": "Contact look-ups",
    "12": "Unsubscribed list",
    "13": "Segments",
    "14": "Subscription categories",
    "15": "Additional fields",
    "16": "Events",
    "17": "Orders",
    "18": "Message templates",
    "19": "Sending",
    "20": "Broadcasts, senders, workflows",
    "21": "Promo codes and preprocessor",
    "22": "Push, Telegram and App Inbox",
    "23": "Site, web push, product feed",
}


def tag_of(operation: Operation) -> str:
    if operation.face.prefix == "/api/v4":
        return "v4 " + operation.path.split("/")[1]
    return SECTIONS.get(operation.section.split(".")[0], "Other")


def describe(operations: Sequence[Operation]) -> list[dict[str, Any]]:
    """The tags in the order of the contract, ours behind them."""
    used = {tag_of(operation) for operation in operations}
    ordered = [name for name in (*SECTIONS.values(), "Other") if name in used]
    numbers = {name: number for number, name in SECTIONS.items()}
    return [
        {"name": name, "description": f"Contract section {numbers[name]}."}
        if name in numbers
        else {"name": name}
        for name in (*ordered, *sorted(used - set(ordered)))
    ]
