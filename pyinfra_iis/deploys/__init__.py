"""The steps themselves, as pyinfra deploys to import: settings in, operations in order."""

from pyinfra_iis.deploys.django import django_iis

__all__ = ["django_iis"]
