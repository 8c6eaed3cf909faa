"""System.Threading: threads, mutexes with named and abandoned semantics, events, monitors, tasks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import EnumValue, Int64, NetObject, PSArray, unwrap
from winlab.windows import turns

from . import context
from .core import ctor, get_type, method, net_type, prop, static, static_prop
from .declare import disposed, invalid_operation, need, out_of_range, overloads
from .time import TimeSpan

STEP = 0.02
LONG_STEP = 0.2


def wait_until(ready: Callable[[], bool], seconds: float | None, condition: threading.Condition | None = None) -> bool:
    """Wait for `ready`, looking at the runtime's stop and kill; False after `seconds` (None: for ever)."""
    if ready():
        return True
    with turns.aside():
        return _wait_until(ready, seconds, condition)


def _wait_until(ready: Callable[[], bool], seconds: float | None, condition: threading.Condition | None) -> bool:
    began = time.monotonic()
    deadline = None if seconds is None else began + seconds
    pause = 0.001
    while not ready():
        context.check()
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return ready()
        step = pause if left is None else min(pause, left)
        if condition is not None:
            with condition:
                if not ready():
                    condition.wait(step)
        else:
            time.sleep(step)
        # A condition wakes us; what is left to notice is a stop or a kill.
        longest = STEP if condition is None else max(STEP, min(LONG_STEP, (time.monotonic() - began) / 10))
        pause = min(pause * 2, longest)
    return True


def seconds_of(timeout: Any) -> float | None:
    """A timeout in milliseconds or as a TimeSpan; None for infinite (-1)."""
    milliseconds = timeout.ticks / 10000 if isinstance(timeout, TimeSpan) else int(timeout)
    if milliseconds == -1:
        return None
    if milliseconds < -1:
        raise out_of_range(
            "millisecondsTimeout", "Number must be either non-negative and less than or equal to Int32.MaxValue or -1."
        )
    return float(milliseconds / 1000)


def sleep(seconds: float | None) -> None:
    wait_until(lambda: False, seconds)


def owner_process() -> Any:
    """What owns locks of this thread's process: the simulated process, or the runtime on scratch machines."""
    found = context.current()
    if found is None:
        return threading.main_thread()
    return getattr(found, "process", None) or getattr(found, "program", None) or "scratch"


# ------------------------------------------------------------------------------------------------------------ wait handles


@net_type("System.Threading.WaitHandle", interfaces=("IDisposable",))
class WaitHandle(NetObject):
    closed = False

    def try_take(self) -> bool:
        """Take the handle if it is signalled."""
        raise NotImplementedError

    def wait(self, seconds: float | None) -> bool:
        if self.closed:
            raise disposed(message="Safe handle has been closed")
        return wait_until(self.try_take, seconds)

    @static_prop("WaitTimeout : Int32")
    def wait_timeout() -> int:
        return 258

    @overloads("System.Threading.WaitHandle", "WaitOne")
    def wait_one(self, timeout: Any = -1, exit_context: bool = False) -> bool:
        if isinstance(timeout, bool):
            timeout = -1
        return self.wait(seconds_of(timeout))

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        self.closed = True

    @overloads("System.Threading.WaitHandle", "WaitAny")
    def wait_any(handles: Any, timeout: Any = -1, exit_context: bool = False) -> int:
        items = [unwrap(item) for item in need(handles, "waitHandles")]
        taken: list[int] = []

        def ready() -> bool:
            for index, item in enumerate(items):
                if item.try_take():
                    taken.append(index)
                    return True
            return False

        return taken[0] if wait_until(ready, seconds_of(timeout)) else 258

    @overloads("System.Threading.WaitHandle", "WaitAll")
    def wait_all(handles: Any, timeout: Any = -1, exit_context: bool = False) -> bool:
        left = [unwrap(item) for item in need(handles, "waitHandles")]

        def ready() -> bool:
            left[:] = [item for item in left if not item.try_take()]
            return not left

        return wait_until(ready, seconds_of(timeout))


