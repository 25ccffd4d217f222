"""Names of what settings make, as workspaces hold them: another value would make all anew."""

import pytest

from flows.state.staleness import settings_fingerprint
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.settings.params import Params
from tasks.core.workspace.files import digest


def test_the_vector_space_of_the_default_settings_keeps_its_name():
    assert fingerprint(Params().embed) == "0a7953c6ff6676747c7ba561e3b607fa"


def test_the_vector_space_of_other_settings_keeps_its_name():
    last = Params.model_validate({"embed": {"features": "last"}})
    assert fingerprint(last.embed) == "a9bfcfb49a32c3cf743b2f7134f19c61"
    embed = {"model": "org/model", "revision": "main", "prompt": "query: ", "max_length": 128}
    other = Params.model_validate({"embed": embed})
    assert fingerprint(other.embed) == "a6c8259a1ca67b3db82647943d2a5d4b"


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("auto", "277fd42c8970d56d922c76094ffd26ba"),
        ("discriminant", "f1e52886ec2aa53452bd5969d3800ee3"),
        ("kernel", "1113648fce94d26aad14eccbaf46533f"),
        ("fda", "d35a19f71b86609387d960aba0dbbdf3"),
        ("gstransform", "475bc9fd23c3bd07123f405bfc080e4e"),
        ("identity", "b9ac680ac88259ef467e2b6b894dbc32"),
    ],
)
def test_what_a_transform_is_made_by_keeps_its_name(method, name):
    params = Params.model_validate({"fit": {"method": method}})
    assert settings_fingerprint(params, "the mood") == name


def test_what_a_corpus_is_read_by_keeps_its_name():
    read_by = digest(Params().ingest.model_dump(mode="json"))
    assert read_by == "5557adce7a6255794c2f9eb587b87c84"
