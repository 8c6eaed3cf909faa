"""The request filtering module: section system.webServer/security/requestFiltering."""

from __future__ import annotations

import re
from urllib.parse import unquote

from winlab.iis.context import HttpError
from winlab.iis.http11 import RequestHead
from winlab.iis.model import Node
from winlab.iis.urls import Url, unescape

MODULE = "RequestFilteringModule"


def refused(substatus: int) -> HttpError:
    return HttpError(404, substatus, 0, module=MODULE, notification="BeginRequest")


def check(section: Node, head: RequestHead, url: Url, content_length: int | None) -> None:
    """Refuses what the section forbids: HttpError 404 with the sub-status that says why.

    Args:
        content_length: of the body; None when it is not known beforehand (see `content_limit`).
    """
    limits = section.child("requestLimits")
    if content_length is not None and content_length > limits.get("maxAllowedContentLength", 30000000):
        raise refused(13)
    if len(url.raw_path) > limits.get("maxUrl", 4096):
        raise refused(14)
    if len(url.query or "") > limits.get("maxQueryString", 2048):
        raise refused(15)
    for item in limits.child("headerLimits").items:
        if len(head.get(item["header"].lower())) > item["sizeLimit"]:
            raise refused(10)
    _check_verb(section.child("verbs"), head.method)
    if _always_allowed(section, url):
        return
    _check_path(section, url)
    _check_query(section, url.query or "")
    _check_rules(section, head, url)


def content_limit(section: Node) -> int:
    """The most bytes that a body may have."""
    return int(section.child("requestLimits").get("maxAllowedContentLength", 30000000))


def _always_allowed(section: Node, url: Url) -> bool:
    path = url.path.lower()
    return any(item["url"].lower() == path for item in section.child("alwaysAllowedUrls").items)


def _check_verb(verbs: Node, method: str) -> None:
    listed = next((item for item in verbs.items if item["verb"] == method), None)
    if not (listed["allowed"] if listed else verbs.get("allowUnlisted", True)):
        raise refused(6)


def _check_path(section: Node, url: Url) -> None:
    if not section.get("allowDoubleEscaping", False):
        once = unescape(url.raw_path)
        # Once more takes escapes only: letters beyond ASCII are themselves by then.
        if "+" in once or once != unquote(once):
            raise refused(11)
    if not section.get("allowHighBitCharacters", True) and any(ord(c) > 127 for c in url.path):
        raise refused(12)
    path = url.path.lower()
    if any(item["sequence"].lower() in path for item in section.child("denyUrlSequences").items):
        raise refused(5)
    hidden = {item["segment"].lower() for item in section.child("hiddenSegments").items}
    segments = path.split("/")
    if hidden.intersection(segments):
        raise refused(8)
    _check_extension(section.child("fileExtensions"), segments[-1])


def _check_extension(extensions: Node, name: str) -> None:
    _, dot, last = name.rpartition(".")
    extension = f".{last}" if dot else "."
    listed = next((item for item in extensions.items if item["fileExtension"].lower() == extension), None)
    if listed is not None:
        allowed = listed.get("allowed", True)
    else:
        allowed = extensions.get("allowUnlisted", True) or name == ""
    if not allowed:
        raise refused(7)


def _check_query(section: Node, query: str) -> None:
    if not query:
        return
    text = unescape(query) if section.get("unescapeQueryString", True) else query
    allowed = {item["queryString"].lower() for item in section.child("alwaysAllowedQueryStrings").items}
    if query.lower() in allowed:
        return
    both = (query.lower(), text.lower())
    for item in section.child("denyQueryStringSequences").items:
        if any(item["sequence"].lower() in candidate for candidate in both):
            raise refused(18)


def _check_rules(section: Node, head: RequestHead, url: Url) -> None:
    for rule in section.child("filteringRules").items:
        extensions = [item["fileExtension"].lower() for item in rule.child("appliesTo").items]
        if extensions and not any(url.path.lower().endswith(e) for e in extensions):
            continue
        scanned = []
        if rule.get("scanUrl", False):
            scanned.append(url.path)
        if rule.get("scanQueryString", False) and url.query:
            scanned.append(unescape(url.query))
            if rule.get("denyUnescapedPercent", True) and re.search(r"%(?![0-9A-Fa-f]{2})", url.query):
                raise refused(19)
        scanned += [head.get(item["requestHeader"].lower()) for item in rule.child("scanHeaders").items]
        text = "\n".join(scanned).lower()
        if any(item["string"].lower() in text for item in rule.child("denyStrings").items):
            raise refused(19)
