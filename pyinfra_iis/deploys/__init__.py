"""The deploys as functions, for a repository of your own: `from pyinfra_iis.deploys import django_iis`, then `django_iis()`."""

from pyinfra_iis.deploys.django import django_iis
from pyinfra_iis.deploys.release import list_releases, rollback
from pyinfra_iis.deploys.verify import verify
from pyinfra_iis.deploys.web import python_web

__all__ = ["django_iis", "list_releases", "python_web", "rollback", "verify"]
