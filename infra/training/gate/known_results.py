"""Best known results of counting on public bins, by task."""

from dataclasses import dataclass

ALL = "public-0-to-5"
EVEN = "public-0-to-5-even"
LIST = "public-list-1-to-5"
OTHER = "other"

_ABID = "github.com/silverbottlep/abid_challenge, README (2017)"
_CS229 = "Rodriguez Bertorello, Sripada, Dendumrongsup 2018, cs229.stanford.edu/proj2018/report/65.pdf"
_COURSE = "a public course project; its address was not kept"
_HERE = "measured for this project: docs/decisions/0013-gaussian-soft-labels.md"


@dataclass(frozen=True, kw_only=True)
class Known:
    """A result: shares of right answers and of those at most one object off, RMSE in objects; None: not said.

    `images` were learnt from; `split` is how those that judge were chosen, "block" keeps neighbours together.
    """

    task: str
    model: str
    images: str
    split: str
    accuracy: float
    rmse: float | None
    within_one: float | None
    source: str


KNOWN = (
    Known(
        task=ALL, model="ResNet34, ImageNet weights", images="324,000 in all", split="random",
        accuracy=0.562, rmse=0.90, within_one=0.905, source=_CS229,
    ),
    Known(
        task=ALL, model="ResNet34, from scratch", images="those of 481,711 with 0 to 5 objects",
        split="random", accuracy=0.5567, rmse=0.930, within_one=None, source=_ABID,
    ),
    Known(
        task=ALL, model="ResNet50, ImageNet weights", images="324,000 in all", split="random",
        accuracy=0.552, rmse=0.91, within_one=None, source=_CS229,
    ),
    Known(
        task=ALL, model="VGG16, fine-tuned", images="not said", split="not said",
        accuracy=0.465, rmse=1.214, within_one=None,
        source="github.com/dandresky/inventory-classifier, as github.com/jaejun-lee/amzbinimg quotes it",
    ),
    Known(
        task=EVEN, model="ResNet34, from scratch (mean of its figures for each count)",
        images="those of 481,711 with 0 to 5 objects", split="random",
        accuracy=0.651, rmse=0.852, within_one=None, source=_ABID,
    ),
    Known(
        task=LIST, model="ResNet50 at 64 pixels, fine-tuned", images="some 8,400", split="random",
        accuracy=0.43, rmse=None, within_one=None, source=_COURSE,
    ),
    Known(
        task=LIST, model="EfficientNet-Lite0 at 128 pixels, CORN", images="5,038 of the list", split="block",
        accuracy=0.402, rmse=1.164, within_one=0.812, source=_HERE,
    ),
    Known(
        task=LIST, model="EfficientNet-Lite0 at 128 pixels, Gaussian soft labels", images="5,038 of the list",
        split="block", accuracy=0.388, rmse=1.124, within_one=0.830, source=_HERE,
    ),
    Known(
        task=LIST, model="ResNet50, backbone frozen (the seed project)", images="some 8,400", split="random",
        accuracy=0.32, rmse=None, within_one=None, source="the seed project's own figure",
    ),
    Known(
        task=LIST, model="not said", images="some 8,400", split="random",
        accuracy=0.294, rmse=1.42, within_one=None, source=_COURSE,
    ),
)  # fmt: skip
"""One row a result, the best of a task first."""
