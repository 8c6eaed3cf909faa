# The loop: one PowerShell process that serves a whole connection. It reads framed messages from stdin, does what each one
# asks, and answers in frames on stdout. What loads it has set $Token to 16 letters of the client's.
# Windows PowerShell 5.1 and plain .NET only; the same text also runs on PowerShell 7 on Linux. Nothing in here may contain
# a character outside ASCII: it is read before the connection is known to carry anything else.

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$LoopVersion = 1
$KeepBytes = 67108864

$Utf8 = New-Object System.Text.UTF8Encoding($false)
$StdIn = [Console]::OpenStandardInput()
$StdOut = [Console]::OpenStandardOutput()
$TokenBytes = $Utf8.GetBytes($Token)
$OnWindows = [IO.Path]::DirectorySeparatorChar -eq '\'

$InMode = 'RAW'
$OutMode = 'RAW'
$LineReader = $null
$LastSequence = 0
$ReplyId = 0
$ReplyIndex = 0
$Gathered = New-Object System.IO.MemoryStream
$Kept = New-Object 'System.Collections.Generic.List[object]'
$KeptBytes = 0
$Put = $null
$Spare = $null
$IsNative = @{}

# ---- bytes in -------------------------------------------------------------------------------------------------------

# Exactly that many bytes of stdin, or null at its end.
function Read-Bytes([int]$Count) {
    $data = New-Object byte[] $Count
    $have = 0
    while ($have -lt $Count) {
        $got = $StdIn.Read($data, $have, $Count - $have)
        if ($got -le 0) { return $null }
        $have += $got
    }
    return , $data
}

# One frame: magic, sequence number, kind, flags, length (32 bit little endian each), body. Null at the end of stdin.
function Read-Frame {
    if ($InMode -eq 'RAW') {
        $head = Read-Bytes 20
        if ($null -eq $head) { return $null }
        if ($head[0] -eq 82) {
            # The line that said how requests come, once more, because the answer to it was lost.
            $rest = Read-Bytes 8
            [Buffer]::BlockCopy($head, 8, $head, 0, 12)
            [Buffer]::BlockCopy($rest, 0, $head, 12, 8)
        }
    }
    else {
        $line = $LineReader.ReadLine()
        while ($line -like 'B64 *') { $line = $LineReader.ReadLine() }
        if ($null -eq $line) { return $null }
        $head = [Convert]::FromBase64String($line)
    }
    if ([BitConverter]::ToInt32($head, 0) -ne 827739223) { throw 'The stream of requests is out of step.' }
    $length = [BitConverter]::ToInt32($head, 16)
    if ($InMode -eq 'RAW') {
        $body = Read-Bytes $length
        if ($null -eq $body) { return $null }
    }
    else {
        $body = New-Object byte[] $length
        [Buffer]::BlockCopy($head, 20, $body, 0, $length)
    }
    return @{
        Sequence = [BitConverter]::ToInt32($head, 4)
        Kind     = [BitConverter]::ToInt32($head, 8)
        Flags    = [BitConverter]::ToInt32($head, 12)
        Body     = $body
    }
}

# The next message: frames up to one without the flag "more" (1), repeated frames dropped.
function Read-Message {
    $parts = $null
    while ($true) {
        $frame = Read-Frame
        if ($null -eq $frame) { return $null }
        if ($frame.Sequence -le $LastSequence) { continue }
        if ($frame.Sequence -ne $LastSequence + 1) { throw 'A frame is missing.' }
        $script:LastSequence = $frame.Sequence
        if (($frame.Flags -band 1) -eq 0 -and $null -eq $parts) { return $frame }
        if ($null -eq $parts) { $parts = New-Object System.IO.MemoryStream }
        $parts.Write($frame.Body, 0, $frame.Body.Length)
        if (($frame.Flags -band 1) -eq 0) {
            $frame.Body = $parts.ToArray()
            return $frame
        }
    }
}

# A message's body is the length of its head, the head (lines "name=base64 of UTF-8") and the data.
function Read-Head($Message) {
    $head = @{}
    $length = [BitConverter]::ToInt32($Message.Body, 0)
    foreach ($line in $Utf8.GetString($Message.Body, 4, $length).Split("`n")) {
        $at = $line.IndexOf('=')
        if ($at -gt 0) {
            $head[$line.Substring(0, $at)] = $Utf8.GetString([Convert]::FromBase64String($line.Substring($at + 1)))
        }
    }
    return $head
}

