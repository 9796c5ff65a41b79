"""Real histories, committed version after version: each step's verdict is the registry's, at the field."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from registry.check.findings import Finding
from serde import Reference, RegistryClient
from serde.testing import registry
from tests.registry.check.running import checked
from tests.support.corpus import Folder, lsst_folders, ztf_folders
from tests.support.needs import need_corpus
from tests.support.repository import GitRepository

LEVEL = "FULL"


def register(client: RegistryClient, folder: Folder) -> dict[str, list[Reference]]:
    """Register all schemas of a version as the newest of their subjects; answers what each refers to."""
    references = {}
    for name in folder.in_dependency_order():
        references[name] = [
            Reference(other, folder.subject(other), client.schema(folder.subject(other)).version)
            for other in folder.direct_references(name)
        ]
        client.register(folder.subject(name), folder.texts[name], references=references[name])
    return references


def verdicts(before: Folder, after: Folder) -> dict[str, list[str]]:
    """What the registry says of each schema of `after` whose subject `before` has."""
    with registry() as client:
        client.set_config("NONE")
        register(client, before)
        numbers = {before.subject(name): client.schema(before.subject(name)).version for name in before.texts}
        references = register(client, after)
        found = {}
        for name, text in after.texts.items():
            subject = after.subject(name)
            if subject in numbers:
                client.set_config(LEVEL, subject)
                verdict = client.check_compatibility(
                    subject, text, version=numbers[subject], references=references[name]
                )
                said = [message for message in verdict.messages if message.startswith("{errorType")]
                assert verdict.is_compatible is not bool(said)
                found[subject] = sorted(said)
        return found


@pytest.mark.parametrize(
    ("folders", "pattern", "steps"),
    [(ztf_folders, "{full_name}", 28), (lsst_folders, "lsst.{record}", 13)],
    ids=["ztf", "lsst"],
)
def test_every_step_is_judged_as_the_registry_does(
    folders: Callable[[], list[Folder]], pattern: str, steps: int, tmp_path: Path
) -> None:
    versions = folders()
    repository = GitRepository(tmp_path)
    repository.commit({"fivebyte.toml": f'subject = "{pattern}"\ndeleted = "off"\n', **files(versions[0])})
    breaking = 0
    for before, after in pairwise(versions):
        for name in set(files(before)) - set(files(after)):
            repository.write({name: None})
        repository.write(files(after))
        report = checked(repository.folder, "git:HEAD", LEVEL)
        said: dict[str, list[str]] = {}
        for finding in report.findings:
            if finding.rule != "SUBJECT_NEW":
                assert finding.subject is not None
                said.setdefault(finding.subject, []).append(finding.detail)
                assert_at_its_field(finding, repository)
        expected = verdicts(before, after)
        assert {subject: sorted(said.get(subject, [])) for subject in expected} == expected
        assert said.keys() <= expected.keys()
        breaking += bool(said)
        repository.commit()
    assert len(versions) - 1 == steps
    assert breaking > steps / 4  # these are histories in which things did break


def files(folder: Folder) -> dict[str, str]:
    return {f"{name}.avsc": text for name, text in folder.texts.items()}


def assert_at_its_field(finding: Finding, repository: GitRepository) -> None:
    """The line of the new file names the field, or is of its type; the old place is a line, too."""
    assert finding.place is not None
    assert finding.old_place is not None
    assert finding.old_place.line > 0
    lines = (repository.folder / finding.place.file).read_text().splitlines()
    line = lines[finding.place.line - 1][finding.place.column - 1 :]
    if finding.rule == "READER_FIELD_MISSING_DEFAULT_VALUE" and finding.now:
        field = finding.element.rpartition(".")[2]
        assert line.startswith(f'"{field}"')
    assert line[:1] in '"[{0123456789'


def test_the_version_that_is_not_json_ends_with_its_place(tmp_path: Path) -> None:
    folders = {int(path.name.partition("-")[0]): path for path in (need_corpus() / "ztf").glob("[0-9]*-*")}
    assert len(folders) == 30
    repository = GitRepository(tmp_path)
    repository.commit({path.name: path.read_text() for path in folders[9].glob("*.avsc")})
    repository.write({path.name: path.read_text() for path in folders[10].glob("*.avsc")})
    report = checked(repository.folder, "git:HEAD")
    assert report.exit_code == 3
    invalid = [finding for finding in report.findings if finding.rule == "SCHEMA_INVALID"]
    (fault,) = [finding for finding in invalid if finding.message.startswith("not valid JSON")]
    assert fault.place is not None
    assert fault.place.file == "candidate.avsc"
    assert (fault.place.line, fault.place.column) == (12, 93)
    line = (tmp_path / "candidate.avsc").read_text().splitlines()[11]
    assert line[92:].startswith('public", "collab"')  # a quotation mark within a text ended it
