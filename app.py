"""The CDK app: reads one stage's settings, builds its stacks, nothing else."""

import sys

import aws_cdk as cdk

from infra import settings, stage, synthesis
from infra.packaging import requirements as locked

app = cdk.App()
try:
    chosen = settings.load(app.node.try_get_context, given=app.node.get_all_context())
    stage.build(app=app, settings=chosen)
    synthesis.synthesize(app)
    print(f"training: a tuning job costs at most {chosen.training.cost_summary}", file=sys.stderr)
except (settings.SettingsError, locked.PackageError, synthesis.SynthesisError) as error:
    sys.exit(f"error: {error}")
