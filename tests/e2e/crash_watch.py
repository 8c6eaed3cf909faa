"""Runs inside the helper on the server, before its own code: counts its steps, and stops it at one of them. `FLAGS`: see `crashing`."""


def _watch(flags):  # type: ignore[no-untyped-def]
    import json
    import os
    import signal
    import sys
    import threading
    import time

    with open(os.path.join(flags, "watch.json")) as file:
        plan = json.load(file)
    root = os.getcwd()
    count = 0
    lock = threading.Lock()
    trace = os.open(plan["trace"], os.O_WRONLY | os.O_APPEND) if "trace" in plan else -1
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT

    def describe(event, arguments):  # type: ignore[no-untyped-def]
        if event == "subprocess.Popen":
            return "start " + " ".join(str(argument) for argument in arguments[1][1:4])
        folder = root
        if event in ("os.remove", "os.rmdir") and arguments[1] >= 0:
            folder = os.readlink(f"/proc/self/fd/{arguments[1]}")  # the name is one in a folder that is open
        path = os.path.abspath(os.path.join(folder, os.fsdecode(arguments[0])))
        if not path.startswith(root + os.sep) or (event == "os.mkdir" and os.path.isdir(path)):
            return ""
        return f"{event.removeprefix('os.')} {os.path.relpath(path, root)}"

    def hook(event, arguments):  # type: ignore[no-untyped-def]
        nonlocal count
        if event == "open":
            if not isinstance(arguments[2], int) or not arguments[2] & writing:
                return
        elif event not in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "subprocess.Popen"):
            return
        if not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        step = describe(event, arguments)
        if not step:
            return
        with lock:
            count += 1
            here = count == plan.get("step")
        if trace >= 0:
            os.write(trace, (json.dumps({"command": plan["command"], "step": step}) + "\n").encode())
        if here:
            act()

    def act():  # type: ignore[no-untyped-def]
        open(os.path.join(flags, "reached"), "x").close()
        if plan["how"] == "python killed":
            os.kill(os.getpid(), signal.SIGKILL)
        elif plan["how"] == "child killed":
            threading.Thread(target=kill_child, daemon=True).start()
        else:
            deadline = time.monotonic() + 60
            while not os.path.exists(os.path.join(flags, "go")) and time.monotonic() < deadline:
                time.sleep(0.01)

    def kill_child():  # type: ignore[no-untyped-def]
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            time.sleep(0.4)
            for name in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{name}/stat") as stat:
                        parent = stat.read().rpartition(")")[2].split()[1]
                    if parent == str(os.getpid()):
                        os.kill(int(name), signal.SIGKILL)
                        return
                except OSError:
                    continue

    sys.addaudithook(hook)


_watch(FLAGS)  # type: ignore[name-defined]  # noqa: F821
