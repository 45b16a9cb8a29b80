"""Train a bin counter: sealed dataset in, evaluated OpenVINO model out.

SageMaker's toolkit runs this file with the job's hyperparameters as flags; by hand:

    python training/train.py --dataset DIR --model-dir OUT/model --output-dir OUT/output \
        --arch resnet18 --image-size 96 --pretrained none --epochs 12 --batch-size 32

Where there are several GPUs or machines it starts itself again under torchrun, a process for each GPU; by
hand `torchrun --nproc_per_node=2 training/train.py ...` does the same. `--help` lists every flag with its
default and bounds. A failure is one line on stderr, the same line in SageMaker's failure file, exit code 1.
"""

from __future__ import annotations

import os
import sys

from bintrain.errors import TrainingError, write_failure
from bintrain.flags import parse_call


def main() -> int:
    """Run one job; 0, or 1 after a failure that was reported."""
    try:
        call = parse_call(sys.argv[1:], env=os.environ)
        # torch and what else a job needs take five seconds to load: a wrong flag is said before.
        from bintrain.engine.distributed import become_torchrun

        become_torchrun(sys.argv, env=os.environ)
        from bintrain.job import run_job

        run_job(call, env=os.environ)
    except TrainingError as error:
        write_failure(f"TrainingError: {error}", env=os.environ)
        print(f"TrainingError: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
