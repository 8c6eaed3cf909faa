"""Django projects as other people write them, and what their visitors must get."""

from __future__ import annotations

import base64
import http.client
import os
import re
import shutil
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

PASSWORD = "pässwort"
BOM = "\ufeff"

MANAGE = """\
#!/usr/bin/env python
import os, sys
def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
if __name__ == "__main__":
    main()
"""
BASE = """\
import sys
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent.parent
print("settings are read, argv", sys.argv)
TESTING = sys.argv[1] == "test"
SECRET_KEY = "not-made-by-startproject"
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
INSTALLED_APPS = ["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
    "django.contrib.staticfiles", "accounts", "pages"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.gzip.GZipMiddleware", "django.middleware.http.ConditionalGetMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.locale.LocaleMiddleware", "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware", "django.middleware.clickjacking.XFrameOptionsMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "DIRS": [BASE_DIR / "templates"],
    "OPTIONS": {"context_processors": ["django.contrib.messages.context_processors.messages",
        "django.template.context_processors.request", "django.contrib.auth.context_processors.auth"]}}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
LANGUAGE_CODE = "de"
LOCALE_PATHS = [BASE_DIR / "locale"]
STATIC_URL = "/assets/"
STATIC_ROOT = "staticfiles"
MEDIA_ROOT = "media"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": BASE_DIR / "cache"}}
LOGGING = {"version": 1, "disable_existing_loggers": False, "formatters": {"v": {"format": "%(asctime)s %(levelname)s %(message)s"}},
    "handlers": {"file": {"class": "logging.handlers.RotatingFileHandler", "filename": BASE_DIR / "logs" / "app.log", "formatter": "v"}},
    "root": {"handlers": ["file"], "level": "INFO"}}
"""
PRODUCTION = BOM + "from .base import *\r\nDEBUG = True\r\nTITLE = 'Läden & Söhne'\r\n"
ENTRY = """\
import os
from django.core.{kind} import get_{kind}_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
application = get_{kind}_application()
"""
URLS = """\
from django.contrib import admin
from django.urls import path
from pages import views
urlpatterns = [path("", views.home), path("admin/", admin.site.urls), path("größe/<str:name>/", views.size), path("upload/", views.upload),
    path("length/", views.length), path("count/", views.count), path("stream/", views.stream)]
"""
VIEWS = """\
import asyncio
from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import etag
def home(request):
    return render(request, "pages/home.html", {"hello": gettext("Hello"), "title": settings.TITLE})
@etag(lambda request, name: "v1")
def size(request, name):
    return HttpResponse(f"{name}|{request.GET.get('q', '')}")
@csrf_exempt
def upload(request):
    name = default_storage.save(request.FILES["f"].name, request.FILES["f"])
    return JsonResponse({"size": default_storage.size(name)})
@csrf_exempt
def length(request):
    return HttpResponse(str(len(request.body)))
def count(request):
    cache.add("n", 0)
    return HttpResponse(str(cache.incr("n")))
async def stream(request):
    async def parts():
        for number in range(3):
            yield f"part {number}\\n"
            await asyncio.sleep(0.5)
    return StreamingHttpResponse(parts(), content_type="text/plain")
"""
HOME = """\
{% load static %}<!doctype html><link rel="stylesheet" href="{% static 'pages/stil.css' %}"><h1>{{ hello }}, {{ title }}</h1>
{% for number in "0123456789" %}<p>Long enough: Der Umsatz der Läden und der Söhne ist auch in diesem Jahr gestiegen, wie man hört.</p>{% endfor %}
"""
MIGRATION = """\
import django.contrib.auth.models, django.utils.timezone
from django.db import migrations, models
def make_root(apps, editor):
    from django.contrib.auth.hashers import make_password
    apps.get_model("accounts", "User").objects.create(username="root", is_staff=True, is_superuser=True, password=make_password(PASSWORD))
class Migration(migrations.Migration):
    initial = True
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.CreateModel(name="User", fields=[
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("password", models.CharField(max_length=128)), ("last_login", models.DateTimeField(blank=True, null=True)),
        ("is_superuser", models.BooleanField(default=False)), ("username", models.CharField(max_length=150, unique=True)),
        ("first_name", models.CharField(blank=True, max_length=150)), ("last_name", models.CharField(blank=True, max_length=150)),
        ("email", models.EmailField(blank=True, max_length=254)), ("is_staff", models.BooleanField(default=False)),
        ("is_active", models.BooleanField(default=True)), ("date_joined", models.DateTimeField(default=django.utils.timezone.now)),
        ("groups", models.ManyToManyField(blank=True, related_name="user_set", related_query_name="user", to="auth.group")),
        ("user_permissions", models.ManyToManyField(blank=True, related_name="user_set", related_query_name="user", to="auth.permission"))],
        managers=[("objects", django.contrib.auth.models.UserManager())]), migrations.RunPython(make_root)]
""".replace("PASSWORD", repr(PASSWORD))
SOCKETS = """\
import os
from django.core.asgi import get_asgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
pages = get_asgi_application()
from channels.generic.websocket import WebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path
class Shout(WebsocketConsumer):
    def receive(self, text_data=None, bytes_data=None):
        self.send(text_data=text_data.upper())
application = ProtocolTypeRouter({"http": pages, "websocket": URLRouter([path("ws/", Shout.as_asgi())])})
"""


