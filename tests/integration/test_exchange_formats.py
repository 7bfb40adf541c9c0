"""The simulated exchanges speak as the real ones: the reference library's own clients agree.

The clients are those of Meta's ``threatexchange`` package, which were written against the real
exchanges. Where that library is right, it gets from a simulator exactly what Nightlight gets.
"""

from collections.abc import Iterator

import pytest
from tests.fakes.cybertip_store import HandClock
from tests.fakes.exchanges import TOKEN, Mirror, SimulatedExchange, connected
from threatexchange.exchanges.clients.fb_threatexchange.api import ThreatExchangeAPI
from threatexchange.exchanges.clients.fb_threatexchange.threat_updates import ThreatUpdateJSON
from threatexchange.exchanges.clients.ncmec.hash_api import (
    FeedbackType,
    FingerprintType,
    NCMECEntryUpdate,
    NCMECEnvironment,
    NCMECHashAPI,
)
from threatexchange.exchanges.clients.stopncii.api import (
    StopNCIIAPI,
    StopNCIICaseStatus,
    StopNCIICSPFeedbackValue,
    StopNCIIEndpoint,
    StopNCIISignalType,
)
from threatexchange.exchanges.impl.fb_threatexchange_api import (
    FBThreatExchangeIndicatorRecord,
)

from nightlight.simulate.exchange_ncmec import OWN_MEMBER, REASONS


@pytest.fixture(scope="module")
def ncmec() -> Iterator[SimulatedExchange]:
    with SimulatedExchange("ncmec-hashes") as running:
        yield running


@pytest.fixture(scope="module")
def stopncii() -> Iterator[SimulatedExchange]:
    with SimulatedExchange("stopncii") as running:
        yield running


@pytest.fixture(scope="module")
def threatexchange() -> Iterator[SimulatedExchange]:
    with SimulatedExchange("threatexchange") as running:
        yield running


def ncmec_library(simulator: SimulatedExchange) -> NCMECHashAPI:
    api = NCMECHashAPI("sim", "sim", NCMECEnvironment.test_Industry)
    api._base_url = simulator.url + "/hashsharing"
    return api


def all_updates(api: NCMECHashAPI, clock: HandClock) -> list[NCMECEntryUpdate]:
    end = int(clock.now().timestamp())
    pages = api.get_entries_iter(start_timestamp=0, end_timestamp=end)
    return [update for page in pages for update in page.updates]


def mirrored(simulator: SimulatedExchange, clock: HandClock) -> Mirror:
    mirror = Mirror()
    with connected(simulator, clock) as client:
        mirror.fetch(client)
    return mirror


def test_the_library_gets_every_hash_of_ncmec_that_we_get(
    ncmec: SimulatedExchange, clock: HandClock
) -> None:
    ncmec.reset()
    theirs = all_updates(ncmec_library(ncmec), clock)
    assert len(theirs) == 50
    expected = {
        (f"{update.member_id}/{update.id}", kind, value)
        for update in theirs
        for kind, value in update.fingerprints.items()
        if kind in ("md5", "sha1", "pdq")
    }
    assert mirrored(ncmec, clock).hashes() == expected


def test_the_library_reads_classification_and_feedback_of_ncmec_as_we_do(
    ncmec: SimulatedExchange, clock: HandClock
) -> None:
    ncmec.reset()
    theirs = all_updates(ncmec_library(ncmec), clock)
    ours = mirrored(ncmec, clock)
    disputed = {
        update.fingerprints["md5"]
        for update in theirs
        if any(
            voice.feedback_type is FeedbackType.downvote for voice in update.feedback.get("Md5", ())
        )
    }
    assert disputed
    for update in theirs:
        entry = ours.entry(update.fingerprints["md5"])
        assert entry.classification == (update.classification or "")
        assert (entry.opinion == "disputed") == (entry.value in disputed)


def test_a_deletion_of_ncmec_is_one_for_the_library_and_for_us(
    ncmec: SimulatedExchange, clock: HandClock
) -> None:
    ncmec.reset()
    ncmec.delete("image1", 1_700_100_000)
    (theirs,) = (one for one in all_updates(ncmec_library(ncmec), clock) if one.deleted)
    assert theirs.id == "image1"
    assert f"{theirs.member_id}/image1" in mirrored(ncmec, clock).pages[0].withdrawn or any(
        f"{theirs.member_id}/image1" in page.withdrawn for page in mirrored(ncmec, clock).pages
    )


