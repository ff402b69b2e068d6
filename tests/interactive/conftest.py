"""A page of `explore` in a real browser, headless and offline, as a reader would use it."""

from __future__ import annotations

import importlib.util
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
#: How long a page may take to draw itself, and to answer [s].
PATIENCE = 30.0


@pytest.fixture(scope="session")
def _browser(tmp_path_factory):
    """Start a browser with an empty profile."""
    for package in ("bokeh", "selenium"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}, which is not installed")
    programs = [shutil.which(program) for program in ("chromium", "chromedriver")]
    if None in programs:
        pytest.skip("needs Chromium and its driver (Debian's packages chromium and chromium-driver)")
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = programs[0]
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(programs[1]))
    yield browser
    browser.quit()


@pytest.fixture
def reader(_browser):
    return Reader(_browser)


class Reader:
    """Somebody who looks at a page."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser

    def open(
        self,
        path: Path,
        width: int = 1280,
        height: int = 1400,
        *,
        dark: bool = False,
        zone: str = "UTC",
        frame: bool = False,
    ) -> None:
        """Open a file with the network off, and wait until it is drawn."""
        self.do("Network.enable")
        self.do("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = "dark" if dark else "light"
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.do("Emulation.setTimezoneOverride", timezoneId=zone)
        # what earlier pages have said
        self.browser.get_log("browser")
        self.browser.get_log("performance")
        self.browser.get(path.as_uri())
        if frame:
            self.browser.switch_to.frame(self.browser.find_element("css selector", "iframe"))
        self.wait("return window.Bokeh?.documents[0]?.get_model_by_name('text')?.value?.startsWith('df')")

    def do(self, command: str, **parameters: Any) -> Any:
        """Tell the browser something that a page cannot."""
        return self.browser.execute_cdp_cmd(command, parameters)

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page; ``model`` finds a model by its name and ``view`` what is drawn of it."""
        ready = (
            "const model = (name) => Bokeh.documents[0].get_model_by_name(name);"
            "const view = (name) => Bokeh.index.find_one(model(name));"
        )
        return self.browser.execute_script(ready + script, *arguments)

    def wait(self, script: str) -> Any:
        """Wait until a script of the page gives something."""
        until = time.monotonic() + PATIENCE
        while not (found := self.browser.execute_script(script)):
            if time.monotonic() > until:
                said = [entry["message"] for entry in self.browser.get_log("browser")]
                raise AssertionError(f"the page never gave {script!r}; it said {said}")
            self.browser.execute_async_script("requestAnimationFrame(arguments[arguments.length - 1])")
        return found

    def at(self, figure: str, x: float, y: float) -> tuple[float, float]:
        """Return where a place of a figure is on the screen [pixels]."""
        place = self.run(
            """
            const {el, frame} = view(arguments[0])
            el.scrollIntoView({block: "center"})
            const box = view(arguments[0]).canvas_view.el.getBoundingClientRect()
            return [box.x + frame.x_scale.compute(arguments[1]), box.y + frame.y_scale.compute(arguments[2])]
            """,
            figure, x, y,
        )  # fmt: skip
        return place[0], place[1]

    def mouse(self, what: str, x: float, y: float) -> None:
        """Press, move or release the mouse."""
        held = 1 if what == "mousePressed" or getattr(self, "held", False) else 0
        self.held = what != "mouseReleased" and (what == "mousePressed" or getattr(self, "held", False))
        self.do(
            "Input.dispatchMouseEvent",
            type=what,
            x=x,
            y=y,
            button="left" if held else "none",
            buttons=held,
            clickCount=1,
        )

    def brush(self, figure: str, low: float, high: float, y: float) -> None:
        """Drag across a figure from one place along x to another."""
        begin, end = self.at(figure, low, y), self.at(figure, high, y)
        self.mouse("mouseMoved", *begin)
        self.mouse("mousePressed", *begin)
        for part in (0.3, 0.7, 1.0):
            self.mouse("mouseMoved", begin[0] + part * (end[0] - begin[0]), begin[1])
        self.mouse("mouseReleased", end[0], begin[1])
        self.settle()

    def click(self, figure: str, x: float, y: float) -> None:
        """Click on a place of a figure."""
        place = self.at(figure, x, y)
        for what in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.mouse(what, *place)
        self.settle()

    def hover(self, figure: str, x: float, y: float) -> str:
        """Return what a figure tells of a place."""
        self.mouse("mouseMoved", *self.at(figure, x, y))
        self.settle()
        return self.run(
            """
            const found = []
            const read = (node) => {
              for (const each of node.querySelectorAll("*")) if (each.shadowRoot) read(each.shadowRoot)
              for (const each of node.querySelectorAll?.(".bk-tooltip-content") ?? []) found.push(each.innerText)
            }
            read(document)
            return found.join("\\n")
            """
        )

    def settle(self) -> None:
        """Let the page answer and draw."""
        self.browser.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 120)"
        )

    def table(self) -> dict[str, list[Any]]:
        """Return the columns of the table by their headings."""
        found = self.run(
            """
            const {columns, source} = model("table")
            const page = document.createElement("textarea")
            return columns.map(({title, field}) => {
              page.innerHTML = title
              return [page.value, Array.from(source.data[field])]
            })
            """
        )
        return dict(found)

    def cells(self) -> list[str]:
        """Return the text of the cells of the table that are in sight."""
        return self.run(
            """
            const rows = view("table").shadow_el.querySelectorAll(".slick-row")
            const shown = [...rows].sort((a, b) => a.offsetTop - b.offsetTop)
            return shown.flatMap((row) => [...row.querySelectorAll(".slick-cell")].map((cell) => cell.innerText))
            """
        )

    @property
    def text(self) -> str:
        """The text that selects the rows."""
        return self.run("return model('text').value")

    @property
    def status(self) -> str:
        """The line that tells how many events are selected."""
        return self.run("return view('status').el.shadowRoot.querySelector('[role=status]').textContent")

    def press(self, label: str) -> None:
        """Press a button by the keyboard."""
        self.run(
            """
            const find = (node) => {
              for (const each of node.querySelectorAll("*")) {
                if (each.localName == "button" && each.innerText.trim() == arguments[0]) return each
                const found = each.shadowRoot ? find(each.shadowRoot) : null
                if (found) return found
              }
              return null
            }
            find(document).focus()
            """.replace("arguments[0]", repr(label))
        )
        self.key("Enter", "\r")
        self.settle()

    def write(self, title: str, text: str) -> None:
        """Write into a field, in place of what it holds, and leave it."""
        self.run(
            """
            const find = (node) => {
              for (const each of node.querySelectorAll("*")) {
                if (each.localName == "input" && each.closest(".bk-input-group")?.innerText?.split("\\n")[0] == arguments[0]) return each
                const found = each.shadowRoot ? find(each.shadowRoot) : null
                if (found) return found
              }
              return null
            }
            const field = find(document)
            field.focus()
            field.select()
            """.replace("arguments[0]", repr(title))
        )
        self.do("Input.insertText", text=text)
        self.key("Tab")
        self.settle()

    def key(self, name: str, text: str = "") -> None:
        """Press a key."""
        for what in ("keyDown", "keyUp"):
            self.do(
                "Input.dispatchKeyEvent", type=what, key=name, code=name, text=text if what == "keyDown" else "",
                windowsVirtualKeyCode={"Enter": 13, "Tab": 9, "Escape": 27}.get(name, 0),
            )  # fmt: skip

    def spent(self) -> float:
        """Return how long the page has computed and drawn, where `Performance` counts [s of its thread]."""
        metrics = self.do("Performance.getMetrics")["metrics"]
        return {each["name"]: each["value"] for each in metrics}["TaskDuration"]

    def complaints(self) -> list[str]:
        """Return errors and warnings of the page since it was opened; what a driver says of a screen is none."""
        entries = [entry for entry in self.browser.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]
        return [entry["message"] for entry in entries]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the page was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in sent]
