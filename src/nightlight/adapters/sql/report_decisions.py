"""Account actions and their report decisions: kept, versioned, and counted."""

import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    update,
)

from nightlight.adapters.sql.rows import (
    add_all,
    among,
    from_us,
    from_us_or_none,
    is_postgresql,
    put_new,
    to_json,
    to_us,
    to_us_or_none,
)
from nightlight.adapters.sql.schema import (
    account_action,
    account_action_effect,
    cybertip,
    effect,
    report_decision,
    report_threshold,
    review_case,
    tip_case,
)
from nightlight.errors import NotFound
from nightlight.model.case import CaseState
from nightlight.model.cybertip import Destination
from nightlight.model.effect import CLOSING_EFFECTS, EffectKind
from nightlight.model.filing import Line, TipState
from nightlight.model.ids import (
    AccountActionId,
    AccountId,
    CaseId,
    DecisionId,
    EffectId,
    TipId,
    keyed_id,
)
from nightlight.model.report_decision import (
    AccountAction,
    Accounted,
    Part,
    ReportDecision,
    ReportState,
    Says,
    Threshold,
)
from nightlight.preserve.ports import KeyRing
from nightlight.report.ports import AccountCase, CaseFilings, Counted

_action, _decision, _effects = account_action, report_decision, account_action_effect
_threshold = msgspec.json.Decoder(Threshold)
_part = msgspec.json.Decoder(Part)
_decision_ids = msgspec.json.Decoder(tuple[DecisionId, ...])
_AGES = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
#: Account actions joined with the report decision that holds.
_HOLDS = and_(
    _decision.c.action_id == _action.c.id, _decision.c.version == _action.c.report_version
)
_IS_UNDECIDED = _decision.c.state == ReportState.UNDECIDED.value


