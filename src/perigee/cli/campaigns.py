"""`perigee campaigns …`: sending a message to the people of segments."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter
from cyclopts.types import PositiveInt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from perigee.campaigns import types
from perigee.campaigns.plan import Plan
from perigee.campaigns.types import Campaign
from perigee.cli.remote import HERE, Server, connected, console, read_json, show_facts, show_json, show_table
from perigee.client import Client
from perigee.errors import OperatorError
from perigee.reports.campaign.types import Dimension

app = cyclopts.App(name="campaigns", help="Campaigns: make one, see whom it reaches, launch, watch, report.")

Outcome = Literal["sent", "failed", "dropped", "uncertain"]
Engaged = Literal["opened", "clicked", "unsubscribed", "complained"]
Ids = Annotated[list[int], Parameter(negative="", consume_multiple=True)]
_OVER = frozenset({"awaiting_approval", "finished", "stopped", "failed", "cancelled", "held", "draft"})
_LOOK_EVERY = 0.5
_SHOWN_LINKS = 20


@app.command(name="list")
def list_campaigns(*, limit: PositiveInt = 20, server: Server = HERE) -> None:
    """List campaigns, newest first.

    Parameters
    ----------
    limit
        The most to list.
    """
    with connected(server) as client:
        found = client.list_campaigns(limit=limit)
    if server.json:
        show_json(found)
        return
    rows = [
        [one.campaign_id, one.title, one.channel, one.state, one.scheduled_at or one.created_at]
        for one in found
    ]
    show_table(["Id", "Title", "Channel", "State", "Date"], rows, empty="There are no campaigns.")


@app.command
def create(
    message_id: int,
    /,
    *,
    include: Ids,
    exclude: Ids | None = None,
    title: str = "",
    pace: str | None = None,
    plan: str | None = None,
    server: Server = HERE,
) -> None:
    """Make a campaign as a draft.

    Parameters
    ----------
    message_id
        The message to send.
    include
        Ids of the segments to send to.
    exclude
        Ids of the segments whose people get nothing.
    title
        By default the message's name.
    pace
        At most so many per unit: 500/minute, 10000/hour, 50000/day.
    plan
        Hours, local time and the rest as JSON: '{"local_time": "10:00"}'.
    """
    with connected(server) as client:
        made = client.create_campaign(
            message_id,
            include,
            exclude=exclude or [],
            title=title,
            pace=_pace(pace) if pace else None,
            plan=read_json("--plan", plan, Plan) if plan else None,
        )
    _show_campaign(made, server)


@app.command
def audience(campaign_id: int, /, *, server: Server = HERE) -> None:
    """Count whom a launch at this moment would reach, and who would be dropped and why.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    """
    with connected(server) as client:
        counted = client.campaign_audience(campaign_id)
    if server.json:
        show_json(counted)
    else:
        show_facts({"Chosen": counted.chosen, "Reachable": counted.reachable, "Dropped": counted.dropped})


@app.command
def launch(campaign_id: int, /, *, at: str | None = None, server: Server = HERE) -> None:
    """Launch a campaign now, or at a time.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    at
        2026-05-04T10:00, in the organisation's time zone unless it has an offset.
    """
    _act(server, lambda client: client.launch_campaign(campaign_id, at=at))


@app.command
def approve(campaign_id: int, /, *, server: Server = HERE) -> None:
    """Approve a launch that somebody else asked for.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    """
    _act(server, lambda client: client.approve_campaign(campaign_id))


@app.command
def leave_local_time(campaign_id: int, /, *, server: Server = HERE) -> None:
    """Send to everybody at the organisation's hour instead of their own.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    """
    _act(server, lambda client: client.leave_local_time(campaign_id))


@app.command
def send_rest(campaign_id: int, /, *, server: Server = HERE) -> None:
    """Send to those whom a finished or stopped campaign did not reach for certain.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    """
    _act(server, lambda client: client.send_rest(campaign_id))


@app.command
def winner(campaign_id: int, variant: int, /, *, server: Server = HERE) -> None:
    """Choose the winner of an experiment by hand: the rest gets it now.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    variant
        Its number, from 1.
    """
    _act(server, lambda client: client.choose_winner(campaign_id, variant))


@app.command
def pause(campaign_id: int, /, *, server: Server = HERE) -> None:
    """Pause a campaign: nothing new begins until it is resumed.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    """
    _act(server, lambda client: client.pause_campaign(campaign_id))


@app.command
def resume(campaign_id: int, /, *, server: Server = HERE) -> None:
    """Go on with a paused campaign.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    """
    _act(server, lambda client: client.resume_campaign(campaign_id))


@app.command
def stop(campaign_id: int, /, *, server: Server = HERE) -> None:
    """Stop a campaign for good; who was waiting is recorded as not sent.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    """
    _act(server, lambda client: client.stop_campaign(campaign_id))


@app.command
def progress(
    campaign_id: int, /, *, watch: Annotated[bool, Parameter(negative="")] = False, server: Server = HERE
) -> None:
    """Show how far a campaign is.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    watch
        Show a bar until the campaign is over.
    """
    with connected(server) as client:
        state = _watch(client, campaign_id) if watch else client.campaign_progress(campaign_id)
    if server.json:
        show_json(state)
        return
    show_facts(
        {
            "State": state.state,
            "Chosen": state.chosen,
            "Sent": state.sent,
            "Dropped": state.dropped,
            "Failed": state.failed,
            "Uncertain": state.uncertain,
            "Waiting": state.waiting,
            "Per second": round(state.rate),
            "Started": state.started_at,
            "Finished": state.finished_at,
            "Error": state.error,
        }
    )


