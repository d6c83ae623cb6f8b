"""`/scripts/app-inbox.js`: the bell and the list that a shop puts into its pages (product 11).

One file for every site. It knows no organisation and no key: whose inbox it shows says the token that the shop's
server got (contract 22.7) and the page hands over.
"""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from perigee.http.body import AnyRequest
from perigee.http.context import AppContext
from perigee.site import javascript


def widget_script(context: AppContext) -> ControllerRouterHandler:
    @get("/scripts/app-inbox.js")
    async def handle(request: AnyRequest) -> Response[Any]:
        source = javascript.asset("perigee.appinbox", "inbox.js")
        return javascript.answer(
            request, javascript.with_settings(source, {"base": context.settings.public_url})
        )

    return handle
