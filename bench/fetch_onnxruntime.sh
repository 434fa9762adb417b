#!/bin/sh
# Fetch ONNX Runtime, the peer of the benchmark, into build/onnxruntime: header and Linux x64 library
# from the npm package com.github.asus4.onnxruntime.  libkldve itself does not use it.
set -eu
cd "$(dirname "$0")/.."
to=build/onnxruntime
[ -e "$to/libonnxruntime.so.1" ] && exit 0
mkdir -p "$to"
cd "$to"
npm pack --silent com.github.asus4.onnxruntime@0.4.9 >/dev/null
tar xzf com.github.asus4.onnxruntime-0.4.9.tgz
cp "$(find package -name onnxruntime_c_api.h | head -1)" .
cp "$(dirname "$(find package -name onnxruntime_c_api.h | head -1)")"/*.h .
cp package/Plugins/Linux/x64/libonnxruntime.so .
ln -sf libonnxruntime.so libonnxruntime.so.1 # the name that it gives itself
rm -r package com.github.asus4.onnxruntime-0.4.9.tgz
