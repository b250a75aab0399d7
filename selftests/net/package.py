#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
The Debian packages as people meet them: installed, loaded as at boot, upgraded, refused by a
kernel that is too old, removed, purged. In a virtual machine, whose file system is its own.
TCPFSM_PACKAGES: the directory where scripts/package left two versions; TCPFSM_KDIR: the headers.
"""
import glob
import os
import subprocess
import time

from bed import equal, planned, run, run_all, status, test, true, until

PACKAGES = os.environ["TCPFSM_PACKAGES"]
KDIR = os.environ["TCPFSM_KDIR"]
RELEASE = os.uname().release
SYSTEMD_MODULES_LOAD = "/lib/systemd/systemd-modules-load"


def debs(version):
    found = sorted(glob.glob(f"{PACKAGES}/tcpfsm_{version}_*.deb") +
                   glob.glob(f"{PACKAGES}/tcpfsm-dkms_{version}_all.deb"))
    equal(len(found), 2, f"packages of {version}")
    return found


def dpkg(*words):
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    done = subprocess.run(["dpkg", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env,
                          check=False)
    equal(done.returncode, 0, done.stdout[-3000:])
    return done.stdout


def module_version():
    with open("/sys/module/tcpfsm/version", encoding="ascii") as f:
        return f.read().strip()


@test
def installed_and_loaded_as_at_boot():
    dpkg("-i", *debs("0.1"))
    true(f"tcpfsm/0.1, {RELEASE}, x86_64: installed" in run("dkms", "status"), run("dkms", "status"))
    run(SYSTEMD_MODULES_LOAD)
    equal(module_version(), "0.1", "loaded")
    run("ip", "link", "set", "lo", "up")
    true("ESTABLISHED" in run("tcpfsm", "states"), "the tool is in the path")
    equal(run("tcpfsm", "--version").strip(), "tcpfsm 0.1")
    true("tcpfsm - the TCP states" in run("man", "-f", "tcpfsm") or
         os.path.exists("/usr/share/man/man8/tcpfsm.8.gz"), "the manual")
    code, out, err = status("tcpfsm", "doctor")
    true(code in (0, 1) and "version" not in out, out + err)


@test
def the_exporter_needs_one_capability_only():
    """As its unit runs it: nobody, with CAP_NET_ADMIN."""
    unit = "/lib/systemd/system/tcpfsm-export.service"
    run("systemd-analyze", "verify", "--man=no", unit, check=False)
    with open(unit, encoding="ascii") as f:
        lines = dict(line.strip().split("=", 1) for line in f if "=" in line and line[0] != "#")
    command = lines["ExecStart"].replace("${LISTEN}", "127.0.0.1:9717").split()
    p = subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                          "--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin",
                          "--bounding-set=-all,+net_admin", "--no-new-privs", *command])
    try:
        out = until(lambda: status("curl", "-sS", "http://127.0.0.1:9717/metrics")[1], "it answers", 60)
        true("tcpfsm_build_info" in out, out[:300])
    finally:
        p.terminate()
        equal(p.wait(20), 0, "exit status")


@test
def a_kernel_that_is_too_old_is_refused():
    code, out, err = status("dkms", "build", "tcpfsm/0.1", "-k", "4.19.0-1-amd64", "--kernelsourcedir", KDIR)
    true(code != 0, "it was built")
    true("BUILD_EXCLUSIVE" in out + err, out + err)


@test
def upgraded():
    dpkg("-i", *debs("0.2"))
    have = run("dkms", "status")
    true(f"tcpfsm/0.2, {RELEASE}, x86_64: installed" in have and "tcpfsm/0.1" not in have, have)
    equal(module_version(), "0.1", "what is loaded stays")
    code, out, _ = status("tcpfsm", "doctor")
    equal(code, 1, out)
    true("is version 0.1, this tool 0.2" in out, out)


@test
def removed_and_purged():
    run("rmmod", "tcpfsm")
    dpkg("-r", "tcpfsm", "tcpfsm-dkms")
    equal(run("dkms", "status"), "", "dkms")
    true(not glob.glob(f"/lib/modules/{RELEASE}/updates/dkms/tcpfsm*"), "the module")
    code, out, err = status("modprobe", "tcpfsm")
    true(code != 0, out + err)
    true(os.path.exists("/etc/modprobe.d/tcpfsm-dkms.conf"), "settings stay")
    dpkg("-P", "tcpfsm", "tcpfsm-dkms")
    for path in ("/etc/modprobe.d/tcpfsm-dkms.conf", "/usr/sbin/tcpfsm", "/usr/src/tcpfsm-0.2",
                 "/usr/lib/modules-load.d/tcpfsm.conf"):
        true(not os.path.exists(path), path)


def main():
    tests = planned()
    for path in ("/tmp/m/upper", "/tmp/m/work"):
        os.makedirs(path)
    run("mount", "-t", "overlay", "overlay", "-o",
        "lowerdir=/lib/modules,upperdir=/tmp/m/upper,workdir=/tmp/m/work", "/lib/modules")
    link = f"/lib/modules/{RELEASE}/build"
    if os.path.islink(link):
        os.unlink(link)
    os.symlink(KDIR, link)
    began = time.monotonic()
    failed = run_all(tests)
    print(f"# {time.monotonic() - began:.0f} s")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