# Where a message's data begins, and the data themselves as a stream (unpacked when flag 2 says so).
function Open-Data($Message) {
    $start = 4 + [BitConverter]::ToInt32($Message.Body, 0)
    $stream = New-Object System.IO.MemoryStream($Message.Body, $start, ($Message.Body.Length - $start))
    if ($Message.Flags -band 2) {
        $stream = New-Object System.IO.Compression.GZipStream($stream, [System.IO.Compression.CompressionMode]::Decompress)
    }
    return $stream
}

function Read-Data($Message) {
    $stream = Open-Data $Message
    $all = New-Object System.IO.MemoryStream
    $stream.CopyTo($all)
    $stream.Dispose()
    return , $all.ToArray()
}

# ---- bytes out ------------------------------------------------------------------------------------------------------

# Frames are gathered and written at once, so that a short answer is one piece on its way.
function Add-Bytes([byte[]]$Bytes) {
    if ($OutMode -ne 'RAW') { $Bytes = $Utf8.GetBytes($Token + [Convert]::ToBase64String($Bytes) + "`n") }
    $Gathered.Write($Bytes, 0, $Bytes.Length)
    if ($Gathered.Length -gt 1048576) { Write-Gathered }
}

function Write-Gathered {
    if ($Gathered.Length -eq 0) { return }
    $Gathered.WriteTo($StdOut)
    $StdOut.Flush()
    $Gathered.SetLength(0)
}

function New-Frame([int]$Kind, [int]$Flags, [int]$Index, [byte[]]$Body) {
    $frame = New-Object System.IO.MemoryStream
    $frame.Write($TokenBytes, 0, $TokenBytes.Length)
    foreach ($number in $Kind, $Flags, $ReplyId, $Index, $Body.Length) {
        $frame.Write([BitConverter]::GetBytes([int]$number), 0, 4)
    }
    $frame.Write($Body, 0, $Body.Length)
    return , $frame.ToArray()
}

# Kinds: 1 lines of text, 2 stdout and 3 stderr of a program as bytes, 4 done, 5 bytes of a file, 6 not kept. Flags: 2 packed.
function Send-Frame([int]$Kind, [byte[]]$Body, [bool]$Pack, [bool]$Keep) {
    $flags = 0
    if ($Pack) {
        $packed = New-Object System.IO.MemoryStream
        $gzip = New-Object System.IO.Compression.GZipStream($packed, [System.IO.Compression.CompressionLevel]::Fastest)
        $gzip.Write($Body, 0, $Body.Length)
        $gzip.Close()
        $small = $packed.ToArray()
        if ($small.Length -lt $Body.Length) {
            $Body = $small
            $flags = 2
        }
    }
    $bytes = New-Frame $Kind $flags $ReplyIndex $Body
    # Kept until the next request, so that a reply lost on the way can be sent again.
    if ($Keep -and $KeptBytes + $bytes.Length -le $KeepBytes) {
        $Kept.Add(@{ Index = $ReplyIndex; Bytes = $bytes })
        $script:KeptBytes += $bytes.Length
    }
    $script:ReplyIndex += 1
    Add-Bytes $bytes
}

function Send-Done([hashtable]$Head) {
    $lines = foreach ($name in $Head.Keys) {
        $name + '=' + [Convert]::ToBase64String($Utf8.GetBytes([string]$Head[$name]))
    }
    Send-Frame 4 $Utf8.GetBytes($lines -join "`n") $false $true
    Write-Gathered
}

# Frames of the last request from that index on, once more.
function Send-Again([int]$Id, [int]$Index) {
    if ($Id -ne $ReplyId) { return }
    $next = $Index
    foreach ($frame in $Kept) {
        if ($frame.Index -lt $Index) { continue }
        if ($frame.Index -ne $next) { break }
        Add-Bytes $frame.Bytes
        $next += 1
    }
    if ($next -lt $ReplyIndex) { Add-Bytes (New-Frame 6 0 $next (New-Object byte[] 0)) }
    Write-Gathered
}

# ---- surroundings of a request ---------------------------------------------------------------------------------------

function Get-Variables([string]$Target) {
    $found = @{}
    try {
        if ($Target) { $all = [Environment]::GetEnvironmentVariables($Target) } else { $all = [Environment]::GetEnvironmentVariables() }
        foreach ($name in @($all.Keys)) { $found[[string]$name] = [string]$all[$name] }
    }
    catch { }
    return $found
}

