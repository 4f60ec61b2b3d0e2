"""What a browser finds in pages; run in the environment of requirements/browser.txt.

Arguments: the browser's program, and pages. Prints a JSON list with one object per page, color
scheme and width.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright
from pypdf import PdfReader

WIDTHS = (1200, 360)
DICTIONARY = "dictionary.html"
SEARCHED = "huddle_pack"


def checked(browser: Browser, file: Path, scheme: str, width: int) -> dict[str, Any]:
    """What is found in a page.

    Args:
        browser: a running one.
        file: the page.
        scheme: `light` or `dark`.
        width: of the window, in pixels.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    requests: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(f"dialog {dialog.message}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    found: dict[str, Any] = {
        "page": file.name,
        "scheme": scheme,
        "width": width,
        "background": page.evaluate("getComputedStyle(document.body).backgroundColor"),
        "line": page.evaluate(
            "document.querySelector('svg path[stroke=\"#1d5fa6\"]')"
            " && getComputedStyle(document.querySelector('svg path[stroke=\"#1d5fa6\"]')).stroke"
        ),
        "verbatim": page.evaluate("document.querySelector('[data-verbatim]')?.textContent"),
    }
    if search := page.query_selector("#search"):
        search.fill(SEARCHED)
        found["found"] = page.inner_text("#found")
        found["visible"] = [
            entry.get_attribute("id") for entry in page.query_selector_all("article:not([hidden])")
        ]
    # By keyboard: the first table behind a chart opens.
    summary = page.locator("summary:visible").first
    summary.focus()
    page.keyboard.press("Enter")
    found["opened"] = summary.evaluate("element => element.parentElement.open")
    if not search:
        for details in page.query_selector_all("details"):
            details.evaluate("element => { element.open = true }")
    found["overflow"] = page.evaluate("document.documentElement.scrollWidth") - width
    found["violations"] = [
        f"{violation['impact']} {violation['id']}: {violation['nodes'][0]['html'][:200]}"
        for violation in Axe().run(page).response["violations"]
    ]
    if not search and scheme == "dark" and width == max(WIDTHS):
        pdf = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
        found["sheets"] = [sheet.extract_text() for sheet in pdf.pages]
        found["size"] = [float(side) for side in pdf.pages[0].mediabox[2:]]
    found["requests"] = [url for url in requests if url != file.as_uri()]
    found["said"] = said
    context.close()
    return found


def main(program: str, *files: str) -> None:
    """Check each page and print what was found.

    Args:
        program: the browser.
        files: the pages, absolute.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        results = [
            checked(browser, Path(file), scheme, width)
            for file in files
            for scheme in ("light", "dark")
            for width in WIDTHS
            # The dictionary has thousands of rows: both schemes and both widths, not all pairs.
            if Path(file).name != DICTIONARY or (scheme == "dark") == (width == min(WIDTHS))
        ]
        browser.close()
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
