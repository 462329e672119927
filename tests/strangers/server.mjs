// A tus server of others (the tus project's own), to which the phone's core uploads. Prints its port; ends with
// its standard input. It names uploads itself, as it does where nobody tells it otherwise; `by-hash` tells it to
// name them by the hash in their metadata, as Satchel's hub does.
import { createServer } from 'node:http';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';

const [directory, names] = process.argv.slice(2);
const byHash = request => {
  const metadata = request.headers.get('upload-metadata') ?? '';
  const [, hash] = /(?:^|,)sha256 ([^,]+)/.exec(metadata);
  return Buffer.from(hash, 'base64').toString('hex');
};
const options = { path: '/v1/proofs', datastore: new FileStore({ directory }) };
const tus = new Server(names === 'by-hash' ? { ...options, namingFunction: byHash } : options);
const server = createServer((request, response) => tus.handle(request, response));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit(0));
