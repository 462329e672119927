// What an app's own server keeps for the libraries that leave the upload to the app: attempts by id, one transaction
// and one flush a request, as the floor's server does it; and a route to hand out.
import { join } from 'node:path';
import Database from 'better-sqlite3';

export function rows(dir, items) {
  const db = new Database(join(dir, 'server.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(`CREATE TABLE attempt (id TEXT PRIMARY KEY, record TEXT NOT NULL, signature BLOB NOT NULL);
           CREATE TABLE item (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL)`);
  const insert = db.prepare('INSERT INTO attempt VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const add = db.prepare('INSERT INTO item (kind, id, data) VALUES (?, ?, ?)');
  db.transaction(() => items.forEach(({ table, id, data }) => add.run(table, id, data)))();
  const after = db.prepare('SELECT seq, kind, id, data FROM item WHERE seq > ? ORDER BY seq');
  const of = db.prepare('SELECT id, data FROM item WHERE kind = ? ORDER BY seq');
  const held = db.prepare('SELECT count(*) FROM attempt').pluck();
  const uploaded = db.prepare('SELECT rowid AS seq, id, record, signature FROM attempt WHERE rowid > ? ORDER BY rowid');
  return {
    /** Attempts with their signature in base64. */
    store: db.transaction((attempts) => {
      for (const { id, record, signature } of attempts) insert.run(id, record, Buffer.from(signature, 'base64'));
    }),
    count: () => held.get(),
    itemsAfter: (seq) => after.all(seq),
    itemsOf: (table) => of.all(table),
    attemptsAfter: (seq) => uploaded.all(seq),
  };
}
