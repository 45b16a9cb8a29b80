"""The queue of the page: what `bincount propose` proposes, and the images of it, from the stage's bucket."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from bincount.cli.errors import words_of_aws
from bincount.errors import BincountError, require_packages
from bincount.stage.objects import read_if_there
from bincount.stage.stage import Stage

if TYPE_CHECKING:
    from bincount.propose.kept import KeptImage
    from bincount.propose.propose import Known

AT_ONCE = 50
MOST_BY = 100
_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


class Queue:
    """Proposes images of a stage to the people at the page; only what it proposed is shown."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._lock = threading.Lock()
        self._shown: dict[str, tuple[str, KeptImage]] = {}
        self._known: Known | None = None

    def propose(self, *, by: str) -> dict[str, Any]:
        """`items`, in order, and how many `waiting` images nobody has labelled. Raises BincountError."""
        require_packages("numpy", "simplejpeg", extra="images", why="read images")
        from bincount.propose.propose import Known, propose

        with self._lock:  # one at a time: a second person gets what the first did not
            self._known = self._known or Known()
            try:
                found = propose(self._stage, AT_ONCE, by=by[:MOST_BY], known=self._known)
            except ClientError as error:
                raise BincountError(words_of_aws(error)) from error
            for row in found.rows:
                self._shown[row.kept.request_id] = (found.bucket, row.kept)
        return {"items": [row.to_json() for row in found.rows], "waiting": found.waiting - found.others}

    def image(self, request_id: str) -> tuple[bytes, str] | None:
        """Bytes and media type of an image that was proposed; None for any other, or one that is gone."""
        bucket, kept = self._shown.get(request_id, ("", None))
        if kept is None:
            return None
        try:
            data = read_if_there(self._stage.client("s3"), bucket, kept.image)
        except ClientError as error:
            raise BincountError(words_of_aws(error)) from error
        return None if data is None else (data, _TYPES[kept.image.rpartition(".")[2]])
