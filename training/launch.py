"""Starts training from this working tree in a deployed stage, with the SageMaker Python SDK v3.

    make launch-env                                             # once: build/launch-venv with the SDK
    L="build/launch-venv/bin/python training/launch.py"
    $L train --stage dev --epochs 3 --learning-rate 0.001 --wait
    $L tune --stage dev --max-jobs 4 --wait
    $L train --help                                             # every flag of train.py with its bounds

Role, image, instances, dataset and the rest are the stage's own, as its pipeline would use them; the code is
what lies in `training/` now. A failure is one line on stderr and exit code 1.
"""

from __future__ import annotations

import sys

from binlaunch.errors import LaunchError
from binlaunch.options import parse


def main() -> int:
    """Start one job; 0, or 1 after a failure that was reported."""
    try:
        options = parse(sys.argv[1:])
        from binlaunch.run import run  # the SDK takes seconds to import; --help and bad flags need none of it

        run(options)
    except LaunchError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nstopped watching; a job that was started goes on", file=sys.stderr, flush=True)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
