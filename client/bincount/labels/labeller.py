"""Labeller: sends labels to a stage, one or very many."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bincount.counting.stream import stream
from bincount.errors import BincountError, Refused
from bincount.labels.label import Label, Labelled
from bincount.stage.signed_api import SignedApi
from bincount.stage.stage import Stage
from bincount.texts import shortened


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Either what the API stored or why it did not."""

    label: Label
    labelled: Labelled | None
    error: Refused | None


class Labeller:
    """Sends labels to the stage's HTTPS API; `api_url` is that of the stack's output where it is not given.

        Labeller(stage="dev").label("0f8b2c1e-…", 4, note="two behind the box", by="Ann")

    The caller needs the policy that the output LabellerPolicyArn names, and no other right.
    """

    def __init__(
        self,
        *,
        stage: str | Stage = "dev",
        api_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        concurrency: int = 4,
    ) -> None:
        if isinstance(stage, str):
            stage = Stage(stage, region=region, profile=profile, connections=concurrency + 2)
        self._concurrency = concurrency
        self._api = SignedApi(stage=stage, url=api_url or stage.api_url, connections=concurrency)

    def label(
        self, request_id: str, count: int, *, note: str | None = None, by: str | None = None
    ) -> Labelled:
        """Says that `count` objects were in the image of the answer `request_id`.

        It may be called again: the same label is stored once, another one replaces it. Raises Refused where
        the API takes it not, BincountError where something is wrong with it or nobody may label.
        """
        label = Label(request_id=request_id, count=count, note=note, by=by)
        faults = label.faults()
        if faults:
            raise BincountError("; ".join(faults))
        return self._send(label)

    def label_many(self, labels: Iterable[Label]) -> Iterator[Sent]:
        """What became of each, in the order of completion. BincountError ends the stream."""
        return stream(self._sent, labels, workers=self._concurrency)

    def _sent(self, label: Label) -> Sent:
        try:
            return Sent(label=label, labelled=self._send(label), error=None)
        except Refused as error:
            return Sent(label=label, labelled=None, error=error)

    def _send(self, label: Label) -> Labelled:
        body = json.dumps(label.to_json()).encode()
        document = self._api.post("/labels", body, content_type="application/json")
        try:
            return Labelled.from_json(document)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            came = shortened(str(document), 200)
            words = f"{type(error).__name__} {error} in {came}: is the API of this version?"
            raise Refused("bad_answer", words) from error