# What an installer has written for the whole machine since the last request counts for the next one, as in a new logon.
function Update-Environment {
    if (-not $OnWindows) { return }
    $now = Get-Variables 'Machine'
    foreach ($name in @($now.Keys)) {
        if ($now[$name] -cne $MachineEnvironment[$name]) {
            if ($name -eq 'Path') { $BaseEnvironment[$name] = $now[$name] + ';' + [Environment]::GetEnvironmentVariable('Path', 'User') }
            else { $BaseEnvironment[$name] = $now[$name] }
        }
    }
    $script:MachineEnvironment = $now
}

# The console is one for us and all programs that are started here: `chcp` in one of them counts for the next.
function Set-ConsoleEncoding {
    try { [Console]::InputEncoding = $Utf8 } catch { }
    try { [Console]::OutputEncoding = $Utf8 } catch { }
}

function Reset-Environment {
    Update-Environment
    Set-ConsoleEncoding
    $script:LookedAt = [Environment]::TickCount
    $now = Get-Variables ''
    foreach ($name in @($now.Keys)) {
        if (-not $BaseEnvironment.ContainsKey($name)) { [Environment]::SetEnvironmentVariable($name, $null) }
    }
    foreach ($name in @($BaseEnvironment.Keys)) {
        if ($now[$name] -cne $BaseEnvironment[$name]) { [Environment]::SetEnvironmentVariable($name, $BaseEnvironment[$name]) }
    }
    [Environment]::CurrentDirectory = $BaseDirectory
}

function Set-Surroundings([hashtable]$Head) {
    # After the last request everything was put back; what others have written to the machine since then is looked for now and then.
    if ([Environment]::TickCount - $LookedAt -gt 2000) { Reset-Environment }
    foreach ($name in @($Head.Keys)) {
        if ($name.StartsWith('env:')) { [Environment]::SetEnvironmentVariable($name.Substring(4), $Head[$name]) }
    }
    if ($Head.chdir) { [Environment]::CurrentDirectory = $Head.chdir }
}

