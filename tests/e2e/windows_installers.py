"""Operations that a JSON file (`steps`) lists: HttpPlatformHandler, Python and features, with files of the lab's mirror."""

import json
from pathlib import Path

from pyinfra import host

from pyinfra_iis.operations import httpplatform, python, windows
from pyinfra_iis.settings import Handler, Python

for step in json.loads(Path(host.data.steps).read_text()):
    kind, arguments = step["kind"], step["arguments"]
    if kind == "features":
        windows.features(name="Features", **arguments)
    elif kind == "firewall":
        windows.firewall_rule(name="Firewall", **arguments)
    elif kind == "handler":
        handler = Handler.model_validate(step["file"])
        windows.downloads(name=f"Fetch {handler.name}", files=[handler])
        httpplatform.installed(name="Handler", handler=handler, **arguments)
    else:
        interpreter = Python.model_validate(step["file"])
        windows.downloads(name=f"Fetch {interpreter.name}", files=[interpreter])
        python.installed(name="Python", python=interpreter, **arguments)
