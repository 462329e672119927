// A server of CouchDB's protocol: express-pouchdb on LevelDB. The route is a database of its own.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

export async function serve(dir, items) {
  const express = require('express');
  const PouchDB = require('pouchdb-node').defaults({ prefix: `${dir}/` });
  const app = express();
  const settings = { mode: 'minimumForPouchDB', inMemoryConfig: true, logPath: join(dir, 'log.txt') };
  app.use('/', require('express-pouchdb')(PouchDB, settings));
  const [route, seed] = [new PouchDB('route'), new PouchDB('seed')];
  await route.info();
  await seed.bulkDocs(items.map(({ table, id, data }) => ({ _id: `${table}:${id}`, data })));
  const server = await new Promise((listening) => {
    const starting = app.listen(0, '127.0.0.1', () => listening(starting));
  });
  return { port: server.address().port, count: async () => (await route.info()).doc_count };
}
