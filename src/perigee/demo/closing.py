"""What the demo says at its end: the figures, and where to look."""

from __future__ import annotations

import itertools
from pathlib import Path

from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from perigee.accounts.bootstrap import FirstStart
from perigee.demo.figures import Figures, shown


def show_figures(console: Console, figures: Figures) -> None:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold")
    table.add_column("Figure", min_width=32)
    table.add_column("Expected", justify="right", max_width=16)
    table.add_column("Found", justify="right", max_width=16)
    table.add_column("", no_wrap=True, min_width=5)
    for part, of_part in itertools.groupby(figures, key=lambda figure: figure.part):
        table.add_row(Text(part, style="bold"))
        for figure in of_part:
            verdict = Text("ok", style="green") if figure.ok else Text("WRONG", style="bold red")
            table.add_row(f"  {figure.name}", shown(figure.expected), shown(figure.found), verdict)
    console.print(table)


def show_addresses(console: Console, url: str, first: FirstStart, home: Path) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("Messages", Text(f"{url}/sandbox", style=f"link {url}/sandbox"))
    table.add_row("Login", first.login)
    table.add_row("Password", first.password)
    table.add_row("API", f"{url}/api")
    table.add_row("API key", first.api_key)
    panel = Panel(table, title="Look around", title_align="left", expand=False)
    calls = Text.assemble(
        ("Call the API:\n", "bold"),
        f"  curl -u any:{first.api_key} '{url}/api/v1/contacts?externalCustomerId=CDNOW-00001'\n",
        ("Or from the command line:\n", "bold"),
        f"  PERIGEE_HOME={home} ./perigee campaigns list",
    )
    console.print(Group(panel, calls), soft_wrap=True)
