# What an event says. Windows has no words for one whose source is not registered, as HttpPlatformHandler 1.2's often is not; what its program said is there all the same.
function Get-EventText($Entry) {
    if ($Entry.Message) { return [string] $Entry.Message }
    [string]::Join(' ', @(foreach ($Property in $Entry.Properties) { [string] $Property.Value }))
}
