"""What the stage's instances cost an hour, as its deploy has published it: one table, in infra/settings.

An estimate for a person's eyes (docs/cost.md); the bill is AWS's.
"""

import json

from botocore.exceptions import ClientError

from bincount.stage import Stage


def read_prices(stage: Stage) -> dict[str, float]:
    """Dollars an hour by instance type, from the parameter `/bincount/<stage>/training`.

    Empty where the stage is not deployed, or by a version that published none. A type that is not there has
    no known price.
    """
    try:
        answer = stage.client("ssm").get_parameter(Name=stage.parameter("training"))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        return {}
    return json.loads(answer["Parameter"]["Value"]).get("prices", {})


def dollars(price: float | None, *, seconds: float, instances: int = 1) -> float | None:
    """So many instance-seconds at `price` dollars an hour; None where that is not known."""
    return None if price is None else price * instances * seconds / 3600


def shown_dollars(amount: float | None) -> str:
    """For people: `$1.23`, `under $0.01`, or `unknown`."""
    if amount is None:
        return "unknown"
    return "under $0.01" if 0 < amount < 0.01 else f"${amount:,.2f}"
