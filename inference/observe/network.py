"""The network with a second output: the pooled features that its last layer sees."""

import math
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from bincount_core.model_json import Description
from inference.model.engine import idle_requests, read_network
from inference.model.graph import backwards, is_constant, unrounded
from inference.model.resources import available_cpus

MOST_DIMENSIONS = 4096
_LAYERS = ("MatMul", "Convolution")


class ObservedNetwork:
    """A model directory's network; the file is not changed, so that models of before drift have features too.

    `dimensions` is the number of features, 0 where no pooled ones were found.
    """

    def __init__(self, *, folder: Path, description: Description, cpus: int | None = None) -> None:
        """Raises ModelFault where the network cannot be read or does not have the contract's form."""
        core = ov.Core()
        network = read_network(core, folder=folder, description=description)
        features = pooled_features(network)
        self.dimensions = 0
        self._place = len(network.outputs)
        if features is not None:
            network.add_outputs(features)  # the last one, whatever others the model has
            self.dimensions = math.prod(list(features.get_shape()))
        self.workers = cpus or available_cpus()
        """Threads that keep all CPUs busy."""
        self._idle = idle_requests(core, network, cpus=self.workers, streams=self.workers, ahead=1)
        blank = np.zeros((description.height, description.width, 3), dtype=np.uint8)
        for _ in range(self.workers):  # one after the other, see Engine
            self.infer(blank)

    def infer(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits `[classes]` and features `[dimensions]` of one image (uint8 `[height, width, 3]`, RGB)."""
        request = self._idle.get()
        try:
            request.get_input_tensor(0).data[0] = pixels
            request.start_async()
            request.wait()
            logits = request.get_output_tensor(0).data[0].copy()
            if not self.dimensions:
                return logits, np.empty(0, dtype=np.float32)
            return logits, np.asarray(request.get_output_tensor(self._place).data, dtype=np.float32).reshape(
                -1
            ).copy()
        finally:
            self._idle.put(request)


def pooled_features(network: ov.Model) -> ov.Output | None:
    """What the last layer with weights reads: the pooled features, before INT8's rounding of them.

    Found from the output backwards, whatever the head makes of the layer's numbers. None where there is no
    such layer, or what it reads is no vector of a fixed length (a head over a map of features).
    """
    for node in backwards(network.output(0).get_node()):
        if node.get_type_name() not in _LAYERS or not is_constant(node.input_value(1)):
            continue
        source = unrounded(node.input_value(0))
        shape = source.get_partial_shape()
        if not shape.is_static or not 2 <= math.prod(list(source.get_shape())) <= MOST_DIMENSIONS:
            return None
        return source
    return None
