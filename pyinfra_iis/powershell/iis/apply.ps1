# Brings IIS's configuration to what is wanted, in one commit. $Request: sections, locations (iis/edit), certificates (list of site, information, wanted; iis/certificate),
# states (list of kind (pool or site), name, state (Started or Stopped)). $Secrets: values by the ids that the sections name.
# uses: iis/configure
Set-Configuration $Request $Secrets
$null
