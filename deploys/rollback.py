"""The release before is live again; `--data release=<id>` names another."""

from pyinfra import host

from pyinfra_iis.deploys import rollback

rollback(to=str(host.data.get("release", "")))
