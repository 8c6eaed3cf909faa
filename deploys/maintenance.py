"""A page for visitors instead of the application: pyinfra inventories/prod.py deploys/maintenance.py --data maintenance=on (or off)

--data retry_after=600 (seconds), --data page=FILE (HTML)
"""

from pyinfra import host

from pyinfra_iis.deploys.operate.maintenance import maintenance

maintenance(
    host.data.get("maintenance"), retry_after=host.data.get("retry_after", 600), page=str(host.data.get("page", ""))
)
