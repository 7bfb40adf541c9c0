"""``nightlight exchange``: hash lists from partners are set up, fetched and told opinions."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from nightlight.cli.console import (
    Actor,
    Json,
    Reason,
    err,
    fields_of,
    out,
    print_json,
    print_rows,
)
from nightlight.cli.services import open_services
from nightlight.errors import InvalidInput, NightlightError, Unavailable
from nightlight.exchange.registry import DEFAULT_EVERY_S, Credentials, Exchange
from nightlight.model.bank import Opinion
from nightlight.services import Services
from nightlight.services.exchanges import ExchangeStatus
from nightlight.services.fetching import Fetched

app = typer.Typer(
    name="exchange",
    no_args_is_help=True,
    help="Exchanges: hash lists from partners, and opinions sent back.",
)

Options = Annotated[
    list[str] | None, typer.Option("--option", help="NAME=VALUE, as `apis` lists; repeatable.")
]
CredentialsFile = Annotated[
    Path | None,
    typer.Option(
        "--credentials", help="File of NAME=VALUE lines; - for standard input. Kept sealed."
    ),
]
Every = Annotated[int | None, typer.Option(min=10, help="Seconds from one fetch to the next.")]
Name = Annotated[str, typer.Argument(metavar="EXCHANGE", help="The exchange's name.")]


@app.command()
def apis(*, json: Json = False) -> None:
    """List the kinds of exchanges, and what each has to be told."""
    for api in open_services().exchanges.apis.values():
        if json:
            print_json(fields_of(api))
            continue
        out.print(f"[bold]{api.name}[/]  {api.title}")
        for what, fields in (("option", api.options), ("credential", api.credentials)):
            for field in fields:
                needed = "needed" if field.required else field.default or "may be left out"
                out.print(f"  {what} {field.name}: {field.help} ({needed})", markup=False)


@app.command()
def add(
    name: Name,
    *,
    api: Annotated[str, typer.Option(help="Its kind, as `apis` lists.", show_default=False)],
    bank: Annotated[str, typer.Option(help="The hash bank that it feeds.", show_default=False)],
    by: Actor,
    reason: Reason,
    option: Options = None,
    credentials: CredentialsFile = None,
    every: Every = None,
    json: Json = False,
) -> None:
    """Set up an exchange; a running worker fetches it at once."""
    services = open_services()
    services.exchanges.add(
        Exchange(
            name=name,
            api=api,
            bank=bank,
            every_s=DEFAULT_EVERY_S if every is None else every,
            options=_pairs(option or (), "--option"),
        ),
        _credentials(credentials) or Credentials(),
        actor=by,
        reason=reason,
    )
    _print(services, name, json=json)


@app.command("list")
def list_exchanges(*, json: Json = False) -> None:
    """List exchanges and how their last fetch went."""
    found = open_services().exchanges.all()
    if json:
        for one in found:
            print_json(fields_of(one))
        return
    print_rows(
        (
            (one.name, one.api, one.bank, _how(one), one.fetched, one.checkpoint_at or "")
            for one in found
        ),
        columns=("exchange", "api", "bank", "how", "entries", "has all until"),
        empty="No exchange yet: `nightlight exchange apis`, then `nightlight exchange add`.",
    )


@app.command()
def show(name: Name, *, json: Json = False) -> None:
    """Show an exchange, without what opens it."""
    _print(open_services(), name, json=json)


@app.command("set")
def set_exchange(
    name: Name,
    *,
    by: Actor,
    reason: Reason,
    option: Options = None,
    credentials: CredentialsFile = None,
    every: Every = None,
    json: Json = False,
) -> None:
    """Change settings; what is not named stays, and NAME= takes a value away."""
    services = open_services()
    services.exchanges.change(
        name,
        actor=by,
        reason=reason,
        every_s=every,
        options=_pairs(option or (), "--option"),
        credentials=_credentials(credentials),
    )
    _print(services, name, json=json)


@app.command()
def enable(name: Name, *, by: Actor, reason: Reason) -> None:
    """Let an exchange be fetched again."""
    open_services().exchanges.change(name, actor=by, reason=reason, enabled=True)
    out.print(f"{name} is fetched again", markup=False)


@app.command()
def disable(name: Name, *, by: Actor, reason: Reason) -> None:
    """Let an exchange be fetched no more; what came from it stays."""
    open_services().exchanges.change(name, actor=by, reason=reason, enabled=False)
    out.print(f"{name} is not fetched any more; what came from it stays", markup=False)


@app.command()
def remove(
    name: Name,
    *,
    by: Actor,
    reason: Reason,
    with_bank: Annotated[
        bool, typer.Option("--with-bank", help="Withdraw the bank that it feeds, too.")
    ] = False,
) -> None:
    """Take an exchange away, with what opens it."""
    withdrawn = open_services().exchanges.remove(name, actor=by, reason=reason, with_bank=with_bank)
    kept = f"{withdrawn:,} entries withdrawn" if with_bank else "what came from it stays"
    out.print(f"{name} is gone; {kept}", markup=False)


@app.command()
def fetch(
    name: Annotated[
        str | None, typer.Argument(metavar="EXCHANGE", help="The exchange's name.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every exchange that is enabled.")] = False,
    from_start: Annotated[
        bool,
        typer.Option(
            "--from-start", help="Fetch everything anew, and withdraw what is no longer there."
        ),
    ] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Go on for a fetch that was killed just now.")
    ] = False,
    json: Json = False,
) -> None:
    """Fetch now what is new; ends with 3 if a partner does not answer."""
    services = open_services()
    if (name is None) == (not every):
        raise InvalidInput("name one exchange, or give --all")
    known = services.exchanges.all()
    names = [one.name for one in known if one.enabled] if name is None else [name]
    failures = [
        failure
        for one in names
        if (failure := _fetch(services, one, from_start, take_over, json=json)) is not None
    ]
    if not names:
        err.print("No exchange is enabled.")
    if failures and every:
        raise typer.Exit(3 if isinstance(failures[0], Unavailable) else 1)
    if failures:
        raise failures[0]


def _fetch(
    services: Services,
    name: str,
    from_start: bool,  # noqa: FBT001  passed on
    take_over: bool,  # noqa: FBT001  passed on
    *,
    json: bool,
) -> NightlightError | None:
    with _progress(name) as told:
        try:
            done = services.exchanges.fetch(
                name, progress=told, from_start=from_start, take_over=take_over
            )
        except NightlightError as error:
            if json:
                print_json(fields_of(Fetched(name=name, failure=str(error))))
            else:
                err.print(f"{name}: {error}", markup=False)
            return error
    if json:
        print_json(fields_of(done))
    else:
        _say(done)
    return None


@contextmanager
def _progress(name: str) -> Iterator[Callable[[Fetched], None]]:
    """Yield what shows how far a fetch came, on a terminal."""
    if not err.is_terminal:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as shown:
        task = shown.add_task(name)

        def told(done: Fetched) -> None:
            said = f"{name}: {done.pages:,} pages, {done.added:,} new entries"
            shown.update(task, description=said)

        yield told


def _say(done: Fetched) -> None:
    told = f"{done.added:,} added, {done.changed:,} changed, {done.withdrawn:,} withdrawn"
    out.print(f"{done.name}: {told} ({done.pages:,} pages)", markup=False)
    if done.held:
        err.print(f"[yellow]{done.held:,} wait for a person:[/] `nightlight bank held`")
    if done.rejected:
        err.print(f"[yellow]{done.rejected:,} could not be read and are quarantined[/]")
    if done.missing:
        err.print(f"still missing: {done.missing}", markup=False)
    for kind, count in sorted(done.ignored.items()):
        err.print(f"{count:,} hashes of kind {kind} are not matched here", markup=False)


@app.command()
def vote(
    bank: Annotated[str, typer.Argument(help="The bank.")],
    entry: Annotated[str, typer.Argument(help="The entry's id, as a match names it.")],
    opinion: Annotated[Opinion, typer.Argument(help="What you say of it.")],
    *,
    by: Actor,
    reason: Reason,
    json: Json = False,
) -> None:
    """Say what you think of an entry; it holds here at once and is sent to its exchange."""
    cast = open_services().exchanges.vote(bank, entry, opinion, actor=by, reason=reason)
    if json:
        print_json(fields_of(cast))
    else:
        out.print(f"{cast.opinion} on {cast.entry_id}: {cast.state}", markup=False)
        err.print("A running worker sends it, or `nightlight exchange send`.")


@app.command()
def votes(
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List the newest opinions and what became of them."""
    found = open_services().exchanges.votes(limit=limit)
    if json:
        for one in found:
            print_json(fields_of(one))
        return
    print_rows(
        (
            (one.requested_at, one.exchange, one.entry_id, one.opinion, one.state, one.failure)
            for one in found
        ),
        columns=("when", "exchange", "entry", "opinion", "state", "because"),
        empty="No opinion was given yet: `nightlight exchange vote`.",
    )