function New-Runspace {
    $runspace = [runspacefactory]::CreateRunspace([System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
    $runspace.Open()
    $runspace.SessionStateProxy.SetVariable('ProgressPreference', 'SilentlyContinue')
    $runspace.SessionStateProxy.SetVariable('OutputEncoding', $Utf8)
    return $runspace
}

# ---- scripts --------------------------------------------------------------------------------------------------------

function Test-Native([string]$Name) {
    if (-not $IsNative.ContainsKey($Name)) {
        $found = @(Get-Command -Name ([WildcardPattern]::Escape($Name)) -ErrorAction SilentlyContinue)
        $IsNative[$Name] = $found.Count -gt 0 -and $found[0].CommandType -eq 'Application'
    }
    return $IsNative[$Name]
}

# Whether a node is of a type, without running a script block for each of thousands of nodes.
function New-TypeTest([type]$Type) {
    return [type].GetMethod('IsInstanceOfType').CreateDelegate([Func[System.Management.Automation.Language.Ast, bool]], $Type)
}

# The engine tells only a host which code `exit` was given, and a host cannot be had without compiling one; so the script
# itself writes it down: `exit 3` becomes `exit ($global:WinRMExit = 3)`. Where the process's stdin could not be put aside,
# programs that begin a pipeline get an empty one instead.
function Edit-Script([string]$Text) {
    # With letters of both cases: what ignores case has its own idea of an I where Windows speaks Turkish.
    $mayExit = $Text -cmatch '(?<![\w.$])[Ee][Xx][Ii][Tt](?!\w)'
    if (-not $mayExit -and $StdInAside) { return $Text }
    $tokens = $null
    $errors = $null
    try {
        $ast = [System.Management.Automation.Language.Parser]::ParseInput($Text, [ref]$tokens, [ref]$errors)
        if ($errors.Count -gt 0) { return $Text }
        $edits = @()
        if ($mayExit) {
            foreach ($node in $ast.FindAll((New-TypeTest ([System.Management.Automation.Language.ExitStatementAst])), $true)) {
                if ($node.Pipeline) {
                    $edits += @{ At = $node.Pipeline.Extent.StartOffset; Text = '($global:WinRMExit = ' }
                    $edits += @{ At = $node.Pipeline.Extent.EndOffset; Text = ')' }
                }
            }
        }
        if (-not $StdInAside) {
            foreach ($node in $ast.FindAll((New-TypeTest ([System.Management.Automation.Language.PipelineAst])), $true)) {
                $first = $node.PipelineElements[0]
                if ($first -is [System.Management.Automation.Language.CommandAst] -and $first.GetCommandName() -and (Test-Native $first.GetCommandName())) {
                    $edits += @{ At = $node.Extent.StartOffset; Text = '@() | ' }
                }
            }
        }
        foreach ($edit in ($edits | Sort-Object -Property { $_.At } -Descending)) { $Text = $Text.Insert($edit.At, $edit.Text) }
    }
    catch { }
    return $Text
}

# Lines of a reply, each with the letter of its stream before it: O stdout, E stderr.
function Add-Lines([string]$Stream, [string]$Text) {
    foreach ($line in $Text.Replace("`r`n", "`n").Split("`n")) { [void]$Lines.Append($Stream).Append($line).Append("`n") }
}

# Objects that are not text wait until they can be shown together, as PowerShell would show them.
function Add-Waiting {
    if ($Waiting.Count -eq 0) { return }
    foreach ($line in ($Waiting.ToArray() | Out-String -Stream -Width 200)) { Add-Lines 'O' $line.TrimEnd() }
    $Waiting.Clear()
}

function Add-Error($Record) {
    if ($Record.FullyQualifiedErrorId -like 'NativeCommandError*') {
        Add-Lines 'E' $Record.Exception.Message
        return
    }
    Add-Lines 'E' (($Record | Out-String -Width 200).Trim())
}

function Add-Output($Item) {
    if ($null -eq $Item) { return }
    if ($Item -is [string]) {
        Add-Waiting
        Add-Lines 'O' $Item
        return
    }
    if ($Item -is [System.Management.Automation.ErrorRecord]) {
        Add-Waiting
        Add-Error $Item
    }
    elseif ($Item -is [System.Management.Automation.InformationRecord]) {
        Add-Waiting
        if ($Item.MessageData -is [System.Management.Automation.HostInformationMessage] -and $Item.MessageData.NoNewLine) {
            [void]$Unfinished.Append([string]$Item.MessageData)
        }
        else {
            Add-Lines 'O' ($Unfinished.ToString() + [string]$Item.MessageData)
            [void]$Unfinished.Clear()
        }
    }
    elseif ($Item -is [System.Management.Automation.WarningRecord]) {
        Add-Waiting
        Add-Lines 'E' ('WARNING: ' + $Item.Message)
    }
    elseif ($Item -is [System.Management.Automation.VerboseRecord]) {
        Add-Waiting
        Add-Lines 'E' ('VERBOSE: ' + $Item.Message)
    }
    elseif ($Item -is [System.Management.Automation.DebugRecord]) {
        Add-Waiting
        Add-Lines 'E' ('DEBUG: ' + $Item.Message)
    }
    else { $Waiting.Add($Item) }
}

# What a script wrote to the console by itself; a line counts when it has ended.
function Add-Console([bool]$Last) {
    foreach ($console in $Consoles) {
        [Threading.Monitor]::Enter($console.Writer)
        try {
            $text = $console.Text.ToString()
            if ($Last) { $end = $text.Length } else { $end = $text.LastIndexOf("`n") + 1 }
            [void]$console.Text.Remove(0, $end)
        }
        finally { [Threading.Monitor]::Exit($console.Writer) }
        $text = $text.Substring(0, $end)
        if ($text.EndsWith("`n")) { $text = $text.Substring(0, $text.Length - 1) }
        if ($end -gt 0) { Add-Lines $console.Stream $text }
    }
}

function Send-Lines {
    if ($Lines.Length -eq 0) { return }
    $bytes = $Utf8.GetBytes($Lines.ToString())
    [void]$Lines.Clear()
    Send-Frame 1 $bytes ($bytes.Length -gt 16384) $true
}

function Open-Console([string]$Stream) {
    $buffer = New-Object System.IO.StringWriter
    return @{ Stream = $Stream; Text = $buffer.GetStringBuilder(); Writer = [IO.TextWriter]::Synchronized($buffer) }
}

function Get-ExitCode($Runspace, [bool]$Failed) {
    $given = $Runspace.SessionStateProxy.GetVariable('WinRMExit')
    if ($null -ne $given) {
        $code = 0
        [void][int]::TryParse([string]$given, [ref]$code)
        return $code
    }
    if ($Failed) { return 1 }
    if ($Runspace.SessionStateProxy.GetVariable('?') -ne $false) { return 0 }
    $native = $Runspace.SessionStateProxy.GetVariable('LASTEXITCODE')
    if ($native -isnot [int]) { return 1 }
    # To Windows PowerShell a program has failed, too, when it wrote to stderr.
    if ($native -ne 0 -or $Runspace.SessionStateProxy.GetVariable('Error')[0].FullyQualifiedErrorId -like 'NativeCommandError*') { return $native }
    return 1
}

function Invoke-Script([hashtable]$Head, [string]$Text) {
    $Lines = New-Object System.Text.StringBuilder
    $Unfinished = New-Object System.Text.StringBuilder
    $Waiting = New-Object 'System.Collections.Generic.List[object]'
    $Consoles = @((Open-Console 'O'), (Open-Console 'E'))
    $failed = $false
    if ($Spare) { $runspace = $Spare } else { $runspace = New-Runspace }
    $script:Spare = $null
    try {
        [Console]::SetOut($Consoles[0].Writer)
        [Console]::SetError($Consoles[1].Writer)
        [Console]::SetIn((New-Object System.IO.StringReader([string]$Head.stdin)))
        if ($Head.chdir) {
            $move = [powershell]::Create()
            $move.Runspace = $runspace
            [void]$move.AddCommand('Set-Location').AddParameter('LiteralPath', $Head.chdir)
            [void]$move.Invoke()
            $move.Dispose()
        }
        $shell = [powershell]::Create()
        $shell.Runspace = $runspace
        [void]$shell.AddScript((Edit-Script $Text))
        foreach ($stream in 'Error', 'Warning', 'Verbose', 'Debug', 'Information') {
            $shell.Commands.Commands[0].MergeMyResults($stream, 'Output')
        }
        $given = New-Object 'System.Management.Automation.PSDataCollection[psobject]'
        if ($Head.stdin) { foreach ($line in $Head.stdin.TrimEnd("`n").Split("`n")) { $given.Add($line.TrimEnd("`r")) } }
        $given.Complete()
        $written = New-Object 'System.Management.Automation.PSDataCollection[psobject]'
        $running = $shell.BeginInvoke($given, $written)
        while (-not $running.AsyncWaitHandle.WaitOne(200)) {
            foreach ($item in $written.ReadAll()) { Add-Output $item }
            Add-Console $false
            Send-Lines
            Write-Gathered
        }
        foreach ($item in $written.ReadAll()) { Add-Output $item }
        try { [void]$shell.EndInvoke($running) }
        catch {
            $failed = $true
            foreach ($item in $written.ReadAll()) { Add-Output $item }
            Add-Waiting
            $reason = $_.Exception
            if ($reason.InnerException) { $reason = $reason.InnerException }
            if ($reason.ErrorRecord) { Add-Error $reason.ErrorRecord } else { Add-Lines 'E' $reason.Message }
        }
        Add-Waiting
        if ($Unfinished.Length -gt 0) { Add-Lines 'O' $Unfinished.ToString() }
        Add-Console $true
        Send-Lines
        # The answer goes out first; tidying up takes place while it is on its way.
        Send-Done @{ exit = (Get-ExitCode $runspace $failed); memory = [GC]::GetTotalMemory($false) - $BaseMemory }
    }
    finally {
        [Console]::SetOut([IO.TextWriter]::Null)
        [Console]::SetError([IO.TextWriter]::Null)
        if ($shell) { $shell.Dispose() }
        $runspace.Dispose()
        Reset-Environment
    }
    $script:Spare = New-Runspace
}

# ---- programs -------------------------------------------------------------------------------------------------------

function Invoke-Program([hashtable]$Head, [byte[]]$Given) {
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = $Head.file
    $start.Arguments = $Head.arguments
    # Without a console of its own, which would have the server's OEM code page.
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    if ($Head.chdir) { $start.WorkingDirectory = $Head.chdir }
    try {
        $process = [System.Diagnostics.Process]::Start($start)
        $feeding = $process.StandardInput.BaseStream
        $writing = $feeding.WriteAsync($Given, 0, $Given.Length)
        $pipes = @(
            @{ Kind = 2; Stream = $process.StandardOutput.BaseStream; Buffer = (New-Object byte[] 65536); Task = $null; Open = $true },
            @{ Kind = 3; Stream = $process.StandardError.BaseStream; Buffer = (New-Object byte[] 65536); Task = $null; Open = $true })
        $patience = 20
        while ($true) {
            if ($feeding -and $writing.IsCompleted) {
                # A program that does not read its stdin ends the writing with an error of its own: that is no failure.
                try { $feeding.Close() } catch { }
                $feeding = $null
            }
            $tasks = @()
            foreach ($pipe in $pipes) {
                if ($pipe.Open -and $null -eq $pipe.Task) { $pipe.Task = $pipe.Stream.ReadAsync($pipe.Buffer, 0, $pipe.Buffer.Length) }
                if ($pipe.Open) { $tasks += $pipe.Task }
            }
            if ($tasks.Count -eq 0) { break }
            # What has come goes out when there is nothing more for a moment.
            if ([System.Threading.Tasks.Task]::WaitAny([System.Threading.Tasks.Task[]]$tasks, 10) -lt 0) { Write-Gathered }
            $ready = [System.Threading.Tasks.Task]::WaitAny([System.Threading.Tasks.Task[]]$tasks, 100)
            # What the program has left running may keep its output open for ever.
            if ($ready -lt 0 -and $process.HasExited) {
                $patience -= 1
                if ($patience -le 0) { break }
            }
            foreach ($pipe in $pipes) {
                if ($pipe.Open -and $pipe.Task.IsCompleted) {
                    $got = $pipe.Task.Result
                    $pipe.Task = $null
                    if ($got -le 0) { $pipe.Open = $false }
                    else {
                        $bytes = New-Object byte[] $got
                        [Buffer]::BlockCopy($pipe.Buffer, 0, $bytes, 0, $got)
                        Send-Frame $pipe.Kind $bytes ($got -gt 16384) $true
                    }
                }
            }
        }
        $process.WaitForExit()
        Send-Done @{ exit = $process.ExitCode; memory = [GC]::GetTotalMemory($false) - $BaseMemory }
    }
    finally { Reset-Environment }
}

# ---- files ----------------------------------------------------------------------------------------------------------

function Close-Put {
    if ($Put -and $Put.Stream) {
        $Put.Stream.Dispose()
        $Put.Stream = $null
    }
}

# The file comes under a temporary name beside its place. A transfer that was cut off goes on where it stopped.
function Start-Put([hashtable]$Head) {
    Close-Put
    $script:Put = @{ Part = $Head.part; Stream = $null; Error = ''; Id = $Head.transfer }
    try {
        if ([IO.Directory]::Exists($Head.path)) { throw ('there is a folder of that name: ' + $Head.path) }
        if ($Head.resume) { $mode = 'OpenOrCreate' } else { $mode = 'Create' }
        $Put.Stream = New-Object System.IO.FileStream($Head.part, [IO.FileMode]$mode, [IO.FileAccess]::ReadWrite, [IO.FileShare]::Read)
        if ($Head.keep) { $Put.Stream.SetLength([long]$Head.keep) }
        [void]$Put.Stream.Seek(0, [IO.SeekOrigin]::End)
    }
    catch { Stop-Put $_.Exception }
}

function Stop-Put($Reason) {
    while ($Reason.InnerException) { $Reason = $Reason.InnerException }
    $Put.Error = $Reason.Message
    Close-Put
}

function Add-Put($Message) {
    if ($null -eq $Put -or $Put.Error) { return }
    try {
        $data = Open-Data $Message
        $data.CopyTo($Put.Stream)
        $data.Dispose()
    }
    catch { Stop-Put $_.Exception }
}

function Get-Sum([string]$Path) {
    $sha = [System.Security.Cryptography.SHA256]::Create()
    $stream = New-Object System.IO.FileStream($Path, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]::ReadWrite)
    try { return [BitConverter]::ToString($sha.ComputeHash($stream)).Replace('-', '').ToLowerInvariant() }
    finally {
        $stream.Dispose()
        $sha.Dispose()
    }
}

# How far the transfer has come; with `sum`, also what has arrived so far.
function Test-Put([hashtable]$Head) {
    $reply = @{ error = ''; size = 0 }
    if ($null -eq $Put -or $Put.Id -ne $Head.transfer) { $reply.error = 'no such transfer' }
    elseif ($Put.Error) { $reply.error = $Put.Error }
    else {
        $Put.Stream.Flush()
        $reply.size = $Put.Stream.Length
        if ($Head.sum) { $reply.sum = Get-Sum $Put.Part }
    }
    Send-Done $reply
}

# Into place, in one step that leaves either the old file or the new one. Somebody may hold the old one for a moment.
function Complete-Put([hashtable]$Head) {
    $reply = @{ error = ''; sum = '' }
    if ($null -eq $Put -or $Put.Id -ne $Head.transfer) { $reply.error = 'no such transfer' }
    elseif ($Put.Error) { $reply.error = $Put.Error }
    else {
        try {
            Close-Put
            $reply.sum = Get-Sum $Put.Part
            if ($reply.sum -eq $Head.sum) {
                for ($try = 1; $true; $try++) {
                    try {
                        if ([IO.File]::Exists($Head.path)) { [IO.File]::Replace($Put.Part, $Head.path, [NullString]::Value) }
                        else { [IO.File]::Move($Put.Part, $Head.path) }
                        break
                    }
                    catch {
                        if ($try -ge 5) { throw }
                        [System.Threading.Thread]::Sleep(200)
                    }
                }
            }
        }
        catch { Stop-Put $_.Exception; $reply.error = $Put.Error }
    }
    if ($Put -and ($reply.error -or $reply.sum -ne $Head.sum)) { Remove-Put }
    $script:Put = $null
    Send-Done $reply
}

function Remove-Put {
    Close-Put
    try { [IO.File]::Delete($Put.Part) } catch { }
}

# A piece of a file. The last piece comes with the sum of the whole, unless the file has changed its length meanwhile.
function Send-File([hashtable]$Head) {
    $reply = @{ error = ''; size = 0; sum = '' }
    try {
        $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
        $stream = New-Object System.IO.FileStream($Head.path, [IO.FileMode]::Open, [IO.FileAccess]::Read, $share)
        try {
            $total = $stream.Length
            if ($Head.total) { $total = [Math]::Min([long]$Head.total, $total) }
            $at = [long]$Head.offset
            $end = [Math]::Min($total, $at + [long]$Head.amount)
            [void]$stream.Seek($at, [IO.SeekOrigin]::Begin)
            $pack = $Head.pack -eq '1'
            while ($at -lt $end) {
                $piece = New-Object byte[] ([int][Math]::Min([long]524288, $end - $at))
                $got = $stream.Read($piece, 0, $piece.Length)
                if ($got -le 0) { break }
                if ($got -lt $piece.Length) { [Array]::Resize([ref]$piece, $got) }
                Send-Frame 5 $piece $pack $false
                $at += $got
            }
            $reply.size = $total
            if ($at -ge $total -and $stream.Length -eq $total) { $reply.sum = Get-Sum $Head.path }
        }
        finally { $stream.Dispose() }
    }
    catch {
        $reason = $_.Exception
        while ($reason.InnerException) { $reason = $reason.InnerException }
        $reply.error = $reason.Message
    }
    Send-Done $reply
}

# ---- start ----------------------------------------------------------------------------------------------------------

$WindowsCalls = @'
[DllImport("kernel32.dll", CharSet = CharSet.Unicode)] public static extern IntPtr CreateFile(string name, int access, int share, IntPtr security, int creation, int flags, IntPtr template);
[DllImport("kernel32.dll")] public static extern bool SetHandleInformation(IntPtr handle, int mask, int flags);
[DllImport("kernel32.dll")] public static extern bool SetStdHandle(int which, IntPtr handle);
'@
$LinuxCalls = @'
[DllImport("libc")] public static extern int dup(int old);
[DllImport("libc")] public static extern int dup2(int old, int wanted);
[DllImport("libc")] public static extern int open(string path, int flags);
'@

# Programs started by a script inherit the process's stdin, where the next requests will come: they get an empty one instead.
function Set-StdInAside {
    try {
        if ($OnWindows) {
            $calls = Add-Type -Namespace WinRMLoop -Name Calls -PassThru -MemberDefinition $WindowsCalls
            $empty = $calls::CreateFile('NUL', -2147483648, 3, [IntPtr]::Zero, 3, 0, [IntPtr]::Zero)
            return $calls::SetHandleInformation($empty, 1, 1) -and $calls::SetStdHandle(-10, $empty)
        }
        $calls = Add-Type -Namespace WinRMLoop -Name Calls -PassThru -MemberDefinition $LinuxCalls
        $own = New-Object Microsoft.Win32.SafeHandles.SafeFileHandle([IntPtr]$calls::dup(0), $true)
        $script:StdIn = New-Object System.IO.FileStream($own, [IO.FileAccess]::Read, 1)
        return $calls::dup2($calls::open('/dev/null', 0), 0) -eq 0
    }
    catch { return $false }
}

# Which bytes arrive as they were sent? The client sends all 256 and then the token; they go back to be compared.
function Start-Loop {
    $probe = New-Object byte[] 8192
    $have = 0
    while ($true) {
        $got = $StdIn.Read($probe, $have, $probe.Length - $have)
        if ($got -le 0) { exit 91 }
        $have += $got
        if ($have -ge $TokenBytes.Length + 1 -and $Utf8.GetString($probe, 0, $have).TrimEnd("`r", "`n").EndsWith($Token)) { break }
    }
    $script:BaseDirectory = [Environment]::CurrentDirectory
    $script:BaseEnvironment = Get-Variables ''
    $script:MachineEnvironment = Get-Variables 'Machine'
    $script:LookedAt = [Environment]::TickCount
    $script:StdInAside = Set-StdInAside
    $facts = @(
        'version=' + $LoopVersion
        'probe=' + [Convert]::ToBase64String($probe, 0, $have)
        'pid=' + $PID
        'powershell=' + $PSVersionTable.PSVersion
        'directory=' + $BaseDirectory
        'stdin_aside=' + $StdInAside
        'codepage=' + [Text.Encoding]::Default.CodePage
        'windows=' + $OnWindows
    ) -join "`n"
    $table = New-Object byte[] 256
    for ($i = 0; $i -lt 256; $i++) { $table[$i] = $i }
    $hello = $Utf8.GetBytes($Token + ' HELLO ' + [Convert]::ToBase64String($Utf8.GetBytes($facts)) + "`n")
    $StdOut.Write($hello, 0, $hello.Length)
    $StdOut.Write($table, 0, 256)
    $StdOut.Write($TokenBytes, 0, $TokenBytes.Length)
    $StdOut.Flush()
    # "RAW RAW\n" or B64 in either place: how requests come, and how replies are to go.
    $script:Spare = New-Runspace
    $script:BaseMemory = [GC]::GetTotalMemory($false)
    $mode = $Utf8.GetString((Read-Bytes 8))
    $script:InMode = $mode.Substring(0, 3)
    $script:OutMode = $mode.Substring(4, 3)
    if ($InMode -ne 'RAW') { $script:LineReader = New-Object System.IO.StreamReader($StdIn, [Text.Encoding]::ASCII) }
}

function Start-Reply($Message) {
    $script:ReplyId = $Message.Sequence
    $script:ReplyIndex = 0
    $script:KeptBytes = 0
    $Kept.Clear()
}

Set-ConsoleEncoding
Start-Loop
while ($true) {
    $message = Read-Message
    if ($null -eq $message) { exit 0 }
    $head = Read-Head $message
    if ($message.Kind -eq 8) { Send-Again ([int]$head.id) ([int]$head.index); continue }
    if ($message.Kind -eq 3) { Start-Put $head; continue }
    if ($message.Kind -eq 4) { Add-Put $message; continue }
    Start-Reply $message
    try {
        if ($message.Kind -eq 1) {
            Set-Surroundings $head
            Invoke-Script $head ($Utf8.GetString((Read-Data $message)))
        }
        elseif ($message.Kind -eq 2) {
            Set-Surroundings $head
            Invoke-Program $head (Read-Data $message)
        }
        elseif ($message.Kind -eq 5) { Test-Put $head }
        elseif ($message.Kind -eq 6) { Complete-Put $head }
        elseif ($message.Kind -eq 7) { Send-File $head }
        elseif ($message.Kind -eq 9) { if ($Put -and $Put.Id -eq $head.transfer) { Remove-Put }; $script:Put = $null; Send-Done @{ error = '' } }
        else { throw 'This loop does not know such a request.' }
    }
    catch {
        $reason = $_.Exception
        while ($reason.InnerException) { $reason = $reason.InnerException }
        Send-Done @{ exit = 1; error = $reason.Message }
    }
}
