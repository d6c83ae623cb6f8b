"""`perigee config`: the settings as they are."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from perigee.settings import Settings, options


def config(*, markdown: bool = False) -> None:
    """Show every setting, its value and its meaning.

    Secrets are masked. Settings come from the environment, from files named by PERIGEE_…_FILE, and from
    perigee.toml in PERIGEE_HOME (or the file that PERIGEE_CONFIG names), in this order.

    Parameters
    ----------
    markdown
        Print the page of the reference (docs/reference/settings.md) instead.
    """
    if markdown:
        print(reference_page(), end="")
        return
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


def reference_page() -> str:
    """The settings as a page of the documentation, without any value of this installation."""
    rows = "".join(
        f"| `{o.variable}` | {f'`{o.default}`' if o.default else ''} | {o.doc} |\n" for o in options()
    )
    return _REFERENCE_HEAD + rows


_REFERENCE_HEAD = """\
# Settings

Written by `./perigee config --markdown`; a test keeps it current.

A setting is read from the environment variable in the table; else, for secrets above all, from the file that
the variable with `_FILE` at its end names; else from `perigee.toml` in `PERIGEE_HOME` (or the file that
`PERIGEE_CONFIG` names), where it is called by its lower-case name without `PERIGEE_`. A value that breaks its
rule stops the start with a line that names it. `./perigee config` shows what is in force.

| Variable | Default | Meaning |
|---|---|---|
"""
