"""Tables that a workspace of others says lie in a store: nobody is asked before the user agrees."""

import socket

import pytest

from flows import Workspace
from tasks.core.remote.manifests import StoreOptions, TablePointer
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import write_manifest
from tasks.core.workspace.paths import Paths
from tests.commands import refract, refused
from tests.hostile import clone

SAID = "tables are read from and written to s3://theirs/shop by http://127.0.0.1"
VERBS = [
    *(["search", "x", "--view", "base"], ["similar", "x", "--view", "base"], ["maintain"]),
    *(["export", "base", "x.csv"], ["report"], ["doubts", "part"], ["rollback", "part"]),
    *(["checkout", "main"], ["diff", "main"]),
]


@pytest.fixture
def listening():
    """A host that would be asked; nothing ever connects to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield server
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.fixture
def stranger(origin, listening):
    root = clone(origin)
    endpoint = f"http://127.0.0.1:{listening.getsockname()[1]}"
    pointer = TablePointer(
        url="s3://theirs/shop/vectors/base.lance",
        options=StoreOptions(endpoint=endpoint, patience=1.0),
        version=1,
    )
    write_manifest(Paths(root).base_table, pointer)
    return root


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_no_verb_opens_a_table_in_a_store_that_nobody_agreed_to(stranger, words):
    assert "expected that you agree" in refused(stranger, *words)


@pytest.mark.parametrize("verb", ["embed", "fit", "materialise", "run"])
def test_nor_does_one_that_has_nothing_to_make(stranger, verb):
    assert refract(stranger, verb).code in (0, 2)


def test_the_store_is_named_and_agreed_to_by_its_address(stranger):
    assert SAID in refused(stranger, "search", "x", "--view", "base")
    with pytest.raises(InputError, match="with your keys"):
        Workspace(stranger)
    assert refract(stranger, "status").code == 0
    code, told, _ = refract(stranger, "trust", "--yes")
    assert code == 0
    assert f"new: {SAID}" in told
    assert f"agreed: {SAID}" in refract(stranger, "trust").out


def test_settings_that_name_a_store_are_asked_about_before_a_table_is_made(origin, listening):
    root = clone(origin)
    endpoint = f"http://127.0.0.1:{listening.getsockname()[1]}"
    section = f"store: {{url: 's3://theirs/shop', endpoint: '{endpoint}'}}\n"
    Paths(root).params.write_text(section)
    assert SAID in refused(root, "maintain")


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            "store: {url: 's3://AKIAABCDEFGH:wJalrXUtnFEMI@bucket/shop'}",
            "must be s3://BUCKET/FOLDER",
        ),
        ("store: {url: 's3://bucket/shop?key=wJalrXUtnFEMI'}", "must be s3://BUCKET/FOLDER"),
        ("store: {url: 'file:///etc'}", "must be s3://BUCKET/FOLDER"),
        ("store: {url: 's3://bucket/../shop'}", "must be s3://BUCKET/FOLDER"),
        ("store: {endpoint: 'http://me:wJalrXUtnFEMI@host'}", "must be http://HOST:PORT"),
        ("store: {aws_secret_access_key: wJalrXUtnFEMI}", "unknown key; expected one of: url"),
        ("store: {url: 's3://bucket/shop', options: {secret: wJalrXUtnFEMI}}", "unknown key"),
    ],
)
def test_keys_have_no_place_in_the_settings_and_are_not_repeated(origin, section, said):
    Paths(origin).params.write_text(section + "\n")
    told = refused(origin, "status")
    assert said in told
    assert "wJalrXUtnFEMI" not in told