class _Event:
    """The kernel object behind events, possibly shared by name."""

    def __init__(self, signalled: bool, manual: bool) -> None:
        self.lock = threading.Lock()
        self.signalled = signalled
        self.manual = manual


@net_type("System.Threading.EventWaitHandle")
class EventWaitHandle(WaitHandle):
    def __init__(self, signalled: bool, manual: bool) -> None:
        self.state = _Event(signalled, manual)

    def try_take(self) -> bool:
        with self.state.lock:
            if not self.state.signalled:
                return False
            if not self.state.manual:
                self.state.signalled = False
            return True

    @ctor("(Boolean,Threading.EventResetMode)")
    @ctor("(Boolean,Threading.EventResetMode,String)")
    @ctor("(Boolean,Threading.EventResetMode,String,Boolean&)")
    def new(self, signalled: bool, mode: EnumValue, name: str | None = None, created: Any = None) -> None:
        if name is None:
            self.state = _Event(signalled, mode.value == 1)
            fresh = True
        else:
            table = context.shared("events", dict)
            fresh = name not in table
            self.state = table.setdefault(name, _Event(signalled, mode.value == 1))
        if created is not None:
            created.value = fresh

    @method("Set() : Boolean")
    def set(self) -> bool:
        with self.state.lock:
            self.state.signalled = True
        return True

    @method("Reset() : Boolean")
    def reset(self) -> bool:
        with self.state.lock:
            self.state.signalled = False
        return True


@net_type("System.Threading.ManualResetEvent")
class ManualResetEvent(EventWaitHandle):
    @ctor("(Boolean)")
    def new_manual(self, signalled: bool) -> None:
        self.state = _Event(signalled, True)


@net_type("System.Threading.AutoResetEvent")
class AutoResetEvent(EventWaitHandle):
    @ctor("(Boolean)")
    def new_auto(self, signalled: bool) -> None:
        self.state = _Event(signalled, False)


@net_type("System.Threading.ManualResetEventSlim", interfaces=("IDisposable",))
class ManualResetEventSlim(NetObject):
    @ctor("()")
    @ctor("(Boolean)")
    def new(self, signalled: bool = False) -> None:
        self.event = EventWaitHandle(signalled, True)

    @prop("IsSet : Boolean get")
    def is_set(self) -> bool:
        return self.event.state.signalled

    @prop("WaitHandle : Threading.WaitHandle get")
    def wait_handle(self) -> EventWaitHandle:
        return self.event

    @method("Set() : Void")
    def set(self) -> None:
        self.event.set()

    @method("Reset() : Void")
    def reset(self) -> None:
        self.event.reset()

    @method("Wait() : Void")
    def wait_forever(self) -> None:
        self.event.wait(None)

    @method("Wait(Int32) : Boolean")
    @method("Wait(TimeSpan) : Boolean")
    def wait(self, timeout: Any) -> bool:
        return self.event.wait(seconds_of(timeout))

    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass


