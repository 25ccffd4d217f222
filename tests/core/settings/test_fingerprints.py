"""Names of what settings make, as workspaces hold them: another value would make all anew."""

from pathlib import Path

import pytest

from flows.label_options import fingerprint as fingerprint_of_labels
from flows.state.staleness import settings_fingerprint
from tasks.core.annotation import pipeline
from tasks.core.annotation.job import LabelJob
from tasks.core.annotation.step_results import StepResults
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.labels.taxonomy import Label
from tasks.core.llm.client import Endpoint
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
        ("auto", "3cb32392552fe367c5de8f93c9319c5e"),
        ("discriminant", "328a0d8cb193c13826802634ddbeabce"),
        ("kernel", "2657355aa98baaf2b2336fe8e7a38443"),
        ("fda", "a93172d37ead0aeb630a8ad802b6568a"),
        ("gstransform", "5c6045d836989e42ddc025a31c974a6a"),
        ("identity", "51ec251422556956cdb97c2a1d13ffbe"),
    ],
)
def test_what_a_transform_is_made_by_keeps_its_name(method, name):
    params = Params.model_validate({"fit": {"method": method}})
    assert settings_fingerprint(params, "the mood") == name


def test_what_a_corpus_is_read_by_keeps_its_name():
    read_by = digest(Params().ingest.model_dump(mode="json"))
    assert read_by == "5557adce7a6255794c2f9eb587b87c84"


def labelling(folder, model="oracle", **asked):
    """Return a job by the default settings but for those `asked`."""
    params = Params.model_validate({"label": asked})
    endpoint = Endpoint("http://127.0.0.1:1/v1", model, params.label) if model else None
    return LabelJob(
        name="mood",
        instruction="the mood",
        table=Path("t"),
        base="one",
        memory=folder,
        answer_cache=folder / "calls.sqlite",
        prompts=None,
        encoder=params.embed.model_copy(update={"features": "last"}),
        endpoint=endpoint,
        settings=params.label,
    )


def test_what_labels_are_made_by_keeps_its_name(tmp_path):
    assert digest(Params().label.deciding()) == "ec2b56ef15a16299efe7fca0296c2365"
    assert labelling(tmp_path).made_from() == "9e5a0055e07aff86c1a2de2cbf427d0d"
    weak = labelling(tmp_path, model=None)
    assert weak.made_from() == "a463a11cb9337980f8600f64a5407a92"
    assert fingerprint_of_labels(weak) == "a70e46e8e65c70a07d68ac7a2c6bec5a"


def test_limits_and_prices_leave_the_name_of_labels_and_what_decides_on_them_does_not(tmp_path):
    how = {"usd_in": 1, "max_usd": 2, "in_flight": 3, "timeout": 3, "tries": 2, "zero_shot": 0.5}
    assert labelling(tmp_path, **how).made_from() == labelling(tmp_path).made_from()
    other = {"sample": 500, "sampling": "stratified", "clusters": 8}
    assert labelling(tmp_path, **other).made_from() == "b51fa96170d1917167ed2b2b48bb9bf2"


def test_labels_and_summaries_that_this_version_of_the_prompts_found_are_found_again(tmp_path):
    job = labelling(tmp_path)
    known = StepResults(tmp_path)
    known.save(pipeline.SAMPLE, digest("any"), ["a", "b"])
    known.save(pipeline.LABELS, "014cb38ce291e6682fe327503812ae39", [])
    known.save(pipeline.FOUND, "014cb38ce291e6682fe327503812ae39", [])
    assert pipeline.kept(job) == []
    question = job.prompt_builder().summarise("hello")
    assert job.key(question) == "3d7a772c3668fa29e6c0da1e5ddd6665"


def test_samples_names_and_classes_from_before_the_second_prompt_for_summaries_are_found(tmp_path):
    job = labelling(tmp_path)
    known = StepResults(tmp_path)
    known.save(pipeline.SAMPLE, "ee0c0e94bd66ed5855787ea3dc69e46f", ["a", "b"])
    assert pipeline.drawn(job) == ["a", "b"]  # and no table was looked at
    ask = job.prompt_builder()
    assert job.key(ask.name(["furious"], ["happy"])) == "5dd3d0728099445863df2de2645e5877"
    labels = [Label("furious", "who is angry"), Label("happy")]
    assert job.key(ask.classify("hello", labels)) == "9771c10b7cfdf1332e3ab9bcbbdf5587"
