"""Images in class folders: `<count>/<anything>.jpg`, and `<count>/<group>/<anything>.jpg`."""

import re
from collections.abc import Iterable

from bincount_sources.found import BadRow, Collector, Found, Row
from bincount_sources.names import MOST, SUFFIXES, is_image_name, is_litter, require_name
from bincount_sources.split import block_of

_FOLDER = re.compile(r"[0-9]{1,5}", re.ASCII)


def read_class_folders(names: Iterable[str]) -> Found:
    """The rows that keys below the source make.

    Folders below a count's are the image's group: what lies in `3/pallet 7/` and in `4/pallet 7/` stays
    together. What file managers leave is passed over; any other file in a count's folder that is not an image
    is rejected (`not_image`, `bad_class`, `bad_name`).
    """
    collector = Collector()
    for name in names:
        if is_litter(name) or name.endswith("/"):  # S3's console makes keys of folders
            continue
        try:
            collector.add(_row(name), where=name)
        except BadRow as fault:
            collector.reject(name, fault.reason, str(fault))
    return collector.end()


def _row(name: str) -> Row:
    require_name(name)
    if not is_image_name(name):
        raise BadRow("not_image", f"its name does not end with {', '.join(SUFFIXES)}")
    folder, slash, below = name.partition("/")
    if not slash or _FOLDER.fullmatch(folder) is None or int(folder) > MOST:
        place = f"in the folder {folder[:40]!r}" if slash else "in no folder"
        raise BadRow("bad_class", f"it is {place}, not in one that a count names, such as 3/")
    return Row(name, int(folder), block_of(below, group=below.rpartition("/")[0]))
