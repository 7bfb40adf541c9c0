"""The benchmarks run, on very little, and ask every engine the same."""

from pathlib import Path

import pytest
from benchmarks import policy, record, run, terms
from benchmarks.published import osprey
from benchmarks.rules import make_rules, policy_of

from nightlight.decide.policy import Mode, parse_policy

TYPES = {"count": "int", "found": "bool", "where": "str", "share": "float"}


def test_made_rules_are_distinct_and_of_three_comparisons() -> None:
    rules = make_rules(TYPES, 40)
    assert len({rule.cel for rule in rules}) == 40
    assert all(len({one.fact for one in rule.comparisons}) == 3 for rule in rules)


def test_a_made_policy_is_sound_and_its_rules_never_act() -> None:
    made = parse_policy(policy_of(make_rules(TYPES, 5)).encode())
    assert {rule.mode for rule in made.rules} == {Mode.SHADOW}


def test_facts_of_a_town_are_complete_and_of_their_declared_types() -> None:
    declared, facts = policy.facts_of_town(300)
    assert len(facts) == 300
    for name, neutral in declared.items():
        assert {type(one[name]) for one in facts} == {type(neutral)}


def test_remembered_answers_are_the_answers() -> None:
    declared, facts = policy.facts_of_town(300)
    measured, _ = policy.compare(declared, facts, 10)
    assert measured[0].holding == measured[1].holding > 0


def test_a_peer_that_is_missing_is_named_with_how_to_install_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "peer_engines", lambda _: ([], ["rule-engine"]))
    policy.main(["--events", "200", "--rules", "1"])
    printed = capsys.readouterr().out
    assert "Not installed, so not measured: rule-engine" in printed
    assert "pip install" in printed


def test_a_run_of_few_events_is_measured_whole(tmp_path: Path) -> None:
    town = run.make_town(tmp_path, 300, pictures=False)
    measured = run.measure(tmp_path / "home", town, 100)
    assert 290 <= measured.events <= 300
    assert measured.rules == 100
    assert measured.peak_bytes > 0
    assert measured.database_bytes > 0


def test_every_engine_is_asked_the_same_and_disguises_are_found_by_ours_alone() -> None:
    own, judged, *others = terms.measure(200, 300)
    assert own.found == judged.found == 1.0
    assert [one.found < own.found for one in others] == [True, True]
    assert {one.terms for one in others} == {200}


def test_half_of_the_posts_searched_are_ascii_but_for_what_is_planted() -> None:
    made = terms.made_posts(200, ["zorbleflux"])
    untouched = [text for number, text in enumerate(made.texts) if number not in made.planted]
    assert len(made.texts) == 200
    assert 0.4 < sum(map(str.isascii, untouched)) / len(untouched) < 0.6


def test_published_figures_are_shown_as_a_range_of_ratios() -> None:
    published = osprey(100)
    assert published is not None
    assert published.ratio(1_220) == "9.2 to 10.0 times"


def test_the_record_is_measured_in_every_way(tmp_path: Path) -> None:
    measured = record.measure(1_000, tmp_path)
    assert measured.entries == 2_000
    assert min(measured.verified, measured.verifier_database, measured.verifier_export) > 0
