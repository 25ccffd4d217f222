import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.settings.params import Params, load_params, render_params
from tasks.core.workspace.errors import InputError
from tests.core.settings.loading import load, refusal


def test_what_is_rendered_loads_as_it_was(tmp_path):
    assert load(tmp_path, render_params(Params())) == Params()


def test_an_empty_file_means_the_defaults(tmp_path):
    assert load(tmp_path, "") == load(tmp_path, "# nothing\n") == Params()


def test_what_views_are_without_is_rendered_and_may_be_mutual(tmp_path):
    found = load(tmp_path, "instructions: {mood: {without: [topic]}, topic: {without: [mood, x]}}")
    assert (found.without("topic"), found.without("other")) == (("mood", "x"), ())
    assert load(tmp_path, render_params(found)) == found


def test_an_instruction_may_have_a_method_of_its_own(tmp_path):
    found = load(tmp_path, "fit: {method: fda}\ninstructions: {plain: {method: identity}, mood: x}")
    methods = [found.of(name).fit.method for name in ("plain", "mood", "other")]
    assert methods == ["identity", "fda", "fda"]
    assert found.of("plain").fit.model_copy(update={"method": "fda"}) == found.fit
    assert load(tmp_path, render_params(found)) == found


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30)
names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True).filter(
    lambda name: name != "base"
)
fractions = st.floats(0.001, 0.89)


@given(
    st.dictionaries(names, words, max_size=4),
    st.lists(words.filter(bool), min_size=1, max_size=3),
    words,
    fractions,
    st.none() | st.floats(1e-6, 100),
)
def test_any_settings_survive_rendering_and_loading(
    tmp_path_factory, wordings, sources, prompt, held_out, temperature
):
    params = Params.model_validate(
        {
            "instructions": wordings,
            "ingest": {"sources": sources},
            "embed": {"prompt": prompt},
            "fit": {"held_out": held_out, "discriminant": {"temperature": temperature}},
        }
    )
    assert load(tmp_path_factory.mktemp("params"), render_params(params)) == params


def test_what_init_wrote_once_is_still_read(tmp_path):
    assert load(tmp_path, "engine: {runner: local}\nfit: {seed: 7}") == load(
        tmp_path, "fit: {seed: 7}"
    )


def test_every_key_is_rendered_with_its_description():
    text = render_params(Params())
    for section in ("ingest", "embed", "fit", "materialise", "record"):
        model = type(getattr(Params(), section))
        for name, field in model.model_fields.items():
            assert f"  {name}:" in text
            assert field.description is None or f"# {field.description}" in text
    assert yaml.safe_load(text)["fit"]["gstransform"]["margin"] == 10.0


def test_every_setting_has_a_description_of_one_line():
    def check(model):
        for name, field in model.model_fields.items():
            if hasattr(field.annotation, "model_fields"):
                assert "\n" not in field.annotation.__doc__.strip()
                check(field.annotation)
            else:
                assert field.description, name
                assert "\n" not in field.description

    check(Params)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ingest: {sources: []}", "ingest.sources: Tuple should have at least 1 item"),
        ("embed: {model: ''}", "embed.model: String should have at least 1 character (got '')"),
        ("embed: {max_length: 7}", "embed.max_length: must be greater than or equal to 8 (got 7)"),
        ("embed: {max_length: 200000}", "must be less than or equal to 131072 (got 200000)"),
        ("embed: {batch_size: 0}", "embed.batch_size: must be greater than or equal to 1 (got 0)"),
        ("embed: {batch_size: 65537}", "must be less than or equal to 65536 (got 65537)"),
        ("embed: {device: tpu}", "embed.device: String should match pattern"),
        ("embed: {precision: int8}", "embed.precision: must be 'auto', 'float32' or 'bfloat16'"),
        ("embed: {storage: int4}", "embed.storage: must be 'float16', 'float32' or 'int8' (got"),
        ("embed: {storage: int8, features: last}", "embed: storage: int8 is of features, and"),
        ("embed: {chunk: 15}", "embed.chunk: must be greater than or equal to 16 (got 15)"),
        ("embed: {chunk: 1000001}", "must be less than or equal to 1000000 (got 1000001)"),
        ("fit: {held_out: 0}", "fit.held_out: must be greater than 0 (got 0)"),
        ("fit: {held_out: 0.9}", "fit.held_out: must be less than 0.9 (got 0.9)"),
        ("fit: {min_rows: 3}", "fit.min_rows: must be greater than or equal to 4 (got 3)"),
        ("fit: {min_rows: 1000001}", "must be less than or equal to 1000000 (got 1000001)"),
        ("fit: {seed: -1}", "fit.seed: must be greater than or equal to 0 (got -1)"),
        ("fit: {seed: 2147483648}", "fit.seed: must be less than 2147483648 (got 2147483648)"),
        ("materialise: {chunk: 15}", "materialise.chunk: must be greater than or equal to 16"),
        ("materialise: {chunk: 10000001}", "must be less than or equal to 10000000"),
        ("materialise: {index_from: 999}", "must be greater than or equal to 1000 (got 999)"),
        ("materialise: {storage: int8}", "materialise.storage: must be 'float16' or 'float32'"),
        ("engine: {runner: ray}", "engine.runner: must be 'local' or 'dask' (got 'ray')"),
        ("engine: {address: host:8786}", "engine.address: String should match pattern"),
        ("engine: {workers: 0}", "engine.workers: must be greater than or equal to 1 (got 0)"),
        ("engine: {resubmit: -1}", "engine.resubmit: must be greater than or equal to 0 (got -1)"),
        ("fit: {seed: one}", "fit.seed: must be a valid integer"),
    ],
)
def test_every_bound_is_named_with_its_key_and_the_value_found(tmp_path, text, message):
    assert message in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("key", "value", "bound"),
    [
        ("temperature", 0, "greater than 0"),
        ("temperature", 101, "less than or equal to 100"),
        ("novelty", 0, "greater than 0"),
        ("novelty", 1, "less than 1"),
        ("floor", -0.1, "greater than or equal to 0"),
        ("floor", 1.1, "less than or equal to 1"),
        ("residual", -1, "greater than or equal to 0"),
        ("residual", 4097, "less than or equal to 4096"),
    ],
)
def test_the_bounds_of_discriminant(tmp_path, key, value, bound):
    found = refusal(tmp_path, f"fit: {{discriminant: {{{key}: {value}}}}}")
    assert found == f"params.yaml: fit.discriminant.{key}: must be {bound} (got {value})"


