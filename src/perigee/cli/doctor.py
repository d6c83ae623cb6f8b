"""`perigee doctor`: is this machine fit, and is the installation healthy?"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.text import Text

from perigee.doctor import FAIL, check_everything
from perigee.settings import Settings

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor() -> None:
    """Check this machine and installation.

    One line for each finding: ok, warn (works, look at it), fail (does not work). Exit code 1 if any line says
    fail. Changes nothing.
    """
    console = Console(soft_wrap=True, highlight=False)
    findings = check_everything(Settings.load())
    for finding in findings:
        line = Text.assemble(
            (f"{finding.level:<5}", _STYLES[finding.level]), f"{finding.subject}: {finding.said}"
        )
        console.print(line)
    sys.exit(any(finding.level == FAIL for finding in findings))
