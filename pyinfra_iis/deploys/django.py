"""Django on IIS: the road of every Python web application, and Django's own steps."""

from __future__ import annotations

from typing import Any

from pyinfra.api import deploy
from pyinfra.api.operation import OperationMeta

from pyinfra_iis.deploys.web import Steps, add_steps, settings_from
from pyinfra_iis.operations import release, rollout
from pyinfra_iis.release.release import SECRET_KEY_VARIABLE
from pyinfra_iis.settings import DjangoSettings


@deploy("Django on IIS")
def django_iis(**options: Any) -> None:
    """Bring a Windows server to a served Django site; what is right already stays as it is.

    Args:
        options: attributes of `pyinfra_iis.settings.DjangoSettings`; without any, they come from host data with the prefix `django_`.

    Raises:
        DeployError: settings or a project that cannot be deployed; nothing has been changed.

    Example:
        django_iis(project="mysite", bindings=["*:80:www.example.com"])
    """
    add_steps(DjangoSteps, settings_from(options, DjangoSettings))


class DjangoSteps(Steps):
    """The deploy of one release of a Django project to the host in context."""

    settings: DjangoSettings

    def variables(self) -> dict[str, Any]:
        """Django's SECRET_KEY too; one that is not given is made on the server."""
        given = self.settings.secret_key
        secret = {SECRET_KEY_VARIABLE: given.get_secret_value()} if given else {}
        return {
            "environment": {**self.settings.environment, **secret},
            "generate": () if given else (SECRET_KEY_VARIABLE,),
        }

    def add_before_live(self) -> dict[str, OperationMeta]:
        """The database, where it is asked for: once for all hosts."""
        if not self.settings.migrate:
            return {}
        name = f"Migrate the database of {self.settings.app}"
        if self.fleet:
            return {"database": rollout.migrated(name=name, fleet=self.fleet, release=self.release)}
        if not release.is_live(self.release):
            release.expect_migration(self.release)
        return {"database": release.migrated(name=name, release=self.release, _run_once=True)}

    def warnings(self) -> list[str]:
        """What is not fit for production, too."""
        settings = self.settings
        warnings = super().warnings()
        if settings.server == "runserver":
            warnings.append(f"{settings.app} runs Django's development server with DEBUG on; it is not for production.")
        elif not settings.secure_cookies:
            warnings.append(
                f"{settings.app} sends its session and CSRF cookies over plain HTTP, where anybody on the way can read them, "
                "because django_secure_cookies is off."
            )
        elif not settings.has_https:
            warnings.append(
                f"{settings.app} has no https binding, so browsers will not return its secure cookies and nobody can log in; "
                "add one, or set django_secure_cookies to False."
            )
        return warnings
