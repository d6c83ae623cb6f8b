"""What the demo shows while it works: bars on a terminal, a line per finished step elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Show(Protocol):
    """The part that the story knows."""

    def step(self, what: str, total: int) -> contextlib.AbstractContextManager[Callable[[int], None]]:
        """Work of `total` parts; the function given takes how many are done by now."""
        ...


class Silent:
    """For tests."""

    @contextlib.contextmanager
    def step(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        yield lambda done: None


class Lines:
    """For logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextlib.contextmanager
    def step(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        started = time.monotonic()
        yield lambda done: None
        self._console.print(f"{what}: {total:,} in {time.monotonic() - started:.1f} s", highlight=False)


class Bars:
    """For people."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @contextlib.contextmanager
    def step(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        bar = self._progress.add_task(what, total=total)
        yield lambda done: self._progress.update(bar, completed=done)
        self._progress.update(bar, completed=total)
        self._progress.stop_task(bar)


@contextlib.contextmanager
def show_on(console: Console) -> Iterator[Show]:
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, expand=True) as progress:
        yield Bars(progress)
