"""The CDK app: reads one stage's settings, builds its stacks, nothing else."""

import sys

from infra import lambda_package, settings, stage, synthesis  # isort: skip  (before aws_cdk: infra loads it)

import aws_cdk as cdk

app = cdk.App()
try:
    stage.build(app=app, settings=settings.load(app.node.try_get_context))
    synthesis.synthesize(app)
except (settings.SettingsError, lambda_package.PackageError, synthesis.SynthesisError) as error:
    sys.exit(f"error: {error}")
