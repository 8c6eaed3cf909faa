"""Django on IIS, as the host data says (`django_project` and the other keys of docs/settings.md)."""

from pyinfra_iis.deploys import django_iis

django_iis()
