"""`refract report` on a real workspace, and its page in a real browser where there is one."""

import json
import re
import shutil
import struct
import subprocess
from html import escape as html_escape

import pytest
from click.testing import CliRunner

from flows import Workspace
from flows.cli.verbs import cli
from flows.queries.report import LISTED, report
from flows.state.live_transform import live_transform
from tasks.core.report import vega
from tasks.core.report.page import view_page
from tasks.core.transforms.card import CARD
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths
from tests.browser import BROWSER, Browser, in_browser
from tests.flows.cli.test_cli import refused
from tests.stories import EVIL, story


@pytest.fixture(scope="module")
def reported(_pooled, tmp_path_factory):
    """A workspace after `refract report`, and what the command printed."""
    root = shutil.copytree(_pooled, tmp_path_factory.mktemp("reported") / "world")
    done = CliRunner().invoke(cli, ["report", "--root", str(root)], catch_exceptions=False)
    assert done.exit_code == 0
    return root, done.output


def test_every_view_gets_a_page_and_a_picture_and_all_get_an_index(reported):
    root, said = reported
    paths = Paths(root)
    assert said.splitlines()[-1] == str(paths.report_index)
    for name in ("mood", "topic"):
        assert str(paths.report(name)) in said
        assert paths.report_picture(name).read_bytes().startswith(b"\x89PNG")
        assert f'href="{name}.html"' in paths.report_index.read_text("utf-8")
    assert list(paths.reports.glob(".*.tmp")) == []


def test_a_page_tells_scores_settings_and_which_texts_to_label(reported):
    paths = Paths(reported[0])
    page = paths.report("mood").read_text("utf-8")
    scores = read_json(paths.metric("mood"))
    for when in ("before", "after"):
        assert f"{scores[when]['triplets']:.1f}" in page
    card = read_json(paths.transform("mood") / "transform.json")
    assert card["fingerprint"] in page
    assert f"<dd>{card['gate']['state']}" in re.sub(r">\s+", ">", page)
    listed = set(re.findall(r"<code>(t\d\d)</code>", page))
    assert listed == set(Workspace(reported[0]).view("mood").suggest(2 * LISTED, 0.5)["id"])


def test_a_label_file_that_cannot_be_read_is_named_where_texts_to_label_would_be(made):
    (Paths(made).labels / "mood.csv").write_text("name,colour\na,red\n", "utf-8")
    report(made, "mood")
    page = Paths(made).report("mood").read_text("utf-8")
    section = page.split('<section id="next">')[1].split("</section>")[0]
    assert "Not listed: " in section
    assert "mood.csv: " in section


def test_the_same_workspace_gives_the_same_page_and_picture(reported, tmp_path):
    root = shutil.copytree(reported[0], tmp_path / "again")
    first, second = ([path.read_bytes() for path in report(root, "mood")] for _ in range(2))
    assert first == second
    assert first[0] == Paths(reported[0]).report_picture("mood").read_bytes()


def test_a_view_that_its_labels_have_left_behind_says_so(reported, tmp_path):
    root = shutil.copytree(reported[0], tmp_path / "changed")
    labels = root / "data" / "labels" / "mood.csv"
    labels.write_text(labels.read_text().replace("angry", "cross"))
    assert "its labels changed" in report(root, "mood")[-1].read_text("utf-8")
    labels.unlink()
    assert "label file is gone" in report(root, "mood")[-1].read_text("utf-8")


def test_a_view_that_does_not_exist_is_refused_in_one_line(reported, world):
    assert refused(reported[0], "report", "nope").startswith("refract: view 'nope': there is none")
    with pytest.raises(InputError, match="views: there are none"):
        report(world)
    assert not Paths(world).reports.exists()


@pytest.mark.parametrize("change", [{"tried": None}, {"more": 1}])
def test_a_card_with_a_key_less_or_more_is_refused_in_one_line(pooled, change):
    card = live_transform(Paths(pooled), "mood") / CARD
    found = read_json(card)
    settings = found["settings"] | change
    found["settings"] = {key: value for key, value in settings.items() if value is not None}
    card.write_text(json.dumps(found))
    (key,) = change
    said = refused(pooled, "report", "mood")
    assert f"found an unusable transform (settings.{key}: " in said
    assert "run 'refract materialise mood'" in said


