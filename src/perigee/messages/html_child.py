"""Runs MJML and CSS inlining in a process of its own (reliability 30). Started by `messages.prepare`, by path.

The tools are native code that overflows the stack on input it does not like, so nothing else lives here: no import
of ours, limits on memory, time and files, and no descriptor left with which to open a file or a connection.

Input: `{"mjml": text}` or `{"html": text, "css": text, "style_tags": bool}` as JSON. Output: `{"html": text}` or
`{"error": text}`.
"""

from __future__ import annotations

import json
import resource
import sys

MEMORY = 1 << 30
CPU_SECONDS = 5


def main() -> None:
    request = json.loads(sys.stdin.buffer.read())
    tool = _mjml if "mjml" in request else _inline
    import css_inline  # noqa: F401  # loaded while files may still be opened
    import mjml  # noqa: F401

    _limit()
    try:
        answer = {"html": tool(request)}
    except Exception as error:
        answer = {"error": str(error)[:500]}
    sys.stdout.buffer.write(json.dumps(answer).encode())
    sys.stdout.buffer.flush()


def _limit() -> None:
    for what, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (value, value))


def _mjml(request: dict[str, str]) -> str:
    import mjml

    html: str = mjml.mjml2html(request["mjml"])
    return html


def _inline(request: dict[str, str]) -> str:
    import css_inline

    inliner = css_inline.CSSInliner(
        inline_style_tags=bool(request.get("style_tags")),
        keep_style_tags=True,
        keep_link_tags=True,
        load_remote_stylesheets=False,
        extra_css=request["css"] or None,
    )
    html: str = inliner.inline(request["html"])
    return html


if __name__ == "__main__":
    main()
