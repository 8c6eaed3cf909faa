"""Compares every server with what would be deployed; a difference is shown and the exit code is not 0. Changes nothing.

For a nightly job: pyinfra inventories/prod.py deploys/verify.py --dry
"""

from pyinfra_iis.deploys import verify

verify()
