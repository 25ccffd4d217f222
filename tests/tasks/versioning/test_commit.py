"""What git gets of a recorded state, and what it must not: real repositories, no DVC."""

import json
import os
import subprocess

import pytest

from flows.state.tracked_files import tracked_files
from tasks.core.settings.running_sections import RecordSettings
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_json, write_text
from tasks.core.workspace.manifests import CorpusFigures, Scores
from tasks.core.workspace.paths import Paths
from tasks.versioning import history
from tasks.versioning.commit import check_committable, commit, uncommitted
from tasks.versioning.run_git_and_dvc import RepositoryError

BY_ADA = RecordSettings(author="Ada <ada@example.org>")


@pytest.fixture(autouse=True)
def _no_identity(monkeypatch, tmp_path):
    """Keep the machine's own settings out: nobody's name, mail, hooks or signatures."""
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


def git(root, *arguments):
    identity = ("-c", "user.name=user", "-c", "user.email=user@example.org")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=root, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def set_view(root, name, fingerprint, texts=48):
    scores = {"fingerprint": fingerprint, "texts": texts, "labels": 2, "method": "identity"}
    write_json(Paths(root).metric(name), scores)


def make_state(root):
    paths = Paths(root)
    write_text(paths.params, "{}\n")
    write_text(paths.lock, "stages: {}\n")
    write_text(paths.labels / "mood.csv", "id,label\n")
    write_json(paths.corpus_figures, {"texts": 72})
    set_view(root, "mood", "one")
    return root