@app.command
def report(campaign_id: int, /, *, server: Server = HERE) -> None:
    """Show what became of a campaign: the numbers are people, and add up to those chosen.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    """
    with connected(server) as client:
        found = client.campaign_report(campaign_id)
    if server.json:
        show_json(found)
        return
    show_facts(
        {
            "Campaign": f"{found.campaign_id} {found.title}",
            "State": found.state,
            "Chosen": found.chosen,
            "Sent": found.sent,
            "Came back": found.bounced,
            "Dropped": found.dropped,
            "Failed": found.failed,
            "Uncertain": found.uncertain,
            "Waiting": found.waiting,
            "Opened": found.opened,
            "Clicked": found.clicked,
            "Unsubscribed": found.unsubscribed,
            "Complained": found.complained,
            "Opened by machines": found.machine_opened,
            "Clicked by machines": found.machine_clicked,
        }
    )
    if found.links:
        console.print()
        rows = [[link.url, link.clicks, link.people] for link in found.links[:_SHOWN_LINKS]]
        show_table(["Link", "Clicks", "People"], rows, empty="")
        if len(found.links) > _SHOWN_LINKS:
            console.print(f"… and {len(found.links) - _SHOWN_LINKS} more; --json lists all", style="dim")


@app.command
def recipients(
    campaign_id: int, /, *, outcome: Outcome | None = None, limit: PositiveInt = 100, server: Server = HERE
) -> None:
    """List everybody and what became of them.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    outcome
        Only those with this outcome.
    limit
        The most to list.
    """
    with connected(server) as client:
        found = client.campaign_recipients(campaign_id, outcome=outcome, limit=limit)
    if server.json:
        show_json(found)
        return
    rows = [[one.contact_id, one.address, one.outcome, one.reason, one.at] for one in found]
    show_table(["Contact", "Address", "Outcome", "Reason", "At"], rows, empty="Nobody.")


@app.command
def export(
    campaign_id: int,
    file: Path,
    /,
    *,
    outcome: Outcome | None = None,
    engaged: Engaged | None = None,
    server: Server = HERE,
) -> None:
    """Write everybody and what became of them into a CSV file.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    file
        Where to write it; a file that is there is not replaced.
    outcome
        Only those with this outcome.
    engaged
        Only those who did this.
    """
    with connected(server) as client:
        found = client.campaign_recipients_csv(campaign_id, outcome=outcome, engaged=engaged)
    try:
        with file.open("xb") as written:
            written.write(found)
    except OSError as error:
        raise OperatorError(f"{file} cannot be written: {error.strerror}") from None
    lines = found.count(b"\n") - 1
    console.print(f"{lines} lines in {file}")


@app.command
def breakdown(campaign_id: int, by: Dimension, /, *, server: Server = HERE) -> None:
    """Show a campaign's figures by one thing.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    by
        What to group by; hour and day count from the start.
    """
    with connected(server) as client:
        found = client.campaign_breakdown(campaign_id, by)
    if server.json:
        show_json(found)
        return
    rows = [
        [one.value or "unknown", one.about, one.sent, one.opened, one.clicked, one.opens, one.clicks]
        for one in found
    ]
    show_table(
        [by.capitalize(), "", "Sent", "Opened", "Clicked", "Opens", "Clicks"], rows, empty="Nothing yet."
    )


@app.command
def revenue(campaign_id: int, /, *, server: Server = HERE) -> None:
    """Show the money a campaign brought: delivered orders whose last touch it was.

    Parameters
    ----------
    campaign_id
        The campaign's id.
    """
    with connected(server) as client:
        found = client.campaign_revenue(campaign_id)
    if server.json:
        show_json(found)
        return
    console.print(
        f"{found.purchases} purchases by {found.buyers} people: {found.revenue:,.2f} {found.currency}, "
        f"{found.average:,.2f} each"
    )


def _act(server: Server, action: Callable[[Client], Campaign]) -> None:
    with connected(server) as client:
        done = action(client)
    _show_campaign(done, server)


def _show_campaign(campaign: Campaign, server: Server) -> None:
    if server.json:
        show_json(campaign)
    else:
        console.print(f"campaign {campaign.campaign_id} is {campaign.state}")


def _watch(client: Client, campaign_id: int) -> types.Progress:
    columns: list[Any] = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f}/s"),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task("", total=None, rate=0.0)
        while True:
            state = client.campaign_progress(campaign_id)
            done = state.chosen - state.waiting
            bars.update(
                bar, description=state.state, total=state.chosen or None, completed=done, rate=state.rate
            )
            if state.state in _OVER:
                return state
            time.sleep(_LOOK_EVERY)


def _pace(text: str) -> types.Pace:
    count, _, unit = text.partition("/")
    name = unit.strip().upper()
    if not count.strip().isdecimal() or name not in ("MINUTE", "HOUR", "DAY", "MONTH"):
        raise OperatorError(f"--pace '{text}' must read like 500/minute, 10000/hour or 50000/day")
    return types.Pace(int(count), name)  # type: ignore[arg-type]  # one of the four
