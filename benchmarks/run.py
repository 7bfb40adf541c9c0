"""Measures ``nightlight run`` from end to end: ``python -m benchmarks.run``.

Each run is a process of its own on a new SQLite database, durable as a user has it, over the events
of a generated town, with the town's lexicon and hash bank.
"""

import argparse
import json
import re
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.machine import describe_machine
from benchmarks.process import Took, nightlight, output_of
from benchmarks.published import osprey
from benchmarks.rules import make_rules, policy_of

#: A town has about 2.8 events a post without pictures; a little more, then cut to the size.
_EVENTS_A_POST = 2.6
_POSTS_AN_ACCOUNT = 12
_LEAST_POSTS = 500
_LEAST_ACCOUNTS = 100
_BUILT_IN = re.compile(r"^\[\[rules\]\]", re.MULTILINE)
_SUMMARY = re.compile(r"([\d,]+) events in ([\d.]+) s")


class Run(Struct, frozen=True, kw_only=True):
    """One measured run; ``judging_*`` is what it took beyond starting on no events."""

    events: int
    rules: int
    pictures: bool
    wall_s: float
    cpu_s: float
    judging_wall_s: float
    judging_cpu_s: float
    peak_bytes: int
    own_peak_bytes: int
    database_bytes: int
    home_bytes: int
    with_signals: int
    decided: int

    @property
    def whole_per_s(self) -> float:
        """Events a second of the whole process, from its start to its end."""
        return self.events / self.wall_s

    @property
    def steady_per_s(self) -> float:
        """Events a second while events were judged and stored."""
        return self.events / self.judging_wall_s

    @property
    def cpu_us(self) -> float:
        """Processor time of an event, in microseconds, without starting up."""
        return self.judging_cpu_s / self.events * 1e6


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments name, and print it."""
    parser = argparse.ArgumentParser(description="Measure `nightlight run` from end to end.")
    parser.add_argument("--sizes", default="10000,100000,1000000", help="numbers of events")
    parser.add_argument("--rules", default="1,100", help="numbers of policy rules, side by side")
    parser.add_argument(
        "--pictures", action="store_true", help="draw pictures and a hash bank (slow to make)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a run")
    parser.add_argument("--folder", type=Path, help="where to work; must have room")
    options = parser.parse_args(arguments)
    if not options.json:
        print(describe_machine())
        print(_HEADER)
    done: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="nightlight-bench-", dir=options.folder) as folder:
        for size in _numbers(options.sizes):
            town = make_town(Path(folder), size, pictures=options.pictures)
            for rules in _numbers(options.rules):
                run = measure(Path(folder) / f"home-{size}-{rules}", town, rules)
                print(json.dumps(msgspec.to_builtins(run)) if options.json else _row(run))
                sys.stdout.flush()
                done.append(run)
    if not options.json:
        print(*_conclusions(done), sep="\n")


def _numbers(listed: str) -> list[int]:
    return [int(one) for one in listed.split(",")]


def make_town(folder: Path, events: int, *, pictures: bool) -> Path:
    """Return the events file of a town of about ``events`` events, its truth beside it."""
    posts = max(_LEAST_POSTS, round(events / _EVENTS_A_POST))
    accounts = max(_LEAST_ACCOUNTS, posts // _POSTS_AN_ACCOUNT)
    whole = folder / f"town-{events}.ndjson"
    asked = ["--posts", str(posts), "--accounts", str(accounts), "--seed", "7"]
    asked += [] if pictures else ["--no-media"]
    nightlight(["town", "--out", str(whole), *asked], home=folder / "none")
    exact = folder / f"first-{events}.ndjson"
    with whole.open("rb") as source, exact.open("wb") as sink:
        sink.writelines(islice(source, events))
    whole.unlink()
    return exact


def measure(home: Path, town: Path, rules: int) -> Run:
    """Return what ``nightlight run`` takes over the town with a policy of ``rules`` rules."""
    truth = town.with_name(town.name.replace("first-", "town-")).with_suffix(".truth.json")
    activate_policy(home, rules)
    nothing = home / "nothing.ndjson"
    nothing.write_bytes(b"")
    # Once to bring the lists in and compile what is compiled once, once to measure the start.
    for _ in range(2):
        start = nightlight(["run", str(nothing), "--truth", str(truth)], home=home)
    took = nightlight(["run", str(town), "--truth", str(truth)], home=home)
    return _run(home, took, start, rules)


def activate_policy(home: Path, rules: int) -> None:
    """Put a policy of ``rules`` rules in force: the built-in ones where there is room for them."""
    home.mkdir(parents=True)
    listed = output_of(["policy", "facts", "--json"], home=home).splitlines()
    facts = {one["fact"]: one["type"] for one in map(json.loads, listed)}
    built_in = output_of(["policy", "default"], home=home)
    more = rules - len(_BUILT_IN.findall(built_in))
    policy = policy_of(make_rules(facts, rules)) if more < 0 else ""
    file = home / "policy.toml"
    file.write_text(policy or policy_of(make_rules(facts, more), built_in), encoding="utf-8")
    reason = ["--by", "benchmark", "--reason", "to measure"]
    nightlight(["policy", "activate", str(file), *reason], home=home)


def _run(home: Path, took: Took, start: Took, rules: int) -> Run:
    summary = _SUMMARY.search(took.stderr)
    if summary is None:
        raise RuntimeError("the run printed no summary")
    with sqlite3.connect(home / "nightlight.db") as database:
        events, with_signals, decided, media = (
            database.execute(f"SELECT count(DISTINCT {what}) FROM {table}").fetchone()[0]
            for what, table in (
                ("seq", "event_log"),
                ("event_key", "signal"),
                ("event_key", "decision"),
                ("media_id", "media"),
            )
        )
    database.close()
    return Run(
        events=events,
        rules=rules,
        pictures=media > 0,
        wall_s=took.wall_s,
        cpu_s=took.cpu_s,
        judging_wall_s=float(summary[2]),
        judging_cpu_s=max(0.0, took.cpu_s - start.cpu_s),
        peak_bytes=took.peak_bytes,
        own_peak_bytes=took.own_peak_bytes,
        database_bytes=sum(file.stat().st_size for file in home.glob("nightlight.db*")),
        home_bytes=sum(file.stat().st_size for file in home.rglob("*") if file.is_file()),
        with_signals=with_signals,
        decided=decided,
    )


_HEADER = (
    "| events | rules | events/s, whole | events/s, steady | CPU s | CPU us/event | own memory"
    " MiB | with mapped files | database MiB | with signals | decided |\n"
    "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def _row(run: Run) -> str:
    cells = (
        f"{run.events:,}{' with pictures' if run.pictures else ''}",
        f"{run.rules}",
        f"{run.whole_per_s:,.0f}",
        f"{run.steady_per_s:,.0f}",
        f"{run.cpu_s:,.1f}",
        f"{run.cpu_us:,.0f}",
        f"{run.own_peak_bytes / 2**20:,.0f}",
        f"{run.peak_bytes / 2**20:,.0f}",
        f"{run.database_bytes / 2**20:,.0f}",
        f"{run.with_signals / run.events:.2%}",
        f"{run.decided / run.events:.2%}",
    )
    return f"| {' | '.join(cells)} |"


def _conclusions(done: Sequence[Run]) -> list[str]:
    """Return ratios with published figures, and what they do not compare."""
    lines = [
        "",
        "An event without a signal is stored and made part of the context, but no rule is",
        "evaluated on it. Osprey evaluates its rules on every event: benchmarks.policy does, too.",
    ]
    for run in done:
        other = osprey(run.rules)
        if other is not None:
            ratio = other.ratio(run.steady_per_s)
            lines.append(
                f"{run.events:,} events, {run.rules} rules: {ratio} the {other.engine} figures"
                f" ({other.least:,}-{other.most:,}/s, published, not measured here)"
            )
    return lines


if __name__ == "__main__":
    main()
