"""What stops a check, and the exit code that each kind has.

All are RegistryErrors with one clear message::

    CheckError
    ├── ProjectError      2   the project file, or what was asked for, is wrong
    ├── SourceError       3   a schema does not parse; with file, line and column
    └── BaselineError     4   what to compare with cannot be reached
        └── NoCommitYet       the repository has none

Compatible is 0 and incompatible 1: those are answers, not errors.
"""

from registry.errors import RegistryError


class CheckError(RegistryError):
    """A check cannot give an answer. exit_code: what the command line ends with."""

    exit_code = 2


class ProjectError(CheckError):
    """The project file or an option is wrong. The message begins with ``file:line:`` where there is one."""


class SourceError(CheckError):
    """A schema does not parse. The message begins with ``file:line:column:``."""

    exit_code = 3


class BaselineError(CheckError):
    """What the schemas are to be compared with is not there or does not answer. Says what to do."""

    exit_code = 4


class NoCommitYet(BaselineError):
    """The git repository was made, and nothing is committed to it."""