class SqlReportDecisionStore:
    """The account_action and report_decision tables; triggers see to what may not be done."""

    def __init__(self, connection: Connection, keys: KeyRing, line: Line) -> None:
        self._connection = connection
        self._line = line
        self._name_key = hmac.digest(keys.naming_key(), b"nightlight/record-names", "sha256")

    def keep_threshold(self, threshold: Threshold, *, at: datetime) -> None:
        """Store a threshold under its name and version; one that is there already stays."""
        row = {"name": threshold.full_name, "body": to_json(threshold), "first_us": to_us(at)}
        put_new(self._connection, report_threshold, [row])

    def find_threshold(self, full_name: str) -> Threshold | None:
        """Return the threshold of this name and version, None where it was never asked."""
        body = self._connection.execute(
            select(report_threshold.c.body).where(report_threshold.c.name == full_name)
        ).scalar_one_or_none()
        return _threshold.decode(body) if body else None

    def linked(self, effects: Collection[EffectId]) -> set[EffectId]:
        """Return those effects that belong to an account action already."""
        rows = self._connection.execute(
            select(_effects.c.effect_id).where(
                among(self._connection, _effects.c.effect_id, effects)
            )
        )
        return {EffectId(one) for one in rows.scalars()}

    def standing(self, accounts: Collection[AccountId]) -> dict[AccountId, Accounted]:
        """Return each account's action that has not ended, held until the transaction ends."""
        found = self._held(
            select(_action.c.id).where(
                among(self._connection, _action.c.account_id, accounts),
                _action.c.ended_us.is_(None),
            )
        )
        return {one.action.account_id: one for one in found}

    def get(self, action_id: AccountActionId) -> Accounted:
        """Return an account action, held until the transaction ends.

        Raises:
            NotFound: there is none with this id.
        """
        found = self._held(select(_action.c.id).where(_action.c.id == action_id))
        if not found:
            raise NotFound(
                f"no account action {action_id}", hint="`nightlight report undecided` lists them"
            )
        return found[0]

    def of_case(self, case_id: CaseId) -> list[Accounted]:
        """Return the account actions that a case asked for, held until the transaction ends."""
        concerned = (
            select(_effects.c.action_id)
            .join(effect, effect.c.id == _effects.c.effect_id)
            .where(effect.c.case_id == case_id)
        )
        return self._held(select(_action.c.id).where(_action.c.id.in_(concerned)))

    def of_account(self, account_id: AccountId) -> list[Accounted]:
        """Return every account action of an account, oldest first."""
        return self._read(
            _all().where(_action.c.account_id == account_id).order_by(_action.c.at_us)
        )

    def begin(self, new: Sequence[Accounted]) -> list[Accounted]:
        """Return new account actions, now stored under their record names with first decisions."""
        named = [replace(one, action=self._named(one.action)) for one in new]
        add_all(self._connection, _decision, [_decision_row(one.decision) for one in new])
        rows = [
            {
                **_action_row(one.action),
                "report_version": one.decision.version,
                "escalated_version": 0,
            }
            for one in named
        ]
        add_all(self._connection, _action, rows)
        return named

    def _named(self, action: AccountAction) -> AccountAction:
        return replace(action, record_name=keyed_id("rec", self._name_key, action.id))

    def change(self, actions: Sequence[AccountAction]) -> None:
        """Store actions that became graver or ended."""
        for one in actions:
            row = _action_row(one)
            changed = {name: row[name] for name in ("effect", "category", "severity", "ended_us")}
            self._connection.execute(update(_action).where(_action.c.id == one.id).values(changed))

    def decide(self, decisions: Sequence[ReportDecision]) -> None:
        """Store the next version of report decisions, which hold from now on."""
        add_all(self._connection, _decision, [_decision_row(one) for one in decisions])

    def link(self, links: Sequence[tuple[EffectId, AccountActionId]]) -> None:
        """Store to which account action effects belong, before the effects themselves."""
        rows = [{"effect_id": one, "action_id": action} for one, action in links]
        add_all(self._connection, _effects, rows)

    def filings(self, action: AccountAction) -> list[CaseFilings]:
        """Return the cases of the action's account, and those that asked for it, oldest first."""
        asked = self._connection.execute(
            select(effect.c.decision_id, effect.c.case_id)
            .join(_effects, _effects.c.effect_id == effect.c.id)
            .where(_effects.c.action_id == action.id)
        ).all()
        named = {row.case_id for row in asked if row.case_id}
        cases = self._connection.execute(
            select(review_case.c.id, review_case.c.state, review_case.c.decisions)
            .where(
                or_(
                    review_case.c.account_id == action.account_id,
                    among(self._connection, review_case.c.id, named),
                )
            )
            .order_by(review_case.c.opened_us, review_case.c.id)
        ).all()
        # A finding that was left open when its case was decided belongs to another case now.
        holding = {name: row.id for row in cases for name in _decision_ids.decode(row.decisions)}
        asking = {holding.get(row.decision_id, row.case_id) for row in asked}
        tips = self._tips_of([row.id for row in cases])
        elsewhere = self._elsewhere(tips)
        return [
            CaseFilings(
                case_id=CaseId(row.id),
                state=CaseState(row.state),
                asked=row.id in asking,
                tips=tuple(tips.get(row.id, ())),
                elsewhere=elsewhere,
            )
            for row in cases
        ]

    def _tips_of(self, cases: Collection[str]) -> dict[str, list[tuple[TipId, TipState]]]:
        rows = self._connection.execute(
            select(tip_case.c.case_id, cybertip.c.id, cybertip.c.state)
            .join(cybertip, cybertip.c.id == tip_case.c.tip_id)
            .where(among(self._connection, tip_case.c.case_id, cases))
            .order_by(cybertip.c.drafted_us, cybertip.c.id)
        )
        found: dict[str, list[tuple[TipId, TipState]]] = {}
        for row in rows:
            found.setdefault(row.case_id, []).append((TipId(row.id), TipState(row.state)))
        return found

    def _elsewhere(self, tips: Mapping[str, Iterable[tuple[TipId, TipState]]]) -> frozenset[TipId]:
        """Return those of these tips that were filed at another line than the one in force."""
        filed = {name for some in tips.values() for name, state in some if state is TipState.FILED}
        if not filed or not self._line.address:
            return frozenset()
        rows = self._connection.execute(
            select(cybertip.c.id).where(
                among(self._connection, cybertip.c.id, filed), self._is_elsewhere()
            )
        )
        return frozenset(TipId(one) for one in rows.scalars())

    def _is_elsewhere(self) -> ColumnElement[bool]:
        """Return the condition that a tip's line is known, and not the one in force."""
        here = [literal(one, literal_execute=True) for one in sorted(self._line.addresses)]
        return and_(
            cybertip.c.destination == literal(Destination.NCMEC.value, literal_execute=True),
            cybertip.c.line.is_not(None),
            cybertip.c.line.not_in(here) if here else false(),
        )

    def history(self, action_id: AccountActionId) -> list[ReportDecision]:
        """Return every version of a report decision, oldest first."""
        rows = self._connection.execute(
            select(_decision)
            .where(_decision.c.action_id == action_id)
            .order_by(_decision.c.version)
        )
        return [_read_decision(row) for row in rows]

    def undecided(self, limit: int) -> list[Accounted]:
        """Return what is undecided, the soonest due first."""
        return self._read(
            _all().where(_IS_UNDECIDED).order_by(_decision.c.due_us, _action.c.id).limit(limit)
        )

    def overdue(self, now: datetime, limit: int) -> list[Accounted]:
        """Return what is undecided beyond its deadline and was not escalated, held."""
        late = (
            select(_action.c.id)
            .join(_decision, _HOLDS)
            .where(_is_overdue(now), _action.c.escalated_version < _action.c.report_version)
            .order_by(_decision.c.due_us, _action.c.id)
            .limit(limit)
        )
        ids = list(self._connection.execute(late).scalars())
        held = self._held(
            select(_action.c.id).where(
                among(self._connection, _action.c.id, ids),
                _action.c.escalated_version < _action.c.report_version,
            )
        )
        # Another worker may have decided or escalated one of them meanwhile.
        return [
            one for one in held if one.decision.due_at is not None and one.decision.due_at < now
        ]

    def escalate(self, decisions: Sequence[ReportDecision]) -> None:
        """Remember that these were escalated; each version is escalated once."""
        for one in decisions:
            self._connection.execute(
                update(_action)
                .where(_action.c.id == one.action_id)
                .values(escalated_version=one.version)
            )

    def count_overdue(self, now: datetime) -> int:
        """Return how much is undecided beyond its deadline."""
        statement = select(func.count()).select_from(_action).join(_decision, _HOLDS)
        return self._connection.execute(statement.where(_is_overdue(now))).scalar_one()

    def page(self, after: str, limit: int) -> list[Accounted]:
        """Return account actions in the order of their ids, after one of them."""
        return self._read(_all().where(_action.c.id > after).order_by(_action.c.id).limit(limit))

    def tips(self, actions: Collection[AccountActionId]) -> dict[str, tuple[TipId, TipState]]:
        """Return, by account action, a tip of its case that was not withdrawn, if there is one."""
        rows = self._connection.execute(
            select(_effects.c.action_id, cybertip.c.id, cybertip.c.state)
            .join(effect, effect.c.id == _effects.c.effect_id)
            .join(tip_case, tip_case.c.case_id == effect.c.case_id)
            .join(cybertip, cybertip.c.id == tip_case.c.tip_id)
            .where(
                among(self._connection, _effects.c.action_id, actions),
                cybertip.c.state != TipState.WITHDRAWN.value,
            )
            # What is still on its way says more than what was refused, and that than what is filed.
            .order_by(
                cybertip.c.state != TipState.FILED.value,
                cybertip.c.state != TipState.REFUSED.value,
                cybertip.c.id,
            )
        )
        return {row.action_id: (TipId(row.id), TipState(row.state)) for row in rows}

    def has_former_names(self) -> bool:
        """Return whether the record shows account actions under names that name their accounts."""
        former = select(_action.c.id).where(_action.c.record_name == "").limit(1)
        return self._connection.execute(former).first() is not None

    def cases_of(self, accounts: Collection[AccountId]) -> dict[AccountId, list[AccountCase]]:
        """Return the cases of each account, the gravest first, then the oldest."""
        cases = self._connection.execute(
            select(
                review_case.c.id,
                review_case.c.account_id,
                review_case.c.state,
                review_case.c.category,
            )
            .where(among(self._connection, review_case.c.account_id, accounts))
            .order_by(review_case.c.severity.desc(), review_case.c.opened_us, review_case.c.id)
        ).all()
        tips = self._tips_of([row.id for row in cases])
        elsewhere = self._elsewhere(tips)
        found: dict[AccountId, list[AccountCase]] = {}
        for row in cases:
            one = AccountCase(
                case_id=CaseId(row.id),
                state=CaseState(row.state),
                category=row.category,
                tip=_telling([one for one in tips.get(row.id, []) if one[0] not in elsewhere]),
            )
            found.setdefault(AccountId(row.account_id), []).append(one)
        return found

    def count(self, now: datetime) -> list[Counted]:
        """Return all account actions by month, state and reason.

        Suspensions that belong to no account action count as without a decision.
        """
        month = self._month(_action.c.at_us)
        ages = [
            func.count(case((_IS_UNDECIDED & younger, 1)))
            for younger in _age_conditions(_action.c.at_us, now)
        ]
        grouped = (
            select(
                month.label("month"),
                _decision.c.state,
                _decision.c.reason,
                func.count().label("n"),
                func.min(_action.c.at_us).label("oldest_us"),
                func.count(case((_is_overdue(now), 1))).label("overdue"),
                func.count(case((self._is_elsewhere(), 1))).label("elsewhere"),
                *(one.label(f"age_{place}") for place, one in enumerate(ages)),
            )
            .select_from(
                _action.outerjoin(_decision, _HOLDS).outerjoin(
                    cybertip, cybertip.c.id == _decision.c.tip_id
                )
            )
            .group_by(month, _decision.c.state, _decision.c.reason)
        )
        return [*self._counted(self._connection.execute(grouped)), *self._unlinked()]

    def _counted(self, rows: Iterable[Row[Any]]) -> list[Counted]:
        return [
            Counted(
                month=row.month,
                state=ReportState(row.state) if row.state else None,
                reason=row.reason or "",
                count=row.n,
                oldest_at=from_us(row.oldest_us),
                overdue=row.overdue,
                elsewhere=row.elsewhere,
                ages=(row.age_0, row.age_1, row.age_2, row.age_3),
            )
            for row in rows
        ]

    def _unlinked(self) -> list[Counted]:
        """Return suspensions and locks without their account's action, which no trigger lets in."""
        kinds = sorted(kind.value for kind in CLOSING_EFFECTS)
        month = self._month(effect.c.requested_us)
        rows = self._connection.execute(
            select(
                month.label("month"),
                func.count().label("n"),
                func.min(effect.c.requested_us).label("oldest_us"),
            )
            .select_from(
                effect.outerjoin(_effects, _effects.c.effect_id == effect.c.id).outerjoin(
                    _action,
                    and_(
                        _action.c.id == _effects.c.action_id,
                        _action.c.account_id == effect.c.subject_id,
                    ),
                )
            )
            .where(effect.c.kind.in_([literal(kind, literal_execute=True) for kind in kinds]))
            .where(_action.c.id.is_(None))
            .group_by(month)
        )
        return [
            Counted(
                month=row.month,
                state=None,
                reason="",
                count=row.n,
                oldest_at=from_us(row.oldest_us),
            )
            for row in rows
        ]

    def _month(self, us: ColumnElement[int]) -> ColumnElement[str]:
        seconds = us // literal(1_000_000, literal_execute=True)
        if is_postgresql(self._connection):
            at = func.timezone(literal("UTC", literal_execute=True), func.to_timestamp(seconds))
            return func.to_char(at, literal("YYYY-MM", literal_execute=True))
        return func.strftime(
            literal("%Y-%m", literal_execute=True),
            seconds,
            literal("unixepoch", literal_execute=True),
        )

    def _held(self, ids: Select[Any]) -> list[Accounted]:
        """Return account actions, locked first: what is read afterwards is the newest."""
        # In one order, so that two who want the same wait and do not block each other for good.
        locking = ids.order_by(_action.c.id).with_for_update(of=_action)
        found = list(self._connection.execute(locking).scalars())
        if not found:
            return []
        return self._read(
            _all().where(among(self._connection, _action.c.id, found)).order_by(_action.c.id)
        )

    def _read(self, statement: Select[Any]) -> list[Accounted]:
        return [
            Accounted(action=_read_action(row), decision=_read_decision(row))
            for row in self._connection.execute(statement)
        ]


