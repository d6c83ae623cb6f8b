"""`/hooks/<service>/<token>`: providers of email call here. 401 for a call that does not prove itself, 200 after commit."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from perigee.bounces import intakes
from perigee.bounces.webhooks import SERVICES
from perigee.delivery.channel import ProviderRequest
from perigee.http import body
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext
from perigee.http.v4 import problem
from perigee.lib.outside import Outside, Rules
from perigee.settings import Settings

MOST_BYTES: Final = 2 * 1024 * 1024


def outside(settings: Settings) -> Outside:
    """The client for what a call refers to (certificates of SNS)."""
    return Outside(Rules.of(settings.outside_networks, settings.outside_ports))


def hook(context: AppContext) -> ControllerRouterHandler:
    brakes = context.settings.campaign_brake == "on"

    @post([f"/hooks/{service}/{{token:str}}" for service in SERVICES], status_code=200)
    async def handle(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
        service = request.url.path.split("/")[2]
        try:
            org_id, intake_id = intakes.read_token(context.keys, token)
            raw = await body.read(request, limit=MOST_BYTES, seconds=context.settings.request_timeout_seconds)
            async with context.database.connection() as connection:
                key = await intakes.key_of(connection, context.keys, org_id, intake_id, service)
            call = ProviderRequest("POST", request.url.path, {}, dict(request.headers.items()), raw)
            async with outside(context.settings) as client:
                told = await SERVICES[service].read(call, key, context.now(), client)
            async with context.database.transaction() as connection:
                await intakes.take(connection, context.keys, org_id, intake_id, told, brakes=brakes)
        except Exception as error:
            return problem(error, f"/hooks/{service}/")
        return Response(b"", status_code=200)

    return handle


PAGES = (hook,)
