"""An example to copy: two servers, reached over HTTPS with the password from the environment variable WINRM_PASSWORD."""

web = (
    ["@winrm/web1.example.com", "@winrm/web2.example.com"],
    {
        "winrm_user": r"EXAMPLE\deploy",
        "winrm_https": True,
        "django_project": "../mysite",
        "django_bindings": ["*:80:www.example.com"],
    },
)
