#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
The Debian packages as people meet them: installed by apt, there after a boot, built anew for
another kernel, refused by one that is too old, upgraded, removed, purged. All this in a layer
over a small Debian, which a virtual machine boots with systemd.
TCPFSM_PACKAGES: where scripts/package left two versions; TCPFSM_ROOT: what scripts/root made.
Needs a mount namespace of its own.
"""
import contextlib
import glob
import json
import os
import shutil
import tempfile
import time

from bed import equal, planned, run, run_all, status, test, true

PACKAGES = os.environ.get("TCPFSM_PACKAGES", "")
VM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/vm")
root = ""

# apt and dpkg ask for these, the guest brings its own.
ENTER = 'mount -t proc proc "$0/proc"; mount --bind /dev "$0/dev"; exec chroot "$0" "$@"'


def enter(*words):
    return status("unshare", "--mount", "sh", "-c", ENTER, root, *words)


def inside(*words):
    code, out, err = enter(*words)
    equal(code, 0, f"{' '.join(words)}: {(out + err)[-3000:]}")
    return out


def apt(*words):
    return inside("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-qq", "--no-install-recommends", *words)


def exists(path):
    return os.path.lexists(root + path)


def put(path, text):
    os.makedirs(os.path.dirname(root + path), exist_ok=True)
    with open(root + path, "w", encoding="ascii") as f:
        f.write(text)


def put_debs(version):
    """Returns where they are inside."""
    found = sorted(glob.glob(f"{PACKAGES}/tcpfsm_{version}_*.deb") +
                   glob.glob(f"{PACKAGES}/tcpfsm-dkms_{version}_all.deb"))
    equal(len(found), 2, f"packages of {version}")
    return [shutil.copy(deb, root + "/root")[len(root):] for deb in found]


def releases():
    return sorted(r for r in os.listdir(root + "/lib/modules") if os.path.isdir(f"{root}/lib/modules/{r}/kernel"))


def built(version):
    """The kernels that have this version, and no other version at all."""
    rows = [line.split(", ") for line in inside("dkms", "status").splitlines()]
    equal({(r[0], r[2]) for r in rows}, {(f"tcpfsm/{version}", "x86_64: installed")}, "dkms status")
    return sorted(r[1] for r in rows)


def boot(**questions):
    """Start the machine; returns what each command has said when it was up."""
    asks = "import json, subprocess\n" \
           f"said = {{k: subprocess.run(v, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, " \
           f"text=True).stdout.strip() for k, v in {questions!r}.items()}}\nprint(json.dumps(said))"
    code, out, err = status(VM, "--root", root, "--mem", "2G", "--timeout", "600", "--", "python3", "-c", asks)
    equal(code, 0, f"the guest: {(out + err)[-3000:]}")
    return json.loads(out)


FAILED = "systemctl --failed --plain --no-legend"
VERSION = "cat /sys/module/tcpfsm/version"
METRICS = "curl -sS --retry 30 --retry-delay 1 --retry-connrefused http://127.0.0.1:9717/metrics"

SPOOL = "cd /var/lib/private/tcpfsm-ship; for n in $(seq 60); do " \
        "grep -hs ESTABLISHED *.transitions && break; curl -sS -o /dev/null http://127.0.0.1:9717/; sleep 1; done"


def process(unit):
    return f"grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs):' /proc/$(systemctl show -P MainPID {unit})/status"


def has_one_capability(said):
    """CAP_NET_ADMIN, and no user that anybody else has."""
    rows = dict(line.split(":\t", 1) for line in said.splitlines())
    equal((rows["CapEff"], rows["CapBnd"], rows["NoNewPrivs"]), ("0000000000001000", "0000000000001000", "1"), said)
    uids = set(rows["Uid"].split())
    true(len(uids) == 1 and 61184 <= int(*uids) <= 65519, said)


@test
def installed():
    debs = put_debs("0.2")
    apt("update")
    apt("install", *debs)
    equal(built("0.2"), releases(), "built for")
    equal(inside("modinfo", "-k", releases()[0], "-F", "signer", "tcpfsm"), "DKMS module signing key\n", "signed")
    equal(inside("tcpfsm", "--version"), "tcpfsm 0.2\n")
    for path in ("/usr/share/man/man8/tcpfsm.8.gz", "/usr/share/man/man4/tcpfsm.4.gz",
                 "/usr/share/bash-completion/completions/tcpfsm",
                 "/usr/share/tcpfsm/clickhouse/schema.sql"):
        true(exists(path), path)
    for unit in ("tcpfsm-export", "tcpfsm-ship", "tcpfsm-record"):
        equal(enter("systemctl", "is-enabled", unit)[1], "disabled\n", f"{unit}, unless somebody wants it")


@test
def there_after_a_boot():
    """With its settings; the units in their sandboxes, though the server to ship to is not there."""
    put("/etc/modprobe.d/local.conf", "options tcpfsm max_flows=65536\n")
    put("/etc/sysctl.d/local.conf", "net.tcpfsm.log_size = 1024\n")
    put("/etc/default/tcpfsm-ship", "URL=http://127.0.0.1:8123\n")
    inside("systemctl", "--quiet", "enable", "tcpfsm-export", "tcpfsm-ship", "tcpfsm-record")
    _, newer = put_debs("0.3")
    said = boot(version=VERSION, settings="cat /sys/module/tcpfsm/parameters/max_flows /proc/sys/net/tcpfsm/log_size",
                metrics=METRICS, export=process("tcpfsm-export"), ship=process("tcpfsm-ship"),
                record=process("tcpfsm-record"), kept="tcpfsm log -j --from /var/lib/tcpfsm --last 1",
                spool=SPOOL,
                failed=FAILED, doctor="tcpfsm doctor", man="zcat /usr/share/man/man8/tcpfsm.8.gz | head -n 1",
                upgrade=f"dpkg -i {newer}", mixed="tcpfsm doctor",
                log="dmesg | grep -E 'tcpfsm|WARNING:|BUG|Call Trace'")
    equal((said["version"], said["settings"]), ("0.2", "65536\n1024"))
    true('tcpfsm_build_info{module="0.2",tool="0.2"} 1' in said["metrics"], said["metrics"][-300:])
    has_one_capability(said["export"])
    has_one_capability(said["ship"])
    has_one_capability(said["record"])
    true(json.loads(said["kept"])["flow"] > 0, said["kept"])
    row = json.loads(said["spool"].splitlines()[0])
    equal(row["host"], "vm", row)
    equal(said["failed"], "", "units that failed")
    true("Nothing is wrong" in said["doctor"], said["doctor"])
    true("is version 0.2, this tool 0.3" in said["mixed"], said["mixed"])
    true("Call Trace" not in said["log"] and "BUG" not in said["log"] and "WARNING" not in said["log"], said["log"])


@test
def another_kernel_gets_its_module():
    before = releases()
    apt("install", "linux-image-rt-amd64", "linux-headers-rt-amd64")
    equal(len(releases()), len(before) + 1, "kernels")
    equal(built("0.2"), releases(), "built for")


@test
def a_kernel_that_is_too_old_is_refused():
    code, out, err = enter("dkms", "build", "tcpfsm/0.2", "-k", "4.19.0-1-amd64", "--kernelsourcedir",
                           f"/usr/src/linux-headers-{releases()[0]}")
    true(code != 0, "it was built")
    true("BUILD_EXCLUSIVE" in out + err, out + err)


@test
def upgraded():
    apt("install", *put_debs("0.3"))
    equal(built("0.3"), releases(), "built for")
    said = boot(version=VERSION, metrics=METRICS, failed=FAILED, doctor="tcpfsm doctor",
                settings="cat /sys/module/tcpfsm/parameters/max_flows /proc/sys/net/tcpfsm/log_size")
    equal((said["version"], said["settings"], said["failed"]), ("0.3", "65536\n1024", ""))
    true('tcpfsm_build_info{module="0.3",tool="0.3"} 1' in said["metrics"], said["metrics"][-300:])
    true("Nothing is wrong" in said["doctor"], said["doctor"])


@test
def removed_and_purged():
    apt("remove", "tcpfsm", "tcpfsm-dkms")
    equal(inside("dkms", "status"), "", "dkms")
    true(not glob.glob(f"{root}/lib/modules/*/updates/dkms/tcpfsm*"), "the module")
    true(exists("/etc/modprobe.d/tcpfsm-dkms.conf"), "settings stay")
    apt("purge", "tcpfsm", "tcpfsm-dkms")
    left = inside("find", "/etc", "/usr", "/lib/modules", "/var/lib/dkms", "-name", "*tcpfsm*").splitlines()
    equal(left, ["/etc/default/tcpfsm-ship"], "what is left is what others have put there")
    said = boot(failed=FAILED, modprobe="modprobe tcpfsm; echo $?", proc="ls -d /proc/net/tcpfsm")
    equal(said["failed"], "", "units that failed")
    true("not found" in said["modprobe"] and said["modprobe"].endswith("1"), said["modprobe"])
    true("No such file" in said["proc"], said["proc"])


@contextlib.contextmanager
def layer():
    """Over the Debian that was made once."""
    with tempfile.TemporaryDirectory(prefix="tcpfsm-package.") as top:
        for name in ("upper", "work", "root"):
            os.mkdir(f"{top}/{name}")
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir={os.environ['TCPFSM_ROOT']},upperdir={top}/upper,workdir={top}/work", f"{top}/root")
        try:
            yield f"{top}/root"
        finally:
            run("umount", f"{top}/root")


def main():
    global root     # pylint: disable=global-statement
    tests = planned()
    began = time.monotonic()
    with layer() as root:
        failed = run_all(tests)
    print(f"# {time.monotonic() - began:.0f} s")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
