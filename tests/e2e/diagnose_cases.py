"""What goes wrong in the field with sites behind HttpPlatformHandler: how it is brought about on a sound site, which rule names it, how it is mended.

The site is made by hand, without the deploy: HttpPlatformHandler starts a little server of the standard library. Breaking uses what an administrator has:
an editor, icacls, appcmd, Explorer.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

PORT = 8020
SITE = "plain"
FOLDER = r"C:\sites\plain"

APP = """
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, b"ok")

    do_POST = do_GET

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, address):
        import traceback
        traceback.print_exc()

print("starting", flush=True)
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

# IIS, HttpPlatformHandler and a Python on a bare server, without the product. Takes the addresses of the handler's package and of Python's archive.
PREPARE = r"""
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
Install-WindowsFeature Web-Static-Content, Web-Default-Doc, Web-Http-Errors, Web-Http-Logging, Web-Filtering, Web-Scripting-Tools | Out-Null
[void] [IO.Directory]::CreateDirectory('C:\sites')
(New-Object Net.WebClient).DownloadFile('{handler}', 'C:\sites\handler.msi')
& msiexec /i C:\sites\handler.msi /qn | Out-Null
(New-Object Net.WebClient).DownloadFile('{artifacts}httpbridge_x64.msi', 'C:\sites\handler2.msi')
(New-Object Net.WebClient).DownloadFile('{python}', 'C:\sites\python.zip')
Expand-Archive -LiteralPath C:\sites\python.zip -DestinationPath C:\sites\python
"""


def sound(version: str) -> str:
    """Makes the site as it should be, again and again, whatever a case has left.

    Args:
        version: of HttpPlatformHandler, `1.2` or `2.0`; the second knows no startupRetryCount.
    """
    return SOUND if version == "1.2" else SOUND.replace('startupRetryCount="1" ', "")


SOUND = (
    r"""
$ErrorActionPreference = 'Stop'
$folder = 'C:\sites\plain'
$appcmd = "$env:windir\system32\inetsrv\appcmd.exe"
$python = 'C:\sites\python'
function Test-Item($Kind, $Name) { & $appcmd list $Kind $Name | Out-Null; $LASTEXITCODE -eq 0 }
foreach ($Name in 'WAS', 'W3SVC') { if ((Get-Service $Name).Status -ne 'Running') { Start-Service $Name } }
if (-not (Test-Path -LiteralPath C:\Windows\System32\inetsrv\config\schema\httpplatform_schema.xml)) { & msiexec /i C:\sites\handler.msi /qn | Out-Null }
if (Test-Item site other) { & $appcmd delete site other | Out-Null }
if (-not (Test-Item apppool plain)) { & $appcmd add apppool /name:plain '/managedRuntimeVersion:' | Out-Null }
& $appcmd stop apppool plain | Out-Null
Get-Process python -ErrorAction SilentlyContinue | Where-Object { $_.Path -like 'C:\sites\*' } | Stop-Process -Force
foreach ($Pair in @("$python-moved", $python), @('C:\sites\venv-old', 'C:\sites\venv')) { if (Test-Path -LiteralPath $Pair[0]) { Move-Item $Pair[0] $Pair[1] } }
Get-ChildItem $python -Filter 'python3*.kept' | ForEach-Object { Move-Item $_.FullName $_.FullName.Replace('.kept', '') -Force }
if (-not (Test-Path -LiteralPath C:\sites\venv)) { & "$python\python.exe" -m venv --without-pip C:\sites\venv }
[void] [IO.Directory]::CreateDirectory("$folder\logs")
Get-ChildItem -LiteralPath $folder -File | Remove-Item -Force
Get-ChildItem -LiteralPath "$folder\logs" -File | Remove-Item -Force -ErrorAction SilentlyContinue
& $appcmd clear config plain -section:system.webServer/security/requestFiltering | Out-Null
foreach ($Path in $folder, 'C:\sites\venv', $python) {
    & icacls $Path /reset /T /Q | Out-Null
    & icacls $Path /grant 'IIS AppPool\plain:(OI)(CI)RX' | Out-Null
}
& icacls "$folder\logs" /grant 'IIS AppPool\plain:(OI)(CI)M' | Out-Null
[IO.File]::WriteAllText("$folder\app.py", @'
"""
    + APP
    + r"""
'@)
[IO.File]::WriteAllText("$folder\web.config", @"
<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <system.webServer>
    <handlers>
      <add name="python" path="*" verb="*" modules="httpPlatformHandler" resourceType="Unspecified" requireAccess="Script" />
    </handlers>
    <httpPlatform processPath="C:\sites\venv\Scripts\python.exe" arguments="app.py %HTTP_PLATFORM_PORT%"
                  startupTimeLimit="3" startupRetryCount="1" stdoutLogEnabled="true" stdoutLogFile="C:\sites\plain\logs\stdout">
      <environmentVariables><environmentVariable name="PYTHONUNBUFFERED" value="1" /></environmentVariables>
    </httpPlatform>
  </system.webServer>
</configuration>
"@)
& $appcmd unlock config -section:system.webServer/handlers | Out-Null
foreach ($Section in 'security/access /sslFlags:None', 'security/authentication/anonymousAuthentication /enabled:true') {
    & $appcmd set config plain "-section:system.webServer/$($Section.Split(' ')[0])" $Section.Split(' ')[1] /commit:apphost | Out-Null
}
& $appcmd set apppool plain /processModel.identityType:ApplicationPoolIdentity /enable32BitAppOnWin64:false | Out-Null
if (-not (Test-Item site plain)) { & $appcmd add site /name:plain /bindings:http/*:8020: "/physicalPath:$folder" | Out-Null }
& $appcmd set site plain /bindings:http/*:8020: | Out-Null
& $appcmd set vdir plain/ "/physicalPath:$folder" | Out-Null
& $appcmd set app plain/ /applicationPool:plain | Out-Null
& $appcmd start apppool plain | Out-Null
& $appcmd start site plain | Out-Null
$null
"""
)

# What the breaking scripts use.
TOOLS = r"""
$ErrorActionPreference = 'Stop'
$folder = 'C:\sites\plain'
$appcmd = "$env:windir\system32\inetsrv\appcmd.exe"
$python = 'C:\sites\python'
function appcmd { & $appcmd @args | Out-Null; if ($LASTEXITCODE -ne 0) { throw "appcmd has failed: $args" } }
function Edit-File($Path, $From, $To) {
    $Text = [IO.File]::ReadAllText($Path)
    if (-not $Text.Contains($From)) { throw "$Path does not contain $From" }
    [IO.File]::WriteAllText($Path, $Text.Replace($From, $To))
}
# The pool's processes end a moment after it says that it is stopped, and hold their files until then.
function Stop-Pool {
    appcmd stop apppool plain
    foreach ($i in 1..50) {
        if (-not @(Get-Process python, w3wp -ErrorAction SilentlyContinue | Where-Object { $_.Name -eq 'w3wp' -or $_.Path -like 'C:\sites\*' }).Count) { break }
        Start-Sleep -Milliseconds 100
    }
}
function Edit-Config($From, $To) { Edit-File "$folder\web.config" $From $To }
function Edit-App($From, $To) { Edit-File "$folder\app.py" $From $To }
function Set-Private($Path) {
    if ([IO.File]::Exists($Path)) { $List = New-Object Security.AccessControl.FileSecurity; $Entry = 'A;;FA' }
    else { $List = New-Object Security.AccessControl.DirectorySecurity; $Entry = 'A;OICI;FA' }
    $List.SetSecurityDescriptorSddlForm("O:BAG:SYD:PAI($Entry;;;SY)($Entry;;;BA)")
    Set-Acl -LiteralPath $Path -AclObject $List
}
"""


