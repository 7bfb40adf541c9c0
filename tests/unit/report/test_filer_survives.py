"""The filer against every loss, refusal and death at every call and every save."""

import contextlib
import itertools
from collections.abc import Iterator

import pytest
from lxml import etree
from tests.fakes.cybertip_store import HandClock, MemoryMedia, MemoryTipStore, make_tip
from tests.fakes.cybertipline import FakeCyberTipline, Killed, Trouble

from nightlight.model.cybertip import CyberTip
from nightlight.model.filing import Filing, TipState
from nightlight.report.ports import Sent
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.submit import Filer

REPORTER = Reporter(person=Contact(email="desk@example.test"))
#: More attempts than any plan of troubles can need; a filer that loops fails the test.
ENOUGH = 12


class DyingStore(MemoryTipStore):
    """A store whose save number N kills the process, before or after the commit."""

    def __init__(self, tip: CyberTip, *, dies_at: int, after_commit: bool) -> None:
        super().__init__(tip)
        self.saves = 0
        self._dies_at = dies_at
        self._after_commit = after_commit

    def save(self, filing: Filing, *, action: str, sent: Sent | None = None) -> None:
        number, self.saves = self.saves, self.saves + 1
        if number == self._dies_at and not self._after_commit:
            raise Killed
        super().save(filing, action=action, sent=sent)
        if number == self._dies_at:
            raise Killed


def run_until_settled(
    tip: CyberTip, media: MemoryMedia, line: FakeCyberTipline, store: MemoryTipStore
) -> Filing:
    clock = HandClock()
    for _ in range(ENOUGH):
        # A new filer each time: nothing that matters may live in memory.
        filer = Filer(store=store, destination=line, media=media, reporter=REPORTER, clock=clock)
        with contextlib.suppress(Killed):
            filer.run_due(limit=10)
        if store.filings[tip.id].state is TipState.FILED:
            break
        clock.advance(hours=2)
    return store.filings[tip.id]


def assert_filed_once(
    tip: CyberTip, media: MemoryMedia, line: FakeCyberTipline, filing: Filing
) -> None:
    assert filing.state is TipState.FILED, filing
    finished = line.in_state("finished")
    assert len(finished) == 1
    report = finished[0]
    assert report is line.reports[filing.remote_id]
    assert list(report.files.values()) == [media.files[file.digest] for file in tip.files]
    assert list(report.files) == list(filing.uploaded)
    viewed = [
        etree.fromstring(report.details[file_id]).findtext("fileViewedByEsp") == "true"
        for file_id in report.files
    ]
    assert viewed == [file.viewed for file in tip.files]
    assert filing.receipt in (*line.receipts, _finished_before())
    assert filing.filed_at is not None
    assert filing.failure == ""


def _finished_before() -> str:
    return "<reportResponse><responseCode>5102</responseCode></reportResponse>"


def calls_of_a_clean_run(files: int) -> int:
    media = MemoryMedia()
    tip, line = make_tip(media, files=files), FakeCyberTipline()
    run_until_settled(tip, media, line, MemoryTipStore(tip))
    return len(line.calls)


def plans(files: int) -> Iterator[dict[int, Trouble]]:
    # Troubles lengthen a run: positions beyond the clean one's end hit the repeated calls.
    positions = range(calls_of_a_clean_run(files) + 4)
    for position, trouble in itertools.product(positions, Trouble):
        yield {position: trouble}
    for two in itertools.combinations(positions, 2):
        for first, second in itertools.product(Trouble, repeat=2):
            yield {two[0]: first, two[1]: second}


@pytest.mark.parametrize("files", [0, 1, 2])
def test_one_finished_report_whatever_two_calls_suffer(files: int) -> None:
    tried = 0
    for plan in plans(files):
        media = MemoryMedia()
        tip, line = make_tip(media, files=files), FakeCyberTipline(plan)
        filing = run_until_settled(tip, media, line, MemoryTipStore(tip))
        assert_filed_once(tip, media, line, filing)
        tried += 1
    assert tried > 300


@pytest.mark.parametrize("files", [0, 1, 2])
@pytest.mark.parametrize("after_commit", [False, True])
def test_one_finished_report_if_the_process_dies_at_any_save(
    files: int, *, after_commit: bool
) -> None:
    saves = 1
    dies_at = 0
    while dies_at < saves:
        media = MemoryMedia()
        tip, line = make_tip(media, files=files), FakeCyberTipline()
        store = DyingStore(tip, dies_at=dies_at, after_commit=after_commit)
        filing = run_until_settled(tip, media, line, store)
        assert_filed_once(tip, media, line, filing)
        saves, dies_at = store.saves, dies_at + 1
    assert dies_at >= 4


@pytest.mark.parametrize("files", [0, 1, 2])
def test_one_finished_report_if_open_reports_expire_after_any_call(files: int) -> None:
    for position in range(calls_of_a_clean_run(files)):
        media = MemoryMedia()
        tip, line = make_tip(media, files=files), FakeCyberTipline({position: Trouble.KILLED_AFTER})
        store, clock = MemoryTipStore(tip), HandClock()
        filer = Filer(store=store, destination=line, media=media, reporter=REPORTER, clock=clock)
        with pytest.raises(Killed):
            filer.advance(tip.id)
        line.expire()
        filing = run_until_settled(tip, media, line, store)
        assert_filed_once(tip, media, line, filing)


def test_clean_run_makes_exactly_the_documented_calls() -> None:
    media = MemoryMedia()
    tip, line = make_tip(media, files=2), FakeCyberTipline()
    run_until_settled(tip, media, line, MemoryTipStore(tip))
    assert line.calls == ["schema", "open", "upload", "describe", "upload", "describe", "finish"]
