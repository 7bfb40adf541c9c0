"""Writes the reference pages to docs/reference, or to the folder named."""  # noqa: INP001  a script, not a package

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import typer
from msgspec import NODEFAULT, Struct, structs
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from nightlight.cli.lazy import COMMANDS, LazyGroup, load
from nightlight.cli.main import app
from nightlight.decide.facts import CONTEXT_FACTS
from nightlight.decide.policy import (
    Mode,
    Outcome,
    Policy,
    PolicyRule,
    Quota,
    ReportRoute,
    Retention,
)
from nightlight.model.audit import ACTIONS, DISCLOSED
from nightlight.model.case import TRANSITIONS, CaseState
from nightlight.model.deadline import Deadline
from nightlight.model.effect import (
    ACCOUNT_EFFECTS,
    DESTRUCTIVE_EFFECTS,
    INTERNAL_EFFECTS,
    EffectKind,
)
from nightlight.model.filing import SETTLED, TIP_TRANSITIONS, TipState
from nightlight.model.incident import Annotation, IncidentType
from nightlight.model.report_decision import (
    REPORT_TRANSITIONS,
    NotReportedReason,
    ReportState,
    Says,
    Threshold,
    ThresholdRule,
)
from nightlight.model.signal import Fact
from nightlight.report.rules import RULES, Rule
from nightlight.services.rules import declared_facts, default_policy
from nightlight.settings import REFERENCE

_FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
_HEAD = "<!-- Written by scripts/generate_reference.py from the code; do not edit. -->"

_EFFECTS: Mapping[EffectKind, str] = {
    EffectKind.LIMIT_REACH: "show it to fewer people: no recommendation, search or notification",
    EffectKind.HIDE: "show it to nobody but its author",
    EffectKind.REMOVE: "delete it",
    EffectKind.RESTORE: "show it as before",
    EffectKind.HOLD: "do not show it until a person has looked",
    EffectKind.LOCK: "the account may not publish or send",
    EffectKind.SUSPEND: "close the account",
    EffectKind.REINSTATE: "open the account again",
    EffectKind.PRESERVE: "seal post, profile and media in the vault",
    EffectKind.REVIEW: "put it in front of a person, in the account's open case",
}
_FACTS: Mapping[str, str] = {
    "event_type": "the event's CloudEvents type",
    "account_age_hours": "full hours since the account was created or first seen",
    "account_posts": "posts of the account so far",
    "account_deletions": "posts of the account that were deleted so far",
    "account_user_reports": "user reports about the account or its posts so far",
    "account_suspended": "suspension was asked for and not taken back",
    "account_confirmed": "a person confirmed a case of this account last",
    "post_views": "views of the post so far",
    "hash_matched": "a file matches an entry of a hash bank",
    "hash_exact": "the closest match is of the same bytes (MD5, SHA-1 or SHA-256)",
    "hash_distance_bits": "bits in which the closest match differs",
    "hash_bank": "the hash bank of the closest match",
    "hash_classification": "the bank's industry classification, A1 to B2",
    "hash_view": "what was done to the picture before it matched, empty for the picture as it is",
    "hash_video": "the closest match is by a video's frames",
    "hash_disputed": "every entry that matches is disputed",
    "scan_failed": "a file could not be read as what it claims to be",
    "scan_unreachable": "a file could not be fetched",
    "term_count": "different listed terms in the text",
    "term_severity": "the greatest severity among them",
    "term_disguised": "a term was spelled so that plain matching misses it",
    "cue_count": "different selling words in the text",
    "exclusion_count": "different words of those who write about it: news, research, help",
    "term_in": "where the text stands: post, profile or media",
    "offer": "the text offers something in listed terms",
    "offer_score": "how likely that is; only from even odds on",
    "repost_count": "posts that the author deleted soon and that this one repeats",
    "repost_lived_s": "how long the shortest-lived of them was up",
    "repost_gap_s": "how long ago the newest of them was deleted",
    "returning": "the account shares rare things with one that was suspended or confirmed before",
    "return_score": "how much that is, 0 to 1",
    "return_ties": "kinds of things that both show",
    "posts_hour": "posts of the account within the hour, this one with them",
    "posts_day": "posts of the account within the day",
    "deleted_soon_day": "posts that the author took away within a day of posting, within the day",
    "deleted_soon_week": "the same, within the week",
    "profile_changes": "times within the week that handle, name or bio became something new",
    "template_accounts": "other accounts that posted in the same wording within the week",
    "off_platform": "it names a handle elsewhere, a contact code or a way to pay",
    "seller_pattern": "marks of five: new, off platform, deletes soon, others' wording, bursts",
    "user_reported": "somebody reported it to the platform",
    "user_report_reason": "the platform's code for why; other where it is no code",
}
_KINDS = {bool: "yes or no", int: "whole number", float: "number", str: "text"}


