"""A key that was pasted into params.yaml is never repeated."""

import pytest

from tests.core.settings.loading import refusal

KEY = "sk-proj-Ab3dE6gH9jK2mN5pQ8sT"


@pytest.mark.parametrize(
    "text",
    [
        f"label: {{key_env: {KEY}}}",
        "label: {key_env: hf_Ab3dE6gH9jK2mN5pQ8sT}",
        f"label: {{{KEY}: x}}",
        f"{KEY}: x",
        f"label: {KEY}",
        f"label: {{model: [{KEY}]}}",
        f"label: {{sampling: {KEY}}}",
        f"label: {{base_url: {KEY}}}",
        f"label: {{api_key: {KEY}}}",
        f"embed: {{device: '{KEY}'}}",
        f"serve: {{timezone: {KEY}}}",
        f"serve: {{corpus: '{KEY} * * * *'}}",
        f"serve: {{name: '{KEY} x'}}",
        f"instructions: {{{KEY}: x}}",
        f"instructions: [{KEY}]",
        f"- {KEY}",
        f"fit: !{KEY} x",
        f"fit: *{KEY}",
        f"{KEY}: 1\n{KEY}: 2",
        f"fit: {{seed: {KEY}}}",
    ],
)
def test_a_key_that_was_pasted_anywhere_is_never_repeated(tmp_path, text):
    said = refusal(tmp_path, text)
    assert KEY[8:] not in said
    assert "Ab3dE6gH9" not in said
