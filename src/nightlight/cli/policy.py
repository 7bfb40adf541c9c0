"""``nightlight policy``: check, activate and read policies."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from nightlight.cli.console import Actor, Json, Reason, fields_of, out, print_json, print_rows
from nightlight.cli.services import open_services
from nightlight.decide.facts import CONTEXT_FACTS
from nightlight.errors import InvalidInput
from nightlight.services.lists import check_policy
from nightlight.services.rules import active_policy, declared_facts, default_policy

app = typer.Typer(
    name="policy", no_args_is_help=True, help="The policy: what follows from which signals."
)

PolicyFile = Annotated[Path, typer.Argument(help="A policy file (TOML, rules in CEL).")]


@app.command()
def check(file: PolicyFile, *, json: Json = False) -> None:
    """Check FILE against the declared facts; changes nothing."""
    policy = check_policy(_read(file))
    if json:
        print_json({"policy": policy.version, "rules": len(policy.rules)})
    else:
        out.print(f"{policy.version}: {len(policy.rules)} rules, all sound")


@app.command()
def activate(file: PolicyFile, *, by: Actor, reason: Reason, json: Json = False) -> None:
    """Put FILE in force; running processes judge by it from their next batch on."""
    services = open_services()
    policy = services.lists.activate_policy(_read(file), actor=by, reason=reason)
    found = services.report_decisions.compare(policy.reporting)
    reportable = sum(one.is_reportable for one in found)
    for_a_person = sum(one.asks_a_person for one in found)
    no_longer = len(found) - reportable - for_a_person
    if json:
        print_json(
            {
                "policy": policy.version,
                "rules": len(policy.rules),
                "threshold": policy.reporting.full_name,
                "now_reportable": reportable,
                "now_for_a_person": for_a_person,
                "no_longer_reportable": no_longer,
            }
        )
        return
    out.print(f"{policy.version} is in force")
    if found:
        out.print(
            f"its threshold would report {reportable:,} past account actions that were not, and not"
            f" {no_longer:,} that were; {for_a_person:,} that were explained await a person:"
            " `nightlight report reconsider --dry-run`"
        )


@app.command()
def show(*, json: Json = False) -> None:
    """Show the rules in force."""
    with open_services().unit_of_work.read() as tx:
        policy = active_policy(tx)
    if json:
        print_json({**fields_of(policy), "version": policy.version})
        return
    out.print(policy.version)
    print_rows(
        (
            (rule.name, rule.mode, rule.severity, ", ".join(rule.asks), rule.when)
            for rule in policy.rules
        ),
        columns=("rule", "mode", "severity", "asks for", "when"),
        empty="This policy has no rules.",
    )


@app.command()
def default() -> None:
    """Print the built-in policy file, to copy and change."""
    sys.stdout.write(default_policy().decode())


@app.command()
def facts(*, json: Json = False) -> None:
    """List the facts that rules may use, with their types and who finds them."""
    rows = [
        (name, type(value).__name__, owner)
        for owner, declared in (("context", dict(CONTEXT_FACTS)), *declared_facts())
        for name, value in declared.items()
    ]
    if json:
        for name, kind, owner in rows:
            print_json({"fact": name, "type": kind, "from": owner})
        return
    print_rows(rows, columns=("fact", "type", "from"), empty="No facts.")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", field=str(path)) from error
