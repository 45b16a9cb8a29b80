"""The network on this machine's CPUs: OpenVINO behind one thread-safe call."""

import queue
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from bincount_core.model_json import Description, ModelFault
from inference.model.activation_map import NoExactMap, add_map

# A second compiled copy costs about 2 bytes of memory for each byte of the weights file. On 2 CPUs it pays
# where that is little (see Engine); larger machines have the memory.
_SMALL_WEIGHTS_BYTES = 32 * 1024 * 1024

# FP32 arithmetic for what is not quantised, on every machine: by default OpenVINO computes in bfloat16 or
# FP16 where the CPU can, and one model would answer differently from one instance type to the next.
_COMMON: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32"}

# While one request computes, the next one waits at the stream: a CPU that had to ask for it would idle. With
# as many threads that decode, 0.83 of the bare engine's rate instead of 0.73 (8 callers, 2 CPUs with AMX).
# A single CPU has nobody to wait for.
_REQUESTS_PER_STREAM = 2

_Idle: TypeAlias = "queue.SimpleQueue[ov.InferRequest]"


class Engine:
    """A compiled network that many threads may call at once.

    An image that is alone gets all CPUs; images that come together get one CPU each. Measured when that was
    chosen, on 2 CPUs (AVX2, ResNet50 at 224x224 in INT8; median of one caller, throughput of eight):

    | design | 1 caller | 8 callers | resident |
    |---|---|---|---|
    | one stream over all CPUs | 43 ms | 22.5/s | 158 MB |
    | a stream for each CPU | 84 ms | 24.1/s | 159 MB |
    | both, chosen by load (this one) | 43 ms | 23.6/s | 209 MB |

    The 209 MB are of a later run than the rest (benchmarks/README.md), as proportional set size.
    """

    def __init__(self, *, folder: Path, description: Description, cpus: int) -> None:
        """Read and compile `model.xml` for `cpus` CPUs.

        Raises ModelFault where the network cannot be read or does not have the contract's input and output.
        """
        core = ov.Core()
        network = read_network(core, folder=folder, description=description)
        self.no_map = _map_fault(network)
        """Why this network has no activation map; None where it has one."""
        small = (folder / "model.bin").stat().st_size <= _SMALL_WEIGHTS_BYTES
        ahead = _REQUESTS_PER_STREAM if cpus > 1 else 1
        self.workers = cpus * ahead
        """Threads that keep all CPUs busy."""
        self._images = 0
        self._lock = threading.Lock()
        self._alone = idle_requests(core, network, cpus=cpus, streams=1, ahead=ahead)
        split = cpus > 2 or (cpus == 2 and small)
        self._together = (
            idle_requests(core, network, cpus=cpus, streams=cpus, ahead=ahead) if split else self._alone
        )
        self._run_once(np.zeros((description.height, description.width, 3), dtype=np.uint8))

    @contextmanager
    def image(self) -> Generator[None]:
        """Around all the work on one image, its decoding too: an image is alone while no other is worked on.

        Where only the time in the network counted, images decoded in turns would each seem alone, and each
        would get all CPUs: 0.58 instead of 0.73 of the bare engine's rate (8 callers, 2 CPUs with AMX).
        """
        with self._lock:
            self._images += 1
        try:
            yield
        finally:
            with self._lock:
                self._images -= 1

    def infer(
        self, pixels: NDArray[np.uint8], *, explain: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Logits (float32 `[classes]`) of one image (uint8 `[height, width, 3]`, RGB), and its map.

        The activation map, float32 `[classes, h, w]` (see `add_map`), is None unless asked for by `explain`,
        and where the network has none.
        """
        idle = self._alone if self._images < 2 else self._together
        return _infer(idle, pixels, explain=explain and self.no_map is None)

    def _run_once(self, pixels: NDArray[np.uint8]) -> None:
        """Let every request compute once, one after the other.

        Two threads whose first calls into OpenVINO's binding meet can block without end (2026.4.1, seen here:
        one holds the GIL and waits for a C++ static that the other initialises, which waits for the GIL).
        """
        for idle in {id(pool): pool for pool in (self._alone, self._together)}.values():
            for _ in range(idle.qsize()):
                _infer(idle, pixels, explain=False)


def idle_requests(core: ov.Core, network: ov.Model, *, cpus: int, streams: int, ahead: int) -> _Idle:
    """The network compiled for `streams` images at a time on `cpus` CPUs: `ahead` idle requests a stream."""
    options = {**_COMMON, "INFERENCE_NUM_THREADS": cpus, "NUM_STREAMS": streams}
    compiled = core.compile_model(network, "CPU", options)
    idle: _Idle = queue.SimpleQueue()
    for _ in range(streams * ahead):
        idle.put(compiled.create_infer_request())
    return idle


def _infer(
    idle: _Idle, pixels: NDArray[np.uint8], *, explain: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    request = idle.get()
    try:
        # infer() would also make Python objects of inputs and outputs: 0.15 ms a call.
        request.get_input_tensor(0).data[0] = pixels
        request.start_async()
        request.wait()
        logits = request.get_output_tensor(0).data[0].copy()
        return logits, request.get_output_tensor(1).data[0].copy() if explain else None
    finally:
        idle.put(request)


def _map_fault(network: ov.Model) -> str | None:
    """Adds the map where the network has one, else says why not."""
    try:
        add_map(network)
    except NoExactMap as fault:
        return str(fault)
    return None


def read_network(core: ov.Core, *, folder: Path, description: Description) -> ov.Model:
    """The IR with one image per call; ModelFault where it does not have the contract's input and output."""
    path = folder / "model.xml"
    if not path.is_file() or not path.with_suffix(".bin").is_file():
        raise ModelFault(f"{path} or its .bin is missing: expected an OpenVINO IR beside model.json")
    try:
        network: ov.Model = cast("Any", core).read_model(path)  # openvino annotates it in part
    except RuntimeError as error:
        size = path.with_suffix(".bin").stat().st_size
        raise ModelFault(
            f"{path}: OpenVINO cannot read it with its .bin of {size} bytes ({_reason(error)}): "
            "copy both again"
        ) from error
    source, result = network.input(0), network.output(0)
    image_shape = ov.PartialShape([1, description.height, description.width, 3])
    if source.element_type != ov.Type.u8 or not source.partial_shape.compatible(image_shape):
        raise ModelFault(_mismatch(path, "input", f"uint8 {image_shape}", source))
    network.reshape(image_shape)
    logits_shape = ov.PartialShape([1, len(description.counts)])
    if result.element_type != ov.Type.f32 or result.partial_shape != logits_shape:
        raise ModelFault(_mismatch(path, "output", f"float32 {logits_shape}", result))
    return network


def _mismatch(path: Path, what: str, expected: str, came: ov.Output) -> str:
    kind = came.element_type.to_string()
    return f"{path}: expected an {what} of {expected} by model.json, got {kind} {came.partial_shape}"


def _reason(error: RuntimeError) -> str:
    """The last line of OpenVINO's text that says something: those before name its own source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
