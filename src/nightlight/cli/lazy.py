"""Commands that are imported when they are run: help, completion and wrong use answer at once.

The rest of Nightlight takes seconds to load (database, web server, compiler), and most commands
need only some of it.
"""

from collections.abc import Mapping
from importlib import import_module

import typer
from msgspec import Struct
from typer import _click as click
from typer.core import TyperCommand, TyperGroup


class LazyCommand(Struct, frozen=True, kw_only=True):
    """Where a command lives, and what it does in a line."""

    module: str
    attribute: str
    help: str


def _command(module: str, attribute: str, text: str) -> LazyCommand:
    return LazyCommand(module=f"nightlight.cli.{module}", attribute=attribute, help=text)


#: Every command, in the order in which help shows them.
COMMANDS: Mapping[str, LazyCommand] = {
    "demo": _command("demo", "demo", "Show everything at work on a harmless generated town."),
    "run": _command("run", "run", "Judge the events in files or from a pipe."),
    "serve": _command("serve", "serve", "Serve the HTTP API and the console, and do the work."),
    "worker": _command("serve", "worker", "Only do the work: judge, deliver, file."),
    "case": _command("case", "app", "Cases: list, show, decide, appeal."),
    "evidence": _command("evidence", "app", "Sealed evidence: open, view log, holds, destruction."),
    "keys": _command("keys", "app", "Master keys: status, rotate, retire."),
    "account": _command("account", "app", "Accounts: what is known, ties, predecessors."),
    "report": _command("report", "app", "CyberTips and report decisions: file, account for."),
    "statement": _command("statement", "app", "Statements of reasons for the DSA database."),
    "bank": _command("bank", "app", "Hash banks: import, change, hold back, withdraw."),
    "exchange": _command("exchange", "app", "Exchanges: hash lists from partners, opinions back."),
    "lexicon": _command("lexicon", "app", "Lexicons: import, list, withdraw. Never shown."),
    "offer": _command("offer", "app", "The offer detector: what counts, and fitting it."),
    "hunt": _command("hunt", "app", "Retro-hunts: search what is stored for what is new on lists."),
    "policy": _command("policy", "app", "The policy: what follows from which signals."),
    "audit": _command("audit", "app", "The record: verify, anchor, export, read."),
    "token": _command("token", "app", "Tokens of the HTTP API: make, list, revoke."),
    "doctor": _command("doctor", "doctor", "Say what is configured, reachable and wrong."),
    "match": _command("matching", "match", "Say which bank entries files match, and why."),
    "hash": _command("hashing", "hash_files", "Print the hashes of files."),
    "town": _command("town", "town", "Write a harmless generated platform and its truth."),
    "simulate": _command("simulate", "app", "Run a simulated platform, CyberTipline or exchange."),
}


def load(name: str) -> click.Command:
    """Return a command of ``COMMANDS``, imported."""
    lazy = COMMANDS[name]
    found = getattr(import_module(lazy.module), lazy.attribute)
    if isinstance(found, typer.Typer):
        return typer.main.get_group(found)
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


class LazyGroup(TyperGroup):
    """The top level: lists commands from the table and imports only the one that is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the base's signature
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return enough of a command to list it."""
        lazy = COMMANDS.get(cmd_name)
        return TyperCommand(cmd_name, help=lazy.help) if lazy else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name, imported, and the rest of them."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is None or name not in COMMANDS:
            return name, command, rest
        return name, load(name), rest
