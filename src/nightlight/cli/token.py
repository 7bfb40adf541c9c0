"""``nightlight token``: tokens of the HTTP API are made, listed and revoked."""

from typing import Annotated

import typer

from nightlight.cli.console import Actor, Json, Reason, err, out, print_json, print_rows
from nightlight.cli.services import open_services
from nightlight.services import Services
from nightlight.services.tokens import Scope, Tokens
from nightlight.transaction import ApiToken

app = typer.Typer(
    name="token", no_args_is_help=True, help="Tokens of the HTTP API: make, list, revoke."
)


@app.command("make")
def make(
    *,
    name: Annotated[str, typer.Option(help="Who or what will use it.", show_default=False)],
    scope: Annotated[
        list[Scope], typer.Option(help="What it may be used for; repeatable.", show_default=False)
    ],
    per_second: Annotated[
        float, typer.Option(min=0, help="Requests a second; 0 for no limit.")
    ] = 100.0,
    by: Actor,
    reason: Reason,
    json: Json = False,
) -> None:
    """Make a token and print it: the only time that anybody can see it."""
    made = _tokens(open_services()).make(
        name, scopes=scope, per_second=per_second, actor=by, reason=reason
    )
    if json:
        print_json({**_shown(made.token), "token": made.secret})
    else:
        out.print(made.secret, markup=False)
        err.print(f"{made.token.id}: keep it now, it is not kept here.", markup=False)


@app.command("list")
def list_tokens(*, json: Json = False) -> None:
    """List tokens: what each may be used for, and whether it is still good."""
    found = _tokens(open_services()).list()
    if json:
        for one in found:
            print_json(_shown(one))
        return
    print_rows(
        (
            (
                one.id,
                one.name,
                " ".join(one.scopes),
                f"{one.per_second:g}" if one.per_second else "no limit",
                one.created_at,
                one.created_by,
                one.revoked_at or "good",
            )
            for one in found
        ),
        columns=("id", "name", "scopes", "per second", "made", "by", "revoked"),
        empty="No token yet: `nightlight token make`. The token of `serve` has every scope.",
    )


@app.command("revoke")
def revoke(token_id: str, *, by: Actor, reason: Reason, json: Json = False) -> None:
    """Revoke a token; every process refuses it within a second."""
    _tokens(open_services()).revoke(token_id, actor=by, reason=reason)
    if json:
        print_json({"id": token_id, "revoked": True})
    else:
        out.print(f"{token_id} revoked", markup=False)


def _tokens(services: Services) -> Tokens:
    return Tokens(unit_of_work=services.unit_of_work, clock=services.clock)


def _shown(one: ApiToken) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "scopes": one.scopes,
        "per_second": one.per_second,
        "made_at": one.created_at,
        "made_by": one.created_by,
        "revoked_at": one.revoked_at,
    }