@dataclass(frozen=True)
class Case:
    """One failure.

    Attributes:
        name: what happened, in words.
        rule: what the diagnosis has to say first.
        arrange: PowerShell that brings it about on the sound site.
        repair: PowerShell that follows the printed advice where that is no command; empty: the printed commands.
        notice: the site works, or fails for another reason; this is said besides.
        says: must stand in cause, evidence or fix.
        also: rules whose causes are true besides, since they follow from this one.
        ask: further arguments of the look.
        request: the path that is asked before the diagnosis, by a visitor; with its method.
        default: runs without DIAGNOSE_MATRIX=full.
        after: restores what `SOUND` does not.
    """

    name: str
    rule: str
    arrange: str
    repair: str = ""
    notice: bool = False
    says: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    ask: tuple[tuple[str, object], ...] = ()
    visit: tuple[str, str, int] | None = None
    default: bool = False
    after: str = ""
    version: str = "1.2"


def _config(before: str, after: str) -> str:
    return f"Edit-Config {_literal(before)} {_literal(after)}"


def _app(before: str, after: str) -> str:
    return f"Edit-App {_literal(before)} {_literal(after)}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_RECYCLE = "\nappcmd recycle apppool plain"
_LIMIT = ('startupTimeLimit="3" startupRetryCount="1"', 'startupTimeLimit="7" startupRetryCount="0"')
_FIXED = 'arguments="-m http.server 9123 --bind 127.0.0.1"'
_ARGUMENTS = 'arguments="app.py %HTTP_PLATFORM_PORT%"'
_DEAF = (
    'served = Server(("127.0.0.1", int(sys.argv[1])), Handler)\nimport threading, time\ndef end():\n    served.socket.close()\n'
    '    print("OSError: [WinError 64] The specified network name is no longer available", flush=True)\n'
    "threading.Timer(2, end).start()\nthreading.Thread(target=served.serve_forever, daemon=True).start()\ntime.sleep(600)"
)
_RELOADER = (
    'if "--reload" in sys.argv:\n    import subprocess\n'
    "    while True: subprocess.call([sys.executable, 'app.py', sys.argv[1]])\nprint('starting', flush=True)"
)
_SERVE = 'Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()'


def _changed(name: str, rule: str, old: str, new: str, **more: object) -> Case:
    """Something in web.config is changed, and put right by hand."""
    return Case(name, rule, _config(old, new), _config(new, old), **more)  # type: ignore[arg-type]


def _coded(name: str, rule: str, old: str, new: str, **more: object) -> Case:
    """Something in the program is changed, and put right by hand; a new process reads it."""
    repair = _app(new, old) + _RECYCLE
    return Case(name, rule, _app(old, new) + _RECYCLE, repair, **more)  # type: ignore[arg-type]


def _heard(name: str, rule: str, old: str, new: str, **more: object) -> Case:
    """The same, with time enough to be seen listening where starting a process takes long."""
    limit = _LIMIT if more.get("version") != "2.0" else ('startupTimeLimit="3"', 'startupTimeLimit="7"')
    longer, shorter = _config(*limit), _config(*reversed(limit))
    arrange, repair = _app(old, new), _app(new, old)
    return Case(name, rule, f"{longer}\n{arrange}{_RECYCLE}", f"{shorter}\n{repair}{_RECYCLE}", **more)  # type: ignore[arg-type]


def _says(name: str, rule: str, text: str, **more: object) -> Case:
    """The process prints what it does in the complaint, where only Windows could make it do so, and ends."""
    return _coded(name, rule, 'print("starting", flush=True)', f"sys.exit({text!r})", **more)


def _answers(name: str, rule: str, status: int, text: str, **more: object) -> Case:
    """The same for a process that answers so."""
    new = f'print({text!r}, flush=True); self.answer({status}, b"Sorry")'
    return _coded(name, rule, 'self.answer(200, b"ok")', new, **more)


def _raises(name: str, rule: str, code: str, **more: object) -> Case:
    """A line of the application raises an exception while it answers; visitors get 500."""
    old = 'self.answer(200, b"ok")'
    new = f"""try:
            {code}
        except Exception:
            import traceback; traceback.print_exc(); self.answer(500, b"Server Error")"""
    return _coded(name, rule, old, new, **more)


def _pfx(name: str, starts: int, ends: int) -> str:
    """A certificate with its key, in base64; valid from and until so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) + timedelta(days=starts))
        .not_valid_after(datetime.now(UTC) + timedelta(days=ends))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .sign(key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(b"pfx")
    return base64.b64encode(pkcs12.serialize_key_and_certificates(None, key, made, None, encryption)).decode()


def _bound(pfx: str, then: str = "", host: str = "") -> str:
    """Gives the site an https binding with a certificate."""
    return f"""
[IO.File]::WriteAllBytes('C:\\sites\\site.pfx', [Convert]::FromBase64String('{pfx}'))
$Word = ConvertTo-SecureString 'pfx' -AsPlainText -Force
$Made = Import-PfxCertificate -FilePath C:\\sites\\site.pfx -CertStoreLocation Cert:\\LocalMachine\\My -Password $Word
[void] [Reflection.Assembly]::LoadFrom("$env:windir\\System32\\inetsrv\\Microsoft.Web.Administration.dll")
$Manager = New-Object Microsoft.Web.Administration.ServerManager
[void] $Manager.Sites['plain'].Bindings.Add('*:8443:{host}', $Made.GetCertHash(), 'My')
$Manager.CommitChanges()
{then}"""


def _secure(name: str, rule: str, arrange: str, **more: object) -> Case:
    """The site's https binding."""
    plain = "appcmd set site plain /bindings:http/*:8020:"
    # HTTP.sys keeps a certificate for its port also when nobody is bound to that any more.
    clean = f"{plain}\n& netsh http delete sslcert ipport=0.0.0.0:8443 | Out-Null"
    return Case(name, rule, arrange, plain, after=clean, **more)  # type: ignore[arg-type]


_REMOVED = 'Remove-Item "Cert:\\LocalMachine\\My\\$($Made.Thumbprint)"'

