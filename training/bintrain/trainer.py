"""The training loop: epochs from a fresh start or a checkpoint to the best weights."""

from __future__ import annotations

import copy
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from bintrain.augment import augment
from bintrain.checkpoint import load_checkpoint, save_checkpoint
from bintrain.classes import Classes
from bintrain.images import Images
from bintrain.labels import soft_labels
from bintrain.log import log_metric, say
from bintrain.metrics import count_metrics
from bintrain.network import BinCounter, set_training
from bintrain.optimiser import build_average, build_optimiser, build_schedule
from bintrain.settings import Settings


@dataclass(kw_only=True)
class Progress:
    """What is known after some epochs; the best has the lowest RMSE on `select` (ties: the lower loss)."""

    epoch: int = 0
    best_epoch: int = 0
    best_score: tuple[float, float] = (float("inf"), float("inf"))
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)


class Trainer:
    """Trains `network` in place; afterwards it holds the weights of the best epoch.

    Everything random in epoch n follows from (seed, n), so a run that was killed and resumed from its last
    checkpoint ends where an unbroken one does.
    """

    def __init__(
        self,
        *,
        network: BinCounter,
        classes: Classes,
        settings: Settings,
        train: Images,
        select: Images,
        workers: int,
        checkpoints: Path | None,
        identity: dict[str, Any],
    ) -> None:
        self._settings = settings
        self._classes = classes
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.to(self._device).to(memory_format=torch.channels_last)
        self._train = train
        self._select = select
        self._workers = workers
        self._checkpoints = checkpoints
        self._identity = identity
        self._targets = soft_labels(classes, sigma=settings.label_sigma).to(self._device)
        self._steps = max(1, len(train) // settings.batch_size)
        self._optimiser = build_optimiser(network, settings=settings)
        self._schedule = build_schedule(
            self._optimiser, steps=self._steps * settings.epochs, warmup=settings.warmup
        )
        self._average = build_average(network, decay=settings.ema_decay)
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=self._device.type == "cuda")
        self._progress = Progress()

    def run(self) -> Progress:
        """Train until the last epoch, or until `patience` epochs brought nothing better."""
        self._resume()
        while self._progress.epoch < self._settings.epochs and not self._out_of_patience():
            epoch = self._progress.epoch + 1
            figures = self._train_epoch(epoch) | self._judge()
            for name, value in figures.items():
                log_metric(name, value, epoch=epoch)
            self._keep(epoch, figures)
            self._save()
        self._network.load_state_dict(self._progress.best_weights)
        say(f"best epoch {self._progress.best_epoch} of {self._progress.epoch}")
        return self._progress

    def _train_epoch(self, epoch: int) -> dict[str, float]:
        set_training(self._network, frozen=self._settings.freeze_backbone)
        torch.manual_seed(self._epoch_seed(epoch))
        randomness = Generator().manual_seed(self._epoch_seed(epoch))
        loss, images, started = torch.zeros((), device=self._device), 0, time.perf_counter()
        quiet = not sys.stderr.isatty()
        shown = tqdm(self._shuffled(epoch), desc=f"epoch {epoch}", leave=False, disable=quiet)
        for pixels, labels in shown:
            loss += self._step(pixels, labels, randomness=randomness) * len(pixels)
            images += len(pixels)
        return {
            "train:loss": float(loss) / images,
            "train:images_per_second": images / (time.perf_counter() - started),
        }

    def _step(self, pixels: Tensor, labels: Tensor, *, randomness: Generator) -> Tensor:
        images = augment(self._to_floats(pixels), generator=randomness)
        with torch.autocast(self._device.type, enabled=self._device.type == "cuda"):
            logits = self._network(images.contiguous(memory_format=torch.channels_last))
        loss = functional.cross_entropy(logits.float(), self._targets[labels.to(self._device)])
        self._optimiser.zero_grad()
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimiser)
        nn.utils.clip_grad_norm_(self._network.parameters(), self._settings.clip)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self._schedule.step()
        self._average.update_parameters(self._network)
        return loss.detach()

    def _judge(self) -> dict[str, float]:
        network = self._judged()
        logits, true = self._predict(network)
        loss = functional.cross_entropy(logits, self._targets.cpu()[true])
        figures = count_metrics(_indices(logits.argmax(1)), _indices(true), classes=self._classes)
        return {"select:loss": float(loss)} | {f"select:{name}": value for name, value in figures.items()}

    def _predict(self, network: nn.Module) -> tuple[Tensor, Tensor]:
        network.eval()
        logits, true = [], []
        loader = self._loader(self._select)
        with torch.inference_mode():
            for pixels, labels in loader:
                logits.append(network(self._to_floats(pixels)).float().cpu())
                true.append(labels)
        return torch.cat(logits), torch.cat(true)

    def _judged(self) -> nn.Module:
        return self._average.module if self._settings.ema_decay else self._network

    def _keep(self, epoch: int, figures: dict[str, float]) -> None:
        progress = self._progress
        progress.epoch = epoch
        progress.history.append({"epoch": epoch, **figures})
        score = (figures["select:rmse"], figures["select:loss"])
        if score < progress.best_score:
            progress.best_score, progress.best_epoch = score, epoch
            progress.best_weights = copy.deepcopy(self._judged().state_dict())

    def _out_of_patience(self) -> bool:
        waited = self._progress.epoch - self._progress.best_epoch
        return 0 < self._settings.patience <= waited

    def _save(self) -> None:
        if self._checkpoints:
            state = {name: part.state_dict() for name, part in self._parts().items()}
            state["progress"] = vars(self._progress)
            save_checkpoint(self._checkpoints, identity=self._identity, state=state)

    def _resume(self) -> None:
        state = load_checkpoint(self._checkpoints, identity=self._identity) if self._checkpoints else None
        if state:
            for name, part in self._parts().items():
                part.load_state_dict(state[name])
            self._progress = Progress(**state["progress"])
            say(f"resumed after epoch {self._progress.epoch}")

    def _parts(self) -> dict[str, Any]:
        return {
            "network": self._network,
            "average": self._average,
            "optimiser": self._optimiser,
            "schedule": self._schedule,
            "scaler": self._scaler,
        }

    def _epoch_seed(self, epoch: int) -> int:
        return self._settings.seed * 10_000 + epoch

    def _shuffled(self, epoch: int) -> DataLoader[Any]:
        return self._loader(self._train, order=Generator().manual_seed(self._epoch_seed(epoch)))

    def _loader(self, images: Images, *, order: Generator | None = None) -> DataLoader[Any]:
        size = min(self._settings.batch_size, len(images))
        # Images that do not fill the last batch wait for another epoch: a batch of one has no statistics.
        return DataLoader(
            images,
            batch_size=size,
            shuffle=order is not None,
            generator=order,
            drop_last=order is not None,
            num_workers=0 if images.kept else self._workers,
            pin_memory=self._device.type == "cuda",
        )

    def _to_floats(self, pixels: Tensor) -> Tensor:
        return pixels.to(self._device, non_blocking=True).permute(0, 3, 1, 2).float() / 255


def _indices(values: Tensor) -> NDArray[np.int64]:
    return values.numpy().astype(np.int64)
