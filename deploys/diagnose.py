"""Says why a site does not work: the cause, its evidence and the fix. Changes nothing: pyinfra inventories/prod.py deploys/diagnose.py --dry

Without more it is the deploy's own site. Any other site with HttpPlatformHandler: --data site=NAME, and where needed --data application=/app,
--data path=/admin/, --data hostname=www.example.com (the name that visitors use), --data timeout=SECONDS.
"""

from pyinfra import host

from pyinfra_iis.deploys.diagnose import diagnose

diagnose(
    site=str(host.data.get("site") or ""),
    application=str(host.data.get("application") or "/"),
    path=str(host.data.get("path") or ""),
    name=str(host.data.get("hostname") or ""),
    timeout=int(host.data.get("timeout") or 60),
)