def _page(title: str, intro: str, *blocks: str) -> str:
    return "\n\n".join([f"# {title}", _HEAD, intro, *(block for block in blocks if block)]) + "\n"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(one) for one in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _settings() -> str:
    rows = ((f"`{name}`", does, default) for name, (does, default) in REFERENCE.items())
    return _page(
        "Settings",
        "Read from the environment at the start; all faults are reported together.",
        _table(("Variable", "What it does", "Default"), rows),
    )


def _diagram(first: str, moves: Iterable[tuple[str, str, str]], final: Iterable[str]) -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f"    {a} --> {b}{f': {step}' if step else ''}" for a, b, step in moves]
    lines += [f"    {state} --> [*]" for state in final]
    return "\n".join([*lines, "```"])


def _case_states() -> str:
    moves = [(a.value, b.value, step.value) for (a, step), b in TRANSITIONS.items()]
    final = [state.value for state in CaseState if state not in {a for a, _ in TRANSITIONS}]
    return _page(
        "States of a case",
        "A step that is not drawn here is refused.",
        _diagram(CaseState.OPEN.value, moves, final),
    )


def _tip_states() -> str:
    moves = [
        (before.value, after.value, "")
        for before, afters in TIP_TRANSITIONS.items()
        for after in TipState
        if after in afters
    ]
    settled = ", ".join(sorted(state.value for state in SETTLED))
    return _page(
        "States of a tip",
        "Each state is stored before the call that it describes, so that a restart goes on with"
        f" the same report. Nothing more happens by itself in: {settled}; out of refused only by a"
        " person's order.",
        _diagram(TipState.DRAFTED.value, moves, [TipState.FILED.value]),
    )


def _tip_rules() -> str:
    rows = ((f"`{rule}`", RULES[rule]) for rule in Rule)
    return _page(
        "Rules of a tip",
        "What a document is held to before it is sent, besides the schema that the CyberTipline"
        " serves. A document that breaks one is not sent, and its tip waits for a person.",
        _table(("Rule", "What it asks for"), rows),
    )


def _report_states() -> str:
    moves = [
        (before.value, after.value, "")
        for before, afters in REPORT_TRANSITIONS.items()
        for after in ReportState
        if after in afters
    ]
    return _page(
        "States of a report decision",
        "Undecided has a deadline, explained a reason, reported a filed tip. Versions are kept.",
        _diagram(ReportState.UNDECIDED.value, moves, [ReportState.REPORTED.value]),
    )


def _effects() -> str:
    rows = (
        (
            f"`{kind}`",
            _EFFECTS[kind],
            "account" if kind in ACCOUNT_EFFECTS else "subject",
            "Nightlight" if kind in INTERNAL_EFFECTS else "the platform",
            "yes" if kind in DESTRUCTIVE_EFFECTS else "",
        )
        for kind in EffectKind
    )
    columns = ("Effect", "What it asks for", "Of", "Carried out by", "Needs sealed evidence")
    return _page(
        "Effects",
        "A decision asks for effects. Where evidence could not be sealed, `hide` takes the place of"
        " `remove` and `lock` that of `suspend`.",
        _table(columns, rows),
    )


def _facts() -> str:
    known: list[tuple[str, Mapping[str, Fact]]] = [("context", CONTEXT_FACTS), *declared_facts()]
    rows = (
        (f"`{name}`", _KINDS[type(neutral)], f"`{neutral!r}`", told_by, _FACTS[name])
        for told_by, facts in known
        for name, neutral in facts.items()
    )
    columns = ("Fact", "Type", "If nothing was found", "Told by", "What it says")
    return _page("Facts", "What a policy rule may use.", _table(columns, rows))


def _audit_actions() -> str:
    rows = (
        (f"`{action}`", says, ", ".join(f"`{one}`" for one in sorted(DISCLOSED.get(action, ()))))
        for action, says in ACTIONS.items()
    )
    return _page(
        "Audit actions",
        "What an entry of the record says was done to its subject, and which fields of its detail"
        " an export for auditors shows.",
        _table(("Action", "What it says", "Shown to auditors"), rows),
    )