def test_the_library_can_tell_ncmec_its_opinion_and_read_it_again(
    ncmec: SimulatedExchange, clock: HandClock
) -> None:
    ncmec.reset()
    api = ncmec_library(ncmec)
    assert api.status().esp_id == int(OWN_MEMBER)
    api.submit_feedback(43, "image1", FingerprintType.md5, FeedbackType.upvote)
    guid = next(iter(REASONS))
    api.submit_feedback(43, "image1", FingerprintType.sha1, FeedbackType.downvote, guid)
    (update,) = (one for one in all_updates(api, clock) if one.id == "image1")
    own = [v for v in update.feedback["Md5"] if v.member.esp_id == int(OWN_MEMBER)]
    assert [voice.feedback_type for voice in own] == [FeedbackType.upvote]
    assert [voice.feedback_type for voice in update.feedback["Sha1"]] == [FeedbackType.downvote]


def stopncii_library(simulator: SimulatedExchange) -> StopNCIIAPI:
    return StopNCIIAPI(
        "sim",
        "sim",
        {StopNCIIEndpoint.SubmitFeedback: "sim"},
        base_url_override=simulator.url + "/v1",
    )


def test_the_library_gets_every_record_of_stopncii_that_we_get(
    stopncii: SimulatedExchange, clock: HandClock
) -> None:
    stopncii.reset()
    kinds = {StopNCIISignalType.ImagePDQ: "pdq", StopNCIISignalType.VideoMD5: "md5"}
    records = [
        record
        for page in stopncii_library(stopncii).fetch_hashes_iter()
        for record in page.hashRecords
    ]
    assert len(records) == 50
    gone = {StopNCIICaseStatus.Withdrawn, StopNCIICaseStatus.Deleted}
    expected = {
        (kinds[record.signalType], record.hashValue)
        for record in records
        if record.signalType in kinds and record.hashStatus not in gone
    }
    ours = {(kind, value) for _, kind, value in mirrored(stopncii, clock).hashes()}
    assert ours == expected


def test_the_library_can_tell_stopncii_its_opinion_and_read_it_again(
    stopncii: SimulatedExchange,
) -> None:
    stopncii.reset()
    api = stopncii_library(stopncii)
    value = next(iter(api.fetch_hashes().hashRecords)).hashValue
    api.submit_feedback(StopNCIISignalType.ImagePDQ, value, StopNCIICSPFeedbackValue.NotBlocked)
    (record,) = (one for one in api.fetch_hashes().hashRecords if one.hashValue == value)
    own = [one for one in record.CSPFeedbacks if one.source == "Ourselves"]
    assert [one.feedbackValue for one in own] == [StopNCIICSPFeedbackValue.NotBlocked]


def threatexchange_library(simulator: SimulatedExchange) -> ThreatExchangeAPI:
    return ThreatExchangeAPI(TOKEN, endpoint_override=simulator.url + "/v26.0")


def library_updates(api: ThreatExchangeAPI) -> list[ThreatUpdateJSON]:
    cursor = api.get_threat_updates(
        303636,
        page_size=10,
        fields=FBThreatExchangeIndicatorRecord.te_threat_updates_fields(),
        decode_fn=ThreatUpdateJSON,
    )
    return [update for batch in cursor for update in batch]


def test_the_library_gets_every_update_of_threatexchange_that_we_get(
    threatexchange: SimulatedExchange, clock: HandClock
) -> None:
    threatexchange.reset()
    kinds = {"HASH_PDQ": "pdq", "HASH_MD5": "md5", "HASH_SHA256": "sha256"}
    updates = library_updates(threatexchange_library(threatexchange))
    assert len(updates) == 50
    expected = {
        (str(update.id), kinds[update.threat_type], update.indicator)
        for update in updates
        if update.threat_type in kinds and not update.should_delete
    }
    assert mirrored(threatexchange, clock).hashes() == expected


def test_the_library_can_react_at_threatexchange_and_read_it_again(
    threatexchange: SimulatedExchange,
) -> None:
    threatexchange.reset()
    api = threatexchange_library(threatexchange)
    update = next(one for one in library_updates(api) if not one.should_delete)
    descriptor = update.raw_json["descriptors"]["data"][0]["id"]
    api.react_upvote_threat_descriptor(int(descriptor))  # type: ignore[no-untyped-call]  # the library leaves it untyped
    (again,) = (one for one in library_updates(api) if one.id == update.id)
    record = FBThreatExchangeIndicatorRecord.from_threatexchange_json(99999999, again)
    assert record is not None
    assert any(opinion.is_mine for opinion in record.opinions)
