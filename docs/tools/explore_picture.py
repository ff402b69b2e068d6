"""
Draw the README's picture of the page of `explore`: Chromium, headless, takes it of the recorded search.

Needs the extra ``explore``, the package selenium, and Chromium with its driver (Debian: chromium, chromium-driver)::

    python docs/tools/explore_picture.py docs/images/explore.png
    python docs/tools/explore_picture.py phone.png --width 390 --height 2600 --dark --events 2000
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import made_up
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

import aurorax_pandas


def page_of(events: int | None) -> Any:
    """Return the page of the recorded search, or of a number of made-up events."""
    ephemeris = aurorax_pandas.load_sample_ephemeris()
    if events is None:
        near = aurorax_pandas.load_sample_conjunctions().aurorax.closest_approach(ephemeris)
        return near.aurorax.explore(ephemeris, title="THEMIS-ASI and Swarm, within 500 km, 2020-01-01")
    made = made_up.events(events, 400 if events > 49 else 0)
    return made.aurorax.explore(None if events > 49 else ephemeris, title=f"{events} made-up events")


def take(path: Path, picture: Path, width: int, height: int, script: str = "", *, dark: bool = False) -> None:
    """Take a picture of a page after a script has run in it."""
    options = Options()
    with tempfile.TemporaryDirectory() as profile:
        for argument in ("headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars", "no-first-run"):
            options.add_argument(f"--{argument}")
        for argument in ("disable-background-networking", "disable-component-update", "disable-sync", "disable-quic"):
            options.add_argument(f"--{argument}")
        options.add_argument(f"--user-data-dir={profile}")
        options.binary_location = shutil.which("chromium")
        browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
            scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
            browser.get(path.resolve().as_uri())
            drawn = "return window.Bokeh?.documents[0]?.get_model_by_name('text')?.value?.startsWith('df')"
            WebDriverWait(browser, 60).until(lambda each: each.execute_script(drawn))
            browser.execute_script(script)
            browser.execute_async_script("setTimeout(arguments[arguments.length - 1], 1500)")
            browser.save_screenshot(str(picture))
        finally:
            browser.quit()


def main() -> None:
    """Read the arguments and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--events", type=int)
    parser.add_argument("--dark", action="store_true")
    given = parser.parse_args()
    # a few hours are selected, so that the picture shows what a selection is
    brushed = """
    const bars = Bokeh.documents[0].get_model_by_name("bars")
    const found = []
    bars.data_source.data.left.forEach((left, i) => {
      const hour = left/3600e3 - 438288
      if (hour > 1.4 && hour < 4.2) found.push(i)
    })
    bars.data_source.selected.indices = found
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        page_of(given.events).save(path)
        take(path, given.picture, given.width, given.height, brushed if given.events is None else "", dark=given.dark)


if __name__ == "__main__":
    main()
