"""Labels through the deployed API: by HTTPS, the command line and the page, with the right to label alone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import wait_until

from demo.cloud import BINCOUNT
from monitoring.live.handler import look
from tests.e2e.api_kit import Api, Caller, new_caller
from tests.e2e.api_stack_kit import BUCKET, CAPTURED, ENDPOINT, STACK, deployed_api, serve_a_model
from tests.e2e.page_kit import PASSWORD, WITH_THE_PAGE, Page, altered, assets_of, page_of
from tests.e2e.test_api import JPEG, LABEL_SNIPPETS, ROOT, error_of, run_snippet
from tests.e2e.tiny_model import bin_image

pytestmark = pytest.mark.e2e
NOBODYS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(data_dir=tmp_path_factory.mktemp("cloud"), project=BINCOUNT) as started:
        yield started


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> Api:
    """The API with a model and the stage's bucket behind it."""
    found = deployed_api(cloud, **WITH_THE_PAGE)
    serve_a_model(cloud, captures=True)
    return found


@pytest.fixture(scope="module")
def request_id(cloud: Cloud, api: Api) -> str:
    """Of an answer."""
    count = {"Action": "execute-api:Invoke", "Resource": f"{api.arn[:-1]}POST/count"}
    caller = new_caller(cloud, "counts", count)
    answer = api.ask(caller=caller, body=bin_image(3), headers=JPEG)
    body = b'{"request_id": "a", "count": 1}'
    assert error_of(api.ask("/labels", caller=caller, body=body)) == (403, "forbidden")
    return answer.json()["request_id"]


@pytest.fixture(scope="module")
def labeller(cloud: Cloud, api: Api) -> Caller:
    """A person with the stack's policy and no other right."""
    (stack,) = cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    caller = new_caller(cloud, "labeller")
    cloud.client("iam").attach_user_policy(UserName="labeller", PolicyArn=outputs["LabellerPolicyArn"])
    return caller


def send(api: Api, caller: Caller, **members: Any) -> Any:
    headers = {"Content-Type": "application/json"}
    return api.ask("/labels", caller=caller, body=json.dumps(members).encode(), headers=headers)


def stored(cloud: Cloud, prefix: str) -> list[Any]:
    client = cloud.client("s3")
    listed = client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    bodies = [client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed]
    return [json.loads(body) for body in bodies]


def test_a_label_of_an_answer_is_stored_once_and_the_last_wins(
    cloud: Cloud, api: Api, labeller: Caller, request_id: str
) -> None:
    first = send(api, labeller, request_id=request_id, count=4, note="hinter der Schachtel – zwei", by="Ann")
    assert (first.status_code, first.json()["previous"], first.json()["state"]) == (200, None, "pending")
    again = send(api, labeller, request_id=request_id, count=4, note="hinter der Schachtel – zwei", by="Ann")
    assert again.json() == first.json()
    assert send(api, labeller, request_id=request_id, count=5).json()["previous"] == 4
    history = stored(cloud, f"label-history/{request_id}/")
    assert [each["groundTruthData"]["data"] for each in history] == ["4", "5"]
    assert history[0]["bincount"]["note"] == "hinter der Schachtel – zwei"


def test_wrong_labels_are_errors_of_ours(cloud: Cloud, api: Api, labeller: Caller) -> None:
    before = len(stored(cloud, "labels/"))
    for members in ({"request_id": "a b", "count": 4}, {"request_id": "a", "count": -1}, {}):
        assert error_of(send(api, labeller, **members)) == (422, "bad_label")
    for body in (b"", b"[]", b"\xff\xd8", b'{"request_id": "a", "count": NaN}'):
        for kind in ("application/json", "image/jpeg", "text/plain"):
            answer = api.ask("/labels", caller=labeller, body=body, headers={"Content-Type": kind})
            assert error_of(answer) == (422, "bad_label"), (body, kind)
    large = api.ask("/labels", caller=labeller, body=b" " * 20_000)
    assert error_of(large) == (413, "body_too_large")
    assert len(stored(cloud, "labels/")) == before


def test_an_id_that_nobody_answered_is_kept_as_pending(api: Api, labeller: Caller) -> None:
    assert send(api, labeller, request_id=NOBODYS, count=1).json()["state"] == "pending"


