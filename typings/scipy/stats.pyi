from typing import Literal, NamedTuple

class _Interval(NamedTuple):
    low: float
    high: float

class _BinomTest:
    def proportion_ci(
        self, confidence_level: float = 0.95, method: Literal["exact", "wilson", "wilsoncc"] = "exact"
    ) -> _Interval: ...

def binomtest(k: int, n: int, p: float = 0.5) -> _BinomTest: ...
