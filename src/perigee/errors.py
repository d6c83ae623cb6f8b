"""The family of errors that domain code raises. None of them knows HTTP: each face maps class to status.

PerigeeError
├── Invalid        the caller's data breaks a rule; names field, value and rule            → 400
│   └── TooWide    a period longer than a limit                                          → 419 (old wire), 400
├── TooLarge       more than a documented limit in one call or body                        → 413 (bodies), 400 (lists)
├── Unauthorized   no or wrong credentials                                                 → 401
├── Forbidden      known caller without that right                                         → 403
├── NotFound       no such thing in this organisation (another's looks exactly the same)   → 404
├── Conflict       the state forbids it, or the same request was just made                 → 409
├── Limited        too fast; carries seconds to wait                                       → 429
└── Unavailable    a part we need is away for the moment; carries seconds to wait          → 503

Anything else that escapes is a fault of ours: 500, logged with an id, its text kept from the caller.
"""

from __future__ import annotations

from perigee.lib.text import clean_lines


class OperatorError(Exception):
    """Something the operator must mend: not the caller's fault, not ours. Shown as one line, exit code 1."""


class PerigeeError(Exception):
    """Base. `message` is shown to the caller, so it must hold no secret and no text of another layer."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        message = clean_lines(message)  # it may show a value as sent, and is stored where one element fails
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class Invalid(PerigeeError):
    """A value breaks a rule. `field` is the wire name; `value` is shortened before it is shown."""

    code = "invalid"

    def __init__(self, message: str, *, field: str | None = None, value: object = None) -> None:
        super().__init__(message)
        self.field = field
        self.value = value

    @classmethod
    def of(cls, field: str, value: object, rule: str) -> Invalid:
        """`field: 'value' rule`, the one form in which all refusals read."""
        shown = str(value)
        if len(shown) > 80:
            shown = shown[:77] + "..."
        return cls(f"{field}: '{shown}' {rule}", field=field, value=value)


class TooWide(Invalid):
    code = "too_wide"


class TooLarge(PerigeeError):
    code = "too_large"


class Unauthorized(PerigeeError):
    code = "unauthorized"


class Forbidden(PerigeeError):
    code = "forbidden"


class NotFound(PerigeeError):
    code = "not_found"


class Conflict(PerigeeError):
    code = "conflict"


class Limited(PerigeeError):
    code = "limited"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(PerigeeError):
    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after
