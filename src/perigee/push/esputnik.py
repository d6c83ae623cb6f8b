"""The old wire's methods of web push (contract 23.4–23.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perigee.errors import Invalid, NotFound, PerigeeError
from perigee.esputnik import envelope
from perigee.esputnik.face import Answer, Call, Query, Right, Sentence, operation, sentence
from perigee.lib import json_edge
from perigee.lib.outside import Rules
from perigee.lib.scalars import one_or_many, to_text
from perigee.push import store
from perigee.push.domains import MAX_DOMAINS, clean, origin, register
from perigee.push.reach import reached
from perigee.push.scripts import scripts, site_with_keys, wanted_domain
from perigee.push.types import (
    AllRegistered,
    Failure,
    Registered,
    Success,
    WebPushDomain,
    WebPushDomainIn,
    WebPushDomains,
    WebPushDomainsIn,
)
from perigee.push.webpush_types import WebPushScript

_EXAMPLE = {
    "domain": "https://shop.example.com",
    "serviceWorkerName": "sw.js",
    "serviceWorkerPath": "/push/",
    "serviceWorkerScope": "/push/",
}


@operation(
    "GET",
    "/v1/site/webpush/domains",
    section="23.4",
    right=Right.FULL,
    answer=WebPushDomains,
    answer_example={
        "domains": [
            {
                "domain": "https://shop.example.com",
                "serviceWorkerName": "sw.js",
                "serviceWorkerPath": "/",
                "serviceWorkerScope": "/",
            }
        ]
    },
)
async def get_webpush_domains(call: Call) -> WebPushDomains:
    """The organisation's web-push domains."""
    async with call.context.database.connection() as conn:
        return WebPushDomains(await store.list_domains(conn, call.org_id))


@operation(
    "POST",
    "/v1/site/webpush/domains",
    section="23.5",
    right=Right.FULL,
    body=WebPushDomainsIn,
    answer={200: AllRegistered, 400: AllRegistered},
    example={
        "domains": [
            {
                "domain": "https://shop.example.com",
                "serviceWorkerName": "sw.js",
                "serviceWorkerPath": "/",
                "serviceWorkerScope": "/",
            }
        ]
    },
    answer_example={"success": [{"domain": "https://shop.example.com", "status": "ok"}]},
)
async def post_webpush_domains(call: Call) -> Answer:
    """Add web-push domains; each succeeds or fails on its own."""
    body = await call.json(Any)
    given = one_or_many(body.get("domains", body) if isinstance(body, dict) else body)
    if len(given) > MAX_DOMAINS:
        raise Invalid(f"domains: {len(given)} domains are more than {MAX_DOMAINS}", field="domains")
    if not given:
        raise Invalid("domains: is required", field="domains")
    return _answer(call, *await _register(call, given), single=False)


@operation(
    "POST",
    "/v1/site/webpush/domain",
    section="23.6",
    right=Right.FULL,
    body=WebPushDomainIn,
    answer={200: Registered, 400: Registered},
    example={
        "domain": "https://shop.example.com",
        "serviceWorkerName": "sw.js",
        "serviceWorkerPath": "/",
        "serviceWorkerScope": "/",
    },
    answer_example={"success": {"domain": "https://shop.example.com", "status": "ok"}},
)
async def post_webpush_domain(call: Call) -> Answer:
    """Add one web-push domain."""
    return _answer(call, *await _register(call, [await call.json(dict[str, Any])]), single=True)


@operation(
    "DELETE",
    "/v1/site/webpush/domains",
    section="23.7",
    right=Right.FULL,
    query=(Query("domain", str, "with its scheme", required=True, example="https://shop.example.com"),),
    answer=Sentence,
    refusals=(404,),
    answer_example="Domain https://shop.example.com has been deleted",
)
async def delete_webpush_domain(call: Call) -> Answer:
    """Delete the web-push domain named in the query."""
    domain = origin(call.query.get("domain"))
    async with call.context.database.transaction() as conn:
        if not await store.delete_domain(conn, call.org_id, domain):
            raise NotFound(f"Domain {domain} is not found")
    return sentence(f"Domain {domain} has been deleted")


@operation(
    "GET",
    "/v1/site/webpush/script",
    section="23.8",
    right=Right.FULL,
    query=(
        Query(
            "domain",
            str,
            "the domain: a whole address, or a bare host",
            required=True,
            example="https://shop.example.com",
        ),
    ),
    answer=WebPushScript,
    answer_example={
        "script": "<script>…es('pushOn');</script>",
        "serviceWorker": "importScripts('https://perigee.example.com/service-worker.js');",
    },
    refusals=(404,),
)
async def get_webpush_script(call: Call) -> WebPushScript:
    """The script for the pages of a web-push domain, and the content of its service worker."""
    domain = wanted_domain(call.query.get("domain"))
    context = call.context
    async with context.database.transaction() as conn:
        site = await site_with_keys(conn, call.org_id, domain, context.keys.sealing)
    return scripts(site, context.settings.public_url)


async def _register(
    call: Call, given: Sequence[Any]
) -> tuple[list[Success], list[tuple[Failure, PerigeeError]]]:
    settings = call.context.settings
    domains: list[WebPushDomain | PerigeeError] = [clean(domain) for domain in given]
    if settings.check_domains == "on":
        domains = await reached(Rules.of(settings.outside_networks, settings.outside_ports), domains)
    async with call.context.database.transaction() as conn:
        results = await register(conn, call.org_id, domains)
    good = [Success(result.domain) for result in results if isinstance(result, WebPushDomain)]
    bad = [
        (Failure(_shown(domain), result.message), result)
        for domain, result in zip(given, results, strict=True)
        if isinstance(result, PerigeeError)
    ]
    return good, bad


def _shown(given: Any) -> str:
    """The domain as it was given, for the answer."""
    value = given.get("domain") if isinstance(given, dict) else None
    return (to_text("domain", value) if isinstance(value, str) else None) or ""


def _answer(
    call: Call, good: list[Success], bad: list[tuple[Failure, PerigeeError]], *, single: bool
) -> Answer:
    """`success` and `errors`, each only where there is one. Status 400, and the members of every error body, when
    nothing but bad input came."""
    failures = [failure for failure, _ in bad]
    content: dict[str, Any] = {}
    if good:
        content["success"] = good[0] if single else good
    if failures:
        content["errors"] = failures[0] if single else failures
    refused = not good and all(isinstance(error, Invalid) for _, error in bad)
    if refused:
        content |= envelope.members(400, failures[0].message, call.request.url.path)
    return Answer(json_edge.encode(content), status=400 if refused else 200)