@pytest.mark.parametrize(
    ("key", "value", "bound"),
    [
        ("hidden", -1, "greater than or equal to 0"),
        ("hidden", 8193, "less than or equal to 8192"),
        ("dimensions", 1, "greater than or equal to 2"),
        ("dimensions", 4097, "less than or equal to 4096"),
        ("margin", 0, "greater than 0"),
        ("contrastive", -1, "greater than or equal to 0"),
        ("reconstruction", -1, "greater than or equal to 0"),
        ("learning_rate", 0, "greater than 0"),
        ("learning_rate", 1, "less than 1"),
        ("batch_size", 3, "greater than or equal to 4"),
        ("batch_size", 65537, "less than or equal to 65536"),
        ("epochs", 0, "greater than or equal to 1"),
        ("epochs", 100001, "less than or equal to 100000"),
        ("patience", 0, "greater than or equal to 1"),
        ("patience", 100001, "less than or equal to 100000"),
    ],
)
def test_the_bounds_of_gstransform(tmp_path, key, value, bound):
    found = refusal(tmp_path, f"fit: {{gstransform: {{{key}: {value}}}}}")
    assert found == f"params.yaml: fit.gstransform.{key}: must be {bound} (got {value})"


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan"])
@pytest.mark.parametrize("key", ["margin", "contrastive", "reconstruction", "learning_rate"])
def test_a_number_has_to_be_finite(tmp_path, key, number):
    found = refusal(tmp_path, f"fit: {{gstransform: {{{key}: {number}}}}}")
    assert found.startswith(f"params.yaml: fit.gstransform.{key}: must be")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fits: {}", "fits: unknown key; expected one of: instructions, ingest, embed, label, fit"),
        ("fit: {epochs: 3}", "fit.epochs: unknown key; expected one of: method, held_out"),
        (
            "fit: {gstransform: {epoch: 3}}",
            "fit.gstransform.epoch: unknown key; expected one of: hidden, dimensions",
        ),
        ("fit: {seed: -1, x: 1}", "(and 1 more)"),
        ("instructions: {base: x}", "'base': this name is kept for the untransformed vectors"),
        ("instructions: {A: x}", "'A': expected 1 to 63 of a-z"),
        (
            "instructions: {mood: 3}",
            "instructions.mood: must be a valid string, or a mapping with 'column',"
            " 'materialise', 'method', 'without' or 'wording' (got 3)",
        ),
        (
            "instructions: {mood: {method: magic}}",
            "instructions.mood.method: must be 'auto', 'discriminant', 'kernel', 'fda',"
            " 'gstransform' or 'identity' (got 'magic')",
        ),
        (
            "instructions: {mood: {without: [mood]}}",
            "instructions: 'mood' is to be without itself;",
        ),
        ("instructions: {mood: {without: [a, a]}}", "mood.without: an aspect is named twice"),
        ("instructions: {mood: {without: a}}", "instructions.mood.without: must be a valid tuple"),
        ("instructions: {mood: {without: [../a]}}", "mood.without: instruction '../a': expected 1"),
        ("instructions: {mood: {without: [base]}}", "mood.without: instruction 'base': this name"),
        (
            "instructions: {mood: {without: [a, b, c, d, e, f, g, h, i]}}",
            "instructions.mood.without: Tuple should have at most 8 items",
        ),
        (
            "instructions: {mood: {colum: Mood}}",
            "instructions.mood.colum: unknown key; expected one of: wording, column",
        ),
        ("- a", "expected sections such as 'fit:', found list"),
        ("fit: [", "not readable as YAML"),
        ("a: !!python/object/apply:os.system [true]", "line 1: found a tag (!), expected plain"),
        ("fit: &a {seed: 1}", "line 1: found an anchor or alias (& or *), expected plain values"),
        ("fit:\n  seed: 010", "found a number with a leading 0 or with colons"),
        ("serve:\n  port: 12:30", "found a number with a leading 0 or with colons"),
        ("fit:\n  seed: 1\n  seed: 2", "fit.seed: found twice, in lines 2 and 3; keep one of them"),
        ("fit: {}\nfit: {}", "fit: found twice, in lines 1 and 2"),
        ("fit: {? [a] : b}", "line 1: found a key of several parts, expected a name"),
        ("embed: {device: " + "x" * 5_000 + "}", "xxx…)"),
        ("fit: {seed: " + "9" * 4_000 + "}", "(got a number of more than 80 digits)"),
        ("fit: {seed: " + "9" * 5_000 + "}", "not readable as YAML (Exceeds the limit"),
        ("instructions: {Größe 2: x}", "or digit, such as 'grosse_2'; rename it"),
    ],
)
def test_other_mistakes_are_named_too(tmp_path, text, message):
    found = refusal(tmp_path, text)
    assert found.startswith("params.yaml: ")
    assert message in found


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 20_000,
        "- " * 20_000 + "x",
        "? " * 20_000 + "x",
        "a: &a [x]\n" + "b: [*a, *a]\n" * 9,
        "x" * (1 << 20) + ": 1",
        "[" + "1, " * 120_000 + "1]",
    ],
    ids=["brackets", "braces", "dashes", "marks", "aliases", "size", "parts"],
)
def test_a_file_that_is_deep_large_or_expands_is_refused_at_once(tmp_path, text):
    assert len(refusal(tmp_path, text)) < 200


