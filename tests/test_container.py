"""The Dockerfile and the compose file, as far as they can be judged without Docker."""

import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from tests.serving import environment

ROOT = Path(__file__).parents[1]


def instructions():
    """Return the words of every instruction of the Dockerfile, lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.M)
    return [line.split(None, 1) for line in re.sub(r"\\\n", " ", text).splitlines() if line]


def test_an_image_is_built_of_files_that_are_there_and_not_ignored():
    copied = [
        name
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from")
        for name in rest.split()[:-1]
    ]
    allowed = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    assert {"refract", "flows", "tasks", "pyproject.toml", "hatch_build.py"} <= set(copied)
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in allowed


def test_a_container_runs_as_a_user_without_rights():
    users = [rest for word, rest in instructions() if word == "USER"]
    assert users == ["refract"]


@pytest.fixture
def server():
    class Health(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/api/health" else 404)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    server.server_close()


def test_the_health_check_asks_the_server_of_serve_or_the_one_it_was_given(server, tmp_path):
    (said,) = [rest for word, rest in instructions() if word == "HEALTHCHECK"]
    _, *words = json.loads(said[said.index("[") :])

    def healthy(**more):
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment(**more), capture_output=True)
        return done.returncode == 0

    assert not healthy()
    assert healthy(PREFECT_API_URL=server)
    (tmp_path / ".refract").mkdir()
    (tmp_path / ".refract" / "server.json").write_text(json.dumps({"url": server}))
    assert healthy()
    assert not healthy(PREFECT_API_URL="http://127.0.0.1:9/api")


def test_the_services_listen_on_this_machine_alone_and_hold_no_secret():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    assert set(services) == {"database", "prefect", "refract"}
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    for service in services.values():
        for name, value in service["environment"].items():
            if name.endswith(("PASSWORD", "AUTH_STRING")):
                assert re.fullmatch(r"\$\{\w+:\?set it in .env\}", value)
