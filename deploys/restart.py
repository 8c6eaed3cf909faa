"""A new process for the application, and wait until it is healthy: pyinfra inventories/prod.py deploys/restart.py

--data stop=1 stops the app pool and starts it, instead of recycling it
"""

from pyinfra import host

from pyinfra_iis.deploys.operate.restart import restart

restart(stop=bool(host.data.get("stop")))
