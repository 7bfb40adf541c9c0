"""Judging: which rules of a policy hold for the facts, and the one decision that follows.

A rule that cannot be evaluated is a third outcome beside yes and no: it becomes review.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from cel_expr_python import cel
from msgspec import Struct

from nightlight.decide.facts import declare_facts, gather_facts
from nightlight.decide.policy import Mode, Policy, PolicyRule
from nightlight.decide.unjudged import UNKNOWN_CATEGORY, UNKNOWN_SEVERITY
from nightlight.errors import InvalidInput
from nightlight.model.context import Context
from nightlight.model.decision import Decision, Reason
from nightlight.model.effect import EffectKind
from nightlight.model.event import Event
from nightlight.model.ids import DecisionId, derive_id
from nightlight.model.signal import Fact, Signal

_CEL_TYPES = {
    bool: cel.Type.BOOL,
    int: cel.Type.INT,
    float: cel.Type.DOUBLE,
    str: cel.Type.STRING,
}

#: The order in which effects must happen: keep before anything is taken away, review last.
_ORDER = {
    kind: place
    for place, kind in enumerate(
        (
            EffectKind.PRESERVE,
            EffectKind.HOLD,
            EffectKind.LIMIT_REACH,
            EffectKind.HIDE,
            EffectKind.REMOVE,
            EffectKind.RESTORE,
            EffectKind.LOCK,
            EffectKind.SUSPEND,
            EffectKind.REINSTATE,
            EffectKind.REVIEW,
        )
    )
}

#: Distinct fact combinations remembered; judging is pure, so a remembered answer is the answer.
_REMEMBERED = 4096
#: What a CEL compiler's message wraps around "line:column: what is wrong".
_CEL_FRAME = re.compile(r"^[A-Z_]+: |ERROR: <input>:| \(in container ''\)| \[[A-Z_]+\]$")


def in_order(asks: Sequence[EffectKind] | set[EffectKind]) -> tuple[EffectKind, ...]:
    """Return the effect kinds once each, in the order in which they must happen."""
    return tuple(sorted(set(asks), key=_ORDER.__getitem__))


class Held(Struct, frozen=True):
    """The rules that hold for some facts, and those that could not be evaluated."""

    rules: tuple[PolicyRule, ...]
    unknown: tuple[PolicyRule, ...]


class Judge:
    """A policy compiled against the declared facts; ``decide`` is pure."""

    def __init__(self, *, policy: Policy, detectors_facts: Sequence[Mapping[str, Fact]]) -> None:
        """Compile every rule.

        Raises:
            InvalidInput: a rule is not CEL, names an undeclared fact or is not a yes-or-no.
        """
        self.policy = policy
        self._neutral = declare_facts(*detectors_facts)
        self._env = cel.NewEnv(
            variables={name: _CEL_TYPES[type(value)] for name, value in self._neutral.items()}
        )
        self._compiled = [(rule, self._compile(rule)) for rule in policy.rules]
        self._held: OrderedDict[str, Held] = OrderedDict()

    def _compile(self, rule: PolicyRule) -> cel.Expression:
        field = f"policy.rules.{rule.name}.when"
        try:
            compiled = self._env.compile(rule.when)
        except RuntimeError as error:
            known = ", ".join(sorted(self._neutral))
            raise InvalidInput(
                _cel_fault(error), field=field, hint=f"declared facts: {known}"
            ) from error
        if compiled.return_type() != cel.Type.BOOL:
            raise InvalidInput(
                "the expression is not a yes-or-no", field=field, hint="compare, as in `fact >= 1`"
            )
        return compiled

    def holds(self, facts: Mapping[str, Fact]) -> Held:
        """Return which rules hold for complete facts."""
        # Written out, because 1, 1.0 and True are equal but not the same fact, and neither are 0.0
        # and -0.0.
        key = repr(facts)
        held = self._held.get(key)
        if held is None:
            held = self._evaluate(facts)
            self._held[key] = held
            if len(self._held) > _REMEMBERED:
                self._held.popitem(last=False)
        return held

    def _evaluate(self, facts: Mapping[str, Fact]) -> Held:
        activation = self._env.Activation(dict(facts))
        yes: list[PolicyRule] = []
        unknown: list[PolicyRule] = []
        for rule, compiled in self._compiled:
            value = compiled.eval(activation)
            # A CEL error is a value of another type whose truth value is true: ask the type.
            if value.type() != cel.Type.BOOL:
                # A rule on trial asks for nothing, and so does its failure.
                unknown.extend([rule] if rule.mode is not Mode.SHADOW else [])
            elif value.value() is True:
                yes.append(rule)
        return Held(tuple(yes), tuple(unknown))

    def decide(self, event: Event, context: Context, signals: Sequence[Signal]) -> Decision | None:
        """Return the decision about an event, or None where no rule asks for anything.

        An event without a signal is not judged: rules turn signals into decisions.
        """
        if not signals:
            return None
        held = self.holds(gather_facts(self._neutral, event, context, signals))
        asks: set[EffectKind] = set()
        for rule in held.rules:
            asks |= _asks(rule)
        if held.unknown:
            asks |= {EffectKind.PRESERVE, EffectKind.REVIEW}
        counted = [rule for rule in held.rules if rule.mode is not Mode.SHADOW]
        if not counted and not held.unknown:
            return None
        return self._decision(event, signals, counted, held.unknown, in_order(asks))

    def _decision(
        self,
        event: Event,
        signals: Sequence[Signal],
        rules: Sequence[PolicyRule],
        unknown: Sequence[PolicyRule],
        asks: tuple[EffectKind, ...],
    ) -> Decision:
        worst = max(rules, key=lambda rule: rule.severity, default=None)
        first = signals[0]
        version = self.policy.version
        return Decision(
            id=DecisionId(derive_id("dec", event.key, version)),
            event_key=event.key,
            account_id=first.account_id,
            subject=first.subject,
            decided_by="policy",
            policy_version=version,
            category=worst.category if worst else UNKNOWN_CATEGORY,
            severity=worst.severity if worst else UNKNOWN_SEVERITY,
            asks=asks,
            reasons=(
                *(Reason(rule=rule.name, text=rule.because) for rule in rules),
                *(
                    Reason(
                        rule=rule.name, text="The rule could not be evaluated: a person decides."
                    )
                    for rule in unknown
                ),
            ),
            time=event.time,
        )


def _cel_fault(error: RuntimeError) -> str:
    return _CEL_FRAME.sub("", str(error).splitlines()[0])


def _asks(rule: PolicyRule) -> set[EffectKind]:
    if rule.mode is Mode.SHADOW:
        return set()
    if rule.mode is Mode.REVIEW:
        return {EffectKind.PRESERVE, EffectKind.REVIEW}
    return set(rule.asks)
