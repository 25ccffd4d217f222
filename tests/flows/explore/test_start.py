"""`refract explore` typed twice: the second time it says where the first one answers."""

import os
import re
import time

from tests.exploring import PATIENCE
from tests.programs import Program

LINK = r"http://\S+/\?token=[0-9a-f]+"


class Started(Program):
    """A `refract explore` that nobody has waited for."""

    def __init__(self, root, log):
        super().__init__(root, log)
        self.begin(os.environ, "explore", "--port", "0", "--no-browser")


def test_of_two_that_start_at_once_one_answers_and_the_other_tells_its_link(made, tmp_path):
    both = [Started(made, tmp_path / name) for name in ("one", "other")]
    try:
        last = time.monotonic() + PATIENCE
        while all(each.process.poll() is None for each in both):
            assert time.monotonic() < last, [each.said() for each in both]
            time.sleep(0.05)
        ended, stays = sorted(both, key=lambda each: each.process.poll() is None)
        assert ended.process.returncode == 0 and stays.process.poll() is None
        said = re.fullmatch(rf"refract explore is at ({LINK})\n(?s:.*)", stays.said())
        assert said, stays.said()
        assert f"refract explore runs already at {said[1]}\n" in ended.said()
        assert stays.stop() in (0, -15)
        assert ended.log.read_text().count("Traceback") == 0
    finally:
        for each in both:
            each.end()
