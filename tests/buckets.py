"""A real S3 server on loopback, which holds conditional puts; its buckets are folders."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAPRETENDEDKEYID00", "AWS_SECRET_ACCESS_KEY": "pretended/secret+0"}
BUCKET = "bucket"


class Bucket:
    """A server of one bucket, below `folder`; it may be stopped, and started again."""

    def __init__(self, folder: Path) -> None:
        (folder / BUCKET).mkdir(parents=True)
        self.folder = folder / BUCKET
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "localbucket", str(self.folder.parent)]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise TimeoutError("no S3 server came up")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def settings(self, **more: object) -> dict[str, object]:
        """Return a section `store` of params.yaml; localbucket knows no bulk deletion."""
        url = f"s3://{BUCKET}/shop"
        return {"url": url, "endpoint": self.endpoint, "bulk_delete": False, **more}

    def bytes(self) -> int:
        """Return the bytes of all objects."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


def with_keys() -> None:
    """Give this process keys, as the environment of a user does."""
    os.environ.update(KEYS)
