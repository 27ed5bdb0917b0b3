"""Maps in a real browser: they fetch nothing, complain of nothing, and can be used without a mouse or without sight."""

import functools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from lightbound.drawing.framing import Framing
from lightbound.drawing.layers import layers_of
from lightbound.drawing.page import page
from lightbound.drawing.picture import Role
from tests.drawing import scenes

CHROMIUM: Final = shutil.which("chromium")
ARGUMENTS: Final = (
    "--no-sandbox",  # tests may run as root
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)
DESKTOP: Final[dict[str, Any]] = {"viewport": {"width": 1200, "height": 900}}
PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
DEVICES: Final = {"desktop": DESKTOP, "phone": PHONE}
SCENES: Final = ("singapore", "fiji", "pole", "two_parts", "contradiction", "many")
EACH_SCENE: Final = [
    pytest.param(scene, marks=[] if scene in {"singapore", "pole", "contradiction"} else [pytest.mark.long])
    for scene in SCENES
]


@dataclass(frozen=True, slots=True)
class Opened:
    """A page, and all that it asked for or complained about since it was opened."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def view(self) -> tuple[float, float, float, float]:
        """What of the sheet is in sight: x, y, width, height."""
        box = self.page.locator("#host > svg").get_attribute("viewBox") or ""
        x, y, width, height = map(float, box.split())
        return x, y, width, height

    def tip(self) -> str | None:
        """The tooltip's text, if there is one."""
        tip = self.page.locator("#tip")
        return tip.text_content() if tip.is_visible() else None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs chromium: make system-packages")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages of this module's scenes are written, once."""
    return tmp_path_factory.mktemp("maps")


def _open(browser: Browser, folder: Path, scene: str, **device: Any) -> Opened:
    path = folder / f"{scene}.html"
    if not path.exists():
        path.write_bytes(page(scenes.ALL[scene](), scenes.layers(scene)))
    context = browser.new_context(**device)
    opened = Opened(context.new_page())
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.on("console", lambda message: opened.complaints.append(message.text))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.goto(path.as_uri())
    return opened


Pages = Callable[[str, str], Opened]


@pytest.fixture(scope="module")
def pages(browser: Browser, folder: Path) -> Pages:
    """Pages by scene and device, opened once, for tests that leave them as they were."""
    return functools.cache(lambda scene, device: _open(browser, folder, scene, **DEVICES[device]))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("scene", EACH_SCENE)
def test_a_page_asks_for_nothing_and_complains_of_nothing(pages: Pages, folder: Path, scene: str, device: str) -> None:
    opened = pages(scene, device)
    opened.page.locator("#in").click()
    opened.page.locator("#all").click()
    opened.page.wait_for_load_state("networkidle")
    assert [url for url in opened.requests if not url.startswith("data:")] == [(folder / f"{scene}.html").as_uri()]
    assert opened.complaints == []


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("scene", EACH_SCENE)
def test_nothing_stands_in_the_way_of_who_uses_assistive_technology(pages: Pages, scene: str, device: str) -> None:
    opened = pages(scene, device)
    found = Axe().run(opened.page).response["violations"]
    assert [(violation["id"], violation["impact"], violation["nodes"][0]["html"][:200]) for violation in found] == []


def test_the_keyboard_moves_zooms_and_goes_back(browser: Browser, folder: Path) -> None:
    opened = _open(browser, folder, "singapore", **DESKTOP)
    whole = opened.view()
    assert whole == pytest.approx((0, 0, 1000, 720), abs=2)
    keys = opened.page.keyboard
    keys.press("Tab")
    assert opened.page.evaluate("document.activeElement.textContent").startswith("Skip the map")
    keys.press("Tab")
    assert opened.page.evaluate("document.activeElement.id") == "host"
    keys.press("+")
    x, y, width, height = opened.view()
    assert width == pytest.approx(whole[2] / 1.5)
    assert (x + width / 2, y + height / 2) == pytest.approx((500, 360))
    keys.press("ArrowRight")
    keys.press("ArrowDown")
    assert opened.view()[:2] == pytest.approx((x + 0.15 * width, y + 0.15 * height))
    keys.press("ArrowLeft")
    keys.press("ArrowUp")
    assert opened.view() == pytest.approx((x, y, width, height))
    keys.press("-")
    keys.press("-")
    assert opened.view() == whole
    keys.press("r")
    assert 0 < opened.view()[2] < 1000
    keys.press("0")
    assert opened.view() == whole
    for _ in range(30):
        keys.press("=")
    assert opened.view()[2] == pytest.approx(25)
    keys.press("0")
    keys.press("+")
    for _ in range(10):
        keys.press("ArrowLeft")
    assert opened.view()[0] == 0


