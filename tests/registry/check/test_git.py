"""Schemas compared with what is committed, in repositories of every shape: right answers, or clear errors."""

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from registry.check.against import open_baseline
from registry.check.checking import check
from registry.check.ci import host
from registry.check.errors import BaselineError, ProjectError
from registry.check.git import Repository
from registry.check.project import load
from registry.check.sources import Sources
from registry.check.trees import FolderTree
from tests.registry.check.running import checked, found, told
from tests.support.repository import GitRepository

MISSING = "READER_FIELD_MISSING_DEFAULT_VALUE"


def record(*fields: str, name: str = "R") -> str:
    listed = ",\n".join(f'{{"name": "{field}", "type": "int"}}' for field in fields)
    return f'{{"type": "record", "name": "{name}", "fields": [\n{listed}\n]}}'


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """A repository whose main has one schema, of one field."""
    repository = GitRepository(tmp_path / "repository")
    repository.commit({"r.avsc": record("a")})
    return repository


def fault(root: Path, against: str | None = None, level: str | None = None) -> str:
    with pytest.raises((BaselineError, ProjectError)) as raised:
        checked(root, against, level)
    return str(raised.value)


def test_the_default_is_what_head_and_the_default_branch_have_in_common(repository: GitRepository) -> None:
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit({"r.avsc": record("a", "b")})
    repository.git("checkout", "-q", "main")
    repository.commit({"s.avsc": record("a", name="S")})  # not deleted by the topic, which began before
    repository.git("checkout", "-q", "topic")
    report = checked(repository.folder)
    base = repository.git("rev-parse", "main~1")
    said = "R.b is new and has no default: readers of the new schema cannot read old data, which lacks it"
    assert told(report) == [(MISSING, "r.avsc:3:10", said)]
    assert report.against == f"main at {base[:10]}"
    assert str(report.findings[0].old_place) == "main:r.avsc:1:28"
    assert ("SCHEMA_DELETED", "s.avsc") in found(checked(repository.folder, "git:main"))
    assert found(checked(repository.folder, "git:main...")) == found(report)


def test_what_is_not_committed_counts(repository: GitRepository) -> None:
    assert checked(repository.folder).unchanged == 1
    repository.write({"r.avsc": record("a", "b")})
    assert found(checked(repository.folder)) == [(MISSING, "r.avsc:3:10")]
    assert found(checked(repository.folder, "git:HEAD")) == [(MISSING, "r.avsc:3:10")]


def test_the_forms_of_a_ref(repository: GitRepository, tmp_path: Path) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.git("tag", "v1")
    repository.commit({"r.avsc": record("a", "b")})
    breaks = [(MISSING, "r.avsc:3:10")]
    for against in (
        "git:v1",
        f"git:{first}",
        f"git:{first[:12]}",
        "git:HEAD~1",
        ".git#tag=v1",
        ".git#ref=HEAD~1",
    ):
        assert found(checked(repository.folder, against)) == breaks, against
    assert found(checked(repository.folder, ".git#branch=main")) == []
    assert found(checked(repository.folder, ".git")) == []
    other = tmp_path / "other"
    other.mkdir()
    (other / "r.avsc").write_text(record("a", "b"))
    assert found(checked(other, "../repository/.git#tag=v1")) == breaks
    assert "'depth=1' is none of branch, tag, ref, commit, subdir" in fault(repository.folder, ".git#depth=1")
    assert "give one of branch, tag, ref and commit" in fault(repository.folder, ".git#tag=v1,branch=main")


def test_a_folder_of_a_repository(repository: GitRepository) -> None:
    repository.commit({"schemas/s.avsc": record("a", name="S"), "other/t.avsc": record("a", name="T")})
    repository.write({"schemas/s.avsc": record("a", "b", name="S")})
    inside = repository.folder / "schemas"
    assert found(checked(inside)) == [(MISSING, "s.avsc:3:10")]
    assert found(checked(inside, "../.git#subdir=schemas,branch=main")) == [(MISSING, "s.avsc:3:10")]


