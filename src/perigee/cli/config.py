"""`perigee config`: the settings as they are."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from perigee.settings import Settings, options


def config() -> None:
    """Show every setting, its value and its meaning.

    Secrets are masked. Settings come from the environment, from files named by PERIGEE_…_FILE, and from
    perigee.toml in PERIGEE_HOME (or the file that PERIGEE_CONFIG names), in this order.
    """
    shown = Settings.load().masked()
    console = Console(soft_wrap=True, highlight=False)
    for option in options():
        value = shown[option.name]
        changed = value not in (option.default, "None")
        line = Text(f"{option.variable}=", style="bold" if changed else "")
        line.append("" if value == "None" else value, style="green" if changed else "")
        console.print(line)
        default = f" Default: {option.default}." if option.default and changed else ""
        console.print(Text(f"    {option.doc}{default}", style="dim"))
