"""Where the network looked: one further output of its graph, exact for average pooling before a linear layer.

Class activation mapping (Zhou et al. 2016, arXiv 1512.04150): where the logits are W mean(F) + b, F being the
last feature map [C, h, w], the map W F [classes, h, w] has each logit, less its b, as its mean. It needs no
gradient and no second pass.
"""

from typing import Any, cast

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from inference.model.graph import is_constant, unrounded

MOST_SIDE = 32
"""Rows and columns of a map; a network for 1024 x 1024 pixels has that many."""
OUTPUT = "map"
_REASON = "this model's network has no exact map: its logits are no linear function of averaged features"


class NoExactMap(Exception):
    """The network is not average pooling before one linear layer; the text says so to callers."""


def add_map(network: ov.Model) -> None:
    """Add the output `map`, float32 [1, classes, h, w], to a network that takes one image a call.

    The mean of `map[0, k]` is logit k less its bias, in FP32 up to the order of additions, in INT8 up to the
    rounding of the pooled features. Raises NoExactMap, and leaves the network as it is, where there is none.
    """
    linear = _linear_layer(network)
    features, weights = _pooled(linear.input_value(0)), linear.input_value(1)
    classes = list(network.output(0).shape)[-1]
    _, channels, height, width = features.shape
    if list(weights.shape) != [classes, channels] or not linear.get_attributes()["transpose_b"]:
        raise NoExactMap(_REASON)
    if max(height, width) > MOST_SIDE:
        raise NoExactMap(
            f"this model's map has {height} x {width} places, an answer takes {MOST_SIDE} a side"
        )
    # A convolution of 1 x 1 is that product, and stays in INT8 where the network is: 0.03 ms instead of 0.09.
    kernel = _reshaped(weights, classes, channels, 1, 1)
    found = cast(Any, ops).convolution(features, kernel, [1, 1], [0, 0], [0, 0], [1, 1]).output(0)
    found.set_names({OUTPUT})
    network.add_outputs([found])


def _linear_layer(network: ov.Model) -> Any:
    """The MatMul that makes the logits, a bias added or not."""
    node = _source(network.output(0).get_node())
    if node.get_type_name() == "Add" and is_constant(node.input_value(1)):
        node = _source(node)
    if node.get_type_name() != "MatMul" or not is_constant(node.input_value(1)):
        raise NoExactMap(_REASON)
    return node


def _pooled(output: Any) -> Any:
    """The feature map [1, C, h, w] whose mean over rows and columns `output` is, [1, C]."""
    node, shape = unrounded(output).get_node(), list(output.shape)
    if node.get_type_name() != "ReduceMean" or not is_constant(node.input_value(1)):
        raise NoExactMap(_REASON)
    features = node.input_value(0)
    axes = {int(axis) % 4 for axis in np.ravel(node.input_value(1).get_node().get_data())}
    if len(features.shape) != 4 or axes != {2, 3} or shape != [1, features.shape[1]]:
        raise NoExactMap(_REASON)
    return features


def _source(node: Any) -> Any:
    return node.input_value(0).get_node()


def _reshaped(output: Any, *shape: int) -> Any:
    return cast(Any, ops).reshape(output, np.array(shape), special_zero=False).output(0)
