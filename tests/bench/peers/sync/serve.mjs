// The server of one library: `node serve.mjs KIND --dir D [--items FILE]`, on a port of its own on the loopback.
//
// Says `{"port": …}` when it listens, with `seed` where a client needs a name for the route that is kept in FILE. Told
// `cpu`, it says what it has used; told `count`, how many attempts it holds; it ends when nobody is left to tell it.
import { mkdirSync } from 'node:fs';
import { cpuMs, options, say, words } from './process.mjs';
import { items } from './workload.mjs';

const [kind, ...rest] = process.argv.slice(2);
const given = options(rest);
mkdirSync(given.dir, { recursive: true });
const { serve } = await import(`./servers/${kind}.mjs`);
const server = await serve(given.dir, given.items ? items(given.items) : []);
say({ port: server.port, seed: server.seed });
for await (const word of words()) {
  if (word === 'cpu') say({ cpu_ms: server.cpuMs?.() ?? cpuMs() });
  if (word === 'count') say({ attempts: await server.count() });
}
server.close?.();
process.exit(0);