def test_a_renamed_file_is_followed_by_its_subject_and_through_the_history(repository: GitRepository) -> None:
    first = repository.git("rev-parse", "HEAD")[:10]
    repository.write({"fivebyte.toml": 'subject = "{stem}-value"\n'})
    repository.commit({"r.avsc": record("a", "b")})
    repository.git("mv", "r.avsc", "moved.avsc")
    repository.commit()
    (repository.folder / "folder").mkdir()
    repository.git("mv", "moved.avsc", "folder/moved.avsc")
    assert found(checked(repository.folder)) == []  # another folder, the same subject
    repository.write({"folder/moved.avsc": record("a", "b", "c")})
    (finding,) = checked(repository.folder, None, "BACKWARD_TRANSITIVE").findings[-1:]
    assert finding.element == "R.c"
    assert finding.also == (f"commit {first}",)  # when it was r.avsc
    (once,) = checked(repository.folder, None, "BACKWARD").findings
    assert once.also == ()


def test_transitive_levels_see_all_committed_versions(repository: GitRepository) -> None:
    first = repository.git("rev-parse", "--short=10", "HEAD")
    with_default = record("a").replace("\n]", ',\n{"name": "b", "type": "string", "default": "x"}\n]')
    repository.commit({"r.avsc": with_default})
    repository.commit({"other.txt": "x"})
    repository.write({"r.avsc": with_default.replace(', "default": "x"', "")})
    assert found(checked(repository.folder)) == []
    (finding,) = checked(repository.folder, None, "BACKWARD_TRANSITIVE").findings
    assert (finding.rule, finding.against) == (MISSING, f"commit {first}")
    assert str(finding.old_place) == f"{first}:r.avsc:1:28"


def test_the_history_of_a_schema_has_the_changes_of_what_it_refers_to(repository: GitRepository) -> None:
    user = '{"type": "record", "name": "U", "fields": [{"name": "r", "type": "R"}]}'
    repository.commit({"u.avsc": user})
    repository.commit({"r.avsc": record("a", "b").replace('"int"}\n]', '"int", "default": 1}\n]')})
    repository.write({"r.avsc": record("a", "b")})
    assert checked(repository.folder, None, "BACKWARD").findings == []
    report = checked(repository.folder, None, "BACKWARD_TRANSITIVE")
    assert [finding.element for finding in report.findings] == ["R.b", "U.r.b"]


def test_a_version_that_does_not_parse_is_passed_over_for_the_one_before(repository: GitRepository) -> None:
    broken = repository.commit({"r.avsc": record("a")[:-1] + "oops"})[:10]
    repository.write({"r.avsc": record("a", "b")})
    report = checked(repository.folder)
    assert [(one.rule, one.against) for one in report.findings][:1] == [
        ("OLD_SCHEMA_INVALID", f"main at {broken}")
    ]
    assert [one.rule for one in report.findings] == ["OLD_SCHEMA_INVALID", MISSING]
    assert str(report.findings[0].old_place) == "main:r.avsc:3:2"


def test_a_detached_head(repository: GitRepository) -> None:
    repository.git("checkout", "-q", "--detach")
    repository.commit({"r.avsc": record("a", "b")})
    assert found(checked(repository.folder)) == [(MISSING, "r.avsc:3:10")]


def test_a_shallow_clone_says_what_to_fetch(repository: GitRepository, tmp_path: Path) -> None:
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit({"s.avsc": record("a", name="S")})
    repository.commit({"r.avsc": record("a", "b")})
    repository.git("checkout", "-q", "main")  # the remote's default branch
    clone = repository.clone(tmp_path / "clone", "--depth=1", "--branch=topic")
    said = fault(clone.folder, "git:origin/main")
    assert "there is no commit origin/main" in said
    assert "git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'" in said
    assert "fetch-depth: 0" in said
    clone.git("fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main")
    said = fault(clone.folder)
    assert said.startswith("the clone is shallow: it does not reach what HEAD and origin/main have in common")
    assert "git fetch --unshallow origin" in said
    assert 'GIT_DEPTH: "0"' in said
    assert (MISSING, "r.avsc:3:10") in found(checked(clone.folder, "git:origin/main"))
    said = fault(clone.folder, "git:origin/main", "BACKWARD_TRANSITIVE")
    assert "the versions before origin/main at" in said
    clone.git("fetch", "-q", "--unshallow", "origin")
    clone.git("fetch", "-q", "origin")
    assert (MISSING, "r.avsc:3:10") in found(checked(clone.folder, None, "BACKWARD_TRANSITIVE"))


