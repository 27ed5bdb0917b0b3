"""The page about a bundle: the same bytes each time, no text of it markup, and nothing that a browser objects to."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from typer.testing import CliRunner

from lightbound.attestation.tiers import IN_WORDS, Unshown
from lightbound.bundles.checking import Checked, Trusted
from lightbound.bundles.contents import Bundle
from lightbound.cli.app import app
from lightbound.cli.chip_map import in_words
from lightbound.cli.exits import ExitCode
from lightbound.drawing.framing import Framing
from lightbound.drawing.layers import layers_of
from lightbound.drawing.paper import paper
from lightbound.errors import Refused
from lightbound.judging.bundle_page import shown
from tests.bundles.made import Files, attested, check, logged, trusted, unattested, written

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Trusted, Checked]:
    with attested(tmp_path_factory.mktemp("world") / "verifier", is_drawn=True) as made:
        bundle, log = logged(made.bundle())
    believed = trusted(log)
    return bundle, believed, check(bundle, believed)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    with unattested(tmp_path_factory.mktemp("world") / "verifier") as made:
        return written(tmp_path_factory.mktemp("given"), made.bundle(), trusted())


def page_of(seen: tuple[Bundle, Trusted, Checked], *unshown: str) -> str:
    bundle, believed, done = seen
    return shown(bundle, done, believed, unshown, in_words=in_words).page().decode()


def paper_of(seen: tuple[Bundle, Trusted, Checked], *unshown: str) -> bytes:
    bundle, believed, done = seen
    told = shown(bundle, done, believed, unshown, in_words=in_words)
    return paper(told.picture, layers_of(told.picture, Framing.AUTO), lead=told.lead, sections=told.sections)


def test_it_tells_each_step_the_verdict_who_is_believed_and_what_is_not_shown(
    seen: tuple[Bundle, Trusted, Checked],
) -> None:
    page, (bundle, believed, done) = page_of(seen, "key_not_copied"), seen
    assert all(f"<li>{one.what}" in page for one in done.steps if "'" not in one.what)
    assert f"Chip {bundle.chip.hex()}: verified (tier A1)" in page
    assert "This bundle holds. Verdict: verified, assurance tier A1." in page
    assert f"<li>{IN_WORDS[Unshown.KEY_NOT_COPIED]}</li>" in page
    assert believed.verifiers[0].raw.hex() in page
    assert believed.log is not None
    assert all(str(one) in page for one in believed.log.witnesses)


def test_two_pages_of_one_bundle_are_the_same_bytes(seen: tuple[Bundle, Trusted, Checked]) -> None:
    assert page_of(seen) == page_of(seen)


def test_no_text_becomes_markup(seen: tuple[Bundle, Trusted, Checked]) -> None:
    bundle, believed, done = seen
    steps = [replace(one, found="<script>alert(1)</script>\x1b[31m") for one in done.steps]
    hostile = (bundle, believed, replace(done, steps=steps))
    page = page_of(hostile, "</ul><img src=x onerror=alert(1)>")
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == len(steps)


def test_two_papers_of_one_bundle_are_the_same_bytes_and_state_no_time(seen: tuple[Bundle, Trusted, Checked]) -> None:
    data = paper_of(seen)
    assert data.startswith(b"%PDF-")
    assert data == paper_of(seen)
    assert b"CreationDate" not in data


def test_no_text_becomes_source_on_paper(seen: tuple[Bundle, Trusted, Checked]) -> None:
    bundle, believed, done = seen
    steps = [replace(one, found='#read("/etc/hostname") #panic("x") $ * _ [ ] \\ // \x1b') for one in done.steps]
    assert paper_of((bundle, believed, replace(done, steps=steps)), '"]) #panic("y")').startswith(b"%PDF-")


def test_the_command_writes_it_and_writes_none_of_what_does_not_hold(files: Files, tmp_path: Path) -> None:
    pages = [tmp_path / f"{number}.html" for number in range(3)]
    for page in pages[:2]:
        papers = ["--pdf", str(page.with_suffix(".pdf"))]
        result = CliRunner().invoke(app, ["check", *files.arguments(), "--html", str(page), *papers])
        assert result.exit_code == ExitCode.DONE, result.output
    assert pages[0].read_bytes() == pages[1].read_bytes()
    assert pages[0].with_suffix(".pdf").read_bytes() == pages[1].with_suffix(".pdf").read_bytes()
    altered = tmp_path / "altered.bundle"
    data = bytearray(files.bundle.read_bytes())
    data[-1_000] ^= 1
    altered.write_bytes(data)
    result = CliRunner().invoke(app, ["check", str(altered), "--trust", str(files.trust), "--html", str(pages[2])])
    assert isinstance(result.exception, Refused)
    assert not pages[2].exists()
    over = CliRunner().invoke(app, ["check", *files.arguments(), "--html", str(files.bundle)])
    assert over.exit_code == ExitCode.USAGE


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: make system-packages")
def test_a_browser_fetches_nothing_and_nothing_stands_in_the_way_of_assistive_technology(
    seen: tuple[Bundle, Trusted, Checked], tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(page_of(seen, "key_not_copied"), encoding="utf-8")
    requests: list[str] = []
    complaints: list[str] = []
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        opened = browser.new_page()
        opened.on("request", lambda request: requests.append(request.url))
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.goto(path.as_uri())
        opened.wait_for_load_state("networkidle")
        assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
        assert complaints == []
        violations = Axe().run(opened).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in violations] == []
        browser.close()
