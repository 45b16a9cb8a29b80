from typing import Any

from boto3.session import Session as Session
from botocore.config import Config

def client(service_name: str, region_name: str | None = None, *, config: Config | None = None) -> Any: ...
