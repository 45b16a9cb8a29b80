"""What all List operations share: filters, order and pages."""

from typing import Any

from embedded_cloud.errors import validation_error
from embedded_cloud.sagemaker.store import Record

DEFAULT_PAGE = 10


def page_of(
    records: list[Record],
    request: dict[str, Any],
    *,
    member: str,
    name_key: str,
    status_key: str | None = None,
    descending: bool = False,
) -> dict[str, Any]:
    """One page of `records` under `member`.

    Obeys NameContains, StatusEquals, SortOrder, MaxResults and NextToken of the request; `descending` is the
    operation's own default order (by creation time). Raises ValidationException for a token that is not ours.
    """
    wanted = request.get("NameContains", "").lower()
    rows = [row for row in records if wanted in row[name_key].lower()]
    if status_key and "StatusEquals" in request:
        rows = [row for row in rows if row[status_key] == request["StatusEquals"]]
    order = request.get("SortOrder", "Descending" if descending else "Ascending")
    rows.sort(key=lambda row: row["CreationTime"], reverse=order == "Descending")
    token = request.get("NextToken", "0")
    if not token.isdigit():
        raise validation_error(f"Invalid NextToken {token!r}: pass the token of the page before, unchanged.")
    start = int(token)
    end = start + request.get("MaxResults", DEFAULT_PAGE)
    page: dict[str, Any] = {member: rows[start:end]}
    if end < len(rows):
        page["NextToken"] = str(end)
    return page
