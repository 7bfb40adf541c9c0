"""What each page shows, read in one transaction; never content, hashes, terms or a tip's text."""

from collections import defaultdict
from collections.abc import Mapping

from nightlight.errors import InvalidInput
from nightlight.model.case import STANDING, CaseState
from nightlight.model.ids import AccountId, CaseId
from nightlight.model.signal import Signal
from nightlight.report.remedy import EXPIRES_AFTER, remedy
from nightlight.report.wanted import draft_command
from nightlight.services import Services
from nightlight.services.account_view import view_account
from nightlight.services.clusters import cluster_of
from nightlight.services.clusters import clusters as clusters_of
from nightlight.services.networks import predecessors_of
from nightlight.services.roles import roles_in_case
from nightlight.services.rules import active_policy
from nightlight.transaction import is_live
from nightlight.web.console.graph import draw
from nightlight.web.console.neighbours import neighbours_of
from nightlight.web.console.scores import lowest_precision, read_scorecard
from nightlight.web.console.stages import Counted, stages
from nightlight.web.health import WORKER, is_alive, worker_seen

_NEWEST_EVENTS = 8
_OVERVIEW_ROWS = 7
_CLUSTERS = 50
#: Earlier accounts that one may continue: fewer and likelier than the command line lists.
_PREDECESSORS, _LIKELY = 8, 0.3
_PAGE_ROWS = 200

#: What a page asks for: its path and query parameters.
Asked = Mapping[str, str]
#: What a template gets.
Shown = dict[str, object]


def overview(services: Services, _: Asked) -> Shown:
    """Return the seven stages, what is newest and how Nightlight is."""
    scores = read_scorecard(services.settings.home).scores
    with services.unit_of_work.read() as tx:
        figures = tx.figures.figures()
        counted = Counted(
            events=figures.events,
            backlog=figures.backlog,
            signals=figures.signals,
            decisions=figures.decisions,
            effects=figures.effects,
            cases=figures.cases,
            tips=figures.tips,
            lowest_precision=lowest_precision(scores),
        )
        seen = worker_seen(tx, services)
        last = tx.heartbeats.last().get(WORKER)
        verified = services.record.verified()
        return {
            "stages": stages(counted),
            "events": tx.figures.recent_events(_NEWEST_EVENTS),
            "decisions": tx.decisions.newest(_OVERVIEW_ROWS),
            "cases": tx.cases.queue(CaseState.OPEN, _OVERVIEW_ROWS),
            "open_cases": figures.cases.get(CaseState.OPEN.value, 0),
            "tips": tx.tips.newest(_OVERVIEW_ROWS),
            "worker_at": last[0] if last else None,
            "worker_alive": is_alive(seen),
            "backlog": figures.backlog,
            "effects": figures.effects,
            "has_platform": services.settings.platform is not None,
            "quarantined": figures.quarantined,
            "overdue": tx.report_decisions.count_overdue(services.clock.now()),
            "audit_entries": figures.audit_entries,
            "record_broken": verified.broken if verified else "",
            "record_verified_at": verified.at if verified else None,
        }


def decisions(services: Services, _: Asked) -> Shown:
    """Return the newest decisions and effects."""
    with services.unit_of_work.read() as tx:
        return {
            "decisions": tx.decisions.newest(_PAGE_ROWS),
            "deliveries": tx.outbox.newest(_PAGE_ROWS),
        }


def cases(services: Services, asked: Asked) -> Shown:
    """Return the cases in a state, most severe first.

    Raises:
        InvalidInput: there is no such state.
    """
    wanted = asked.get("state", "")
    known = [state.value for state in CaseState]
    if wanted and wanted not in known:
        raise InvalidInput("there is no such state of a case", hint=f"known: {', '.join(known)}")
    with services.unit_of_work.read() as tx:
        counts = tx.figures.figures().cases
        return {
            "cases": tx.cases.queue(CaseState(wanted) if wanted else None, _PAGE_ROWS),
            "state": wanted,
            "states": [(state, counts.get(state, 0)) for state in known],
            "all_cases": sum(counts.values()),
        }


