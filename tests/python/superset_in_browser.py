"""What a browser finds in Superset; run in the environment of requirements/browser.txt.

Arguments: the browser's program, Superset's address, names of dashboards. The password of all comes
from PASSWORD_OF_ALL. Prints a JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

# Tall: a chart that is out of sight is not asked for.
WINDOW = {"width": 1500, "height": 3200}
PATIENCE = 240
CHARTS = "[data-test='chart-grid-component']"
SPINNERS = ".loading, [data-test='loading-indicator'], [data-test='loading']"
# Whoever opens a page, Superset would keep which labels several charts of it have in common.
COLOURS = "/colors?mark_updated=false"
FAILURES = "[data-test='chart-error'], .ant-alert-error, .error-boundary"


def logged_in(browser: Browser, address: str, name: str) -> Page:
    """A page of somebody who has logged in by the form."""
    page = browser.new_context(viewport=WINDOW, reduced_motion="reduce").new_page()
    page.set_default_timeout(PATIENCE * 1000)
    for _ in range(3):
        # An answer that is still under way would bring the cookie of nobody, and log out again.
        page.goto(f"{address}/login/", wait_until="networkidle")
        page.fill("#username", name)
        page.fill("#password", os.environ["PASSWORD_OF_ALL"])
        with page.expect_navigation():
            page.keyboard.press("Enter")
        page.wait_for_load_state("networkidle")
        if "/login" not in page.url:
            return page
    raise RuntimeError(f"{name} can't log in: {page.url}")


def settled(page: Page) -> None:
    """Wait until nothing is being loaded any more."""
    page.wait_for_selector(CHARTS)
    page.wait_for_load_state("networkidle")
    until = time.monotonic() + PATIENCE
    calm = 0
    while calm < 3 and time.monotonic() < until:
        time.sleep(0.5)
        calm = 0 if page.locator(SPINNERS).count() else calm + 1


def opened(page: Page, address: str, name: str) -> None:
    """Open a dashboard."""
    page.goto(f"{address}/superset/dashboard/{name}/", wait_until="domcontentloaded")
    settled(page)


def inspected(page: Page, address: str, name: str) -> dict[str, Any]:
    """What is found on a dashboard."""
    errors: list[str] = []
    outside: list[str] = []
    failed: list[str] = []
    colours: list[int] = []

    def answered(response: Any) -> None:
        if not response.url.startswith((address, "data:", "blob:")):
            outside.append(response.url)
        elif response.request.method == "PUT" and response.url.endswith(COLOURS):
            colours.append(response.status)
        elif response.status >= 400:
            failed.append(f"{response.status} {response.url.removeprefix(address)}")

    def broken(error: Any) -> None:
        errors.append(str(error))

    page.on("response", answered)
    page.on("pageerror", broken)
    opened(page, address, name)
    # What a page does on its own comes half a second after its charts.
    page.wait_for_timeout(1500)
    found = {
        "charts": page.locator(CHARTS).count(),
        "drawn": page.locator(f"{CHARTS} canvas").count(),
        "failed": failed + page.locator(FAILURES).all_inner_texts(),
        "errors": errors,
        "colours": colours,
        "answered_from_outside": outside,
    }
    if pictures := os.environ.get("NPS_TEST_PICTURES"):
        page.screenshot(path=f"{pictures}/superset_{name}.png")
    page.remove_listener("response", answered)
    page.remove_listener("pageerror", broken)
    return found


def numbers(page: Page) -> dict[str, str]:
    """The single numbers on a page, by title."""
    return {
        title: page.locator(CHARTS)
        .filter(has=page.get_by_text(title, exact=True))
        .locator(".header-line")
        .first.inner_text()
        .strip()
        for title in ("Score", "Answers")
    }


def chosen(page: Page, label: str, value: str) -> None:
    """Choose a value of a filter, and apply it."""
    name = page.locator("[data-test='filter-control-name']").filter(has_text=label).first
    key = str(name.get_attribute("id")).removeprefix("filter-name-")
    page.locator(f".ant-select[data-test='{key}']").first.click()
    page.keyboard.type(value)
    page.locator(".ant-select-item-option", has_text=value).first.click()
    page.keyboard.press("Escape")
    # Filters that are within this one choose anew before it is applied.
    page.wait_for_timeout(1000)
    page.wait_for_load_state("networkidle")
    settled(page)
    page.locator("[data-test='filter-bar__apply-button']").click()
    time.sleep(1)
    settled(page)


def main() -> None:
    """Look at everything, and print what was found."""
    program, address, *names = sys.argv[1:]
    found: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        page = logged_in(browser, address, "manager")
        found["pages"] = {name: inspected(page, address, name) for name in names}
        opened(page, address, "company")
        month = numbers(page)
        chosen(page, "Period length", "year")
        found["numbers"] = {"month": month, "year": numbers(page)}
        for name in ("agent", "lead"):
            own = logged_in(browser, address, name)
            opened(own, address, "agents")
            found[name] = own.inner_text("body")
        browser.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
