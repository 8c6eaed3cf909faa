"""Inheritance, locking, edits and commits of the configuration system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from winlab.iis.config import APPHOST, ConfigStore, Session
from winlab.iis.elements import Element
from winlab.iis.errors import ConfigError

ROOT = r"C:\inetpub\wwwroot\web.config"
TOOLS = r"C:\sites\tools\web.config"
API = r"C:\sites\tools\api\web.config"
Make = Callable[..., ConfigStore]


def web(inner: str, location: str = "") -> str:
    body = f"<system.webServer>{inner}</system.webServer>"
    return f"<?xml version='1.0'?>\n<configuration>\n{body}{location}</configuration>"


def add(element: Element, index: int | None = None, **values: Any) -> Element:
    item = element.collection.create()
    for name, value in values.items():
        item.set(name, value)
    return element.collection.add(item, index)


def written(session: Session, path: str) -> str:
    session.commit()
    data = session.store.files.read(path)
    assert data is not None
    return data.decode()


# -- what is in effect


def test_sites_and_pools(make_store: Make) -> None:
    reader = make_store("delegated").reader()
    tools = reader.site("tools")
    assert tools is not None and not tools.auto_start
    assert [(b.protocol, b.port, b.host, b.ssl_flags) for b in tools.bindings] == [
        ("http", 8080, "", 0),
        ("https", 8443, "tools.example.test", 1),
        ("net.pipe", 0, "", 0),
    ]
    api = tools.application("/api/v1/x")
    assert api is not None and (api.path, api.pool, api.directories) == (
        "/api",
        "ToolsPool",
        {"/": r"C:\sites\tools\api"},
    )
    pool = reader.pool("ToolsPool")
    assert pool is not None
    assert (pool["managedRuntimeVersion"], pool.child("processModel").text("identityType")) == (
        "v4.0",
        "NetworkService",
    )
    assert pool.child("processModel")["setProfileEnvironment"] is False  # from applicationPoolDefaults


def test_nested_files_and_location_tags_of_a_web_config(make_store: Make) -> None:
    location = (
        "<location path='api/deep'><system.webServer><directoryBrowse showFlags='Size'/></system.webServer></location>"
    )
    files = {
        TOOLS: web("<directoryBrowse enabled='true' showFlags='Date'/>", location),
        API: web("<directoryBrowse enabled='false'/>"),
        r"C:\sites\tools\api\deep\web.config": web("<directoryBrowse enabled='true'/>"),
    }
    reader = make_store("fresh", files).reader()

    def state(path: str) -> tuple[bool, str]:
        section = reader.section("system.webServer/directoryBrowse", "Tools", path)
        return bool(section["enabled"]), section.text("showFlags")

    assert state("/") == (True, "Date")
    assert state("/api") == (False, "Date")
    assert state("/api/deep") == (True, "Size")
    assert state("/api/other/folder") == (False, "Date")


def test_virtual_directories_lead_to_their_own_folder(make_store: Make) -> None:
    files = {r"D:\files\sub\web.config": web("<directoryBrowse enabled='true'/>")}
    reader = make_store("fresh", files).reader()
    assert reader.physical_path("Tools", "/FILES/sub/x.txt") == r"D:\files\sub\x.txt"
    assert reader.section("system.webServer/directoryBrowse", "Tools", "/files/sub")["enabled"] is True


@pytest.mark.parametrize(
    ("inner", "hresult", "text"),
    [
        ("<handlers/>", 0x80070021, "This configuration section cannot be used at this path"),
        ("<httpErrors defaultPath='x'/>", 0x80070021, "Lock violation"),
        ("<rewrite/>", 0x8007000D, ""),
        ("<directoryBrowse colour='red'/>", 0x8007000D, "Unrecognized attribute 'colour'"),
        ("<directoryBrowse><x/></directoryBrowse>", 0x8007000D, "Unrecognized element 'x'"),
        (
            "<directoryBrowse enabled='perhaps'/>",
            0x8007000D,
            "The 'enabled' attribute is invalid.  Not a valid boolean",
        ),
        (
            "<security><requestFiltering><requestLimits maxAllowedContentLength='4294967296'/></requestFiltering></security>",
            0x8007000D,
            "The 'maxAllowedContentLength' attribute is invalid.  Not a valid unsigned integer",
        ),
        (
            "<staticContent><mimeMap fileExtension='.css' mimeType='a/b'/></staticContent>",
            0x800700B7,
            "Cannot add duplicate",
        ),
        ("<staticContent><remove/></staticContent>", 0x8007000D, "Missing required attribute 'fileExtension'"),
        ("<fastCgi/>", 0x80070021, "This configuration section cannot be used at this path"),
        ("<httpErrors lockAttributes='nope'/>", 0x8007000D, "lockAttributes contains unknown attribute 'nope'"),
    ],
)
def test_a_wrong_web_config_is_500_19(make_store: Make, inner: str, hresult: int, text: str) -> None:
    reader = make_store("fresh", {ROOT: web(inner)}).reader()
    with pytest.raises(ConfigError) as caught:
        reader.check("Default Web Site", "/some/page")
    error = caught.value
    assert (error.status, error.substatus, error.hresult) == (500, 19, hresult)
    assert error.text.startswith(text) and bool(error.text) == bool(text)
    assert error.config_file == "\\\\?\\" + ROOT
    assert error.line == (3 if text else None)


def test_group_without_declaration_and_wrong_root(make_store: Make) -> None:
    for text, hresult in (
        ("<configuration><unknown.group><x/></unknown.group></configuration>", 0x80070032),
        ("<settings/>", 0x8007000D),
        ("<configuration><system.webServer></configuration>", 0x8007000D),
    ):
        with pytest.raises(ConfigError) as caught:
            make_store("fresh", {ROOT: text}).reader().check("Default Web Site")
        assert caught.value.hresult == hresult


def test_net_framework_sections_are_left_alone(make_store: Make) -> None:
    text = "<configuration><appSettings><add key='a' value='b'/></appSettings><system.web><compilation/></system.web></configuration>"
    make_store("fresh", {ROOT: text}).reader().check("Default Web Site")


def test_locks_of_a_web_config_bind_the_ones_below(make_store: Make) -> None:
    deny = "<location path='.' overrideMode='Deny'><system.webServer><directoryBrowse enabled='true'/></system.webServer></location>"
    files = {TOOLS: f"<configuration>{deny}</configuration>", API: web("<directoryBrowse enabled='false'/>")}
    reader = make_store("fresh", files).reader()
    reader.check("Tools", "/")
    with pytest.raises(ConfigError) as caught:
        reader.check("Tools", "/api")
    assert caught.value.hresult == 0x80070021 and caught.value.file == API


@pytest.mark.parametrize(
    ("locks", "inner"),
    [
        ("lockAttributes='enabled'", "<directoryBrowse enabled='true'/>"),
        ("lockAttributes='*'", "<directoryBrowse enabled='true'/>"),
        ("lockAllAttributesExcept='showFlags'", "<directoryBrowse enabled='true'/>"),
        ("lockItem='true'", "<directoryBrowse/>"),
    ],
)
def test_locked_attributes(make_store: Make, locks: str, inner: str) -> None:
    files = {TOOLS: web(f"<directoryBrowse {locks}/>"), API: web(inner)}
    with pytest.raises(ConfigError, match="Lock violation"):
        make_store("fresh", files).reader().check("Tools", "/api")


def test_locked_elements_and_items(make_store: Make) -> None:
    for above, below in (
        ("<staticContent lockElements='clientCache'/>", "<staticContent><clientCache/></staticContent>"),
        (
            "<staticContent lockElements='mimeMap'/>",
            "<staticContent><mimeMap fileExtension='.q' mimeType='a/b'/></staticContent>",
        ),
        ("<staticContent lockAllElementsExcept='mimeMap'/>", "<staticContent><clear/></staticContent>"),
        (
            "<staticContent><mimeMap fileExtension='.q' mimeType='a/b' lockItem='true'/></staticContent>",
            "<staticContent><remove fileExtension='.q'/></staticContent>",
        ),
        (
            "<staticContent><mimeMap fileExtension='.q' mimeType='a/b' lockItem='true'/></staticContent>",
            "<staticContent><clear/></staticContent>",
        ),
    ):
        with pytest.raises(ConfigError, match="Lock violation"):
            make_store("fresh", {TOOLS: web(above), API: web(below)}).reader().check("Tools", "/api")


def test_reader_sees_files_changed_behind_its_back(make_store: Make) -> None:
    store = make_store("fresh")
    reader = store.reader()
    assert reader.section("system.webServer/directoryBrowse", "Default Web Site")["enabled"] is False
    assert not reader.refresh()
    store.files.write(ROOT, web("<directoryBrowse enabled='true'/>").encode())
    assert reader.refresh()
    assert reader.section("system.webServer/directoryBrowse", "Default Web Site")["enabled"] is True


# -- edits


def test_changing_an_inherited_item_removes_and_adds_it(make_store: Make) -> None:
    session = make_store("fresh").session()
    types = session.web("Default Web Site").section("system.webServer/staticContent").collection
    item = types.find(fileExtension=".CSS")
    assert item is not None and not item.is_locally_stored
    item.set("mimeType", "text/x")
    text = written(session, ROOT)
    assert '<remove fileExtension=".css" />' in text and '<mimeMap fileExtension=".css" mimeType="text/x" />' in text
    again = session.web("Default Web Site").section("system.webServer/staticContent").collection
    assert [i["mimeType"] for i in again if i["fileExtension"] == ".css"] == ["text/x"]


def test_override_mode_moves_the_section_and_back(make_store: Make) -> None:
    store = make_store("comments")
    before = store.files.read(APPHOST)
    session = store.session()
    session.apphost().section("system.webServer/directoryBrowse").set_override_mode("Deny")
    text = written(session, APPHOST)
    assert '<location path="" overrideMode="Deny">' in text and "<!-- the end -->" in text
    section = session.apphost().section("system.webServer/directoryBrowse")
    assert (section.override_mode, section.override_mode_effective) == ("Deny", "Deny")
    section.set_override_mode("Inherit")
    assert "<location" not in written(session, APPHOST)
    assert before is not None and b"<!-- the end -->" in (store.files.read(APPHOST) or b"")


def test_a_section_under_the_empty_location_is_edited_there(make_store: Make) -> None:
    session = make_store("delegated").session()
    section = session.apphost().section("system.webServer/handlers")
    assert (section.override_mode, len(section.collection)) == ("Allow", 3)
    add(section, 0, name="x", path="*", verb="*")
    text = written(session, APPHOST)
    assert text.count("<handlers") == 1
    assert (
        text.index('<location path=""')
        < text.index('<add name="x" path="*" verb="*" />')
        < text.index("TRACEVerbHandler")
    )


def test_new_items_go_before_the_defaults_element(make_store: Make) -> None:
    session = make_store("fresh").session()
    pools = session.apphost().section("system.applicationHost/applicationPools")
    while len(pools.collection):
        pools.collection.remove_at(0)
    add(pools, name="Only")
    text = written(session, APPHOST)
    assert text.index('<add name="Only" />') < text.index("<applicationPoolDefaults")


def test_a_file_changed_meanwhile_is_not_overwritten(make_store: Make) -> None:
    store = make_store("fresh")
    one, two = store.session(), store.session()
    pool = "system.applicationHost/applicationPools"
    one.apphost().section(pool).collection[0].set("autoStart", False)
    two.apphost().section(pool).collection[1].set("autoStart", False)
    one.commit()
    with pytest.raises(ConfigError, match="the file has changed on disk") as caught:
        two.commit()
    assert (caught.value.hresult, caught.value.file) == (0x80070020, APPHOST)


def test_a_commit_writes_all_files_or_none(make_store: Make) -> None:
    store = make_store("fresh")
    session = store.session()
    session.apphost().section("system.applicationHost/applicationPools").collection[0].set("autoStart", False)
    session.web("Tools").section("system.webServer/directoryBrowse").set("enabled", True)
    before = store.files.read(APPHOST)
    write = store.files.write

    def full_disk(path: str, data: bytes) -> None:
        if path == TOOLS:
            raise ConfigError(0x80070070, "There is not enough space on the disk.", path)
        write(path, data)

    store.files.write = full_disk  # type: ignore[method-assign]
    with pytest.raises(ConfigError):
        session.commit()
    assert store.files.read(APPHOST) == before and store.files.read(TOOLS) is None


def test_objects_are_read_only_after_a_commit(make_store: Make) -> None:
    store = make_store("fresh")
    committed: list[list[str]] = []
    store.on_commit.append(committed.append)
    session = store.session()
    pool = session.apphost().section("system.applicationHost/applicationPools").collection[0]
    assert session.commit() == []
    pool.set("autoStart", False)
    assert session.commit() == [APPHOST]
    with pytest.raises(ConfigError, match="read only"):
        pool.set("autoStart", True)
    assert pool["autoStart"] is False and committed == [[APPHOST]]


def test_clear_needs_a_directive_and_no_locked_items(make_store: Make) -> None:
    session = make_store("delegated").session()
    modules = session.web("Tools").section("system.webServer/modules").collection
    with pytest.raises(ConfigError, match="Lock violation"):
        modules.clear()
    variables = (
        session.web("Default Web Site")
        .section("system.webServer/httpPlatform")
        .child("environmentVariables")
        .collection
    )
    variables.clear()
    text = written(session, ROOT)
    assert "<clear />" in text and "PORT" not in text
    assert (
        len(
            session.web("Default Web Site")
            .section("system.webServer/httpPlatform")
            .child("environmentVariables")
            .collection
        )
        == 0
    )


def test_revert_to_parent(make_store: Make) -> None:
    session = make_store("delegated").session()
    section = session.web("Default Web Site").section("system.webServer/httpErrors")
    section.revert_to_parent()
    assert section["errorMode"] == 0
    assert "httpErrors" not in written(session, ROOT)


def test_location_tags(make_store: Make) -> None:
    session = make_store("delegated").session()
    configuration = session.apphost()
    assert configuration.location_paths() == ["", "Default Web Site", "Tools/api"]
    configuration.remove_location("tools/API")
    assert "Tools/api" not in written(session, APPHOST)


def test_the_folder_of_a_virtual_directory_must_be_there(make_store: Make) -> None:
    store = make_store("fresh")
    store.files.missing.add(r"c:\sites\tools\api")  # type: ignore[attr-defined]
    reader = store.reader()
    reader.check("Tools", "/no/such/folder")
    with pytest.raises(ConfigError, match="Cannot read configuration file") as caught:
        reader.check("Tools", "/api")
    assert (caught.value.hresult, caught.value.file) == (0x80070003, API)


def test_config_sections_come_first(make_store: Make) -> None:
    text = "<configuration><system.webServer/><configSections/></configuration>"
    with pytest.raises(ConfigError, match="Only one <configSections> element allowed"):
        make_store("fresh", {ROOT: text}).reader().check("Default Web Site")


def test_sections_that_end_at_the_application(make_store: Make) -> None:
    inner = web("<applicationInitialization doAppInitAfterRestart='true'/>")
    reader = make_store("fresh", {API: inner, r"C:\sites\tools\api\sub\web.config": inner}).reader()
    reader.check("Tools", "/api")
    with pytest.raises(ConfigError) as caught:
        reader.check("Tools", "/api/sub")
    assert (caught.value.hresult, caught.value.file) == (0x80070021, r"C:\sites\tools\api\sub\web.config")


def test_adding_again_after_the_last_item_was_removed(make_store: Make) -> None:
    session = make_store("delegated").session()
    handlers = session.web("Default Web Site").section("system.webServer/handlers")
    own = handlers.collection[0]
    handlers.collection.remove(own)
    add(handlers, 0, name="new", path="*", verb="*")
    assert '<add name="new" path="*" verb="*" />' in written(session, ROOT)
    variables = (
        session.apphost().section("system.applicationHost/applicationPools").collection[2].child("environmentVariables")
    )
    variables.collection.remove_at(0)
    add(variables, name="A", value="1")
    assert '<add name="A" value="1" />' in written(session, APPHOST)


def test_sections_of_the_net_framework_are_refused_by_name(make_store: Make) -> None:
    with pytest.raises(ConfigError, match="does not keep the section"):
        make_store("fresh").session().web("Default Web Site").section("system.web/compilation")


def test_deleting_an_element_leaves_its_inherited_values(make_store: Make) -> None:
    session = make_store("delegated").session()
    platform = session.web("Default Web Site").section("system.webServer/httpPlatform")
    variables = platform.child("environmentVariables")
    assert len(variables.collection) == 2
    variables.delete()
    assert len(variables.collection) == 0
    platform.delete()
    assert platform["processPath"] == "" and "httpPlatform " not in written(session, ROOT)


def test_a_reader_does_not_grow_without_end(make_store: Make) -> None:
    reader = make_store("fresh").reader()
    reader.check("Default Web Site")
    for number in range(600):
        reader.check("Default Web Site", f"/{number}")
    assert reader.refresh()
    reader.check("Default Web Site")
    assert not reader.refresh()


def test_what_was_made_for_an_item_goes_with_it(make_store: Make) -> None:
    store = make_store("fresh")
    session = store.session()
    for section in (
        session.web("Tools").section("system.webServer/staticContent"),
        session.apphost().section("system.webServer/staticContent", "Tools"),
    ):
        section.collection.remove(add(section, fileExtension=".x", mimeType="a/b"))
    assert session.commit() == []


def test_an_element_of_the_file_stays_when_it_is_emptied(make_store: Make) -> None:
    session = make_store("delegated").session()
    handlers = session.web("Default Web Site").section("system.webServer/handlers")
    handlers.collection.remove_at(0)
    assert "<handlers />" in written(session, ROOT)
