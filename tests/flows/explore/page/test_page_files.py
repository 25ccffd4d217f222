"""The files of the page: what they may not do, and where their colours and parts come from."""

import hashlib
import re
from pathlib import Path

import pytest

from flows.explore import routes
from tasks.core.report.colours import DARK, LIGHT

PAGE = Path(routes.__file__).parents[1] / "page"
VENDOR = PAGE / "vendor"
OWN = [file for file in sorted(PAGE.rglob("*")) if file.is_file() and VENDOR not in file.parents]
MAKES_CODE = re.compile(
    r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|\bFunction\(|\bstyle=|\bon\w+=\""
)
ELSEWHERE = re.compile(r"(https?:)?//[\w.]+\.\w+")


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.name)
def test_no_file_makes_markup_or_code_of_text_or_names_another_place(file):
    text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert MAKES_CODE.findall(text) == []
    assert ELSEWHERE.findall(text) == []
    assert text.count("\n") <= 300


def test_a_vendored_file_is_the_one_that_its_readme_names():
    about = (VENDOR / "README.md").read_text("utf-8")
    for file in VENDOR.glob("*.js"):
        assert hashlib.sha256(file.read_bytes()).hexdigest() in about
        assert (VENDOR / f"{file.stem}.LICENSE").is_file()
        assert not re.search(r"\beval\(|\bFunction\(", file.read_text("utf-8"))


def test_the_colours_are_those_of_the_report():
    style = (PAGE / "style.css").read_text("utf-8")
    found = {
        name: pair for name, *pair in re.findall(r"--(\S+): light-dark\((\S+), (\S+)\)", style)
    }
    for name, light in LIGHT.variables().items():
        assert found[name] == [light, DARK.variables()[name]], name
