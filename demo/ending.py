"""`KEEP=1 make demo`: how to call what the demo leaves up."""

import shlex
import time
from collections.abc import Mapping

from embedded_cloud.cloud import Cloud

from bincount.stage.stage import Stage
from demo.cloud import STAGE
from demo.options import ROOT, Options
from demo.screen import Screen


def stay(*, options: Options, cloud: Cloud, screen: Screen, outputs: Mapping[str, Mapping[str, str]]) -> None:
    """Print how to call the endpoint and wait for Ctrl-C."""
    bins = options.bins or options.out / "unseen"
    image = min((bins / "bin-images").glob("*.jpg"))
    client_file = str(cloud.client_file)
    variables = {**cloud.environment(), "NO_PROXY": "127.0.0.1", "BINCOUNT_CLOUD": client_file}
    exports = " ".join(
        f"{name}={shlex.quote(value)}"
        for name, value in sorted(variables.items())
        if name.startswith(("AWS_", "NO_PROXY", "BINCOUNT_CLOUD"))
    )
    screen.console.print("\nThe cloud stays up until Ctrl-C. In another terminal:\n", style="bold")
    print(f"cd {shlex.quote(str(ROOT))}; unset AWS_PROFILE; export {exports}")
    print(f".venv/bin/bincount count --stage {STAGE} {shlex.quote(str(image))}")
    print(f".venv/bin/bincount status --stage {STAGE}")
    # What CloudFormation gives as ApiUrl is an address of AWS; here the API answers at this one.
    prefix = Stage(STAGE, cloud=cloud.client_file).prefix
    address = cloud.api_url(outputs[f"{prefix}-api"]["ApiUrl"])
    print(f".venv/bin/bincount count --stage {STAGE} --api-url {address} {shlex.quote(str(image))}")
    # The image is an argument, as a path may hold anything.
    print(
        '.venv/bin/python -c "import boto3, sys; '
        "print(boto3.client('sagemaker-runtime').invoke_endpoint("
        f"EndpointName='{prefix}', ContentType='image/jpeg', "
        "CustomAttributes='expected-count=3', "
        f"Body=open(sys.argv[1], 'rb').read())['Body'].read().decode())\" {shlex.quote(str(image))}",
        flush=True,  # nothing is printed after it that would
    )
    while True:
        time.sleep(3600)