def test_no_and_yes_and_1_are_names(tmp_path):
    found = load(tmp_path, "instructions: {no: a, yes: b, 1: c, on: d, null: e, 2024-01-01: f}")
    assert list(found.instructions) == ["no", "yes", "1", "on", "null", "2024-01-01"]
    assert load(tmp_path, render_params(found)) == found


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
keys = st.sampled_from([*Params.model_fields, "seed", "corpus", "model"]) | st.text(max_size=8)


@given(
    st.dictionaries(keys, st.dictionaries(keys, anything, max_size=3) | anything, max_size=3).map(
        lambda value: yaml.safe_dump(value, allow_unicode=True)
    )
    | st.text(max_size=60)
    | st.lists(st.sampled_from([*"[]{}:,-?&*!|>'\"#%@` \n\t", "a", "fit:", "<<", "1"])).map("".join)
)
def test_whatever_stands_there_it_is_settings_or_one_line(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("params") / "params.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        assert isinstance(load_params(path), Params)
    except InputError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 600


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "params.yaml").write_bytes(b"fit: \xff")
    with pytest.raises(InputError, match="not readable as YAML"):
        load_params(tmp_path / "params.yaml")


def test_a_missing_file_says_how_to_make_a_workspace(tmp_path):
    with pytest.raises(InputError, match="run 'refract init DIR' to make one"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("delimiter: ab", "ingest.delimiter: must be one character, or 'tab'"),
        ("quoting: maybe", "ingest.quoting: must be 'quoted', 'escaped' or 'none'"),
        ("header: -1", "ingest.header: must be greater than or equal to 0"),
        ("encoding: rot13", "ingest.encoding: must be an encoding such as 'utf-8' or 'cp1252'"),
    ],
)
def test_how_documents_are_written_is_validated(tmp_path, line, message):
    (tmp_path / "params.yaml").write_text("ingest: {delimiter: tab, encoding: cp1252}\n")
    assert load_params(tmp_path / "params.yaml").ingest.delimiter == "\t"
    (tmp_path / "params.yaml").write_text(f"ingest:\n  {line}\n")
    with pytest.raises(InputError, match=message):
        load_params(tmp_path / "params.yaml")


def test_the_same_content_is_read_once_and_another_at_once(tmp_path):
    file = tmp_path / "params.yaml"
    file.write_text("fit:\n  seed: 5\n")
    first = load_params(file)
    assert load_params(file) is first
    file.write_text("fit:\n  seed: 6\n")
    assert (first.fit.seed, load_params(file).fit.seed) == (5, 6)
    file.write_text("fit:\n  seed: x\n")
    for _ in range(2):
        with pytest.raises(InputError, match=r"^params.yaml: fit.seed"):
            load_params(file)
