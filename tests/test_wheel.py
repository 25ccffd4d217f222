"""One import name, `refract`: a wheel beside whatever its user calls `flows` and `tasks`."""

import ast
import re
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.serving import environment
from tests.world import documents, set_params, write_documents, write_labels

ROOT = Path(__file__).parents[1]
HOSTILE = "raise SystemExit('a module of the current folder was imported')\n"


def hook():
    pytest.importorskip("hatchling", reason="no hatchling here: 'make env' installs it")
    import hatch_build

    return hatch_build


def alone(folder, *words, **more):
    """Run a command in `folder` with nothing of this checkout on its path, but what `more` says."""
    clean = {k: v for k, v in environment().items() if not k.startswith("PYTHON")} | more
    return subprocess.run(words, cwd=folder, env=clean, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    hook()
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The programs of an environment with the wheel; what that needs is read from this one's."""
    folder = tmp_path_factory.mktemp("fresh") / "env"
    venv.EnvBuilder(symlinks=True).create(folder)
    (packages,) = folder.glob("lib/*/site-packages")
    heavy = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "heavy.pth").write_text("\n".join(heavy))
    programs = folder / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install"]
    subprocess.run([*pip, "-q", "--no-deps", "--no-index", str(wheel)], check=True)
    return programs


def hostile(folder):
    """Lay modules of all names that matter into `folder`, each of which ends who imports it."""
    for name in ("flows/__init__.py", "tasks.py", "refract.py", "prefect.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(HOSTILE)
    return folder


@pytest.mark.server
def test_a_wheel_works_in_a_folder_with_modules_of_the_same_names(installed, tmp_path, tiny_model):
    folder = hostile(tmp_path / "shop")
    refract = str(installed / "refract")
    done = alone(folder, refract, "init", ".")
    assert done.returncode == 0, done.stderr
    model = {"model": str(tiny_model), "precision": "float32"}
    set_params(folder, embed=model, fit={"method": "discriminant"})
    write_documents(folder, documents())
    write_labels(folder, "mood", documents()[:40])
    done = alone(folder, refract, "run")
    assert done.returncode == 0, done.stderr
    assert "materialise mood: 72 rows" in done.stdout
    script = (
        "from refract import Workspace, View\n"
        "view = Workspace().view('mood')\n"
        "print(isinstance(view, View), view.search('thank you so much', k=1)['label'][0])"
    )
    done = alone(folder, str(installed / "python"), "-P", "-c", script)
    assert done.stdout.split() == ["True", "glad"], done.stderr


def test_a_wheel_takes_one_name(wheel, installed, tmp_path):
    names = {name.partition("/")[0] for name in ZipFile(wheel).namelist()}
    assert [name for name in names if not name.endswith(".dist-info")] == ["refract"]
    (tmp_path / "flows.py").write_text("MINE = True")
    script = "import sys, flows, refract; refract.View; print(flows.MINE, 'tasks' in sys.modules)"
    done = alone(tmp_path, str(installed / "python"), "-c", script)
    assert done.stdout.split() == ["True", "False"], done.stderr


def test_a_checkout_tells_of_a_foreign_module_in_the_way(tmp_path):
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "__init__.py").touch()
    done = alone(tmp_path, sys.executable, "-c", "import refract", PYTHONPATH=str(ROOT))
    last = done.stderr.strip().splitlines()[-1]
    assert re.match(r"ImportError: refract: found a module 'flows' at .*; expected its own", last)
    assert "rename yours" in last


def test_imports_are_moved_and_nothing_else_is():
    source = (
        b'"""In a docstring: from flows import Workspace."""\n'
        b"from flows.state import trust; from tasks import (\n    fit,\n)\n"
        b"import json, tasks\n"
        b"def f():\n    \xc3\xa9 = 1; import flows.cli as cli; from tasks.core import text\n"
        b"from . import flows\nfrom flowsome import tasks\nx = 'tasks.core'  # import tasks\n"
    )
    assert hook().moved(source, "a.py") == (
        b'"""In a docstring: from flows import Workspace."""\n'
        b"from refract.flows.state import trust; from refract.tasks import (\n    fit,\n)\n"
        b"import json, refract.tasks as tasks\n"
        b"def f():\n    \xc3\xa9 = 1; import refract.flows.cli as cli;"
        b" from refract.tasks.core import text\n"
        b"from . import flows\nfrom flowsome import tasks\nx = 'tasks.core'  # import tasks\n"
    )
    with pytest.raises(ValueError, match=r"a.py:1: found 'import flows.cli'; expected 'from"):
        hook().moved(b"import flows.cli\n", "a.py")


def test_no_string_names_a_module_that_has_another_name_in_a_wheel():
    """Say it by `__name__` or `__package__` instead."""
    named = []
    for folder in ("refract", "flows", "tasks"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_bytes())):
                value = node.value if isinstance(node, ast.Constant) else None
                if isinstance(value, str) and re.fullmatch(r"(flows|tasks)(\.\w+)+(:\w+)?", value):
                    named.append(f"{file.relative_to(ROOT)}:{node.lineno}: {value}")
    assert named == []