def test_who_may_label_may_nothing_else(cloud: Cloud, api: Api, labeller: Caller) -> None:
    assert error_of(api.ask(caller=labeller, body=bin_image(1), headers=JPEG)) == (403, "forbidden")
    with pytest.raises(Exception, match="AccessDenied"):
        labeller.client(cloud, "s3").list_objects_v2(Bucket=BUCKET)
    with pytest.raises(Exception, match="not authorized|AccessDenied"):
        labeller.client(cloud, "sagemaker").update_model_package(
            ModelPackageArn="arn:aws:sagemaker:us-east-1:000000000000:model-package/bincount-local/1",
            ModelApprovalStatus="Approved",
        )


def bincount(cloud: Cloud, caller: Caller, folder: Path, *arguments: str) -> Any:
    """The command line with the caller's keys, which finds the API by its stage."""
    client = json.loads(cloud.client_file.read_text())
    keys = caller.environment()
    (folder / "client.json").write_text(json.dumps({**client, **keys}))
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}/client:{ROOT}/core",
        "BINCOUNT_CLOUD": str(folder / "client.json"),
    }
    command = [sys.executable, "-m", "bincount", "label", *arguments, "--stage", "local"]
    return subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, timeout=300)


def test_the_command_line_labels_one_and_many(
    cloud: Cloud, api: Api, labeller: Caller, request_id: str, tmp_path: Path
) -> None:
    done = bincount(cloud, labeller, tmp_path, request_id, "2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["count"] == 2
    (tmp_path / "recount.csv").write_text(f"request_id,count,by\n{request_id},3,Ann\nb-2,1,Bob\n")
    for _ in range(2):
        done = bincount(cloud, labeller, tmp_path, "--csv", "recount.csv")
        assert done.returncode == 0, done.stderr
    assert [each["bincount"]["count"] for each in stored(cloud, "label-history/b-2/")] == [1]
    assert stored(cloud, f"label-history/{request_id}/")[-1]["bincount"]["by"] == "Ann"
    done = bincount(cloud, labeller, tmp_path, "a b", "2")
    assert done.returncode == 1 and "request_id" in done.stderr


def test_the_night_joins_the_label_to_the_captured_answer(
    cloud: Cloud, api: Api, labeller: Caller, request_id: str, tmp_path: Path
) -> None:
    """What went through the API was captured; the night after finds it and its label by the same id."""
    assert send(api, labeller, request_id=request_id, count=1).status_code == 200
    s3 = cloud.client("s3")
    captured = wait_until(
        lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix=CAPTURED), lambda found: found["KeyCount"]
    )
    environment = {
        "BUCKET": BUCKET,
        "CAPTURED": CAPTURED,
        "CAPTURE_PERCENT": "100",
        "WINDOW_DAYS": "2",
        "FLOORS": "{}",
        "ENDPOINT": ENDPOINT,
    }
    day = "/".join(captured["Contents"][0]["Key"].removeprefix(CAPTURED).split("/")[:3])
    night = datetime.strptime(day, "%Y/%m/%d").replace(tzinfo=UTC) + timedelta(days=1, hours=2)
    look(s3, cloud.client("cloudwatch"), environment=environment, now=night)
    (joined,) = stored(cloud, f"joined/{day}/")
    assert (joined["request_id"], joined["count"], joined["label"], joined["error"]) == (request_id, 3, 1, 2)
    assert joined["weight"] == 1.0
    (window,) = stored(cloud, "live/window.json")
    assert [each["request_id"] for each in window["worst"]] == [request_id]


def test_a_caller_without_the_policy_reads_what_is_missing(cloud: Cloud, api: Api, tmp_path: Path) -> None:
    done = bincount(cloud, new_caller(cloud, "passer"), tmp_path, "a-1", "2", "--api-url", api.url)
    assert done.returncode == 1 and "execute-api:Invoke" in done.stderr


@pytest.mark.parametrize("snippet", LABEL_SNIPPETS)
def test_the_snippets_of_the_docs_run(
    cloud: Cloud, api: Api, labeller: Caller, tmp_path: Path, snippet: tuple[str, str]
) -> None:
    variables = {"API_URL": api.url, **labeller.environment()}
    assert run_snippet(cloud, tmp_path, *snippet, variables)["count"] == 4


@pytest.fixture(scope="module")
def page(api: Api) -> Page:
    return page_of(api)


