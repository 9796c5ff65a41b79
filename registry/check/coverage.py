"""What a check does not see: globs of the project file that no file matches, and no schema at all."""

from collections.abc import Callable, Iterator

from registry.check.findings import Finding, Place, Severity
from registry.check.globs import glob
from registry.check.project import Project
from registry.check.trees import Tree


def uncovered(
    tree: Tree, project: Project, schemas: int, selected: Callable[[str], bool] = lambda _: True
) -> Iterator[Finding]:
    """Warnings about what is not there to be looked at.

    schemas: how many were looked at. selected: whether the file at a path was asked for; the project file's
    globs are only of interest where that is.
    """
    for scope in project.scopes:
        if scope.file is None or not selected(scope.folder + scope.file.name):
            continue
        inside = [path[len(scope.folder) :] for path in tree.paths() if path.startswith(scope.folder)]
        for rule in scope.schemas:
            for pattern in rule.files:
                if not any(glob(pattern).match(path) is not None for path in inside):
                    yield Finding(
                        "GLOB_WITHOUT_FILES",
                        f'"{pattern}" matches no file',
                        Severity.WARNING,
                        place=Place(scope.folder + scope.file.name, rule.line, 1),
                        element=pattern,
                        fix=f"globs are from the folder of {scope.file.name}: put it right, or remove it",
                    )
    if not schemas:
        yield Finding(
            "NO_SCHEMAS",
            "there is no schema here: nothing was looked at",
            Severity.WARNING,
            fix="name the files in the project file ([[schemas]] files), or on the command line",
        )
