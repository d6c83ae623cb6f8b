"""Whether the records of a domain are in the DNS, as receivers will look for them (protocols.md 2.1, 2.3)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

from perigee.domains import spf
from perigee.domains.dns import DnsSilent, Resolver
from perigee.domains.reachable import Reach
from perigee.domains.records import Domain, Finding, Surroundings, Wanted, wanted

TREE_WALK = 8
"""Labels at which the search for a DMARC record begins at most (RFC 9989 4.10)."""
_POLICIES = frozenset({"none", "quarantine", "reject"})


@dataclass(frozen=True, slots=True)
class Checked:
    """`findings` by `Wanted.key`. What is None could not be seen this time and stays as it was."""

    findings: Mapping[str, Finding]
    rsa: Mapping[int, bool | None]
    ed: Mapping[int, bool | None]
    verified: bool | None
    bounces: bool | None
    tracked: bool | None


async def check(domain: Domain, around: Surroundings, resolver: Resolver, reach: Reach) -> Checked:
    """Asks for all records at once. Never raises for what the DNS says or does not say."""
    records = wanted(domain, around)
    found = await asyncio.gather(*[_look(record, domain, around, resolver, reach) for record in records])
    by_purpose: dict[str, list[tuple[Wanted, Finding]]] = {}
    for record, finding in zip(records, found, strict=True):
        by_purpose.setdefault(record.purpose, []).append((record, finding))

    def met(purpose: str) -> bool | None:
        return _met(by_purpose[purpose][0][1])

    def pairs(purpose: str) -> dict[int, bool | None]:
        return {
            record.pair_id: _met(finding)
            for record, finding in by_purpose[purpose]
            if record.pair_id is not None
        }

    rsa = pairs("dkim_rsa")
    signed = _any(*rsa.values())
    bounces = _all(signed, met("bounce_mx"), met("bounce_spf"))
    return Checked(
        findings={record.key: finding for record, finding in zip(records, found, strict=True)},
        rsa=rsa,
        ed=pairs("dkim_ed25519"),
        verified=_all(signed, met("dmarc"), _any(met("spf"), bounces)),
        bounces=bounces,
        tracked=_all(signed, met("tracking")),
    )


def _met(finding: Finding) -> bool | None:
    return None if finding.state == "unknown" else finding.state == "met"


def _all(*parts: bool | None) -> bool | None:
    return False if False in parts else None if None in parts else True


def _any(*parts: bool | None) -> bool | None:
    return True if True in parts else None if None in parts else False


async def _look(
    record: Wanted, domain: Domain, around: Surroundings, resolver: Resolver, reach: Reach
) -> Finding:
    try:
        match record.purpose:
            case "dkim_rsa" | "dkim_ed25519":
                return dkim(record, await resolver.ask(record.name, "TXT"))
            case "spf" | "bounce_spf":
                return _spf(await spf.read(resolver, record.name), around)
            case "dmarc":
                return await _dmarc(domain.domain, resolver)
            case "bounce_mx":
                return _mx(await resolver.ask(record.name, "MX"), around)
            case "tracking":
                return await _tracking(record.name, resolver, reach)
    except DnsSilent as silent:
        return Finding("unknown", f"the DNS gave no answer for {silent}")


def dkim(record: Wanted, texts: list[str]) -> Finding:
    """Met when the record is there with our own key and nothing that keeps receivers from using it."""
    if not texts:
        return Finding("not_met", "there is no record")
    if len(texts) > 1:
        return Finding("not_met", "there are several records; leave the one shown here", texts)
    ours, theirs = tags(record.value), tags(texts[0])
    if theirs.get("v", "DKIM1") != "DKIM1" or theirs.get("k", "rsa") != ours["k"]:
        return Finding("not_met", "it is no record of this kind of key", texts)
    if theirs.get("p") != ours["p"]:
        why = "the key in it is another one, or was cut off" if theirs.get("p") else "it has no key"
        return Finding("not_met", why, texts)
    if "h" in theirs and "sha256" not in theirs["h"].split(":"):
        return Finding("not_met", "h= does not allow sha256", texts)
    if "s" in theirs and not {"*", "email"} & set(theirs["s"].split(":")):
        return Finding("not_met", "s= does not allow email", texts)
    testing = "y" in theirs.get("t", "").split(":")
    return Finding("met", "t=y says that signatures are only tested; take it out" if testing else "", texts)


def tags(text: str) -> dict[str, str]:
    """`name=value; …` without blanks (RFC 6376 3.2)."""
    pairs = [part.partition("=") for part in re.sub(r"\s+", "", text).split(";")]
    return {name: value for name, equals, value in pairs if equals}


def _spf(read: spf.Spf, around: Surroundings) -> Finding:
    if read.problem:
        return Finding("not_met", read.problem, read.found)
    missing = [term for term in around.mechanisms if term not in read.mechanisms]
    why = f"it does not name {' '.join(missing)}: make sure that it lets your relay send" if missing else ""
    return Finding("met", why, read.found)


async def _dmarc(domain: str, resolver: Resolver) -> Finding:
    """The record of the domain, else of a domain above it (RFC 9989 4.10)."""
    labels = domain.split(".")
    starts = [0, *range(max(1, len(labels) - TREE_WALK + 1), len(labels))]
    for start in starts:
        name = ".".join(labels[start:])
        texts = await resolver.ask(f"_dmarc.{name}", "TXT")
        records = [text for text in texts if tags(text).get("v", "") == "DMARC1"]
        if len(records) > 1:
            return Finding("not_met", f"{name} has several DMARC records", records)
        if records:
            return _policy(records[0], inherited=start > 0)
    return Finding("not_met", "there is no DMARC record")


def _policy(record: str, *, inherited: bool) -> Finding:
    read = tags(record)
    policy = (read.get("sp") if inherited else None) or read.get("p", "")
    if policy.lower() not in _POLICIES:
        return Finding("not_met", "p= must be none, quarantine or reject", [record])
    old = sorted({"pct", "rf", "ri"} & read.keys())
    return Finding("met", f"{' and '.join(old)} mean nothing any more (RFC 9989)" if old else "", [record])


def _mx(hosts: list[str], around: Surroundings) -> Finding:
    if not any(hosts):
        return Finding(
            "not_met", "there is no record" if not hosts else "it says that no mail is taken", hosts
        )
    if around.bounce_host in hosts:
        return Finding("met", "", hosts)
    return Finding("met", "bounces go to another server: they must be read there", hosts)


async def _tracking(name: str, resolver: Resolver, reach: Reach) -> Finding:
    """The address alone proves little: links must be answered with a certificate, perhaps behind another server."""
    addresses = [*await resolver.ask(name, "A"), *await resolver.ask(name, "AAAA")]
    if not addresses:
        return Finding("not_met", "there is no record")
    trouble = await reach(name)
    return Finding("not_met" if trouble else "met", trouble, addresses)