CASES: tuple[Case, ...] = (
    # -- server and site
    Case("W3SVC is stopped", "service-stopped", "Stop-Service W3SVC -Force"),
    Case("the site is stopped", "site-stopped", "appcmd stop site plain"),
    Case(
        "the site has been deleted",
        "site-missing",
        "appcmd delete site plain",
        "appcmd add site /name:plain /bindings:http/*:8020: '/physicalPath:C:\\sites\\plain'\nappcmd set app plain/ /applicationPool:plain",
    ),
    Case(
        "another site has the binding",
        "binding-taken",
        "appcmd stop site plain\nappcmd add site /name:other /bindings:http/*:8020: '/physicalPath:C:\\inetpub\\wwwroot'\nappcmd start site other",
        default=True,
        says=("other",),
        after="appcmd delete site other",
    ),
    Case(
        "a program has the port",
        "port-taken",
        (
            "appcmd stop site plain\nStart-Process -FilePath \"$python\\python.exe\" -ArgumentList '-m', 'http.server', "
            "'8020', '--bind', ([string] [Net.Dns]::GetHostAddresses($env:COMPUTERNAME)[0]) -WindowStyle "
            "Hidden\nStart-Sleep -Seconds 2"
        ),
        says=("python",),
    ),
    Case(
        "the binding has an address of another server",
        "binding-address",
        "appcmd set site plain /bindings:http/10.1.2.3:8020:",
        after="appcmd set site plain /bindings:http/*:8020:",
    ),
    Case(
        "another site has a better binding",
        "binding-shadowed",
        "appcmd set site plain '/bindings:http/*:8020:,http/*:8020:www.example.com'\n"
        "appcmd add site /name:other /bindings:http/127.0.0.1:8020: '/physicalPath:C:\\inetpub\\wwwroot'",
        after="appcmd set site plain /bindings:http/*:8020:\nappcmd delete site other",
    ),
    Case(
        "no binding has the host name",
        "host-unknown",
        "appcmd set site plain /bindings:http/*:8020:www.example.com",
        ask=(("name", "shop.example.com"),),
        says=("shop.example.com",),
        after="appcmd set site plain /bindings:http/*:8020:",
    ),
    Case(
        "an https binding without a certificate",
        "certificate-none",
        "appcmd set site plain /+\"bindings.[protocol='https',bindingInformation='*:8443:']\"",
        "appcmd set site plain /bindings:http/*:8020:",
        after="appcmd set site plain /bindings:http/*:8020:",
    ),
    # -- pool
    Case("the pool is stopped", "pool-stopped", "appcmd stop apppool plain", default=True),
    Case(
        "the pool is gone",
        "pool-missing",
        "appcmd set app plain/ /applicationPool:gone",
        says=("gone",),
        repair="appcmd set app plain/ /applicationPool:plain",
    ),
    Case(
        "the pool's user has a new password",
        "pool-identity",
        (
            "& net user svc 'Secret-1' /add | Out-Null\nappcmd set apppool plain /processModel.identityType:SpecificUser "
            "/processModel.userName:svc /processModel.password:Wrong-1"
        ),
        default=True,
        says=("svc",),
        after="& net user svc /delete | Out-Null\nappcmd set apppool plain /processModel.identityType:ApplicationPoolIdentity",
    ),
    Case(
        "w3wp.exe crashes again and again",
        "pool-rapid-fail",
        "for ($i = 0; $i -lt 5; $i++) { try { (New-Object Net.WebClient).DownloadString('http://localhost:8020/') | Out-Null } catch { }\n"
        "foreach ($p in @(Get-Process w3wp -ErrorAction SilentlyContinue)) { Stop-Process -Id $p.Id -Force }; Start-Sleep -Milliseconds 700 }",
    ),
    Case(
        "the handler's DLL has been deleted",
        "module-missing",
        (
            "Stop-Service W3SVC -Force; Stop-Service WAS -Force; Start-Sleep -Seconds 1; Move-Item "
            "C:\\Windows\\System32\\inetsrv\\httpPlatformHandler.dll C:\\handler.dll -Force; Start-Service W3SVC"
        ),
        (
            "Stop-Service W3SVC -Force; Stop-Service WAS -Force; Start-Sleep -Seconds 1; Move-Item C:\\handler.dll "
            "C:\\Windows\\System32\\inetsrv\\httpPlatformHandler.dll; Start-Service W3SVC; appcmd start apppool plain"
        ),
    ),
    # -- configuration
    Case(
        "handlers are locked (visualstudio-docs 8225, IISIntegration 24)",
        "section-locked",
        "appcmd lock config /section:system.webServer/handlers",
        default=True,
        says=("system.webServer/handlers",),
    ),
    Case(
        "HttpPlatformHandler is not installed (visualstudio-docs 4645)",
        "handler-not-installed",
        "& msiexec /x '{49FE726A-F8A3-426F-9448-337D47E355FA}' /qn | Out-Null",
        "& msiexec /i C:\\sites\\handler.msi /qn | Out-Null",
        default=True,
    ),
    Case(
        "version 2.0 is installed beside 1.2 (httpbridge 14, 15)",
        "two-handlers",
        "& msiexec /i C:\\sites\\handler2.msi /qn | Out-Null",
        (
            "& msiexec /x C:\\sites\\handler2.msi /qn | Out-Null\n& msiexec /x C:\\sites\\handler.msi /qn | Out-Null\n& "
            "msiexec /i C:\\sites\\handler.msi /qn | Out-Null"
        ),
        default=True,
        also=("attribute-of-other-version",),
    ),
    _changed(
        "FastCGI's handler is mixed in (visualstudio-docs 4361)",
        "other-handler",
        'modules="httpPlatformHandler"',
        'modules="FastCgiModule" scriptProcessor="C:\\Python\\python.exe|C:\\Python\\wfastcgi.py"',
        says=("FastCgiModule",),
    ),
    Case(
        "web.config lost its handler",
        "handler-missing",
        'Edit-Config \'<add name="python" path="*" verb="*" modules="httpPlatformHandler" resourceType="Unspecified" requireAccess="Script" />\' \'\'',
        (
            'Edit-Config \'<handlers>\' \'<handlers><add name="python" path="*" verb="*" modules="httpPlatformHandler" '
            'resourceType="Unspecified" requireAccess="Script" />\''
        ),
    ),
    _changed("the handler only gets *.py", "handler-order", 'path="*" verb="*"', 'path="*.py" verb="*"'),
    Case(
        "web.config has been removed",
        "web-config-missing",
        'Move-Item "$folder\\web.config" C:\\sites\\kept.config',
        'Move-Item C:\\sites\\kept.config "$folder\\web.config"',
    ),
    _changed(
        "web.config is not XML",
        "web-config-malformed",
        "</system.webServer>",
        "</system.web>",
        default=True,
        says=("line",),
    ),
    _changed(
        "a word in web.config is misspelt",
        "web-config-unknown-name",
        'startupTimeLimit="3"',
        'startupTimelimt="3"',
        says=("startupTimelimt",),
    ),
    _changed(
        "a section of a module that is not installed",
        "section-unknown",
        "<handlers>",
        "<rewrite><rules /></rewrite><handlers>",
    ),
    _changed(
        "Application Initialization is not installed",
        "section-unknown",
        "<handlers>",
        '<applicationInitialization doAppInitAfterRestart="true" /><handlers>',
        says=("applicationInitialization",),
    ),
    _changed(
        "a value is out of range",
        "web-config-value",
        'startupTimeLimit="3"',
        'startupTimeLimit="99999"',
        says=("startupTimeLimit",),
    ),
    _changed(
        "requestTimeout with seconds under 1.2",
        "web-config-value",
        'startupTimeLimit="3"',
        'startupTimeLimit="3" requestTimeout="00:00:30"',
        says=("requestTimeout",),
    ),
    _changed(
        "the same header twice",
        "duplicate-entry",
        "<handlers>",
        '<httpProtocol><customHeaders><add name="X-Powered-By" value="me" /></customHeaders></httpProtocol><handlers>',
    ),
    _changed(
        "an element that only version 2.0 knows",
        "attribute-of-other-version",
        "<environmentVariables>",
        "<handlerSettings /><environmentVariables>",
        says=("handlerSettings",),
    ),
    Case(
        "the site's folder is gone",
        "site-folder-missing",
        "appcmd set vdir plain/ '/physicalPath:C:\\sites\\gone'",
        "appcmd set vdir plain/ '/physicalPath:C:\\sites\\plain'",
    ),
    Case(
        "the site's folder may not be read",
        "site-folder-access",
        "Set-Private $folder",
        default=True,
        after="& icacls $folder /grant 'IIS AppPool\\plain:(OI)(CI)RX' | Out-Null",
    ),
    Case("web.config may not be read", "site-folder-access", 'Set-Private "$folder\\web.config"'),
    Case(
        "the module is taken out of the list",
        "module-not-listed",
        "appcmd set config /section:system.webServer/modules \"/-[name='httpPlatformHandler']\"",
        "appcmd set config /section:system.webServer/modules \"/+[name='httpPlatformHandler']\"",
    ),
    Case(
        "an upload is larger than maxAllowedContentLength",
        "requests-filtered",
        "appcmd set config plain /section:system.webServer/security/requestFiltering /requestLimits.maxAllowedContentLength:100",
        notice=True,
        visit=("POST", "/upload", 404),
        default=True,
        says=("maxAllowedContentLength",),
        after="appcmd clear config plain /section:system.webServer/security/requestFiltering",
    ),
    Case(
        "a path with a hidden segment",
        "request-filtered",
        "",
        ask=(("path", "/bin/tool"),),
        says=("hidden",),
        repair=" ",
    ),
    Case(
        "anonymous authentication is off",
        "anonymous-off",
        "appcmd set config plain /section:system.webServer/security/authentication/anonymousAuthentication /enabled:false /commit:apphost",
    ),
    Case(
        "https is required",
        "visitor-refused",
        "appcmd set config plain /section:system.webServer/security/access /sslFlags:Ssl /commit:apphost",
        "appcmd set config plain /section:system.webServer/security/access /sslFlags:None /commit:apphost",
    ),
    # -- the process does not start
    _changed(
        "processPath names nothing (passcore 33)",
        "program-missing",
        "C:\\sites\\venv\\Scripts\\python.exe",
        "C:\\sites\\venv\\bin\\python.exe",
        default=True,
    ),
    Case(
        "the virtual environment has been renamed",
        "program-missing",
        "Stop-Pool\nRename-Item C:\\sites\\venv venv-old\nappcmd start apppool plain",
        "Rename-Item C:\\sites\\venv-old venv",
    ),
    Case(
        "the Python behind the environment is gone (pyenv-win 321)",
        "base-python-missing",
        'Stop-Pool\nMove-Item $python "$python-moved"\nappcmd start apppool plain',
        'Move-Item "$python-moved" $python',
        default=True,
    ),
    Case(
        "the Python lies in a user's profile (mamba 3151, waitress 430)",
        "base-python-in-profile",
        "Stop-Pool\nCopy-Item $python C:\\Users\\Administrator\\python -Recurse -Force\n"
        "Set-Private C:\\Users\\Administrator\\python\nEdit-Config 'C:\\sites\\venv\\Scripts\\python.exe' "
        "'C:\\Users\\Administrator\\python\\python.exe'\nappcmd start apppool plain",
        "Edit-Config 'C:\\Users\\Administrator\\python\\python.exe' 'C:\\sites\\venv\\Scripts\\python.exe'",
    ),
    Case(
        "the Python may not be run by the identity",
        "python-access",
        "Set-Private $python; appcmd recycle apppool plain",
        default=True,
        says=("IIS AppPool\\plain",),
    ),
    Case(
        "the virtual environment may not be read by the identity",
        "python-access",
        "Set-Private C:\\sites\\venv; appcmd recycle apppool plain",
    ),
    Case(
        "processPath is a script",
        "program-invalid",
        "[IO.File]::WriteAllText(\"$folder\\run.exe\", 'print(1)'); Edit-Config 'C:\\sites\\venv\\Scripts\\python.exe' 'C:\\sites\\plain\\run.exe'",
        "Edit-Config 'C:\\sites\\plain\\run.exe' 'C:\\sites\\venv\\Scripts\\python.exe'",
    ),
    Case(
        "Python's DLL is missing",
        "python-incomplete",
        (
            "Stop-Pool\nGet-ChildItem $python -Filter 'python3*.dll' | ForEach-Object { Move-Item "
            "$_.FullName ($_.FullName + '.kept') -Force }\nappcmd start apppool plain"
        ),
        ""
        "Get-ChildItem $python -Filter 'python3*.kept' | ForEach-Object { Move-Item $_.FullName $_.FullName.Replace('.kept', '') -Force }",
    ),
    _changed(
        "a package is not installed",
        "python-module-missing",
        _ARGUMENTS,
        'arguments="-m nouvicorn app:app --port %HTTP_PLATFORM_PORT%"',
        default=True,
        says=("nouvicorn",),
    ),
    _coded(
        "an import fails",
        "python-module-missing",
        'print("starting", flush=True)',
        "import nothing_like_this",
        says=("nothing_like_this",),
    ),
    _coded(
        "a variable is missing",
        "variable-missing",
        'print("starting", flush=True)',
        'os.environ["DATABASE_URL"]',
        default=True,
        says=("DATABASE_URL",),
    ),
    _coded("a syntax error", "syntax-error", 'print("starting", flush=True)', "def broken(:", says=("app.py",)),
    _coded(
        "an exception while starting",
        "exception-at-start",
        'print("starting", flush=True)',
        'raise ValueError("no way")',
        says=("no way",),
    ),
    _coded(
        "it ends at once with a message",
        "process-ended",
        'print("starting", flush=True)',
        'sys.exit("goodbye")',
        says=("goodbye",),
    ),
    _coded(
        "it ends at once, silently",
        "process-ended",
        'print("starting", flush=True)',
        "os._exit(3)",
        says=("printed nothing",),
    ),
    _coded(
        "it starts too slowly",
        "start-too-slow",
        'print("starting", flush=True)',
        "import time; time.sleep(30)",
        default=True,
        says=("startupTimeLimit",),
    ),
    Case(
        "it listens on a fixed port",
        "port-ignored",
        _config(*_LIMIT) + "\n" + _config(_ARGUMENTS, _FIXED),
        _config(*reversed(_LIMIT)) + "\n" + _config(_FIXED, _ARGUMENTS),
        default=True,
        says=("9123",),
    ),
    _heard("it listens on another port", "listens-elsewhere", "int(sys.argv[1])", "int(sys.argv[1]) + 1"),
    _heard(
        "it listens by IPv6 only",
        "listens-on-ipv6",
        _SERVE,
        'Server.address_family = __import__("socket").AF_INET6; Server(("::1", int(sys.argv[1])), Handler).serve_forever()',
    ),
    _coded("it listens on all addresses", "listens-for-everybody", '("127.0.0.1", int', '("0.0.0.0", int', notice=True),
    _coded(
        "its port is taken",
        "port-in-use",
        _SERVE,
        (
            'import subprocess; subprocess.Popen([sys.executable, "-m", "http.server", "9124", "--bind", "127.0.0.1"]); '
            'import time; time.sleep(1.5); Server(("127.0.0.1", 9124), Handler)'
        ),
    ),
    _coded(
        "a process that is no child of it listens (IISIntegration 8)",
        "listener-not-child",
        _SERVE,
        (
            'import subprocess; subprocess.call([sys.executable, "-c", "import subprocess, sys; '
            'subprocess.Popen(sys.argv[1:], start_new_session=True)", sys.executable, "-m", "http.server", sys.argv[1], '
            '"--bind", "127.0.0.1"]); import time; time.sleep(60)'
        ),
    ),
    Case(
        "it reloads itself: the child that listens ends, another one comes (IISIntegration 34)",
        "autoreload",
        _config(_ARGUMENTS, 'arguments="app.py %HTTP_PLATFORM_PORT% --reload"')
        + "\n"
        + _app('print("starting", flush=True)', _RELOADER)
        + "\n"
        + _app('self.answer(200, b"ok")', "os._exit(3)")
        + _RECYCLE,
        _config('arguments="app.py %HTTP_PLATFORM_PORT% --reload"', _ARGUMENTS)
        + "\n"
        + _app(_RELOADER, 'print("starting", flush=True)')
        + "\n"
        + _app("os._exit(3)", 'self.answer(200, b"ok")')
        + _RECYCLE,
        also=("process-lost",),
    ),
    _changed(
        "it would reload itself",
        "autoreload-on",
        _ARGUMENTS,
        'arguments="app.py %HTTP_PLATFORM_PORT% --reload"',
        notice=True,
    ),
    _coded(
        "rapid fails hide the cause",
        "variable-missing",
        'print("starting", flush=True)',
        'os.environ["DATABASE_URL"]',
        ask=(("again", True),),
        says=("DATABASE_URL",),
    ),
    Case(
        "the output cannot be printed in the code page",
        "output-encoding",
        _app('print("starting", flush=True)', "print(chr(0x2603), flush=True)") + "; appcmd recycle apppool plain",
        _config("<environmentVariables>", '<environmentVariables><environmentVariable name="PYTHONUTF8" value="1" />'),
    ),
    Case(
        "it may not write its own log (httpbridge 1)",
        "file-denied",
        "if (Test-Path C:\\sites\\private) { Remove-Item C:\\sites\\private -Recurse -Force }\n"
        "[void] [IO.Directory]::CreateDirectory('C:\\sites\\private'); Set-Private C:\\sites\\private\n"
        + _app('print("starting", flush=True)', 'open("../private/own.log", "w")')
        + _RECYCLE,
        says=("C:\\sites\\private",),
    ),
    # -- its log
    Case(
        "the folder of the log is missing",
        "log-not-written",
        'Stop-Pool; Remove-Item "$folder\\logs" -Recurse -Force; appcmd start apppool plain',
        notice=True,
        default=True,
    ),
    Case(
        "the folder of the log may not be written (aspnetcore 1336)",
        "log-not-written",
        'Stop-Pool; Set-Private "$folder\\logs"; appcmd start apppool plain',
        notice=True,
    ),
    Case(
        "no log is kept of a failing start",
        "log-off",
        _config('stdoutLogEnabled="true"', 'stdoutLogEnabled="false"')
        + "\n"
        + _app('print("starting", flush=True)', "sys.exit(1)"),
        _config('stdoutLogEnabled="false"', 'stdoutLogEnabled="true"')
        + "\n"
        + _app("sys.exit(1)", 'print("starting", flush=True)'),
        notice=True,
    ),
    # -- the process runs
    _coded(
        "it refuses the host name",
        "allowed-hosts",
        'self.answer(200, b"ok")',
        (
            'print("Invalid HTTP_HOST header: " + repr(self.headers["Host"]) + ". You may need to add it to '
            'ALLOWED_HOSTS.", flush=True); self.answer(400, b"Bad Request")'
        ),
    ),
    _coded(
        "it fails with an exception",
        "exception",
        'self.answer(200, b"ok")',
        'import traceback\n        try: 1 / 0\n        except Exception: traceback.print_exc()\n        self.answer(500, b"Server Error")',
        says=("ZeroDivisionError",),
    ),
    _coded(
        "it answers 500 and says nothing",
        "application-error",
        'self.answer(200, b"ok")',
        'self.answer(500, b"Server Error")',
    ),
    _coded("it dies during a request", "process-lost", 'self.answer(200, b"ok")', "os._exit(1)"),
    _coded(
        "it does not speak HTTP",
        "answer-not-http",
        'self.answer(200, b"ok")',
        'self.wfile.write(b"not http at all\\r\\n\\r\\n"); self.close_connection = True',
    ),
    _coded(
        "it takes longer than the visitor waits",
        "request-too-slow",
        'self.answer(200, b"ok")',
        'import time; time.sleep(20); self.answer(200, b"ok")',
        ask=(("timeout", 3),),
    ),
    _coded(
        "it does not expect the port in X-Forwarded-For (django-axes 184)",
        "forwarded-for-port",
        'self.answer(200, b"ok")',
        'import ipaddress; ipaddress.ip_address(self.headers["X-Forwarded-For"]); self.answer(200, b"ok")',
    ),
    _coded(
        "it sends visitors to https",
        "https-redirect-without-https",
        'self.answer(200, b"ok")',
        'self.send_response(301); self.send_header("Location", "https://www.example.com/"); self.end_headers()',
    ),
    # -- version 2.0
    Case(
        "2.0: startupRetryCount (httpbridge 13)",
        "attribute-of-other-version",
        _config('startupTimeLimit="3"', 'startupTimeLimit="3" startupRetryCount="2"'),
        _config('startupTimeLimit="3" startupRetryCount="2"', 'startupTimeLimit="3"'),
        version="2.0",
        default=True,
        says=("startupRetryCount", "2.0"),
    ),
    _changed(
        "2.0: processPath names nothing",
        "program-missing",
        "C:\\sites\\venv\\Scripts\\python.exe",
        "C:\\sites\\venv\\bin\\python.exe",
        version="2.0",
    ),
    _changed(
        "2.0: a package is not installed",
        "python-module-missing",
        _ARGUMENTS,
        'arguments="-m nouvicorn app:app --port %HTTP_PLATFORM_PORT%"',
        version="2.0",
        says=("nouvicorn",),
    ),
    Case(
        "2.0: an import fails, and there is no log",
        "python-module-missing",
        _config('stdoutLogEnabled="true"', 'stdoutLogEnabled="false"')
        + "\n"
        + _app('print("starting", flush=True)', "import nothing_like_this"),
        _config('stdoutLogEnabled="false"', 'stdoutLogEnabled="true"')
        + "\n"
        + _app("import nothing_like_this", 'print("starting", flush=True)'),
        version="2.0",
        default=True,
        says=("nothing_like_this",),
    ),
    _coded(
        "2.0: it starts too slowly",
        "start-too-slow",
        'print("starting", flush=True)',
        "import time; time.sleep(30)",
        version="2.0",
    ),
    _heard(
        "2.0: it listens on another port",
        "listens-elsewhere",
        "int(sys.argv[1])",
        "int(sys.argv[1]) + 1",
        version="2.0",
    ),
    _coded(
        "2.0: it ends at once, silently", "process-ended", 'print("starting", flush=True)', "os._exit(3)", version="2.0"
    ),
    Case(
        "2.0: the Python may not be run by the identity",
        "python-access",
        "Set-Private $python; appcmd recycle apppool plain",
        version="2.0",
    ),
    Case(
        "2.0: app_offline.htm",
        "app-offline",
        "[IO.File]::WriteAllText(\"$folder\\app_offline.htm\", 'away')",
        version="2.0",
    ),
    Case(
        "2.0: handlers are locked",
        "section-locked",
        "appcmd lock config /section:system.webServer/handlers",
        version="2.0",
    ),
    _coded("2.0: it dies during a request", "process-lost", 'self.answer(200, b"ok")', "os._exit(1)", version="2.0"),
    Case(
        "2.0: a request takes longer than requestTimeout",
        "request-too-slow",
        _config('startupTimeLimit="3"', 'startupTimeLimit="3" requestTimeout="00:00:01"')
        + "\n"
        + _app('self.answer(200, b"ok")', 'import time; time.sleep(5); self.answer(200, b"ok")')
        + _RECYCLE,
        _config('startupTimeLimit="3" requestTimeout="00:00:01"', 'startupTimeLimit="3"')
        + "\n"
        + _app('import time; time.sleep(5); self.answer(200, b"ok")', 'self.answer(200, b"ok")')
        + _RECYCLE,
        version="2.0",
    ),
    # -- what else is complained of
    Case("an application that is not there", "application-missing", "", " ", ask=(("application", "/shop"),)),
    Case(
        "the site has lost its only binding",
        "binding-none",
        "appcmd set site plain \"/-bindings.[protocol='http',bindingInformation='*:8020:']\"",
        "appcmd set site plain /bindings:http/*:8020:",
    ),
    _secure(
        "the certificate has been removed from the store",
        "certificate-gone",
        _bound(_pfx("localhost", -1, 90), _REMOVED),
    ),
    _secure(
        "the certificate has expired", "certificate-expired", _bound(_pfx("localhost", -90, -1)), says=("has expired",)
    ),
    _secure(
        "the certificate is not valid yet",
        "certificate-expired",
        _bound(_pfx("localhost", 1, 90)),
        says=("not valid yet",),
    ),
    _secure(
        "the certificate's private key is not there",
        "certificate-no-key",
        _bound(
            _pfx("localhost", -1, 90),
            "[IO.File]::WriteAllBytes('C:\\sites\\site.cer', $Made.RawData)\n"
            + _REMOVED
            + "\n[void] (Import-Certificate -FilePath C:\\sites\\site.cer -CertStoreLocation Cert:\\LocalMachine\\My)",
        ),
    ),
    _secure(
        "the certificate is of one's own making",
        "certificate-untrusted",
        _bound(_pfx("localhost", -1, 90)),
        notice=True,
    ),
    _secure("the certificate ends soon", "certificate-ends-soon", _bound(_pfx("localhost", -80, 10)), notice=True),
    _secure(
        "the certificate is for another name",
        "certificate-name",
        _bound(_pfx("www.example.com", -1, 90), host="localhost"),
        notice=True,
        says=("www.example.com", "localhost"),
    ),
    Case(
        "HttpPlatformHandler itself crashes w3wp.exe (IISIntegration 35, AspNetCoreModule 25)",
        "handler-crash",
        "for ($i = 0; $i -lt 5; $i++) { try { (New-Object Net.WebClient).DownloadString('http://localhost:8020/') | Out-Null } catch { }\n"
        "foreach ($p in @(Get-Process w3wp -ErrorAction SilentlyContinue)) { Write-EventLog -LogName Application -Source 'Application Error' -EventId 1000 "
        "-EntryType Error -Message 'Faulting application name: w3wp.exe, version: 10.0.20348.1, faulting module name: httpPlatformHandler.dll'; "
        "Stop-Process -Id $p.Id -Force }; Start-Sleep -Milliseconds 700 }",
        "Clear-EventLog -LogName Application; appcmd start apppool plain",
        also=("pool-rapid-fail",),
    ),
    Case(
        "sockets that stay open delay the end of the old process (WebSockets 169)",
        "shutdown-slow",
        "appcmd set apppool plain /processModel.shutdownTimeLimit:00:00:01\n"
        + _app(
            'self.answer(200, b"ok")', 'import time; time.sleep(9 * (self.path == "/slow")); self.answer(200, b"ok")'
        )
        + _RECYCLE
        + "\nStart-Process -FilePath \"$python\\python.exe\" -ArgumentList '-c', "
        "('\"import urllib.request as r; r.urlopen(''http://{0}:8020/slow'')\"' -f [string] [Net.Dns]::GetHostAddresses($env:COMPUTERNAME)[0]) "
        "-WindowStyle Hidden\nStart-Sleep -Seconds 3" + _RECYCLE + "\nStart-Sleep -Seconds 3",
        _app('import time; time.sleep(9 * (self.path == "/slow")); self.answer(200, b"ok")', 'self.answer(200, b"ok")')
        + "\nappcmd set apppool plain /processModel.shutdownTimeLimit:00:01:30",
        notice=True,
        visit=("GET", "/", 200),
    ),
    _changed(
        "web.config names no program",
        "program-unset",
        '<httpPlatform processPath="C:\\sites\\venv\\Scripts\\python.exe"',
        "<httpPlatform",
    ),
    _changed(
        "processPath is a folder",
        "program-missing",
        "C:\\sites\\venv\\Scripts\\python.exe",
        "C:\\sites\\venv\\Scripts",
        says=("folder",),
    ),
    Case(
        "the virtual environment has lost its pyvenv.cfg",
        "virtual-environment-broken",
        "Stop-Pool\nMove-Item C:\\sites\\venv\\pyvenv.cfg C:\\sites\\kept.cfg\nappcmd start apppool plain",
        "Move-Item C:\\sites\\kept.cfg C:\\sites\\venv\\pyvenv.cfg",
    ),
    Case(
        "the environment was made from a Python in a user's profile (pyenv-win 321)",
        "base-python-in-profile",
        "Stop-Pool\nRemove-Item C:\\Users\\Administrator\\python, C:\\sites\\venv2 -Recurse -Force -ErrorAction SilentlyContinue\n"
        "Copy-Item $python C:\\Users\\Administrator\\python -Recurse\n"
        "& C:\\Users\\Administrator\\python\\python.exe -m venv --without-pip C:\\sites\\venv2\n"
        "& icacls C:\\sites\\venv2 /grant 'IIS AppPool\\plain:(OI)(CI)RX' | Out-Null\n"
        "Set-Private C:\\Users\\Administrator\\python\nEdit-Config 'C:\\sites\\venv\\' 'C:\\sites\\venv2\\'\nappcmd start apppool plain",
        "Edit-Config 'C:\\sites\\venv2\\' 'C:\\sites\\venv\\'",
    ),
    Case(
        "nothing tells why the process does not start",
        "rapid-fails",
        _config('stdoutLogEnabled="true"', 'stdoutLogEnabled="false" rapidFailsPerMinute="1"')
        + "\n"
        + _app('print("starting", flush=True)', "os._exit(3)")
        + _RECYCLE
        + "\nforeach ($i in 1..3) { try { (New-Object Net.WebClient).DownloadString('http://localhost:8020/') | Out-Null } catch { } }\n"
        "Clear-EventLog -LogName Application",
        _config('stdoutLogEnabled="false" rapidFailsPerMinute="1"', 'stdoutLogEnabled="true"')
        + "\n"
        + _app("os._exit(3)", 'print("starting", flush=True)')
        + _RECYCLE,
    ),
    Case(
        "somebody has web.config open for himself",
        "configuration-invalid",
        "Start-Process -FilePath powershell.exe -ArgumentList '-NoProfile', '-Command', "
        "'\"$f = [IO.File]::Open(''C:\\sites\\plain\\web.config'', ''Open'', ''Read'', ''None''); Start-Sleep -Seconds 20\"' -WindowStyle Hidden\n"
        "Start-Sleep -Seconds 2\nappcmd recycle apppool plain",
        "Get-Process powershell | Where-Object { $_.Id -ne $PID } | Stop-Process -Force; Start-Sleep -Seconds 1",
    ),
    _says(
        "it wants a port that is reserved (hypercorn 231)",
        "port-forbidden",
        "[WinError 10013] An attempt was made to access a socket in a way forbidden by its access permissions",
    ),
    _coded(
        "uvicorn before 0.22 wants a standard input (uvicorn 1951)",
        "standard-input-missing",
        'print("starting", flush=True)',
        "sys.stdin = None; sys.stdin.fileno()",
    ),
    Case(
        "workers of uvicorn's own (uvicorn 342, 484)",
        "worker-processes",
        _config(_ARGUMENTS, 'arguments="app.py %HTTP_PLATFORM_PORT% --workers 4"')
        + "\n"
        + _app('print("starting", flush=True)', 'sys.exit("OSError: [WinError 87] The parameter is incorrect")'),
        _config('arguments="app.py %HTTP_PLATFORM_PORT% --workers 4"', _ARGUMENTS)
        + "\n"
        + _app('sys.exit("OSError: [WinError 87] The parameter is incorrect")', 'print("starting", flush=True)')
        + _RECYCLE,
    ),
    Case(
        "it has lost its listener and lives on (answers 5747705, cpython 93821)",
        "listener-dead",
        _app(_SERVE, _DEAF)
        + _RECYCLE
        + "\n(New-Object Net.WebClient).DownloadString('http://localhost:8020/') | Out-Null\nStart-Sleep -Seconds 3",
        _app(_DEAF, _SERVE) + _RECYCLE,
    ),
    _coded(
        "an ASGI application under a WSGI server (waitress 426)",
        "interface-wrong",
        _SERVE,
        "from wsgiref.simple_server import make_server\n\nclass Application:\n    async def __call__(self, scope, receive, send): pass\n\n"
        'make_server("127.0.0.1", int(sys.argv[1]), Application()).serve_forever()',
    ),
    _raises(
        "a database file that may not be written",
        "database-read-only",
        'import sqlite3; sqlite3.connect("data.db").close(); sqlite3.connect("file:data.db?mode=ro", uri=True).execute("create table a (b)")',
    ),
    _raises(
        "a database without its tables",
        "database-not-migrated",
        'import sqlite3; sqlite3.connect(":memory:").execute("select * from shop_order")',
        says=("shop_order",),
    ),
    _raises(
        "a database server that does not answer",
        "database-unreachable",
        'import socket; socket.create_connection(("127.0.0.1", 1))',
    ),
    _answers("it refuses what it gets, silently", "bad-request", 400, ""),
    _answers(
        "it refuses an upload by Django's limit",
        "upload-too-large",
        400,
        "django.core.exceptions.RequestDataTooBig: Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.",
    ),
    Case(
        "it starts again and again",
        "process-restarts",
        "foreach ($i in 1..4) { (New-Object Net.WebClient).DownloadString('http://localhost:8020/') | Out-Null; appcmd recycle apppool plain }",
        " ",
        notice=True,
        visit=("GET", "/", 200),
    ),
    Case(
        "2.0: the handler's schema is gone (httpbridge 16)",
        "handler-not-installed",
        "Remove-Item C:\\Windows\\System32\\inetsrv\\config\\schema\\httpplatform_schema.xml; appcmd recycle apppool plain",
        "& msiexec /x C:\\sites\\handler.msi /qn | Out-Null\n& msiexec /i C:\\sites\\handler.msi /qn | Out-Null",
        version="2.0",
    ),
    Case(
        "2.0: it may not write its own log (httpbridge 1)",
        "file-denied",
        "if (Test-Path C:\\sites\\private) { Remove-Item C:\\sites\\private -Recurse -Force }\n"
        "[void] [IO.Directory]::CreateDirectory('C:\\sites\\private'); Set-Private C:\\sites\\private\n"
        + _app('print("starting", flush=True)', 'open("../private/own.log", "w")')
        + _RECYCLE,
        says=("C:\\sites\\private",),
        version="2.0",
    ),
    # -- the server
    Case(
        "a restart is pending",
        "restart-pending",
        "New-Item -Force 'HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending' | Out-Null",
        notice=True,
        repair="Remove-Item 'HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending'",
    ),
)


