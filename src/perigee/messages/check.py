"""Saving a message: its source made ready for sending, and everything checked, before it is stored."""

from __future__ import annotations

import asyncio

import msgspec

from perigee.messages.contents import AnyContent, Email
from perigee.messages.prepare import prepare
from perigee.messages.validate import validate
from perigee.messages.version import ENGINES


async def check_content(content: msgspec.Struct, engine: str) -> msgspec.Struct:
    """The content as it is to be stored: MJML turned into HTML, CSS inlined. Raises Invalid that names the member."""
    if isinstance(content, Email):
        # The tools run in a child process with limits; waiting for it must not stop the event loop.
        content = await asyncio.to_thread(prepare, content, ENGINES.get(engine))
    if isinstance(content, AnyContent):
        validate(content, engine=engine)
    return content