class _MutexState:
    """The kernel object behind a mutex: the thread that owns it, and how often."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self.process: Any = None
        self.count = 0
        self.references = 0
        self.abandoned = False

    def owner_gone(self) -> bool:
        if self.thread is None:
            return False
        alive = getattr(self.process, "alive", True)
        return not self.thread.is_alive() or alive is False


@net_type("System.Threading.Mutex")
class Mutex(WaitHandle):
    """Named mutexes are the server's, shared by all its processes; an owner that ended without releasing leaves it abandoned."""

    def __init__(self, state: _MutexState) -> None:
        self.state = state

    @ctor("()")
    @ctor("(Boolean)")
    @ctor("(Boolean,String)")
    @ctor("(Boolean,String,Boolean&)")
    def new(self, owned: bool = False, name: str | None = None, created: Any = None) -> None:
        if name:
            if len(name) > 260:
                raise NetException(
                    "System.ArgumentException",
                    f"The name can be no more than 260 characters in length.\r\nParameter name: {name}",
                )
            self.state, fresh = _named_mutex(name)
        else:
            self.state, fresh = _MutexState(), True
        if owned and fresh:
            self.try_take()
        if created is not None:
            created.value = fresh

    def try_take(self) -> bool:
        state = self.state
        with state.lock:
            thread = threading.current_thread()
            if state.thread is thread:
                state.count += 1
                return True
            abandoned = state.owner_gone() or (state.thread is None and state.abandoned)
            if state.thread is None or abandoned:
                state.thread, state.process, state.count = thread, owner_process(), 1
                state.abandoned = False
                if abandoned:
                    raise NetException(
                        "System.Threading.AbandonedMutexException",
                        "The wait completed due to an abandoned mutex.",
                        Mutex=self,
                        MutexIndex=-1,
                    )
                return True
        return False

    @method("ReleaseMutex() : Void")
    def release_mutex(self) -> None:
        state = self.state
        with state.lock:
            if state.thread is not threading.current_thread():
                raise NetException(
                    "System.ApplicationException",
                    "Object synchronization method was called from an unsynchronized block of code.",
                )
            state.count -= 1
            if state.count == 0:
                state.thread = state.process = None

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close_mutex(self) -> None:
        self.closed = True

    @static("OpenExisting(String) : Threading.Mutex")
    def open_existing(name: str) -> Mutex:
        table = context.shared("mutexes", dict)
        state = table.get(_kernel_name(need(name, "name")))
        if state is None:
            raise NetException(
                "System.Threading.WaitHandleCannotBeOpenedException", "No handle of the given name exists."
            )
        return Mutex(state)

    @static("TryOpenExisting(String,Threading.Mutex&) : Boolean")
    def try_open_existing(name: str, result: Any) -> bool:
        state = context.shared("mutexes", dict).get(_kernel_name(need(name, "name")))
        result.value = Mutex(state) if state is not None else None
        return state is not None


def _kernel_name(name: str) -> str:
    """Services and WinRM run in session 0, where `Global\\x` and `x` are the same object; names compare with case."""
    for prefix in ("Global\\", "Local\\"):
        if name.startswith(prefix):
            return name[len(prefix) :]
    if "\\" in name:
        raise NetException("System.IO.DirectoryNotFoundException", "Could not find a part of the path.")
    return name


def _named_mutex(name: str) -> tuple[_MutexState, bool]:
    table: dict[str, _MutexState] = context.shared("mutexes", dict)
    key = _kernel_name(name)
    with context.machine().lock:
        state = table.get(key)
        fresh = state is None
        if state is None:
            state = table[key] = _MutexState()
    return state, fresh


class _SemaphoreState:
    def __init__(self, count: int, maximum: int) -> None:
        self.lock = threading.Lock()
        self.count = count
        self.maximum = maximum


@net_type("System.Threading.Semaphore")
class Semaphore(WaitHandle):
    @ctor("(Int32,Int32)")
    @ctor("(Int32,Int32,String)")
    @ctor("(Int32,Int32,String,Boolean&)")
    def new(self, count: int, maximum: int, name: str | None = None, created: Any = None) -> None:
        fresh = True
        if name:
            table = context.shared("semaphores", dict)
            fresh = name not in table
            self.state = table.setdefault(name, _SemaphoreState(count, maximum))
        else:
            self.state = _SemaphoreState(count, maximum)
        if created is not None:
            created.value = fresh

    def try_take(self) -> bool:
        with self.state.lock:
            if self.state.count <= 0:
                return False
            self.state.count -= 1
            return True

    @overloads("System.Threading.Semaphore", "Release")
    def release(self, count: int = 1) -> int:
        with self.state.lock:
            if self.state.count + count > self.state.maximum:
                raise NetException(
                    "System.Threading.SemaphoreFullException",
                    "Adding the specified count to the semaphore would cause it to exceed its maximum count.",
                )
            self.state.count += count
            return self.state.count - count


# ------------------------------------------------------------------------------------------------------------ Monitor, Interlocked

_monitors: dict[int, tuple[Any, threading.RLock]] = {}
_monitors_lock = threading.Lock()


