"""Limits of what is taken: sizes of images and the expected count, with the source of each number."""

ENDPOINT_BYTES = 6_291_456
"""Bytes of a request: what InvokeEndpoint takes (botocore's model of sagemaker-runtime)."""
SERVED_PIXELS = 25_000_000
"""Width times height of an image that is counted; a setting of the server can move it up to MOST_PIXELS."""
PREPARED_BYTES = 25_000_000
"""Bytes of an image that data preparation fetches; the largest original known has 1 MB."""
PREPARED_PIXELS = 50_000_000
"""Width times height of an image of a dataset; the largest original known has about 1 megapixel."""
MOST_PIXELS = 200_000_000
"""Nothing larger is decoded anywhere: 600 MB of RGB."""
MAX_EXPECTED = 999_999
"""The largest number that may be expected of an image: six digits."""
