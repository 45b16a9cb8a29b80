"""The page on which a person goes through suspicious labels: one file that needs nothing else."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


def audit_page(data: dict[str, Any]) -> str:
    """The HTML with `data` in it: {audit, dataset, carried, bins} as page.js reads them.

    Nothing is fetched, and no script runs but the page's own, whatever ids and names hold: texts are data,
    and the policy names the script by its digest.
    """
    template, style, script = (
        (_FOLDER / name).read_text(encoding="utf-8") for name in ("page.html", "page.css", "page.js")
    )
    # "<" would end the element, or begin a comment in it.
    packed = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    page = template.replace("@policy@", policy).replace("@style@", style).replace("@script@", script)
    return page.replace("@data@", packed)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
