"""The documentation as a site: `make site`."""

project = "pyinfra-iis"
author = "the pyinfra-iis developers"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "pyinfra-iis"
exclude_patterns = ["*.py"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
# Pages are read on their own too, so they name files of the repository by plain links.
suppress_warnings = ["myst.xref_missing"]
