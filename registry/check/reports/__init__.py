"""Reports: what was found, for people, for CI hosts and for other programs.

`FORMATS` has them by the names that ``--format`` takes. Each is a text made of a `Report`.
"""

from collections.abc import Callable

from registry.check.checking import Report
from registry.check.reports.github import github
from registry.check.reports.gitlab import gitlab
from registry.check.reports.junit import junit
from registry.check.reports.markdown import markdown
from registry.check.reports.sarif import sarif
from registry.check.reports.structured import structured
from registry.check.reports.text import text

__all__ = ["FORMATS"]

FORMATS: dict[str, Callable[[Report], str]] = {
    "text": text,
    "json": structured,
    "junit": junit,
    "sarif": sarif,
    "github": github,
    "gitlab": gitlab,
    "markdown": markdown,
}
