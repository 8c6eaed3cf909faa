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
    case "taken by a site":
        iis.site("clash", path=FOLDER, pool="DefaultAppPool", bindings=["*:8100:"], running=True)
    case "taken by HTTP.sys":
        iis.site("clash", path=FOLDER, pool="DefaultAppPool", bindings=["*:5985:"], running=True)
    case "bad credentials":
        pool = iis.edits.app_pool(
            "clash", identity=r".\nobody", password="hunter2", running=True, startMode="AlwaysRunning"
        )
        iis.configuration(more=[pool, iis.edits.site("clash", pool="clash", bindings=["*:8109:"], running=True)])
    case "values":
        iis.app_pool("clash", queueLength=5, processModel={"idleTimeout": "00:00:30"}, startMode="Sometimes")
    case "names":
        iis.app_pool("clash", process_model={"idleTimeOuts": 5})
    case "no such site":
        iis.binding("nobody's", "*:8099:")
    case "no such section":
        iis.section("system.webServer/httpPlatform", processPath="python.exe")
    case "no such certificate":
        iis.binding("other1", "https://*:8443:", certificate="www.example.com")
