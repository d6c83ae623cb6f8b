"""All methods, readable in one list: the modules that declare them."""

from __future__ import annotations

from importlib import import_module

from perigee.http.operation import Operation

MODULES = (
    "perigee.accounts.esputnik",
    "perigee.contacts.esputnik",
    "perigee.contacts.esputnik_lookups",
    "perigee.contacts.upload.esputnik",
    "perigee.files.esputnik",
    "perigee.segments.esputnik",
    "perigee.events.esputnik",
    "perigee.orders.esputnik",
    "perigee.messages.esputnik",
    "perigee.sending.esputnik",
    "perigee.push.esputnik",
    "perigee.push.interactions.esputnik",
    "perigee.push.telegram_esputnik",
    "perigee.appinbox.esputnik",
    "perigee.reports.esputnik",
    "perigee.site.esputnik",
    "perigee.campaigns.esputnik",
    "perigee.products.esputnik",
    "perigee.promocodes.esputnik",
    "perigee.senders.esputnik",
    "perigee.workflows.esputnik",
    "perigee.accounts.api",
    "perigee.consent.api",
    "perigee.contacts.api",
    "perigee.contacts.deleted_api",
    "perigee.contacts.data.api",
    "perigee.contacts.upload.api",
    "perigee.imports.api",
    "perigee.imports.schemes_api",
    "perigee.contacts.merging.api",
    "perigee.segments.api",
    "perigee.segments.actions_api",
    "perigee.segments.categories_api",
    "perigee.segments.live.api",
    "perigee.events.api",
    "perigee.orders.api",
    "perigee.rfm.api",
    "perigee.messages.api",
    "perigee.messages.tags_api",
    "perigee.sending.api",
    "perigee.campaigns.api",
    "perigee.campaigns.rules_api",
    "perigee.reports.campaign.api",
    "perigee.site.api",
    "perigee.push.webpush_api",
    "perigee.exports.api",
    "perigee.products.api",
    "perigee.promocodes.api",
    "perigee.senders.api",
    "perigee.domains.api",
    "perigee.workflows.api",
    "perigee.delivery.api",
    "perigee.bounces.api",
    "perigee.delivery.destinations_api",
    "perigee.delivery.channels.sandbox.api",
    "perigee.push.apps_api",
)


def operations() -> list[Operation]:
    """Every declared method, in the order of the modules: those a module names, and those in its `OPERATIONS`."""
    found: list[Operation] = []
    for name in MODULES:
        module = import_module(name)
        found += [value for value in vars(module).values() if isinstance(value, Operation)]
        found += getattr(module, "OPERATIONS", [])
    return found
