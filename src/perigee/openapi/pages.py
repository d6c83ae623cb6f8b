"""`/api/openapi.json` and the interactive page `/api/docs`: Swagger UI, served from this host alone."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from perigee.errors import NotFound
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext
from perigee.lib import json_edge

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SHELL = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Perigee API</title><link rel="icon" href="/api/docs/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/swagger-ui.css"></head>
<body><div id="page"></div><script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script></body></html>
"""
START = b"""SwaggerUIBundle({
  url: "/api/openapi.json", dom_id: "#page", deepLinking: true, docExpansion: "none", filter: true,
  displayOperationId: true, tryItOutEnabled: true, validatorUrl: null, defaultModelsExpandDepth: -1,
});
"""
MEDIA = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
SAFE = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@cache
def rendered() -> bytes:
    """The document of all methods, as it is sent. Made once per process."""
    from perigee.http.routes import operations
    from perigee.openapi.document import document

    return json_edge.encode(document(operations()))


def openapi_file(_: AppContext) -> ControllerRouterHandler:
    @get("/api/openapi.json", sync_to_thread=True)
    def show() -> Response[Any]:
        return Response(content=rendered(), media_type="application/json")

    return show


def docs_page(_: AppContext) -> ControllerRouterHandler:
    @get("/api/docs", sync_to_thread=False)
    def show() -> Response[Any]:
        return Response(content=SHELL, media_type="text/html", headers=SAFE)

    return show


def docs_part(_: AppContext) -> ControllerRouterHandler:
    @get("/api/docs/{name:str}", sync_to_thread=True)
    def show(request: AnyRequest) -> Response[Any]:
        name: str = request.path_params["name"]
        if name == "start.js":
            return Response(content=START, media_type="text/javascript", headers=SAFE)
        if name not in MEDIA:
            raise NotFound(f"There is no file {name[:80]} of the page")
        return Response(content=_part(name), media_type=MEDIA[name], headers=SAFE)

    return show


@cache
def _part(name: str) -> bytes:
    return (files("perigee.openapi") / "swagger_ui" / name).read_bytes()


PAGES = (openapi_file, docs_page, docs_part)
