// `tursodb --sync-server` from Turso's package, with the route pushed into it by a client.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { connect } from '@tursodatabase/sync';

const STARTS_WITHIN_MS = 10_000;
// The kernel's clock for processes, everywhere 100 a second to programs.
const TICK_MS = 10;

/** The program beside the package for this machine; the package's own starter would leave it running when killed. */
function program() {
  const require = createRequire(import.meta.url);
  const system = process.platform === 'linux' ? `linux-${process.arch}-gnu` : `${process.platform}-${process.arch}`;
  return join(dirname(require.resolve(`@tursodatabase/cli-${system}/package.json`)), 'tursodb');
}

const freePort = () => new Promise((found) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => found(port));
  });
});

const answers = (port) => new Promise((known) => {
  const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); known(true); });
  socket.on('error', () => known(false));
});

async function seed(url, dir, items) {
  const db = await connect({ path: join(dir, 'seed.db'), url, clientName: 'seed' });
  await db.exec('CREATE TABLE stops (id TEXT PRIMARY KEY, data TEXT)');
  await db.exec('CREATE TABLE changes (id TEXT PRIMARY KEY, data TEXT)');
  await db.exec('BEGIN');
  for (const table of ['stops', 'changes']) {
    const insert = await db.prepare(`INSERT INTO ${table} VALUES (?, ?)`);
    for (const item of items.filter((one) => one.table === table)) await insert.run([item.id, item.data]);
  }
  await db.exec('COMMIT');
  await db.push();
  await db.close();
}

/** Asked of a fresh replica, as any other client would see it. */
async function count(url, dir) {
  const db = await connect({ path: join(dir, 'count.db'), url, clientName: 'count' });
  const { n } = await (await db.prepare('SELECT count(*) AS n FROM attempts')).get();
  await db.close();
  return n;
}

export async function serve(dir, items) {
  const port = await freePort();
  const child = spawn(program(), [join(dir, 'server.db'), '--sync-server', `127.0.0.1:${port}`], { stdio: 'ignore' });
  process.on('exit', () => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  const until = Date.now() + STARTS_WITHIN_MS;
  while (!await answers(port)) {
    if (child.exitCode !== null || Date.now() > until) throw new Error('tursodb does not listen');
    await new Promise((later) => setTimeout(later, 20));
  }
  if (items.length) await seed(url, dir, items);
  return {
    port,
    count: () => count(url, dir),
    cpuMs() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    },
  };
}
