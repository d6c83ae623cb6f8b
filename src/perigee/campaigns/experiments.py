"""Experiments: variants of a message are tried on a share of the people; the rest gets the winner (product 7).

One send holds them all. Each variant has a range of its ordinals, drawn at the launch, and a content of its own, so that
ledger, tracking and report are those of every send; the rest's batches are not due until it is decided.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from perigee.campaigns import store
from perigee.campaigns.plan import Experiment, Goal, Plan, Variant
from perigee.campaigns.types import Campaign, VariantResult
from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.delivery import freeze
from perigee.delivery.freeze import Frozen
from perigee.errors import Conflict, Invalid

log = structlog.get_logger()
q = load(__package__)

REST = 0
FIELDS = {"email": ("subject", "from"), "sms": ("from",), "viber": ("from",)}
"""What variants can change of a channel's versions, by the names of the wire."""


async def check(connection: Connection, org_id: int, experiment: Experiment | None, channel: str) -> None:
    """Raises Invalid for messages that are not there, or of another channel, and for what the channel has not."""
    if experiment is None:
        return
    ids = [one.message_id for one in experiment.variants if one.message_id is not None]
    values = {"org_id": org_id, "message_ids": ids}
    channels: dict[int, str] = dict(
        await (await connection.execute(q.channels_of_messages, values)).fetchall()
    )
    for number, variant in enumerate(experiment.variants):
        where = f"plan.experiment.variants[{number}]"
        if variant.message_id is not None and channels.get(variant.message_id) != channel:
            raise Invalid.of(f"{where}.message_id", variant.message_id, f"is not a message of {channel}")
        for name in _changes(variant):
            if name not in FIELDS.get(channel, ()):
                raise Invalid(f"{where}: {channel} has no {name}", field=where)


def _changes(variant: Variant) -> dict[str, str]:
    given = {"subject": variant.subject, "from": variant.sender}
    return {name: value for name, value in given.items() if value is not None}


async def freeze_variants(
    connection: Connection, org_id: int, plan: Plan, message: Frozen, public_url: str
) -> list[bytes]:
    """The contents' digests, in order; none without an experiment. Raises Invalid for one that cannot be sent."""
    variants = plan.experiment.variants if plan.experiment else []
    return [
        await freeze.keep_variant(
            connection, org_id, _varied(await _base(connection, org_id, one, message), one), public_url
        )
        for one in variants
    ]


async def _base(connection: Connection, org_id: int, variant: Variant, message: Frozen) -> Frozen:
    if variant.message_id is None:
        return message
    found = await freeze.message(connection, org_id, variant.message_id)
    if found is None:
        raise Invalid(f"message {variant.message_id} was deleted", field="plan.experiment")
    return found


def _varied(message: Frozen, variant: Variant) -> Frozen:
    """With the variant's subject and sender in all language versions."""
    changes = _changes(variant)
    if not changes:
        return message
    versions = {language: {**version, **changes} for language, version in message.content.versions.items()}
    return dataclasses.replace(message, content=msgspec.structs.replace(message.content, versions=versions))


def launch_values(experiment: Experiment | None, digests: Sequence[bytes]) -> dict[str, Any]:
    """Parameters of the statement that freezes an audience."""
    if experiment is None:
        return {
            "variants": 0,
            "share": 0,
            "variant_numbers": [],
            "variant_names": [],
            "variant_digests": [],
        }
    names = [one.name or one.subject or one.sender or "" for one in experiment.variants]
    numbers = list(range(1, len(names) + 1))
    rest = experiment.test_share < 100
    return {
        "variants": len(names),
        "share": experiment.test_share,
        "variant_numbers": [*numbers, REST] if rest else numbers,
        "variant_names": [*names, "rest"] if rest else names,
        "variant_digests": [*digests, None] if rest else list(digests),
    }


async def begin(connection: Connection, org_id: int, send_id: int, plan: Plan, now: datetime) -> None:
    experiment = plan.experiment
    if experiment is None:
        return
    goal = plan.goal or Goal()
    by_itself = experiment.winner != "hand" and experiment.test_share < 100
    values = {
        "org_id": org_id,
        "send_id": send_id,
        "winner_by": experiment.winner,
        "event": goal.event,
        "days": goal.days,
        "decide_at": now + timedelta(minutes=experiment.after_minutes) if by_itself else None,
    }
    await connection.execute(q.insert_experiment, values)


async def decide_due(database: Database, now: datetime) -> None:
    """Decides what is due. A decision is one statement: a process that dies leaves it to the next round."""
    async with database.connection() as connection:
        due = await (await connection.execute(q.due_experiments, {"now": now})).fetchall()
    for org_id, send_id in due:
        async with database.transaction() as connection:
            key = {"org_id": org_id, "send_id": send_id}
            row = await (await connection.execute(q.lock_experiment, key)).fetchone()
            found = await results(connection, org_id, send_id)
            if row is None or found is None or row[3] is not None:
                continue
            winner = best(found, row[0])
            await connection.execute(q.settle_experiment, {**key, "winner": winner, "now": now})
        log.info("experiment decided", org_id=org_id, send_id=send_id, winner=winner)


def best(found: Sequence[VariantResult], winner_by: str) -> int:
    """The variant with the highest share of its sent messages; the first of equals. Pure."""
    reached = {"opens": "opened", "clicks": "clicked", "conversions": "converted"}[winner_by]
    tested = [one for one in found if one.variant != REST]
    return max(tested, key=lambda one: (getattr(one, reached) / max(one.sent, 1), -one.variant)).variant


async def choose(
    connection: Connection, org_id: int, campaign_id: int, variant: int, *, now: datetime
) -> Campaign:
    """Decides by hand, also before the time. Raises Conflict where there is nothing to decide, Invalid for a variant that
    is not there."""
    campaign = await store.get_campaign(connection, org_id, campaign_id, lock=True)
    experiment = campaign.plan.experiment if campaign.plan else None
    if experiment is None or experiment.test_share == 100 or campaign.send_id is None:
        raise Conflict(f"campaign {campaign_id} has no rest that waits for a winner")
    if variant > len(experiment.variants):
        raise Invalid.of("variant", variant, f"must be 1 to {len(experiment.variants)}")
    key = {"org_id": org_id, "send_id": campaign.send_id}
    row = await (await connection.execute(q.lock_experiment, key)).fetchone()
    if row is not None and row[3] is not None and row[4] != variant:
        raise Conflict(f"campaign {campaign_id} has its winner already: variant {row[4]}")
    await connection.execute(q.settle_experiment, {**key, "winner": variant, "now": now})
    return campaign


async def results(connection: Connection, org_id: int, send_id: int | None) -> list[VariantResult] | None:
    """By variant, the rest last; None for a send without an experiment."""
    key = {"org_id": org_id, "send_id": send_id}
    row = await (await connection.execute(q.get_experiment, key)).fetchone()
    if row is None:
        return None
    _, event, days, _, winner = row
    rows = await (
        await connection.execute(q.variant_results, {**key, "event": event, "days": days})
    ).fetchall()
    return [VariantResult(*(*one, one[0] == winner)) for one in rows]
