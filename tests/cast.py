#!/usr/bin/env python3
"""Records assets/hive.cast (asciinema, format 2) from a real run of the cockpit in a terminal of its own.

usage: tests/cast.py [--hive target/release/hive] [--out assets/hive.cast] [-- OPTION...]

The swarm lives in a folder that is deleted afterwards. What is typed, and when, is KEYS below. Nothing is kept where a
key changed nothing on the screen, or the cockpit did not leave as it should. Play it: asciinema play assets/hive.cast
"""
import argparse, codecs, fcntl, json, os, pty, select, shutil, struct, subprocess, sys, tempfile, termios, time

SIZE = (120, 36)
# Seconds to wait, and what is typed then.
KEYS = [
    (5.0, "w"),
    (3.5, "\x1b[D"),
    (1.2, "\x1b[D"),
    (1.2, "z"),
    (2.2, "\x1b"),
    (0.6, "\x1b"),
    (1.0, "3"),
    (3.5, "6"),
    (3.0, "7"),
    (3.0, "["),
    (1.5, "["),
    (2.0, "."),
    (1.5, "t"),
    (2.0, "q"),
]


def record(hive, options, home):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HIVE_") and k != "NO_COLOR"}
    # As over SSH: ten frames a second are enough for a recording, and a third of the bytes.
    env["SSH_CONNECTION"] = "recording"
    env.update(XDG_RUNTIME_DIR=home, XDG_STATE_HOME=home, XDG_CONFIG_HOME=home, TERM="xterm-256color",
               COLORTERM="", HIVE_THEME="hive-dark")
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execve(hive, [hive, *options], env)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    start, events, decoder = time.monotonic(), [], codecs.getincrementaldecoder("utf-8")("replace")
    since, seen = "", []

    def hear(seconds):
        nonlocal since
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if fd not in select.select([fd], [], [], left)[0]:
                continue
            try:
                data = os.read(fd, 65536)
            except OSError:
                return False
            if not data:
                return False
            text = decoder.decode(data)
            since += text
            events.append([round(time.monotonic() - start, 4), "o", text])
        return True

    for wait, key in KEYS:
        hear(wait)
        seen.append(since)
        since = ""
        os.write(fd, key.encode())
    hear(3.0)
    seen.append(since)
    os.waitpid(pid, 0)
    subprocess.run([hive, "ctl", "stop"], env=env, cwd=home, stdout=subprocess.DEVNULL, check=False)
    return events, seen[1:]


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    at = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    at.add_argument("--hive", default=os.path.join(folder, "target/release/hive"))
    at.add_argument("--out", default=os.path.join(folder, "assets/hive.cast"))
    at.add_argument("options", nargs="*", default=["--days", "200"], help="options of the run, after --")
    args = at.parse_args()
    home = tempfile.mkdtemp()
    try:
        events, seen = record(os.path.abspath(args.hive), args.options, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    missed = [repr(key) for (_, key), text in zip(KEYS, seen) if not text]
    if missed or "the swarm goes on" not in seen[-1]:
        sys.exit("not recorded, these keys changed nothing: " + ", ".join(missed or ["q"]))
    header = {"version": 2, "width": SIZE[0], "height": SIZE[1], "title": "Hive: the cockpit",
              "env": {"TERM": "xterm-256color"}, "idle_time_limit": 2.0}
    with open(args.out, "w", encoding="utf-8") as file:
        for line in [header, *events]:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(f"{args.out}: {events[-1][0]:.0f} s, {os.path.getsize(args.out) // 1024} KiB")


if __name__ == "__main__":
    main()
