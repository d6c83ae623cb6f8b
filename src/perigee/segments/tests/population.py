"""Made-up people for the tests of conditions: values at every border, gaps everywhere, two organisations.

The second organisation has the same ids as the first and other facts, so a statement that forgets its
organisation once finds somebody wrong.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from perigee.segments.moments import Moment

ORG, OTHER_ORG = 7001, 7002
# The night in which Kyiv's clocks jump: yesterday had 24 hours, today has 23.
MOMENT = Moment(datetime(2026, 3, 29, 10, 30, tzinfo=UTC), ZoneInfo("Europe/Kyiv"))
FIRST_ID, PEOPLE = 100, 400

FIELDS = {
    501: "textfield",
    502: "number",
    503: "decimal",
    504: "date",
    505: "datetime",
    506: "combobox",
    507: "checkboxlist",
}
EVENT_TYPES = {"cart": 601, "view": 602, "Купив": 603}
SITE_TYPES = {
    "pageViewed": 611,
    "productCategoryViewed": 612,
    "searchRequest": 613,
    "productViewed": 614,
    "productAddedToWishlist": 615,
    "cartUpdated": 616,
    "purchase": 617,
}
LISTS = (701, 702, 703)
CATEGORIES = {"news": 703}
SENDS = {801: "email", 802: "sms", 803: "email", 804: "email"}
CAMPAIGNS, MESSAGES = (851, 852), (861, 862, 863)
TAGS = ("spring", "Весна")
SPOKEN = ("uk", "en", "en-GB", "en-US", "es-AR")
LANGUAGES = ("uk", "en", "EN_gb", "es", "pt")
LINKS = ("https://shop.example/tea", "https://shop.example/Tea?a=1", "")
REASONS = ("too_often", "unsubscribed", "550 no such user", "stopped")
PRODUCTS = ("tea", "Tea", "mug", "10", "pot", "unknown")
STATUSES = ("DELIVERED", "IN_PROGRESS", "CANCELLED", "ABANDONED_SHOPPING_CART", "strange")

TEXTS = ("Kyiv", "kyiv", "KYIV", "Київ", "КИЇВ", "ИСПЫТАНИЕ", "İzmir", "izmir", "ΣΊΣΥΦΟΣ", "σίσυφοσ", "straße", "O'Hara",
         "50%", "a_b", "back\\slash", "x", "10", "9", "-1.5", "1e3", "2026-03-29")  # fmt: skip
DOMAINS = ("example.com", "example.org", "mail.example.com", "my_shop.example")
PHONES = ("38050", "1202555", "1416555", "447911", "4477977", "7701", "7912", "999")
SITES = {"21": "shop.example", "22": "blog.example"}
SYSTEMS = ("Android", "android", "iOS", "Windows")
CHOICES = ("red", "green", "blue", "")


def instants() -> list[datetime]:
    """Borders of days in the organisation's zone and in UTC, a microsecond around them, and far away."""
    borders = [
        MOMENT.start_of(date(2026, 3, 29) + timedelta(days=days))
        for days in (-400, -366, -30, -7, -1, 0, 1, 2, 7, 30)
    ] + [
        MOMENT.now,
        MOMENT.now - timedelta(hours=24),
        datetime(2026, 3, 29, tzinfo=UTC),
        datetime(2024, 2, 29, 12, tzinfo=UTC),
    ]
    return [at + timedelta(microseconds=around) for at in borders for around in (-1, 0, 1)]


def days() -> list[str]:
    near = [
        (date(2026, 3, 29) + timedelta(days=n)).isoformat()
        for n in (-400, -31, -30, -8, -7, -1, 0, 1, 7, 8, 30)
    ]
    return [*near, "1988-02-29", "1990-03-29", "1990-03-30", "2024-02-28", "1900-01-01", "2199-12-31"]


def populate(connection: psycopg.Connection[Any]) -> None:
    for org_id, seed in ((ORG, 1), (OTHER_ORG, 2)):
        _Population(connection, org_id, random.Random(seed)).write()
    connection.execute("analyze")


