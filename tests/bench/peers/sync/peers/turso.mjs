// Turso's sync engine: an SQLite of its own in Rust, statements up, pages down, against `tursodb --sync-server`.
import { join } from 'node:path';
import { connect } from '@tursodatabase/sync';

const TABLE = 'CREATE TABLE IF NOT EXISTS attempts (id TEXT PRIMARY KEY, record TEXT NOT NULL, signature BLOB NOT NULL)';

export async function open(dir, { url }) {
  // Without an address it records like a phone that has not been online yet.
  const db = await connect({ path: join(dir, 'turso.db'), url: () => url ?? null, clientName: 'bench' });
  const one = async (sql) => (await (await db.prepare(sql)).get()).n;
  await db.exec(TABLE);
  const insert = await db.prepare('INSERT INTO attempts (id, record, signature) VALUES (?, ?, ?)');
  return {
    record: ({ id, record, signature }) => insert.run([id, record, signature]),
    count: () => one('SELECT count(*) AS n FROM attempts'),
    push: () => db.push(),
    async pull() {
      await db.pull();
      return await one('SELECT count(*) AS n FROM stops') + await one('SELECT count(*) AS n FROM changes');
    },
    async close() {
      await db.checkpoint();
      await db.close();
    },
  };
}