@pytest.mark.parametrize(
    ("options", "against"),
    [
        (["--depth=1"], None),
        (["--depth=1"], "git:main"),
        (["--depth=1"], "git:origin/main..."),
        (["--depth=1"], "git:HEAD~1"),
        (["--single-branch"], "git:main"),
        (["--single-branch"], "git:origin/main"),
        (["--single-branch"], "git:v1"),
    ],
)
def test_what_is_said_to_fetch_is_what_lacks(
    repository: GitRepository, tmp_path: Path, options: list[str], against: str | None
) -> None:
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit({"r.avsc": record("a", "b")})
    repository.git("checkout", "-q", "main")
    repository.commit({"s.avsc": record("a", name="S")})
    repository.git("tag", "v1")
    clone = repository.clone(tmp_path / "clone", "--no-tags", "--branch=topic", *options)
    said = fault(clone.folder, against)
    fetch = said[said.index("git fetch") :].partition(" (in GitHub")[0]
    branch, _, tag = fetch.partition(", or, if it is a tag, ")
    subprocess.run(tag if against == "git:v1" else branch, shell=True, cwd=clone.folder, check=True)
    assert (MISSING, "r.avsc:3:10") in found(checked(clone.folder, against))


@pytest.mark.parametrize("depth", [1, 2])
def test_a_pull_request_as_github_checks_it_out(
    repository: GitRepository, tmp_path: Path, depth: int
) -> None:
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit({"r.avsc": record("a", "b")})
    repository.git("checkout", "-q", "main")
    base = repository.commit({"s.avsc": record("a", name="S")})
    repository.git("checkout", "-q", "--detach")
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    repository.git("update-ref", "refs/pull/7/merge", "HEAD")
    repository.git("checkout", "-q", "main")
    repository.commit({"t.avsc": record("a", name="T")})  # main goes on: that is no change of the request
    runner = GitRepository(tmp_path / "runner")
    runner.git("remote", "add", "origin", repository.folder.as_uri())
    runner.git(
        "fetch",
        "-q",
        "--no-tags",
        f"--depth={depth}",
        "origin",
        "+refs/pull/7/merge:refs/remotes/pull/7/merge",
    )
    runner.git("checkout", "-q", "--force", "refs/remotes/pull/7/merge")
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_BASE_REF": "main",
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_SHA": runner.git("rev-parse", "HEAD"),
    }
    at = host(environment)
    assert at is not None
    if depth == 1:
        with pytest.raises(BaselineError, match=r"there is no commit origin/main .* fetch-depth: 0"):
            checked(runner.folder, default=at.against, merge=at.merge)
    else:
        report = checked(runner.folder, default=at.against, merge=at.merge)
        assert found(report) == [(MISSING, "r.avsc:3:10")]
        assert report.against == f"origin/main at {base[:10]}"
    # Another commit than the host's: the head of the request, say.
    with pytest.raises(BaselineError, match="no commit origin/main"):
        checked(runner.folder, default=at.against, merge=base)


def test_a_folder_that_the_commit_lacks(repository: GitRepository) -> None:
    assert fault(repository.folder, ".git#branch=main,subdir=schemsa") == (
        f"main at {repository.git('rev-parse', 'HEAD')[:10]} has no folder schemsa: see subdir in --against"
    )


def test_what_was_meant_by_against(repository: GitRepository) -> None:
    repository.git("branch", "release")
    assert "did you mean git:release?" in fault(repository.folder, "release")
    assert "give git:REF, a folder" in fault(repository.folder, "releas")
    assert "fivebyte diff r.avsc NEW --level BACKWARD" in fault(repository.folder, "r.avsc")
    assert "name a commit before the dots" in fault(repository.folder, "git:...")
    (repository.folder / "empty").mkdir()
    assert "empty has no schema to compare with" in fault(repository.folder, "empty")
    assert "git log --all" in fault(repository.folder, "git:HEAD~99")


def test_a_bare_repository(repository: GitRepository, tmp_path: Path) -> None:
    repository.git("clone", "-q", "--bare", str(repository.folder), str(tmp_path / "bare"))
    assert "is in a bare repository, which has no files to check" in fault(tmp_path / "bare")


