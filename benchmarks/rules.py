"""Policies of any number of rules, each three comparisons over the declared facts.

A rule is made once and written in the language of whoever evaluates it, so that all engines are
asked the same.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from msgspec import Struct

Value = bool | int | float | str

#: What the strings of Town take, and others that they never do.
_STRINGS: Mapping[str, tuple[str, ...]] = {
    "event_type": ("post.created", "post.edited", "views.counted", "media.uploaded"),
    "term_in": ("post", "profile", "media"),
    "user_report_reason": ("child_safety", "spam", "other"),
}
_OTHER_STRINGS = ("zorbleflux", "quibbleton", "plonk")
_LARGEST = 60


class Comparison(Struct, frozen=True, kw_only=True):
    """A fact, an operator and a value."""

    fact: str
    operator: str
    value: Value

    def __str__(self) -> str:
        return f"{self.fact} {self.operator} {json.dumps(self.value)}"


class Rule(Struct, frozen=True, kw_only=True):
    """Three comparisons: the first and the second, or the first and the third, must hold."""

    name: str
    comparisons: tuple[Comparison, Comparison, Comparison]

    @property
    def cel(self) -> str:
        """The rule in CEL."""
        first, second, third = self.comparisons
        return f"{first} && ({second} || {third})"

    @property
    def words(self) -> str:
        """The rule with ``and`` and ``or``, as the PyPI package rule-engine reads it."""
        first, second, third = self.comparisons
        return f"{first} and ({second} or {third})"


def make_rules(facts: Mapping[str, str], count: int, *, seed: int = 1) -> list[Rule]:
    """Return ``count`` distinct rules over ``facts`` (name to type, as `policy facts` says)."""
    random = Random(seed)  # noqa: S311  reproducible, not secret
    found: dict[str, Rule] = {}
    while len(found) < count:
        names = random.sample(sorted(facts), 3)
        first, second, third = (_compare(name, facts[name], random) for name in names)
        rule = Rule(name=f"made-{len(found)}", comparisons=(first, second, third))
        found.setdefault(rule.cel, rule)
    return list(found.values())


def _compare(fact: str, kind: str, random: Random) -> Comparison:
    value: Value
    match kind:
        case "bool":
            operator, value = "==", random.random() < 0.5
        case "int":
            operator, value = random.choice((">=", "<", ">", "<=")), random.randint(1, _LARGEST)
        case "float":
            operator, value = random.choice((">=", "<")), round(random.random(), 3)
        case _:
            operator = random.choice(("==", "!="))
            value = random.choice(_STRINGS.get(fact, _OTHER_STRINGS))
    return Comparison(fact=fact, operator=operator, value=value)


def policy_of(rules: Sequence[Rule], built_in: str = "") -> str:
    """Return a policy file: the built-in one first, then ``rules``, only counted, never acting."""
    return "\n".join((built_in or _EMPTY, *_blocks(rules)))


_EMPTY = """\
name = "benchmark"
revision = "1"

[confirmed.user_report]
asks = []

[confirmed.unknown]
asks = []
"""


def _blocks(rules: Sequence[Rule]) -> Iterator[str]:
    for rule in rules:
        yield (
            "[[rules]]\n"
            f"name = {json.dumps(rule.name)}\n"
            f"when = {json.dumps(rule.cel)}\n"
            'because = "Made for the benchmark."\n'
            'category = "user_report"\n'
            "severity = 1\n"
            "asks = []\n"
            'mode = "shadow"\n'
        )
