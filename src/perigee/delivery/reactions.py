"""Replies that are about the place a message goes to: it is slowed, stopped for a while, or until a person has looked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import structlog

from perigee.db.queries import load
from perigee.delivery import destinations
from perigee.delivery.channel import Advice, Outcome, Receipt

if TYPE_CHECKING:
    from perigee.delivery.batch import BatchRunner

log = structlog.get_logger()
q = load(__package__)

ByAdvice = Mapping[Advice, list[tuple[str, Receipt]]]


async def follow(runner: BatchRunner, by_advice: ByAdvice, answers: Mapping[str, int]) -> None:
    """`by_advice`: (address, receipt); `answers`: how many came from each destination in this window."""
    pacing = runner.sender.pacing
    org_id, provider_id = runner.lease.org_id, runner.carrier.provider_id
    refusals = by_advice.get(Advice.BREAKER, [])
    # A refusal for the time being asks for patience; for good, for a person.
    patience = [one for one in refusals if one[1].outcome is Outcome.DEFERRED]
    before = await _slow(runner, [*by_advice.get(Advice.SLOW_DESTINATION, []), *patience], answers)
    for place, receipt in _by_place(runner, by_advice.get(Advice.STOP_QUOTA, [])).items():
        seconds = receipt.retry_after or destinations.STOP_SECONDS
        await destinations.stop(runner.sender.database, org_id, provider_id, place, seconds, receipt.text)
        log.warning("destination stopped", destination=place, seconds=seconds, text=receipt.text)
        before = True
    refused = [one for one in refusals if one[1].outcome is Outcome.FAILED]
    if await _break(runner, refused, answers) or before:
        pacing.forget(org_id, provider_id)


async def _slow(runner: BatchRunner, advised: list[tuple[str, Receipt]], answers: Mapping[str, int]) -> bool:
    # A connection that was lost is the provider's, whoever the message was for: only answers count.
    told = [(address, receipt) for address, receipt in advised if receipt.code]
    slowed = {
        place: runner.sender.pacing.speeds.of((runner.lease.org_id, runner.carrier.provider_id, place))
        for place, number in _count(runner, told).items()
        if number > answers.get(place, 0) * destinations.SLOW_SHARE
    }
    if slowed:
        text = told[-1][1].text
        await destinations.slow(
            runner.sender.database, runner.lease.org_id, runner.carrier.provider_id, slowed, text
        )
        log.warning("destinations slowed", destinations=sorted(slowed), text=text)
    return bool(slowed)


async def _break(runner: BatchRunner, refused: list[tuple[str, Receipt]], answers: Mapping[str, int]) -> bool:
    org_id, provider_id = runner.lease.org_id, runner.carrier.provider_id
    counts, receipts = _count(runner, refused), _by_place(runner, refused)
    broken = [
        place
        for place, number in counts.items()
        if runner.sender.pacing.breaker.count((org_id, provider_id, place), answers[place], number)
    ]
    for place in broken:
        text = receipts[place].text or str(receipts[place].reason)
        await destinations.stop(runner.sender.database, org_id, provider_id, place, None, text)
        error = f"nothing more goes to {place}, which refuses more than 5 % of it: {text[:200]}"
        log.error("destination stopped", send_id=runner.lease.send_id, destination=place, error=error)
        async with runner.sender.database.transaction() as connection:
            await connection.execute(
                q.note_send_error, {"org_id": org_id, "send_id": runner.lease.send_id, "error": error}
            )
    return bool(broken)


def _count(runner: BatchRunner, advised: Iterable[tuple[str, Receipt]]) -> Counter[str]:
    return Counter(runner.sender.pacing.place_of(address) for address, _ in advised)


def _by_place(runner: BatchRunner, advised: Iterable[tuple[str, Receipt]]) -> dict[str, Receipt]:
    """The last receipt of each."""
    return {runner.sender.pacing.place_of(address): receipt for address, receipt in advised}
