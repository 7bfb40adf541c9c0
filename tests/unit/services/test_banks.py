"""A bank's settings and its single pictures are changed by a person, whose reason is kept."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes.bank_desk import WHO, BankDesk, line, md5
from tests.fakes.cybertip_store import NOON, HandClock

from nightlight.errors import Conflict, InvalidInput, NotFound
from nightlight.exchange.bank_file import parse_bank
from nightlight.model.bank import Bank, BankPurpose, EntryState, HashKind, Opinion
from nightlight.model.media import MediaHashes

_PDQ = "0f" * 32
_OTHER = "c3" * 32
PICTURE = (
    (HashKind.PDQ, _PDQ, "", 90),
    (HashKind.PDQ, _OTHER, "turned-90", 88),
    (HashKind.PDQ, _PDQ, "flipped", 90),
    (HashKind.MD5, md5(1), "", 100),
)


def made(bank_desk: BankDesk, **settings: Any) -> Bank:
    return bank_desk.banks.create(Bank(name="quibble", **settings), **WHO)


def actions(bank_desk: BankDesk) -> list[str]:
    return [one.action for one in bank_desk.record()]


def test_a_bank_is_made_once(bank_desk: BankDesk) -> None:
    settings = made(bank_desk, threshold_bits=20, purpose=BankPurpose.NEGATIVE)
    assert bank_desk.banks.get("quibble") == settings
    with pytest.raises(Conflict):
        made(bank_desk)
    assert actions(bank_desk) == ["bank.created"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold_bits", -1),
        ("threshold_bits", 32),
        ("enabled_ratio", -0.1),
        ("enabled_ratio", 1.1),
        ("enabled_ratio", float("nan")),
        ("classification", "C1"),
        ("provenance", "x" * 1_001),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_changes(
    bank_desk: BankDesk, field: str, value: Any
) -> None:
    with pytest.raises(InvalidInput) as refused:
        made(bank_desk, **{field: value})
    assert refused.value.field == field
    settings = made(bank_desk)
    with pytest.raises(InvalidInput):
        bank_desk.banks.change("quibble", **{field: value}, **WHO)
    assert bank_desk.banks.get("quibble") == settings


@pytest.mark.parametrize("name", ["", "9", "a b", "ä", "x" * 65, "a\n"])
def test_a_bank_may_not_have_every_name(bank_desk: BankDesk, name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        bank_desk.banks.create(Bank(name=name), **WHO)


def test_settings_change_one_by_one_and_each_version_keeps_them_all(bank_desk: BankDesk) -> None:
    made(bank_desk, provenance="a test")
    bank_desk.banks.change("quibble", threshold_bits=12, **WHO)
    changed = bank_desk.banks.change(
        "quibble", enabled_ratio=0.5, classification="B1", actor="bo", reason="try"
    )
    assert changed == Bank(
        name="quibble",
        threshold_bits=12,
        provenance="a test",
        enabled_ratio=0.5,
        classification="B1",
    )
    newest, before, first = bank_desk.banks.history("quibble")
    assert (newest.settings, newest.actor, newest.reason) == (changed, "bo", "try")
    thresholds = [one.settings.threshold_bits for one in (before, first) if one.settings]
    assert thresholds == [12, 31]
    assert bank_desk.record()[-1].detail["settings"] == ["classification=B1", "enabled_ratio=0.5"]


def test_a_renamed_bank_keeps_its_entries_and_its_old_name_ends(bank_desk: BankDesk) -> None:
    made(bank_desk)
    bank_desk.banks.import_entries("quibble", [line(1)], **WHO)
    bank_desk.banks.change("quibble", new_name="flibbet", **WHO)
    assert [one.bank for one in bank_desk.entries()] == ["flibbet"]
    with pytest.raises(NotFound):
        bank_desk.banks.get("quibble")
    assert bank_desk.banks.history("quibble")[0].settings is None
    assert bank_desk.banks.history("flibbet")[0].settings == Bank(name="flibbet")


def test_a_past_decision_is_explained_under_the_names_of_that_time(bank_desk: BankDesk) -> None:
    banks = bank_desk.banks
    banks.import_entries("flibbet", [line(1)], **WHO)
    banks.change("flibbet", threshold_bits=9, **WHO)
    banks.remove("flibbet", **WHO)
    banks.import_entries("quibble", [line(1)], **WHO)
    renamed = [
        banks.change(old, new_name=new, **WHO).name
        for old, new in (("quibble", "flibbet"), ("flibbet", "quibble"), ("quibble", "flibbet"))
    ]
    assert renamed == ["flibbet", "quibble", "flibbet"]

    def told(number: int, version: int) -> tuple[str, int]:
        then = banks.explain(number, version)
        assert then.entry is not None
        assert then.bank is not None
        assert then.bank.name == then.entry.bank
        return then.entry.bank, then.bank.threshold_bits

    assert [told(1, version) for version in (1, 2)] == [("flibbet", 31), ("flibbet", 9)]
    assert [told(2, version)[0] for version in (4, 5, 6, 7)] == [
        "quibble",
        "flibbet",
        "quibble",
        "flibbet",
    ]
    assert banks.explain(1, 7).bank is None


def test_a_wider_threshold_that_would_match_harmless_traffic_needs_a_person(
    bank_desk: BankDesk,
) -> None:
    banks = bank_desk.banks
    made(bank_desk, threshold_bits=4)
    near = f"{int(_PDQ, 16) ^ 0xFF:064x}"  # 8 bits away
    bank_desk.traffic(*[MediaHashes(pdq=near, pdq_quality=90)] * 10)
    banks.import_entries("quibble", [line(1, kind="pdq", value=_PDQ)], **WHO)

    assert banks.change("quibble", threshold_bits=7, **WHO).threshold_bits == 7
    with pytest.raises(Conflict, match="10 of 10 recent harmless files") as refused:
        banks.change("quibble", threshold_bits=8, **WHO)

    assert refused.value.field == "threshold_bits"
    assert banks.get("quibble").threshold_bits == 7
    assert banks.change("quibble", threshold_bits=8, anyway=True, **WHO).threshold_bits == 8
    assert bank_desk.record()[-1].detail["settings"] == ["threshold_bits=8", "anyway"]
    assert banks.change("quibble", threshold_bits=6, provenance="a test", **WHO)


def test_a_bank_that_would_veto_much_of_a_known_one_needs_a_person(bank_desk: BankDesk) -> None:
    made(bank_desk)
    bank_desk.banks.import_entries("quibble", [line(n) for n in range(40)], **WHO)
    bank_desk.known.entries = {"quibble": set(range(40))}
    aside = bank_desk.banks.change("quibble", purpose=BankPurpose.NEGATIVE, **WHO)
    assert aside.purpose is BankPurpose.NEGATIVE
    bank_desk.banks.change("quibble", purpose=BankPurpose.KNOWN, **WHO)
    bank_desk.banks.import_entries("flibbet", [line(n) for n in range(40)], **WHO)
    bank_desk.known.entries = {"quibble": set(range(40)), "flibbet": set(range(40))}

    with pytest.raises(Conflict) as refused:
        bank_desk.banks.change("quibble", purpose=BankPurpose.NEGATIVE, **WHO)

    assert refused.value.field == "purpose"
    assert bank_desk.banks.get("quibble").purpose is BankPurpose.KNOWN


def test_a_negative_bank_that_would_match_much_as_a_known_one_needs_a_person(
    bank_desk: BankDesk,
) -> None:
    banks = bank_desk.banks
    banks.create(Bank(name="aside", purpose=BankPurpose.NEGATIVE), **WHO)
    banks.import_entries("aside", [line(n) for n in range(40)], **WHO)
    bank_desk.traffic(*[MediaHashes(md5=md5(n)) for n in range(40)])
    late = BankDesk(bank_desk.unit_of_work, HandClock()).banks  # has seen no earlier traffic

    with pytest.raises(Conflict) as refused:
        late.change("aside", purpose=BankPurpose.KNOWN, **WHO)

    assert refused.value.field == "purpose"
    assert late.get("aside").purpose is BankPurpose.NEGATIVE
    assert late.change("aside", purpose=BankPurpose.KNOWN, anyway=True, **WHO)


def test_what_is_not_there_is_not_found(bank_desk: BankDesk) -> None:
    banks = bank_desk.banks
    made(bank_desk)
    for ask in (
        lambda: banks.get("nowhere"),
        lambda: banks.change("nowhere", threshold_bits=1, **WHO),
        lambda: banks.remove("nowhere", **WHO),
        lambda: banks.export("nowhere", **WHO),
        lambda: banks.add_content("nowhere", PICTURE, **WHO),
        lambda: banks.content("quibble", 7),
        lambda: banks.withdraw_content("quibble", 7, **WHO),
        lambda: banks.entry("nothing"),
        lambda: banks.set_opinion("quibble", "nothing", Opinion.NEGATIVE, **WHO),
        lambda: banks.withdraw_entry("quibble", "nothing", **WHO),
    ):
        with pytest.raises(NotFound):
            ask()
    assert actions(bank_desk) == ["bank.created"]


def test_a_withdrawn_bank_is_gone_and_its_hashes_are_erased(bank_desk: BankDesk) -> None:
    bank_desk.banks.import_entries("quibble", [line(1), line(2)], **WHO)
    assert bank_desk.banks.remove("quibble", actor="bo", reason="wrong") == 2
    assert [(one.state, one.value) for one in bank_desk.entries()] == [
        (EntryState.WITHDRAWN, "")
    ] * 2
    assert bank_desk.banks.summaries() == []
    told = bank_desk.record()[-1]
    assert (told.action, told.reason, told.detail["removed"]) == ("bank.withdrawn", "wrong", 2)
    assert bank_desk.banks.history("quibble")[0].settings is None


def test_hashes_of_one_picture_are_one_content(bank_desk: BankDesk) -> None:
    made(bank_desk)
    number = bank_desk.banks.add_content("quibble", PICTURE, note="from a test", **WHO)
    content = bank_desk.banks.content("quibble", number)
    assert [(one.kind, one.view, one.content) for one in content.entries] == [
        (HashKind.PDQ, "", number),
        (HashKind.PDQ, "turned-90", number),
        (HashKind.MD5, "", number),
    ], "the same hash under two views is one entry, of the plainer"
    assert {one.note for one in content.entries} == {"from a test"}
    assert not content.is_disabled
    assert actions(bank_desk) == ["bank.created", "bank.entry_added"]
    assert _PDQ not in repr(content)


def test_adding_a_picture_again_finds_it_and_more_of_its_hashes_join_it(
    bank_desk: BankDesk,
) -> None:
    made(bank_desk)
    number = bank_desk.banks.add_content("quibble", PICTURE[:1], **WHO)
    assert bank_desk.banks.add_content("quibble", [PICTURE[1], PICTURE[0]], **WHO) == number
    assert len(bank_desk.banks.content("quibble", number).entries) == 2


def test_a_picture_needs_a_hash(bank_desk: BankDesk) -> None:
    made(bank_desk)
    with pytest.raises(InvalidInput):
        bank_desk.banks.add_content("quibble", [], **WHO)


def test_a_picture_is_found_in_its_own_bank_only(bank_desk: BankDesk) -> None:
    made(bank_desk)
    bank_desk.banks.create(Bank(name="other"), **WHO)
    number = bank_desk.banks.add_content("quibble", PICTURE, **WHO)
    for change in (
        lambda: bank_desk.banks.content("other", number),
        lambda: bank_desk.banks.withdraw_content("other", number, **WHO),
        lambda: bank_desk.banks.disable_content("other", number, None, **WHO),
    ):
        with pytest.raises(NotFound):
            change()
    assert len(bank_desk.banks.content("quibble", number).entries) == 3


def test_a_picture_is_disabled_until_a_time_and_enabled_again(bank_desk: BankDesk) -> None:
    made(bank_desk)
    number = bank_desk.banks.add_content("quibble", PICTURE, **WHO)
    until = NOON + timedelta(days=1)
    assert bank_desk.banks.disable_content("quibble", number, until, **WHO) == 3
    disabled = bank_desk.banks.content("quibble", number)
    assert (disabled.is_disabled, disabled.disabled_until) == (True, until)
    assert bank_desk.banks.enable_content("quibble", number, **WHO) == 3
    assert bank_desk.banks.enable_content("quibble", number, **WHO) == 0, "it is already"
    assert not bank_desk.banks.content("quibble", number).is_disabled
    assert actions(bank_desk)[2:] == ["bank.entry_changed"] * 2


def test_a_withdrawn_picture_is_gone(bank_desk: BankDesk) -> None:
    made(bank_desk)
    number = bank_desk.banks.add_content("quibble", PICTURE, **WHO)
    assert bank_desk.banks.withdraw_content("quibble", number, **WHO) == 3
    with pytest.raises(NotFound):
        bank_desk.banks.content("quibble", number)
    assert actions(bank_desk)[-1] == "bank.entry_withdrawn"


def test_enabling_does_not_release_what_waits_for_a_person(bank_desk: BankDesk) -> None:
    bank_desk.banks.import_entries("quibble", [line(1, state="held")], **WHO)
    assert bank_desk.banks.enable_entry("quibble", "entry-1", **WHO) == 0
    assert bank_desk.banks.disable_entry("quibble", "entry-1", None, **WHO) == 0
    assert bank_desk.states() == {"entry-1": "held"}
    assert bank_desk.banks.withdraw_entry("quibble", "entry-1", **WHO) == 1


def test_an_opinion_stays_with_who_gave_it_and_why(bank_desk: BankDesk) -> None:
    bank_desk.banks.import_entries("quibble", [line(1)], **WHO)
    changed = bank_desk.banks.set_opinion(
        "quibble", "entry-1", Opinion.DISPUTED, actor="bo", reason="a cartoon"
    )
    assert changed.opinion is Opinion.DISPUTED
    assert bank_desk.banks.entry("entry-1") == changed
    told = bank_desk.record()[-1]
    assert (told.actor, told.reason, told.detail["opinion"]) == ("bo", "a cartoon", "disputed")
    assert bank_desk.banks.history("quibble")[0].changed == 1


def test_an_entry_of_several_banks_needs_the_bank_said(bank_desk: BankDesk) -> None:
    for name in ("quibble", "other"):
        bank_desk.banks.import_entries(name, [line(1)], **WHO)
    with pytest.raises(InvalidInput, match="other"):
        bank_desk.banks.entry("entry-1")
    assert bank_desk.banks.entry("entry-1", bank="other").bank == "other"


def test_an_entry_is_explained_as_it_was(bank_desk: BankDesk) -> None:
    made(bank_desk, threshold_bits=20)
    bank_desk.banks.import_entries("quibble", [line(1, classification="B2")], **WHO)
    bank_desk.banks.change("quibble", threshold_bits=5, **WHO)
    bank_desk.banks.withdraw_entry("quibble", "entry-1", **WHO)
    then = bank_desk.banks.explain(1, 2)
    assert then.entry is not None
    assert then.bank is not None
    assert (then.entry.state, then.entry.classification, then.entry.value) == ("active", "B2", "")
    assert then.bank.threshold_bits == 20
    now = bank_desk.banks.explain(1, 4)
    assert now.entry is not None
    assert now.entry.state is EntryState.WITHDRAWN
    assert bank_desk.banks.explain(1, 1).entry is None
    assert bank_desk.banks.explain(99, 4).entry is None


@pytest.mark.parametrize("as_csv", [False, True])
def test_an_export_reads_back_the_same_and_stands_in_the_record(
    bank_desk: BankDesk, *, as_csv: bool
) -> None:
    bank_desk.banks.import_entries(
        "quibble",
        [
            line(1, classification="A1", opinion="disputed", note='a, "b"', source="Zorble"),
            line(2, kind="pdq", value=_PDQ, view="flipped", quality="71"),
            line(3, state="disabled"),
            line(4),
        ],
        **WHO,
    )
    bank_desk.banks.withdraw_entry("quibble", "entry-4", **WHO)
    lines = bank_desk.banks.export("quibble", as_csv=as_csv, actor="bo", reason="to share")
    told = bank_desk.record()[-1]
    assert (told.action, told.actor, told.reason) == ("bank.exported", "bo", "to share")
    entries, rejected = parse_bank(lines, bank="copy")
    assert rejected == []
    bank_desk.banks.put("copy", entries, **WHO)
    ours, copied = (
        [
            replace(one, number=0, content=0, bank="")
            for one in bank_desk.entries()
            if one.bank == name
        ]
        for name in ("quibble", "copy")
    )
    assert copied == ours
    assert len(ours) == 4


def test_an_entry_that_came_back_is_explained_by_the_id_it_had(bank_desk: BankDesk) -> None:
    bank_desk.banks.import_entries("quibble", [line(1)], **WHO)
    bank_desk.banks.withdraw_entry("quibble", "entry-1", **WHO)
    bank_desk.banks.import_entries("quibble", [line(1)], **WHO)
    found = bank_desk.banks.entries_of("entry-1")
    assert sorted(one.number for one in found) == [1, 2]
    states = [
        one.entry and one.entry.state
        for one in (bank_desk.banks.explain(number, 1) for number in (1, 2))
    ]
    assert states == [EntryState.ACTIVE, None]
    assert [one.number for one in bank_desk.banks.entries_of("2")] == [2]
