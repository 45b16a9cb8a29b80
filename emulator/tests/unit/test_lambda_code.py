"""A Lambda that was bundled for another Python or processor runs on this machine's packages."""

import io
import sys
import zipfile

import pytest
from embedded_cloud.errors import AwsError
from embedded_cloud.functions.deployed_code import with_code
from embedded_cloud.functions.lambda_code import native
from packaging.tags import sys_tags


def bundle(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def wheel(name: str, tag: str, *files: str) -> dict[str, str]:
    """A wheel as pip unpacks it, with its own records."""
    folder = f"{name}-1.0.dist-info"
    records = [*files, f"{folder}/WHEEL", f"{folder}/RECORD"]
    return {
        **dict.fromkeys(files, "binary"),
        f"{folder}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n",
        f"{folder}/RECORD": "".join(f"{record},,\n" for record in records),
    }


def names(code: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        return set(archive.namelist())


OWN = {"data_prep/handler.py": "print()"}
PURE = wheel("pure", "py3-none-any", "pure/__init__.py")


def test_wheels_for_another_processor_are_left_out_with_all_their_files() -> None:
    other = "win32" if sys.platform == "linux" else "manylinux_2_34_riscv64"
    foreign = wheel("foreign", f"cp39-cp39-{other}", "foreign/core.so", "foreign/__init__.py")
    assert names(native(bundle(**OWN, **PURE, **foreign))) == {*OWN, *PURE}


def test_wheels_of_this_machine_and_pure_ones_stay() -> None:
    mine = wheel("mine", str(next(iter(sys_tags()))), "mine/core.so")
    code = bundle(**OWN, **PURE, **mine)
    assert native(code) == code


def test_a_function_of_a_stack_has_its_code_in_s3() -> None:
    check = with_code(lambda bucket, key, version: b"code" if key == "there.zip" else None)
    check({"Code": {"S3Bucket": "assets", "S3Key": "there.zip"}})
    check({"Code": {"ZipFile": "print()"}})
    with pytest.raises(AwsError, match="NoSuchKey"):
        check({"Code": {"S3Bucket": "assets", "S3Key": "gone.zip"}})
