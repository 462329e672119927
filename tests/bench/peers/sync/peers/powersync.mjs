// PowerSync's Node SDK over better-sqlite3.
//
//   --sync full      synchronous=FULL on the connection that writes; without it, what the SDK ships (WAL, NORMAL)
//   --upload batch   a hundred entries of its queue a request; without it, its documented loop: one transaction a request
//
// Its tables have no column type for bytes: the signature is base64 text.
import { PowerSyncDatabase, Schema, Table, column } from '@powersync/node';
import { call } from '../http.mjs';

const BATCH = 100;
const POLL_MS = 2;
const schema = new Schema({
  attempts: new Table({ record: column.text, signature: column.text }),
  stops: new Table({ data: column.text }),
  changes: new Table({ data: column.text }),
});

const durable = async (connection) => {
  await connection.execute('PRAGMA synchronous = FULL');
};

export async function open(dir, { sync, upload }) {
  const db = new PowerSyncDatabase({
    schema,
    database: {
      dbFilename: 'powersync.db',
      dbLocation: dir,
      readWorkerCount: 1,
      ...(sync === 'full' ? { initializeConnection: durable } : {}),
    },
  });
  await db.init();
  const count = async (sql) => (await db.get(`SELECT (${sql}) AS n`)).n;
  const queued = () => count('SELECT count(*) FROM ps_crud');
  const connector = (url) => ({
    fetchCredentials: async () => ({ endpoint: url, token: 'bench' }),
    async uploadData(queue) {
      const part = upload === 'batch' ? await queue.getCrudBatch(BATCH) : await queue.getNextCrudTransaction();
      if (!part) return;
      const rows = part.crud.map(({ id, opData }) => ({ id, record: opData.record, signature: opData.signature }));
      await call('POST', `${url}/upload`, rows);
      await part.complete();
    },
  });
  const connect = (url) => db.connect(connector(url), { crudUploadThrottleMs: 0, connectionMethod: 'http' });
  return {
    record: ({ id, record, text }) =>
      db.execute('INSERT INTO attempts (id, record, signature) VALUES (?, ?, ?)', [id, record, text]),
    count: () => count('SELECT count(*) FROM attempts'),
    async push(url) {
      await connect(url);
      // Every few milliseconds: asked without a pause, the question itself would slow the queue down.
      while (await queued()) await new Promise((later) => setTimeout(later, POLL_MS));
    },
    async pull(url) {
      await connect(url);
      await db.waitForFirstSync();
      return await count('SELECT count(*) FROM stops') + await count('SELECT count(*) FROM changes');
    },
    close: () => db.close(),
  };
}
