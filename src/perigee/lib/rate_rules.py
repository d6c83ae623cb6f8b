"""Messages a second to large operators of mailboxes, as a setting writes them."""

from __future__ import annotations


def read_rules(text: str) -> tuple[dict[str, str], dict[str, float]]:
    """(destination of a domain, messages a second of a destination) of rules such as
    `gmail.com,googlemail.com=100 ukr.net=20`. Raises ValueError."""
    domains: dict[str, str] = {}
    rates: dict[str, float] = {}
    for rule in text.split():
        names, sign, rate = rule.partition("=")
        first, *others = names.lower().split(",")
        if not sign or not all([first, *others]) or float(rate) <= 0:
            raise ValueError(rule)
        rates[first] = float(rate)
        domains |= dict.fromkeys([first, *others], first)
    return domains, rates
