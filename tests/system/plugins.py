# SPDX-License-Identifier: BSD-3-Clause
"""Where libsasl2 finds plug-ins: ours, under test, and the stock ones."""

import glob
import os
import shutil
import subprocess

import tap

OURS = ("libsqlcrypt.so", "libpwverify.so")


def under_test():
    """The directory under test."""
    path = os.environ.get("SASL_SQLCRYPT_PLUGINS", "")
    if not path:
        tap.skip_all("SASL_SQLCRYPT_PLUGINS does not name the plug-in directory under test")
    for name in OURS + ("sqlcrypt/sqlite3.so",):
        if not os.path.exists(os.path.join(path, name)):
            tap.skip_all(f"{path} does not hold {name}")
    return os.path.abspath(path)


def require_drivers(*engines):
    """Ends the program as skipped if the drivers of these engines are not built."""
    for name in engines:
        if not os.path.exists(os.path.join(under_test(), "sqlcrypt", name + ".so")):
            tap.skip_all(f"{under_test()} does not hold sqlcrypt/{name}.so")


def installed_stock():
    """The folder of this system's stock plug-ins."""
    libdir = subprocess.run(["pkg-config", "--variable=libdir", "libsasl2"], text=True,
                            capture_output=True, check=False).stdout.strip() \
        if shutil.which("pkg-config") else ""
    for path in [libdir + "/sasl2"] + glob.glob("/usr/lib/*/sasl2") + ["/usr/lib/sasl2"]:
        if os.path.exists(path + "/libplain.so"):
            return path
    tap.skip_all("the stock plug-ins of libsasl2 are not installed")


def stock(directory):
    """A copy of the stock folder in `directory`, without our plug-ins even if they are
    installed on this host."""
    source = installed_stock()
    copy = os.path.join(directory, "stock")
    if not os.path.isdir(copy):
        os.mkdir(copy)
        for name in os.listdir(source):
            if name.endswith(".so") and name not in OURS:
                os.symlink(os.path.join(source, name), os.path.join(copy, name))
    return copy


def install(root):
    """Copies the plug-ins under test to where libsasl2 looks for them, below `root`."""
    target = root + installed_stock()
    os.makedirs(target + "/sqlcrypt", 0o755)
    for name in OURS:
        shutil.copy(os.path.join(under_test(), name), target)
    for driver in glob.glob(under_test() + "/sqlcrypt/*.so"):
        shutil.copy(driver, target + "/sqlcrypt")


def without_driver(directory):
    """A copy of the directory under test that lacks the engine drivers."""
    copy = os.path.join(directory, "driverless")
    os.mkdir(copy)
    for name in OURS:
        shutil.copy(os.path.join(under_test(), name), copy)
    return copy
