"""Where the job reads and writes: SageMaker's environment, or flags by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PLACES: dict[str, tuple[str, str]] = {
    "dataset": ("SM_CHANNEL_DATASET", "folder of a sealed dataset"),
    "weights": ("SM_CHANNEL_WEIGHTS", "folder with <arch>.pth, a state dict (optional)"),
    "model_dir": ("SM_MODEL_DIR", "folder for model.xml, model.bin and model.json"),
    "output_dir": ("SM_OUTPUT_DATA_DIR", "folder for weights.pt, evaluation/ and MODEL_CARD.md"),
    "checkpoint_dir": ("SM_CHECKPOINT_DIR", "folder for checkpoints (optional)"),
}
"""Flag (as a field) -> the variable that replaces it, and help."""

REQUIRED = ("dataset", "model_dir", "output_dir")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Folders of one job. `checkpoints` is the job's own folder below the shared one, or None for none."""

    dataset: Path
    weights: Path | None
    model: Path
    output: Path
    checkpoints: Path | None


def find_places(
    *, flags: Mapping[str, str | None], env: Mapping[str, str]
) -> tuple[Places | None, list[str]]:
    """The job's folders and, for those that are missing, what is wrong; Places is None when anything is."""
    found = {name: flags.get(name) or env.get(variable) or None for name, (variable, _) in PLACES.items()}
    faults = [
        f"--{name.replace('_', '-')}: missing; give the flag or set {PLACES[name][0]} ({PLACES[name][1]})"
        for name in REQUIRED
        if found[name] is None
    ]
    for name in ("dataset", "weights"):
        value = found[name]
        if value is not None and not Path(value).is_dir():
            faults.append(f"--{name}: {value} is not a folder; give {PLACES[name][1]}")
    if faults:
        return None, faults
    return (
        Places(
            dataset=Path(str(found["dataset"])),
            weights=Path(found["weights"]) if found["weights"] else None,
            model=Path(str(found["model_dir"])),
            output=Path(str(found["output_dir"])),
            checkpoints=_checkpoints(found["checkpoint_dir"], env=env),
        ),
        [],
    )


def job_name(env: Mapping[str, str]) -> str:
    """SageMaker's name of this training job, or `by-hand`."""
    return env.get("TRAINING_JOB_NAME") or "by-hand"


def _checkpoints(chosen: str | None, *, env: Mapping[str, str]) -> Path | None:
    # The toolkit names no checkpoint folder; the platform mounts one at this path when the job asks for it.
    mounted = Path(env.get("SAGEMAKER_BASE_DIR", "/opt/ml"), "checkpoints")
    if chosen is None and not mounted.is_dir():
        return None
    # All trials of a tuning job share one checkpoint prefix, so each writes under its own name.
    return Path(chosen or mounted, job_name(env))
