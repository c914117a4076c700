#!/usr/bin/env bash
# Makes the package, dist/: the addon, beside the library of the core that ZHIBU_CORE_LIBRARY names, and
# JavaScript with its types. Messages come from proto/, glue from client-core/c/zhibu.h.
set -euo pipefail
library=$(realpath "$ZHIBU_CORE_LIBRARY")
cd "$(dirname "$0")"
proto=../../proto
rm -rf build dist src/made
mkdir -p build dist src/made

(cd $proto && ls zhibu/{api,records,rules,schema,sync}/v1/*.proto) |
  xargs protoc --plugin=protoc-gen-es=node_modules/.bin/protoc-gen-es -I $proto \
    --es_out=src/made --es_opt=target=ts,import_extension=js
(cd src/made && ls zhibu/records/v1/*_pb.ts) | sed "s|\(.*\)\.ts|export * from './\1.js';|" >src/made/records.ts
./glue.py build/calls.c src/made/calls.ts
node_modules/.bin/tsc

cp "$library" dist/libzhibu_core.so
${CC:-cc} -std=c11 -O2 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -shared -o dist/zhibu.node \
  -I ../.. -I node_modules/node-api-headers/include native/*.c build/calls.c \
  -L dist -lzhibu_core -Wl,-rpath,'$ORIGIN'
