"""What is said where a pointer leads to no store, or to one that is away or refuses."""

import http.server
import threading
import traceback

import pytest

from tasks.core.remote.manifests import TablePointer
from tasks.core.store import tables
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tests.buckets import KEYS, Bucket
from tests.core.store.pointed import point
from tests.core.store.test_tables import append, read, replace

pytestmark = pytest.mark.usefixtures("keys")


@pytest.mark.parametrize(
    "content",
    [
        *("", "{}", "rubbish", '{"url": "file:///etc"}', '{"url": "s3://bucket/../shop"}'),
        '{"url": "s3://user:key@bucket/shop"}',
        '{"url": "s3://bucket/shop", "options": {"endpoint": 1}}',
    ],
)
def test_a_file_that_leads_to_no_store_is_refused(tmp_path, content):
    path = tmp_path / "t.lance"
    path.write_text(content)
    with pytest.raises(InputError, match="leads to no table"):
        tables.count(path)


def test_a_store_that_is_away_is_waited_for_and_then_told_in_one_line(tmp_path):
    bucket = Bucket(tmp_path / "s3")
    try:
        path = point(tmp_path / "t.lance", bucket.endpoint, "shop", patience=20.0)
        replace(path, list("abcdef"))
        bucket.stop()
        threading.Timer(2.0, bucket.start).start()
        append(path, ["g"])
        assert len(read(path)) == 7
    finally:
        bucket.stop()
    impatient = read_manifest(path, TablePointer)
    options = impatient.options.model_copy(update={"patience": 1.0})
    write_manifest(path, impatient.changed(options=options))
    for use in (read, lambda table: append(table, ["h"])):
        with pytest.raises(InputError, match="expected an object store that answers") as told:
            use(path)
        assert "\n" not in str(told.value)
    assert tables.version(path) == 2


class _Echo(http.server.BaseHTTPRequestHandler):
    """A store that refuses, and repeats what it was sent, as AWS repeats the name of a key."""

    def refuse(self):
        sent = self.headers.get("Authorization", "")
        words = (
            f"<Error><Code>InvalidAccessKeyId</Code>\n<Sent>{sent} {KEYS}</Sent><Message>no"
            f"</Message><AWSAccessKeyId>{KEYS['AWS_ACCESS_KEY_ID']}</AWSAccessKeyId></Error>"
        ).encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(words)

    def log_message(self, *_):
        pass


for verb in ("GET", "PUT", "POST", "HEAD"):
    setattr(_Echo, f"do_{verb}", _Echo.refuse)


def test_no_key_is_in_what_is_said_of_a_store_that_refuses(tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        path = point(tmp_path / "t.lance", endpoint, "shop")
        with pytest.raises(InputError) as told:
            replace(path, ["a"])
    finally:
        server.shutdown()
        server.server_close()
    said = "".join(traceback.format_exception(told.value))
    assert "403" in said or "InvalidAccessKeyId" in said
    for key in KEYS.values():
        assert key not in said
