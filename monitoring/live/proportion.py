"""Exact intervals of a share: Clopper and Pearson (1934), without scipy.

The bounds are quantiles of beta distributions. The distribution's function is the continued fraction of DLMF
8.17.22, evaluated by Lentz's method as modified by Thompson and Barnett (1986); the quantile is bisected,
which cannot diverge.
"""

import math

LEVEL = 0.95
_TINY = 1e-300
_EPSILON = 1e-15
_MOST_STEPS = 100_000
_HALVINGS = 100


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a and b above 0."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges quickly below the mean
        return 1.0 - beta_cdf(1.0 - x, b, a)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return min(1.0, math.exp(scale) * _fraction(x, a, b) / a)


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for step in (even, odd):
            d = 1.0 / _not_zero(1.0 + step * d)
            c = _not_zero(1.0 + step / c)
            change = c * d
            value *= change
        if abs(change - 1.0) < _EPSILON:
            return value
    raise ArithmeticError(f"the beta function of x={x}, a={a}, b={b} did not converge")


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x at which I_x(a, b) is `probability`."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if beta_cdf(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def clopper_pearson(hits: int, of: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Bounds that hold the true share with at least `level` probability, whatever it is; (0, 1) of none."""
    if not 0 <= hits <= of:
        raise ValueError(f"expected 0 <= hits <= of, got {hits} of {of}")
    tail = (1.0 - level) / 2
    low = beta_quantile(tail, hits, of - hits + 1) if hits else 0.0
    high = beta_quantile(1.0 - tail, hits + 1, of - hits) if hits < of else 1.0
    return low, high
