"""`perigee up`: everything on this machine."""

from __future__ import annotations

import asyncio

from rich.console import Console

from perigee.allinone import Running, Stopped, running
from perigee.cli.first_start import show_first_start
from perigee.cli.remote import remember
from perigee.cli.start import start


def up() -> None:
    """Start everything on this machine: database, web, workers.

    The database is the embedded one unless PERIGEE_DATABASE_URL names another. The first start creates an
    organisation, an owner's login and an API key, and shows them once; the key is also noted in <home>/cli.toml
    for the commands of this machine. Ctrl-C stops everything cleanly, a second Ctrl-C at once.
    """
    asyncio.run(_up())


async def _up() -> None:
    console = Console()
    try:
        async with running(start()) as everything:
            first = everything.first_start
            if first:
                show_first_start(console, first)
            remember(everything.settings.home, everything.url, first.api_key if first else None)
            _say_ready(console, everything)
            await everything.wait()
            console.print("stopping …")
    except Stopped:
        pass
    console.print("stopped")


def _say_ready(console: Console, everything: Running) -> None:
    public = everything.settings.public_url
    console.print(f"Perigee is ready at [bold]{everything.url}[/]", highlight=False)
    if public != everything.url:
        console.print(f"people and clients reach it at {public}", highlight=False)
    console.print("Ctrl-C stops it", style="dim")
