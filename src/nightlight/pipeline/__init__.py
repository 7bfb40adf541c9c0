"""The sentence: event -> signals -> decision -> effects -> case; the only place where stages meet.

``judge`` is pure: the same event, context and policy give the same judgement on every machine and
on every replay. ``Pipeline`` gathers what it needs before, and stores what follows after, all in
one transaction.
"""

from nightlight.pipeline.judging import Judgement, Rules, judge
from nightlight.pipeline.pipeline import Batch, Pipeline
from nightlight.pipeline.storing import Judged

__all__ = ["Batch", "Judged", "Judgement", "Pipeline", "Rules", "judge"]
