"""The demo as a whole: a home of its own, everything started, the story played, the figures shown."""

from __future__ import annotations

import os
import time
from pathlib import Path

from rich.console import Console

from perigee.allinone import Stopped, running
from perigee.cli.remote import remember
from perigee.client import AsyncClient, ClientError
from perigee.demo.closing import show_addresses, show_figures
from perigee.demo.figures import Figures
from perigee.demo.home import fresh_home, settle
from perigee.demo.purchases import CUSTOMERS, read_purchases
from perigee.demo.show import show_on
from perigee.demo.story import play
from perigee.errors import OperatorError
from perigee.observe import configure_logging

INTERRUPTED = 130


async def run(
    console: Console, home: Path, *, size: int = CUSTOMERS, once: bool = False, port: int | None = None
) -> int:
    """Returns the exit code: 0 when every figure is right, 1 when one is not, 130 when somebody stopped it.

    Raises OperatorError when the demo cannot be started or cannot go on.
    """
    began = time.monotonic()
    read_purchases(size)  # a size that makes no sense is said before anything is deleted
    level = os.environ.get("PERIGEE_LOG_LEVEL") or "warning"
    _leave_installation_alone()
    if fresh_home(home):
        console.print(f"Deleted the demo of before in {home}", style="dim", highlight=False)
    settings = settle(home, port, log_level=level)
    configure_logging(settings)
    console.print(f"Starting PostgreSQL, web and worker in {home} …", highlight=False)
    try:
        async with running(settings) as everything:
            first = everything.first_start
            assert first is not None  # the home is new
            remember(home, everything.url, first.api_key)
            figures = await everything.during(_play(console, everything.url, first.api_key, size))
            show_figures(console, figures)
            _say_verdict(console, figures, time.monotonic() - began)
            if not once:
                show_addresses(console, everything.url, first, home)
                console.print("It stays up until Ctrl-C.", style="dim")
                await everything.wait()
                console.print("stopping …")
            return 0 if figures.ok else 1
    except Stopped:
        return INTERRUPTED


async def _play(console: Console, url: str, key: str, size: int) -> Figures:
    try:
        async with AsyncClient(url, key) as perigee:
            with show_on(console) as show:
                return await play(perigee, show, size=size)
    except ClientError as error:
        raise OperatorError(f"the demo cannot go on: {error}") from error


def _say_verdict(console: Console, figures: Figures, seconds: float) -> None:
    if figures.ok:
        console.print(f"[bold green]Every figure is right.[/] It took {seconds:.0f} s.", highlight=False)
    else:
        names = ", ".join(f"{figure.part}: {figure.name}" for figure in figures.wrong)
        console.print(f"[bold red]Not right:[/] {names}. It took {seconds:.0f} s.", highlight=False)


def _leave_installation_alone() -> None:
    """Settings of the real installation in the environment must not reach the parts that the demo starts."""
    for name in [name for name in os.environ if name.startswith("PERIGEE_")]:
        del os.environ[name]