def catalogue(texts: Mapping[str, str]) -> bytes:
    """A catalogue of translations as msgfmt makes it (GNU gettext's manual, "The Format of GNU MO Files")."""
    pairs = sorted((key.encode(), value.encode()) for key, value in texts.items())
    start = 28 + 16 * len(pairs)
    tables, body = [b"", b""], b""
    for column in (0, 1):
        for pair in pairs:
            tables[column] += struct.pack("<2I", len(pair[column]), start + len(body))
            body += pair[column] + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0) + tables[0] + tables[1] + body


FILES: dict[str, str | bytes] = {
    "manage.py": MANAGE,
    "requirements.txt": "Django~=5.2.0\nuvicorn>=0.36\n",
    ".env": "SECRET_KEY=local\n",
    "config/__init__.py": "",
    "config/settings/__init__.py": "",
    "config/settings/base.py": BASE,
    "config/settings/production.py": PRODUCTION,
    "config/asgi.py": ENTRY.format(kind="asgi"),
    "config/wsgi.py": ENTRY.format(kind="wsgi"),
    "config/urls.py": URLS,
    "accounts/__init__.py": "",
    "accounts/models.py": "from django.contrib.auth.models import AbstractUser\nclass User(AbstractUser):\n    pass\n",
    "accounts/migrations/__init__.py": "",
    "accounts/migrations/0001_initial.py": MIGRATION,
    "pages/__init__.py": "",
    "pages/views.py": VIEWS,
    "pages/templates/pages/home.html": HOME,
    "pages/static/pages/stil.css": 'body { background: url("bilder/größe ä.png") }\n',
    "pages/static/pages/bilder/größe ä.png": "no picture",
    "locale/de/LC_MESSAGES/django.mo": catalogue(
        {"": "Content-Type: text/plain; charset=UTF-8\n", "Hello": "Grüß Gott"}
    ),
}
"""Settings in a package, a user model of its own, relative paths to write to, a log folder that is not there, letters beyond ASCII, CRLF and BOM."""


def changed(files: Mapping[str, str | bytes], **replacements: str) -> dict[str, str | bytes]:
    """The files with `BASE` continued, or others replaced."""
    return {**files, "config/settings/base.py": BASE + replacements.get("settings", "")}


