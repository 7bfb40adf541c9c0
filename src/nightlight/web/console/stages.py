"""The sentence as seven stages, each with its live number and what needs attention there."""

from collections.abc import Mapping

from msgspec import Struct

from nightlight.web.console.words import number, percent, plain

_WAITING_TIPS = (
    "drafted",
    "opening",
    "opened",
    "uploading",
    "describing",
    "finishing",
    "packing",
    "retracting",
    "withdrawing",
)


class Stage(Struct, frozen=True, kw_only=True):
    """One stage: ``attention`` marks that its note asks somebody to act."""

    name: str
    figure: str
    unit: str
    note: str
    href: str
    attention: bool = False


class Counted(Struct, frozen=True, kw_only=True):
    """What the stages are drawn from, counted by type, detector, category or state."""

    events: Mapping[str, int]
    backlog: int
    signals: Mapping[str, int]
    decisions: Mapping[str, int]
    effects: Mapping[str, int]
    cases: Mapping[str, int]
    tips: Mapping[str, int]
    lowest_precision: float | None


def stages(counted: Counted) -> list[Stage]:
    """Return the seven stages in the order in which they happen."""
    return [
        Stage(
            name="Event",
            figure=_sum(counted.events),
            unit="accepted",
            note=f"{number(counted.backlog)} waiting" if counted.backlog else "all judged",
            href="/#events",
        ),
        Stage(
            name="Signals",
            figure=_sum(counted.signals),
            unit="found",
            note=_most(counted.signals, "none yet"),
            href="/decisions",
        ),
        Stage(
            name="Decision",
            figure=_sum(counted.decisions),
            unit="made",
            note=_most(counted.decisions, "none yet"),
            href="/decisions",
        ),
        _effects(counted.effects),
        _cases(counted.cases),
        _tips(counted.tips),
        Stage(
            name="Measure",
            figure=percent(counted.lowest_precision),
            unit="lowest precision",
            note="by detector" if counted.lowest_precision is not None else "not scored yet",
            href="/measure",
        ),
    ]


def _effects(by_state: Mapping[str, int]) -> Stage:
    dead, waiting = by_state.get("dead", 0), by_state.get("pending", 0)
    note = f"{number(dead)} undeliverable" if dead else f"{number(waiting)} waiting"
    return Stage(
        name="Effects",
        figure=_sum(by_state),
        unit="asked for",
        note=note,
        href="/decisions#effects",
        attention=dead > 0,
    )


def _cases(by_state: Mapping[str, int]) -> Stage:
    appealed = by_state.get("appealed", 0)
    decided = sum(by_state.values()) - by_state.get("open", 0)
    note = f"{number(appealed)} appealed" if appealed else f"{number(decided)} decided"
    return Stage(
        name="Case",
        figure=number(by_state.get("open", 0)),
        unit="open",
        note=note,
        href="/cases?state=open",
        attention=appealed > 0,
    )


def _tips(by_state: Mapping[str, int]) -> Stage:
    refused = by_state.get("refused", 0)
    waiting = sum(by_state.get(state, 0) for state in _WAITING_TIPS)
    return Stage(
        name="CyberTip",
        figure=number(by_state.get("filed", 0)),
        unit="filed",
        note=f"{number(refused)} refused" if refused else f"{number(waiting)} on the way",
        href="/reports",
        attention=refused > 0,
    )


def _sum(counts: Mapping[str, int]) -> str:
    return number(sum(counts.values()))


def _most(counts: Mapping[str, int], otherwise: str) -> str:
    if not counts:
        return otherwise
    name = max(counts, key=lambda one: counts[one])
    return f"{number(counts[name])} {plain(name)}"