def test_the_whole_region_is_in_sight_after_asking_for_it(browser: Browser, folder: Path) -> None:
    for scene in ("singapore", "fiji", "pole"):
        opened = _open(browser, folder, scene, **DESKTOP)
        opened.page.get_by_role("button", name="Zoom to the region").click()
        x, y, width, height = opened.view()
        west, north, east, south = scenes.layers(scene).region.fill.bounds
        assert x < west
        assert y < north
        assert x + width > east
        assert y + height > south


def test_every_landmark_in_sight_can_be_reached_and_tells_what_it_showed(browser: Browser, folder: Path) -> None:
    opened = _open(browser, folder, "singapore", **DESKTOP)
    inside = [circle.bound for circle in scenes.layers("singapore").circles if circle.place]
    opened.page.locator("#host").focus()
    told = []
    for _ in inside:
        opened.page.keyboard.press("Tab")
        tip = opened.tip()
        assert tip is not None
        assert tip == opened.page.evaluate("document.activeElement.getAttribute('aria-label')")
        told.append(tip)
    assert sorted(tip.split(",")[0] for tip in told) == sorted(f"Landmark {bound.landmark_id}" for bound in inside)
    assert all("fault unit" in tip and "bound" in tip and " km" in tip for tip in told)
    opened.page.keyboard.press("Escape")
    assert opened.tip() is None
    # Still where it was: Escape closes, it does not leave.
    assert opened.page.evaluate("document.activeElement.getAttribute('class')") == "landmark"


def test_a_landmark_out_of_sight_comes_into_sight_when_it_is_reached(browser: Browser, folder: Path) -> None:
    opened = _open(browser, folder, "many", **DESKTOP)
    for _ in range(8):
        opened.page.locator("#in").click()
    opened.page.locator("#host").focus()
    opened.page.keyboard.press("Tab")
    place = opened.page.evaluate(
        "(() => { const at = document.activeElement.transform.baseVal.getItem(0).matrix; return [at.e, at.f] })()"
    )
    x, y, width, height = opened.view()
    assert x <= place[0] <= x + width
    assert y <= place[1] <= y + height
    assert opened.tip() is not None


def test_a_mouse_drags_wheels_and_hears_of_marks_and_bounds(browser: Browser, folder: Path) -> None:
    opened = _open(browser, folder, "fiji", **DESKTOP)
    page, mouse = opened.page, opened.page.mouse
    box = page.locator("#host").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    # Before the map has been chosen the wheel is the page's.
    mouse.move(*middle)
    mouse.wheel(0, -300)
    assert opened.view()[2] >= 1000
    page.locator("#host").focus()
    mouse.wheel(0, -600)
    page.wait_for_function("document.querySelector('#host > svg').viewBox.baseVal.width < 600")
    x, y, width, _ = opened.view()
    mouse.move(*middle)
    mouse.down()
    mouse.move(middle[0] + 60, middle[1] + 40, steps=5)
    mouse.up()
    dragged = opened.view()
    assert dragged[2] == width
    assert dragged[0] < x
    assert dragged[1] < y
    page.locator("#all").click()
    page.locator(".landmark[aria-label^='Landmark suva']").hover()
    assert (opened.tip() or "").startswith("Landmark suva")
    # The bound of the same landmark, at a point of its circle that nothing lies over.
    at = page.evaluate(
        """() => {
          const number = document.querySelector(".landmark[aria-label^='Landmark apia']")?.dataset.landmark
            ?? document.querySelector(".hit").dataset.landmark;
          const hit = document.querySelector(`.hit[data-landmark="${number}"]`);
          const line = document.querySelector(hit.getAttribute("href"));
          const matrix = hit.getScreenCTM();
          for (let i = 0; i < 100; i++) {
            const point = line.getPointAtLength((line.getTotalLength() * i) / 100).matrixTransform(matrix);
            const top = document.elementFromPoint(point.x, point.y);
            if (top && (top === hit || top.correspondingUseElement === hit)) return [point.x, point.y, number];
          }
        }"""
    )
    mouse.move(at[0], at[1])
    name = scenes.layers("fiji").circles[int(at[2])].bound.landmark_id
    assert (opened.tip() or "").startswith(f"Landmark {name}")
    assert "shown" in (page.locator(f"#bound-{at[2]}").get_attribute("class") or "")
    mouse.move(1, 1)
    assert opened.tip() is None
    page.mouse.dblclick(*middle)
    assert opened.view()[2] == pytest.approx(500, rel=0.01)


