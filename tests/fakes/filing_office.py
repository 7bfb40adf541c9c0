"""Tips to file at a line in memory, at which something else happens while a call is under way."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.fakes.cybertip_store import HandClock
from tests.fakes.cybertipline import FakeCyberTipline, Trouble
from tests.fakes.desk import Desk
from tests.fakes.drafting import drafting_of
from tests.synthetic.builders import TEXT, event_of

from nightlight.model.case import CaseState, CaseStep
from nightlight.model.event import AccountCreated, PostCreated
from nightlight.model.filing import Filing, Line, TipState
from nightlight.model.ids import CaseId
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.submit import Filer
from nightlight.review.resolve import Resolution
from nightlight.services.filing import StoredTips, VaultMedia
from nightlight.services.rules import default_policy
from nightlight.services.tip_desk import TipDesk
from nightlight.transaction import StoredTip


class Watched(FakeCyberTipline):
    """A line at which something else happens while a call is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: dict[str, Callable[[], None]] = {}

    def open(self, document: bytes) -> str:
        self._let_happen("open")
        return super().open(document)

    def finish(self, remote_id: str) -> str:
        self._let_happen("finish")
        return super().finish(remote_id)

    def suffers(self, trouble: Trouble) -> None:
        """Let the next call go wrong."""
        self._troubles = {len(self.calls): trouble}

    def _let_happen(self, call: str) -> None:
        self.meanwhile.pop(call, lambda: None)()


class FilingOffice(Desk):
    """A home with a tip, about one case or more, and a line to file it at."""

    def __init__(self, folder: Path, *, at: str = "") -> None:
        super().__init__(folder, lists=False, cybertipline=at)
        tip = self.tips()[-1]
        with self.services.unit_of_work.read() as tx:
            self.cases = tx.tips.load(tip.tip_id)[0].cases
        services = self.services
        self.clock = HandClock(services.clock.now())
        self.line = Watched()
        drafting = drafting_of(services)
        reporter = Reporter(person=Contact(email="desk@example.test"))
        self.tip_desk = TipDesk(
            unit_of_work=services.unit_of_work,
            clock=self.clock,
            reporter=reporter,
            drafting=drafting,
            schema=None,
        )
        self.filer = Filer(
            store=StoredTips(
                unit_of_work=services.unit_of_work, clock=self.clock, drafting=drafting
            ),
            destination=self.line,
            media=VaultMedia(vault=services.vault, unit_of_work=services.unit_of_work),
            reporter=reporter,
            clock=self.clock,
            line=Line(address=at),
        )

    def decide(self, case_id: CaseId, step: CaseStep, by: str = "ana") -> None:
        self.services.review.decide(case_id, Resolution(step=step, reviewer=by, reason="r"))

    @property
    def first(self) -> CaseId:
        return self.cases[0]

    @property
    def second(self) -> CaseId:
        return self.cases[1]

    def appeal(self) -> None:
        self.decide(self.first, CaseStep.APPEAL)

    def file(self) -> list[Filing]:
        """Let everything be filed that can be, for an hour."""
        self.clock.advance(hours=1)
        filings: list[Filing] = []
        while some := self.filer.run_due(9):
            filings += some
        return filings

    def tips(self) -> list[StoredTip]:
        with self.services.unit_of_work.read() as tx:
            return tx.tips.newest(9)

    def states(self) -> Counter[TipState]:
        return Counter(one.filing.state for one in self.tips())

    def filed(self) -> Counter[CaseId]:
        """Return how often each case is in a report that is finished."""
        with self.services.unit_of_work.read() as tx:
            done = [one for one in self.tips() if one.filing.state is TipState.FILED]
            told = Counter(name for one in done for name in tx.tips.load(one.tip_id)[0].cases)
        assert len(self.line.in_state("finished")) == len(done)
        return told

    def case_state(self, case_id: CaseId) -> CaseState:
        with self.services.unit_of_work.read() as tx:
            return tx.cases.get(case_id).state


def office_home(home: Path, *posts: str) -> Path:
    """Return a home with a bundled tip about a case for each post, to be copied."""
    policy = default_policy().decode()
    bundled = policy.replace("[confirmed.advert]\n", "[confirmed.advert]\nbundle = true\n")
    desk = Desk(home, policy=bundled.encode())
    desk.take_in(event_of(AccountCreated(account_id="a", handle="quib"), minutes=-9))
    for post in posts:
        desk.take_in(event_of(PostCreated(post_id=post, account_id="a", text=TEXT), minutes=1))
        [case] = [one for one in desk.outcome().cases if one.state is CaseState.OPEN]
        confirmation = Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="r")
        desk.services.review.decide(case.id, confirmation)
    return home
