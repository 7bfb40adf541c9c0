"""The console in a real browser, from a real server process, over findings of the real pipeline."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

import nightlight
from nightlight.bootstrap import build_services
from nightlight.ingest.envelope import parse_event
from nightlight.model.case import CaseStep
from nightlight.model.event import Event
from nightlight.model.filing import TipState
from nightlight.review.resolve import Resolution
from nightlight.services import Services
from nightlight.settings import read_settings

# A machine that does other work at the same time is slow, not wrong.
expect.set_options(timeout=20_000)
TOKEN = "a-token-of-the-browser-tests"
TERM, CUE = "zorbleflux", "quibbleprice"
#: A term's text, a post's words and a hash: what no page may ever show.
SECRETS = (TERM, CUE, "0123456789abcdef0123456789abcdef")
RECEIPT = "<reportDoneResponse><responseCode>0</responseCode></reportDoneResponse>"
SOURCES = str(Path(nightlight.__file__).parent.parent)
START_LIMIT_S = 60
PAGES = {
    "/": "Open cases",
    "/decisions": "limit reach",
    "/cases": "advert",
    "/cases?state=open": "known media",
    "/accounts/acc-ada": "What the score is made of",
    "/clusters": "same wordings",
    "/reports": "Receipt",
    "/reports/reconciliation": "the receipt of its tip",
    "/record": "decision.made",
    "/lists": "town-bank",
    "/banks/town-bank": "known abuse media",
    "/quarantine": "Nothing is quarantined",
    "/measure": "hash match",
}


def environment(home: Path) -> dict[str, str]:
    return {
        "NIGHTLIGHT_HOME": str(home),
        "NIGHTLIGHT_API_TOKEN": TOKEN,
        "NIGHTLIGHT_PLATFORM_NAME": "Town (synthetic)",
        "NIGHTLIGHT_CYBERTIPLINE_URL": "http://127.0.0.1:9/ispws",
        "NIGHTLIGHT_CYBERTIPLINE_USER": "sim",
        "NIGHTLIGHT_CYBERTIPLINE_PASSWORD": "sim",
    }


class Server:
    """The console in a process of its own, as an operator starts it."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "nightlight.web.asgi:app", "--factory"),
                *("--interface", "asgi", "--host", "127.0.0.1", "--port", str(port)),
                *("--no-ws", "--workers-kill-timeout", "1"),
            ],
            env={**os.environ, **environment(home), "PYTHONPATH": SOURCES},
        )

    def __enter__(self) -> Self:
        until = time.monotonic() + START_LIMIT_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                httpx.get(f"{self.url}/healthz", trust_env=False).raise_for_status()
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return self
        self._process.kill()
        raise AssertionError("the server did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)

    def post(self, *events: dict[str, Any]) -> None:
        answer = httpx.post(
            f"{self.url}/v1/events",
            json=list(events),
            headers={
                "Authorization": f"Bearer {TOKEN}",
                "Content-Type": "application/cloudevents-batch+json",
            },
            trust_env=False,
        )
        assert answer.status_code == 202, answer.text


def event(number: int, kind: str, minutes_ago: float = 5, **data: object) -> dict[str, Any]:
    when = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "//town.example.test",
        "type": kind,
        "time": when.isoformat(),
        "data": data,
    }


def parsed(*events: dict[str, Any]) -> list[Event]:
    return [parse_event(msgspec.json.encode(one)) for one in events]


def advert(number: int, account: str, minutes_ago: float) -> dict[str, Any]:
    return event(
        number,
        "post.created",
        minutes_ago,
        post_id=f"post-{number}",
        account_id=account,
        text=f"Fresh {TERM} here, 30 coins each, ask for the {CUE}, dm this account",
    )


