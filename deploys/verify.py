"""Compares every server with what would be deployed; a difference is shown and fails the run. Changes nothing, fit for a nightly job."""

from pyinfra_iis.deploys import verify

verify()
