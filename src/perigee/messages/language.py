"""Which language version a person gets: language of the event, then of the contact, then the message's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from perigee.errors import Invalid
from perigee.lib.languages import normal_language


def pick_language(available: Collection[str], wanted: str | Iterable[str | None] | None, default: str) -> str:
    """The version for a person: the first of `wanted` (event, then contact) that there is, else `default`.

    `uk-UA` takes `uk-UA`, then `uk`, then any other `uk-…`. Case and `_` do not matter. When even the default is
    not there, the first available one. Raises Invalid when there is none at all.
    """
    if not available:
        raise Invalid("languages: the message has no version", field="languages")
    if wanted in available and isinstance(wanted, str):
        return wanted
    forms = {_form(language): language for language in sorted(available, reverse=True)}
    bases = {form.partition("-")[0]: language for form, language in sorted(forms.items(), reverse=True)}
    for language in (*([wanted] if wanted is None or isinstance(wanted, str) else wanted), default):
        if language:
            form = _form(language)
            base = form.partition("-")[0]
            if found := forms.get(form) or forms.get(base) or bases.get(base):
                return found
    return min(available)


def _form(language: str) -> str:
    return (normal_language(language) or language).replace("_", "-").lower()
