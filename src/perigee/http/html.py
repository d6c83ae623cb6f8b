"""Small server-made pages: escaped by default, no scripts, strict content policy (reliability 32)."""

from __future__ import annotations

from html import escape
from typing import Any

from litestar import Response

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #3557d6; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .45rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:hover { background: var(--soft); }
a { color: var(--accent); } nav a { margin-right: 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--soft); padding: 1rem; border-radius: .5rem; }
iframe { width: 100%; height: 40rem; border: 1px solid var(--line); border-radius: .5rem; background: #fff; }
button { font: inherit; padding: .6rem 1.2rem; border: 0; border-radius: .5rem; background: var(--accent); color: #fff; cursor: pointer; }
button.plain { background: transparent; color: inherit; border: 1px solid var(--line); }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 1rem; }
legend { font-weight: 600; padding: 0 .4rem; }
textarea { width: 100%; }
input, select, textarea { font: inherit; padding: .35rem .5rem; border: 1px solid var(--line); border-radius: .4rem; background: transparent; color: inherit; }
.bubble { display: inline-block; max-width: 32rem; background: var(--soft); padding: .7rem 1rem; border-radius: 1rem; white-space: pre-wrap; }
.muted { opacity: .7; } .narrow { max-width: 32rem; margin: 12vh auto 0; }
"""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"


def text(value: object) -> str:
    """A value as HTML text or attribute value."""
    return escape("" if value is None else str(value), quote=True)


def page(
    title: str,
    body: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    language: str = "en",
) -> Response[Any]:
    """`body` is HTML whose values went through `text`."""
    document = (
        f'<!doctype html><html lang="{text(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="referrer" content="no-referrer"><title>{text(title)}</title><style>{STYLE}</style></head>'
        f"<body>{body}</body></html>"
    )
    return Response(
        content=document.encode(),
        status_code=status,
        media_type="text/html",
        headers={
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            **(headers or {}),
        },
    )


def foreign_page(content: str) -> Response[Any]:
    """HTML of a message as its author wrote it: in an origin of its own, without scripts (reliability 32)."""
    return Response(
        content=content.encode(),
        media_type="text/html",
        headers={
            "Content-Security-Policy": "sandbox allow-popups allow-top-navigation-by-user-activation; "
            "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; frame-ancestors 'self'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )
