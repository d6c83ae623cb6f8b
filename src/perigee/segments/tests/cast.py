"""Five people whom everybody can keep in mind, for the table of cases.

The moment is Sunday, 29 March 2026, 13:30 in Kyiv, the day on which clocks jumped from 3 to 4.
"""

from __future__ import annotations

from typing import Any

import psycopg

from perigee.segments.leaves.fields import STORED
from perigee.segments.world import Catalogue

ORG = 7101
ALICE, BOB, CHARLIE, DORA, EVE = 1, 2, 3, 4, 5
NAMES = {ALICE: "Alice", BOB: "Bob", CHARLIE: "Charlie", DORA: "Dora", EVE: "Eve"}
"""Eve is deleted: nothing ever holds for her."""

VIP, BUYERS, NEWS_LIST, IN_KYIV = 10, 11, 12, 13
FIELDS = dict(enumerate(STORED, 501))
FIELD = {kind: n for n, kind in FIELDS.items()}

CATALOGUE = Catalogue(
    currency="UAH",
    fields=FIELDS,
    event_types={
        "cart": 601,
        "visit": 602,
        "pageViewed": 611,
        "productCategoryViewed": 612,
        "searchRequest": 613,
        "productViewed": 614,
        "productAddedToWishlist": 615,
        "cartUpdated": 616,
        "purchase": 617,
    },
    categories={"news": NEWS_LIST},
    campaigns=frozenset({851}),
    messages=frozenset({861}),
    lists=frozenset({VIP, BUYERS, NEWS_LIST}),
)

_SCRIPT = """
insert into organisation (org_id, name, time_zone, currency) values (7101, 'Shop', 'Europe/Kyiv', 'UAH');
insert into contact (org_id, contact_id, external_id, email, phone, first_name, last_name, language, time_zone, region,
                     town, street, postcode, contact_key, source, created_at, updated_at, deleted_at, fields) values
  (7101, 1, 'CRM-1', 'alice@example.com', '380501112201', 'Alice', 'Ant', 'uk', 'Europe/Kyiv', 'Kyivska', 'Kyiv',
   '1 Sample St', '01001', 'k-1', 'import', '2026-03-28 22:00+00', '2026-03-29 10:00+00', null,
   '{"501": "Gold card", "502": "long\\nnote", "503": 7, "504": 12.5, "505": "1990-03-29", "506": "2026-03-29T09:00",
     "507": "red", "508": ["red", "green"]}'),
  (7101, 2, 'CRM-2', 'bob@example.org', null, 'Bob', null, 'en', null, null, 'Lviv', null, null, null, 'api',
   '2026-03-28 21:59:59+00', '2026-03-20 10:00+00', null,
   '{"501": "silver", "503": 10, "505": "1988-02-29", "506": "2026-03-28T23:59", "507": "green", "508": ["green"]}'),
  (7101, 3, null, null, '380501112203', 'Charlie', 'Chap', null, null, null, 'KYIV', null, null, null, 'form',
   '2025-03-29 09:00+00', '2025-03-29 09:00+00', null, '{}'),
  (7101, 4, 'crm-4', 'dora@mail.example.com', null, null, null, 'uk', null, null, null, null, null, null, 'api',
   '2026-02-01 00:00+00', '2026-02-01 00:00+00', null, '{"503": "no number", "508": []}'),
  (7101, 5, 'CRM-5', 'eve@example.com', '380501112205', 'Eve', 'Ant', 'uk', 'Europe/Kyiv', 'Kyivska', 'Kyiv',
   '1 Sample St', '01001', 'k-5', 'import', '2026-03-29 10:00+00', '2026-03-29 10:00+00', '2026-03-29 10:00+00',
   '{"501": "Gold card", "503": 7, "505": "1990-03-29", "507": "red", "508": ["red", "green"]}');
insert into address (org_id, kind, value, confirmed, unsubscribed_at, complained_at, blacklisted_at, blocked_until) values
  (7101, 'email', 'alice@example.com', true, null, null, null, null),
  (7101, 'email', 'bob@example.org', true, '2026-03-01', '2026-03-01', null, '2026-03-29 10:30+00'),
  (7101, 'email', 'dora@mail.example.com', false, null, null, null, '2026-03-29 10:31+00'),
  (7101, 'email', 'eve@example.com', true, null, null, null, null),
  (7101, 'phone', '380501112201', true, null, null, '2026-03-01', null),
  (7101, 'phone', '380501112203', true, null, null, null, null);
update address set unsubscribe_source = 'link', unsubscribe_reason = 'too_often', soft_bounces = 2,
                   doubted_at = '2026-03-27 12:00+00' where org_id = 7101 and value = 'bob@example.org';
update address set blacklist_reason = 'no_mailbox' where org_id = 7101 and blacklisted_at is not null;
insert into webpush_domain (org_id, domain, service_worker_name, service_worker_path, service_worker_scope, app_id) values
  (7101, 'shop.example', 'w', '/', '/', 21);
insert into push_token (org_id, kind, app_id, token, contact_id, active, created_at, device) values
  (7101, 'webpush', 'shop', 'a', 1, true, '2026-01-01', '{}'),
  (7101, 'webpush', '21', 'd', 1, true, '2026-03-29 09:00+00', '{"os": "Windows", "userAgent": "Firefox"}'),
  (7101, 'mobilepush', 'app', 'b', 2, false, '2026-01-01', '{"os": "Android"}'),
  (7101, 'telegram', 'bot', 'e', 3, true, '2026-01-01', '{}'),
  (7101, 'webpush', 'blog', 'c', 5, true, '2026-01-01', '{}');
insert into segment (org_id, segment_id, name, kind) values
  (7101, 10, 'VIP', 'static'), (7101, 11, 'Buyers', 'static'), (7101, 12, 'News', 'static');
insert into segment (org_id, segment_id, name, kind, condition) values
  (7101, 13, 'In Kyiv', 'dynamic', '{"is": "field", "field": "town", "test": {"op": "equals", "value": "kyiv"}}');
insert into segment_member (org_id, segment_id, contact_id, joined_at) values
  (7101, 10, 1, '2026-03-28 22:00+00'), (7101, 10, 2, '2026-03-28 21:59:59+00'), (7101, 10, 5, '2026-03-29'),
  (7101, 11, 2, '2026-01-01'), (7101, 11, 3, '2026-01-01'), (7101, 12, 1, '2026-03-01');
insert into subscription_category (org_id, key, name, segment_id) values (7101, 'news', 'News', 12);
insert into event_type (org_id, event_type_id, key, name) values (7101, 601, 'cart', 'Cart'), (7101, 602, 'visit', 'Visit');
insert into event (org_id, event_type_id, contact_id, occurred_at, params) values
  (7101, 601, 1, '2026-03-29 10:00+00', '{"price": "100", "name": "Tea", "until": "2026-04-01",
    "goods": [{"sku": "tea", "number": 2}, {"sku": "mug", "number": 1}]}'),
  (7101, 601, 1, '2026-03-28 12:00+00', '{"price": 20.5, "name": "tea", "goods": "[{\\"sku\\": \\"pot\\"}]"}'),
  (7101, 601, 2, '2026-03-20 12:00+00', '{"price": "cheap", "name": "Mug"}'),
  (7101, 602, 2, '2026-03-29 10:15+00', '{}'),
  (7101, 601, 5, '2026-03-29 10:00+00', '{"price": "100", "name": "Tea"}');
insert into event_type (org_id, event_type_id, key, name) values
  (7101, 611, 'pageViewed', 'P'), (7101, 612, 'productCategoryViewed', 'C'), (7101, 613, 'searchRequest', 'S'),
  (7101, 614, 'productViewed', 'V'), (7101, 615, 'productAddedToWishlist', 'W'), (7101, 616, 'cartUpdated', 'U'),
  (7101, 617, 'purchase', 'B');
insert into event (org_id, event_type_id, contact_id, occurred_at, params) values
  (7101, 611, 1, '2026-03-29 10:00+00', '{"page": {"location": "https://shop.example.com/news"}}'),
  (7101, 611, 2, '2026-03-29 10:00+00', '{"page": "{\\"location\\": \\"https://shop.example.com/sale\\"}"}'),
  (7101, 612, 2, '2026-03-29 10:00+00', '{"category": {"productCategoryId": "mugs"}}'),
  (7101, 613, 2, '2026-03-29 10:00+00', '{"search": "Blue MUG", "isFound": 1}'),
  -- Alice viewed tea this morning and put it in a cart that she filled again; Bob's cart is four days old, and he
  -- ordered a mug after it; Charlie emptied his cart; Dora viewed a mug yesterday and left.
  (7101, 614, 1, '2026-03-29 06:00+00', '{"product": {"productId": "tea", "price": 9.5}}'),
  (7101, 616, 1, '2026-03-29 06:10+00', '{"products": [{"productId": "tea", "price": 9.5, "quantity": 1}]}'),
  (7101, 616, 1, '2026-03-29 06:20+00', '{"products": [{"productId": "tea", "price": 9.5, "quantity": 2},
    {"productKey": "mug", "price": "90"}]}'),
  (7101, 616, 2, '2026-03-25 09:00+00', '{"products": "[{\\"productId\\": \\"mug\\"}]"}'),
  (7101, 616, 3, '2026-03-29 08:00+00', '{"products": [{"productId": "tea", "quantity": 1}]}'),
  (7101, 616, 3, '2026-03-29 08:30+00', '{"products": []}'),
  (7101, 614, 4, '2026-03-28 09:00+00', '{"product": "{\\"productId\\": \\"mug\\"}"}'),
  (7101, 614, 4, '2026-03-28 10:00+00', '{"productId": "pot"}'),
  (7101, 615, 4, '2026-03-01 09:00+00', '{"product": {"productId": "mug"}}'),
  (7101, 616, 5, '2026-03-29 06:20+00', '{"products": [{"productId": "tea", "price": 9.5, "quantity": 2}]}'),
  (7101, 617, 3, '2026-03-29 10:00+00', '{"products": [{"product_id": "cup", "price": 70}], "externalOrderId": "o5"}');
insert into orders (org_id, order_id, external_order_id, contact_id, status, total, currency, ordered_at, source) values
  (7101, 1, 'o1', 1, 'DELIVERED', 100, 'UAH', '2026-03-10 12:00+00', 'online'),
  (7101, 2, 'o2', 1, 'DELIVERED', 50.5, 'UAH', '2025-12-01 12:00+00', 'offline'),
  (7101, 3, 'o3', 1, 'CANCELLED', 999, 'UAH', '2026-03-28 12:00+00', 'online'),
  (7101, 4, 'o4', 2, 'IN_PROGRESS', 10, 'UAH', '2026-03-29 10:00+00', 'online'),
  (7101, 5, 'o5', 3, 'DELIVERED', 70, 'USD', '2026-03-29 10:00+00', 'online'),
  (7101, 6, 'o6', 5, 'DELIVERED', 100, 'UAH', '2026-03-10 12:00+00', 'online');
insert into order_item (org_id, order_id, position, external_item_id, quantity) values
  (7101, 1, 0, 'mug', 2), (7101, 1, 1, 'tea', 1), (7101, 2, 0, 'tea', 3), (7101, 3, 0, 'pot', 1), (7101, 4, 0, 'mug', 1),
  (7101, 5, 0, 'cup', 1), (7101, 6, 0, 'tea', 1);
insert into product (org_id, product_id, name, brand, url, price, currency, in_stock, categories, tags, source, as_of) values
  (7101, 'tea', 'Green tea', 'Leaf', 'https://shop.example.com/tea', 9.5, 'UAH', true, '["Drinks > Tea", "Sale"]',
   '{"color": ["green", "pale"]}', 'feed', '2026-03-29'),
  (7101, 'mug', 'Blue mug', 'Clay', null, 90, 'UAH', false, '["Kitchen"]', '{"color": ["Blue"]}', 'feed', '2026-03-29'),
  (7101, 'pot', 'Tea pot', null, null, null, null, null, '[]', '{}', 'order', '2026-03-29'),
  (7101, 'jug', 'Jug', null, null, 70, 'UAH', true, '[]', '{}', 'feed', '2026-03-29');
insert into contact_rfm (org_id, grid, contact_id, recency, frequency, times, last_at, since) values
  (7101, 'sales', 1, 2, 2, 2, '2026-03-10 12:00+00', '2026-03-25'), (7101, 'sales', 3, 1, 1, 1, '2026-03-29', '2026-03-29'),
  (7101, 'sales', 5, 2, 1, 1, '2026-03-10 12:00+00', '2026-03-25'), (7101, 'mail', 1, 1, 1, 1, '2026-03-29', '2026-03-28');
insert into product_change (org_id, changed_at, product_id, old_price, price, currency, old_in_stock, in_stock) values
  (7101, '2026-03-29 05:00+00', 'tea', 12, 10, 'UAH', true, true),
  (7101, '2026-03-29 07:00+00', 'tea', 10, 9.5, 'UAH', true, true),
  (7101, '2026-03-27 07:00+00', 'mug', 100, 90, 'UAH', false, true),
  (7101, '2026-03-26 07:00+00', 'jug', 70, 70, 'UAH', false, true);
insert into event (org_id, event_type_id, contact_id, occurred_at, params) values
  (7101, 615, 4, '2026-03-20 09:00+00', '{"product": {"productId": "jug"}}');
insert into contact_orders values
  (7101, 1, 2, 150.5, '2025-12-01 12:00+00', '2026-03-10 12:00+00', 2, 150.5, '2025-12-01 12:00+00', '2026-03-10 12:00+00'),
  (7101, 2, 1, 10, '2026-03-29 10:00+00', '2026-03-29 10:00+00', 0, 0, null, null),
  (7101, 3, 1, 0, '2026-03-29 10:00+00', '2026-03-29 10:00+00', 1, 0, '2026-03-29 10:00+00', '2026-03-29 10:00+00'),
  (7101, 5, 1, 100, '2026-03-10 12:00+00', '2026-03-10 12:00+00', 1, 100, '2026-03-10 12:00+00', '2026-03-10 12:00+00');
insert into message (org_id, message_id, channel, name, language, subscriptions_keys) values
  (7101, 861, 'email', 'Spring', 'en', '{news}');
insert into campaign (org_id, campaign_id, title, message_id, channel, include) values
  (7101, 851, 'Spring', 861, 'email', '{10}');
insert into send (org_id, send_id, started_at, kind, channel, campaign_id, message_id, tags, marketing, provider_id,
                  content_digest) values
  (7101, 801, '2026-03-28 10:00+00', 'campaign', 'email', 851, 861, '{spring,sale}', true, 1, ''),
  (7101, 802, '2026-03-01 10:00+00', 'single', 'sms', null, null, '{}', true, 1, '');
insert into send_variant (org_id, send_id, variant, name, first_ordinal, last_ordinal) values
  (7101, 801, 1, 'A', 0, 0), (7101, 801, 2, 'B', 1, 2);
insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, address, outcome, reason, language, at) values
  (7101, '2026-03-28 10:00+00', 801, 0, 1, 'alice@example.com', 'sent', null, 'uk', '2026-03-28 10:01+00'),
  (7101, '2026-03-28 10:00+00', 801, 1, 2, 'bob@example.org', 'failed', null, 'en-GB', '2026-03-28 10:01+00'),
  (7101, '2026-03-28 10:00+00', 801, 2, 5, 'eve@example.com', 'sent', null, 'uk', '2026-03-28 10:01+00'),
  (7101, '2026-03-28 10:00+00', 801, 3, 4, null, 'dropped', 'unconfirmed', null, '2026-03-28 10:00+00'),
  (7101, '2026-03-01 10:00+00', 802, 0, 1, '380501112201', 'sent', null, null, '2026-03-01 10:01+00');
insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, detail) values
  (7101, '2026-03-28 10:01+00', 801, 1, 2, 'email', 'UNDELIVERED', '550 No such user'),
  (7101, '2026-03-28 12:00+00', 801, 0, 1, 'email', 'CLICKED', 'https://shop.example/tea'),
  (7101, '2026-03-02 12:00+00', 802, 0, 1, 'sms', 'CLICKED', 'https://shop.example/mug');
insert into consent_log (org_id, kind, value, contact_id, action, source, reason, send_id) values
  (7101, 'email', 'bob@example.org', 2, 'unsubscribed', 'link', 'too_often', 801);
insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status) values
  (7101, '2026-03-28 11:00+00', 801, 0, 1, 'email', 'DELIVERED'),
  (7101, '2026-03-28 12:00+00', 801, 0, 1, 'email', 'READ'), (7101, '2026-03-29 09:00+00', 801, 0, 1, 'email', 'READ'),
  (7101, '2026-03-28 12:00+00', 801, 1, 2, 'email', 'UNSUBSCRIBED'), (7101, '2026-03-28 12:00+00', 801, 1, 2, 'email', 'SPAM'),
  (7101, '2026-03-28 12:00+00', 801, 2, 5, 'email', 'READ');
insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, meta) values
  (7101, '2026-03-28 12:00+00', 801, 1, 2, 'email', 'READ', '{"machine": "proxy"}');
"""


def enter(connection: psycopg.Connection[Any]) -> None:
    """Writes the cast down in an empty database."""
    connection.execute(_SCRIPT)
    connection.execute(
        "insert into field_group (org_id, group_id, name, key) values (7101, 1, 'Personal', 'PERSONAL')"
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into field (org_id, field_id, group_id, name, key, type) values (7101, %s, 1, %s, %s, %s)",
            [(n, kind, kind.upper(), kind) for n, kind in FIELDS.items()],
        )
