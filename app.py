"""The CDK app: reads one stage's settings, builds its stacks, nothing else."""

import sys

from infra import settings, stage  # isort: skip  (before aws_cdk: infra loads it)
from infra.packaging import requirements  # isort: skip

import aws_cdk as cdk

app = cdk.App()
try:
    chosen = settings.load(app.node.try_get_context, given=app.node.get_all_context())
    stage.build(app=app, settings=chosen)
    stage.synthesize(app)
    print(f"training: a tuning job costs at most {chosen.training.cost_summary}", file=sys.stderr)
except (settings.SettingsError, requirements.PackageError, stage.SynthesisError) as error:
    sys.exit(f"error: {error}")
