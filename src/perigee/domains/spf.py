"""SPF records as a receiver reads them (RFC 7208): what they let send, and within how many questions."""

from __future__ import annotations

from dataclasses import dataclass, field

from perigee.domains.dns import Resolver

MAX_LOOKUPS = 10
"""More and receivers answer `permerror`, as if there were no record (RFC 7208 4.6.4)."""
VERSION = "v=spf1"
_ASKING = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
_KNOWN = _ASKING | {"all", "ip4", "ip6", "exp"}


@dataclass(slots=True)
class Spf:
    """`found`: the records under the name itself. `mechanisms`: all terms, those of includes too, in lower case and with
    their domain (`a:example.com`). `problem`: why receivers will not accept it; '' when they will."""

    found: list[str] = field(default_factory=list)
    mechanisms: set[str] = field(default_factory=set)
    lookups: int = 0
    problem: str = ""


async def read(resolver: Resolver, domain: str) -> Spf:
    """Follows includes and redirects. Raises DnsSilent."""
    spf = Spf(await _records(resolver, domain))
    if len(spf.found) == 1:
        await _follow(resolver, domain, spf.found[0], spf)
    else:
        spf.problem = (
            "there is no SPF record" if not spf.found else "there are several SPF records; join them in one"
        )
    if not spf.problem and "+all" in _terms(spf.found[0]):
        spf.problem = "+all lets everybody send"
    if not spf.problem and not spf.mechanisms:
        spf.problem = "it lets nobody send"
    return spf


async def _records(resolver: Resolver, domain: str) -> list[str]:
    texts = await resolver.ask(domain, "TXT")
    return [text for text in texts if text.lower() == VERSION or text.lower().startswith(f"{VERSION} ")]


def _terms(record: str) -> list[str]:
    """In lower case, each with its qualifier."""
    words = record.lower().split()[1:]
    return [word if word[0] in "+-~?" or "=" in word.split(":")[0] else f"+{word}" for word in words]


async def _follow(resolver: Resolver, domain: str, record: str, spf: Spf) -> None:
    terms = _terms(record)
    has_all = any(term[1:] == "all" for term in terms)
    for term in terms:
        name, value = _parts(term)
        if name not in _KNOWN:
            # An unknown modifier (name=value) is ignored, an unknown mechanism is an error (RFC 7208 6, 4.6.1).
            if "=" not in term:
                spf.problem = f"{term.removeprefix('+')} is no SPF mechanism"
            continue
        if name == "redirect" and has_all:
            continue
        if name in ("ip4", "ip6", *_ASKING) and term[0] == "+":
            spf.mechanisms.add(f"{name}:{value or domain}")
        if name in _ASKING:
            spf.lookups += 1
        if spf.lookups > MAX_LOOKUPS:
            spf.problem = f"receivers stop after {MAX_LOOKUPS} DNS look-ups and it needs more"
            return
        # A macro depends on the message: nothing to follow.
        if name in ("include", "redirect") and "%" not in value:
            await _include(resolver, value, spf)
        if spf.problem:
            return


async def _include(resolver: Resolver, domain: str, spf: Spf) -> None:
    records = await _records(resolver, domain) if domain else []
    if len(records) != 1:
        spf.problem = (
            f"{domain or 'an include'} has no SPF record"
            if not records
            else f"{domain} has several SPF records"
        )
        return
    await _follow(resolver, domain, records[0], spf)


def _parts(term: str) -> tuple[str, str]:
    """(name, domain or address): `+a/24` is ('a', ''), `redirect=x` is ('redirect', 'x')."""
    bare = term[1:] if term[0] in "+-~?" else term
    if "=" in bare.split(":")[0]:
        name, _, value = bare.partition("=")
        return name, value
    name, _, value = bare.partition(":")
    return name.partition("/")[0], value if name in ("ip4", "ip6") else value.partition("/")[0]
