# uses: iis/server_manager
# States arrive some time after the commit.
function Wait-State($Wanted) {
    $Deadline = [DateTime]::UtcNow.AddSeconds(30)
    $Since = [DateTime]::Now.AddSeconds(-5)
    $Starts = 0
    $IsSettled = $false
    while ($true) {
        $Manager = New-ServerManager
        try {
            if ($Wanted.kind -eq 'pool') { $Item = $Manager.ApplicationPools[$Wanted.name] } else { $Item = $Manager.Sites[$Wanted.name] }
            $Cause = $null
            $State = ''
            try {
                $State = [string] $Item.State
                # A property that cannot be read is null; only a method tells why.
                if ($Item -and -not $State) { [void] $Item.GetAttributeValue('state') }
                if ($State -eq 'Stopped' -and $Wanted.state -eq 'Started') { $Starts++; [void] $Item.Start(); $State = [string] $Item.State }
                if ($State -eq 'Started' -and $Wanted.state -eq 'Stopped') { [void] $Item.Stop(); $State = [string] $Item.State }
            } catch {
                $Cause = $_.Exception.GetBaseException()
            }
            if ($State -eq $Wanted.state) {
                # A pool whose worker process starts at once as an account of its own is disabled a moment later when that account cannot log on.
                if ($IsSettled -or $Wanted.kind -ne 'pool' -or $State -ne 'Started' -or [string] $Item.ProcessModel.IdentityType -ne 'SpecificUser' -or [string] $Item.StartMode -ne 'AlwaysRunning') { return }
                $IsSettled = $true
                Start-Sleep -Milliseconds 750
                continue
            }
            $IsHopeless = $Starts -gt 2 -and $Wanted.kind -eq 'pool'
            if ($IsHopeless -or [DateTime]::UtcNow -gt $Deadline -or ($null -ne $Cause -and $Cause.HResult -in -2147024713, -2147024864)) {
                throw "$(Get-KindName $Wanted.kind) $($Wanted.name) does not become $($Wanted.state) on $($env:COMPUTERNAME): $(Get-Explanation $Manager $Wanted $State $Cause $Since)"
            }
        } finally {
            $Manager.Dispose()
        }
        Start-Sleep -Milliseconds 250
    }
}
function Get-KindName([string] $Kind) { if ($Kind -eq 'pool') { 'App pool' } else { 'Site' } }
# Why a site or pool does not reach a state, in a sentence.
function Get-Explanation($Manager, $Wanted, [string] $State, $Cause, [DateTime] $Since) {
    if ($null -ne $Cause -and $Cause.HResult -eq -2147023834) { return 'the World Wide Web Publishing Service (W3SVC) does not run.' }
    if ($Wanted.kind -eq 'site') {
        foreach ($Binding in $Manager.Sites[$Wanted.name].Bindings) {
            foreach ($Other in $Manager.Sites) {
                if ($Other.Name -eq $Wanted.name -or [string] $Other.State -ne 'Started') { continue }
                foreach ($Taken in $Other.Bindings) {
                    if ($Taken.Protocol -eq $Binding.Protocol -and $Taken.BindingInformation -eq $Binding.BindingInformation) { return "its binding $($Binding.BindingInformation) is taken by the site $($Other.Name)." }
                }
            }
        }
        foreach ($Binding in $Manager.Sites[$Wanted.name].Bindings) {
            $Port = $Binding.BindingInformation.Split(':')[-2]
            foreach ($Socket in @(Get-NetTCPConnection -State Listen -ErrorAction SilentlyContinue)) {
                if ([string] $Socket.LocalPort -ne $Port) { continue }
                # The kernel: HTTP.sys itself, maybe for other sites.
                if ($Socket.OwningProcess -eq 4) {
                    if ($Cause.HResult -in -2147024713, -2147024864) { return "port $Port is taken by another user of HTTP.sys; 'netsh http show servicestate' names it." }
                    continue
                }
                $Process = Get-Process -Id $Socket.OwningProcess -ErrorAction SilentlyContinue
                return "port $Port is taken by the process $($Process.ProcessName) ($($Socket.OwningProcess))."
            }
        }
    } else {
        foreach ($Event in (Get-PoolEvents $Wanted.name $Since)) {
            switch ($Event) {
                5021 { return 'its identity is invalid: the user name or password is wrong, or the account may not log on as a batch job.' }
                5022 { return 'its identity may not log on as a batch job.' }
                5057 { return 'its identity is invalid: the user name or password is wrong.' }
                5059 { return 'it was disabled: its worker process could not be started.' }
                5002 { return 'rapid-fail protection disabled it: its worker process failed too often; the System event log tells why.' }
            }
        }
    }
    if ($null -ne $Cause) { return $Cause.Message.Trim() }
    if ($State) { "it is $State." } else { 'it is not there.' }
}
# The ids of what WAS reported of a pool, newest first: its name is among what is inserted into the messages, in every language.
function Get-PoolEvents([string] $Name, [DateTime] $After) {
    $Filter = @{ LogName = 'System'; ProviderName = 'Microsoft-Windows-WAS'; StartTime = $After }
    $Pattern = "(^|[\s'])$([regex]::Escape($Name))([\s'.]|$)"
    foreach ($Event in @(Get-WinEvent -FilterHashtable $Filter -ErrorAction SilentlyContinue)) {
        foreach ($Property in $Event.Properties) { if ([string] $Property.Value -match $Pattern) { $Event.Id; break } }
    }
}
