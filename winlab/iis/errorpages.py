"""What clients see of a refused request: the detailed page, a custom page, or a bare sentence (section httpErrors)."""

from __future__ import annotations

from html import escape

from winlab.iis.context import REASONS, HttpError

INTERNAL_ERROR = "The page cannot be displayed because an internal server error has occurred."
NOT_RECOGNIZED = "The custom error module does not recognize this error."

_REMOVED = "The resource you are looking for has been removed, had its name changed, or is temporarily unavailable."
_FILTER = "The request filtering module is configured to deny"

_SENTENCES: dict[tuple[int, int], str] = {
    (400, 0): "The request could not be understood by the server due to malformed syntax.",
    (401, 2): "You are not authorized to view this page due to invalid authentication headers.",
    (401, 3): (
        "You do not have permission to view this directory or page because of the access control list (ACL) configuration "
        "or encryption settings for this resource on the Web server."
    ),
    (
        403,
        1,
    ): "You have attempted to run a CGI, ISAPI, or other executable program from a directory that does not allow it.",
    (403, 2): "You have attempted to view a resource that does not have Read access.",
    (403, 4): "The page you are trying to access is secured with Secure Sockets Layer (SSL).",
    (403, 6): "The IP address from which you are browsing is not permitted to access the requested Web site.",
    (403, 14): "The Web server is configured to not list the contents of this directory.",
    (404, 0): _REMOVED,
    (404, 3): (
        "The page you are requesting cannot be served because of the extension configuration. If the page is a script, add "
        "a handler. If the file should be downloaded, add a MIME map."
    ),
    (404, 4): "The resource you are looking for does not have a handler associated with it.",
    (404, 5): f"{_FILTER} the URL sequence.",
    (404, 6): f"{_FILTER} the HTTP verb.",
    (404, 7): f"{_FILTER} the file extension.",
    (404, 8): f"{_FILTER} a path in the URL that contains a hiddenSegment section.",
    (404, 10): f"{_FILTER} a request header that is too long.",
    (404, 11): f"{_FILTER} a request that contains a double escape sequence.",
    (404, 12): f"{_FILTER} a request that contains high-bit characters.",
    (404, 13): f"{_FILTER} a request that exceeds the request content length.",
    (404, 14): f"{_FILTER} a URL that is too long.",
    (404, 15): f"{_FILTER} a request where the query string is too long.",
    (404, 18): f"{_FILTER} a query string sequence.",
    (404, 19): f"{_FILTER} the request because of a filtering rule.",
    (405, 0): ("The page you are looking for cannot be displayed because an invalid method (HTTP verb) is being used."),
    (500, 0): INTERNAL_ERROR,
    (500, 19): (
        "The requested page cannot be accessed because the related configuration data for the page is invalid."
    ),
    (501, 0): "The page you are looking for cannot be displayed because a header value in the request does not match "
    "certain configuration settings or is not implemented.",
    (502, 3): "There was a connection error while trying to route the request.",
    (503, 0): "The service is unavailable.",
}

# what the pages of inetpub\custerr say: headline and sentence by status
_CUSTOM: dict[int, tuple[str, str]] = {
    401: (
        "Unauthorized: Access is denied due to invalid credentials.",
        "You do not have permission to view this directory or page using the credentials that you supplied.",
    ),
    403: (
        "Forbidden: Access is denied.",
        "You do not have permission to view this directory or page using the credentials that you supplied.",
    ),
    404: (
        "File or directory not found.",
        "The resource you are looking for might have been removed, had its name changed, or is temporarily unavailable.",
    ),
    405: (
        "HTTP verb used to access this page is not allowed.",
        "The page you are looking for cannot be displayed because an invalid method (HTTP verb) was used to attempt "
        "access.",
    ),
    406: (
        "Client browser does not accept the MIME type of the requested page.",
        "The page you are looking for cannot be opened by your browser because it has a file name extension that your "
        "browser does not accept.",
    ),
    412: (
        "Precondition set by the client failed when evaluated on the Web server.",
        "The request was not completed due to preconditions that are set in the request header.",
    ),
    500: (
        "Internal server error.",
        "There is a problem with the resource you are looking for, and it cannot be displayed.",
    ),
    501: (
        "Header values specify a method that is not implemented.",
        "The page you are looking for cannot be displayed because a header value in the request does not match certain "
        "configuration settings on the Web server.",
    ),
    502: (
        "Web server received an invalid response while acting as a gateway or proxy server.",
        "There is a problem with the page you are looking for, and it cannot be displayed. When the Web server (while "
        "acting as a gateway or proxy) contacted the upstream content server, it received an invalid response from the "
        "content server.",
    ),
}


