# uses: iis/certificate
function Get-Certificate($Wanted) {
    $Certificate = Find-Certificate $Wanted
    if ($null -eq $Certificate) { throw "$($env:COMPUTERNAME) has no valid certificate '$($Wanted.thumbprint)$($Wanted.subject)' with a private key in LocalMachine\My." }
    $Certificate
}
# An https binding gets its certificate after the commit: HTTP.sys keeps it, not the configuration file.
function Set-Certificates($Wishes) {
    foreach ($Item in $Wishes) {
        $Certificate = Get-Certificate $Item.wanted
        $Manager = New-ServerManager
        try {
            $Binding = Find-Binding $Manager.GetApplicationHostConfiguration() $Item
            $Old = [string] $Binding.GetAttributeValue('certificateHash')
            if ($Old -eq $Certificate.Thumbprint) { continue }
            if ($Old) { $Binding.Methods['RemoveSslCertificate'].CreateInstance().Execute() }
            $Call = $Binding.Methods['AddSslCertificate'].CreateInstance()
            $Call.Input.SetAttributeValue('certificateHash', $Certificate.Thumbprint)
            $Call.Input.SetAttributeValue('certificateStoreName', 'My')
            $Call.Execute()
        } finally {
            $Manager.Dispose()
        }
    }
}
# Where HTTP.sys keeps the certificates of all https bindings: by host name and port with SNI, else by address and port.
function Get-SecureBindings($Configuration) {
    foreach ($Site in $Configuration.GetSection('system.applicationHost/sites').GetCollection()) {
        foreach ($Binding in $Site.GetCollection('bindings')) {
            if ($Binding.GetAttributeValue('protocol') -ne 'https') { continue }
            $Parts = ([string] $Binding.GetAttributeValue('bindingInformation')) -split ':(?=\d+:[^:]*$)|:(?=[^:]*$)'
            $Flags = $Binding.GetAttributeValue('sslFlags')
            if ($Flags -band 2) { continue }
            if ($Flags -band 1) { "hostnameport=$($Parts[2]):$($Parts[1])" } else { "ipport=$($Parts[0].Replace('*', '0.0.0.0')):$($Parts[1])" }
        }
    }
}
function Remove-UnusedCertificates([string[]] $Before) {
    if ($Before.Count -eq 0) { return }
    $Manager = New-ServerManager
    try { $After = @(Get-SecureBindings $Manager.GetApplicationHostConfiguration()) } finally { $Manager.Dispose() }
    # It may be gone already, or never have been there.
    foreach ($Place in $Before) { if ($Place -notin $After) { [void] (& netsh.exe http delete sslcert $Place) } }
}