def _monitor(target: Any) -> threading.RLock:
    target = unwrap(need(target, "obj"))
    with _monitors_lock:
        entry = _monitors.get(id(target))
        if entry is None:
            entry = _monitors[id(target)] = (target, threading.RLock())
        return entry[1]


def _enter(target: Any, seconds: float | None) -> bool:
    lock = _monitor(target)
    return wait_until(lambda: lock.acquire(blocking=False), seconds)


@net_type("System.Threading.Monitor")
class Monitor:
    """System.Threading.Monitor"""

    @static("Enter(Object) : Void")
    @static("Enter(Object,Boolean&) : Void")
    def enter(target: Any, taken: Any = None) -> None:
        _enter(target, None)
        if taken is not None:
            taken.value = True

    @static("Exit(Object) : Void")
    def exit(target: Any) -> None:
        try:
            _monitor(target).release()
        except RuntimeError:
            raise NetException(
                "System.Threading.SynchronizationLockException",
                "Object synchronization method was called from an unsynchronized block of code.",
            ) from None

    @static("TryEnter(Object) : Boolean")
    @static("TryEnter(Object,Int32) : Boolean")
    @static("TryEnter(Object,TimeSpan) : Boolean")
    def try_enter(target: Any, timeout: Any = 0) -> bool:
        return _enter(target, seconds_of(timeout))


@net_type("System.Threading.Interlocked")
class Interlocked:
    """System.Threading.Interlocked"""

    @overloads("System.Threading.Interlocked", "Increment")
    def increment(reference: Any) -> Any:
        return _add(reference, 1)

    @overloads("System.Threading.Interlocked", "Decrement")
    def decrement(reference: Any) -> Any:
        return _add(reference, -1)

    @overloads("System.Threading.Interlocked", "Add")
    def add(reference: Any, value: int) -> Any:
        return _add(reference, int(value))

    @overloads("System.Threading.Interlocked", "Exchange")
    def exchange(reference: Any, value: Any) -> Any:
        with _monitors_lock:
            old = reference.value
            reference.value = value
        return old

    @overloads("System.Threading.Interlocked", "CompareExchange")
    def compare_exchange(reference: Any, value: Any, comparand: Any) -> Any:
        with _monitors_lock:
            old = reference.value
            if old == comparand:
                reference.value = value
        return old


def _add(reference: Any, value: int) -> Any:
    with _monitors_lock:
        old = unwrap(reference.value)
        kind = type(old) if isinstance(old, Int64) else int
        reference.value = kind(int(old) + value)
        return reference.value


# ------------------------------------------------------------------------------------------------------------ Thread


@net_type("System.Threading.Thread")
class Thread(NetObject):
    """The current thread; threads of a script's own need a runspace and are refused, as PowerShell cannot run script blocks on them."""

    @static_prop("CurrentThread : Threading.Thread get")
    def current_thread() -> Thread:
        return Thread()

    @static("Sleep(Int32) : Void")
    @static("Sleep(TimeSpan) : Void")
    def sleep(timeout: Any) -> None:
        sleep(seconds_of(timeout))

    @static("Yield() : Boolean")
    def yield_now() -> bool:
        time.sleep(0)
        return True

    @prop("ManagedThreadId : Int32 get")
    def managed_thread_id(self) -> int:
        return threading.get_ident() & 0x7FFF

    @prop("IsBackground : Boolean")
    def is_background(self) -> bool:
        return False

    @prop("IsAlive : Boolean get")
    def is_alive(self) -> bool:
        return True

    @prop("Name : String")
    def name(self) -> str | None:
        return "Pipeline Execution Thread"

    @prop("CurrentCulture : Globalization.CultureInfo")
    def current_culture(self) -> Any:
        from .globalization import CultureInfo

        return CultureInfo("en-US")

    @current_culture.setter
    def current_culture(self, value: Any) -> None:
        if value.culture not in ("en-US", ""):
            raise LabUnsupported("setting the current culture to anything but en-US")

    @prop("CurrentUICulture : Globalization.CultureInfo")
    def current_ui_culture(self) -> Any:
        from .globalization import CultureInfo

        return CultureInfo("en-US")

    @current_ui_culture.setter
    def current_ui_culture(self, value: Any) -> None:
        if value.culture not in ("en-US", ""):
            raise LabUnsupported("setting the current culture to anything but en-US")

    @method("GetApartmentState() : Threading.ApartmentState")
    def get_apartment_state(self) -> str:
        return "STA"

    @prop("ApartmentState : Threading.ApartmentState")
    def apartment_state(self) -> str:
        return "STA"


