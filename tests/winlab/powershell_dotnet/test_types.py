"""Types used through scripts, on a scratch server."""

from __future__ import annotations

import datetime
import time

import pytest

from winlab.windows.machine import Machine

from .conftest import Run


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("'a,b;c'.Split(',;').Count", ["3"]),
        ("'abc'.Substring(1,1); 'abc'.IndexOf('c'); 'abc'.PadLeft(5,'*')", ["b", "2", "**abc"]),
        ("[string]::Join('-', @(1,2,3)); [string]::Format('{0:D3}', 7)", ["1-2-3", "007"]),
        ("$l = New-Object Collections.Generic.List[int]; $l.Add(3); $l.Add(1); $l.Sort(); $l -join ','", ["1,3"]),
        (
            "$d = New-Object 'Collections.Generic.Dictionary[string,int]'; $d['a'] = 1; $d.ContainsKey('A'); $d.Count",
            ["False", "1"],
        ),
        ("$q = New-Object Collections.Queue; $q.Enqueue(1); $q.Enqueue(2); $q.Dequeue(); $q.Count", ["1", "1"]),
        ("$h = New-Object 'Collections.Generic.HashSet[string]'; $h.Add('a'); $h.Add('a')", ["True", "False"]),
        (
            "[Convert]::ToInt32('ff', 16); [Convert]::ToString(10, 2); [Convert]::ToBase64String([byte[]](1,2,3))",
            ["255", "1010", "AQID"],
        ),
        ("[version]'1.10' -gt [version]'1.9'; ([version]'1.2.3.4').Build", ["True", "3"]),
        ("([guid]'00000000-0000-0000-0000-000000000001').ToString('N')", ["00000000000000000000000000000001"]),
        ("([uri]'http://h:8080/a?b=1').Port; ([uri]'http://h/a b').AbsoluteUri", ["8080", "http://h/a%20b"]),
        ("[datetime]::new(2024,1,31).AddMonths(1).ToString('yyyy-MM-dd')", ["2024-02-29"]),
        ("([datetime]'2024-01-02' - [datetime]'2024-01-01').TotalHours", ["24"]),
        ("([datetime]5).Ticks; ([timespan]7).Ticks; ([datetime]'2024-01-01').Add(3).Ticks % 10", ["5", "7", "3"]),
        ("try { [datetime]-1 } catch { $_.FullyQualifiedErrorId }", ["InvalidCastConstructorException"]),
        ("[enum]::Parse([DayOfWeek], 'monday', $true).value__", ["1"]),
        ("[IO.Path]::Combine('C:\\a', 'b.txt'); [IO.Path]::GetExtension('x.tar.gz')", ["C:\\a\\b.txt", ".gz"]),
        ("$null -eq [IO.Path]::GetDirectoryName('C:\\')", ["True"]),
        ("[BitConverter]::ToString([BitConverter]::GetBytes(1))", ["01-00-00-00"]),
        ("[Net.WebUtility]::UrlEncode('a b/c')", ["a+b%2Fc"]),
        ("[Text.Encoding]::UTF8.GetBytes('é').Count; [Text.Encoding]::Default.CodePage", ["2", "1252"]),
        (
            "$s = New-Object Text.StringBuilder; [void]$s.Append('a').AppendLine('b').AppendFormat('{0:N1}', 1.25); $s.Length",
            ["7"],
        ),
        ("[regex]::Replace('a1b2', '\\d', { param($m) [int]$m.Value + 1 })", ["a2b3"]),
    ],
)
def test_values(run: Run, script: str, expected: list[str]) -> None:
    assert run(script) == expected


@pytest.mark.parametrize(
    ("script", "kind", "message"),
    [
        (
            "'a'.Substring(5)",
            "System.ArgumentOutOfRangeException",
            "startIndex cannot be larger than length of string.",
        ),
        ("[int]::Parse('x')", "System.FormatException", "Input string was not in a correct format."),
        (
            "[IO.File]::ReadAllText('C:\\no.txt')",
            "System.IO.FileNotFoundException",
            "Could not find file 'C:\\no.txt'.",
        ),
        (
            "[IO.File]::ReadAllText('C:\\no\\x')",
            "System.IO.DirectoryNotFoundException",
            "Could not find a part of the path 'C:\\no\\x'.",
        ),
        ("[IO.File]::ReadAllText('')", "System.ArgumentException", "Empty path name is not legal."),
        ("(New-Object Collections.Queue).Dequeue()", "System.InvalidOperationException", "Queue empty."),
        (
            "@{a=1}.Add('a', 2)",
            "System.ArgumentException",
            "Item has already been added. Key in dictionary: 'a'  Key being added: 'a'",
        ),
        ("@(1).Add(2)", "System.NotSupportedException", "Collection was of a fixed size."),
        (
            "[Convert]::FromBase64String('a')",
            "System.FormatException",
            "Invalid length for a Base-64 char array or string.",
        ),
        ("[version]::Parse('1')", "System.ArgumentException", "Version string portion was too short or too long."),
        ("(New-Object Xml.XmlDocument).LoadXml('<a>')", "System.Xml.XmlException", "not closed"),
    ],
)
def test_exceptions_are_the_framework_s(run: Run, script: str, kind: str, message: str) -> None:
    shown = run(
        f"try {{ {script} }} catch {{ $_.Exception.InnerException.GetType().FullName; $_.Exception.InnerException.Message }}"
    )
    assert shown[0] == kind
    assert message in shown[1]


