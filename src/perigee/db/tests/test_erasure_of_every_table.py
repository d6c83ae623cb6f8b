"""A new table must be erased with the person (contacts/erasure), or be said here to hold nothing of one: it cannot be
forgotten."""

from __future__ import annotations

from perigee.db.pool import Database

ERASED = {
    "activity": "contact 0, without the provider's text and the device",
    "address": "deleted when nobody else has it; a suppressed one leaves a keyed hash",
    "bounce_mail": "deleted by contact, and where the address is in the mail",
    "consent_log": "deleted by contact and by address",
    "contact": "deleted",
    "contact_import": "rows waiting, mapping and sentences about them taken out",
    "contact_merge": "deleted with the survivor or the merged contact",
    "contact_moved": "deleted with its merge",
    "contact_orders": "deleted",
    "contact_rfm": "deleted",
    "contact_upload_step": "number becomes 0",
    "content_link": "of words written for them alone, deleted",
    "data_value": "deleted by email",
    "delivery": "contact 0, without address and the provider's text",
    "erased_contact": "the number, for the minutes until the sweep",
    "event_error": "deleted where an identifier of theirs is anywhere in it",
    "event": "deleted; of nobody's events those that hold an identifier of theirs",
    "export": "the request emptied, where they may be in the file or are named",
    "export_person": "deleted",
    "export_piece": "deleted with every file that may hold them",
    "idempotency_key": "the kept answer emptied, or all of it when the key names them",
    "import_chunk": "files that wait are deleted; one that runs is, when it ends",
    "import_remark": "value and rule emptied",
    "import_step": "number taken out",
    "inbox_message": "deleted",
    "inbox_session": "deleted",
    "late_bounce": "the provider's text emptied",
    "order_item": "details emptied",
    "orders": "contact and details emptied; sums stay",
    "page_mark": "deleted",
    "procrastinate_jobs": "number taken out of the arguments",
    "promo_code": "contact emptied",
    "push_token": "deleted",
    "rfm_move": "deleted",
    "sandbox_message": "deleted",
    "segment_change": "deleted",
    "segment_dirty": "the number, for the moment until it is worked in",
    "segment_live": "deleted",
    "segment_member": "deleted",
    "send_batch": "number becomes 0",
    "send_content": "of words written for them alone, deleted",
    "send_recipient": "deleted",
    "send_retry": "recipient 0, without the provider's text",
    "smpp_stray": "deleted",
    "visitor": "deleted",
    "waiting_report": "the provider's text emptied",
    "webpush_subscription": "deleted with its token",
}

NOTHING_OF_PEOPLE = {
    "api_key": "the organisation's own",
    "api_token": "the organisation's own",
    "app": "the organisation's own",
    "best_seller": "goods",
    "bounce_mailbox": "the organisation's own mailbox",
    "campaign": "segments and a title",
    "contact_tally": "a count",
    "contact_upload": "a sealed link to a file of the organisation's own",
    "data_file": "counts",
    "data_file_load": "a sealed link to a file of the organisation's own",
    "delivery_report": "which message, which report; the message is nobody's any more",
    "destination": "mail domains",
    "destination_state": "mail domains",
    "dkim_pair": "keys",
    "erased_address": "keyed hashes",
    "erasure_key": "the key of those hashes",
    "event_type": "names and rules",
    "experiment": "figures",
    "file_import": "a name of a file and figures",
    "import_scheme": "headings and options",
    "field": "names and rules",
    "field_group": "names",
    "login_user": "staff, who are no contacts",
    "member_tally": "a count",
    "membership": "staff",
    "merge_run": "counts",
    "message": "the marketer's words for everybody",
    "message_version": "the marketer's words for everybody",
    "organisation": "settings",
    "pace": "names of providers and destinations",
    "product": "goods",
    "product_change": "what changed about goods",
    "product_feed": "links to goods",
    "provider": "settings of providers",
    "provider_message": "a provider's number of a message; the message is nobody's any more",
    "rate_bucket": "names of limits",
    "recent_request": "hashes",
    "recommendation_source": "rules",
    "rfm_grid": "borders of cells",
    "segment": "the marketer's own words and rules; a rule that names one person is theirs to take out",
    "segment_growth": "counts",
    "segment_state": "counts and times",
    "segment_watch": "kinds of change",
    "send": "what was sent to how many",
    "send_variant": "parts of a send",
    "sender": "the organisation's own addresses",
    "sender_domain": "the organisation's own domains",
    "site_domain": "the organisation's own sites",
    "subscription_category": "names",
    "tracked_once": "numbers of orders and carts",
    "visitor_event": "a browser's number, of nobody we know",
    "webhook_intake": "keys",
    "webpush_domain": "the organisation's own sites",
    "workflow": "names",
}

OF_LIBRARIES = frozenset(
    {"_yoyo_log", "_yoyo_migration", "_yoyo_version", "yoyo_lock", "yoyo_tmp"}
    | {"procrastinate_events", "procrastinate_periodic_defers", "procrastinate_workers"}
)

TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
"""


async def test_every_table_is_erased_or_holds_nothing_of_a_person(db: Database) -> None:
    async with db.connection() as conn:
        tables = {name for (name,) in await (await conn.execute(TABLES)).fetchall()} - OF_LIBRARIES
    known = ERASED.keys() | NOTHING_OF_PEOPLE.keys()
    assert tables - known == set(), (
        "new tables: write a line here (NOTHING_OF_PEOPLE: what it holds; or ERASED: how), "
        "and erase those in contacts/erasure/queries.sql"
    )
    assert known - tables == set()
    assert ERASED.keys() & NOTHING_OF_PEOPLE.keys() == set()
