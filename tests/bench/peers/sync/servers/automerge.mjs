// Automerge Repo behind a websocket, with files of its own storage.
import { join } from 'node:path';
import { Repo } from '@automerge/automerge-repo';
import { WebSocketServerAdapter } from '@automerge/automerge-repo-network-websocket';
import { NodeFSStorageAdapter } from '@automerge/automerge-repo-storage-nodefs';
import { WebSocketServer } from 'ws';

const attemptsIn = (handle) => (handle.isReady() ? Object.keys(handle.doc()?.attempts ?? {}).length : 0);

export async function serve(dir, items) {
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise((listening) => sockets.on('listening', listening));
  const repo = new Repo({
    storage: new NodeFSStorageAdapter(join(dir, 'automerge')),
    network: [new WebSocketServerAdapter(sockets)],
  });
  let seed;
  if (items.length) {
    const handle = repo.create({ stops: {}, changes: {} });
    // A change each: the document has the history that a planner's day would leave.
    for (const { table, id, data } of items) handle.change((route) => { route[table][id] = data; });
    await repo.flush([handle.documentId]);
    seed = handle.url;
  }
  return {
    port: sockets.address().port,
    seed,
    count: () => Object.values(repo.handles).reduce((sum, handle) => sum + attemptsIn(handle), 0),
  };
}
