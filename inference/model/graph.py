"""What the looks at an OpenVINO graph share: where a number comes from, past what leaves it as it is."""

from collections.abc import Iterator

import openvino as ov

# They change the form of what was computed, or its grain (INT8), and not what it says.
_PASSED = ("FakeQuantize", "Reshape", "Squeeze", "Convert")


def unrounded(output: ov.Output) -> ov.Output:
    """The output that `output` is, before INT8's rounding and changes of its form."""
    while output.get_node().get_type_name() in _PASSED:
        output = output.get_node().input_value(0)
    return output


def is_constant(output: ov.Output) -> bool:
    """Whether no parameter is behind it: weights may be stored as INT8 or FP16 with what makes them FP32."""
    return all(node.get_type_name() != "Parameter" for node in backwards(output.get_node()))


def backwards(start: ov.Node) -> Iterator[ov.Node]:
    """`start` and what it is made of, the nearest first; each node once."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        node = waiting.pop(0)
        if node.get_name() in seen:
            continue
        seen.add(node.get_name())
        yield node
        waiting += [source.get_node() for source in node.input_values()]