def _telling(tips: Sequence[tuple[TipId, TipState]]) -> tuple[TipId, TipState] | None:
    """Return of a case's tips the one that says how far its report is."""
    live = [one for one in tips if one[1] is not TipState.WITHDRAWN]
    return min(live, key=lambda one: one[1] is TipState.FILED, default=None)


def _all() -> Select[Any]:
    return select(_action, _decision).join(_decision, _HOLDS)


def _is_overdue(now: datetime) -> ColumnElement[bool]:
    return _IS_UNDECIDED & (_decision.c.due_us < to_us(now))


def _age_conditions(at_us: ColumnElement[int], now: datetime) -> list[ColumnElement[bool]]:
    """Return conditions, one of which holds for every age."""
    bounds = [to_us(now - age) for age in _AGES]
    return [
        at_us > bounds[0],
        and_(at_us <= bounds[0], at_us > bounds[1]),
        and_(at_us <= bounds[1], at_us > bounds[2]),
        at_us <= bounds[2],
    ]


def _action_row(one: AccountAction) -> dict[str, Any]:
    return {
        "id": one.id,
        "account_id": one.account_id,
        "effect": one.effect.value,
        "category": one.category,
        "severity": one.severity,
        "asked_by": one.asked_by,
        "at_us": to_us(one.at),
        "ended_us": to_us_or_none(one.ended_at),
        "record_name": one.record_name,
    }


