"""What the examples show can be used as it stands."""

from pathlib import Path

from tests.fakes.desk import Desk

from nightlight.model.lexicon import TermKind
from nightlight.services.lists import check_policy, read_list

EXAMPLE = Path(__file__).parents[2] / "examples" / "policy"


def test_example_policy_is_sound() -> None:
    assert check_policy((EXAMPLE / "policy.toml").read_bytes()).name == "example"


def test_example_lexicon_and_policy_are_taken(tmp_path: Path) -> None:
    services = Desk(tmp_path, lists=False).services
    done = services.lists.import_lexicon(
        "example", read_list(EXAMPLE / "lexicon.csv"), actor="ana", reason="try"
    )
    assert (done.added, done.rejected) == (4, ())
    body = (EXAMPLE / "policy.toml").read_bytes()
    services.lists.activate_policy(body, actor="ana", reason="try")
    assert services.rules().judge.policy.name == "example"
    with services.unit_of_work.read() as tx:
        assert {term.kind for term in tx.lexicons.all()} == set(TermKind)