@pytest.fixture(scope="module")
def ann(page: Page) -> str:
    """May count and label."""
    return page.invite("ann", "counting", "labelling")


LABEL = json.dumps({"request_id": "a-1", "count": 2}).encode()


def outcomes(page: Page, token: str | None) -> tuple[int, int, int]:
    """Status of the stage's facts, a count and a label with a token."""
    count = page.ask("count", token, method="POST", body=bin_image(3), Content_Type="image/jpeg")
    label = page.ask("labels", token, method="POST", body=LABEL, Content_Type="application/json")
    facts = page.ask("stage.json", token)
    for answer in (count, label, facts):
        if answer.status_code != 200:
            assert error_of(answer) == (401, "forbidden")
    return facts.status_code, count.status_code, label.status_code


def test_a_person_may_what_the_groups_say_and_no_more(page: Page, ann: str) -> None:
    rights = {"counting": (200, 200, 401), "labelling": (200, 401, 200), "reading": (200, 401, 401)}
    for group, allowed in rights.items():
        tokens = page.tokens(page.invite(f"{group}-alone", group))
        assert outcomes(page, tokens["access_token"]) == allowed, group
    assert outcomes(page, page.tokens(page.invite("nobody"))["access_token"]) == (401, 401, 401)
    tokens = page.tokens(ann)
    assert outcomes(page, tokens["access_token"]) == (200, 200, 200)
    kept = tokens["refresh_token"]
    renew = {"grant_type": "refresh_token", "client_id": page.client, "refresh_token": kept}
    renewed = page.at_login("POST", "oauth2/token", renew).json()["access_token"]
    assert outcomes(page, renewed) == (200, 200, 200)
    page.at_login("POST", "oauth2/revoke", {"client_id": page.client, "token": kept})
    assert page.at_login("POST", "oauth2/token", renew).json()["error"] == "invalid_grant"


def test_the_login_leads_nowhere_else_and_gives_tokens_once(page: Page, ann: str) -> None:
    for elsewhere in ("https://evil.example/", f"{page.url}/../../x", page.url.replace("index", "queue")):
        asked = urlencode(page.asked(redirect_uri=elsewhere))
        answers = [
            page.at_login("GET", f"oauth2/authorize?{asked}"),
            page.at_login("GET", f"logout?{urlencode({'client_id': page.client, 'logout_uri': elsewhere})}"),
        ]
        for answer in answers:
            assert answer.status_code == 400 and "location" not in answer.headers, elsewhere
    code = page.code(ann)
    assert "access_token" in page.at_login("POST", "oauth2/token", code).json()
    assert page.at_login("POST", "oauth2/token", code).json()["error"] == "invalid_grant"
    for flow in ("USER_PASSWORD_AUTH", "USER_SRP_AUTH"):
        with pytest.raises(Exception, match="InvalidParameter|not enabled|NotAuthorized"):
            page.api.cloud.client("cognito-idp").initiate_auth(
                ClientId=page.client, AuthFlow=flow, AuthParameters={"USERNAME": ann, "PASSWORD": PASSWORD}
            )


def test_tokens_that_are_not_the_page_s_own_open_nothing(
    cloud: Cloud, api: Api, page: Page, ann: str, labeller: Caller
) -> None:
    tokens = page.tokens(ann)
    shut = (401, 401, 401)
    assert outcomes(page, None) == shut
    assert outcomes(page, tokens["id_token"]) == shut
    assert outcomes(page, altered(tokens["access_token"], sub="somebody")) == shut
    assert page.tokens(ann, code_verifier="x" * 43)["error"] == "invalid_grant"
    nobody = page.tokens(page.invite("forger"))["access_token"]
    assert outcomes(page, altered(nobody, scope=f"openid {page.client}/count")) == shut
    assert outcomes(page, other_client(cloud, page.pool, ann)) == shut
    pool = cloud.client("cognito-idp").create_user_pool(PoolName="other")["UserPool"]["Id"]
    elsewhere = Page(api=api, url="", pool=pool, login="", client="")
    cloud.client("cognito-idp").create_group(UserPoolId=pool, GroupName="counting")
    assert outcomes(page, other_client(cloud, pool, elsewhere.invite("ann", "counting"))) == shut
    given = {"Authorization": tokens["access_token"], **JPEG}
    assert error_of(api.ask("/count", body=bin_image(1), headers=given))[0] == 403
    assert error_of(api.ask("/page/labels", caller=labeller, body=LABEL))[0] == 401


