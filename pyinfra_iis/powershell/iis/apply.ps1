# Changes IIS's configuration in one commit. $Request: sections (names to unlock), pools (list of name, attributes, environment (names and values), generate (names of variables that get a random value
# when they have none)), sites (list of name, path, pool, bindings (list of protocol and information)). $Secrets: values of environment variables by name.
# uses: iis/configure
Set-Configuration $Request $Secrets
$null
