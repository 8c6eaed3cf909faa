"""How the application does on each server; changes nothing: pyinfra inventories/prod.py deploys/status.py --dry"""

from pyinfra_iis.deploys.operate.status import status

status()
