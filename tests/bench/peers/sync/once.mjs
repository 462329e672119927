// One measured step of one library in a process of its own:
//
//   node once.mjs DRIVER record --dir D --work FILE              attempts one at a time, each committed
//   node once.mjs DRIVER push --dir D --work FILE --url U        records, says it is ready, pushes when told to
//   node once.mjs DRIVER pull --dir D --url U [--seed S]         says it is ready, opens an empty store and fills it
//
// Other pairs (`--sync full`) go to the driver. Times are taken in here, after the payload is read and the library is
// loaded: what is measured is the library. A step that does not hold all it was given afterwards fails.
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cpuMs, options, say, words } from './process.mjs';
import { attempts } from './workload.mjs';

const [driver, step, ...rest] = process.argv.slice(2);
const given = options(rest);
const { open } = await import(`./peers/${driver}.mjs`);
mkdirSync(given.dir, { recursive: true });

const now = () => process.hrtime.bigint();
const msSince = (start) => Number(now() - start) / 1e6;

function diskBytes(dir) {
  return readdirSync(dir, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(dir, entry.name);
    return sum + (entry.isDirectory() ? diskBytes(path) : statSync(path).size);
  }, 0);
}

/** Bytes given to write calls so far; 0 where the kernel keeps no such book. */
function bytesWritten() {
  try {
    return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function whole(peer, wanted) {
  const held = await peer.count();
  if (held !== wanted) throw new Error(`${held} of ${wanted} attempts are in the store`);
}

async function record() {
  const work = attempts(given.work);
  // Opened and closed once, so that what is on disk before the first attempt is what an empty store takes.
  await (await open(given.dir, given)).close();
  const diskBefore = diskBytes(given.dir);
  const peer = await open(given.dir, given);
  const writtenBefore = bytesWritten();
  const micros = [];
  const start = now();
  for (const attempt of work) {
    const one = now();
    await peer.record(attempt);
    micros.push(Math.round(msSince(one) * 1e3));
  }
  const seconds = msSince(start) / 1e3;
  const written = bytesWritten() - writtenBefore;
  await whole(peer, work.length);
  await peer.close();
  say({
    seconds,
    micros: micros.sort((a, b) => a - b),
    bytes_written: written,
    disk_before: diskBefore,
    disk_after: diskBytes(given.dir),
    payload: [work[0].record.length, work[0].signature.length],
  });
}

/** Says that all is ready and waits for the bench to note what went over the line so far. */
async function told() {
  say({ ready: true });
  if ((await words().next()).done) throw new Error('the bench went away');
}

async function push() {
  const work = attempts(given.work);
  const peer = await open(given.dir, given);
  for (const attempt of work) await peer.record(attempt);
  await whole(peer, work.length);
  await told();
  const [start, cpu] = [now(), cpuMs()];
  await peer.push(given.url);
  say({ ms: msSince(start), cpu_ms: cpuMs() - cpu, items: work.length });
}

async function pull() {
  await told();
  const [start, cpu] = [now(), cpuMs()];
  const peer = await open(given.dir, given);
  const held = await peer.pull(given.url, given.seed);
  say({ ms: msSince(start), cpu_ms: cpuMs() - cpu, items: held });
}

await { record, push, pull }[step]();
// Libraries keep connections and timers of their own; nothing of them is waited for.
process.exit(0);
