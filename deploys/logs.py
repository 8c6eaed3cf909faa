"""The logs of all servers together by time; changes nothing: pyinfra inventories/prod.py deploys/logs.py --dry

--data lines=100, --data since=10m (30s, 2h, 1d, 2026-11-22T15:00), --data follow=1 (until Ctrl-C), --data status=400 (requests from that status code on)
"""

from pyinfra import host

from pyinfra_iis.deploys.operate.logs import logs

_given = {key: host.data.get(key) for key in ("lines", "since", "follow", "status")}
logs(**{key: value for key, value in _given.items() if value is not None})
