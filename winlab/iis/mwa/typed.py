"""Sites, applications, pools and what runs, as typed objects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from winlab.iis import schema as schemas
from winlab.iis.config import Section
from winlab.iis.mwa.elements import (
    CollectionMembers,
    ConfigurationElementNet,
    collection_type,
    wrap,
    wrap_collection,
)
from winlab.iis.mwa.values import (
    MWA,
    construct,
    enum,
    from_net,
    mwa_type,
    refusals,
    timespan,
)
from winlab.iis.reader import parse_binding
from winlab.powershell.dotnet.core import get_type, indexer, method, prop, static
from winlab.powershell.errors import LabUnsupported
from winlab.powershell.objects import ByteArray, Char, Int64, PSArray


def _read(kind: str, value: Any) -> Any:
    """A stored value as the typed property gives it."""
    if kind.startswith("enum "):
        return enum(kind[5:], int(value))
    if isinstance(value, timedelta):
        return timespan(value)
    if kind == "long":
        return Int64(value)
    if kind == "Guid":
        from uuid import UUID

        return construct(
            "System.Guid", ["String"], str(UUID(value)) if value else "00000000-0000-0000-0000-000000000000"
        )
    return value


def _attribute(signature: str, name: str, kind: str = "", *, read_only: bool = False) -> Any:
    """A typed property over an attribute: `_attribute("AutoStart : bool", "autoStart")`."""

    def get(self: ConfigurationElementNet) -> Any:
        with refusals():
            return _read(kind or signature.rpartition(": ")[2].split()[0], self.element.get(name))

    def set_(self: ConfigurationElementNet, value: Any) -> None:
        with refusals():
            self.element.set(name, from_net(value) if signature.rpartition(": ")[2] != "Guid" else str(value))

    made = prop(signature)(get)
    return made if read_only else made.setter(set_)


def _enum_attribute(name: str, attribute: str, enum_name: str) -> Any:
    return _attribute(f"{name} : {enum_name}", attribute, "enum " + enum_name)


def _child(signature: str, name: str, cls: Callable[[], Any]) -> Any:
    def get(self: ConfigurationElementNet) -> Any:
        with refusals():
            return wrap(self.element.child(name), cls())

    return prop(signature)(get)


def _child_collection(signature: str, path: str, cls: Callable[[], Any]) -> Any:
    def get(self: ConfigurationElementNet) -> Any:
        with refusals():
            element = self.element
            for part in filter(None, path.split("/")):
                element = element.child(part)
            return wrap_collection(element.collection, cls())

    return prop(signature)(get)


_ELEMENT = MWA + "ConfigurationElement"


@mwa_type("ApplicationPoolCpu", _ELEMENT)
class ApplicationPoolCpu(ConfigurationElementNet):
    action = _enum_attribute("Action", "action", "ProcessorAction")
    limit = _attribute("Limit : long", "limit")
    reset_interval = _attribute("ResetInterval : TimeSpan", "resetInterval")
    smp_affinitized = _attribute("SmpAffinitized : bool", "smpAffinitized")
    mask = _attribute("SmpProcessorAffinityMask : long", "smpProcessorAffinityMask")
    mask2 = _attribute("SmpProcessorAffinityMask2 : long", "smpProcessorAffinityMask2")


@mwa_type("ApplicationPoolFailure", _ELEMENT)
class ApplicationPoolFailure(ConfigurationElementNet):
    auto_shutdown_exe = _attribute("AutoShutdownExe : string", "autoShutdownExe")
    auto_shutdown_params = _attribute("AutoShutdownParams : string", "autoShutdownParams")
    load_balancer = _enum_attribute("LoadBalancerCapabilities", "loadBalancerCapabilities", "LoadBalancerCapabilities")
    orphan_exe = _attribute("OrphanActionExe : string", "orphanActionExe")
    orphan_params = _attribute("OrphanActionParams : string", "orphanActionParams")
    orphan = _attribute("OrphanWorkerProcess : bool", "orphanWorkerProcess")
    rapid_fail = _attribute("RapidFailProtection : bool", "rapidFailProtection")
    rapid_fail_interval = _attribute("RapidFailProtectionInterval : TimeSpan", "rapidFailProtectionInterval")
    rapid_fail_crashes = _attribute("RapidFailProtectionMaxCrashes : long", "rapidFailProtectionMaxCrashes")


@mwa_type("Schedule", _ELEMENT)
class Schedule(ConfigurationElementNet):
    time = _attribute("Time : TimeSpan", "value")


@collection_type("ScheduleCollection", "Schedule")
class ScheduleCollection(CollectionMembers):
    item_class = Schedule

    @method("Add(TimeSpan) : Schedule")
    def add_time(self, time: Any) -> Any:
        item = self.create_element()
        item.time = time
        return self._added(item, None)


@mwa_type("ApplicationPoolPeriodicRestart", _ELEMENT)
class ApplicationPoolPeriodicRestart(ConfigurationElementNet):
    memory = _attribute("Memory : long", "memory")
    private_memory = _attribute("PrivateMemory : long", "privateMemory")
    requests = _attribute("Requests : long", "requests")
    time = _attribute("Time : TimeSpan", "time")
    schedule = _child_collection("Schedule : ScheduleCollection get", "schedule", lambda: ScheduleCollection)


@mwa_type("ApplicationPoolRecycling", _ELEMENT)
class ApplicationPoolRecycling(ConfigurationElementNet):
    no_overlap = _attribute("DisallowOverlappingRotation : bool", "disallowOverlappingRotation")
    no_rotation = _attribute("DisallowRotationOnConfigChange : bool", "disallowRotationOnConfigChange")
    log_event = _enum_attribute("LogEventOnRecycle", "logEventOnRecycle", "RecyclingLogEventOnRecycle")
    periodic_restart = _child(
        "PeriodicRestart : ApplicationPoolPeriodicRestart get",
        "periodicRestart",
        lambda: ApplicationPoolPeriodicRestart,
    )


@mwa_type("ApplicationPoolProcessModel", _ELEMENT)
class ApplicationPoolProcessModel(ConfigurationElementNet):
    identity_type = _enum_attribute("IdentityType", "identityType", "ProcessModelIdentityType")
    idle_timeout = _attribute("IdleTimeout : TimeSpan", "idleTimeout")
    idle_action = _enum_attribute("IdleTimeoutAction", "idleTimeoutAction", "IdleTimeoutAction")
    load_user_profile = _attribute("LoadUserProfile : bool", "loadUserProfile")
    log_event = _enum_attribute(
        "LogEventOnProcessModel", "logEventOnProcessModel", "ProcessModelLogEventOnProcessModel"
    )
    max_processes = _attribute("MaxProcesses : long", "maxProcesses")
    password = _attribute("Password : string", "password")
    ping_interval = _attribute("PingInterval : TimeSpan", "pingInterval")
    ping_response = _attribute("PingResponseTime : TimeSpan", "pingResponseTime")
    pinging = _attribute("PingingEnabled : bool", "pingingEnabled")
    shutdown_limit = _attribute("ShutdownTimeLimit : TimeSpan", "shutdownTimeLimit")
    startup_limit = _attribute("StartupTimeLimit : TimeSpan", "startupTimeLimit")
    user_name = _attribute("UserName : string", "userName")


# What a pool and applicationPoolDefaults share, and below what a site and siteDefaults share. Members are collected per class, so a base class will not do.
_POOL_ATTRIBUTES = {
    "auto_start": _attribute("AutoStart : bool", "autoStart"),
    "cpu": _child("Cpu : ApplicationPoolCpu get", "cpu", lambda: ApplicationPoolCpu),
    "enable32": _attribute("Enable32BitAppOnWin64 : bool", "enable32BitAppOnWin64"),
    "failure": _child("Failure : ApplicationPoolFailure get", "failure", lambda: ApplicationPoolFailure),
    "pipeline_mode": _enum_attribute("ManagedPipelineMode", "managedPipelineMode", "ManagedPipelineMode"),
    "runtime_version": _attribute("ManagedRuntimeVersion : string", "managedRuntimeVersion"),
    "process_model": _child(
        "ProcessModel : ApplicationPoolProcessModel get", "processModel", lambda: ApplicationPoolProcessModel
    ),
    "queue_length": _attribute("QueueLength : long", "queueLength"),
    "recycling": _child("Recycling : ApplicationPoolRecycling get", "recycling", lambda: ApplicationPoolRecycling),
    "start_mode": _enum_attribute("StartMode", "startMode", "StartMode"),
}


def _with_members(members: dict[str, Any]) -> Callable[[Any], Any]:
    def apply(cls: Any) -> Any:
        for name, value in members.items():
            setattr(cls, name, value)
        return cls

    return apply


def _invoke(net: ConfigurationElementNet, name: str) -> Any:
    """Runs a method of the running service, then gives the state as it is."""
    with refusals():
        net.element.section.store.invoke(net.element, name, {})
        return enum("ObjectState", int(net.element.get("state")))  # type: ignore[arg-type]


@mwa_type("ApplicationPoolDefaults", _ELEMENT)
@_with_members(_POOL_ATTRIBUTES)
class ApplicationPoolDefaults(ConfigurationElementNet):
    pass


@mwa_type("ApplicationPool", _ELEMENT)
@_with_members(_POOL_ATTRIBUTES)
class ApplicationPool(ConfigurationElementNet):
    name = _attribute("Name : string", "name")
    state = _attribute("State : ObjectState get", "state", "enum ObjectState", read_only=True)

    @prop("WorkerProcesses : WorkerProcessCollection get")
    def worker_processes(self) -> Any:
        with refusals():
            return wrap_collection(self.element.child("workerProcesses").collection, WorkerProcessCollection)

    @method("Start() : ObjectState")
    def start(self) -> Any:
        return _invoke(self, "Start")

    @method("Stop() : ObjectState")
    def stop(self) -> Any:
        return _invoke(self, "Stop")

    @method("Recycle() : ObjectState")
    def recycle(self) -> Any:
        return _invoke(self, "Recycle")

    @method("ToString() : string")
    def to_string(self) -> str:
        return str(self.element.get("name"))


def _characters(text: str) -> PSArray:
    return PSArray([Char(c) for c in text], get_type("System.Char"))


class _NamedCollection(CollectionMembers):
    """A collection whose string index is the key of an item, not an attribute."""

    key = "name"

    def _named(self, name: str) -> Any:
        with refusals():
            found = self.collection.find(**{self.key: name})
        return None if found is None else wrap(found, self.item_class)


@collection_type("ApplicationPoolCollection", "ApplicationPool")
class ApplicationPoolCollection(_NamedCollection):
    item_class = ApplicationPool

    @indexer("Item[string] : ApplicationPool get")
    def attribute(self, name: str) -> Any:
        return self._named(name)

    @method("Add(string) : ApplicationPool")
    def add_named(self, name: str) -> Any:
        pool = self.create_element()
        pool.name = name
        return self._added(pool, None)

    @static("InvalidApplicationPoolNameCharacters() : char[]")
    def invalid_characters() -> Any:
        return _characters(schemas.APPLICATION_POOL_NAME_CHARACTERS)


@mwa_type("VirtualDirectoryDefaults", _ELEMENT)
class VirtualDirectoryDefaults(ConfigurationElementNet):
    logon_method = _enum_attribute("LogonMethod", "logonMethod", "AuthenticationLogonMethod")
    password = _attribute("Password : string", "password")
    user_name = _attribute("UserName : string", "userName")


@mwa_type("VirtualDirectory", _ELEMENT)
class VirtualDirectory(ConfigurationElementNet):
    logon_method = _enum_attribute("LogonMethod", "logonMethod", "AuthenticationLogonMethod")
    password = _attribute("Password : string", "password")
    path = _attribute("Path : string", "path")
    physical_path = _attribute("PhysicalPath : string", "physicalPath")
    user_name = _attribute("UserName : string", "userName")

    @method("ToString() : string")
    def to_string(self) -> str:
        return str(self.element.get("path"))


@collection_type("VirtualDirectoryCollection", "VirtualDirectory")
class VirtualDirectoryCollection(_NamedCollection):
    item_class = VirtualDirectory
    key = "path"

    @indexer("Item[string] : VirtualDirectory get")
    def attribute(self, path: str) -> Any:
        return self._named(path)

    @method("Add(string,string) : VirtualDirectory")
    def add_directory(self, path: str, physical_path: str) -> Any:
        directory = self.create_element()
        directory.path = path
        directory.physical_path = physical_path
        return self._added(directory, None)

    @static("InvalidVirtualDirectoryPathCharacters() : char[]")
    def invalid_characters() -> Any:
        return _characters(schemas.PATH_CHARACTERS)


@mwa_type("ApplicationDefaults", _ELEMENT)
class ApplicationDefaults(ConfigurationElementNet):
    pool_name = _attribute("ApplicationPoolName : string", "applicationPool")
    protocols = _attribute("EnabledProtocols : string", "enabledProtocols")


@mwa_type("Application", _ELEMENT)
class Application(ConfigurationElementNet):
    pool_name = _attribute("ApplicationPoolName : string", "applicationPool")
    protocols = _attribute("EnabledProtocols : string", "enabledProtocols")
    path = _attribute("Path : string", "path")
    virtual_directories = _child_collection(
        "VirtualDirectories : VirtualDirectoryCollection get", "", lambda: VirtualDirectoryCollection
    )
    defaults = _child(
        "VirtualDirectoryDefaults : VirtualDirectoryDefaults get",
        "virtualDirectoryDefaults",
        lambda: VirtualDirectoryDefaults,
    )

    @method("GetWebConfiguration() : Configuration")
    def get_web_configuration(self) -> Any:
        container = self.element.container
        assert container is not None
        return _web_configuration(self.element.section, str(container.owner.get("name")), str(self.element.get("path")))

    @method("ToString() : string")
    def to_string(self) -> str:
        return str(self.element.get("path"))


def _web_configuration(section: Section, site: str, path: str) -> Any:
    from winlab.iis.mwa.manager import ConfigurationNet

    return ConfigurationNet(section.configuration.session.web(site, path))


@collection_type("ApplicationCollection", "Application")
class ApplicationCollection(_NamedCollection):
    item_class = Application
    key = "path"

    @indexer("Item[string] : Application get")
    def attribute(self, path: str) -> Any:
        return self._named(path)

    @method("Add(string,string) : Application")
    def add_application(self, path: str, physical_path: str) -> Any:
        application = self.create_element()
        application.path = path
        application.virtual_directories.add_directory("/", physical_path)
        return self._added(application, None)

    @static("InvalidApplicationPathCharacters() : char[]")
    def invalid_characters() -> Any:
        return _characters(schemas.PATH_CHARACTERS)


@mwa_type("Binding", _ELEMENT)
class Binding(ConfigurationElementNet):
    information = _attribute("BindingInformation : string", "bindingInformation")
    protocol = _attribute("Protocol : string", "protocol")
    ssl_flags = _enum_attribute("SslFlags", "sslFlags", "SslFlags")
    store_name = _attribute("CertificateStoreName : string", "certificateStoreName")
    ds_mapper = _attribute("UseDsMapper : bool", "isDsMapperEnabled")

    def _parts(self) -> tuple[str, int | None, str]:
        return parse_binding(str(self.element.get("protocol")), str(self.element.get("bindingInformation")))

    @prop("Host : string get")
    def host(self) -> str:
        address, port, host = self._parts()
        return host if self._end_point_of(address, port) is not None else ""

    @prop("EndPoint : Net.IPEndPoint get")
    def end_point(self) -> Any:
        address, port, _ = self._parts()
        return self._end_point_of(address, port)

    def _end_point_of(self, address: str, port: int | None) -> Any:
        import ipaddress

        if port is None:
            return None
        try:
            ip = ipaddress.ip_address(address.strip("[]") or "0.0.0.0")
        except ValueError:
            return None
        return _end_point(str(ip), port)

    @prop("IsIPPortHostBinding : bool get")
    def is_ip_port_host(self) -> bool:
        return str(self.element.get("protocol")).lower() in ("http", "https", "ftp")

    @prop("CertificateHash : byte[]")
    def certificate_hash(self) -> Any:
        with refusals():
            text = str(self.element.get("certificateHash"))
        return ByteArray(bytes.fromhex(text)) if text else None

    @certificate_hash.setter
    def certificate_hash(self, value: Any) -> None:
        with refusals():
            self.element.section.check_writable()
            self.element.section.store.invoke(
                self.element, "SetCertificateHash", {"certificateHash": bytes(value).hex().upper() if value else ""}
            )

    @method("ToString() : string")
    def to_string(self) -> str:
        text = str(self.element.get("bindingInformation"))
        return "*" + text if text.startswith(":") else text


def _end_point(address: str, port: int) -> Any:
    parse = next(
        (o.fn for o in get_type("System.Net.IPAddress").methods("Parse", is_static=True) if o.fn is not None), None
    )
    if parse is None:
        raise LabUnsupported("a value of the type System.Net.IPAddress")
    return construct("System.Net.IPEndPoint", ["Net.IPAddress", "Int32"], parse(address), port)


@collection_type("BindingCollection", "Binding")
class BindingCollection(CollectionMembers):
    item_class = Binding

    @method("Add(string,string) : Binding")
    def add_binding(self, information: str, protocol: str) -> Any:
        return self._add_binding(information, protocol)

    @method("Add(string,byte[],string) : Binding")
    def add_https(self, information: str, certificate_hash: Any, store: str) -> Any:
        return self._add_binding(information, "https", certificate_hash, store)

    @method("Add(string,byte[],string,SslFlags) : Binding")
    def add_https_flags(self, information: str, certificate_hash: Any, store: str, flags: Any) -> Any:
        return self._add_binding(information, "https", certificate_hash, store, int(flags))

    def _add_binding(
        self, information: str, protocol: str, certificate_hash: Any = None, store: str = "MY", flags: int = 0
    ) -> Any:
        binding = self.create_element()
        binding.information = information
        binding.protocol = protocol
        if flags:
            binding.element.set("sslFlags", flags)
        self._added(binding, None)
        if certificate_hash:
            arguments: dict[str, schemas.Value] = {
                "certificateHash": bytes(certificate_hash).hex().upper(),
                "certificateStoreName": store or "MY",
            }
            with refusals():
                binding.element.section.configuration.session.after_commit(
                    binding.element, "AddSslCertificate", arguments
                )
        return binding

    @method("Remove(Binding,bool) : void")
    def remove_config_only(self, binding: Any, config_only: bool) -> None:
        self.remove(binding)


@mwa_type("SiteLimits", _ELEMENT)
class SiteLimits(ConfigurationElementNet):
    timeout = _attribute("ConnectionTimeout : TimeSpan", "connectionTimeout")
    bandwidth = _attribute("MaxBandwidth : long", "maxBandwidth")
    connections = _attribute("MaxConnections : long", "maxConnections")
    segments = _attribute("MaxUrlSegments : long", "maxUrlSegments")


@mwa_type("CustomLogField", _ELEMENT)
class CustomLogField(ConfigurationElementNet):
    field_name = _attribute("LogFieldName : string", "logFieldName")
    source_name = _attribute("SourceName : string", "sourceName")
    source_type = _enum_attribute("SourceType", "sourceType", "CustomLogFieldSourceType")


@collection_type("CustomLogFieldCollection", "CustomLogField")
class CustomLogFieldCollection(CollectionMembers):
    item_class = CustomLogField

    @method("Add(string,string,CustomLogFieldSourceType) : CustomLogField")
    def add_field(self, name: str, source: str, kind: Any) -> Any:
        item = self.create_element()
        item.field_name, item.source_name, item.source_type = name, source, kind
        return self._added(item, None)


@mwa_type("SiteLogFile", _ELEMENT)
class SiteLogFile(ConfigurationElementNet):
    custom_fields = _child_collection(
        "CustomLogFields : CustomLogFieldCollection get", "customFields", lambda: CustomLogFieldCollection
    )
    plugin = _attribute("CustomLogPluginClsid : Guid", "customLogPluginClsid")
    directory = _attribute("Directory : string", "directory")
    enabled = _attribute("Enabled : bool", "enabled")
    local_time = _attribute("LocalTimeRollover : bool", "localTimeRollover")
    flags = _enum_attribute("LogExtFileFlags", "logExtFileFlags", "LogExtFileFlags")
    format = _enum_attribute("LogFormat", "logFormat", "LogFormat")
    target = _enum_attribute("LogTargetW3C", "logTargetW3C", "LogTargetW3C")
    period = _enum_attribute("Period", "period", "LoggingRolloverPeriod")
    truncate_size = _attribute("TruncateSize : long", "truncateSize")


@mwa_type("SiteTraceFailedRequestsLogging", _ELEMENT)
class SiteTraceFailedRequestsLogging(ConfigurationElementNet):
    directory = _attribute("Directory : string", "directory")
    enabled = _attribute("Enabled : bool", "enabled")
    max_files = _attribute("MaxLogFiles : long", "maxLogFiles")


_SITE_CHILDREN = {
    "limits": _child("Limits : SiteLimits get", "limits", lambda: SiteLimits),
    "log_file": _child("LogFile : SiteLogFile get", "logFile", lambda: SiteLogFile),
    "auto_start": _attribute("ServerAutoStart : bool", "serverAutoStart"),
    "tracing": _child(
        "TraceFailedRequestsLogging : SiteTraceFailedRequestsLogging get",
        "traceFailedRequestsLogging",
        lambda: SiteTraceFailedRequestsLogging,
    ),
}


@mwa_type("SiteDefaults", _ELEMENT)
@_with_members(_SITE_CHILDREN)
class SiteDefaults(ConfigurationElementNet):
    pass


@mwa_type("Site", _ELEMENT)
@_with_members(_SITE_CHILDREN)
class Site(ConfigurationElementNet):
    name = _attribute("Name : string", "name")
    id = _attribute("Id : long", "id")
    state = _attribute("State : ObjectState get", "state", "enum ObjectState", read_only=True)
    applications = _child_collection("Applications : ApplicationCollection get", "", lambda: ApplicationCollection)
    bindings = _child_collection("Bindings : BindingCollection get", "bindings", lambda: BindingCollection)
    application_defaults = _child(
        "ApplicationDefaults : ApplicationDefaults get", "applicationDefaults", lambda: ApplicationDefaults
    )
    directory_defaults = _child(
        "VirtualDirectoryDefaults : VirtualDirectoryDefaults get",
        "virtualDirectoryDefaults",
        lambda: VirtualDirectoryDefaults,
    )

    @method("GetWebConfiguration() : Configuration")
    def get_web_configuration(self) -> Any:
        return _web_configuration(self.element.section, str(self.element.get("name")), "/")

    @method("Start() : ObjectState")
    def start(self) -> Any:
        return _invoke(self, "Start")

    @method("Stop() : ObjectState")
    def stop(self) -> Any:
        return _invoke(self, "Stop")

    @method("ToString() : string")
    def to_string(self) -> str:
        return str(self.element.get("name"))


@collection_type("SiteCollection", "Site")
class SiteCollection(_NamedCollection):
    item_class = Site

    @indexer("Item[string] : Site get")
    def attribute(self, name: str) -> Any:
        return self._named(name)

    @method("Add(string,string,int) : Site")
    def add_port(self, name: str, physical_path: str, port: int) -> Any:
        return self._add_site(name, "http", f"*:{port}:", physical_path)

    @method("Add(string,string,string,string) : Site")
    def add_protocol(self, name: str, protocol: str, information: str, physical_path: str) -> Any:
        return self._add_site(name, protocol, information, physical_path)

    @method("Add(string,string,string,byte[]) : Site")
    def add_https(self, name: str, information: str, physical_path: str, certificate_hash: Any) -> Any:
        return self._add_site(name, "https", information, physical_path, certificate_hash)

    @method("Add(string,string,string,byte[],string) : Site")
    def add_https_store(
        self, name: str, information: str, physical_path: str, certificate_hash: Any, store: str
    ) -> Any:
        return self._add_site(name, "https", information, physical_path, certificate_hash, store)

    @method("Add(string,string,string,byte[],string,SslFlags) : Site")
    def add_https_flags(
        self, name: str, information: str, physical_path: str, certificate_hash: Any, store: str, flags: Any
    ) -> Any:
        return self._add_site(name, "https", information, physical_path, certificate_hash, store, int(flags))

    def _add_site(
        self,
        name: str,
        protocol: str,
        information: str,
        physical_path: str,
        certificate_hash: Any = None,
        store: str = "MY",
        flags: int = 0,
    ) -> Any:
        site = self.create_element()
        site.name = name
        with refusals():
            site.element.set("id", max((int(s.get("id")) for s in self.collection), default=0) + 1)  # type: ignore[arg-type]
        site.bindings._add_binding(information, protocol, certificate_hash, store, flags)
        site.applications.add_application("/", physical_path)
        return self._added(site, None)

    @static("InvalidSiteNameCharacters() : char[]")
    def invalid_characters() -> Any:
        return _characters(schemas.SITE_NAME_CHARACTERS)


@mwa_type("Request", _ELEMENT)
class Request(ConfigurationElementNet):
    client = _attribute("ClientIPAddr : string get", "clientIpAddress", read_only=True)
    connection = _attribute("ConnectionId : string get", "connectionId", read_only=True)
    module = _attribute("CurrentModule : string get", "currentModule", read_only=True)
    host = _attribute("HostName : string get", "hostName", read_only=True)
    local_address = _attribute("LocalIPAddress : string get", "localIpAddress", read_only=True)
    local_port = _attribute("LocalPort : int get", "localPort", read_only=True)
    pipeline_state = _attribute(
        "PipelineState : PipelineState get", "pipeLineState", "enum PipelineState", read_only=True
    )
    request_id = _attribute("RequestId : string get", "requestId", read_only=True)
    site_id = _attribute("SiteId : int get", "siteId", read_only=True)
    elapsed = _attribute("TimeElapsed : int get", "timeElapsed", read_only=True)
    time_in_module = _attribute("TimeInModule : int get", "timeInModule", read_only=True)
    time_in_state = _attribute("TimeInState : int get", "timeInState", read_only=True)
    url = _attribute("Url : string get", "url", read_only=True)
    verb = _attribute("Verb : string get", "verb", read_only=True)


@collection_type("RequestCollection", "Request")
class RequestCollection(CollectionMembers):
    item_class = Request


@mwa_type("WorkerProcess", _ELEMENT)
class WorkerProcess(ConfigurationElementNet):
    pool_name = _attribute("AppPoolName : string get", "appPoolName", read_only=True)
    guid = _attribute("ProcessGuid : string get", "guid", read_only=True)
    process_id = _attribute("ProcessId : int get", "processId", read_only=True)
    state = _attribute("State : WorkerProcessState get", "state", "enum WorkerProcessState", read_only=True)

    @method("GetRequests(int) : RequestCollection")
    def get_requests(self, time_elapsed: int) -> Any:
        raise LabUnsupported("WorkerProcess.GetRequests")


@collection_type("WorkerProcessCollection", "WorkerProcess")
class WorkerProcessCollection(CollectionMembers):
    item_class = WorkerProcess

    @method("GetWorkerProcess(int) : WorkerProcess")
    def by_id(self, process_id: int) -> Any:
        return next((w for w in self if int(w.element.get("processId")) == process_id), None)
