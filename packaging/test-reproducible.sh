#!/bin/sh
# Build the tarball and the Debian packages twice, in other folders, time zones, languages and with other masks for new
# files, and compare them byte by byte.  Needs what setup.sh installs, debhelper and doxygen.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
commit=$(git -C "$source" rev-parse HEAD) # whatever is committed while this runs
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# build NAME UMASK: the packages come to $scratch/NAME, made in a folder whose path has another length.
build() {
    mkdir -p "$scratch/$1" "$scratch/a-folder-for-$1-$1"
    (
        umask "$2"
        git clone -q "$source" "$scratch/a-folder-for-$1-$1/clone"
        git -C "$scratch/a-folder-for-$1-$1/clone" reset -q --hard "$commit"
        cd "$scratch/a-folder-for-$1-$1"
        mkdir made
        clone/packaging/source-package.sh made
        dpkg-source -x made/*.dsc "$1" > /dev/null
        cd "$1"
        DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -b -us -uc > "$scratch/log" 2>&1 || { tail -50 "$scratch/log" >&2; exit 1; }
        cd ..
        mv ./*.deb made/*.tar.xz "$scratch/$1"
    )
    rm -rf "$scratch/a-folder-for-$1-$1"
}

TZ=UTC LC_ALL=C build one 022
TZ=Asia/Kathmandu LC_ALL=C.UTF-8 build another 002
cd "$scratch"
failed=0
for file in one/*; do
    name=${file#one/}
    if cmp -s "$file" "another/$name"; then
        echo "the same: $name"
    else
        failed=1
        echo "DIFFERS: $name"
        command -v diffoscope > /dev/null && diffoscope --max-report-size 5000 "$file" "another/$name" || true
    fi
done
exit "$failed"
