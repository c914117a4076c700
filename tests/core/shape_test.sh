#!/usr/bin/env bash
# shape_test.sh LIBRARY HEADER: what an app's packager looks at. Exports are the functions of the
# header and nothing else; pages of 16 KiB; what it needs of the system; how large it is.
set -euo pipefail
library=$1 header=$2
failed=0
fail() { echo "FAILED: $*"; failed=1; }

exported=$(nm -D --defined-only --format=posix "$library" | cut -d' ' -f1 | sed 's/@.*//' | grep -v '^ZHIBU_' | sort)
declared=$(grep -oE 'ZHIBU_API [a-z0-9_]+ zhibu_[a-z_]+\(' "$header" | grep -oE 'zhibu_[a-z_]+\($' | tr -d '(' | sort)
diff <(echo "$declared") <(echo "$exported") || fail "what is exported is not what the header declares"
echo "exports: $(echo "$exported" | wc -l) functions"

aligned=$(readelf -lW "$library" | awk '$1 == "LOAD" { print $NF }' | sort -u)
[ "$aligned" = 0x4000 ] || fail "LOAD segments are aligned by $aligned"
readelf -dW "$library" | grep -q TEXTREL && fail "it has relocations in its text"
# What every Linux and Android has.
needed=$(readelf -dW "$library" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -vE '^(libc|libm|libdl|libpthread|ld-linux.*)\.so' || true)
[ -z "$needed" ] || fail "it needs $needed"

# The aim is 3.5 MB, 1.6 MB gzipped; until it is reached, no more than now. docs/embedding.md says
# what of it is whose.
bytes=$(stat -c %s "$library")
packed=$(gzip -9c "$library" | wc -c)
echo "size: $bytes bytes, $packed gzipped (aim 3500000 and 1600000)"
[ "$bytes" -le 6800000 ] || fail "it has grown beyond 6.8 MB"
[ "$packed" -le 2850000 ] || fail "it has grown beyond 2.85 MB gzipped"
exit $failed
