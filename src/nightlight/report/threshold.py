"""Asks a threshold about an account that was acted on. Pure.

A rule that cannot be evaluated is neither yes nor no: a person decides. So does a person while
nobody has confirmed what the account did, whatever the rules say.
"""

import re
from functools import lru_cache

from cel_expr_python import cel
from msgspec import Struct

from nightlight.errors import InvalidInput
from nightlight.model.effect import EffectKind
from nightlight.model.report_decision import OTHER_MATTER, Part, Says, Threshold, ThresholdRule
from nightlight.model.role import Knowledge
from nightlight.model.signal import Fact

#: What a rule may use beside one yes-or-no for each word of ``Knowledge``, with its type's zero.
THRESHOLD_FACTS: dict[str, Fact] = {
    "role": "",
    "acts": 0,
    "speaks_for": 0,
    "speaks_against": 0,
    "category": "",
    "severity": 0,
    "effect": "",
}
_TYPES = {int: cel.Type.INT, str: cel.Type.STRING}
#: What a CEL compiler's message wraps around "line:column: what is wrong".
_CEL_FRAME = re.compile(r"^[A-Z_]+: |ERROR: <input>:| \(in container ''\)| \[[A-Z_]+\]$")


class Answer(Struct, frozen=True, kw_only=True):
    """What a threshold says, by which rule, and why not if it says so."""

    says: Says
    rule: str = ""
    reason: str = ""


class Asked(Struct, frozen=True, kw_only=True):
    """What a threshold is asked about."""

    category: str
    severity: int
    effect: EffectKind
    part: Part


_A_PERSON = Answer(says=Says.PERSON)


class CompiledThreshold:
    """A threshold whose rules are compiled; ``ask`` is pure."""

    def __init__(self, threshold: Threshold) -> None:
        """Compile every rule.

        Raises:
            InvalidInput: a rule is not CEL, names an undeclared fact or is not a yes-or-no.
        """
        self.threshold = threshold
        types = {name: _TYPES[type(value)] for name, value in THRESHOLD_FACTS.items()}
        types |= dict.fromkeys((one.value for one in Knowledge), cel.Type.BOOL)
        self._env = cel.NewEnv(variables=types)
        self._known = ", ".join(types)
        self._compiled = [(rule, self._compile(rule)) for rule in threshold.rules]
        self._answers: dict[Asked, Answer] = {}

    def _compile(self, rule: ThresholdRule) -> cel.Expression:
        field = f"policy.reporting.rules.{rule.name}.when"
        try:
            compiled = self._env.compile(rule.when)
        except RuntimeError as error:
            said = _CEL_FRAME.sub("", str(error).splitlines()[0])
            raise InvalidInput(said, field=field, hint=f"known here: {self._known}") from error
        if compiled.return_type() != cel.Type.BOOL:
            raise InvalidInput(
                "the expression is not a yes-or-no", field=field, hint="compare, as in `acts >= 3`"
            )
        return compiled

    def ask(self, asked: Asked) -> Answer:
        """Return what the threshold says."""
        answer = self._answers.get(asked)
        if answer is None:
            answer = self._answer(asked)
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            self._answers[asked] = answer
        return answer

    def _answer(self, asked: Asked) -> Answer:
        if asked.category in self.threshold.other_matters:
            return Answer(says=Says.NOT, rule="other_matters", reason=OTHER_MATTER)
        if not asked.part.role:
            return _A_PERSON
        activation = self._env.Activation(_facts(asked))
        for rule, compiled in self._compiled:
            value = compiled.eval(activation)
            # A CEL error is a value of another type whose truth value is true: ask the type.
            if value.type() != cel.Type.BOOL:
                return Answer(says=Says.PERSON, rule=rule.name)
            if value.value() is True:
                return Answer(says=rule.says, rule=rule.name, reason=rule.reason)
        return _A_PERSON


#: Answers remembered: accounts differ in little that counts, and asking is pure.
_REMEMBERED = 4096


@lru_cache(maxsize=16)
def compiled(threshold: Threshold) -> CompiledThreshold:
    """Return a threshold ready to be asked; one that was compiled before is not compiled again.

    Raises:
        InvalidInput: a rule is not CEL, names an undeclared fact or is not a yes-or-no.
    """
    return CompiledThreshold(threshold)


def _facts(asked: Asked) -> dict[str, Fact]:
    part = asked.part
    known = {*part.knowledge_for, *part.knowledge_against}
    return {
        "role": part.role,
        "acts": part.acts,
        "speaks_for": len(part.knowledge_for),
        "speaks_against": len(part.knowledge_against),
        "category": asked.category,
        "severity": asked.severity,
        "effect": asked.effect.value,
        **{one.value: one in known for one in Knowledge},
    }
