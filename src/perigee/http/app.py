"""Builds the web application: context, routes, error map, edge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, ControllerRouterHandler

from perigee.accounts.authenticate import Authenticator
from perigee.db.pool import Database
from perigee.esputnik import envelope
from perigee.http import routes
from perigee.http.body import AnyRequest
from perigee.http.client_address import behind_proxies
from perigee.http.context import AppContext
from perigee.http.edge import Edge
from perigee.http.operation import Operation
from perigee.http.pages import PAGES
from perigee.http.rates import Rates
from perigee.http.v4 import problem, refusal
from perigee.keys import Keys
from perigee.settings import Settings


def create_app(settings: Settings, database_url: str) -> ASGIApp:
    """The ASGI application of one web process. `settings.secret_key` must be set."""
    context = build_context(settings, database_url)
    app = Litestar(
        route_handlers=[*(_route(op, context) for op in routes.operations()), *_pages(context)],
        exception_handlers={Exception: _refuse},
        lifespan=[_lifespan(context)],
        openapi_config=None,
        logging_config=None,  # it would replace ours, and write lines that are no JSON
        # Bodies are capped by http/body.py, per method.
        request_max_body_size=None,
    )
    edge = Edge(app, origins=frozenset(settings.cors_origins.split()))
    return behind_proxies(edge, settings.trusted_proxies)


def build_context(settings: Settings, database_url: str) -> AppContext:
    keys = Keys.from_settings(settings)
    database = Database(database_url, size=settings.pool_size, name="perigee web")
    authenticator = Authenticator(
        database,
        keys.pepper,
        key_idle_days=settings.api_key_idle_days,
        passwords=settings.login_credentials == "on",
        failures_per_minute=max(1, settings.failed_logins_per_minute // settings.web_processes),
    )
    return AppContext(settings, database, keys, authenticator, Rates(database))


def _lifespan(context: AppContext) -> Any:
    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await context.database.open()
        try:
            yield
        finally:
            await context.close()

    return lifespan


def _route(operation: Operation, context: AppContext) -> ControllerRouterHandler:
    async def handle(request: AnyRequest) -> Response[Any]:
        return await operation.serve(request, context)

    return HTTPRouteHandler(
        operation.face.prefix + operation.path,
        http_method=operation.method,  # type: ignore[arg-type]  # declared as plain text
        status_code=200,
        name=f"{operation.handler.__module__}.{operation.operation_id}",
    )(handle)


def _pages(context: AppContext) -> Sequence[ControllerRouterHandler]:
    return [page(context) for page in PAGES]


def _refuse(request: AnyRequest, error: Exception) -> Response[Any]:
    """What escapes the routes: unknown paths and wrong methods, mostly."""
    path = request.url.path
    ours = path.startswith("/api/v4/")
    if isinstance(error, HTTPException):
        status = error.status_code
        message = {404: f"No such path: {path[:200]}", 405: "This path does not take this method"}.get(
            status, error.detail
        )
        headers = dict(error.headers or {})
        if ours:
            return refusal(status, message, path, headers)
        return envelope.body(status, message, path, headers=headers)
    return problem(error, path) if ours else envelope.render(error, path)
