"""What test_iis_neighbours.py runs on a server with sites of other people: `--data step=...`."""

from pyinfra import host

from pyinfra_iis.operations import iis, windows

FOLDER = r"C:\inetpub\wwwroot"
step = host.data.step
number = str(host.data.get("number", ""))


def ours(present: bool = True) -> None:
    """A site with all that can belong to it."""
    name = f"ours{number}"
    if not present:
        iis.configuration(more=[iis.edits.site(name, present=False), iis.edits.app_pool(name, present=False)])
        return
    iis.app_pool(name, running=True, startMode="AlwaysRunning", environment={"NUMBER": number})
    iis.site(name, path=FOLDER, pool=name, bindings=[f"*:80{number}:"], running=True, limits={"maxConnections": 9})
    iis.application(name, "/app", physical_path=FOLDER, pool=name)
    iis.request_filtering(name, max_content_length=1000)
    iis.entry("system.webServer/staticContent", "", {"fileExtension": ".avif"}, mimeType="image/avif", location=name)


match step:
    case "features":
        windows.features(name="IIS", server=["Web-Static-Content", "Web-Filtering", "Web-Scripting-Tools"], client=[])
    case "ours":
        ours()
    case "nothing":
        ours(present=False)
    case "failing":
        iis.site("first", path=FOLDER, pool="other0", bindings=["*:8100:"], running=True, _ignore_errors=True)
        iis.site("second", path=FOLDER, pool="other0", bindings=["*:5985:"], running=True, _ignore_errors=True)
        pool = iis.edits.app_pool(
            "third", identity=r".\nobody", password="hunter2", running=True, startMode="AlwaysRunning"
        )
        site = iis.edits.site("third", path=FOLDER, pool="third", bindings=["*:8109:"], running=True)
        iis.configuration(more=[pool, site], _ignore_errors=True)
    case "refused":
        iis.app_pool(
            "new", queueLength=5, processModel={"idleTimeout": "00:00:30"}, startMode="Sometimes", _ignore_errors=True
        )
        iis.app_pool("new", process_model={"idleTimeOuts": 5}, _ignore_errors=True)
        iis.binding("nobody's", "*:8099:", _ignore_errors=True)
        iis.section("system.webServer/httpPlatform", processPath="python.exe", _ignore_errors=True)
        iis.binding("other1", "https://*:8443:", certificate="www.example.com", _ignore_errors=True)
