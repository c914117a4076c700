// The built pages as a C++ table: node embed.mjs FOLDER FILE
import {readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {extname, join} from 'node:path';

const types = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.webmanifest': 'application/manifest+json',
};
const [folder, file] = process.argv.slice(2);

function* filesIn(at) {
  for (const name of readdirSync(join(folder, at)).sort()) {
    const path = join(at, name);
    if (statSync(join(folder, path)).isDirectory()) yield* filesIn(path);
    else yield path;
  }
}

const parts = ['// Made of the pages that Vite built.\n#include "client-core/screen/pages.h"\n\n',
  'namespace zhibu::client {\nnamespace {\n\n'];
const table = [];
let number = 0;
for (const path of filesIn('')) {
  const bytes = readFileSync(join(folder, path));
  const type = types[extname(path)];
  if (type === undefined) throw new Error(`no type for ${path}`);
  const name = `kBody${number++}`;
  parts.push(`constexpr unsigned char ${name}[] = {`, bytes.length === 0 ? '0' : bytes.join(','), '};\n');
  const shown = path === 'index.html' ? '/' : `/${path}`;
  table.push(`    {"${shown}", "${type}", {reinterpret_cast<const char*>(${name}), ${bytes.length}}},\n`);
}
parts.push('\nconst Page kPages[] = {\n', ...table, '};\n\n}  // namespace\n\n',
  'absl::Span<const Page> Pages() { return kPages; }\n\n}  // namespace zhibu::client\n');
writeFileSync(file, parts.join(''));
