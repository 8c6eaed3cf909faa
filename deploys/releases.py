"""Lists the releases on each server; changes nothing: pyinfra inventories/prod.py deploys/releases.py --dry"""

from pyinfra_iis.deploys import list_releases

list_releases()