class _Population:
    def __init__(self, connection: psycopg.Connection[Any], org_id: int, rng: random.Random) -> None:
        self.connection = connection
        self.org_id = org_id
        self.rng = rng
        self.people = range(FIRST_ID, FIRST_ID + PEOPLE)

    def write(self) -> None:
        self.definitions()
        self.contacts()
        self.channels()
        self.products()
        self.orders()
        self.rfm()
        self.events()
        self.visits()
        self.messages()

    def copy(self, table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
        with (
            self.connection.cursor() as cursor,
            cursor.copy(f"copy {table} (org_id, {columns}) from stdin") as copy,
        ):
            for row in rows:
                copy.write_row((self.org_id, *row))

    def maybe(self, values: Sequence[Any], share: float = 0.7) -> Any:
        return self.rng.choice(values) if self.rng.random() < share else None

    def definitions(self) -> None:
        self.connection.execute(
            "insert into organisation (org_id, name, time_zone, currency) values (%s, 'Org', 'Europe/Kyiv', 'UAH')",
            [self.org_id],
        )
        self.copy("field_group", "group_id, name, key", [(1, "Personal", "PERSONAL")])
        self.copy(
            "field",
            "field_id, group_id, name, key, type",
            [(n, 1, f"F{n}", f"F{n}", kind) for n, kind in FIELDS.items()],
        )
        self.copy(
            "event_type",
            "event_type_id, key, name",
            [(n, key, key) for key, n in (EVENT_TYPES | SITE_TYPES).items()],
        )
        self.copy("segment", "segment_id, name, kind", [(n, f"List {n}", "static") for n in LISTS])
        self.copy(
            "subscription_category", "key, name, segment_id", [(key, key, n) for key, n in CATEGORIES.items()]
        )

    def contacts(self) -> None:
        moments = instants()
        rows, addresses = [], {}
        for n in self.people:
            email = self.maybe([f"{self.rng.choice('abcd')}{n // 2}@{domain}" for domain in DOMAINS])
            phone = self.maybe([f"{start}{n // 2:0{12 - len(start)}}" for start in PHONES], 0.5)
            for kind, value in (("email", email), ("phone", phone)):
                if value is not None:
                    addresses[kind, value] = self.state(moments)
            rows.append(
                (n, self.maybe([f"ext{n}", f"EXT{n}"]), self.maybe(TEXTS, 0.3), email, phone,
                 self.maybe(TEXTS), self.maybe(TEXTS), self.maybe([*TEXTS, *SPOKEN]), *(self.maybe(TEXTS) for _ in range(5)), json.dumps(self.fields()), self.rng.choice(["api", "import"]),
                 self.rng.choice(moments), self.rng.choice(moments), self.maybe(moments, 0.1))
            )  # fmt: skip
        self.copy(
            "contact",
            "contact_id, external_id, contact_key, email, phone, first_name, last_name, language, time_zone, region, "
            "town, street, postcode, fields, source, created_at, updated_at, deleted_at",
            rows,
        )
        self.copy(
            "address",
            "kind, value, confirmed, unsubscribed_at, complained_at, blacklisted_at, blocked_until, doubted_at, soft_bounces, "
            "unsubscribe_source, unsubscribe_reason, blacklist_reason",
            [(*key, *state) for key, state in addresses.items()],
        )

    def state(self, moments: list[datetime]) -> tuple[Any, ...]:
        return (
            self.rng.random() < 0.8,
            *(self.maybe(moments, 0.2) for _ in range(5)),
            self.rng.choice([0, 0, 1, 4]),
            *(self.maybe(REASONS, 0.5) for _ in range(3)),
        )

    def fields(self) -> dict[str, Any]:
        found = {
            "501": self.maybe(TEXTS),
            "502": self.maybe([0, 1, -5, 7, 2147483647, "12", "no number"]),
            "503": self.maybe([0.1, 1.5, -0.25, 100, 1e15]),
            "504": self.maybe(days()),
            "505": self.maybe([f"{day}T{time}" for day in days() for time in ("00:00", "23:59")]),
            "506": self.maybe(CHOICES),
            "507": self.maybe([[], ["red"], ["red", "green"], ["green", "blue", "red"], "red", "", None]),
        }
        return {key: value for key, value in found.items() if value is not None or self.rng.random() < 0.1}

    def channels(self) -> None:
        self.copy(
            "webpush_domain",
            "domain, service_worker_name, service_worker_path, service_worker_scope, app_id",
            [(domain, "w", "/", "/", app_id) for app_id, domain in SITES.items()],
        )
        moments = instants()
        self.copy(
            "push_token",
            "kind, app_id, token, contact_id, active, created_at, device",
            [
                (self.rng.choice(["webpush", "mobilepush"]), self.rng.choice(["", "app1", *SITES]), f"t{n}", self.rng.choice(self.people),
                 self.rng.random() < 0.7, self.rng.choice(moments), json.dumps({"os": self.maybe(SYSTEMS), "deviceModel": "x"}))
                for n in range(PEOPLE)
            ],
        )  # fmt: skip
        chosen = {(segment, self.rng.choice(self.people)) for segment in LISTS for _ in range(PEOPLE // 3)}
        self.copy(
            "segment_member",
            "segment_id, contact_id, joined_at",
            [(*member, self.rng.choice(moments)) for member in sorted(chosen)],
        )

    def products(self) -> None:
        moments = instants()
        self.copy(
            "product",
            "product_id, name, url, brand, price, in_stock, categories, tags, source, as_of, currency",
            [
                (product_id, self.maybe(TEXTS), self.maybe(TEXTS), self.maybe(TEXTS), self.maybe([0, 1.5, 10, "33.3333"]),
                 self.maybe([True, False]), json.dumps(self.rng.sample(TEXTS, self.rng.randrange(3))),
                 json.dumps({"color": self.rng.sample([*TEXTS, ""], 2)} if self.rng.random() < 0.7 else {}),
                 "feed", self.rng.choice(moments), self.maybe(["UAH", "USD"], 0.9))
                for product_id in PRODUCTS[:-1]
            ],
        )  # fmt: skip
        prices, flags = ["0.00", "9.00", "10.00", "33.3333", "100.00", None], [True, True, False, None]
        changes = {(self.rng.choice(moments), self.rng.choice(PRODUCTS)) for _ in range(PEOPLE)}
        self.copy(
            "product_change",
            "changed_at, product_id, old_price, price, currency, old_in_stock, in_stock",
            [
                (*change, self.rng.choice(prices), self.rng.choice(prices), self.rng.choice(["UAH", "UAH", "USD", None]),
                 self.rng.choice(flags), self.rng.choice(flags))
                for change in sorted(changes)
            ],
        )  # fmt: skip

    def orders(self) -> None:
        moments = instants()
        rows = [
            (n, str(n), self.maybe(self.people[: PEOPLE // 2], 0.95), self.rng.choice(STATUSES), self.rng.choice(["10.00", "0.01", "33.3333"]),
             self.rng.choice(["UAH", "UAH", "USD"]), self.rng.choice(moments), self.rng.choice(["online", "offline", ""]))
            for n in range(PEOPLE)
        ]  # fmt: skip
        self.copy(
            "orders",
            "order_id, external_order_id, contact_id, status, total, currency, ordered_at, source",
            rows,
        )
        self.copy(
            "order_item",
            "order_id, position, external_item_id, quantity",
            [
                (n, place, self.rng.choice(PRODUCTS), self.rng.choice(["0", "1", "2", "0.5", "-1"]))
                for n in range(PEOPLE)
                for place in range(self.rng.randrange(4))
            ],
        )
        self.connection.execute(
            """
            insert into contact_orders
            select org_id, contact_id, count(*) filter (where placed),
                   coalesce(sum(total) filter (where placed and currency = 'UAH'), 0),
                   min(ordered_at) filter (where placed), max(ordered_at) filter (where placed),
                   count(*) filter (where status = 'DELIVERED'),
                   coalesce(sum(total) filter (where status = 'DELIVERED' and currency = 'UAH'), 0),
                   min(ordered_at) filter (where status = 'DELIVERED'), max(ordered_at) filter (where status = 'DELIVERED')
            from (select *, status not in ('CANCELLED', 'ABANDONED_SHOPPING_CART') as placed from orders) as o
            where org_id = %s and contact_id is not null
            group by org_id, contact_id
            """,
            [self.org_id],
        )

    def rfm(self) -> None:
        moments = instants()
        self.copy(
            "contact_rfm",
            "grid, contact_id, recency, frequency, times, last_at, since",
            [
                (
                    grid,
                    contact,
                    self.rng.randint(1, 6),
                    self.rng.randint(1, 5),
                    1,
                    MOMENT.now,
                    self.rng.choice(moments),
                )
                for grid in ("mail", "sales")
                for contact in self.people
                if self.rng.random() < 0.7
            ],
        )

    def events(self) -> None:
        moments = instants()
        values = [*TEXTS, *days(), 5, 1.50, True, None, {"a": 1}, ["x"]]
        self.copy(
            "event",
            "event_type_id, contact_id, occurred_at, params",
            [
                (self.rng.choice(list(EVENT_TYPES.values())), self.maybe(self.people, 0.95), self.rng.choice(moments),
                 json.dumps(
                     {name: self.rng.choice(values) for name in ("price", "name") if self.rng.random() < 0.7}
                     | self.listed("goods", ["price", "name"], values)
                 ))
                for _ in range(PEOPLE * 3)
            ],
        )  # fmt: skip

    def visits(self) -> None:
        moments = instants()
        products = [*PRODUCTS, 10]
        self.copy(
            "event",
            "event_type_id, contact_id, occurred_at, params",
            [
                (SITE_TYPES[key], self.maybe(self.people, 0.95), self.rng.choice(moments), json.dumps(self.visit(key, products)))
                for key in SITE_TYPES
                for _ in range(PEOPLE // 2 * (3 if key in ("cartUpdated", "productViewed") else 1))
            ],
        )  # fmt: skip

    def visit(self, key: str, products: Sequence[Any]) -> dict[str, Any]:
        name = self.rng.choice(["productId", "productId", "productKey", "product_id"])
        match key:
            case "pageViewed":
                return self.listed("page", ["location"], TEXTS)
            case "productCategoryViewed":
                return self.listed("category", ["productCategoryId"], TEXTS)
            case "searchRequest":
                return {"search": self.rng.choice([*TEXTS, None, 5])}
            case "cartUpdated" | "purchase":
                return self.listed("products", [name, "price", "quantity"], [*products, "1.50", 2, "x", None])
        flat = {name: self.rng.choice(products), "price": self.rng.choice(["10", 0.1, "x"])}
        return self.listed("product", [name, "price"], products) or flat

    def listed(self, name: str, members: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
        """A list of things as all callers send it: JSON, its text, one thing alone, nothing sound."""
        things: list[Any] = [
            {member: self.rng.choice(values) for member in members if self.rng.random() < 0.8}
            for _ in range(self.rng.randrange(4))
        ]
        forms = [things, things, json.dumps(things), f"\n {json.dumps(things)}", [*things, "x", 5, None, ["y"]],
                 *things[:1], *map(json.dumps, things[:1]), "[1, 2", '["\\u0000"]', None]  # fmt: skip
        return {name: self.rng.choice(forms)} if self.rng.random() < 0.8 else {}

    def messages(self) -> None:
        moments = instants()
        started = min(moments)
        self.copy(
            "message",
            "message_id, channel, name, language, subscriptions_keys",
            [(n, "email", "", "en", keys) for n, keys in zip(MESSAGES, (["news"], ["gone", "news"], []), strict=True)],
        )  # fmt: skip
        about = zip(
            SENDS.items(),
            ("campaign", "campaign", "single", "test"),
            (CAMPAIGNS[0], CAMPAIGNS[1], None, None),
            (861, 862, 863, None),
            (["spring"], ["spring", "Весна"], [], ["Весна"]),
            strict=True,
        )
        self.copy(
            "send",
            "send_id, started_at, kind, channel, campaign_id, message_id, tags, marketing, provider_id, content_digest",
            [
                (n, started, kind, channel, campaign, message, tags, True, 1, "")
                for (n, channel), kind, campaign, message, tags in about
            ],
        )
        self.copy(
            "send_variant",
            "send_id, variant, name, first_ordinal, last_ordinal",
            [(801, 1, "A", 0, 49), (801, 2, "B", 50, 99), (801, 0, "", 100, 299), (801, 3, "C", None, None), (802, 1, "A", 5, 5)],
        )  # fmt: skip
        deliveries, activity = [], []
        for send_id, channel in SENDS.items():
            for ordinal in range(PEOPLE // 2):
                contact = self.rng.choice(self.people)
                at = self.rng.choice(moments)
                outcome = self.rng.choice(["sent", "sent", "failed", "dropped"])
                address = self.maybe([f"{ordinal}@{domain}" for domain in DOMAINS])
                language = self.maybe(SPOKEN)
                deliveries.append(
                    (started, send_id, ordinal, contact, address, outcome, self.maybe(REASONS), language, at)
                )
                activity += self.activity(send_id, ordinal, contact, channel, at)
        self.copy(
            "delivery",
            "send_started_at, send_id, ordinal, contact_id, address, outcome, reason, language, at",
            deliveries,
        )
        self.copy("activity", "at, send_id, ordinal, contact_id, channel, status, detail, meta", activity)
        left = [row for row in activity if row[5] == "UNSUBSCRIBED" and self.rng.random() < 0.7]
        self.copy(
            "consent_log",
            "kind, value, contact_id, send_id, action, source, reason",
            [
                ("email", "x", contact, send_id, self.rng.choice(["unsubscribed", "unsubscribed", "resubscribed"]), "link",
                 self.maybe(REASONS))
                for _, send_id, _, contact, *_ in left
            ],
        )  # fmt: skip

    def activity(
        self, send_id: int, ordinal: int, contact: int, channel: str, sent: datetime
    ) -> list[tuple[Any, ...]]:
        """What became of a message: soon after it was sent, or whenever."""
        found = []
        for status in ("DELIVERED", "UNDELIVERED", "READ", "READ", "CLICKED", "UNSUBSCRIBED", "SPAM"):
            if self.rng.random() < 0.4:
                soon = [
                    sent + timedelta(seconds=seconds) for seconds in (-1, 0, 0.5, 3600, 3600.000001, 86_400)
                ]
                at = self.rng.choice(soon if self.rng.random() < 0.5 else instants())
                meta = self.maybe(['{"machine": "scanner"}', '{"machine": ""}', "{}"], 0.4)
                detail = self.maybe(LINKS if status == "CLICKED" else REASONS)
                found.append((at, send_id, ordinal, contact, channel, status, detail, meta))
        return found
