"""The choice of the language version (product 6)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from perigee.errors import Invalid
from perigee.messages.language import pick_language


@pytest.mark.parametrize(
    ("available", "wanted", "expected"),
    [
        (["en", "uk"], "uk", "uk"),
        (["en", "uk"], "uk-UA", "uk"),
        (["en", "uk-UA"], "uk", "uk-UA"),
        (["en", "uk-UA", "uk"], "UK_ua", "uk-UA"),
        (["en", "uk"], "de", "en"),
        (["en", "uk"], None, "en"),
        (["en", "uk", "de"], ("de-AT", "uk"), "de"),
        (["en", "uk"], (None, "uk"), "uk"),
        (["en", "uk"], ("fr", "uk"), "uk"),
        (["en", "uk"], "", "en"),
        (["pl", "uk"], "de", "pl"),
        (["en", "pt-BR", "pt"], "pt-PT", "pt"),
        (["en"], "???", "en"),
    ],
)
def test_event_then_contact_then_default(
    available: list[str], wanted: str | Iterable[str | None] | None, expected: str
) -> None:
    assert pick_language(available, wanted, "en") == expected
    assert pick_language(dict.fromkeys(available), wanted, "en") == expected


def test_a_message_without_versions_is_refused() -> None:
    with pytest.raises(Invalid):
        pick_language([], "en", "en")