def other_client(cloud: Cloud, pool: str, email: str) -> str:
    """The access token of a user who signed in to another app client of a pool."""
    idp = cloud.client("cognito-idp")
    client = idp.create_user_pool_client(
        UserPoolId=pool, ClientName="other", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    signed_in = idp.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
    )
    return signed_in["AuthenticationResult"]["AccessToken"]


def test_the_page_s_files_come_whole_and_bound_and_nothing_beside_them(page: Page) -> None:
    files = {"index.html", "texts/de.json", *assets_of(page, "index.html"), *assets_of(page, "recount.html")}
    files -= {"queue.html"}  # on a person's machine alone
    assert {"page.js", "login.js", "style.css", "icon.svg", "recount.js"} <= files
    for name in sorted(files):
        answer = page.ask(name)
        assert answer.content == (ROOT / "web" / name).read_bytes(), name
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert f"connect-src 'self' {page.login};" in policy
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
    again = page.ask("page.js", If_None_Match=page.ask("page.js").headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert page.api.ask("/page", method="GET").headers["location"] == page.url
    climbing = ("..%2f..%2fapp.py", "texts/..%2f..%2fapp.py", "%2e%2e/count", "texts", "page.js/x")
    for path in (*climbing, "queue.html", "queue.js", "queue", "queue/image"):
        assert error_of(page.ask(path)) == (403, "forbidden"), path
    for method in ("OPTIONS", "POST", "PUT", "DELETE"):
        assert error_of(page.ask("index.html", method=method)) == (403, "forbidden"), method
    assert page.ask("index.html", method="HEAD").status_code == 403
    whole = page.ask(f"index.html?code={'x' * 4000}")
    assert whole.content == (ROOT / "web" / "index.html").read_bytes()


def signed_in(email: str) -> list[dict[str, Any]]:
    return [
        {"click": "#sign-in"}, {"fill": ["#username", email]}, {"fill": ["#password", PASSWORD]},
        {"click": "button[type=submit]"}, {"see": ["#stage", "Stage local"]},
    ]  # fmt: skip


def test_in_a_browser_a_photo_waits_for_the_login_and_is_sent_once(
    cloud: Cloud, page: Page, ann: str, tmp_path: Path
) -> None:
    for number in (3, 2):
        (tmp_path / f"{number}.jpg").write_bytes(bin_image(number))
    before = len(stored(cloud, "labels/"))
    ended = json.dumps({"access_token": "a.e30.b", "refresh_token": "gone"})
    seen = page.play(
        tmp_path,
        {"see": ["#login-said", "Sign in to count."]}, {"axe": True}, {"measure": True}, {"shot": "login"},
        *signed_in(ann),
        {"fill": ["#expected", "3"]}, {"file": ["#file", str(tmp_path / "3.jpg")]},
        {"see": ["#headline.match", "Matches"]}, {"click": "[data-number='3']"},
        {"see": [".label-said", "Saved: 3"]},
        {"axe": True}, {"measure": True}, {"shot": "counted"},
        {"store": ["login", ended]}, {"fill": ["#expected", ""]},
        {"file": ["#file", str(tmp_path / "2.jpg")]},
        {"see": ["#login-said", "1 thing waits on this device"]}, {"shot": "waits"},
        *signed_in(ann), {"see": ["#items", "2"]}, {"see": ["#sum", "Counted: 2."]},
        {"click": "#sign-out"}, {"see": ["#login-said", "Sign in to count."]},
        view="hand",
        query="?code=of-somebody-else&state=forged",
    )  # fmt: skip
    assert not [line for line in seen.console if "Failed to load resource" not in line], seen.console
    origins = ("https://" + page.url.split("/")[2] + "/v1/page/", f"{page.login}/", "blob:")
    assert not [url for url in seen.requests if not url.startswith(origins)]
    assert not seen.axe
    assert not [each for each in seen.measured if each["outside"] or each["faint"] or each["overflow"] > 0]
    assert len(stored(cloud, "labels/")) == before + 1
    # Two logins and one renewal that was refused: the forged callback asked for none.
    assert len([url for url in seen.requests if url.endswith("/oauth2/token")]) == 3
    counts = [url for url in seen.requests if url.split("?")[0].endswith("/page/count")]
    assert len(counts) == 2, counts