def test_files(run: Run) -> None:
    lines = run(r"""
        $d = 'C:\work'; [void][IO.Directory]::CreateDirectory("$d\sub")
        [IO.File]::WriteAllText("$d\a.txt", "ä`r`nb", (New-Object Text.UTF8Encoding $false))
        [IO.File]::ReadAllBytes("$d\a.txt").Count; [IO.File]::ReadAllLines("$d\a.txt").Count
        [IO.File]::AppendAllText("$d\a.txt", 'c'); (New-Object IO.FileInfo "$d\a.txt").Length
        $f = [IO.File]::Open("$d\a.txt", 'Open', 'Read', 'None')
        try { [IO.File]::Delete("$d\a.txt") } catch { $_.Exception.InnerException.GetType().Name }
        $f.Dispose(); [IO.File]::Move("$d\a.txt", "$d\sub\b.txt"); [IO.Directory]::GetFiles($d, '*', 'AllDirectories')
        try { [IO.Directory]::Delete($d) } catch { $_.Exception.InnerException.Message.Trim() }
        [IO.Directory]::Delete($d, $true); [IO.Directory]::Exists($d)
    """)
    assert lines == ["5", "2", "6", "IOException", "C:\\work\\sub\\b.txt", "The directory is not empty.", "False"]


def test_streams_and_compression(run: Run) -> None:
    lines = run("""
        $m = New-Object IO.MemoryStream
        $g = New-Object IO.Compression.GZipStream($m, [IO.Compression.CompressionMode]::Compress, $true)
        $b = [Text.Encoding]::UTF8.GetBytes('x' * 1000); $g.Write($b, 0, $b.Length); $g.Dispose()
        $m.Length -lt 100; $m.Position = 0
        $u = New-Object IO.Compression.GZipStream($m, [IO.Compression.CompressionMode]::Decompress)
        (New-Object IO.StreamReader $u).ReadToEnd().Length
        [Security.Cryptography.SHA256]::Create().ComputeHash([byte[]]@()).Length
    """)
    assert lines == ["True", "1000", "32"]


def test_zip_archives(run: Run) -> None:
    lines = run(r"""
        Add-Type -AssemblyName System.IO.Compression.FileSystem
        [void][IO.Directory]::CreateDirectory('C:\z\s'); [IO.File]::WriteAllText('C:\z\s\a.txt', 'hi')
        [IO.Compression.ZipFile]::CreateFromDirectory('C:\z', 'C:\z.zip')
        [IO.Compression.ZipFile]::ExtractToDirectory('C:\z.zip', 'C:\y'); [IO.File]::ReadAllText('C:\y\s\a.txt')
        try { [IO.Compression.ZipFile]::ExtractToDirectory('C:\z.zip', 'C:\y') } catch { $_.Exception.InnerException.Message }
    """)
    assert lines == ["hi", "The file 'C:\\y\\s\\a.txt' already exists."]


def test_named_mutexes_are_shared_and_abandoned(run: Run) -> None:
    """The thread of the first script ends without releasing."""
    assert run("$m = New-Object Threading.Mutex($false, 'Global\\lab-test'); $m.WaitOne(0)") == ["True"]
    lines = run("""
        $m = New-Object Threading.Mutex($false, 'Global\\lab-test')
        try { $m.WaitOne(0) } catch [Threading.AbandonedMutexException] { 'abandoned' }
        $m.ReleaseMutex(); try { $m.ReleaseMutex() } catch { $_.Exception.InnerException.GetType().Name }
    """)
    assert lines == ["abandoned", "ApplicationException"]


def test_access_rules(run: Run) -> None:
    lines = run(r"""
        [void][IO.Directory]::CreateDirectory('C:\acl'); [IO.File]::WriteAllText('C:\acl\f', '')
        $s = [IO.Directory]::GetAccessControl('C:\acl')
        $s.SetAccessRuleProtection($true, $false)
        $r = 'Security.AccessControl.FileSystemAccessRule'
        $s.AddAccessRule((New-Object $r('BUILTIN\Administrators', 'FullControl', 'ContainerInherit,ObjectInherit', 'None', 'Allow')))
        $s.AddAccessRule((New-Object $r('IIS_IUSRS', 'ReadAndExecute', 'ContainerInherit,ObjectInherit', 'None', 'Allow')))
        [IO.Directory]::SetAccessControl('C:\acl', $s)
        $a = Get-Acl C:\acl; $a.AreAccessRulesProtected
        $a.Access | ForEach-Object { "$($_.IdentityReference) $($_.FileSystemRights) $($_.IsInherited)" }
        (Get-Acl C:\acl\f).Access | ForEach-Object { "$($_.IdentityReference) $($_.IsInherited)" }
        $n = New-Object Security.Principal.NTAccount 'nobody-here'
        try { $n.Translate([Security.Principal.SecurityIdentifier]) } catch { $_.Exception.InnerException.GetType().Name }
    """)
    assert lines == [
        "True",
        "BUILTIN\\Administrators FullControl False",
        "BUILTIN\\IIS_IUSRS ReadAndExecute, Synchronize False",
        "BUILTIN\\Administrators True",
        "BUILTIN\\IIS_IUSRS True",
        "IdentityNotMappedException",
    ]