def test_two_fingers_pinch(browser: Browser, folder: Path) -> None:
    opened = _open(browser, folder, "singapore", **PHONE)
    opened.page.locator("#all").click()
    before = opened.view()[2]
    box = opened.page.locator("#host").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    client = opened.page.context.new_cdp_session(opened.page)

    def touch(kind: str, apart: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 20)
    for apart in (30, 45, 60, 80):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    assert opened.view()[2] < before / 2
    opened.page.locator("#all").tap()
    opened.page.locator(".landmark").last.tap()
    assert opened.tip() is not None


@pytest.mark.parametrize("scene", EACH_SCENE)
def test_a_phone_shows_it_all_without_scrolling_sideways_and_with_marks_of_full_size(pages: Pages, scene: str) -> None:
    opened = pages(scene, "phone")
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    buttons = opened.page.get_by_role("button").all()
    for button in buttons:
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    mark = opened.page.locator(".mark").first.bounding_box()
    assert mark is not None
    assert mark["width"] >= 7


def test_the_table_has_every_landmark_those_that_decide_first(browser: Browser, folder: Path) -> None:
    opened = _open(browser, folder, "many", **DESKTOP)
    rows = opened.page.locator("#landmarks tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(c => c.textContent))"
    )
    picture = scenes.many()
    assert sorted(row[0] for row in rows) == sorted(bound.landmark_id for bound in picture.bounds)
    deciding = sum(bound.role is Role.DECIDING for bound in picture.bounds)
    assert {row[1] for row in rows[:deciding]} == {"deciding"}
    assert "deciding" not in {row[1] for row in rows[deciding:]}


def test_names_from_files_run_nothing(browser: Browser, tmp_path: Path) -> None:
    name = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
    quiet = scenes.singapore()
    picture = replace(
        quiet, chip_id=name, bounds=tuple(replace(bound, landmark_id=name, unit=name) for bound in quiet.bounds)
    )
    path = tmp_path / "hostile.html"
    path.write_bytes(page(picture, layers_of(picture, Framing.AUTO)))
    opened = Opened(browser.new_page())
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.goto(path.as_uri())
    opened.page.locator(".landmark").first.focus()
    assert name in (opened.tip() or "")
    assert opened.page.title() == f"Chip {name}: verified (tier A0)"
    assert [url for url in opened.requests if not url.startswith("data:")] == [path.as_uri()]


def test_the_policy_stops_a_script_that_was_put_in_afterwards(browser: Browser, tmp_path: Path) -> None:
    content = page(scenes.singapore(), scenes.layers("singapore"))
    path = tmp_path / "tampered.html"
    path.write_bytes(content.replace(b"</body>", b"<script>document.title = 'run'</script></body>"))
    opened = Opened(browser.new_page())
    opened.page.on("console", lambda message: opened.complaints.append(message.text))
    opened.page.goto(path.as_uri())
    assert opened.page.title() != "run"
    assert any("Content Security Policy" in complaint for complaint in opened.complaints)
