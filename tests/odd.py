"""What may lie in a folder without being a file that can be read."""

import os
import socket

NOT_UTF8 = os.fsdecode(b"\xff.csv")


def make_odd(folder):
    """Lay one of each kind into `folder` beside a label file; return the odd ones."""
    folder.mkdir(parents=True)
    (folder / "mood.csv").write_text("id,label\n")
    (folder / "linked.csv").symlink_to("mood.csv")
    (folder / "loop").symlink_to("loop")
    (folder / "dangling.csv").symlink_to("nowhere.csv")
    (folder / NOT_UTF8).write_text("id,label\n")
    (folder / "tone").mkdir()
    os.mkfifo(folder / "tone" / "a [1]*.csv")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / "door"))
    return {"loop", "dangling.csv", NOT_UTF8, "tone/a [1]*.csv", "door"}
