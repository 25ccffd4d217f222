"""Versions on either side of a turn to another encoder."""

from __future__ import annotations

import pytest

from flows.checkout import checkout
from flows.migrate import migrate
from flows.run import run
from tasks.core.settings.params import load_params
from tests.flows.history import corrupted, seen
from tests.world import set_params

pytestmark = [pytest.mark.server, pytest.mark.dvc]


def test_a_version_by_the_encoder_before_comes_back_and_goes_again(root, seen_at, other):
    set_params(root, embed={"next": {"model": str(other)}})
    migrate(root)
    after = seen(root)
    assert set(run(root, commit=True).record.tags) == {"view/mood/v3", "view/topic/v2"}
    assert corrupted(root) == []
    for rev, expected in (("whole/v3", seen_at["v3"]), ("main", after)):
        checkout(root, rev)
        assert seen(root) == expected
        assert (load_params(root / "params.yaml").embed.model == str(other)) == (rev == "main")
        assert run(root).embed is None
