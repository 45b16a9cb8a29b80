from collections.abc import Mapping, MutableMapping

class AWSRequest:
    headers: MutableMapping[str, str]
    def __init__(
        self,
        method: str | None = None,
        url: str | None = None,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> None: ...
