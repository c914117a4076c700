#!/usr/bin/env bash
# What the Swift package is made of beside its sources: Calls.swift, from client-core/c/zhibu.h; and, on a
# Mac, ZhibuCore.xcframework, of the library as it was built for each platform. The second part has not
# been run yet: there is no Mac where this was written.
#
#   client-core/swift/make.sh
#   client-core/swift/make.sh IOS.dylib SIMULATOR.dylib MAC.dylib   # each of all its processors (lipo)
set -euo pipefail
libraries=()
for library in "$@"; do libraries+=("$(realpath "$library")"); done
cd "$(dirname "$0")"
./glue.py Sources/Zhibu/Calls.swift
[ ${#libraries[@]} -gt 0 ] || exit 0

# A framework for each: an app embeds and signs it, and finds the module CZhibu in it. Package.swift then
# has .binaryTarget(name: "CZhibu", path: "ZhibuCore.xcframework") in place of the system library.
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
arguments=()
for library in "${libraries[@]}"; do
  framework=$made/$(basename "$library" .dylib)/CZhibu.framework
  mkdir -p "$framework/Headers" "$framework/Modules"
  cp "$library" "$framework/CZhibu"
  install_name_tool -id @rpath/CZhibu.framework/CZhibu "$framework/CZhibu"
  cp ../c/zhibu.h "$framework/Headers/"
  printf 'framework module CZhibu {\n  header "zhibu.h"\n  export *\n}\n' >"$framework/Modules/module.modulemap"
  plutil -create xml1 "$framework/Info.plist"
  for entry in CFBundleIdentifier=zhibu.core CFBundleExecutable=CZhibu CFBundlePackageType=FMWK \
    CFBundleShortVersionString=0.1.0 CFBundleVersion=1 MinimumOSVersion=15.0; do
    plutil -insert "${entry%%=*}" -string "${entry#*=}" "$framework/Info.plist"
  done
  arguments+=(-framework "$framework")
done
rm -rf ZhibuCore.xcframework
xcodebuild -create-xcframework "${arguments[@]}" -output ZhibuCore.xcframework
