"""Shows what the first start made: the only time that its secrets can be read."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from perigee.accounts.bootstrap import FirstStart


def show_first_start(console: Console, first: FirstStart) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")  # a key is never shortened
    table.add_row("Organisation", f"{first.organisation} (id {first.org_id})")
    table.add_row("Login", first.login)
    table.add_row("Password", first.password)
    table.add_row("API key", first.api_key)
    console.print(
        Panel(table, title="Your organisation", subtitle="shown once, write it down", expand=False),
        highlight=False,
        markup=False,
    )
