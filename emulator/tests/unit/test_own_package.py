"""The package is of use without the project that it grew in."""

import re
from pathlib import Path

import embedded_cloud

SOURCE = Path(embedded_cloud.__file__).parent
# AWS's own words have `inference` in them: `x-amzn-sagemaker-inference-id`.
PRODUCT = re.compile(r"bincount|bintrain|data_prep|(?<![-\w])inference(?![-\w])")


def test_no_module_names_the_product():
    named = [
        f"{path.relative_to(SOURCE)}:{number}: {line.strip()}"
        for path in sorted(SOURCE.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if PRODUCT.search(line)
    ]
    assert not named