def case(services: Services, asked: Asked) -> Shown:
    """Return a case with its decisions, signals, evidence and tips.

    Raises:
        NotFound: there is no such case.
    """
    with services.unit_of_work.read() as tx:
        found = tx.cases.get(CaseId(asked["case_id"]))
        made = tx.decisions.get(found.decisions)
        signals: defaultdict[str, list[Signal]] = defaultdict(list)
        for signal in tx.signals.of_events([one.event_key for one in made]):
            signals[signal.event_key].append(signal)
        tips = tx.tips.of_case(found.id)
        draft = ""
        if found.state in STANDING and not any(is_live(one) for one in tips):
            draft = draft_command(found.id, found.category, reportable=active_policy(tx).reportable)
        return {
            "case": found,
            "decisions": made,
            "signals": signals,
            "evidence": tx.evidence.of_case(found.id),
            "tips": tips,
            "draft": draft,
            "roles": roles_in_case(tx, found.id),
        }


def account(services: Services, asked: Asked) -> Shown:
    """Return everything about an account but its content.

    Raises:
        NotFound: no event ever named this account.
    """
    account_id = AccountId(asked["account_id"])
    with services.unit_of_work.read() as tx:
        view = view_account(tx, account_id)
        neighbours = neighbours_of(tx, view)
        earlier = predecessors_of(tx, account_id, _PREDECESSORS)
        cluster = cluster_of(tx, account_id)
    return {
        "view": view,
        "predecessors": [one for one in earlier if one.score >= _LIKELY],
        "neighbours": neighbours,
        "cluster": cluster,
        "graph": draw(account_id, neighbours),
    }


def clusters(services: Services, _: Asked) -> Shown:
    """Return groups of accounts that word alike, the largest first."""
    with services.unit_of_work.read() as tx:
        return {"clusters": clusters_of(tx, limit=_CLUSTERS)}


def reports(services: Services, _: Asked) -> Shown:
    """Return the newest tips with their progress."""
    with services.unit_of_work.read() as tx:
        late = {one.tip_id for one in tx.tips.overdue(services.clock.now())}
        tips = tx.tips.newest(_PAGE_ROWS)
    remedies = {
        one.tip_id: remedy(
            one.filing,
            appealed=one.appealed,
            overturned=one.overturned,
            trouble=one.trouble,
            elsewhere=one.elsewhere,
            undrafted=one.undrafted,
        )
        for one in tips
    }
    return {"tips": tips, "late": late, "remedies": remedies, "expires_after": EXPIRES_AFTER}


def reconciliation(services: Services, _: Asked) -> Shown:
    """Return what became of every account that was acted on, and what is undecided."""
    with services.unit_of_work.read() as tx:
        threshold = active_policy(tx).reporting
    return {
        "found": services.report_decisions.reconcile(),
        "waiting": services.report_decisions.undecided(_PAGE_ROWS),
        "threshold": threshold,
        "now": services.clock.now(),
    }


def record(services: Services, _: Asked) -> Shown:
    """Return the newest audit entries, the head of the chain, and how verifying it went."""
    verified = services.record.verified()
    with services.unit_of_work.read() as tx:
        seq, head = tx.audit.head()
        return {
            "entries": tx.audit.newest(_PAGE_ROWS),
            "seq": seq,
            "head": head,
            "verified": verified,
        }


def lists(services: Services, _: Asked) -> Shown:
    """Return how much hash banks and lexicons hold, how fresh they are, and what waits."""
    lexicons = services.lists.summaries()[1]
    exchanges = {one.bank: one for one in services.exchanges.all()}
    return {
        "banks": services.banks.summaries(),
        "held": services.banks.held_updates(),
        "exchanges": exchanges,
        "lexicons": lexicons,
    }


def bank(services: Services, asked: Asked) -> Shown:
    """Return a bank's settings, counts, versions, exchange and held updates; never a hash.

    Raises:
        NotFound: there is no such bank.
    """
    name = asked["name"]
    services.banks.get(name)
    return {
        "one": next(one for one in services.banks.summaries() if one.bank.name == name),
        "held": [update for update in services.banks.held_updates() if update.bank == name],
        "versions": services.banks.history(name, limit=_PAGE_ROWS),
        "exchange": next((one for one in services.exchanges.all() if one.bank == name), None),
    }


def quarantine(services: Services, _: Asked) -> Shown:
    """Return what could not be read, without its bytes."""
    with services.unit_of_work.read() as tx:
        return {
            "held": tx.events.quarantined(_PAGE_ROWS),
            "total": tx.events.quarantine_size(),
        }


def measure(services: Services, _: Asked) -> Shown:
    """Return the newest scorecard."""
    return {"scorecard": read_scorecard(services.settings.home)}
