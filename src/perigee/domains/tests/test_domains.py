"""Sender domains over /api/v4: added, published, verified, given new keys, broken, removed."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.domains.manage import Checks
from perigee.keys import Keys
from perigee.messages.links import SignedLinks
from perigee.testing.api import SECRET, Api
from perigee.testing.dns_server import DnsServer

PATH = "/api/v4/domains"
DOMAIN = "shop.example.com"
ALL = ("dkim_rsa", "dkim_ed25519", "spf", "dmarc", "bounce_mx", "bounce_spf")


async def add(api: Api, domain: str = DOMAIN, **more: Any) -> dict[str, Any]:
    answer = await api.post(PATH, {"domain": domain, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def publish(dns: DnsServer, domain: dict[str, Any], *purposes: str) -> None:
    """As the owner of the domain copies the records."""
    for record in domain["records"]:
        if record["purpose"] in purposes:
            dns.put(record["type"], record["name"], record["value"])


async def verify(api: Api, domain: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post(f"{PATH}/{domain['domain_id']}/verify")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def states(domain: dict[str, Any]) -> dict[str, str]:
    return {record["purpose"]: record["state"] for record in domain["records"]}


def why(domain: dict[str, Any], purpose: str) -> str:
    return next(str(record["why"]) for record in domain["records"] if record["purpose"] == purpose)


async def test_a_new_domain_lists_what_to_publish(api: Api) -> None:
    made = await add(api)
    assert (made["verified"], made["signed"], made["bounces"], made["tracked"]) == (False,) * 4
    shown = {
        record["purpose"]: (record["type"], record["name"], record["value"]) for record in made["records"]
    }
    assert shown["spf"] == ("TXT", DOMAIN, "v=spf1 a:perigee.test ~all")
    assert shown["dmarc"] == ("TXT", f"_dmarc.{DOMAIN}", "v=DMARC1; p=none")
    assert shown["bounce_mx"] == ("MX", f"bounce.{DOMAIN}", "10 mx.perigee.test")
    assert shown["bounce_spf"] == ("TXT", f"bounce.{DOMAIN}", "v=spf1 a:perigee.test ~all")
    assert shown["tracking"] == ("CNAME", f"links.{DOMAIN}", "perigee.test")
    kind, name, value = shown["dkim_rsa"]
    assert kind == "TXT"
    assert name.endswith(f"._domainkey.{DOMAIN}")
    assert value.startswith("v=DKIM1; k=rsa; p=")
    assert shown["dkim_ed25519"][2].startswith("v=DKIM1; k=ed25519; p=")
    assert set(states(made).values()) == {"unchecked"}
    assert (await api.get(f"{PATH}/{made['domain_id']}")).json() == made
    assert (await api.get(PATH)).json() == {"items": [made]}


async def test_private_keys_are_sealed_and_never_shown(api: Api) -> None:
    made = await add(api)
    ((stored,),) = await api.rows("select private from dkim_pair where org_id = %(org_id)s")
    assert len(stored) > 1000
    assert b"PRIVATE" not in stored
    assert b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" not in stored  # rsaEncryption, in every DER of an RSA key
    assert "private" not in str(made).lower()


async def test_records_in_the_dns_verify_it(api: Api, dns: DnsServer) -> None:
    made = await add(api)
    publish(dns, made, *ALL)
    found = await verify(api, made)
    assert states(found) == {**dict.fromkeys(ALL, "met"), "tracking": "not_met"}
    assert (found["verified"], found["signed"], found["bounces"], found["tracked"]) == (
        True,
        True,
        True,
        False,
    )


@pytest.mark.parametrize("missing", ["dkim_rsa", "dmarc", "spf"])
async def test_without_one_of_spf_dkim_and_dmarc_it_is_not_verified(
    api: Api, dns: DnsServer, missing: str
) -> None:
    made = await add(api)
    publish(dns, made, *({"dkim_rsa", "dmarc", "spf"} - {missing}))
    found = await verify(api, made)
    assert not found["verified"]
    assert found["signed"] is (missing != "dkim_rsa")
    assert states(found)[missing] == "not_met"


async def test_the_bounce_domain_stands_in_for_spf_of_the_domain_itself(api: Api, dns: DnsServer) -> None:
    made = await add(api)
    publish(dns, made, "dkim_rsa", "dmarc", "bounce_mx", "bounce_spf")
    found = await verify(api, made)
    assert found["verified"]
    assert found["bounces"]
    assert [one["required"] for one in found["records"] if one["purpose"] == "spf"] == [False]


async def test_keys_of_another_are_not_ours(api: Api, dns: DnsServer) -> None:
    made, other = await add(api), await add(api, "other.example.com")
    publish(dns, made, *ALL)
    (name,) = [one["name"] for one in made["records"] if one["purpose"] == "dkim_rsa"]
    (value,) = [one["value"] for one in other["records"] if one["purpose"] == "dkim_rsa"]
    dns.put("TXT", name, value)
    found = await verify(api, made)
    assert [found[flag] for flag in ("verified", "signed", "bounces")] == [False] * 3
    assert "another one" in why(found, "dkim_rsa")


async def test_a_silent_dns_changes_nothing(api: Api, dns: DnsServer) -> None:
    made = await add(api)
    publish(dns, made, *ALL)
    await verify(api, made)
    dns.broken |= {name for name, _ in dns.records}
    found = await verify(api, made)
    assert states(found)["dkim_rsa"] == "unknown"
    assert (found["verified"], found["signed"], found["bounces"]) == (True, True, True)


async def test_a_break_stops_signing_and_is_mended_by_the_next_check(api: Api, dns: DnsServer) -> None:
    made = await add(api)
    publish(dns, made, *ALL)
    checks = Checks(api.db, api.settings)
    await checks.check_due()
    path = f"{PATH}/{made['domain_id']}"
    assert (await api.get(path)).json()["signed"]
    kept = dict(dns.records)
    dns.records.clear()
    await checks.check_due()
    assert (await api.get(path)).json()["signed"], "it was not due again"
    await api.rows("update sender_domain set check_due_at = now() where org_id = %(org_id)s")
    await checks.check_due()
    broken = (await api.get(path)).json()
    assert [broken[flag] for flag in ("verified", "signed", "bounces")] == [False] * 3
    dns.records.update(kept)
    assert (await verify(api, made))["verified"]


async def test_new_keys_take_over_when_their_records_are_found(api: Api, dns: DnsServer) -> None:
    made = await add(api)
    publish(dns, made, *ALL)
    await verify(api, made)
    rotated = (await api.post(f"{PATH}/{made['domain_id']}/rotate")).json()
    assert rotated["rotating"]
    assert rotated["signed"]
    assert (await api.post(f"{PATH}/{made['domain_id']}/rotate")).status_code == 409
    names = [one["name"] for one in rotated["records"] if one["purpose"] == "dkim_rsa"]
    assert len(set(names)) == 2
    still = await verify(api, made)
    assert (still["verified"], still["signed"], still["rotating"]) == (True, True, True)
    publish(dns, rotated, "dkim_rsa", "dkim_ed25519")
    done = await verify(api, made)
    assert (done["verified"], done["signed"], done["rotating"]) == (True, True, False)
    assert [one["name"] for one in done["records"] if one["purpose"] == "dkim_rsa"] == [names[1]]
    (old,) = done["old_keys"]
    assert names[0] in old["names"]
    assert await api.rows(
        "select active, private is null from dkim_pair where org_id = %(org_id)s order by 1"
    ) == [
        (False, True),
        (True, False),
    ]
    await api.rows(
        "update dkim_pair set replaced_at = replaced_at - interval '15 days' where org_id = %(org_id)s"
    )
    assert (await verify(api, made))["old_keys"] == []


async def test_links_use_a_tracking_domain_that_we_answer_over_https(api: Api, dns: DnsServer) -> None:
    made = await add(api)
    publish(dns, made, *ALL)
    dns.add("A", f"links.{DOMAIN}", "192.0.2.7")
    asked: list[str] = []

    async def broken(host: str) -> str:
        asked.append(host)
        return "the certificate of the host is not valid"

    async def fine(host: str) -> str:
        return ""

    await Checks(api.db, api.settings, reach=broken).check(api.org_id, made["domain_id"])
    found = (await api.get(f"{PATH}/{made['domain_id']}")).json()
    assert (found["tracked"], why(found, "tracking")) == (False, "the certificate of the host is not valid")
    assert asked == [f"links.{DOMAIN}"]
    await Checks(api.db, api.settings, reach=fine).check(api.org_id, made["domain_id"])
    assert (await api.get(f"{PATH}/{made['domain_id']}")).json()["tracked"]


async def test_spf_names_the_relays(api: Api) -> None:
    for host, service in (
        ("smtp.relay.example.com", ""),
        ("email-smtp.example.com", "ses"),
        ("192.0.2.1", ""),
    ):
        answer = await api.post(
            "/api/v4/providers",
            {
                "channel": "email",
                "kind": "smtp",
                "name": host,
                "settings": {"host": host, "service": service},
            },
        )
        assert answer.status_code == 201, answer.text
    made = await add(api)
    (value,) = [one["value"] for one in made["records"] if one["purpose"] == "spf"]
    assert value == "v=spf1 ip4:192.0.2.1 include:amazonses.com a:smtp.relay.example.com ~all"


async def test_another_bounce_domain_counts_once_it_was_checked(api: Api, dns: DnsServer) -> None:
    made = await add(api)
    publish(dns, made, *ALL)
    await verify(api, made)
    path = f"{PATH}/{made['domain_id']}"
    changed = (await api.call("PATCH", path, {"bounce_domain": f"b.{DOMAIN}"})).json()
    assert (changed["bounces"], changed["bounce_domain"]) == (False, f"b.{DOMAIN}")
    publish(dns, changed, "bounce_mx", "bounce_spf")
    assert (await verify(api, made))["bounces"]


async def test_a_domain_is_added_once_in_its_usual_form_and_removed(api: Api) -> None:
    made = await add(api, "Магазин.Example")
    assert made["domain"] == "xn--80aairftm.example"
    answer = await api.post(PATH, {"domain": "магазин.example"})
    assert answer.status_code == 409
    path = f"{PATH}/{made['domain_id']}"
    assert [(await api.delete(path)).status_code for _ in range(2)] == [204, 404]
    assert await api.rows("select 1 from dkim_pair where org_id = %(org_id)s") == []
    for method, tail in (("GET", ""), ("POST", "/verify"), ("POST", "/rotate"), ("PATCH", "")):
        body = {"allow_unverified": True} if method == "PATCH" else None
        assert (await api.call(method, path + tail, body)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"domain": "shop"}, "domain"),
        ({"domain": "shop example.com"}, "domain"),
        ({"domain": "a@example.com"}, "domain"),
        ({"domain": DOMAIN, "bounce_domain": "bounce.example.org"}, "bounce_domain"),
        ({"domain": DOMAIN, "bounce_domain": DOMAIN}, "bounce_domain"),
        ({"domain": DOMAIN, "tracking_domain": f"bounce.{DOMAIN}"}, "tracking_domain"),
        ({"domain": DOMAIN, "tracking_domain": f"evil{DOMAIN}"}, "tracking_domain"),
    ],
)
async def test_what_is_no_domain_is_refused(api: Api, body: dict[str, Any], field: str) -> None:
    answer = await api.post(PATH, body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert (await api.get(PATH)).json() == {"items": []}


async def test_a_tracking_domain_is_answered_like_the_public_url(api: Api) -> None:
    links = SignedLinks(Keys.of(SECRET).links, f"https://links.{DOMAIN}", api.org_id, 1).of(0, 1)
    for url in (f"https://links.{DOMAIN}/health", links.open_pixel()):
        path = url.removeprefix(f"https://links.{DOMAIN}")
        answer = await api.client.get(path, headers={"Host": f"links.{DOMAIN}"})
        assert answer.status_code == 200, path
