class Compute:
    volume_kms_key_id: str | None
    def __init__(
        self,
        *,
        instance_type: str = ...,
        instance_count: int = ...,
        volume_size_in_gb: int = 30,
        volume_kms_key_id: str | None = ...,
        enable_managed_spot_training: bool | None = None,
    ) -> None: ...

class InputData:
    def __init__(self, *, channel_name: str, data_source: str) -> None: ...

class Networking:
    enable_network_isolation: bool | None
    enable_inter_container_traffic_encryption: bool | None
    def __init__(
        self,
        *,
        security_group_ids: list[str] | None = None,
        subnets: list[str] | None = None,
        enable_network_isolation: bool | None = None,
        enable_inter_container_traffic_encryption: bool | None = None,
    ) -> None: ...

class RetryStrategy:
    def __init__(self, *, maximum_retry_attempts: int) -> None: ...

class SourceCode:
    def __init__(
        self,
        *,
        source_dir: str | None = None,
        requirements: str | None = None,
        entry_script: str | None = None,
        ignore_patterns: list[str] = ...,
    ) -> None: ...

class StoppingCondition:
    def __init__(self, *, max_runtime_in_seconds: int = ..., max_wait_time_in_seconds: int = ...) -> None: ...
