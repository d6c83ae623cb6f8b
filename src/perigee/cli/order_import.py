"""`perigee orders import`: a file of orders, from the upload to the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from perigee.cli.file_import import Dates, DecimalSign, Wishes, bring
from perigee.cli.remote import HERE, Server, TextFile
from perigee.errors import OperatorError


def import_file(
    file: TextFile,
    /,
    *,
    map_to: Annotated[list[str] | None, Parameter(name="--map", negative="")] = None,
    unmatched: Literal["keep", "create", "skip"] = "keep",
    status: str | None = None,
    status_word: Annotated[list[str] | None, Parameter(name="--status-word", negative="")] = None,
    currency: str | None = None,
    source: Literal["online", "offline"] | None = None,
    events: Annotated[bool, Parameter(negative="")] = False,
    scheme: str | None = None,
    save_scheme: str | None = None,
    dates: Dates = "auto",
    decimal_sign: DecimalSign = "auto",
    preview: Annotated[bool, Parameter(negative="")] = False,
    report: Path | None = None,
    server: Server = HERE,
) -> None:
    """Add or update the orders of a file: CSV, TSV, XLSX or JSON Lines.

    A row is an order; with a column of item ids it is an item, and neighbours with the same order id are one order. An
    order with a value that breaks a rule is left out with all its rows. Exit code 3 if something was not saved.

    Parameters
    ----------
    file
        The file; `-` is standard input.
    map_to
        What a column means, as HEADING=TARGET or NUMBER=TARGET (from 1), such as "Sum=total"; may be given several
        times. Targets: order_id, date, status, total, currency, external_customer_id, email, phone, first_name,
        last_name, source, shipping, discount, taxes, delivery_method, payment_method, delivery_address, store_id,
        status_description, restore_url, additional_info, items; of an item: item_id, item_name, item_category,
        item_quantity, item_cost, item_url, item_image_url, item_description; `ignore` for a column that is left out.
    unmatched
        What becomes of orders whose customer is nobody here: they are kept as nobody's, a contact is created, or they
        are skipped. Kept and skipped ones stand in the report.
    status
        Status of orders that say none.
    status_word
        What a word of the file means, such as "paid=DELIVERED"; may be given several times.
    currency
        Currency of orders that say none; else the organisation's.
    source
        Where orders were made that do not say it.
    events
        Record the event of each order, as if it had just come in.
    scheme
        Take the columns and options of this saved scheme.
    save_scheme
        Save what is used as a scheme of this name.
    dates
        Order of day, month and year, where it is not told by the form.
    decimal_sign
        The sign before the fraction of a number.
    preview
        Only show what the first rows would come to.
    report
        Where to write what was not saved; else a new file in the folder of temporary files.
    """
    options: dict[str, Any] = {
        "unmatched": unmatched if unmatched != "keep" else None,
        "status": status,
        "statuses": _words(status_word or []),
        "currency": currency,
        "source": source,
        "events": events,
    }
    said = {
        "dates": dates,
        "decimal_sign": decimal_sign,
        "options": {name: value for name, value in options.items() if value},
    }
    noun = ("row", "rows")
    bring(Wishes(file, "orders", map_to, scheme, save_scheme, preview, report, said, noun), server)


def _words(given: list[str]) -> dict[str, str]:
    words: dict[str, str] = {}
    for one in given:
        word, equals, status = one.rpartition("=")
        if not equals or not word.strip():
            raise OperatorError(f"--status-word {one}: is not WORD=STATUS")
        words[word] = status
    return words
