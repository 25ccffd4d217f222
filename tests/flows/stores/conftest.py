import os
import shutil

import pytest

from tests.buckets import BUCKET, KEYS, Bucket
from tests.world import make_world, set_params


@pytest.fixture(scope="session")
def _bucket(tmp_path_factory):
    made = Bucket(tmp_path_factory.mktemp("s3"))
    yield made
    made.stop()


@pytest.fixture(scope="module", autouse=True)
def keys(_bucket, tmp_path_factory):
    """Keys and an endpoint as the environment of a user has them, and a cache of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", _bucket.endpoint)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def bucket(_bucket):
    """A real S3 server on loopback."""
    return _bucket


@pytest.fixture(scope="session")
def _stored(_bucket, tmp_path_factory, tiny_model):
    from flows.run import run

    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        root = make_world(tmp_path_factory.mktemp("stored") / "world", str(tiny_model))
        set_params(root, store=_bucket.settings(url=f"s3://{BUCKET}/made"))
        run(root)
    return root


@pytest.fixture(scope="module")
def stored(_stored, _bucket, tmp_path_factory):
    """Make a workspace after its first run: `stored(name)`, its tables in a folder of that name."""

    def make(name):
        root = tmp_path_factory.mktemp(name) / "world"
        shutil.copytree(_stored, root)
        shutil.copytree(_bucket.folder / "made", _bucket.folder / name)
        state = root / ".refract"
        notes = [root / "params.yaml", *root.rglob("data/*/*.lance"), *state.glob("*.json")]
        for note in notes:
            about, content = note.stat(), note.read_text()
            note.write_text(content.replace(f"{BUCKET}/made", f"{BUCKET}/{name}"))
            os.utime(note, ns=(about.st_atime_ns, about.st_mtime_ns))
        return root

    return make