def _decision_row(one: ReportDecision) -> dict[str, Any]:
    return {
        "action_id": one.action_id,
        "version": one.version,
        "state": one.state.value,
        "says": one.says.value,
        "rule": one.rule,
        "reason": one.reason,
        "tip_id": one.tip_id,
        "part": to_json(one.part),
        "threshold": one.threshold,
        "decided_by": one.decided_by,
        "note": one.note,
        "decided_us": to_us(one.decided_at),
        "due_us": to_us_or_none(one.due_at),
    }


def _read_action(row: Row[Any]) -> AccountAction:
    return AccountAction(
        id=row.id,
        account_id=row.account_id,
        effect=EffectKind(row.effect),
        category=row.category,
        severity=row.severity,
        asked_by=row.asked_by,
        at=from_us(row.at_us),
        ended_at=from_us_or_none(row.ended_us),
        record_name=row.record_name,
    )


def _read_decision(row: Row[Any]) -> ReportDecision:
    return ReportDecision(
        action_id=row.action_id,
        version=row.version,
        state=ReportState(row.state),
        says=Says(row.says),
        rule=row.rule,
        reason=row.reason,
        tip_id=row.tip_id,
        part=_part.decode(row.part),
        threshold=row.threshold,
        decided_by=row.decided_by,
        note=row.note,
        decided_at=from_us(row.decided_us),
        due_at=from_us_or_none(row.due_us),
    )
