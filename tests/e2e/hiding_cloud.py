"""An embedded cloud that can hide the container's own status and text from callers of an endpoint.

While the file `switch` is there, a ModelError has its message alone, without OriginalStatusCode and
OriginalMessage.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from embedded_cloud.__main__ import main as serve
from embedded_cloud.cloud import Cloud
from embedded_cloud.sagemaker import runtime

SWITCH = "HIDES_THE_STATUS"
MODEL_ERROR = 424


class HidingCloud(Cloud):
    """Runs this module in place of the package."""

    module = __name__

    def __init__(self, *, data_dir: Path, **options: Any) -> None:
        super().__init__(data_dir=data_dir, **options)
        self.switch = data_dir.parent / "hides-the-status"

    def _server_environment(self) -> dict[str, str]:
        return {**super()._server_environment(), SWITCH: str(self.switch)}


def main() -> int:
    """Serves as `python -m embedded_cloud serve` does."""
    switch, invoke = Path(os.environ[SWITCH]), runtime.invoke

    def hiding(**request: Any) -> runtime.Response:
        status, headers, content = invoke(**request)
        if status == MODEL_ERROR and switch.exists():
            content = json.dumps({"Message": json.loads(content)["Message"]}).encode()
        return status, headers, content

    runtime.invoke = hiding  # before `serve` imports what calls it
    return serve()


if __name__ == "__main__":
    sys.exit(main())
