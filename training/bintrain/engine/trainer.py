"""The training loop: epochs from a fresh start or a checkpoint to the best weights."""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from bintrain.data.classes import Classes
from bintrain.data.images import Images
from bintrain.data.labels import log_priors, soft_labels
from bintrain.data.sampling import step_seed
from bintrain.engine.amp import amp_dtype, autocast
from bintrain.engine.checkpoint import load_checkpoint, save_checkpoint
from bintrain.engine.distributed import Processes
from bintrain.engine.feeds import Fed, Source, choose_feed
from bintrain.engine.heads import build_loss
from bintrain.engine.network import BinCounter, set_training
from bintrain.engine.optimizer import build_ema, build_optimiser, build_schedule
from bintrain.errors import TrainingError
from bintrain.evaluation.calibration import calibrated_answers
from bintrain.evaluation.metrics import count_metrics
from bintrain.log import log_metric, say
from bintrain.settings import Machine, Settings


@dataclass(kw_only=True)
class Progress:
    """What is known after some epochs; the best has the lowest RMSE on `validation` (ties: the lower loss).

    `step` steps of the epoch behind `epoch` are done; `loss_sum` is over them, `seconds` their time.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_score: tuple[float, float] = (float("inf"), float("inf"))
    best_weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    history: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0


class Trainer:
    """Trains `network` in place; afterwards it holds the weights of the best epoch.

    Everything random in step k of epoch n follows from (seed, n, k), so a run that was killed and resumed
    from its last checkpoint ends where an unbroken one does. With several processes each takes its share of
    every batch; the first one alone writes.
    """

    def __init__(
        self,
        *,
        network: BinCounter,
        classes: Classes,
        settings: Settings,
        machine: Machine,
        processes: Processes,
        train: Images,
        validation: Images,
        checkpoints: Path | None,
        identity: dict[str, Any],
    ) -> None:
        self._settings = settings
        self._machine = machine
        self._classes = classes
        self._processes = processes
        self._device = processes.device
        self._validation = validation
        self._checkpoints = checkpoints
        self._identity = identity
        self._batch = _batch_size(settings, images=len(train), processes=processes.size)
        self._steps = len(train) // self._batch
        source = Source(
            train=train, validation=validation, batch=self._batch, settings=settings, machine=machine,
            processes=processes,
        )  # fmt: skip
        network = network.to(self._device).to(memory_format=torch.channels_last)
        self._network, self._feed = choose_feed(source, network=network)
        if machine.compile:
            self._network.compile()  # pyright: ignore[reportUnknownMemberType]
        self._forward = processes.averaging(self._network)
        targets = soft_labels(classes, sigma=settings.label_sigma)
        self._loss = build_loss(settings.head, targets=targets.to(self._device))
        self._validation_loss = build_loss(settings.head, targets=targets)
        priors = log_priors(train.labels, classes=classes)
        self._adjustment = (settings.logit_adjustment * priors).to(self._device)
        self._optimiser = build_optimiser(self._network, settings=settings)
        self._schedule = build_schedule(
            self._optimiser, steps=self._steps * settings.epochs, warmup=settings.warmup
        )
        self._ema = build_ema(self._network, decay=settings.ema_decay)
        self._amp_dtype = amp_dtype(machine, device=self._device)
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=self._amp_dtype is torch.float16)
        self._progress = Progress()
        self._saved = time.monotonic()

    def run(self) -> Progress:
        """Train until the last epoch, or until `patience` epochs brought nothing better."""
        self._resume()
        while self._progress.epoch < self._settings.epochs and not self._out_of_patience():
            epoch = self._progress.epoch + 1
            figures = self.train_epoch(epoch) | self._validate()
            for name, value in figures.items():
                log_metric(name, value, epoch=epoch)
            self._record_epoch(epoch, figures)
            if self._machine.checkpoint_minutes == 0 or self._is_due():
                self._save()
        self._network.load_state_dict(self._progress.best_weights)
        say(f"best epoch {self._progress.best_epoch} of {self._progress.epoch}")
        return self._progress

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Take the steps of one epoch that are not done yet (`run` does); returns its loss and speed."""
        set_training(self._network, frozen=self._settings.freeze_backbone)
        progress, started = self._progress, time.perf_counter()
        loss = torch.tensor(progress.loss_sum, dtype=torch.float64, device=self._device)
        for step, batch in enumerate(self._shown(epoch), start=progress.step):
            seed = step_seed(seed=self._settings.seed, epoch=epoch, step=step)
            loss += self._step(batch, seed=seed)
            progress.step = step + 1
            if self._is_due() and progress.step < self._steps:
                now = time.perf_counter()
                progress.loss_sum, progress.seconds = float(loss), progress.seconds + now - started
                started = now
                self._save()
        seconds = progress.seconds + time.perf_counter() - started
        progress.step, progress.loss_sum, progress.seconds = 0, 0.0, 0.0
        return {
            "train:loss": float(loss) / self._steps,
            "train:images_per_second": self._steps * self._batch / seconds,
        }

    def _shown(self, epoch: int) -> Iterator[Fed]:
        first = self._progress.step
        yield from tqdm(
            self._feed.training(epoch=epoch, first=first), desc=f"epoch {epoch}", leave=False,
            initial=first, total=self._steps,
            disable=not (self._processes.is_first and sys.stderr.isatty()),
        )  # fmt: skip

    def _step(self, batch: Fed, *, seed: int) -> Tensor:
        # For dropout.
        torch.manual_seed(seed + self._processes.rank)  # pyright: ignore[reportUnknownMemberType]
        with autocast(self._machine, device=self._device):
            logits = self._forward(batch.inputs)
        loss = self._loss(logits.float() + self._adjustment, batch.labels, batch.weights)
        self._optimiser.zero_grad()
        self._scaler.scale(loss).backward()  # pyright: ignore[reportUnknownMemberType]
        self._scaler.unscale_(self._optimiser)
        nn.utils.clip_grad_norm_(self._network.parameters(), self._settings.clip)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self._schedule.step()
        if self._settings.ema_decay:
            self._ema.update_parameters(self._network)
        return self._processes.mean(loss.detach())

    def _validate(self) -> dict[str, float]:
        logits, true = self._predict(self._evaluated_network()), torch.tensor(self._validation.labels)
        loss = self._validation_loss(logits, true)
        right = true.numpy().astype(np.int64)
        found = calibrated_answers(logits.double().numpy(), right, by=self._settings.answer)
        figures = count_metrics(found.predicted, right, classes=self._classes)
        return {"validation:loss": float(loss)} | {
            f"validation:{name}": value for name, value in figures.items()
        }

    def _predict(self, network: nn.Module) -> Tensor:
        network.eval()
        with torch.inference_mode():
            own = [(indices, network(inputs).float().cpu()) for indices, inputs in self._feed.validation()]
        # Each image by its place, once: the figures are those of one process.
        logits = torch.empty(len(self._validation), len(self._classes.counts))
        for indices, found in (pair for pairs in self._processes.gather(own) for pair in pairs):
            logits[indices] = found
        return logits

    def _evaluated_network(self) -> nn.Module:
        return self._ema.module if self._settings.ema_decay else self._network

    def _record_epoch(self, epoch: int, figures: dict[str, float]) -> None:
        progress = self._progress
        progress.epoch = epoch
        progress.history.append({"epoch": epoch, **figures})
        score = (figures["validation:rmse"], figures["validation:loss"])
        if score < progress.best_score:
            progress.best_score, progress.best_epoch = score, epoch
            progress.best_weights = self._copied_weights()

    def _copied_weights(self) -> dict[str, Tensor]:
        return copy.deepcopy(self._evaluated_network().state_dict())

    def _is_at_best(self) -> bool:
        """Whether the weights are those of the best epoch: it is the last one, no step came after."""
        return 0 < self._progress.epoch == self._progress.best_epoch and self._progress.step == 0

    def _out_of_patience(self) -> bool:
        waited = self._progress.epoch - self._progress.best_epoch
        return 0 < self._settings.patience <= waited

    def _is_due(self) -> bool:
        every = self._machine.checkpoint_minutes * 60
        return 0 < every <= time.monotonic() - self._saved

    def _save(self) -> None:
        self._saved = time.monotonic()
        if self._checkpoints and self._processes.is_first:
            state = {name: part.state_dict() for name, part in self._parts().items()}
            state["progress"] = vars(self._progress)
            if self._is_at_best():
                # The same weights are in the network or its average: once is enough.
                state["progress"] = state["progress"] | {"best_weights": {}}
            save_checkpoint(self._checkpoints, identity=self._identity, state=state)

    def _resume(self) -> None:
        # Only the first machine of a job is sure to have the newest checkpoint.
        mine = self._checkpoints if self._processes.is_first else None
        state = load_checkpoint(mine, identity=self._identity) if mine else None
        state = self._processes.from_first(state)
        if state:
            for name, part in self._parts().items():
                part.load_state_dict(state[name])
            self._progress = Progress(**state["progress"])
            if self._is_at_best():
                self._progress.best_weights = self._copied_weights()
            say(f"resumed after epoch {self._progress.epoch}, step {self._progress.step}")

    def _parts(self) -> dict[str, Any]:
        average = {"ema": self._ema} if self._settings.ema_decay else {}
        return {
            **average,
            "network": self._network,
            "optimiser": self._optimiser,
            "schedule": self._schedule,
            "scaler": self._scaler,
        }


def _batch_size(settings: Settings, *, images: int, processes: int) -> int:
    if settings.batch_size % processes:
        raise TrainingError(
            f"--batch-size {settings.batch_size} is shared by {processes} processes and must be a multiple "
            "of that (it is the number of images in a step of all of them together)"
        )
    size = min(settings.batch_size, images // processes * processes)
    if size < processes:
        raise TrainingError(
            f"{images} training images cannot be shared by {processes} processes; use fewer of them"
        )
    return size
