"""All of Nightlight over a folder of its own: events in, and what followed from them out."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from nightlight.audit.clock import Clock
from nightlight.bootstrap import build_services
from nightlight.model.case import Case, Evidence
from nightlight.model.decision import Decision
from nightlight.model.effect import Effect
from nightlight.model.event import Event
from nightlight.model.ids import CaseId
from nightlight.model.signal import Signal
from nightlight.pipeline import Batch
from nightlight.settings import read_settings

MOST = 1_000_000
#: Nonsense that a lexicon may list.
LEXICON = (
    '{"text": "zorbleflux", "kind": "term", "severity": 90}',
    '{"text": "kleptic plonk", "kind": "term", "severity": 70}',
    '{"text": "ask for the list", "kind": "cue"}',
    '{"text": "quibble desk", "kind": "exclusion"}',
)
#: Hashes of nothing.
KNOWN_MD5 = "11" * 16
KNOWN_PDQ = "0f" * 32
BANK = (
    f'{{"kind": "md5", "value": "{KNOWN_MD5}", "classification": "A1", "id": "entry-1"}}',
    f'{{"kind": "pdq", "value": "{KNOWN_PDQ}", "id": "entry-2"}}',
)


class Outcome(Struct, frozen=True, kw_only=True):
    """Everything that is stored of what was found and decided."""

    signals: list[Signal]
    decisions: list[Decision]
    effects: list[Effect]
    cases: list[Case]


class Desk:
    """Services with nonsense lists, or none, and nobody else around."""

    def __init__(
        self,
        folder: Path,
        *,
        media_root: Path | None = None,
        lists: bool = True,
        policy: bytes = b"",
        database_url: str = "",
        cybertipline: str = "",
        clock: Clock | None = None,
    ) -> None:
        environment = {"NIGHTLIGHT_HOME": str(folder), "NIGHTLIGHT_PLATFORM_NAME": "Zorbleflux"}
        if database_url:
            environment["NIGHTLIGHT_DATABASE_URL"] = database_url
        if cybertipline:
            environment |= {
                "NIGHTLIGHT_CYBERTIPLINE_URL": cybertipline,
                "NIGHTLIGHT_CYBERTIPLINE_USER": "sim",
                "NIGHTLIGHT_CYBERTIPLINE_PASSWORD": "sim",
            }
        if media_root is not None:
            environment["NIGHTLIGHT_MEDIA_ROOT"] = str(media_root)
        self.services = build_services(read_settings(environment), clock=clock)
        if lists:
            self.import_lists(BANK, LEXICON)
        if policy:
            self.services.lists.activate_policy(policy, actor="ana", reason="test")

    def import_lists(self, bank: Sequence[str], lexicon: Sequence[str]) -> None:
        """Import a hash bank and a lexicon."""
        lists = self.services.lists
        banks = self.services.banks
        assert banks.import_entries("quibble", bank, actor="ana", reason="test").rejected == ()
        assert lists.import_lexicon("quibble", lexicon, actor="ana", reason="test").rejected == ()

    def take_in(self, *events: Event, size: int = 1000) -> list[Batch]:
        """Process events in batches of a size, each batch whole."""
        batches: list[Batch] = []
        for start in range(0, len(events), size):
            batches += self.services.processor.run(events[start : start + size])
        return batches

    def outcome(self, events: Sequence[Event] = ()) -> Outcome:
        """Return all decisions, effects and cases, and the signals of these events."""
        with self.services.unit_of_work.read() as tx:
            signals = tx.signals.of_events([event.key for event in events])
            effects = [delivery.effect for delivery in tx.outbox.newest(MOST)]
            return Outcome(
                signals=sorted(signals, key=lambda one: (one.event_key, one.detector, repr(one))),
                decisions=sorted(tx.decisions.newest(MOST), key=lambda one: (one.time, one.id)),
                effects=sorted(effects, key=lambda one: (one.decision_id, one.kind)),
                cases=tx.cases.queue(None, MOST),
            )

    def evidence(self, case_id: CaseId) -> list[Evidence]:
        """Return what was sealed for a case."""
        with self.services.unit_of_work.read() as tx:
            return tx.evidence.of_case(case_id)

    def actions(self) -> list[str]:
        """Return what the record says was done, in order."""
        with self.services.unit_of_work.read() as tx:
            return [chained.entry.action for chained in tx.audit.entries()]
