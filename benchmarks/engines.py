"""The engines that are asked the same rules: Nightlight's own, and peers where they are installed.

Peers are no dependency of Nightlight: install them anywhere and name the folder with ``--peers``.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import TypeAlias

from msgspec import Struct

from benchmarks.rules import Rule, policy_of
from nightlight.decide.evaluate import Judge
from nightlight.decide.policy import parse_policy
from nightlight.model.signal import Fact

Facts: TypeAlias = Mapping[str, Fact]
#: Takes an event's facts and returns how many rules hold.
Evaluate: TypeAlias = Callable[[Facts], int]


class Engine(Struct, frozen=True, kw_only=True):
    """A way to evaluate rules, and how many events it is asked about in a measurement."""

    name: str
    evaluate: Evaluate
    share: float = 1.0


def own_engines(rules: Sequence[Rule], declared: Facts) -> list[Engine]:
    """Return Nightlight's evaluator without and with its memory of answers."""
    policy = parse_policy(policy_of(rules).encode())
    without = Judge(policy=policy, detectors_facts=[declared])
    remembering = Judge(policy=policy, detectors_facts=[declared])

    def every_time(facts: Facts) -> int:
        # What is behind the memory is what is measured.
        return len(without._evaluate(facts).rules)  # noqa: SLF001

    def remembered(facts: Facts) -> int:
        return len(remembering.holds(facts).rules)

    return [
        Engine(name="Nightlight (cel-expr-python), no memory", evaluate=every_time),
        Engine(name="Nightlight, answers remembered", evaluate=remembered),
    ]


def peer_engines(rules: Sequence[Rule]) -> tuple[list[Engine], list[str]]:
    """Return the peers that are installed, and the packages that are not."""
    found: list[Engine] = []
    missing: list[str] = []
    for package, build in _PEERS.items():
        try:
            found.append(build(package, rules))
        except ImportError:
            missing.append(package)
    return found, missing


def _common(package: str, rules: Sequence[Rule]) -> Engine:
    cel = import_module("cel")
    programs = [cel.compile(rule.cel) for rule in rules]

    def evaluate(facts: Facts) -> int:
        context = cel.Context(variables=dict(facts))
        return sum(program.execute(context) is True for program in programs)

    return Engine(name=_named(package), evaluate=evaluate, share=0.5)


def _pure(package: str, rules: Sequence[Rule]) -> Engine:
    celpy = import_module("celpy")
    environment = celpy.Environment()
    programs = [environment.program(environment.compile(rule.cel)) for rule in rules]

    def evaluate(facts: Facts) -> int:
        values = {name: celpy.json_to_cel(value) for name, value in facts.items()}
        return sum(bool(program.evaluate(values)) for program in programs)

    return Engine(name=_named(package), evaluate=evaluate, share=0.02)


def _words(package: str, rules: Sequence[Rule]) -> Engine:
    made = [import_module("rule_engine").Rule(rule.words) for rule in rules]

    def evaluate(facts: Facts) -> int:
        return sum(rule.matches(facts) for rule in made)

    return Engine(name=_named(package), evaluate=evaluate, share=0.02)


_PEERS: Mapping[str, Callable[[str, Sequence[Rule]], Engine]] = {
    "common-expression-language": _common,
    "cel-python": _pure,
    "rule-engine": _words,
}


def _named(package: str) -> str:
    return f"{package} {version(package)}"
