#!/usr/bin/env bash
# What can be checked of the Swift package without a Swift compiler: its module is one for clang, as C,
# Objective-C and for a phone; and each function of the header is called by it.
#
#   tests/swift/shape_test.sh PYTHON CLANG
set -euo pipefail
python=$1 clang=$2
cd "$(dirname "$0")/../.."
header=client-core/c/zhibu.h package=client-core/swift
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

cat >"$made/app.m" <<'TEXT'
@import CZhibu;
int main(void) { return zhibu_live() != 0; }
TEXT
"$clang" -x objective-c -fmodules -fmodules-cache-path="$made" -fmodule-map-file=$package/Sources/CZhibu/module.modulemap \
  -Werror -fsyntax-only "$made/app.m"
for of in x86_64-linux-gnu arm64-apple-ios15 x86_64-apple-ios15-simulator arm64-apple-macos12; do
  "$clang" --target=$of -ffreestanding -x c -std=c99 -pedantic-errors -Wall -Wextra -Werror -fsyntax-only $header
done

"$python" -B $package/glue.py "$made/Calls.swift"
missing=$(comm -23 \
  <(sed -n 's/^ZHIBU_API .* \**\(zhibu_[a-z_]*\)(.*/\1/p' $header | sort) \
  <(grep -oh 'zhibu_[a-z_]*(' "$made/Calls.swift" $package/Sources/Zhibu/*.swift | tr -d '(' | sort -u))
[ -z "$missing" ] || { echo "Swift does not call: $missing"; exit 1; }