def test_an_inherited_rule_added_is_a_rule_of_its_own(run: Run) -> None:
    assert run(r"""
        $d = 'C:\kept'; [void][IO.Directory]::CreateDirectory($d)
        $s = [IO.Directory]::GetAccessControl($d)
        $sid = [Security.Principal.SecurityIdentifier]
        $rules = @($s.GetAccessRules($false, $true, $sid))
        $s.SetAccessRuleProtection($true, $false)
        foreach ($rule in $rules) { $s.AddAccessRule($rule) }
        [IO.Directory]::SetAccessControl($d, $s)
        $s = [IO.Directory]::GetAccessControl($d)
        $rules.Count -gt 2
        @($s.GetAccessRules($true, $false, $sid) | Where-Object { $_.IdentityReference.Value -eq 'S-1-5-18' } | ForEach-Object { $_.FileSystemRights })
        $s.GetAccessRules($false, $true, $sid).Count
        """) == ["True", "FullControl", "0"]


def test_registry(run: Run) -> None:
    lines = run(r"""
        $k = [Microsoft.Win32.Registry]::LocalMachine.CreateSubKey('SOFTWARE\LabTest')
        $k.SetValue('n', 5); $k.SetValue('e', '%SystemRoot%\x', 'ExpandString'); $k.SetValue('m', [string[]]('a', 'b'))
        $k.GetValueKind('n'); $k.GetValue('e'); $k.GetValue('e', $null, 'DoNotExpandEnvironmentNames'); $k.GetValue('m').Count
        $k.Close(); $null -eq [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SOFTWARE\Nope')
        [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SOFTWARE', $true).DeleteSubKeyTree('LabTest')
    """)
    assert lines == ["DWord", "C:\\Windows\\x", "%SystemRoot%\\x", "2", "True"]


def test_a_variable_that_is_set_is_not_expanded_any_more(run: Run) -> None:
    lines = run(r"""
        $k = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Control\Session Manager\Environment', $true)
        $k.SetValue('LabTest', '%SystemRoot%\x', 'ExpandString'); [Environment]::GetEnvironmentVariable('LabTest', 'Machine')
        [Environment]::SetEnvironmentVariable('LabTest', '%SystemRoot%\y', 'Machine')
        $k.GetValueKind('LabTest'); [Environment]::GetEnvironmentVariable('LabTest', 'Machine')
        [Environment]::SetEnvironmentVariable('LabTest', $null, 'Machine'); $k.GetValueNames() -contains 'LabTest'
    """)
    assert lines == ["C:\\Windows\\x", "String", "%SystemRoot%\\y", "False"]


def test_xml(run: Run) -> None:
    lines = run("""
        $x = [xml]'<c><s k="a">1</s><s k="b"/><t/></c>'
        $x.c.s.Count; $x.c.s[0].'#text'; $x.c.t.GetType().Name; $x.SelectSingleNode('//s[@k="b"]').k
        $n = $x.CreateElement('u'); $n.SetAttribute('v', 'a<b'); [void]$x.c.AppendChild($n); $x.OuterXml
        $w = New-Object IO.StringWriter; $x.Save($w); ($w.ToString() -split "`r`n")[0, 2]
    """)
    assert lines == [
        "2",
        "1",
        "String",
        "b",
        '<c><s k="a">1</s><s k="b" /><t /><u v="a&lt;b" /></c>',
        '<?xml version="1.0" encoding="utf-16"?>',
        '  <s k="a">1</s>',
    ]


def test_identity(run: Run) -> None:
    lines = run("""
        $i = [Security.Principal.WindowsIdentity]::GetCurrent(); $i.Name
        (New-Object Security.Principal.WindowsPrincipal $i).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
        ([Security.Principal.SecurityIdentifier]'S-1-5-32-544').Translate([Security.Principal.NTAccount]).Value
    """)
    assert lines == ["SCRATCH\\Administrator", "True", "BUILTIN\\Administrators"]


def test_a_refused_member_is_named(run: Run) -> None:
    (line,) = run("New-Object IO.FileSystemWatcher 'C:\\'")
    assert line.startswith("? ")
    assert "FileSystemWatcher" in line


def test_counters_start_with_the_machine(run: Run, server: Machine) -> None:
    script = (
        "[Diagnostics.Stopwatch]::GetTimestamp() / [Diagnostics.Stopwatch]::Frequency; [Environment]::TickCount / 1000"
    )
    for seconds in (5000, 10):
        server._booted = time.monotonic() - seconds
        server.clock_skew = datetime.timedelta(days=-seconds)
        assert all(seconds <= float(line) < seconds + 30 for line in run(script))
    server.clock_skew = datetime.timedelta()
