"""The facts that rules may use beside the detectors' own: what is known of account and post."""

from collections.abc import Mapping, Sequence

from nightlight.errors import InvalidInput
from nightlight.model.context import Context
from nightlight.model.event import Event
from nightlight.model.signal import Fact, Signal

#: Facts of the context with their neutral values; the value's type is the fact's type.
CONTEXT_FACTS: Mapping[str, Fact] = {
    "event_type": "",
    "account_age_hours": 0,
    "account_posts": 0,
    "account_deletions": 0,
    "account_user_reports": 0,
    "account_suspended": False,
    "account_confirmed": False,
    "post_views": 0,
}


def declare_facts(*declared: Mapping[str, Fact]) -> dict[str, Fact]:
    """Return all facts with their neutral values, those of the context first.

    Raises:
        InvalidInput: two declare the same name.
    """
    facts = dict(CONTEXT_FACTS)
    for some in declared:
        for name, neutral in some.items():
            if name in facts:
                raise InvalidInput(f"the fact {name!r} is declared twice", field="detectors")
            facts[name] = neutral
    return facts


def context_facts(event: Event, context: Context) -> dict[str, Fact]:
    """Return the context's facts for one event."""
    account, post = context.account, context.post
    facts: dict[str, Fact] = {"event_type": event.type.value}
    if account is not None:
        born = account.created_at or account.first_seen
        if born is not None:
            facts["account_age_hours"] = max(0, int((event.time - born).total_seconds() // 3600))
        facts["account_posts"] = account.posts
        facts["account_deletions"] = account.deletions
        facts["account_user_reports"] = account.user_reports
        facts["account_suspended"] = account.suspended
        facts["account_confirmed"] = account.human_decision == "confirmed"
    if post is not None:
        facts["post_views"] = post.views
    return facts


def gather_facts(
    neutral: Mapping[str, Fact], event: Event, context: Context, signals: Sequence[Signal]
) -> dict[str, Fact]:
    """Return every declared fact: the signals' values over the context's over the neutral ones.

    Where several signals carry a fact, the first does the telling: the decision is about its
    subject.
    """
    facts = {**neutral, **context_facts(event, context)}
    for signal in reversed(signals):
        facts.update(signal.facts)
    return facts
