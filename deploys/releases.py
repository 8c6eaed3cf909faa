"""Lists the releases on each server; changes nothing."""

from pyinfra_iis.deploys import list_releases

list_releases()
