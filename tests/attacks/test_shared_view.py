"""One View object, four threads, thirty refits: no error, and never a mixture."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from flows import Workspace
from flows.fit import fit
from flows.materialise import materialise
from tests.flows import conftest as worlds
from tests.world import documents, write_labels

pytestmark = [pytest.mark.attack, pytest.mark.server, pytest.mark.timeout(1_800)]
prefect_server, _made, made = worlds.prefect_server, worlds._made, worlds.made
REFITS = 30


def test_a_view_that_four_threads_share_through_thirty_refits(made, tmp_path):
    view = Workspace(made).view("mood")
    seen = {}
    for rows in (40, 50):
        write_labels(made, "mood", documents()[:rows])
        fit(made)
        materialise(made)
        seen[rows] = (view.hits("thank you", k=72), view.neighbours("t03", k=71))
    assert seen[40] != seen[50]
    end = threading.Event()

    def read(n):
        answers = 0
        while not end.is_set():
            assert view.hits("thank you", k=72) in [hits for hits, _ in seen.values()]
            assert view.neighbours("t03", k=71) in [near for _, near in seen.values()]
            assert len(view.vectors()) == view.export(tmp_path / f"{n}.npy") == 72
            answers += 1
        return answers

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, n) for n in range(4)]
        try:
            for n in range(REFITS):
                write_labels(made, "mood", documents()[: (40, 50)[n % 2]])
                fit(made)
                materialise(made)
        finally:
            end.set()
        assert all(reader.result() > 0 for reader in readers)
