"""What is assumed of calls to the API and the endpoint, and of their answers."""

from infra.tools.trial.assumption import Assumption, Seen, Verdict, every, fact, only_if, passed

PART = "Answers"


def _refused_as_the_server_says(seen: Seen) -> Verdict:
    error = seen.fact("count", "error_response")
    if error is None:
        return Verdict(state="not reached", step="count")
    right = error["code"] == "undecodable_image"
    words = (f"{error['code']}: {error['message']}",)
    return Verdict(state="held" if right else "broken", step="count", words=words)


def _captured(seen: Seen) -> Verdict:
    """The answers of `count` were captured by the time that a recount has ended; none yet settles nothing."""
    captured, asked = seen.fact("recount", "captured_ids"), seen.fact("recount", "asked_ids", [])
    if not captured:
        return Verdict(state="not reached", step="recount", reason="no line below capture/ was there yet")
    known = sorted(set(captured) & set(asked))
    if known:
        return Verdict(state="held", step="recount", words=tuple(known))
    words = (f"captured {', '.join(map(str, captured[:3]))}", f"answered {', '.join(asked[:3])}")
    return Verdict(state="broken", step="recount", words=words)


ASSUMPTIONS = (
    Assumption(
        name="upgrade-headers",
        part=PART,
        believed="SageMaker's router sends plain HTTP/1.1 with a Content-Length",
        ground="P",
        why="containers that others published read no other",
        shows="400 `empty_body`",
        command="bincount count IMAGE",
        by="trial",
        check=passed("count", signs="empty_body|bad_request"),
    ),
    Assumption(
        name="error-mapping",
        part=PART,
        believed="a 4xx of the container reaches API Gateway as 424 with `OriginalStatusCode`, and its "
        "caller as it was",
        ground="P",
        why="ModelError's shape; what the gateway sees of it is not published",
        shows="the API answers 502 in place of 400",
        command="bincount count notes.txt --api-url <ApiUrl>",
        by="trial",
        check=only_if(
            lambda settings: settings.api.enabled, "the stage has no API", _refused_as_the_server_says
        ),
    ),
    Assumption(
        name="capture-id",
        part=PART,
        believed="the captured line has the API's request id as `inferenceId`",
        ground="D",
        why="SageMaker's page on data capture",
        shows="lines without it",
        command="one call, then the file below `capture/`",
        by="trial",
        check=only_if(lambda settings: settings.capture.percent > 0, "the stage captures nothing", _captured),
    ),
    Assumption(
        name="transform-out",
        part=PART,
        believed="batch transform writes `<key>.out` beside the same folders",
        ground="D",
        why="SageMaker's page on batch transform; folders are shown by nobody",
        shows='the recount fails with `NothingAnswered`, or has rows with "no answer"',
        command="bincount site s3://…",
        by="trial",
        check=every(
            passed("recount", signs="NothingAnswered|no answer|\\.out"),
            fact("recount", "without_count", right=lambda number: number == 0),
        ),
    ),
)
