import pytest

from tests.buckets import KEYS, Bucket


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """A real S3 server on loopback."""
    made = Bucket(tmp_path_factory.mktemp("s3"))
    yield made
    made.stop()


@pytest.fixture(scope="module", autouse=True)
def keys(bucket, tmp_path_factory):
    """Keys and an endpoint as the environment of a user has them, and a cache of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", bucket.endpoint)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
