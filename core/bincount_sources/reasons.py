"""A thousand wrong rows as a few lines: each reason with its number and the first examples."""

from collections import Counter

_EXAMPLES = 3
_WIDTH = 120


class Reasons:
    """Counts rejected items by reason and keeps the first of each."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def add(self, *, name: str, reason: str, detail: str | None) -> None:
        """One rejected item; `name` may be empty."""
        self.counts[reason] += 1
        shown = self._examples.setdefault(reason, [])
        if len(shown) < _EXAMPLES:
            shown.append(_short(": ".join(part for part in (name, detail) if part)))

    def lines(self) -> list[str]:
        """`bad_count: 998 (a.jpg: row 3: the count is 'three', …; …)`, the most frequent reason first."""
        return [
            f"{reason}: {count}" + self._shown(reason, count)
            for reason, count in sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0]))
        ]

    def _shown(self, reason: str, count: int) -> str:
        examples = [example for example in self._examples[reason] if example]
        more = "; …" if examples and count > len(examples) else ""
        return f" ({'; '.join(examples)}{more})" if examples else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
