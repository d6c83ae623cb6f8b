"""Row 6 of the speed table: the campaign of row 5 with every message signed, RSA-2048 DKIM.

    python bench/campaign_dkim.py [--recipients 20000] [--workers 2] [--rounds 3]

The bound is what `openssl speed` signs with RSA-2048 on the same cores, in the same run. The Ed25519 record counts as not
published, so that there is one signature a message.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import time

from _harness import SECRET, database, median, organisation, report
from campaign_smtp import campaign, prepare, workers
from perigee.db.pool import Database
from perigee.domains import manage
from perigee.keys import Keys
from smtp_sink import running_sink


async def sign(url: str, org_id: int) -> None:
    """The sender's domain as if its RSA record had been found; the DNS is not asked."""
    async with Database(url) as db:
        await manage.add(
            db,
            org_id,
            Keys.of(SECRET).sealing,
            "example.com",
            bounce_domain=None,
            tracking_domain=None,
            allow_unverified=False,
        )
        async with db.transaction() as conn:
            await conn.execute("update dkim_pair set rsa_found_at = now() where org_id = %s", [org_id])
            await conn.execute(
                "update sender_domain set verified_at = now(), check_due_at = 'infinity' where org_id = %s",
                [org_id],
            )


def openssl_signatures(processes: int, seconds: int = 3) -> float:
    """RSA-2048 signatures a second of all processes together."""
    command = ["openssl", "speed", "-seconds", str(seconds), "-multi", str(processes), "rsa2048"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (line,) = re.findall(r"^rsa\s+2048 bits.*$", said, re.MULTILINE)
    rates = [word for word in line.split()[3:] if not word.endswith("s")]
    return float(rates[0])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with database() as url, running_sink() as (_, port):
        org_id, _ = organisation(url)
        segment_id, message_id = asyncio.run(prepare(url, org_id, options.recipients, port))
        asyncio.run(sign(url, org_id))
        values, bounds = [], []
        with workers(url, options.workers, False):
            for _ in range(options.rounds):
                values.append(asyncio.run(campaign(url, org_id, segment_id, message_id)))
                time.sleep(0.5)
                bounds.append(openssl_signatures(options.workers))
        report(
            "campaign_dkim",
            {"value": median(values), "bound": median(bounds), "recipients": options.recipients},
            bound=f"openssl speed rsa2048, {options.workers} processes",
            reach=0.7,
        )


if __name__ == "__main__":
    main()
