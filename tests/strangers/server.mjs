// A tus server of others (the tus project's own), to which the phone's core uploads. Prints its port; ends with
// its standard input.
import { createServer } from 'node:http';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';

// The one thing a server has to be told: an upload is named by the hash in its metadata, so that the phone
// finds it again after any kill.
const namingFunction = request => {
  const metadata = request.headers.get('upload-metadata') ?? '';
  const [, hash] = /(?:^|,)sha256 ([^,]+)/.exec(metadata);
  return Buffer.from(hash, 'base64').toString('hex');
};
const tus = new Server({ path: '/v1/proofs', datastore: new FileStore({ directory: process.argv[2] }), namingFunction });
const server = createServer((request, response) => tus.handle(request, response));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit(0));