# What the scripts use that break the example that the deploy has brought to a server.
DJANGO_TOOLS = (
    TOOLS
    + r"""
$root = 'C:\inetpub\mysite'
$live = & $appcmd list vdir mysite/ /text:physicalPath
$venv = (Get-ChildItem -LiteralPath "$root\venvs" -Directory)[0].FullName
function Restart-Pool { & $appcmd start apppool mysite | Out-Null; appcmd recycle apppool mysite }
function Set-Variable-Name($From, $To) {
    appcmd set config /section:system.applicationHost/applicationPools "/[name='mysite'].environmentVariables.[name='$From'].name:$To" /commit:apphost
    Restart-Pool
}
"""
)
_PACKAGES = r"$venv\Lib\site-packages"

_STATIC = (
    "from django.http import HttpResponse`nfrom django.templatetags.static import static`n"
    "urlpatterns = [path('', lambda request: HttpResponse(static('nothing.css'))),"
)
_HEADERS = (
    "GET / HTTP/1.1",
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
)
_REQUEST = "\r\n".join([*_HEADERS, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", ""]).encode().hex()
_UPGRADE = (
    "import socket, sys; s = socket.create_connection((sys.argv[1], 8014)); "
    "s.send(bytes.fromhex(sys.argv[2])); s.recv(99)"
)

DJANGO: tuple[Case, ...] = (
    Case(
        "ALLOWED_HOSTS lacks the name",
        "allowed-hosts",
        "",
        " ",
        ask=(("name", "www.example.com"),),
        says=("www.example.com",),
    ),
    Case(
        "the URLs do not import",
        "exception",
        'Edit-File "$live\\mysite\\urls.py" "from django.urls" "import nothing_there`nfrom django.urls"; Restart-Pool',
        'Edit-File "$live\\mysite\\urls.py" "import nothing_there`nfrom" "from"; Restart-Pool',
        says=("nothing_there",),
    ),
    Case(
        "the settings are wrong",
        "settings-invalid",
        'Edit-File "$live\\mysite\\settings.py" "ROOT_URLCONF =" "raise __import__(\'django\').core.exceptions.ImproperlyConfigured(8)`nURLS ="; Restart-Pool',
        'Edit-File "$live\\mysite\\settings.py" "raise __import__(\'django\').core.exceptions.ImproperlyConfigured(8)`nURLS =" "ROOT_URLCONF ="; Restart-Pool',
    ),
    Case(
        "uvicorn is not in the environment",
        "python-module-missing",
        f'Rename-Item "{_PACKAGES}\\uvicorn" uvicorn-x; Restart-Pool',
        f'Rename-Item "{_PACKAGES}\\uvicorn-x" uvicorn; Restart-Pool',
        says=("uvicorn",),
    ),
    Case(
        "the secret key is not in the environment",
        "variable-missing",
        "Set-Variable-Name DJANGO_SECRET_KEY OTHER_KEY",
        "Set-Variable-Name OTHER_KEY DJANGO_SECRET_KEY",
        says=("DJANGO_SECRET_KEY",),
    ),
    Case(
        "static files under ASGI (whitenoise 531)",
        "iterator-under-asgi",
        "Restart-Pool",
        "Restart-Pool",
        notice=True,
        ask=(("path", "/static/admin/css/base.css"),),
    ),
    Case(
        "maintenance is on",
        "maintenance",
        '[IO.File]::WriteAllText("$root\\shared\\maintenance.json", \'{"retry_after": 60, "page": "soon", "token": "t"}\')',
    ),
    Case(
        "a deploy was broken off",
        "release-half-done",
        '[void] [IO.Directory]::CreateDirectory("$root\\releases\\rx.partial")',
        '[IO.Directory]::Delete("$root\\releases\\rx.partial")',
        notice=True,
    ),
    Case(
        "the live release was marked bad",
        "release-bad",
        '[IO.File]::WriteAllText("$live.bad", "x")',
        '[IO.File]::Delete("$live.bad")',
        notice=True,
    ),
    Case(
        "a deploy is under way",
        "deploy-running",
        "$Self = [Diagnostics.Process]::GetCurrentProcess()\n"
        "$Note = @{ by = 'somebody'; run = 'x'; since = 'now'; process = $Self.Id; started = $Self.StartTime.ToUniversalTime().ToString('o') }\n"
        '[IO.File]::WriteAllText("$root\\deploy.lock", (ConvertTo-Json -Compress $Note))',
        '[IO.File]::Delete("$root\\deploy.lock")',
        notice=True,
        says=("somebody",),
    ),
    Case(
        "it is drained",
        "draining",
        "$Until = ([DateTime]::UtcNow - (New-Object DateTime 1970, 1, 1)).TotalSeconds + 600\n"
        '[IO.File]::WriteAllText("$root\\shared\\draining", [string] [Math]::Ceiling($Until))',
        notice=True,
    ),
    Case(
        "the application object has another name",
        "application-not-found",
        'Edit-File "$live\\mysite\\asgi.py" "application =" "app ="; Restart-Pool',
        'Edit-File "$live\\mysite\\asgi.py" "app =" "application ="; Restart-Pool',
    ),
    Case(
        "a page asks for a static file that was not collected",
        "static-files-missing",
        f'Edit-File "$live\\mysite\\urls.py" "urlpatterns = [" "{_STATIC}"; Restart-Pool',
        f'Edit-File "$live\\mysite\\urls.py" "{_STATIC}" "urlpatterns = ["; Restart-Pool',
        says=("nothing.css",),
    ),
    Case(
        "a form comes from somewhere else",
        "csrf-origin",
        "",
        " ",
        notice=True,
        visit=("POST", "/admin/login/", 403),
    ),
    Case(
        "a browser asks for a WebSocket",
        "websocket-library",
        '$Address = [string] [Net.Dns]::GetHostAddresses($env:COMPUTERNAME)[0]\n& "$venv\\Scripts\\python.exe" -c '
        f"'{_UPGRADE}' $Address {_REQUEST} | Out-Null",
        " ",
        notice=True,
        visit=("GET", "/admin/login/", 200),
    ),
    Case("the site may not write its data", "data-access", 'Set-Private "$root\\shared\\data"', notice=True),
)
