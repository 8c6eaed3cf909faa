"""The kinds of application that can be deployed, for deploys that take any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyinfra import host
from pyinfra.api import DeployError

from pyinfra_iis.deploys.django import DjangoSteps
from pyinfra_iis.deploys.web import Steps, settings_from
from pyinfra_iis.settings import DjangoSettings, WebSettings

KINDS: dict[str, tuple[type[WebSettings], type[Steps]]] = {
    "django": (DjangoSettings, DjangoSteps),
    "web": (WebSettings, Steps),
}


def any_settings(options: Mapping[str, Any]) -> WebSettings:
    """The settings of an application of any kind.

    Args:
        options: attributes of the settings, and `kind`: `django` or `web`. Without attributes, they come from host data; a host with settings of
            both kinds needs the kind (`--data kind=web`).

    Raises:
        DeployError: settings that cannot be used, or of which kind they are is not clear.
    """
    options = dict(options)
    kind = str(options.pop("kind", "") or host.data.get("kind") or "") or _kind_of_data(bool(options))
    if kind not in KINDS:
        raise DeployError(f"{host.name}: kind '{kind}' is none; say {' or '.join(KINDS)}.")
    return settings_from(options, KINDS[kind][0])


def steps_of(settings: WebSettings) -> type[Steps]:
    """The steps that deploy an application with these settings."""
    return next(steps for model, steps in KINDS.values() if type(settings) is model)


def _kind_of_data(given: bool) -> str:
    if given:
        return "django"
    data = host.data.dict()
    kinds = [kind for kind, (model, _) in KINDS.items() if f"{model.prefix}project" in data]
    if len(kinds) > 1:
        raise DeployError(
            f"{host.name} has settings of several applications; say which by --data kind={' or kind='.join(kinds)}."
        )
    return kinds[0] if kinds else "django"
