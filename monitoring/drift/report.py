"""One night's report: drift.json (docs/schemas/drift.schema.json)."""

from typing import Any

from monitoring.drift.compare import Family
from monitoring.drift.observation import Observations
from monitoring.drift.words import WORDS, changed

SCHEMA_VERSION = 1


def report_of(
    families: tuple[Family, ...],
    *,
    plan: dict[str, Any],
    nights: dict[str, Observations],
    reference: Observations,
    nights_per_alarm: int,
) -> dict[str, Any]:
    """`plan` is what plan_night gave; `nights` are the rows of each family."""
    rows: list[dict[str, Any]] = []
    for family in families:
        for tested in family.tested:
            found = tested.p <= family.level
            name = tested.name
            rows.append(
                {
                    "measure": name,
                    "what": WORDS[name].what,
                    "drifted": found,
                    "distance": round(tested.distance, 6),
                    "limit": round(tested.limit, 6),
                    "p": round(tested.p, 6),
                    "change": changed(name, night=nights[family.name], reference=reference),
                    "do": WORDS[name].do if found else "",
                }
            )
    tested_at_all = any(family.tested for family in families)
    return {
        "schema_version": SCHEMA_VERSION,
        "day": plan["day"],
        "model": plan["model"],
        "nights_per_alarm": nights_per_alarm,
        "tested": tested_at_all,
        "drifted": any(row["drifted"] for row in rows),
        "answers": plan["answers"],
        "families": [
            {"name": f.name, "night": f.night, "baseline": f.reference, "level": f.level, "why": f.why}
            for f in families
        ],
        "measures": sorted(rows, key=lambda row: (not row["drifted"], row["p"])),
        "summary": _summary(plan, rows, tested=tested_at_all, families=families),
    }


def untested(plan: dict[str, Any], *, nights_per_alarm: int) -> dict[str, Any]:
    """Of a night on which nothing could be compared, and why."""
    return {
        "schema_version": SCHEMA_VERSION,
        "day": plan["day"],
        "model": plan["model"],
        "nights_per_alarm": nights_per_alarm,
        "tested": False,
        "drifted": False,
        "answers": plan["answers"],
        "families": [],
        "measures": [],
        "summary": f"Nothing was compared: {plan['reason']}.",
    }


def _summary(
    plan: dict[str, Any], rows: list[dict[str, Any]], *, tested: bool, families: tuple[Family, ...]
) -> str:
    if not tested:
        return f"Nothing was compared: {'; '.join(family.why for family in families)}."
    found = [row for row in rows if row["drifted"]]
    if not found:
        return "Nothing has changed that could be seen: answers and images are like those of the test."
    first = min(found, key=lambda row: row["p"])
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"Changed: {first['change']}{more}. {first['do']}"
