"""A management command of Django on the servers: pyinfra inventories/prod.py deploys/manage.py --data command="check --deploy"

--data command='["shell", "-c", "print(1)"]' (a list: nothing is split), --data env=NAME,NAME (variables of this machine that the command gets),
--data output=FILE (what it writes to standard output; {host} for several hosts)
"""

from pyinfra import host

from pyinfra_iis.deploys.operate.manage import manage

manage(host.data.get("command"), environment=host.data.get("env", ""), output=str(host.data.get("output", "")))
