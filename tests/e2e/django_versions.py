"""One project with each Django: `python -m tests.e2e.django_versions [VERSION ...]` deploys it to the lab and prints a table.

`--write` puts the table into docs/django-versions.md, where that has a place for this machine's Python.
"""

from __future__ import annotations

import argparse
import http.client
import re
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e import tables
from tests.labkit import Lab
from tests.pyinfra_iis import projects

VERSIONS = ("3.2", "4.0", "4.1", "4.2", "5.0", "5.1", "5.2", "6.0")
OLDEST = {"5.0": (3, 10), "5.1": (3, 10), "5.2": (3, 10), "6.0": (3, 12)}
"""The oldest Python for those that do not run on 3.9."""
REASONS = {
    "security.W004": "HSTS is a promise of the site's owner (key `hsts`), which a deploy must not make",
    "security.W008": "whether a site answers plain HTTP, and whether it redirects, is said by its bindings and its owner",
}
"""Why warnings of `check --deploy` are left to the site's owner."""

SETTINGS = projects.SETTINGS.replace(
    '"django.contrib.staticfiles"]', '"django.contrib.staticfiles", "django.contrib.sessions", "shop"]'
).replace(
    '"django.middleware.common.CommonMiddleware"]',
    '"django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware", '
    '"django.middleware.csrf.CsrfViewMiddleware", "django.middleware.clickjacking.XFrameOptionsMiddleware"]',
)
URLS = """\
import django
from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import path
urlpatterns = [path("", lambda request: HttpResponse(f"{django.__version__} {static('shop/page.css')}"))]
"""


@dataclass
class Result:
    """What became of one version: Django's own number, the warnings of its check, what is wrong."""

    version: str
    django: str = ""
    warnings: tuple[str, ...] = ()
    release: str = ""
    wrong: str = ""


def runnable() -> list[str]:
    """The versions that this machine's Python can run, as far as Django's documentation tells; an older Django may run on a newer Python all the same."""
    return [version for version in VERSIONS if sys.version_info[:2] >= OLDEST.get(version, (3, 9))]


def make_project(folder: Path) -> Path:
    """The project, the same for all."""
    return projects.make(folder, settings=SETTINGS, **{"shop/urls.py": URLS, "shop/static/shop/page.css": "body {}\n"})


def deploy(lab: Lab, address: str, project: Path, version: str) -> Result:
    """Deploy the project with a version and ask the site."""
    (project / "requirements.txt").write_text(f"Django~={version}.0\n")
    # As a site with https has it, so that the check sees what it would see there.
    run = lab.pyinfra(address, django_project=project, django_bindings="*:8040:", django_secure_cookies=True)
    if run.code:
        return Result(version, wrong=run.output[-1500:])
    warnings = tuple(dict.fromkeys(re.findall(r"check: .*?\((\w+\.[WE]\d+)\)", run.output)))
    status, body, release = ask(address, "/")
    django, _, static = body.partition(" ")
    wrong = []
    if status != 200 or not django.startswith(version + "."):
        wrong.append(f"GET / answers {status} {body[:100]}")
    elif ask(address, static)[:2] != (200, "body {}\n") or not re.search(r"page\.[0-9a-f]{12}\.css", static):
        wrong.append(f"the static file {static} is not served")
    if not re.fullmatch(r"r[0-9a-f]{15}", release):
        wrong.append("the release is not told")
    return Result(version, django, warnings, release, "; ".join(wrong))


def ask(address: str, path: str) -> tuple[int, str, str]:
    """Status, body and release of a request."""
    deadline = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection(address, 8040, timeout=60)
        try:
            connection.request("GET", path, headers={"X-Release-Probe": "1"})
            response = connection.getresponse()
            return response.status, response.read().decode("utf-8", "replace"), response.getheader("X-Release", "")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        finally:
            connection.close()


def table(results: Iterable[Result]) -> str:
    """The results as Markdown."""
    python = ".".join(map(str, sys.version_info[:3]))
    lines = [
        f"| Django | with Python {python} | `check --deploy` warns of | static files, a request, `X-Release` |",
        "|---" * 4 + "|",
    ]
    for result in results:
        lines.append(
            f"| {result.version} | {result.django} | {', '.join(result.warnings) or 'nothing'} | {result.wrong or 'ok'} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Deploy them and print the table; exit code 1 when one does not work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", nargs="*", help="default: all that this machine's Python can run")
    parser.add_argument("--network", default="127.0.65", help="of the lab")
    parser.add_argument("--write", action="store_true", help="put the table into the documentation")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder) / "lab", given.network, 1)
        try:
            project = make_project(Path(folder) / "shop")
            results = [deploy(lab, lab.addresses[0], project, version) for version in given.version or runnable()]
        finally:
            lab.down()
    text = table(results)
    print(text)
    wrong = any(result.wrong for result in results)
    if given.write and not wrong:
        tables.put("django {}.{}".format(*sys.version_info), text)
    for warning in sorted({warning for result in results for warning in result.warnings}):
        print(f"\n{warning}: {REASONS.get(warning, 'no reason is known')}.")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
