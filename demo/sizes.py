"""What a run on this machine is smaller and faster by: the one list, the stage `local` in cdk.json."""

import json
from typing import Any

from demo.options import ROOT

STAGE = "local"


def run_sizes() -> dict[str, str]:
    """What `local` lays over the stage that it extends, as `-c section.field=value` takes it."""
    stages: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]["stages"]
    sections: dict[str, dict[str, Any]] = {k: v for k, v in stages[STAGE].items() if k != "extends"}
    return {
        f"{section}.{name}": value if isinstance(value, str) else json.dumps(value)
        for section, values in sections.items()
        for name, value in values.items()
    }
