"""The two clients and all their methods in one list."""

from __future__ import annotations

from perigee.client import (
    accounts,
    apps,
    bounces,
    campaigns,
    consent,
    contacts,
    destinations,
    domains,
    duplicates,
    events,
    exports,
    imports,
    messages,
    orders,
    people,
    promocodes,
    providers,
    rfm,
    sandbox,
    segments,
    senders,
    sites,
)
from perigee.client.method import Asynchronous, Blocking, method
from perigee.client.transport import Patience, Transport


class Methods:
    """What both clients can do; each line names the function that does it."""

    account_info = method(accounts.account_info)
    get_organisation = method(accounts.get_organisation)
    update_organisation = method(accounts.update_organisation)
    list_api_keys = method(accounts.list_api_keys)
    create_api_key = method(accounts.create_api_key)
    enable_api_key = method(accounts.enable_api_key)
    delete_api_key = method(accounts.delete_api_key)

    import_contacts = method(contacts.import_contacts)
    import_status = method(contacts.import_status)
    wait_for_import = method(contacts.wait_for_import)
    get_contact = method(contacts.get_contact)
    search_contacts = method(contacts.search_contacts)
    unsubscribe_emails = method(contacts.unsubscribe_emails)
    resubscribe_emails = method(contacts.resubscribe_emails)
    list_fields = method(contacts.list_fields)

    export_person_data = method(people.export_person_data)
    list_deleted_contacts = method(people.list_deleted_contacts)
    delete_contacts = method(people.delete_contacts)
    restore_contact = method(people.restore_contact)

    list_duplicates = method(duplicates.list_duplicates)
    count_duplicates = method(duplicates.count_duplicates)
    merge_contacts = method(duplicates.merge_contacts)
    list_merges = method(duplicates.list_merges)
    undo_merge = method(duplicates.undo_merge)
    merge_duplicates = method(duplicates.merge_duplicates)
    merge_run = method(duplicates.merge_run)
    cancel_merge_run = method(duplicates.cancel_merge_run)
    wait_for_merge_run = method(duplicates.wait_for_merge_run)
    upload_import = method(imports.upload_import)
    get_import = method(imports.get_import)
    list_imports = method(imports.list_imports)
    preview_import = method(imports.preview_import)
    start_import = method(imports.start_import)
    cancel_import = method(imports.cancel_import)
    wait_for_file_import = method(imports.wait_for_file_import)
    import_report = method(imports.import_report)
    list_import_schemes = method(imports.list_import_schemes)
    get_import_scheme = method(imports.get_import_scheme)
    create_import_scheme = method(imports.create_import_scheme)
    change_import_scheme = method(imports.change_import_scheme)
    delete_import_scheme = method(imports.delete_import_scheme)

    unsubscribe_reasons = method(consent.unsubscribe_reasons)
    consent_history = method(consent.consent_history)

    add_orders = method(orders.add_orders)
    order_summary = method(orders.order_summary)
    list_orders = method(orders.list_orders)
    get_order = method(orders.get_order)
    change_order = method(orders.change_order)
    delete_order = method(orders.delete_order)

    list_event_types = method(events.list_event_types)
    create_event_type = method(events.create_event_type)
    update_event_type = method(events.update_event_type)
    delete_event_type = method(events.delete_event_type)
    event_figures = method(events.event_figures)
    event_type_days = method(events.event_type_days)
    list_events = method(events.list_events)
    record_events = method(events.record_events)
    list_event_errors = method(events.list_event_errors)

    rfm_grid = method(rfm.rfm_grid)
    change_rfm_grid = method(rfm.change_rfm_grid)
    rfm_contacts = method(rfm.rfm_contacts)
    export_rfm_cell = method(rfm.export_rfm_cell)
    rfm_moves = method(rfm.rfm_moves)

    start_export = method(exports.start_export)
    list_exports = method(exports.list_exports)
    get_export = method(exports.get_export)
    wait_for_export = method(exports.wait_for_export)
    save_export = method(exports.save_export)
    cancel_export = method(exports.cancel_export)
    delete_export = method(exports.delete_export)

    list_sites = method(sites.list_sites)
    check_site = method(sites.check_site)
    contact_cart = method(sites.contact_cart)

    list_segments = method(segments.list_segments)
    create_list = method(segments.create_list)
    create_dynamic_segment = method(segments.create_dynamic_segment)
    count_segment = method(segments.count_segment)
    preview_condition = method(segments.preview_condition)
    explain_segment = method(segments.explain_segment)
    get_segment = method(segments.get_segment)
    recalculate_segment = method(segments.recalculate_segment)
    segment_growth = method(segments.segment_growth)
    segment_changes = method(segments.segment_changes)
    contact_segments = method(segments.contact_segments)
    attach_contacts = method(segments.attach_contacts)
    detach_contacts = method(segments.detach_contacts)
    segment_contacts = method(segments.segment_contacts)
    split_segment = method(segments.split_segment)
    copy_segment = method(segments.copy_segment)
    delete_segment = method(segments.delete_segment)
    change_segment_tags = method(segments.change_segment_tags)

    create_message = method(messages.create_message)
    list_messages = method(messages.list_messages)
    get_message = method(messages.get_message)
    change_message = method(messages.change_message)
    change_message_tags = method(messages.change_message_tags)

    create_campaign = method(campaigns.create_campaign)
    get_campaign = method(campaigns.get_campaign)
    list_campaigns = method(campaigns.list_campaigns)
    campaign_audience = method(campaigns.campaign_audience)
    launch_campaign = method(campaigns.launch_campaign)
    pause_campaign = method(campaigns.pause_campaign)
    resume_campaign = method(campaigns.resume_campaign)
    stop_campaign = method(campaigns.stop_campaign)
    approve_campaign = method(campaigns.approve_campaign)
    leave_local_time = method(campaigns.leave_local_time)
    send_rest = method(campaigns.send_rest)
    choose_winner = method(campaigns.choose_winner)
    sending_rules = method(campaigns.sending_rules)
    put_sending_rules = method(campaigns.put_sending_rules)
    campaign_progress = method(campaigns.campaign_progress)
    campaign_report = method(campaigns.campaign_report)
    campaign_recipients = method(campaigns.campaign_recipients)
    campaign_recipients_csv = method(campaigns.campaign_recipients_csv)
    campaign_breakdown = method(campaigns.campaign_breakdown)
    campaign_revenue = method(campaigns.campaign_revenue)
    campaign_purchases = method(campaigns.campaign_purchases)
    get_revenue_rules = method(campaigns.get_revenue_rules)
    set_revenue_rules = method(campaigns.set_revenue_rules)

    add_provider = method(providers.add_provider)
    list_providers = method(providers.list_providers)
    change_provider = method(providers.change_provider)
    remove_provider = method(providers.remove_provider)
    list_destinations = method(destinations.list_destinations)
    limit_destination = method(destinations.limit_destination)
    forget_destination = method(destinations.forget_destination)

    add_webhook_intake = method(bounces.add_webhook_intake)
    list_webhook_intakes = method(bounces.list_webhook_intakes)
    remove_webhook_intake = method(bounces.remove_webhook_intake)
    add_bounce_mailbox = method(bounces.add_bounce_mailbox)
    list_bounce_mailboxes = method(bounces.list_bounce_mailboxes)
    test_bounce_mailbox = method(bounces.test_bounce_mailbox)
    remove_bounce_mailbox = method(bounces.remove_bounce_mailbox)

    add_app = method(apps.add_app)
    list_apps = method(apps.list_apps)
    remove_app = method(apps.remove_app)
    app_credentials = method(apps.app_credentials)
    set_app_credentials = method(apps.set_app_credentials)

    add_domain = method(domains.add_domain)
    list_domains = method(domains.list_domains)
    get_domain = method(domains.get_domain)
    change_domain = method(domains.change_domain)
    verify_domain = method(domains.verify_domain)
    rotate_domain = method(domains.rotate_domain)
    remove_domain = method(domains.remove_domain)

    add_sender = method(senders.add_sender)
    list_senders = method(senders.list_senders)
    delete_sender = method(senders.delete_sender)

    store_promo_codes = method(promocodes.store_promo_codes)
    list_promo_codes = method(promocodes.list_promo_codes)
    count_promo_codes = method(promocodes.count_promo_codes)

    list_sandbox = method(sandbox.list_sandbox)
    get_sandbox_message = method(sandbox.get_sandbox_message)


class AsyncClient(Asynchronous, Methods):
    def __init__(
        self, url: str, key: str, *, patience: Patience | None = None, connections: int = 16
    ) -> None:
        """`url` is where the server is, `key` an API key. Connects with the first call."""
        super().__init__(Transport(url, key, patience=patience, connections=connections))


class Client(Blocking, Methods):
    def __init__(self, url: str, key: str, *, patience: Patience | None = None) -> None:
        """`url` is where the server is, `key` an API key. Connects with the first call; `close` it at the end."""
        super().__init__(Transport(url, key, patience=patience))
