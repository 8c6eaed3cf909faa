"""The element <hsts> of a site: IIS 10.0 version 1709 and later."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable

import pytest

from tests.winlab.iis_http.harness import Web
from winlab.iis.errors import ConfigError
from winlab.windows.httpapi import SslBinding


def test_header_over_tls_and_redirect_to_it(make_web: Callable[..., Web]) -> None:
    web = make_web(version="2019")
    web.add_site("Secure", 2, "https/*:8443:", path=r"C:\inetpub\secure")
    certificate = web.machine.certificates.create_self_signed(["localhost"])
    web.machine.http.add(SslBinding("ipport", "0.0.0.0:8443", certificate.thumbprint))
    for site in ("Site", "Secure"):
        web.set_site(site, hsts__enabled=True, hsts__preload=True, hsts__redirectHttpToHttps=True)
        web.edit(lambda c, site=site: web.find(c, "sites", site).child("hsts").set("max-age", 300))
    web.start()
    plain = web.request("/a?b=1", host="www.example.com:8014")
    assert (plain.status, plain.headers["Location"]) == (301, "https://www.example.com/a?b=1")
    assert plain.headers["Strict-Transport-Security"] is None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(web.address, 8443, context=context, timeout=10)
    connection.request("GET", "/none")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Strict-Transport-Security"]) == (404, "max-age=300; preload")
    connection.close()


def test_not_before_version_1709(make_web: Callable[..., Web]) -> None:
    with pytest.raises(ConfigError):
        make_web(version="2016").set_site(hsts__enabled=True)
