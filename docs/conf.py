"""Sphinx's settings: MyST Markdown, the furo theme, nothing from any other host."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import from_code
import languages
import translations

from zhidao import __version__

project = "Zhidao"
author = "The Zhidao maintainers"
project_copyright = "The Zhidao maintainers, Apache-2.0"
release = version = __version__
language = "en"

extensions = ["myst_parser"]
exclude_patterns = ["_build", "_static", "_templates"]
templates_path = ["_templates"]
source_suffix = {".md": "markdown"}
root_doc = "index"
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

html_theme = "furo"
html_title = "Zhidao"
html_static_path = ["_static"]
html_css_files = ["zhidao.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0b6b53",
        "color-brand-content": "#0b6b53",
        "color-background-primary": "#fdfcf8",
        "color-background-secondary": "#f6f4ec",
    },
    "dark_css_variables": {
        "color-brand-primary": "#5cc2a4",
        "color-brand-content": "#5cc2a4",
    },
}


def setup(app: Any) -> None:
    """Fills in the tables before parsing, and leaves the OpenAPI document beside its page."""
    app.connect("source-read", _fill)
    languages.connect(app)
    app.connect("build-finished", _write_openapi)


def _fill(_app: Any, name: str, source: list[str]) -> None:
    source[0] = from_code.filled(source[0])
    for page in translations.pages():
        if page.chinese == translations.DOCS / f"{name}.md":
            source[0] = translations.joined(translations.notice(page, source[0]))


def _write_openapi(app: Any, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        target = Path(app.outdir) / "reference" / "openapi.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        document = json.dumps(from_code.openapi(), ensure_ascii=False, indent=1)
        target.write_text(document, encoding="utf-8")
