// A township with a real server, and folders and keys for the devices in it (tests/conformance).
import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {Store} from '../../client-core/js/dist/index.js';

const program = fileURLToPath(new URL('../conformance/township.py', import.meta.url));

export class Folder {
  path = mkdtempSync(join(tmpdir(), 'zhibu-js-'));
  key = randomBytes(32);

  open(name = 'a') { return Store.open(join(this.path, `${name}.db`), this.key); }
  remove() { rmSync(this.path, {recursive: true}); }
}

export class Township {
  static async start() {
    const township = new Township();
    township.child = spawn(program, {stdio: ['pipe', 'pipe', 'inherit']});
    township.lines = createInterface({input: township.child.stdout})[Symbol.asyncIterator]();
    township.said = await township.hear();
    return township;
  }

  // What the township answers to a command.
  async do(command) {
    this.child.stdin.write(`${JSON.stringify(command)}\n`);
    const {out, error} = await this.hear();
    if (error) throw new Error(`${JSON.stringify(command)}: ${JSON.stringify(error)}`);
    return out;
  }
  async hear() {
    const {value, done} = await this.lines.next();
    if (done) throw new Error('the township has ended');
    return JSON.parse(value);
  }

  async end() {
    const gone = new Promise((done) => { this.child.once('exit', done); });
    this.child.stdin.end();
    await gone;
  }
}
