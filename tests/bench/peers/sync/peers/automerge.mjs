// Automerge Repo: one document a route with every attempt in it, files of its own storage, a websocket to the server.
// An attempt counts as recorded when `flush` of that document has come back.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Repo } from '@automerge/automerge-repo';
import { WebSocketClientAdapter } from '@automerge/automerge-repo-network-websocket';
import { NodeFSStorageAdapter } from '@automerge/automerge-repo-storage-nodefs';

const here = (handle) => handle.heads().slice().sort().join();

/** The document of this store, made with the store. */
async function route(repo, dir) {
  const name = join(dir, 'route.url');
  if (existsSync(name)) return repo.find(readFileSync(name, 'utf8'));
  const handle = repo.create({ attempts: {} });
  await repo.flush([handle.documentId]);
  writeFileSync(name, handle.url);
  return handle;
}

export async function open(dir, { seed }) {
  const repo = new Repo({ storage: new NodeFSStorageAdapter(join(dir, 'automerge')) });
  const handle = seed ? undefined : await route(repo, dir);
  const online = (url) => repo.networkSubsystem.addNetworkAdapter(new WebSocketClientAdapter(url.replace('http', 'ws')));
  return {
    async record({ id, record, signature }) {
      handle.change((route) => { route.attempts[id] = { record, signature: new Uint8Array(signature) }; });
      await repo.flush([handle.documentId]);
    },
    count: () => Object.keys(handle.doc().attempts).length,
    async push(url) {
      // Sent is what the server says it has: the document at the heads of this store.
      const received = new Promise((done) => handle.on('remote-heads', ({ heads }) => {
        if (heads.slice().sort().join() === here(handle)) done();
      }));
      online(url);
      await received;
    },
    async pull(url) {
      online(url);
      const found = await repo.find(seed);
      await found.whenReady();
      const { stops, changes } = found.doc();
      await repo.flush([found.documentId]);
      return Object.keys(stops).length + Object.keys(changes).length;
    },
    close: () => repo.shutdown(),
  };
}
