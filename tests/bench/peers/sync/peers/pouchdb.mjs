// PouchDB on LevelDB, replicating with a server of CouchDB's protocol. The signature is an attachment.
import { join } from 'node:path';
import PouchDB from 'pouchdb-node';

const BATCH = { batch_size: 100 };

export async function open(dir) {
  const db = new PouchDB(join(dir, 'pouch'));
  await db.info();
  return {
    record: ({ id, record, signature }) => db.put({
      _id: id,
      record,
      _attachments: { signature: { content_type: 'application/octet-stream', data: signature } },
    }),
    count: async () => (await db.info()).doc_count,
    async push(url) {
      const done = await db.replicate.to(`${url}/route`, BATCH);
      if (done.status !== 'complete' || done.errors.length) throw new Error(JSON.stringify(done));
    },
    async pull(url) {
      await db.replicate.from(`${url}/seed`, BATCH);
      return (await db.info()).doc_count;
    },
    close: () => db.close(),
  };
}
