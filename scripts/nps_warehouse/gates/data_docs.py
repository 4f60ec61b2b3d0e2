"""Makes Great Expectations' pages stand alone: no style, script, image or font from outside."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

# Whatever is left over or comes with another release: the browser is told to fetch nothing.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 0; }
nav.navbar, footer, .collapse, [data-toggle=collapse], .modal, .btn-group { display: none; }
.container-fluid, .container { max-width: 80rem; margin: 0 auto; padding: .5rem 1rem; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 1rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { border: 1px solid #ccc; padding: .35rem .6rem; text-align: left; vertical-align: top; }
th { background: #f3f3f3; }
td table { font-size: 13px; }
.alert { background: #f3f3f3; border-left: 4px solid #888; padding: .25rem 1rem; }
.badge { background: #eee; border-radius: 3px; padding: 0 .3rem; }
.text-danger { color: #b00020; }
.text-success { color: #176b2c; }
.fa-times::before, .fa-exclamation-triangle::before { content: "✗ failed"; }
.fa-check-circle::before { content: "✓ passed"; }
i.fas { font-style: normal; white-space: nowrap; }
ul { padding-left: 1.2rem; }
"""

_DROPPED = [
    r"<script\b.*?</script\s*>",
    r"<style\b.*?</style\s*>",
    r"<footer\b.*?</footer\s*>",
    r"<link\b[^>]*>",
    r"<img\b[^>]*>",
    r"<(?:iframe|object|video|audio)\b.*?</(?:iframe|object|video|audio)\s*>",
    r"<(?:embed|source|base)\b[^>]*>",
    # A link that is followed is a request too, and these lead to the maker's site only.
    r"""\shref=(?:"https?://[^"]*"|'https?://[^']*'|https?://[^\s>]+)""",
    r"""\son\w+=(?:"[^"]*"|'[^']*')""",
]


def stands_alone(page: str) -> str:
    """A page of Data Docs without anything that a browser would fetch.

    Args:
        page: HTML as Great Expectations writes it.
    """
    for pattern in _DROPPED:
        page = re.sub(pattern, "", page, flags=re.DOTALL | re.IGNORECASE)
    return page.replace("<head>", f"<head>\n{_POLICY}\n<style>{_STYLE}</style>", 1)


def clean_site(folder: Path) -> None:
    """Rewrite every page of a site, and remove the fonts and images that nothing shows any more.

    Args:
        folder: the site.
    """
    shutil.rmtree(folder / "static", ignore_errors=True)
    for path in sorted(folder.rglob("*.html")):
        path.write_text(stands_alone(path.read_text(encoding="utf-8")), encoding="utf-8")


def may_be_replaced(folder: Path) -> bool:
    """Whether a folder is free for a site: not there, empty, or an earlier site of ours.

    Args:
        folder: what the user named.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return True
    index = folder / "index.html"
    return index.is_file() and _POLICY in index.read_text(encoding="utf-8", errors="replace")
