"""The main job from beginning to end, through the public API only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from perigee.client import AsyncClient
from perigee.delivery.machines import EARLY
from perigee.demo import loading, messages
from perigee.demo.expected import Expected, expect
from perigee.demo.figures import Figures
from perigee.demo.people import Person, make_people
from perigee.demo.purchases import CUSTOMERS, read_purchases
from perigee.demo.reactions import Recipients, find
from perigee.demo.sending import Sent, Wanted, send
from perigee.demo.show import Show
from perigee.demo.stage import Stage, each

FIRST, SECOND, SMS = "First campaign", "Second campaign", "SMS campaign"
AFTERWARDS = f"{FIRST}, afterwards"
_SHOP = "https://shop.example.com/summer?customer="


async def play(perigee: AsyncClient, show: Show, *, size: int = CUSTOMERS) -> Figures:
    """Does everything on an organisation without people. Raises OperatorError where it cannot go on; figures that
    are off do not stop it."""
    purchases, people = read_purchases(size), make_people(size)
    expected = expect(people, purchases)
    stage = Stage(perigee, show, Figures())
    await loading.import_people(stage, people)
    await loading.import_orders(stage, purchases)
    segments = await loading.make_segments(stage, expected)
    await loading.check_loading(stage, expected, segments)
    await perigee.unsubscribe_emails([_email(person) for person in expected.refused_before])

    newsletter = await messages.create_newsletter(perigee)
    wanted = Wanted(
        _begin(expected.reached, messages.newsletter_subject), expected.dropped(after_leaving=False)
    )
    first = await send(stage, FIRST, newsletter.message_id, segments.repeat_buyers, wanted)

    sms = await messages.create_vip_sms(perigee)
    wanted = Wanted({_digits(person): messages.vip_sms_beginning(person) for person in expected.vip}, {})
    await send(stage, SMS, sms.message_id, segments.vip, wanted)

    await _react(stage, expected, first)

    reminder = await messages.create_reminder(perigee)
    left = {person.number for person in expected.leavers}
    staying = [person for person in expected.reached if person.number not in left]
    wanted = Wanted(_begin(staying, messages.reminder_subject), expected.dropped(after_leaving=True))
    second = await send(stage, SECOND, reminder.message_id, segments.repeat_buyers, wanted)
    await _check_skipped(stage, expected, second)
    return stage.figures


async def _react(stage: Stage, expected: Expected, first: Sent) -> None:
    """Some recipients open the first campaign, some of them click, some unsubscribe, all at once."""
    clickers = {person.number for person in expected.clickers}
    leavers = {person.number for person in expected.leavers}
    done = led_to_shop = 0
    await asyncio.sleep(EARLY.total_seconds())  # a click right after the delivery is a machine's
    with stage.show.step(f"{FIRST}: recipients who react", len(expected.readers)) as at:
        async with Recipients(stage.perigee.transport.url) as recipients:

            async def react(person: Person) -> None:
                nonlocal done, led_to_shop
                done += 1
                message = first.messages.get(_email(person))
                if message is None:
                    return  # a figure says so
                letter = await stage.perigee.get_sandbox_message(message)
                found = find(letter)
                await recipients.open(found)
                if person.number in clickers:
                    target = await recipients.click(found) or ""
                    page, _, tags = target.partition("&utm_")
                    named = tags.endswith(f"&utm_content=Yespo-{letter.contact_id}")
                    led_to_shop += named and page == _SHOP + person.external_id
                if person.number in leavers:
                    await recipients.unsubscribe(found)
                at(done)

            await each(expected.readers, react, at_once=8)
    report = await stage.perigee.campaign_report(first.campaign_id)
    stage.figures.check(AFTERWARDS, "opened by", len(expected.readers), report.opened)
    stage.figures.check(AFTERWARDS, "clicked by", len(expected.clickers), report.clicked)
    stage.figures.check(AFTERWARDS, "led to the person's own page", len(expected.clickers), led_to_shop)
    stage.figures.check(AFTERWARDS, "unsubscribed by", len(expected.leavers), report.unsubscribed)


async def _check_skipped(stage: Stage, expected: Expected, second: Sent) -> None:
    """Who unsubscribed after the first campaign stands in the ledger of the second, with that reason."""
    dropped = await stage.perigee.campaign_recipients(second.campaign_id, outcome="dropped")
    skipped = {line.address for line in dropped if line.reason == "unsubscribed"}
    leavers = {_email(person) for person in expected.leavers}
    stage.figures.check(SECOND, "left after the first, skipped", len(leavers), len(leavers & skipped))


def _begin(people: Sequence[Person], beginning: Callable[[Person], str]) -> Mapping[str, Any]:
    return {_email(person): beginning(person) for person in people}


def _email(person: Person) -> str:
    assert person.email is not None
    return person.email


def _digits(person: Person) -> str:
    """The phone as it is stored."""
    return "".join(filter(str.isdigit, person.phone))