def sentence(error: HttpError) -> str:
    """What the detailed page says in a sentence."""
    return (
        error.text
        or _SENTENCES.get((error.status, error.substatus))
        or _SENTENCES.get((error.status, 0))
        or REASONS.get(error.status, "")
    )


def detailed_page(error: HttpError, handler: str, url: str, physical_path: str, user: str) -> bytes:
    """The page with status and sub-status, module, handler, HRESULT and paths."""
    headline = f"HTTP Error {error.status}.{error.substatus} - {REASONS.get(error.status, '')}"
    rows = [
        ("Module", error.module),
        ("Notification", error.notification),
        ("Handler", handler),
        ("Error Code", f"0x{error.hresult:08x}"),
        *error.rows,
        ("Requested URL", url),
        ("Physical Path", physical_path),
        ("Logon Method", "Not yet determined" if user == "-" else "Anonymous"),
        ("Logon User", "Not yet determined" if user == "-" else user or "Anonymous"),
    ]
    table = "\r\n".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in rows)
    page = (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\r\n'
        '<html xmlns="http://www.w3.org/1999/xhtml">\r\n<head>\r\n'
        f"<title>IIS 10.0 Detailed Error - {escape(headline[len('HTTP Error ') :])}</title>\r\n</head>\r\n<body>\r\n"
        f"<h3>{escape(headline)}</h3>\r\n<h4>{escape(sentence(error))}</h4>\r\n"
        f"<h4>Detailed Error Information:</h4>\r\n<table>\r\n{table}\r\n</table>\r\n</body>\r\n</html>\r\n"
    )
    return page.encode("utf-8")


def custom_page(status: int) -> bytes | None:
    """The page that a fresh installation has for this status under inetpub\\custerr."""
    if status not in _CUSTOM:
        return None
    headline, text = _CUSTOM[status]
    page = (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\r\n'
        '<html xmlns="http://www.w3.org/1999/xhtml">\r\n<head>\r\n'
        '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1"/>\r\n'
        f"<title>{status} - {headline}</title>\r\n</head>\r\n<body>\r\n"
        '<div id="header"><h1>Server Error</h1></div>\r\n<div id="content">\r\n'
        f"<h2>{status} - {headline}</h2>\r\n<h3>{text}</h3>\r\n</div>\r\n</body>\r\n</html>\r\n"
    )
    return page.encode("ascii")


def startup_failure_page() -> bytes:
    """What version 2 of HttpPlatformHandler answers everybody with when the process does not start."""
    causes = (
        "The application process failed to start",
        "The application process started but then stopped",
        "The application process started but failed to listen on the configured port",
    )
    steps = (
        "Check the system event log for error messages",
        "Enable logging the application process' stdout messages",
        "Attach a debugger to the application process and inspect",
    )
    page = (
        "<!DOCTYPE html>\r\n<html>\r\n<head>\r\n<title>HTTP Error 502.5 - HttpPlatformHandler Startup Failure</title>\r\n"
        "</head>\r\n<body>\r\n<h1>HTTP Error 502.5 - HttpPlatformHandler Startup Failure</h1>\r\n"
        "<h2>Common solutions to this issue:</h2>\r\n<ul>"
        + "".join(f"<li>{escape(c)}</li>" for c in causes)
        + "</ul>\r\n<h2>Troubleshooting steps:</h2>\r\n<ul>"
        + "".join(f"<li>{escape(s)}</li>" for s in steps)
        + "</ul>\r\n</body>\r\n</html>\r\n"
    )
    return page.encode("utf-8")