def seed(services: Services) -> None:
    """Bring in lists, judge events, decide one case and note its report as filed."""
    who = {"actor": "tester", "reason": "for the tests"}
    services.lists.import_lexicon(
        "town-lexicon",
        [f'{{"text": "{TERM}", "kind": "term"}}', f'{{"text": "{CUE}", "kind": "cue"}}'],
        **who,
    )
    services.banks.import_entries(
        "town-bank",
        [f'{{"kind": "md5", "value": "{SECRETS[2]}", "classification": "A1"}}'],
        **who,
    )
    services.pipeline.run(
        parsed(
            event(1, "account.created", 90, account_id="acc-ada", handle="ada"),
            event(2, "account.created", 80, account_id="acc-bo", handle="bo"),
            advert(3, "acc-ada", 70),
            event(4, "media.uploaded", 50, media_id="med-4", account_id="acc-bo", md5=SECRETS[2]),
            event(5, "media.uploaded", 40, media_id="med-5", account_id="acc-cy", url="gone.png"),
            advert(6, "acc-di", 30),
        )
    )
    with services.unit_of_work.read() as tx:
        case = next(one for one in tx.cases.queue(None, 9) if one.account_id == "acc-di")
    services.review.decide(
        case.id, Resolution(step=CaseStep.CONFIRM, reviewer="a tester", reason="It is an advert.")
    )
    with services.unit_of_work.begin() as tx:
        (tip,) = tx.tips.newest(1)
        now = services.clock.now()
        filed = msgspec.structs.replace(
            tip.filing,
            state=TipState.FILED,
            remote_id="7000001",
            receipt=RECEIPT,
            filed_at=now,
            revision=1,
        )
        tx.tips.save(filed, at=now)
        tx.heartbeats.beat("worker", at=now)
        tx.commit_unrecorded()


SCORES = {
    "true_positives": 49,
    "false_positives": 1,
    "true_negatives": 950,
    "false_negatives": 3,
    "precision": 0.98,
    "precision_interval": [0.895, 0.996],
    "recall": 0.942,
    "recall_interval": [0.844, 0.980],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("console") / "home"
    seed(build_services(read_settings(environment(made))))
    card = {"detectors": {"hash_match": SCORES, "term_match": SCORES}}
    (made / "scorecard.json").write_bytes(msgspec.json.encode(card))
    return made


@pytest.fixture(scope="module")
def services(home: Path) -> Services:
    return build_services(read_settings(environment(home)))


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Server]:
    with Server(home) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = (
        "--no-sandbox --disable-gpu --disable-quic --no-first-run"
        " --disable-background-networking --disable-component-update --disable-sync"
    )
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=arguments.split()
        )
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 800})
    yield opened
    opened.close()


