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

say() {
    echo "== $*" >&2
}

for program in mmdebstrap dpkg-source git meson; do
    command -v "$program" > /dev/null || { say "$program is missing: apt install mmdebstrap dpkg-dev git meson"; exit 1; }
done

# new_system "PACKAGES" HOOK...: a minimal system with the packages, in which the hooks run; it is thrown away.
new_system() {
    packages=$1
    shift
    # Where the kernel allows it and nothing else would do, mmdebstrap takes a user namespace.
    mmdebstrap --quiet --variant=apt --include="$packages" "$@" "$suite" /dev/null ${MIRROR:-}
}

say "source package"
"$source/packaging/source-package.sh" "$scratch/made"
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$source/debian/changelog")

say "building in a minimal $suite"
# shellcheck disable=SC2016 # the hooks' shell knows $1
new_system build-essential,fakeroot,lintian \
    --customize-hook='mkdir -p "$1/made"' --customize-hook="copy-in $scratch/made /" \
    --customize-hook='chroot "$1" sh -ec "cd /made && dpkg-source -x *.dsc tree"' \
    --customize-hook='chroot "$1" apt-get build-dep -y -q --no-install-recommends /made/tree' \
    --customize-hook="chroot \"\$1\" sh -ec 'useradd builder && chown -R builder /made && cd /made/tree &&
        su builder -c \"DEB_BUILD_OPTIONS=\\\"${DEB_BUILD_OPTIONS:-}\\\" dpkg-buildpackage -us -uc\" && cd .. &&
        su builder -c \"lintian --fail-on error,warning --pedantic *.changes\" && rm -rf tree'" \
    --customize-hook="sync-out /made $scratch/made"
rm -f "$out"/*.deb
cp "$scratch"/made/kldve_* "$scratch"/made/*.deb "$out"

say "installing in a minimal $suite, and the tests of debian/tests"
tests=$(sed -n 's/^Tests: //p' "$source/debian/tests/control")
for test in $tests; do
    needs=$(sed -n "/^Tests: $test\$/,/^\$/s/^Depends: //p" "$source/debian/tests/control")
    # What other packages give comes from the mirror, ours from the build.
    theirs=$(echo "$needs" | tr -d ' ' | tr ',' '\n' | grep -v kldve | paste -sd,)
    ours=$(echo "$needs" | tr -d ' ' | tr ',' '\n' | grep kldve | paste -sd' ')
    say "$test: $needs"
    # shellcheck disable=SC2016
    new_system "${theirs:-apt}" \
        --customize-hook='mkdir -p "$1/made"' --customize-hook="copy-in $scratch/made /" \
        --customize-hook="chroot \"\$1\" sh -ec 'cd /made && dpkg-source -x *.dsc tree && for deb in *_${version}_*.deb; do case \$deb in *-dbgsym*) rm \$deb ;; esac; done &&
            apt-ftparchive packages . > Packages && echo deb [trusted=yes] file:///made ./ > /etc/apt/sources.list.d/made.list && apt-get update -q &&
            apt-get install -y -q --no-install-recommends $ours'" \
        --customize-hook="chroot \"\$1\" sh -ec 'cd /made/tree && mkdir /made/tmp && AUTOPKGTEST_TMP=/made/tmp debian/tests/$test'"
    say "$test: passed"
done
say "packages of $version for $suite: $out"
