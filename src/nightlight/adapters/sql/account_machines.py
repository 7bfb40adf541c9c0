"""The machines that were told of an account itself: with its registration, profile and sign-ins.

They are found by the account. Sign-ins are many: of each account the newest keep their machine.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, func, select

from nightlight.adapters.sql.rows import among
from nightlight.adapters.sql.schema import event_log
from nightlight.ingest.ports import LoggedEvent
from nightlight.model.event import KEPT_SIGN_INS, EventType
from nightlight.model.ids import AccountId

_SIGN_IN = EventType.ACCOUNT_SIGNED_IN
OF_ACCOUNT = (EventType.ACCOUNT_CREATED, EventType.ACCOUNT_UPDATED, _SIGN_IN)
_NEWEST_FIRST = (event_log.c.time_us.desc(), event_log.c.seq.desc())
# As the index says it, or it is not used.
_KEPT = (event_log.c.machine_account.is_not(None), event_log.c.sealed_machine.is_not(None))


def machine_account(logged: LoggedEvent) -> AccountId | None:
    """Return the account whose machine an event told, None where it told something else."""
    return logged.event.account_id if logged.event.type in OF_ACCOUNT else None


def signed_in(logged: Collection[LoggedEvent]) -> set[AccountId]:
    """Return who signed in."""
    return {one.event.account_id for one in logged if one.event.type is _SIGN_IN}


def newest(account_id: AccountId, kind: EventType, limit: int) -> Select[Any]:
    """Return the query for an account's newest events of one kind that kept their machine."""
    return (
        select(event_log)
        .where(
            event_log.c.machine_account == account_id,
            event_log.c.type == kind.value,
            *_KEPT,
        )
        .order_by(*_NEWEST_FIRST)
        .limit(limit)
    )


def older_sign_ins(connection: Connection, accounts: Collection[AccountId]) -> Select[Any]:
    """Return the query for the sign-ins that kept their machine, and for which there are newer."""
    place = func.row_number().over(partition_by=event_log.c.machine_account, order_by=_NEWEST_FIRST)
    placed = (
        select(event_log.c.seq, place.label("place"))
        .where(
            among(connection, event_log.c.machine_account, accounts),
            event_log.c.type == _SIGN_IN.value,
            *_KEPT,
        )
        .subquery()
    )
    return select(placed.c.seq).where(placed.c.place > KEPT_SIGN_INS)
