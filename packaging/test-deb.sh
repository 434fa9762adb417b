#!/bin/sh
# Build the Debian packages in a new minimal system, install them in another one, and run their tests there.
#
#     packaging/test-deb.sh [SUITE]     default: the release of this machine, such as bookworm
#
# As root, or as a user who may make user namespaces; needs mmdebstrap, dpkg-dev, git, meson and the network.
# DEB_BUILD_OPTIONS=nocheck leaves the tests of the build out.  MIRROR is the address of a mirror.
# The packages come to build/packages.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck disable=SC1091
suite=${1:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
out=$source/build/packages
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$out" "$scratch/made"
chmod 755 "$scratch"

say() {
    echo "== $*" >&2
}

for program in mmdebstrap dpkg-scanpackages git meson; do
    command -v "$program" > /dev/null || { say "$program is missing: apt install mmdebstrap dpkg-dev git meson"; exit 1; }
done

# in_new_system SCRIPT [PACKAGE,PACKAGE...]: run the script in a minimal system that is thrown away.  $scratch/made is
# /made there, and comes back.
in_new_system() {
    # shellcheck disable=SC2016,SC2086 # the hooks' shell knows $1; MIRROR may be empty
    mmdebstrap --quiet --variant=apt ${2:+--include="$2"} --setup-hook='mkdir -p "$1/made"' \
        --customize-hook="sync-in $scratch/made /made" --customize-hook="upload $1 /script" \
        --customize-hook='chroot "$1" sh /script' --customize-hook="sync-out /made $scratch/made" \
        "$suite" /dev/null ${MIRROR:-}
}

say "source package"
"$source/packaging/source-package.sh" "$scratch/made"

say "building in a minimal $suite"
cat > "$scratch/build" <<END
set -eu
cd /made
dpkg-source -x *.dsc tree > /dev/null
apt-get build-dep -y -q --no-install-recommends ./tree > /dev/null
useradd builder
chown -R builder /made
su builder -c 'cd tree && DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-}" dpkg-buildpackage -us -uc > ../build.log 2>&1' || {
    tail -50 build.log
    exit 1
}
su builder -c 'lintian --fail-on error,warning --pedantic *.changes'
rm -rf tree
END
in_new_system "$scratch/build" build-essential,fakeroot,lintian
(cd "$scratch/made" && dpkg-scanpackages -m . > Packages 2> /dev/null)
rm -f "$out"/*.deb
cp "$scratch"/made/kldve_* "$scratch"/made/lib*.deb "$out"

# One test after the other, those that need least first; each adds what it depends on.
cat > "$scratch/try" <<'END'
set -eu
cd /made
echo 'deb [trusted=yes] file:///made ./' > /etc/apt/sources.list.d/made.list
apt-get update -q > /dev/null
mkdir -p tree
tar -xJf kldve_*.orig.tar.xz --strip-components=1 -C tree
cd tree
for name in python command readme cmake; do
    needs=$(sed -n "/^Tests: $name\$/,/^\$/s/^Depends: //p" debian/tests/control | tr -d ,)
    echo "== $name: $needs"
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -q --no-install-recommends $needs > /dev/null
    export AUTOPKGTEST_TMP="/tmp/$name"
    mkdir "$AUTOPKGTEST_TMP"
    "debian/tests/$name"
done
cd /made
rm -rf tree
END
say "installing in a minimal $suite, and the tests of debian/tests"
in_new_system "$scratch/try" xz-utils # to unpack the sources, whose tests these are
say "packages for $suite: $out"
