"""Somebody who saves contacts through the API meanwhile, and remembers which were acknowledged."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from bench.faults.stage import Shop


class Writer(threading.Thread):
    def __init__(self, shop: Shop) -> None:
        super().__init__(daemon=True)
        self.shop = shop
        self.stop = threading.Event()
        self.statuses: Counter[int | None] = Counter()
        self.acknowledged: list[str] = []

    def run(self) -> None:
        for number in itertools.count():
            if self.stop.is_set():
                return
            address = f"writer-{number}@example.org"
            contact = {"channels": [{"type": "email", "value": address}]}
            status = self.shop.status("POST", "/api/v1/contact", contact)
            self.statuses[status] += 1
            if status == 200:
                self.acknowledged.append(address)
            time.sleep(0.005 if status == 200 else 0.02)

    def violations(self) -> list[str]:
        found = self.shop.rows("select email from contact where org_id = %(org)s and email like 'writer-%%'")
        lost = sorted(set(self.acknowledged) - {row[0] for row in found})
        out = [f"acknowledged and lost: {lost[:5]}"] if lost else []
        # An outage is ours and temporary: no client may take it for a mistake of its own.
        if not set(self.statuses) <= {200, 503, None}:
            out.append(f"answers during outages: {dict(self.statuses)}")
        return out


@contextmanager
def writing(shop: Shop) -> Iterator[Writer]:
    writer = Writer(shop)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop.set()
        writer.join(60)
