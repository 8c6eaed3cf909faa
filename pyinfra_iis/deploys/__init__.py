"""The steps themselves, as pyinfra deploys to import: settings in, operations in order."""

from pyinfra_iis.deploys.django import django_iis, verify
from pyinfra_iis.deploys.release import list_releases, rollback

__all__ = ["django_iis", "list_releases", "rollback", "verify"]
