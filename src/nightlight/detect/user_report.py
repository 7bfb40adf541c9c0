"""A user report is a finding of its own: somebody saw something."""

import re
from collections.abc import Mapping, Sequence

from nightlight.model.context import Context
from nightlight.model.event import Event, UserReportCreated
from nightlight.model.ids import AccountId
from nightlight.model.signal import Fact, Signal, Subject, SubjectKind

_NONE: tuple[Signal, ...] = ()
#: One report alone says little; policy weighs how many there are.
_CONFIDENCE = 0.3
#: Platforms name reasons by code; anything else may be what the reporter wrote.
_CODE = re.compile(r"[a-z0-9_.:-]{0,64}")
_NOT_A_CODE = "other"


class UserReport:
    """Turns ``user_report.created`` into a signal about the post or account reported."""

    name = "user_report"
    facts: Mapping[str, Fact] = {"user_reported": False, "user_report_reason": ""}

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:
        """Return one signal for a user report, nothing for any other event."""
        data = event.data
        if not isinstance(data, UserReportCreated):
            return _NONE
        author = context.account.account_id if context.account else AccountId("")
        if data.post_id:
            subject = Subject(kind=SubjectKind.POST, id=data.post_id)
        else:
            subject = Subject(kind=SubjectKind.ACCOUNT, id=data.target_account_id)
            author = author or AccountId(data.target_account_id)
        return (
            Signal(
                detector=self.name,
                event_key=event.key,
                account_id=author,
                subject=subject,
                confidence=_CONFIDENCE,
                facts={"user_reported": True, "user_report_reason": _code(data.reason)},
            ),
        )


def _code(reason: str) -> str:
    return reason if _CODE.fullmatch(reason) else _NOT_A_CODE