class Watched:
    """A page with everything that went wrong in it, and every address it asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def _note(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.faults.append(said.text)


@pytest.fixture(scope="module")
def signed_in_context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 800})
    opened.request.get(f"{server.url}/", params={"token": TOKEN})
    yield opened
    opened.close()


@pytest.fixture
def signed_in(signed_in_context: BrowserContext) -> Iterator[Watched]:
    watched = Watched(signed_in_context.new_page())
    yield watched
    watched.page.close()


def case_of(services: Services, account: str) -> str:
    with services.unit_of_work.read() as tx:
        return next(one.id for one in tx.cases.queue(None, 50) if one.account_id == account)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_shows_what_is_stored_and_nothing_goes_wrong(
    signed_in: Watched, server: Server, path: str
) -> None:
    signed_in.page.goto(server.url + path)

    expect(signed_in.page.locator("main")).to_contain_text(PAGES[path])
    assert signed_in.faults == []


def test_every_page_fits_a_phone(signed_in: Watched, server: Server) -> None:
    signed_in.page.set_viewport_size({"width": 390, "height": 844})
    widths = {}
    for path in PAGES:
        signed_in.page.goto(server.url + path)
        widths[path] = signed_in.page.evaluate("document.documentElement.scrollWidth")

    assert widths == dict.fromkeys(PAGES, 390)


def test_a_page_asks_nobody_but_this_server(signed_in: Watched, server: Server) -> None:
    signed_in.page.goto(server.url)
    expect(signed_in.page.locator("#live")).to_have_text("Live")

    assert signed_in.asked
    assert [url for url in signed_in.asked if not url.startswith(server.url)] == []


def test_no_page_shows_content_or_lists(
    signed_in: Watched, server: Server, services: Services
) -> None:
    cases = [f"/cases/{case_of(services, name)}" for name in ("acc-ada", "acc-bo", "acc-di")]
    for path in (*PAGES, *cases):
        signed_in.page.goto(server.url + path)
        shown = signed_in.page.content()
        assert [secret for secret in SECRETS if secret in shown] == []


def test_the_simulated_cybertipline_is_said_on_every_page(
    signed_in: Watched, server: Server
) -> None:
    for path in PAGES:
        signed_in.page.goto(server.url + path)
        expect(signed_in.page.locator(".banner")).to_contain_text("nothing here reaches NCMEC")


def test_new_events_appear_without_reloading(signed_in: Watched, server: Server) -> None:
    page = signed_in.page
    page.goto(server.url)
    expect(page.locator("#live")).to_have_text("Live")
    page.evaluate("window.stillTheSamePage = true")

    server.post(
        event(100, "post.created", 0, post_id="post-live", account_id="acc-live", text="Hello.")
    )

    expect(page.locator("#events")).to_contain_text("acc-live")
    expect(page.locator(".stage", has_text="Event")).to_contain_text("1 waiting")
    assert page.evaluate("window.stillTheSamePage") is True
    assert signed_in.faults == []


def test_new_decisions_and_cases_appear_without_reloading(
    signed_in: Watched, server: Server, services: Services
) -> None:
    page = signed_in.page
    page.goto(server.url)
    expect(page.locator("#live")).to_have_text("Live")

    services.pipeline.run(parsed(advert(200, "acc-eve", 0)))

    row = page.locator("tr", has_text="acc-eve").first
    expect(row).to_be_visible()
    expect(page.locator("tr.fresh").first).to_be_attached()


def test_a_case_says_why_what_is_sealed_and_how_to_decide_it(
    signed_in: Watched, server: Server, services: Services
) -> None:
    case_id = case_of(services, "acc-bo")

    signed_in.page.goto(f"{server.url}/cases/{case_id}")

    main = signed_in.page.locator("main")
    expect(main).to_contain_text("acc-bo")
    expect(main).to_contain_text("The file equals an entry of a hash bank.")
    expect(main).to_contain_text("Media med-4: MD5 equal to entry")
    expect(main).to_contain_text("of bank town-bank")
    expect(main).to_contain_text("application/json")
    expect(main).to_contain_text(
        f"nightlight case decide {case_id} --confirm --findings-shown 1 --reviewer NAME"
    )


def test_a_case_says_that_a_deleted_post_came_again(
    signed_in: Watched, server: Server, services: Services
) -> None:
    first = advert(400, "acc-flo", 20)
    gone = event(401, "post.deleted", 18, post_id="post-400", account_id="acc-flo")
    gone["data"]["deleted_by"] = "author"
    services.pipeline.run(parsed(first, gone, advert(402, "acc-flo", 10)))

    signed_in.page.goto(f"{server.url}/cases/{case_of(services, 'acc-flo')}")

    main = signed_in.page.locator("main")
    expect(main).to_contain_text("posted again nearly the same: post-400.")
    expect(main).to_contain_text("stayed 2 min; the soonest came again 8 min after")


def test_a_decided_case_no_longer_says_how_to_decide_it(
    signed_in: Watched, server: Server, services: Services
) -> None:
    signed_in.page.goto(f"{server.url}/cases/{case_of(services, 'acc-di')}")

    main = signed_in.page.locator("main")
    expect(main).to_contain_text("It is an advert.")
    expect(main).not_to_contain_text("case decide")
    expect(main).to_contain_text("nightlight case appeal")


def test_a_receipt_is_shown_verbatim(signed_in: Watched, server: Server) -> None:
    signed_in.page.goto(f"{server.url}/reports")

    signed_in.page.get_by_text("Receipt, as").first.click()

    expect(signed_in.page.locator("pre.verbatim").first).to_have_text(RECEIPT)


def test_a_tip_says_by_which_command_it_is_read(signed_in: Watched, server: Server) -> None:
    signed_in.page.goto(f"{server.url}/reports")

    signed_in.page.get_by_text("Read it").first.click()

    command = signed_in.page.locator("details[open] code")
    expect(command).to_contain_text("nightlight report preview tip_")
    expect(signed_in.page.locator("details[open]")).not_to_contain_text("report correct")


def test_what_came_from_outside_is_shown_as_text(
    signed_in: Watched, server: Server, services: Services
) -> None:
    account = "<img src=x onerror=alert(1)>"
    services.pipeline.run(parsed(advert(300, account, 0)))

    signed_in.page.goto(f"{server.url}/decisions")

    expect(signed_in.page.locator("main")).to_contain_text(account)
    assert signed_in.page.locator("main img").count() == 0
    assert signed_in.faults == []


def test_the_token_does_not_stay_in_the_address(context: BrowserContext, server: Server) -> None:
    page = context.new_page()

    page.goto(f"{server.url}/?token={TOKEN}")

    assert page.url == f"{server.url}/"
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_browser_without_the_token_is_refused(context: BrowserContext, server: Server) -> None:
    page = context.new_page()

    answer = page.goto(f"{server.url}/cases")

    assert answer is not None
    assert answer.status == 401
    expect(page.locator("main")).not_to_contain_text("advert")


def test_the_token_typed_into_the_form_opens_the_console(
    context: BrowserContext, server: Server
) -> None:
    page = context.new_page()
    page.goto(server.url)
    page.get_by_label("API token").fill("not the token")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()

    page.get_by_label("API token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
