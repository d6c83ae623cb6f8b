"""Pages for people of the organisation: the browser asks for the owner's login or an API key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response

from perigee.accounts.types import Principal
from perigee.errors import Forbidden, PerigeeError, Unauthorized
from perigee.esputnik.envelope import headers_of, status_of
from perigee.http import failure
from perigee.http.body import AnyRequest
from perigee.http.client_address import client_address
from perigee.http.context import AppContext
from perigee.http.html import page, text


async def for_people(
    context: AppContext, request: AnyRequest, show: Callable[[Principal], Awaitable[Response[Any]]]
) -> Response[Any]:
    """Full access only; every refusal is a page."""
    try:
        caller = await context.authenticator.authenticate_person(
            request.headers.get("authorization"), client_address(request)
        )
        if caller.access != "full":
            raise Forbidden("this key does not have full access")
        return await show(caller)
    except Exception as error:
        return refusal(error, request.url.path)


def refusal(error: Exception, path: str) -> Response[Any]:
    """The page for an error."""
    known: PerigeeError | None = failure.known(error)
    if known is None:
        failure_id = failure.record(error, path)
        return page(
            "Error",
            f'<div class="narrow"><h1>Something went wrong</h1><p>Its id in the log is {failure_id}.</p></div>',
            status=500,
        )
    message = known.message
    if isinstance(known, Unauthorized):
        message = "Sign in with the owner's login and password, or with any name and an API key."
    return page(
        "Error",
        f'<div class="narrow"><p>{text(message)}</p></div>',
        status=status_of(known),
        headers=headers_of(known),
    )
