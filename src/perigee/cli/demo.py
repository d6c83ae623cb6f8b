"""`perigee demo`: the main job on real orders, in a home of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from rich.console import Console

from perigee.demo.purchases import CUSTOMERS
from perigee.settings import default_home


def demo(
    *, once: bool = False, size: int = CUSTOMERS, home: Path | None = None, port: int | None = None
) -> None:
    """Run the main job on real orders and check every figure; then stay up to be looked at.

    69,659 orders of 23,570 customers (the public CDNOW data set) go in through the API, segments are made,
    two email campaigns and an SMS campaign go to the sandbox, some recipients open, click and unsubscribe.
    Everything is in a home folder of its own, which each run makes anew.

    Parameters
    ----------
    once
        End after the main job. Exit code 0 if every figure is right, 1 if not.
    size
        Use only the first customers of the data set, so many.
    home
        The demo's home folder; by default the folder `demo` in PERIGEE_HOME. It is emptied at the start, but only
        if a demo made it.
    port
        Where the web process listens; by default 8025, or any other if that is taken.
    """
    from perigee.demo.run import run

    installation = Path(os.environ.get("PERIGEE_HOME") or default_home()).expanduser()
    folder = (home.expanduser() if home else installation / "demo").absolute()
    sys.exit(asyncio.run(run(Console(), folder, size=size, once=once, port=port)))
