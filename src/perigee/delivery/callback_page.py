"""`/hooks/provider/{token}`: providers report what became of messages. Answered only after the commit."""

from __future__ import annotations

import asyncio

from litestar import Response, route
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from perigee.delivery import callbacks, events
from perigee.delivery.channel import ProviderRequest
from perigee.delivery.events.report import report_of
from perigee.delivery.providers import Channels, built_in_settings
from perigee.esputnik.envelope import headers_of, status_of
from perigee.http import body as bodies
from perigee.http import failure
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext

MAX_BODY = 1_048_576


def hook(context: AppContext) -> ControllerRouterHandler:
    sealing = context.keys.sealing
    channels = Channels(context.database, sealing, built_in_settings(context.settings))
    commit = context.group_commit(events.apply)

    @route("/hooks/provider/{token:str}", http_method=["GET", "POST"])
    async def handle(request: AnyRequest, token: FromPath[str]) -> Response[str]:
        try:
            org_id, provider_id = callbacks.read_token(sealing, token)
            channel = await channels.get(org_id, provider_id)
            found = channel.read_events(
                ProviderRequest(
                    request.method,
                    request.url.path,
                    dict(request.query_params),
                    {name.lower(): value for name, value in request.headers.items()},
                    await bodies.read(
                        request, limit=MAX_BODY, seconds=context.settings.request_timeout_seconds
                    ),
                )
            )
        except Exception as error:
            return _refused(error)
        reports = [report_of(event, org_id, provider_id, context.keys.message_ids) for event in found]
        try:
            await asyncio.gather(*(commit.submit(org_id, report) for report in reports))
        except Exception as error:
            return _refused(error)
        return Response("ok", status_code=200, media_type="text/plain")

    return handle


def _refused(error: Exception) -> Response[str]:
    """What is not ours to blame on the caller is a 500, and the provider calls again."""
    known = failure.known(error)
    if known is None:
        number = failure.record(error, callbacks.PATH)
        return Response(f"error {number}", status_code=500, media_type="text/plain")
    return Response(
        known.message, status_code=status_of(known), headers=headers_of(known), media_type="text/plain"
    )


PAGES = (hook,)