# ------------------------------------------------------------------------------------------------------------ Tasks


@net_type("System.Threading.Tasks.Task", interfaces=("IAsyncResult", "IDisposable"))
class Task(NetObject):
    """Work that runs on a thread of the lab (stream reads and writes) or is complete from the start."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.done = False
        self.outcome: Any = None
        self.failure: NetException | None = None

    @staticmethod
    def completed(value: Any = None, result_type: str | None = None) -> Task:
        made = _typed(result_type)
        made.finish(value)
        return made

    @staticmethod
    def run(work: Callable[[], Any], result_type: str | None = None) -> Task:
        """Start `work` on a thread of its own, for the same runtime."""
        made = _typed(result_type)
        runtime = context.current()

        def body() -> None:
            from winlab.powershell.runtime import context as engine
            from winlab.windows import current as kernel

            if runtime is not None:
                engine.set_current(runtime)
                kernel.enter(process)
            try:
                made.finish(work())
            except NetException as error:
                made.finish(None, error)
            except BaseException as error:
                made.finish(
                    None,
                    NetException("System.OperationCanceledException", "The operation was canceled.") if error else None,
                )

        from winlab.windows import current as kernel_state

        process = kernel_state.current_process()
        threading.Thread(target=body, daemon=True, name="task").start()
        return made

    def finish(self, value: Any, failure: NetException | None = None) -> None:
        with self.condition:
            self.outcome, self.failure, self.done = value, failure, True
            self.condition.notify_all()

    def wait(self, seconds: float | None) -> bool:
        return wait_until(lambda: self.done, seconds, self.condition)

    def raise_failure(self) -> None:
        if self.failure is not None:
            raise aggregate([self.failure])

    @prop("IsCompleted : Boolean get")
    def is_completed(self) -> bool:
        return self.done

    @prop("IsFaulted : Boolean get")
    def is_faulted(self) -> bool:
        return self.done and self.failure is not None

    @prop("IsCanceled : Boolean get")
    def is_canceled(self) -> bool:
        return False

    @prop("Status : Threading.Tasks.TaskStatus get")
    def status(self) -> str:
        if not self.done:
            return "Running"
        return "Faulted" if self.failure is not None else "RanToCompletion"

    @prop("Exception : AggregateException get")
    def exception(self) -> NetException | None:
        return aggregate([self.failure]) if self.failure is not None else None

    @prop("AsyncState : Object get")
    def async_state(self) -> Any:
        return None

    @prop("Id : Int32 get")
    def id(self) -> int:
        return id(self) & 0x7FFFFF

    @static_prop("CompletedTask : Threading.Tasks.Task get")
    def completed_task() -> Task:
        return Task.completed()

    @method("Wait() : Void")
    def wait_forever(self) -> None:
        self.wait(None)
        self.raise_failure()

    @method("Wait(Int32) : Boolean")
    @method("Wait(TimeSpan) : Boolean")
    def wait_for(self, timeout: Any) -> bool:
        finished = self.wait(seconds_of(timeout))
        if finished:
            self.raise_failure()
        return finished

    @method("GetAwaiter() : Runtime.CompilerServices.TaskAwaiter")
    def get_awaiter(self) -> TaskAwaiter:
        return TaskAwaiter(self)

    @method("Dispose() : Void")
    def dispose(self) -> None:
        if not self.done:
            raise invalid_operation(
                "A task may only be disposed if it is in a completion state (RanToCompletion, Faulted or Canceled)."
            )

    @static("WaitAny(Threading.Tasks.Task[]) : Int32", params=True)
    @static("WaitAny(Threading.Tasks.Task[],Int32) : Int32")
    @static("WaitAny(Threading.Tasks.Task[],TimeSpan) : Int32")
    def wait_any(tasks: Any, timeout: Any = -1) -> int:
        items = [unwrap(task) for task in need(tasks, "tasks")]
        found: list[int] = []

        def ready() -> bool:
            found[:] = [index for index, task in enumerate(items) if task.done][:1]
            return bool(found)

        return found[0] if wait_until(ready, seconds_of(timeout)) else -1

    @static("WaitAll(Threading.Tasks.Task[]) : Void", params=True)
    def wait_all_forever(tasks: Any) -> None:
        Task.wait_all(tasks, -1)

    @static("WaitAll(Threading.Tasks.Task[],Int32) : Boolean")
    @static("WaitAll(Threading.Tasks.Task[],TimeSpan) : Boolean")
    def wait_all(tasks: Any, timeout: Any) -> bool:
        items = [unwrap(task) for task in need(tasks, "tasks")]
        finished = wait_until(lambda: all(task.done for task in items), seconds_of(timeout))
        failures = [task.failure for task in items if task.done and task.failure is not None]
        if finished and failures:
            raise aggregate(failures)
        return finished

    @static("Delay(Int32) : Threading.Tasks.Task")
    @static("Delay(TimeSpan) : Threading.Tasks.Task")
    def delay(timeout: Any) -> Task:
        seconds = seconds_of(timeout)
        return Task.run(lambda: time.sleep(seconds if seconds is not None else 3600))

    @static("FromResult(TResult) : Threading.Tasks.Task`1<TResult>")
    def from_result(value: Any) -> Task:
        return Task.completed(value, "System.Object")


@net_type("System.Threading.Tasks.Task`1", base="System.Threading.Tasks.Task")
class ResultTask(Task):
    @prop("Result : TResult get")
    def result(self) -> Any:
        self.wait(None)
        self.raise_failure()
        return self.outcome


@net_type("System.Runtime.CompilerServices.TaskAwaiter")
class TaskAwaiter(NetObject):
    def __init__(self, task: Task) -> None:
        self.task = task

    @prop("IsCompleted : Boolean get")
    def is_completed(self) -> bool:
        return self.task.done

    @method("GetResult() : Void")
    def get_result(self) -> Any:
        self.task.wait(None)
        if self.task.failure is not None:
            raise self.task.failure
        return self.task.outcome


def _typed(result_type: str | None) -> Task:
    if result_type is None:
        return Task()
    made = ResultTask()
    made.net_type = get_type("System.Threading.Tasks.Task`1").make_generic([get_type(result_type)])
    return made


def aggregate(failures: list[NetException]) -> NetException:
    return NetException(
        "System.AggregateException",
        "One or more errors occurred.",
        failures[0],
        InnerExceptions=PSArray(failures, get_type("System.Exception")),
    )


@net_type("System.Threading.CancellationToken")
class CancellationToken(NetObject):
    def __init__(self, source: Any = None) -> None:
        self.source = source

    @staticmethod
    def default() -> CancellationToken:
        return CancellationToken()

    @static_prop("None : Threading.CancellationToken get")
    def none() -> CancellationToken:
        return CancellationToken()

    @prop("IsCancellationRequested : Boolean get")
    def is_cancellation_requested(self) -> bool:
        return bool(self.source and self.source.cancelled)

    @prop("CanBeCanceled : Boolean get")
    def can_be_canceled(self) -> bool:
        return self.source is not None


@net_type("System.Threading.CancellationTokenSource", interfaces=("IDisposable",))
class CancellationTokenSource(NetObject):
    def __init__(self) -> None:
        self.cancelled = False

    @ctor("()")
    def new(self) -> None:
        self.cancelled = False

    @prop("Token : Threading.CancellationToken get")
    def token(self) -> CancellationToken:
        return CancellationToken(self)

    @prop("IsCancellationRequested : Boolean get")
    def is_cancellation_requested(self) -> bool:
        return self.cancelled

    @method("Cancel() : Void")
    def cancel(self) -> None:
        self.cancelled = True

    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass
