// WatermelonDB with its adapter for Node. Its adapters for phones open a write-ahead log, the one for Android with
// synchronous=FULL; the one for Node opens neither, so both are set here on the connection below it.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { call } from '../http.mjs';

const require = createRequire(import.meta.url);
const { Database, Model, appSchema, tableSchema } = require('@nozbe/watermelondb');
const SQLiteAdapter = require('@nozbe/watermelondb/adapters/sqlite').default;
const Bridge = require('@nozbe/watermelondb/adapters/sqlite/sqlite-node/DatabaseBridge').default;
const { synchronize, hasUnsyncedChanges } = require('@nozbe/watermelondb/sync');

const text = (name) => ({ name, type: 'string' });
const schema = appSchema({
  version: 1,
  tables: [
    tableSchema({ name: 'attempts', columns: [text('record'), text('signature')] }),
    tableSchema({ name: 'stops', columns: [text('data')] }),
    tableSchema({ name: 'changes', columns: [text('data')] }),
  ],
});
const modelClasses = ['attempts', 'stops', 'changes'].map((table) => class extends Model {
  static table = table;
});

/** The connections of better-sqlite3 that the bridge holds. */
function connections() {
  const held = Object.values(Bridge.connections ?? {}).map(({ driver }) => driver?.database?.instance);
  const found = held.filter(Boolean);
  if (!found.length) throw new Error('no connection found below the adapter');
  return found;
}

export async function open(dir) {
  const adapter = new SQLiteAdapter({
    schema,
    dbName: join(dir, 'watermelon.db'),
    onSetUpError: (error) => { throw error; },
  });
  const database = new Database({ adapter, modelClasses });
  const attempts = database.get('attempts');
  await attempts.query().fetchCount();
  const mine = connections().filter((connection) => connection.open);
  for (const connection of mine) {
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = FULL');
  }
  const sync = (url, wanted) => synchronize({
    database,
    pullChanges: ({ lastPulledAt }) => call('GET', `${url}/watermelon/pull?since=${lastPulledAt ?? 0}&want=${wanted}`),
    pushChanges: ({ changes }) => call('POST', `${url}/watermelon/push`, changes),
  });
  return {
    record: ({ id, record, text: signature }) => database.write(() => attempts.create((row) => {
      row._raw.id = id;
      row._setRaw('record', record);
      row._setRaw('signature', signature);
    })),
    count: () => attempts.query().fetchCount(),
    async push(url) {
      await sync(url, 'nothing');
      if (await hasUnsyncedChanges({ database })) throw new Error('something was left unsent');
    },
    async pull(url) {
      await sync(url, 'route');
      return await database.get('stops').query().fetchCount() + await database.get('changes').query().fetchCount();
    },
    async close() {
      for (const connection of mine) connection.close();
    },
  };
}