@pytest.fixture
def root(tmp_path):
    """A workspace in git with a user's own file, one commit, nothing recorded yet."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    write_text(tmp_path / "notes.txt", "mine\n")
    git(tmp_path, "add", "notes.txt")
    git(tmp_path, "commit", "--quiet", "-m", "mine")
    return make_state(tmp_path)


def record(root, subject="run", settings=BY_ADA):
    return commit(root, subject, tracked_files(Paths(root)), settings)


def files_of(root, rev="HEAD"):
    return git(root, "show", "--format=", "--name-only", rev).splitlines()


SIGNER = """#!/bin/sh
cat > /dev/null
echo "[GNUPG:] SIG_CREATED D 1 8 00 0 0" >&2
echo "-----BEGIN PGP SIGNATURE-----"
echo "-----END PGP SIGNATURE-----"
"""


@pytest.mark.parametrize(("sign", "by_git", "signed"), [(True, "false", 2), (False, "true", 0)])
def test_commits_and_tags_are_signed_as_params_say_whatever_git_is_set_to(
    root, tmp_path, sign, by_git, signed
):
    """Git calls a program for it; here one that signs whatever it is given."""
    signer = tmp_path / "signer.sh"
    signer.write_text(SIGNER)
    signer.chmod(0o755)
    for key, value in (("gpg.program", signer), ("commit.gpgsign", by_git)):
        git(root, "config", key, str(value))
    record(root, settings=RecordSettings(author=BY_ADA.author, sign=sign))
    made = [git(root, "cat-file", "-p", rev) for rev in ("HEAD", "view/mood/v1")]
    assert sum("BEGIN PGP SIGNATURE" in one for one in made) == signed


def test_a_commit_holds_the_state_alone_with_the_configured_author_and_a_tag(root):
    made = record(root)
    assert made.commit == git(root, "rev-parse", "HEAD")
    assert sorted(files_of(root)) == [
        *("data/labels/mood.csv", "data/metrics/corpus.json", "data/metrics/scores/mood.json"),
        *("dvc.lock", "params.yaml"),
    ]
    assert git(root, "log", "-1", "--format=%an <%ae> %cn <%ce>") == " ".join([BY_ADA.author] * 2)
    assert git(root, "log", "-1", "--format=%s") == "run: 72 texts; mood 48 labels, view v1"
    assert made.tags == ("view/mood/v1",)
    assert git(root, "cat-file", "-t", "view/mood/v1") == "tag"


def test_what_is_staged_changed_or_new_elsewhere_stays_as_it_is(root):
    write_text(root / "notes.txt", "staged\n")
    git(root, "add", "notes.txt")
    write_text(root / "notes.txt", "staged, then changed\n")
    write_text(root / "staged.py", "new\n")
    git(root, "add", "staged.py")
    write_text(root / "untracked.py", "new\n")
    before = git(root, "status", "--porcelain", "notes.txt", "staged.py", "untracked.py")
    staged = git(root, "diff", "--cached", "notes.txt", "staged.py")
    record(root)
    assert git(root, "status", "--porcelain") == before
    assert git(root, "diff", "--cached") == staged
    assert not {"notes.txt", "staged.py", "untracked.py"} & set(files_of(root))


def test_the_first_commit_of_a_branch_can_be_a_recorded_one(tmp_path):
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    make_state(tmp_path)
    write_text(tmp_path / "staged.py", "new\n")
    git(tmp_path, "add", "staged.py")
    record(tmp_path)
    assert "params.yaml" in files_of(tmp_path)
    assert git(tmp_path, "status", "--porcelain") == "A  staged.py"


def test_nothing_new_makes_no_commit_and_no_tag(root):
    first = record(root)
    assert record(root) == type(first)(None, None, ())
    assert git(root, "rev-parse", "HEAD") == first.commit


def test_a_merge_in_progress_is_refused_and_nothing_is_lost(root):
    record(root)
    git(root, "switch", "--quiet", "-c", "other", "HEAD~1")
    write_text(root / "notes.txt", "theirs\n")
    git(root, "commit", "--quiet", "-am", "theirs")
    git(root, "switch", "--quiet", "main")
    write_text(root / "notes.txt", "ours\n")
    git(root, "commit", "--quiet", "-am", "ours")
    with pytest.raises(AssertionError):
        git(root, "merge", "other")
    set_view(root, "mood", "two")
    before = git(root, "status", "--porcelain")
    with pytest.raises(InputError, match="a merge is in progress; expected none; finish it"):
        record(root)
    assert git(root, "status", "--porcelain") == before
    git(root, "merge", "--abort")
    assert record(root).tags == ("view/mood/v2",)


def test_a_detached_head_is_refused_with_the_way_to_a_branch(root):
    record(root)
    git(root, "checkout", "--quiet", "--detach")
    with pytest.raises(InputError, match=r"HEAD is detached.*git switch -c NAME"):
        check_committable(root, None)


def test_without_any_identity_the_key_to_set_is_named(root, monkeypatch):
    git(root, "config", "user.useConfigOnly", "true")
    with pytest.raises(InputError, match=r"no identity to commit with.*record\.author"):
        record(root, settings=RecordSettings())
    assert record(root).commit


def test_a_folder_without_git_is_refused_with_what_to_run(tmp_path):
    with pytest.raises(InputError, match="no git repository"):
        check_committable(make_state(tmp_path), None)


def test_scores_of_a_newer_refract_are_refused_in_one_line(root):
    file = history.score_file("mood")
    write_json(root / file, {"format": 2, "v_measure": {}})
    write_json(root / history.CORPUS, ["odd"])
    git(root, "add", file, history.CORPUS)
    git(root, "commit", "--quiet", "-m", "from the future")
    assert history.corpora_at(root, ["HEAD"]) == [CorpusFigures()]
    assert history.scores_at(root, [("HEAD~1", file)]) == [Scores()]
    message = rf"^HEAD:{file}: was written by a newer Refract \(format 2.*; upgrade Refract$"
    with pytest.raises(InputError, match=message):
        history.figures_at(root, ["HEAD"])


def test_a_tag_that_a_kill_left_out_is_made_up_for_at_the_commit_it_belongs_to(root):
    made = record(root, settings=RecordSettings(author=BY_ADA.author, tag=False))
    assert made.tags == ()
    write_text(root / "notes.txt", "later\n")
    git(root, "commit", "--quiet", "-am", "later")
    again = record(root)
    assert (again.commit, again.tags) == (None, ("view/mood/v1",))
    assert git(root, "rev-parse", "view/mood/v1^{commit}") == made.commit
    assert record(root).tags == ()


def test_each_new_transform_gets_the_next_number_and_rows_that_arrive_get_none(root):
    record(root)
    set_view(root, "mood", "two")
    assert record(root).tags == ("view/mood/v2",)
    write_json(Paths(root).corpus_figures, {"texts": 80})
    made = record(root, "corpus/2026-11-21")
    assert (made.message, made.tags) == ("corpus/2026-11-21: 72 → 80 texts", ())
    set_view(root, "topic", "one")
    assert record(root).tags == ("view/topic/v1",)


def test_an_earlier_transform_that_comes_back_is_a_new_version_that_says_which(root):
    record(root)
    set_view(root, "mood", "two")
    record(root)
    set_view(root, "mood", "one")
    made = record(root, "rollback/mood")
    assert made.tags == ("view/mood/v3",)
    assert made.message.startswith("rollback/mood: 48 labels, view v3 = v1")


def test_a_branch_from_an_older_version_needs_no_new_tag_until_it_differs(root):
    record(root)
    set_view(root, "mood", "two")
    record(root)
    git(root, "switch", "--quiet", "-c", "older", "view/mood/v1")
    assert record(root).tags == ()
    set_view(root, "mood", "three")
    assert record(root).tags == ("view/mood/v3",)


def test_what_git_ignores_is_passed_over(root):
    write_text(root / ".gitignore", "/data/metrics/\n/dvc.lock\n")
    record(root)
    assert sorted(files_of(root)) == [".gitignore", "data/labels/mood.csv", "params.yaml"]


def test_a_file_the_user_may_have_changed_is_committed_only_at_first(root):
    write_text(root / ".gitignore", "/.refract/\n")
    record(root)
    write_text(root / ".gitignore", "/.refract/\n*.tmp\n")
    assert record(root).commit is None
    assert git(root, "status", "--porcelain") == "M .gitignore"


def test_label_files_go_and_come_under_any_name_but_not_those_of_editors(root):
    record(root)
    paths = Paths(root)
    (paths.labels / "mood.csv").unlink()
    for name in ("a b*.csv", ":(top)x.csv", "ümlaut.csv", ".mood.csv.swp", "mood.csv~"):
        write_text(paths.labels / name, "x\n")
    record(root)
    listed = git(root, "-c", "core.quotePath=false", "ls-files", "data/labels").splitlines()
    assert listed == ["data/labels/:(top)x.csv", "data/labels/a b*.csv", "data/labels/ümlaut.csv"]


def test_a_workspace_below_the_top_commits_its_own_files_and_prefixes_its_tags(tmp_path):
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    make_state(tmp_path / "other")
    made = record(make_state(tmp_path / "shop"))
    assert made.tags == ("shop/view/mood/v1",)
    assert all(name.startswith("shop/") for name in files_of(tmp_path))
    assert "shop/data/metrics/scores/mood.json" in files_of(tmp_path)
    assert uncommitted(tmp_path / "shop", tracked_files(Paths(tmp_path / "shop"))) == []
    set_view(tmp_path / "shop", "mood", "two")
    assert record(tmp_path / "shop").message.startswith("run: mood 48 labels, view v2")


def test_a_hook_that_refuses_is_reported_and_the_next_record_goes_on(root):
    hook = root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    write_text(hook, "#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(RepositoryError, match="git commit: no"):
        record(root)
    hook.unlink()
    assert record(root).tags == ("view/mood/v1",)


def test_scores_that_are_no_json_in_an_old_commit_count_as_none(root):
    write_text(Paths(root).metric("mood"), "<<<<<<<")
    record(root)
    set_view(root, "mood", "two")
    assert json.loads(Paths(root).metric("mood").read_text())["fingerprint"] == "two"
    assert record(root).commit


def test_a_commit_of_many_views_holds_a_line_for_each(root):
    for n in range(1_500):
        set_view(root, f"aspect-with-quite-a-long-name-for-its-instruction-{n:04}", "one")
    settings = BY_ADA.model_copy(update={"tag": False})
    made = record(root, settings=settings)
    assert len(made.message.encode()) > 131_072, "more than one argument of a command may hold"
    assert git(root, "log", "-1", "--format=%B") == made.message
