// The floor once more, in Node: what of the other drivers' time is the language and what the library.
import { join } from 'node:path';
import Database from 'better-sqlite3';

export function open(dir) {
  const db = new Database(join(dir, 'node.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('CREATE TABLE IF NOT EXISTS attempt (id TEXT PRIMARY KEY, record TEXT NOT NULL, signature BLOB NOT NULL)');
  const insert = db.prepare('INSERT INTO attempt (id, record, signature) VALUES (?, ?, ?)');
  return {
    record: ({ id, record, signature }) => insert.run(id, record, signature),
    count: () => db.prepare('SELECT count(*) FROM attempt').pluck().get(),
    close: () => db.close(),
  };
}
