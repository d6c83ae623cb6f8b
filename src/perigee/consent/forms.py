"""Small forms as people and mail programs send them, in either encoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from perigee.http import body
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext

MAX_FORM = 65_536


@dataclass(frozen=True, slots=True)
class Form:
    """Texts by field; files are no texts."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def first(self, name: str) -> str:
        """'' when there is none."""
        return next(iter(self.fields.get(name, ())), "")

    def all(self, name: str) -> Sequence[str]:
        return self.fields.get(name, ())


async def read_form(request: AnyRequest, context: AppContext) -> Form:
    """A body that cannot be read is an empty form: it is no reason to refuse an unsubscribe."""
    raw = await body.read(request, limit=MAX_FORM, seconds=context.settings.request_timeout_seconds)
    # Litestar parses from the cached body, whose size is known to be small by now.
    request._body = raw
    try:
        found = await request.form()
        return Form(
            {name: [value for value in found.getall(name) if isinstance(value, str)] for name in found}
        )
    except Exception:
        return Form()
