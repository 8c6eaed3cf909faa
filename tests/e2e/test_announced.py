"""What `--dry --diff` announces is what the run then does: compared by the records of both and by what changed on the server.

One server, on its way from bare to deployed, then up to date, changed by hand in many places, half taken apart, and with a new release.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.labkit import BIN, ROOT, Lab, Run

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("announced"), pytest.mark.timeout(900)]

APP = """\
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"first"]
"""

DRIFT = r"""
$appcmd = "$env:windir\System32\inetsrv\appcmd.exe"
& $appcmd set apppool tiny /processModel.idleTimeout:00:05:00 /startMode:OnDemand
& $appcmd lock config /section:system.webServer/handlers
icacls C:\inetpub\tiny\shared\logs /remove:g 'IIS AppPool\tiny'
netsh advfirewall firewall set rule name="tiny (HTTP traffic in)" new localport=9999
Uninstall-WindowsFeature Web-WebSockets -Confirm:$false
& $appcmd set site tiny /+"bindings.[protocol='http',bindingInformation='*:8777:']"
exit 0
"""

HALF = r"""
$appcmd = "$env:windir\System32\inetsrv\appcmd.exe"
& $appcmd delete site tiny
& $appcmd delete apppool tiny
Remove-NetFirewallRule -Name pyinfra-iis-tiny
Remove-Item -Recurse -Force C:\inetpub\tiny\shared\media
exit 0
"""


@dataclass
class Step:
    """A dry run and the run after it, and what the server held before, between and after."""

    dry: Run
    run: Run
    announced: list[dict[str, Any]]
    done: list[dict[str, Any]]
    before: dict[str, Any]
    between: dict[str, Any]
    after: dict[str, Any]

    @property
    def touched(self) -> set[str]:
        """The things of the server that the run changed."""
        old, new = self.before["durable"], self.after["durable"]
        return {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


@dataclass
class Story:
    lab: Lab
    folder: Path
    steps: dict[str, Step] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        return {
            "web_project": self.folder / "tiny",
            "web_application": "main:app",
            "web_health": json.dumps({"path": "/", "status": 200}),
            "web_environment": json.dumps({"DB_PASSWORD": "hunter2!", "PLAIN": "x"}),
        }

    def step(self, name: str, by_hand: str = "") -> None:
        """Announce, then do; before that, what an administrator does."""
        address = self.lab.addresses[0]
        record = self.folder / "record.json"
        if by_hand:
            self.lab.powershell(address, by_hand)
        last = None if by_hand else next(reversed(self.steps.values()), None)
        taken: dict[str, Any] = {"before": last.after if last else self.lab.hash(address)}
        for kind, options in (("dry", ("--dry", "--diff")), ("run", ("-y", "--diff"))):
            taken[kind] = self.lab.pyinfra(
                address,
                deploy="deploys/python_web.py",
                example="flask",
                options=options,
                changes_file=record,
                **self.data,
            )
            assert taken[kind].code == 0, taken[kind].output
            changes = json.loads(record.read_text())["changes"]
            taken["announced" if kind == "dry" else "done"] = changes
            taken["between" if kind == "dry" else "after"] = self.lab.hash(address)
        self.steps[name] = Step(**taken)


NAMES = ["bare", "up to date", "changed by hand", "half taken apart", "a new release"]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("announced")
    (folder / "tiny").mkdir()
    (folder / "tiny" / "main.py").write_text(APP)
    (folder / "tiny" / "requirements.txt").write_text("")
    made = Story(Lab(folder / "lab", f"127.{random.randint(30, 39)}.{random.randint(1, 250)}", 1), folder)
    try:
        made.step("bare")
        made.step("up to date")
        made.step("changed by hand", DRIFT)
        made.step("half taken apart", HALF)
        (folder / "tiny" / "main.py").write_text(APP.replace("first", "second"))
        (folder / "tiny" / "more.py").write_text("")
        made.step("a new release")
        yield made
    finally:
        made.lab.down()


def told(changes: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """What changes into what, in which operation; what it was before may only be known when it comes to it."""
    return [(change["operation"], change["what"], json.dumps(change["new"])) for change in changes]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_announced_is_done(story: Story, name: str) -> None:
    step = story.steps[name]
    announced, done = told(step.announced), told(step.done)
    assert [change for change in announced if change not in done] == [], "announced, not done"
    assert [change for change in done if change not in announced] == [], "done, not announced"
    assert announced == done, "in another order"
    assert {change["outcome"] for change in step.announced} <= {"announced"}
    assert {change["outcome"] for change in step.done} <= {"done"}


@pytest.mark.parametrize("name", NAMES)
def test_announcing_changes_nothing(story: Story, name: str) -> None:
    assert story.steps[name].between == story.steps[name].before


@pytest.mark.parametrize("name", NAMES)
def test_nothing_else_is_touched(story: Story, name: str) -> None:
    """Everything that changed on the server belongs to something that was announced."""
    step = story.steps[name]
    about = " ".join(change["what"] for change in step.announced)
    unannounced = {key for key in step.touched if not any(word in about for word in words_for(key))}
    assert unannounced == set()
    assert bool(step.announced) == bool(step.touched)


def words_for(key: str) -> tuple[str, ...]:
    """What an announcement must name for this thing to change."""
    path = key.lower()
    if key.startswith("firewall:"):
        return ("firewall rule", "feature Web-")
    if key.startswith("iis:") or "applicationhost.config" in path or "inetsrv" in path:
        return ("app pool", "site", "section", "handlers", "feature Web-", "HttpPlatformHandler")
    if r"c:\inetpub\tiny" in path or "c:inetpub\\tiny" in path:
        return (r"C:\inetpub\tiny",)
    if r"c:\python" in path or "c:python" in path:
        return (r"C:\Python",)
    if r"c:\programdata\pyinfra-iis" in path or "downloads" in path:
        return ("downloads",)
    if key.startswith("installer:") or "Uninstall" in key or "HttpPlatformHandler" in key or "HTTP Platform" in key:
        return ("HttpPlatformHandler",)
    # Everything else comes with IIS's features: services, groups, files of its own, registry.
    return ("feature Web-",)


def test_nothing_to_do_is_nothing_said(story: Story) -> None:
    step = story.steps["up to date"]
    assert step.announced == [] and step.run.changed == []
    assert not [text for text in step.dry.output.splitlines() if text.strip().startswith(("+ ", "- ", "~ "))]


def test_what_was_changed_by_hand_is_shown_property_by_property(story: Story) -> None:
    said = story.steps["changed by hand"].dry.output
    for expected in (
        "~ feature Web-WebSockets: absent -> installed",
        "processModel.idleTimeout: 00:05:00 -> 00:00:00",
        "startMode: OnDemand -> AlwaysRunning",
        r"~ C:\inetpub\tiny\shared\logs IIS AppPool\tiny: ReadAndExecute (inherited) -> Modify",
        "ports: 9999 -> 8016",
        "8777",
    ):
        assert expected in said, said


def test_a_new_release_is_shown_file_by_file(story: Story) -> None:
    said = story.steps["a new release"].dry.output
    assert "~ main.py: " in said and "+ more.py: 0 bytes" in said


def test_no_secret_is_seen(story: Story) -> None:
    for name, step in story.steps.items():
        said = step.dry.output + step.run.output + json.dumps(step.announced) + json.dumps(step.done)
        assert "hunter2" not in said, name
    assert "DB_PASSWORD: ***" in story.steps["bare"].dry.output


def test_with_json_standard_output_is_json_only(story: Story) -> None:
    wanted = {**story.data, "web_firewall": "false", "web_bindings": "*:8017:"}
    data = [item for key, value in wanted.items() for item in ("--data", f"{key}={value}")]
    run = subprocess.run(
        [str(BIN / "pyinfra"), "inventories/lab.py", "deploys/python_web.py", "--dry", "--diff", "--json", *data],
        env={**story.lab.environment, "WINLAB_EXAMPLE": "flask"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert json.loads(run.stdout)["results"] is None
    assert "*:8017:" in run.stderr
