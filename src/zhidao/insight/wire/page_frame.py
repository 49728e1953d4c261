"""What is around a page of insight: no script, no request, a switch of two languages, a style.

The language is switched by two radio buttons and the style sheet alone. A content security policy
in the page names the style sheet's hash and allows nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path
from typing import Final

_STYLE: Final = (Path(__file__).with_name("style.css")).read_text(encoding="utf-8")
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"
)


def framed(title: str, body: str) -> bytes:
    """A whole page. title: text; body: HTML with each sentence in both languages."""
    switch = "".join(
        f'<input class="switch" type="radio" name="language" id="language-{code}"{checked}>'
        f'<label for="language-{code}" lang="{code}">{name}</label>'
        for code, name, checked in (("en", "English", " checked"), ("zh", "中文", ""))
    )
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="'
        f'{escape(POLICY)}"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f'<body>\n<main>\n{switch}\n<div class="annex">\n{body}\n</div>\n</main>\n</body></html>\n'
    )
    return page.encode()
