"""A campaign goes out, and what arrived in the sandbox is held against what everybody must have got."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from perigee.demo.stage import Stage
from perigee.errors import OperatorError

_GOING = frozenset({"scheduled", "preparing", "running"})
_LOOK_EVERY = 0.2
_LONGEST_STANDSTILL = 60


class Wanted(NamedTuple):
    """`beginnings`: how each recipient's message must begin, by address. `dropped`: how many for which reason."""

    beginnings: Mapping[str, str]
    dropped: Mapping[str, int]


class Sent(NamedTuple):
    campaign_id: int
    messages: dict[str, int]
    """Sandbox id of each recipient's message, by address."""


async def send(stage: Stage, title: str, message_id: int, segment_id: int, wanted: Wanted) -> Sent:
    """Raises OperatorError when the campaign does not run to its end."""
    campaign = await stage.perigee.create_campaign(message_id, [segment_id], title=title)
    audience = await stage.perigee.campaign_audience(campaign.campaign_id)
    stage.figures.check(title, "reachable before the launch", len(wanted.beginnings), audience.reachable)
    await stage.perigee.launch_campaign(campaign.campaign_id)
    with stage.show.step(f"{title}: sent", audience.reachable) as at:
        await _until_finished(stage, campaign.campaign_id, at)
    report = await stage.perigee.campaign_report(campaign.campaign_id)
    stage.figures.check(title, "sent", len(wanted.beginnings), report.sent)
    stage.figures.check(title, "not sent, and why", dict(wanted.dropped), report.dropped)
    stage.figures.check(
        title,
        "everybody accounted for",
        len(wanted.beginnings) + sum(wanted.dropped.values()),
        report.sent + sum(report.dropped.values()),
    )
    launched = await stage.perigee.get_campaign(campaign.campaign_id)
    assert launched.send_id is not None
    return Sent(campaign.campaign_id, await _check_sandbox(stage, title, launched.send_id, wanted))


async def _until_finished(stage: Stage, campaign_id: int, at: Callable[[int], None]) -> None:
    before, moved = None, time.monotonic()
    while True:
        progress = await stage.perigee.campaign_progress(campaign_id)
        at(progress.sent)
        if progress.state == "finished":
            return
        if progress.state not in _GOING:
            raise OperatorError(
                f"campaign {campaign_id} is {progress.state}: {progress.error or 'no reason given'}"
            )
        now = (progress.state, progress.sent, progress.waiting)
        if now != before:
            before, moved = now, time.monotonic()
        elif time.monotonic() - moved > _LONGEST_STANDSTILL:
            raise OperatorError(
                f"campaign {campaign_id} stands still: {progress.state}, {progress.waiting} waiting"
            )
        await asyncio.sleep(_LOOK_EVERY)


async def _check_sandbox(stage: Stage, title: str, send_id: int, wanted: Wanted) -> dict[str, int]:
    with stage.show.step(f"{title}: looked up in the sandbox", len(wanted.beginnings)):
        kept = await stage.perigee.list_sandbox(send_id=send_id)
    copies = Counter(message.address for message in kept)
    own = sum(message.headline.startswith(wanted.beginnings.get(message.address, "\n")) for message in kept)
    once = sum(copies[address] == 1 for address in wanted.beginnings)
    stage.figures.check(title, "messages in the sandbox", len(wanted.beginnings), len(kept))
    stage.figures.check(title, "recipients with exactly one", len(wanted.beginnings), once)
    stage.figures.check(title, "greets the right person", len(wanted.beginnings), own)
    return {message.address: message.sandbox_id for message in kept}