def _policy() -> str:
    structs_of: dict[str, type[Struct]] = {
        "The file": Policy,
        "`[[rules]]`": PolicyRule,
        "`[confirmed.CATEGORY]`": Outcome,
        "`[[report_routes]]`": ReportRoute,
        "`[[quotas]]`": Quota,
        "`[[filing_deadlines]]`": Deadline,
        "`[retention]`": Retention,
        "`[reporting]`": Threshold,
        "`[[reporting.rules]]`": ThresholdRule,
        "`[[reporting.reasons]]`": NotReportedReason,
        "`[[reporting.deadlines]]`": Deadline,
    }
    parts = [f"## {title}\n\n{_fields(kind)}" for title, kind in structs_of.items()]
    closed = [
        ("Effects", EffectKind),
        ("Modes", Mode),
        ("Incident types", IncidentType),
        ("Answers of a threshold", Says),
        ("Annotations of a report", Annotation),
    ]
    sets = "\n".join(f"- {name}: {', '.join(f'`{one}`' for one in kind)}" for name, kind in closed)
    return _page(
        "Policy files",
        "A policy is a TOML file. Its rules are CEL expressions over the facts in"
        " [facts.md](facts.md); `nightlight policy check FILE` says what is wrong with one.",
        *parts,
        f"## Closed sets\n\n{sets}",
        f"## The default policy\n\n```toml\n{default_policy().decode().rstrip()}\n```",
    )


def _fields(kind: type[Struct]) -> str:
    described = _described(kind)
    rows = []
    for field in structs.fields(kind):
        if field.name == "digest":
            continue
        default = field.default
        if default is NODEFAULT:
            shown = "required"
        else:
            shown = f"`{default}`" if isinstance(default, str) and default else "none"
        rows.append((f"`{field.name}`", described[field.name].replace("``", "`"), shown))
    return _table(("Field", "What it says", "Default"), rows)


def _described(kind: type[Struct]) -> dict[str, str]:
    """Return what the docstring's Attributes say of each field."""
    found: dict[str, str] = {}
    _, _, told = (kind.__doc__ or "").partition("Attributes:\n")
    last = ""
    for line in (one.strip() for one in told.splitlines()):
        name, colon, rest = line.partition(": ")
        if colon and name in kind.__struct_fields__:
            last, found[name] = name, rest
        elif line and last:
            found[last] += f" {line}"
    return found


def _cli() -> str:
    root = typer.main.get_command(app)
    parts = [_command(path, command) for path, command in _commands("nightlight", root)]
    return _page("Command line", (root.help or "").strip(), *parts)


def _commands(path: str, command: object) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, LazyGroup):
        for name in sorted(COMMANDS):
            yield from _commands(f"{path} {name}", load(name))
    elif isinstance(command, TyperGroup):
        for name in sorted(command.commands):
            yield from _commands(f"{path} {name}", command.commands[name])
    elif isinstance(command, TyperCommand):
        yield path, command


def _command(path: str, command: TyperCommand) -> str:
    given = [one for one in command.params if isinstance(one, TyperArgument | TyperOption)]
    usage = " ".join([path, *(_usage(one) for one in given)])
    rows = [
        (", ".join(f"`{name}`" for name in _names(one)), one.help or "", _default(one))
        for one in given
    ]
    table = _table(("Argument", "What it says", "Default"), rows) if rows else ""
    about = (command.help or "").strip()
    return "\n\n".join(part for part in (f"## {path}", about, f"    {usage}", table) if part)


def _names(parameter: TyperArgument | TyperOption) -> list[str]:
    if isinstance(parameter, TyperArgument):
        return [str(parameter.metavar or parameter.name).upper()]
    return [*parameter.opts, *parameter.secondary_opts]


def _usage(parameter: TyperArgument | TyperOption) -> str:
    name = _names(parameter)[0]
    if isinstance(parameter, TyperOption) and not parameter.is_flag:
        name = f"{name} {(parameter.name or '').upper()}"
    return name if parameter.required else f"[{name}]"


def _default(parameter: TyperArgument | TyperOption) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter, TyperOption) and parameter.is_flag:
        return "off"
    default = parameter.default
    return f"`{default}`" if isinstance(default, str | int | float) and default != "" else "none"


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": _settings,
    "case-states.md": _case_states,
    "tip-states.md": _tip_states,
    "tip-rules.md": _tip_rules,
    "report-states.md": _report_states,
    "effects.md": _effects,
    "facts.md": _facts,
    "audit-actions.md": _audit_actions,
    "policy.md": _policy,
    "cli.md": _cli,
}


def main(folder: Path) -> None:
    """Leave every reference page, current, in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in PAGES.items():
        (folder / name).write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else _FOLDER)