def test_a_sparse_checkout_deletes_nothing(repository: GitRepository) -> None:
    repository.commit({"kept/s.avsc": record("a", name="S"), "left/t.avsc": record("a", name="T")})
    repository.git("sparse-checkout", "set", "--no-cone", "/kept/")
    assert not (repository.folder / "left").exists()
    assert found(checked(repository.folder)) == []
    repository.write({"kept/s.avsc": None})
    assert found(checked(repository.folder))[0] == ("SCHEMA_DELETED", "kept/s.avsc")


def test_in_a_hook_of_git(repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.commit({"sub/fivebyte.toml": "", "sub/r.avsc": record("a", name="Sub")})
    repository.git("worktree", "add", "-q", "-b", "topic", str(tmp_path / "tree"))
    tree = GitRepository(tmp_path / "tree")
    tree.write({"sub/r.avsc": record("a", "b", name="Sub")})
    # What git sets for the hooks of a commit in a worktree: with it, the top would be any folder.
    monkeypatch.setenv("GIT_DIR", tree.git("rev-parse", "--absolute-git-dir"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tree.folder / "index"))
    assert found(checked(tree.folder / "sub")) == [(MISSING, "r.avsc:3:10")]
    # A repository that nothing but the variables leads to.
    elsewhere = tmp_path / "elsewhere"
    (tree.folder / ".git").rename(elsewhere)
    monkeypatch.setenv("GIT_WORK_TREE", str(tree.folder))
    assert found(checked(tree.folder / "sub")) == [(MISSING, "r.avsc:3:10")]


def test_whatever_people_have_set_in_git(repository: GitRepository) -> None:
    repository.commit({"r.avsc": record("a", "b", "c")})
    repository.git("checkout", "-q", "-b", "side", "HEAD~1")
    repository.commit({"s.avsc": record("a", name="S")})
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-edit", "side")
    repository.git("mv", "r.avsc", "moved.avsc")
    repository.commit({})
    repository.write({"moved.avsc": record("a", "c", "d")})
    expected = told(checked(repository.folder, None, "BACKWARD_TRANSITIVE"))
    assert len(expected) == 2
    for setting in (
        *("log.follow=true", "log.showSignature=true", "log.diffMerges=off", "diff.renames=false"),
        *("color.ui=always", "core.quotePath=true", "format.pretty=fuller", "diff.noprefix=true"),
    ):
        repository.git("config", *setting.split("="))
    assert told(checked(repository.folder, None, "BACKWARD_TRANSITIVE")) == expected


def test_no_commit_in_common(repository: GitRepository) -> None:
    repository.git("checkout", "-q", "--orphan", "other")
    repository.commit({"r.avsc": record("a", "b")})
    assert fault(repository.folder) == (
        "HEAD and main have no commit in common; name what to compare with: --against git:main"
    )
    assert found(checked(repository.folder, "git:main")) == [(MISSING, "r.avsc:3:10")]


def test_a_default_branch_of_another_name(repository: GitRepository, tmp_path: Path) -> None:
    repository.git("branch", "-m", "main", "trunk")
    clone = repository.clone(tmp_path / "clone")
    clone.git("checkout", "-q", "-b", "topic")
    clone.write({"r.avsc": record("a", "b")})
    report = checked(clone.folder)
    assert found(report) == [(MISSING, "r.avsc:3:10")]
    assert str(report.against).startswith("origin/trunk at ")
    # renamed since the clone was made: origin/HEAD leads nowhere until it is set anew
    repository.git("branch", "-m", "trunk", "main")
    clone.git("fetch", "-q", "--prune", "origin")
    assert str(checked(clone.folder).against).startswith("origin/main at ")
    repository.git("branch", "-m", "main", "develop")
    clone.git("fetch", "-q", "--prune", "origin")
    clone.git("branch", "-D", "trunk")
    assert "no default branch is known" in fault(clone.folder)
    assert "git remote set-head origin --auto" in fault(clone.folder)


def test_a_submodule(repository: GitRepository, tmp_path: Path) -> None:
    outer = GitRepository(tmp_path / "outer")
    outer.commit({"a.avsc": record("a", name="A")})
    outer.git("submodule", "--quiet", "add", repository.folder.as_uri(), "shared")
    outer.commit()
    assert checked(outer.folder).unchanged == 2
    (outer.folder / "shared" / "r.avsc").write_text(record("a", "b"))
    assert found(checked(outer.folder)) == [(MISSING, "shared/r.avsc:3:10")]
    assert found(checked(outer.folder / "shared")) == [(MISSING, "r.avsc:3:10")]


def test_links(repository: GitRepository, tmp_path: Path) -> None:
    repository.write({"real/s.avsc": record("a", name="S")})
    (repository.folder / "link").symlink_to("real")
    (repository.folder / "linked.avsc").symlink_to("real/s.avsc")
    repository.commit({"fivebyte.toml": 'subject = "{folder}-{stem}"\n'})
    report = checked(repository.folder)
    assert (found(report), report.schemas, report.unchanged) == ([], 4, 4)
    repository.write({"real/s.avsc": record("a", "b", name="S")})
    places = ["link/s.avsc:3:10", "linked.avsc:3:10", "real/s.avsc:3:10"]
    assert found(checked(repository.folder)) == [(MISSING, place) for place in places]


def test_line_endings_marks_tabs_and_names_of_files(repository: GitRepository) -> None:
    text = record("a").replace("{", "\t{", 2)
    repository.commit({"größe/ä ö.avsc": text, "r.avsc": None})
    repository.write({"größe/ä ö.avsc": b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()})
    report = checked(repository.folder)
    assert (found(report), report.unchanged) == ([], 0)
    repository.write(
        {"größe/ä ö.avsc": b"\xef\xbb\xbf" + text.replace("\n", "\r\n").replace('"a"', '"b"').encode()}
    )
    (finding,) = checked(repository.folder).findings
    assert str(finding.place) == "größe/ä ö.avsc:2:11"
    assert str(finding.old_place) == "main:größe/ä ö.avsc:1:29"


def test_a_schema_outside_of_the_repository(repository: GitRepository, tmp_path: Path) -> None:
    outside = tmp_path / "outside.avsc"
    outside.write_text(record("a", name="O"))
    project = load(None, repository.folder)
    sources = Sources.read(FolderTree(repository.folder, also=[outside]), project, extra=["../outside.avsc"])
    outside_of = pytest.raises(ProjectError, match=r"\.\./outside\.avsc is outside of the git repository")
    with closing(open_baseline(None, project, {})) as baseline, outside_of:
        check(sources, baseline)


def test_no_repository_and_no_commit(tmp_path: Path) -> None:
    assert "is in no git repository; say what to compare with: --against" in fault(tmp_path)
    empty = GitRepository(tmp_path / "empty")
    assert checked(empty.folder).exit_code == 0
    empty.write({"r.avsc": record("a")})
    said = "R is new: the time before the first commit does not have it"
    assert told(checked(empty.folder)) == [("SUBJECT_NEW", "r.avsc:1:1", said)]
    assert fault(empty.folder, "git:HEAD").endswith("has no commit yet: there is nothing to compare with")
    empty.commit({"r.avsc": record("a")})
    assert "there is no commit nope in" in fault(empty.folder, "git:nope")
    assert "there is no such folder or file" in fault(empty.folder, "nowhere")


def test_git_that_is_not_there(repository: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BaselineError, match="git is not installed: install it, or compare with a folder"):
        Repository(repository.folder)


def test_a_repository_of_sha256(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    GitRepository(tmp_path / "first").git("init", "-q", "--object-format=sha256", "-b", "main", str(folder))
    repository = GitRepository(folder)
    repository.commit({"deep/r.avsc": record("a")})
    repository.write({"deep/r.avsc": record("a", "b")})
    assert found(checked(folder)) == [(MISSING, "deep/r.avsc:3:10")]


def test_avro_idl_in_a_repository(repository: GitRepository) -> None:
    idl = "@namespace('x') protocol P {\n  record I {\n    int a;\n%s  }\n}\n".replace("'", '"')
    repository.commit({"p.avdl": idl % ""})
    assert checked(repository.folder).unchanged == 2
    repository.write({"p.avdl": idl % "    string b;\n"})
    (finding,) = checked(repository.folder).findings
    assert (finding.rule, finding.element) == (MISSING, "I.b")
    assert str(finding.place).startswith("p.avdl:4:")
    assert str(finding.old_place).startswith("main:p.avdl:2:")
