"""What every step of the story works with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from perigee.client import AsyncClient
from perigee.demo.figures import Figures
from perigee.demo.show import Show

T = TypeVar("T")


class Stage(NamedTuple):
    perigee: AsyncClient
    show: Show
    figures: Figures


def parts_of(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]


async def each(things: Iterable[T], work: Callable[[T], Awaitable[None]], *, at_once: int) -> None:
    """Does the work for each thing, so many at the same time; the first failure ends the rest and is raised."""
    waiting = iter(things)

    async def worker() -> None:
        for thing in waiting:
            await work(thing)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(worker())
    except* Exception as errors:
        raise errors.exceptions[0] from None