def make(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """A project in a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


class Visitor:
    """Somebody with a browser.

    Args:
        address: of the server.
        port: of the site.
    """

    def __init__(self, address: str, port: int) -> None:
        self.address, self.port = address, port
        self.cookies: dict[str, str] = {}

    def ask(
        self, path: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """A request: status, headers, body."""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=60)
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        try:
            given = {**(cookies if self.cookies else {}), **(headers or {})}
            connection.request(method, path, body=body, headers=given, encode_chunked="Transfer-Encoding" in given)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response.status, response.headers, content

    def log_in(self) -> int:
        """Log in to the admin as a browser does; the status of its front page then."""
        page = self.ask("/admin/login/?next=/admin/")[2].decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, page[:500]
        form = {"csrfmiddlewaretoken": token[1], "username": "root", "password": PASSWORD, "next": "/admin/"}
        kind = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"http://{self.address}:{self.port}",
        }
        assert self.ask("/admin/login/", "POST", urlencode(form), kind)[0] == 302
        return self.ask("/admin/", headers={"Accept-Language": "de"})[0]

    def shout(self, text: str) -> str:
        """What a WebSocket answers to a short text (RFC 6455)."""
        with socket.create_connection((self.address, self.port), timeout=30) as connection:
            key = base64.b64encode(os.urandom(16)).decode()
            connection.sendall(
                f"GET /ws/ HTTP/1.1\r\nHost: {self.address}:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            stream = connection.makefile("rb")
            status = stream.readline().decode().strip()
            if " 101 " not in status:
                return status
            while stream.readline() not in (b"\r\n", b""):
                pass
            content = text.encode()
            mask = os.urandom(4)
            connection.sendall(
                bytes([0x81, 0x80 | len(content)])
                + mask
                + bytes(byte ^ mask[index % 4] for index, byte in enumerate(content))
            )
            _, length = stream.read(2)
            return stream.read(length).decode()


def faults(visitor: Visitor) -> list[str]:
    """What a visitor of `FILES` does not get as it should be: nothing."""
    found: list[str] = []

    def expect(what: str, got: object, wanted: object) -> None:
        if got != wanted:
            found.append(f"{what}: {got!r} instead of {wanted!r}")

    status, headers, page = visitor.ask("/", headers={"Accept-Language": "de"})
    expect("front page", (status, "<h1>Grüß Gott, Läden &amp; Söhne</h1>" in page.decode()), (200, True))
    again = visitor.ask("/", headers={"Accept-Language": "de", "If-None-Match": headers["ETag"] or ""})
    expect("the same page again", (again[0], again[2]), (304, b""))
    expect("HEAD", visitor.ask("/", "HEAD")[::2], (200, b""))
    packed = visitor.ask("/", headers={"Accept-Encoding": "gzip"})
    expect("compressed page", (packed[1]["Content-Encoding"], packed[2][:2]), ("gzip", b"\x1f\x8b"))
    link = re.search(r'href="(/assets/pages/stil\.[0-9a-f]{12}\.css)"', page.decode())
    expect("hashed name of a static file", bool(link), True)
    if link:
        status, headers, css = visitor.ask(link[1])
        expect("static file", (status, "immutable" in (headers["Cache-Control"] or "")), (200, True))
        picture = re.search(r'url\("(.*?)"\)', css.decode())
        expect("file of a static file", visitor.ask(quote(f"/assets/pages/{picture and picture[1]}"))[0], 200)
    path = quote("/größe/ä-日本/") + "?" + urlencode({"q": "ü&x=1 +%"})
    status, headers, body = visitor.ask(path)
    expect("letters in paths and queries", (status, body.decode()), (200, "ä-日本|ü&x=1 +%"))
    expect("conditional request", visitor.ask(path, headers={"If-None-Match": headers["ETag"] or ""})[0], 304)
    form = b'--x\r\nContent-Disposition: form-data; name="f"; filename="gr\xc3\xb6\xc3\x9fe.txt"\r\n\r\n%b\r\n--x--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    expect("upload", visitor.ask("/upload/", "POST", form % (b"y" * 3_000_000), kind)[::2], (200, b'{"size": 3000000}'))
    expect("large body", visitor.ask("/length/", "POST", b"z" * 2_000_000)[::2], (200, b"2000000"))
    pieces = visitor.ask("/length/", "POST", (b"q" * 1000 for _ in range(10)), {"Transfer-Encoding": "chunked"})
    expect("body in chunks", pieces[::2], (200, b"10000"))
    expect("methods", [visitor.ask("/length/", name)[0] for name in ("PUT", "PATCH", "DELETE", "OPTIONS")], [200] * 4)
    counts = [int(visitor.ask("/count/")[2]) for _ in range(2)]
    expect("cache in files", counts[1] - counts[0], 1)
    expect("stream", visitor.ask("/stream/")[::2], (200, b"part 0\npart 1\npart 2\n"))
    expect("no page", visitor.ask("/gibt/es/nicht/")[0], 404)
    expect("log in", visitor.log_in(), 200)
    expect("form without its token", Visitor(visitor.address, visitor.port).ask("/admin/login/", "POST", "a=b")[0], 403)
    return found


def _with_sockets(visitor: Visitor) -> list[str]:
    answer = visitor.shout("grüße")
    return [*faults(visitor), *([] if answer == "GRÜSSE" else [f"WebSocket: {answer}"])]


def _answers(path: str, wanted: int, text: str = "") -> Callable[[Visitor], list[str]]:
    def look(visitor: Visitor) -> list[str]:
        status, _, body = visitor.ask(path)
        return [] if status == wanted and text in body.decode() else [f"{path}: {status} {body[:200]!r}"]

    return look


@dataclass(frozen=True)
class Case:
    """A project and how it is deployed.

    Attributes:
        files: the project.
        data: further settings.
        look: what a visitor finds wrong.
    """

    files: Mapping[str, str | bytes]
    data: Mapping[str, str] = field(default_factory=dict)
    look: Callable[[Visitor], list[str]] = faults


CASES = {
    "layout": Case(FILES),
    "wsgi": Case(FILES, {"django_server": "waitress"}),
    "sockets": Case(
        {
            **changed(FILES, settings='INSTALLED_APPS += ["rest_framework", "channels"]\nimport environ\n'),
            "config/asgi.py": SOCKETS,
            "requirements.txt": "Django~=5.2.0\nchannels\ndjango-environ\ndjangorestframework\ncelery\n",
        },
        look=_with_sockets,
    ),
    "no static files": Case(
        {
            **changed(FILES, settings='INSTALLED_APPS.remove("django.contrib.staticfiles")\n'),
            "pages/templates/pages/home.html": "plain",
        },
        look=_answers("/", 200, "plain"),
    ),
    "static files elsewhere": Case(
        changed(FILES, settings='STATIC_URL = "https://cdn.example.com/s/"\n'),
        look=_answers("/", 200, 'href="https://cdn.example.com/s/pages/stil.'),
    ),
    "only over TLS": Case(changed(FILES, settings="SECURE_SSL_REDIRECT = True\n"), look=_answers("/", 301)),
    "slow settings": Case(changed(FILES, settings="import time; time.sleep(20)\n")),
    "storage with a folder": Case(
        changed(
            FILES,
            settings='STORAGES = {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": BASE_DIR / "up"}},\n'
            '    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}\n',
        ),
        # Without WhiteNoise's own storage its hashes are known all the same.
        look=faults,
    ),
    "many files": Case({**FILES, **{f"data/{number % 50}/{number}.txt": str(number) for number in range(5000)}}),
}
"""Each of them alone; the first runs always, the others where `PROJECTS=full`."""
