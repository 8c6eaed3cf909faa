"""A Python web application that is not Django on IIS, as the host data says (`web_project` and the other keys of docs/settings.md)."""

from pyinfra_iis.deploys import python_web

python_web()
