"""The ``nightlight`` command."""

import sys
from typing import Annotated

import typer
from rich.markup import escape

from nightlight import __version__
from nightlight.cli.console import err, printable
from nightlight.cli.lazy import LazyGroup
from nightlight.errors import InvalidInput, NightlightError, NotFound, Unavailable

EXIT_FAILED, EXIT_WRONG_USE, EXIT_UNAVAILABLE, EXIT_INTERRUPTED = 1, 2, 3, 130

_HELP = """Find child sexual exploitation on a platform, limit its reach, get it reviewed, report
and preserve it, and prove what was done.

Exit codes: 0 done, 1 failed or found something wrong, 2 wrong use or bad input, 3 a partner or
the database does not answer, 130 interrupted. Settings: docs/reference/settings.md; `nightlight
doctor` checks them.
"""

app = typer.Typer(
    name="nightlight",
    cls=LazyGroup,
    help=_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001  typer's callback form
    if wanted:
        sys.stdout.write(f"nightlight {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Carry the options that stand before a command."""


def main() -> None:
    """Run the command line and leave with the documented exit code."""
    try:
        app(standalone_mode=True, prog_name="nightlight")
    except NightlightError as error:
        # Not folded: a message is searched for and copied whole.
        said = escape(printable(str(error)))
        err.print(f"[bold red]nightlight:[/] {said}", soft_wrap=True)
        sys.exit(_exit_code(error))
    except SystemExit as end:
        if end.code == EXIT_INTERRUPTED:
            err.print("interrupted; what was accepted is kept")
        raise
    except BrokenPipeError:
        # The reader of our stdout went away (`| head`): nothing more to say, and no traceback.
        sys.stderr.close()
        sys.exit(EXIT_FAILED)


def _exit_code(error: NightlightError) -> int:
    match error:
        case InvalidInput() | NotFound():
            return EXIT_WRONG_USE
        case Unavailable():
            return EXIT_UNAVAILABLE
        case _:
            return EXIT_FAILED


if __name__ == "__main__":
    main()