@app.command()
def send(*, json: Json = False) -> None:
    """Send the opinions that are due; ends with 1 if one was refused, 3 if one waits."""
    services, states = open_services(), set()
    while settled := services.exchanges.send_votes():
        for one in settled:
            states.add(one.state)
            if json:
                print_json(fields_of(one))
            else:
                out.print(f"{one.entry_id}  {one.state}  {one.failure}", markup=False)
    if not states:
        err.print("No opinion is due.")
    if "refused" in states:
        raise typer.Exit(1)
    if "pending" in states:
        raise typer.Exit(3)


def _print(services: Services, name: str, *, json: bool) -> None:
    status = services.exchanges.status(name)
    if json:
        print_json(fields_of(status))
        return
    for field, value in fields_of(status).items():
        shown = ", ".join(f"{k}={v}" for k, v in value.items()) if field == "options" else value
        out.print(f"{field:>15}  {'' if shown is None else shown}", markup=False)


def _how(one: ExchangeStatus) -> str:
    if not one.enabled:
        return "disabled"
    if one.running_since is not None:
        return "fetching"
    if one.failure:
        return one.failure
    if one.succeeded is None:
        return "not fetched yet"
    return "up to date" if one.up_to_date else "incomplete"


def _pairs(given: Sequence[str], field: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for one in given:
        name, found, value = one.partition("=")
        if not found or not name.strip():
            raise InvalidInput("not NAME=VALUE", field=field)
        pairs[name.strip()] = value.strip()
    return pairs


def _credentials(path: Path | None) -> Credentials | None:
    """Return what opens an exchange, from a file: a command line can be seen by others."""
    if path is None:
        return None
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", field="--credentials") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return Credentials(values=_pairs(lines, "--credentials"))
