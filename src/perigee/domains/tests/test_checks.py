"""Records as receivers read them: SPF and its limits, DMARC up the tree, DKIM, MX."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.domains import spf
from perigee.domains.check import _dmarc, dkim, tags
from perigee.domains.dns import DnsSilent, Kind
from perigee.domains.records import Wanted, mechanisms

DOMAIN = "shop.example.com"


class Zone:
    """TXT records by name."""

    def __init__(self, texts: Mapping[str, list[str]]) -> None:
        self.texts = texts

    async def ask(self, name: str, kind: Kind) -> list[str]:
        if name == "silent.example":
            raise DnsSilent(name)
        return self.texts.get(name, [])


async def read(*records: str, **others: str) -> spf.Spf:
    zone = {f"{name}.example": [text] for name, text in others.items()}
    return await spf.read(Zone({**zone, DOMAIN: list(records)}), DOMAIN)


@pytest.mark.parametrize(
    ("records", "problem"),
    [
        ([], "no SPF record"),
        (["something else"], "no SPF record"),
        (["v=spf1 a -all", "v=spf1 mx -all"], "several"),
        (["v=spf1 a +all"], "everybody"),
        (["v=spf1 all"], "everybody"),
        (["v=spf1 -all"], "nobody"),
        (["v=spf1 ip9:1.2.3.4 -all"], "no SPF mechanism"),
        (["v=spf1 include:missing.example -all"], "missing.example has no SPF record"),
        (["v=spf1 include:loop.example -all"], "more"),
        (["v=spf1 " + "a:x.example " * 11 + "-all"], "more"),
    ],
)
async def test_what_receivers_do_not_accept(records: list[str], problem: str) -> None:
    assert problem in (await read(*records, loop="v=spf1 include:loop.example")).problem


async def test_ten_look_ups_are_accepted_and_includes_count() -> None:
    found = await read(
        "v=spf1 include:one.example mx ~all", one="v=spf1 " + "a:x.example " * 8 + "ip4:192.0.2.0/24"
    )
    assert (found.lookups, found.problem) == (10, "")
    assert {"include:one.example", f"mx:{DOMAIN}", "a:x.example", "ip4:192.0.2.0/24"} == found.mechanisms
    assert (await read("v=spf1 redirect=one.example", one="v=spf1 a -all")).mechanisms >= {"a:one.example"}


async def test_silence_is_no_answer() -> None:
    with pytest.raises(DnsSilent):
        await read("v=spf1 include:silent.example")


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        ({f"_dmarc.{DOMAIN}": ["v=DMARC1; p=none"]}, "met"),
        ({f"_dmarc.{DOMAIN}": ["v=DMARC1; p=quarantine; pct=50; rua=mailto:d@example.com"]}, "met"),
        ({"_dmarc.example.com": ["v=DMARC1; p=reject"]}, "met"),
        ({f"_dmarc.{DOMAIN}": ["v=DMARC1"]}, "not_met"),
        ({f"_dmarc.{DOMAIN}": ["v=DMARC1; p=none", "v=DMARC1; p=none"]}, "not_met"),
        ({f"_dmarc.{DOMAIN}": ["google-site-verification=1"]}, "not_met"),
        ({}, "not_met"),
    ],
)
async def test_dmarc_is_looked_for_up_the_tree(texts: dict[str, list[str]], state: str) -> None:
    assert (await _dmarc(DOMAIN, Zone(texts))).state == state


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        (["v=DKIM1; k=rsa; p=AAAA"], "met"),
        (["k=rsa; p=AA AA;"], "met"),
        (["v=DKIM1; p=AAAA; t=s"], "met"),
        (["v=DKIM1; k=rsa; p=AAA"], "not_met"),
        (["v=DKIM1; k=rsa; p="], "not_met"),
        (["v=DKIM1; k=ed25519; p=AAAA"], "not_met"),
        (["v=DKIM1; h=sha1; p=AAAA"], "not_met"),
        (["v=DKIM1; s=tlsrpt; p=AAAA"], "not_met"),
        (["v=DKIM1; p=AAAA", "v=DKIM1; p=AAAA"], "not_met"),
        ([], "not_met"),
    ],
)
def test_only_our_own_key_is_met(texts: list[str], state: str) -> None:
    record = Wanted("dkim_rsa", "TXT", "s._domainkey.example.com", "v=DKIM1; k=rsa; p=AAAA", True, 1)
    assert dkim(record, texts).state == state


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    assert isinstance(tags(text), dict)


def test_relays_on_this_machine_send_from_the_public_host() -> None:
    assert mechanisms([("127.0.0.1", ""), ("localhost", "")], "perigee.example") == ("a:perigee.example",)
    assert mechanisms([("127.0.0.1", "")], "192.0.2.1") == ("ip4:192.0.2.1",)
    assert mechanisms([("2001:db8::1", ""), ("x.example", "mailgun")], "h.example") == (
        "ip6:2001:db8::1",
        "include:mailgun.org",
    )
