from typing import Literal, TypedDict

class _Retries(TypedDict, total=False):
    mode: Literal["legacy", "standard", "adaptive"]
    max_attempts: int
    total_max_attempts: int

class Config:
    def __init__(
        self,
        *,
        signature_version: object = None,
        connect_timeout: float = 60,
        read_timeout: float = 60,
        max_pool_connections: int = 10,
        proxies: dict[str, str] | None = None,
        retries: _Retries | None = None,
    ) -> None: ...
    def merge(self, other_config: Config) -> Config: ...
