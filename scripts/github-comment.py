"""Writes a report as a comment on the pull request of a GitHub event, or brings the earlier one up to date.

    github-comment.py REPORT CODE

CODE is the check's exit code: with 0 a comment is only brought up to date, not begun. The comment is known by
the report's first line. Only Python's own library is used. Of the environment:
GITHUB_EVENT_PATH, GITHUB_REPOSITORY, GITHUB_API_URL, GITHUB_TOKEN.
"""

import json
import os
import sys
import urllib.request
from pathlib import Path


def ask(method: str, path: str, body: dict[str, str] | None = None) -> object:
    """The JSON of GitHub's answer."""
    url = os.environ.get("GITHUB_API_URL", "https://api.github.com") + path
    request = urllib.request.Request(  # noqa: S310  (GitHub's own URL)
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ.get('GITHUB_TOKEN', '')}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")


def main() -> int:
    report = Path(sys.argv[1]).read_text(encoding="utf-8")
    marker = report.partition("\n")[0]
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    number = event.get("pull_request", {}).get("number")
    if number is None:
        return 0  # a push has no place for a comment
    repository = f"/repos/{os.environ['GITHUB_REPOSITORY']}"
    page = 1
    while True:
        comments = ask("GET", f"{repository}/issues/{number}/comments?per_page=100&page={page}")
        if not isinstance(comments, list) or not comments:
            break
        for comment in comments:
            if str(comment.get("body", "")).startswith(marker):
                if comment["body"] != report:
                    ask("PATCH", f"{repository}/issues/comments/{comment['id']}", {"body": report})
                return 0
        page += 1
    if sys.argv[2] != "0":
        ask("POST", f"{repository}/issues/{number}/comments", {"body": report})
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as fault:  # what urllib raises, HTTPError included
        print(f"GitHub's API: {fault} (the job needs the permission pull-requests: write; a fork's has none)")
        sys.exit(1)