PROBE = """<script type="module">
const until = async (ready) => { while (!ready()) await new Promise((go) => setTimeout(go, 20)); };
const said = document.documentElement.dataset;
await until(() => said.drawn);
said.overflow = document.documentElement.scrollWidth - innerWidth;
const mark = document.querySelector("#after path[aria-roledescription=circle]");
const { x, y } = mark.getBoundingClientRect();
mark.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX: x, clientY: y }));
await until(() => document.getElementById("tip").textContent);
said.images = document.images.length;
document.querySelector(".legend button").click();
await until(() => document.querySelector("#before path[opacity='0.05']"));
said.probed = "yes";
</script></body>"""


def browse(page, profile, *arguments, width=1440):
    """Open a page headless; return its DOM, and what it wrote on the console."""
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    command += [f"--user-data-dir={profile}", f"--window-size={width},2400", "--hide-scrollbars"]
    command += ["--virtual-time-budget=20000", *arguments, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, console


@in_browser
@pytest.mark.parametrize("width", [500, 1280])  # no window is narrower than 500
def test_a_browser_draws_the_charts_and_answers_the_reader(reported, tmp_path, width):
    root, _ = reported
    if width == 500:
        html, texts = view_page(story(text=EVIL), vega.script(Paths(root).scripts)), 12
    else:
        html, texts = Paths(root).report("mood").read_text("utf-8"), 72
    page = tmp_path / "probed.html"
    page.write_text(PROBE.join(html.rsplit("</body>", 1)), "utf-8")
    dom, console = browse(page, tmp_path / "profile", "--dump-dom", width=width)
    assert console == []  # neither an error nor a request that the page's own policy refused
    assert 'data-drawn="after before heat"' in dom
    assert 'data-probed="yes"' in dom
    assert dom.count('aria-roledescription="circle"') == 2 * texts
    assert dom.count('aria-roledescription="rect') >= 2
    assert int(re.search(r'data-overflow="(-?\d+)"', dom)[1]) <= 0
    assert 'data-images="0"' in dom
    if width == 500:
        assert html_escape(EVIL, quote=False) in dom.split('id="tip"')[1].split("</div>")[0]


def heat(dom, role):
    """Return what the heat map draws of a kind: texts and sizes in pixels."""
    drawn = dom.split('id="heat"')[1].split("</svg>")[0]
    part = drawn.partition(role)[2].partition("</g>")[0]
    return re.findall(r'font-size="(\d+)(?:\.\d+)?px"[^>]*>([^<]*)</text>', part)


@in_browser
@pytest.mark.parametrize(
    ("labels", "width", "size"),
    [(11, 390, "0"), (11, 500, "9"), (11, 1280, "12"), (20, 390, None)],
)
def test_the_heat_map_names_all_labels_and_leaves_out_figures_that_would_overlap(
    reported, tmp_path, labels, width, size
):
    names = tuple(f"a label of kind {n:02}" for n in range(labels))
    page = tmp_path / "many.html"
    script = vega.script(Paths(reported[0]).scripts)
    page.write_text(view_page(story(labels=names, n=2 * labels), script), "utf-8")
    with Browser(tmp_path / "profile") as browser:
        shown = browser.open(page.as_uri(), width)
        shown.until("document.documentElement.dataset.drawn")
        dom = shown.run("document.documentElement.outerHTML")
    above = [name for _, name in heat(dom, "role-axis-label")]
    assert above == list(names)
    figures = heat(dom, "mark-text role-mark")
    assert {each for each, _ in figures} == ({size} if size else set())
    assert len(figures) == (labels + 1 if size else 0)  # a cell each, and one that is amiss


@in_browser
def test_a_browser_makes_a_picture_of_the_page(reported, tmp_path):
    shot = tmp_path / "page.png"
    page = Paths(reported[0]).report("mood")
    _, console = browse(page, tmp_path / "profile", f"--screenshot={shot}")
    assert console == []
    assert struct.unpack(">II", shot.read_bytes()[16:24]) == (1440, 2400)
