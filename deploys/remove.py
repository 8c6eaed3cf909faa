"""Takes the application off the servers: pyinfra inventories/prod.py deploys/remove.py --dry --diff, then without --dry

Data, media and logs stay; --data purge=1 removes them too. IIS, HttpPlatformHandler and other sites stay.
"""

from pyinfra import host

from pyinfra_iis.deploys.operate.remove import remove

remove(purge=bool(host.data.get("purge")))
