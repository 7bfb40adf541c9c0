"""Media that could not be scanned is a finding: policy can hold it until somebody looked."""

from collections.abc import Mapping, Sequence

from nightlight.detect.media import media_subject, shown_media
from nightlight.model.context import Context
from nightlight.model.event import Event
from nightlight.model.media import ScanState
from nightlight.model.signal import Fact, Signal

_NONE: tuple[Signal, ...] = ()


class ScanHealth:
    """Emits one signal where any media of an upload or post was not scanned."""

    name = "scan_health"
    facts: Mapping[str, Fact] = {"scan_failed": False, "scan_unreachable": False}

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:
        """Return one signal naming the media that were not scanned and why, or nothing."""
        if not context.media:
            return _NONE
        unscanned = [
            one for one in shown_media(event, context) if one.scan.state is not ScanState.SCANNED
        ]
        if not unscanned:
            return _NONE
        states = {one.scan.state for one in unscanned}
        return (
            Signal(
                detector=self.name,
                event_key=event.key,
                account_id=event.account_id,
                subject=media_subject(event),
                confidence=1.0,
                facts={
                    "scan_failed": ScanState.FAILED in states,
                    "scan_unreachable": ScanState.UNREACHABLE in states,
                },
                evidence={
                    "media": [one.media_id for one in unscanned],
                    "reasons": [one.scan.reason for one in unscanned],
                },
            ),
        )
