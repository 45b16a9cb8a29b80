"""One training job from dataset to model, as a sequence of steps."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from bintrain.data.classes import Classes, choose_classes
from bintrain.data.dataset import SPLITS, Dataset, read_dataset
from bintrain.data.images import Images, fits
from bintrain.engine.checkpoint import empty_checkpoint
from bintrain.engine.distributed import Processes, joined
from bintrain.engine.network import BinCounter, build_network
from bintrain.engine.resources import freeze_garbage_collector, keep_freed_memory
from bintrain.engine.trainer import Progress, Trainer
from bintrain.evaluation.evaluation import Evaluated, Evaluation, evaluate
from bintrain.export.artifacts import write_metrics, write_predictions, write_weights
from bintrain.export.model_json import describe_model, write_json
from bintrain.export.openvino_model import exported_logits
from bintrain.export.precision import Export, export_model
from bintrain.export.trial import check_export, is_known
from bintrain.flags import Call
from bintrain.log import log_metric, mute, say
from bintrain.reports.chart_files import write_charts, write_mistakes
from bintrain.reports.html import write_report
from bintrain.reports.model_card import write_model_card

PUBLISHED = ("accuracy", "rmse", "mae", "within_one", "majority_accuracy")


def run_job(call: Call, *, env: Mapping[str, str]) -> None:
    """Train, export, evaluate what was exported, and write it all to the call's folders.

    Raises TrainingError for whatever the caller can correct.
    """
    keep_freed_memory()
    with joined(env) as processes:
        if not processes.is_first:
            mute()
        _run(call, processes=processes, env=env)


def _run(call: Call, *, processes: Processes, env: Mapping[str, str]) -> None:
    _make_repeatable(call.settings.seed)
    dataset = read_dataset(call.places.dataset)
    classes = choose_classes(
        (image.count for image in dataset.split("train")), max_count=call.settings.max_count
    )
    freeze_garbage_collector()
    images = _load_images(call, dataset=dataset, classes=classes, processes=processes)
    network = build_network(settings=call.settings, classes=len(classes.counts), weights=call.places.weights)
    if processes.is_first and not is_known(call.settings.arch):
        check_export(network, settings=call.settings)
    progress = _train(
        call, network=network, classes=classes, images=images, dataset=dataset, processes=processes
    )
    if not processes.is_first:
        return
    export = export_model(
        network, images=images, classes=classes, settings=call.settings, folder=call.places.model
    )
    logits = {"validation": export.validation, "test": exported_logits(export.path, images["test"])}
    evaluated = {
        name: Evaluated(logits=logits[name], true=np.asarray(images[name].labels))
        for name in ("validation", "test")
    }
    evaluation = evaluate(
        **evaluated, train=np.asarray(images["train"].labels), classes=classes, settings=call.settings
    )
    _write(
        call, network=network, dataset=dataset, classes=classes, images=images, export=export,
        evaluation=evaluation, progress=progress, env=env,
    )  # fmt: skip
    _publish(evaluation)
    if call.places.checkpoints:
        empty_checkpoint(call.places.checkpoints)


def _make_repeatable(seed: int) -> None:
    # cuBLAS is deterministic only with a fixed workspace (PyTorch's notes on reproducibility).
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # It would fill all new memory with NaN, to find faults; that takes time in every step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType]


def _load_images(
    call: Call, *, dataset: Dataset, classes: Classes, processes: Processes
) -> dict[str, Images]:
    size = call.settings.image_size
    keep = fits(len(dataset.images), size=size, cache_mib=call.machine.cache_mib)
    counts = {name: len(dataset.split(name)) for name in SPLITS}
    say(f"dataset {dataset.id}: {counts}, in memory: {keep}")
    if weighted := [image.weight for image in dataset.split("train") if image.weight != 1]:
        say(
            f"{len(weighted)} training images were counted by people and weigh {max(weighted):g} times others"
        )
    say(f"classes {list(classes.counts)}, open top: {classes.open_top}")
    needed = SPLITS if processes.is_first else ("train", "validation")
    images = {
        name: Images(
            dataset.split(name), classes=classes, size=size, keep=keep,
            quick=call.settings.quick_decode and name == "train",
        )
        for name in needed
    }  # fmt: skip
    say("images are ready")
    return images


def _train(
    call: Call, *, network: BinCounter, classes: Classes, images: dict[str, Images], dataset: Dataset,
    processes: Processes,
) -> Progress:  # fmt: skip
    identity = call.settings.model_dump() | {
        "dataset_id": dataset.id, "classes": list(classes.counts), "processes": processes.size
    }  # fmt: skip
    return Trainer(
        network=network,
        classes=classes,
        settings=call.settings,
        machine=call.machine,
        processes=processes,
        train=images["train"],
        validation=images["validation"],
        checkpoints=call.places.checkpoints,
        identity=identity,
    ).run()


def _write(
    call: Call, *, network: BinCounter, dataset: Dataset, classes: Classes, images: dict[str, Images],
    export: Export, evaluation: Evaluation, progress: Progress, env: Mapping[str, str],
) -> None:  # fmt: skip
    model = describe_model(
        network=network, settings=call.settings, classes=classes, evaluation=evaluation, export=export,
        dataset_id=dataset.id, env=env,
    )  # fmt: skip
    output = call.places.output
    write_weights(network, folder=output)
    write_predictions(evaluation, dataset.split("test"), classes=classes, folder=output)
    write_metrics(
        evaluation, model=model, settings=call.settings.model_dump(), history=progress.history, folder=output
    )
    write_model_card(
        evaluation, model=model, images={name: len(dataset.split(name)) for name in SPLITS}, folder=output
    )
    _show(
        call, dataset=dataset, classes=classes, pixels=images["test"], evaluation=evaluation,
        progress=progress, model=model,
    )  # fmt: skip
    # Last, so that a model folder with a model.json is a whole one.
    write_json(model, path=call.places.model / "model.json")


def _show(
    call: Call, *, dataset: Dataset, classes: Classes, pixels: Images, evaluation: Evaluation,
    progress: Progress, model: dict[str, Any],
) -> None:  # fmt: skip
    settings, output = call.settings, call.places.output
    write_charts(
        evaluation,
        classes=classes,
        progress=progress,
        target_accuracy=settings.target_accuracy,
        folder=output,
    )
    write_mistakes(evaluation, pixels, dataset.split("test"), classes=classes, folder=output)
    write_report(
        evaluation, model=model, settings=settings.model_dump(),
        counts={name: Counter(image.count for image in dataset.split(name)) for name in SPLITS},
        epochs=(progress.best_epoch, progress.epoch), folder=output,
    )  # fmt: skip


def _publish(evaluation: Evaluation) -> None:
    for split, figures in (("validation", evaluation.validation), ("test", evaluation.test)):
        for name in PUBLISHED:
            if name in figures:
                log_metric(f"{split}:{name}", figures[name])
