"""One base error and one subclass for each answer that a caller can give.

Owns what went wrong in the core's terms. Leaves HTTP statuses to ``web/problems.py`` and exit
codes to ``cli/main.py``.
"""


class NightlightError(Exception):
    """Something Nightlight could not do, with a stable code and, where useful, the remedy.

    Attributes:
        code: stable, machine-readable name of the kind of failure.
        field: the input field at fault, or "" when none is.
        hint: what the reader can do about it, or "".
    """

    code = "nightlight"

    def __init__(self, message: str, *, field: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        if self.field:
            message = f"{self.field}: {message}"
        return f"{message} ({self.hint})" if self.hint else message


class InvalidInput(NightlightError):  # noqa: N818  the name is the answer, as in HTTP problems
    """The input is wrong and will stay wrong: correct it."""

    code = "invalid_input"


class NotFound(NightlightError):  # noqa: N818
    """The named thing does not exist here."""

    code = "not_found"


class NotPermitted(NightlightError):  # noqa: N818
    """The caller may not do this."""

    code = "not_permitted"


class Conflict(NightlightError):  # noqa: N818
    """The thing is in a state that does not allow this."""

    code = "conflict"


class Unavailable(NightlightError):  # noqa: N818
    """A partner or store did not answer: try again later."""

    code = "unavailable"


class IntegrityFailure(NightlightError):  # noqa: N818
    """What is stored contradicts itself: stop and look."""

    code = "integrity_failure"
