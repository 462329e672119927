// Replays the recorded transcript as a stranger: no line of Satchel's own code. Every request must be signed as
// RFC 9421 and RFC 9530 say, by the device's key, and every nonce used once.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { said, device_key } = JSON.parse(readFileSync(new URL('./transcript.json', import.meta.url)));
const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(device_key, 'hex')]);
const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
const nonces = new Set();
let checked = 0, photos = 0;
for (const { method, url, headers, body } of said) {
  const fields = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
  const digest = createHash('sha256').update(Buffer.from(body, 'base64')).digest('base64');
  if (fields.get('signature-input') === undefined) {
    if (!url.endsWith('/v1/enrol')) throw new Error(`${method} ${url} is not signed`);
    continue;
  }
  const [, label, params] = /^([a-z0-9]+)=(.*)$/s.exec(fields.get('signature-input'));
  const covered = [.../^\(([^)]*)\)/.exec(params)[1].matchAll(/"([^"]+)"/g)].map(m => m[1]);
  // A body is always covered; a request that covers none must have none.
  if (covered.includes('content-digest') ? fields.get('content-digest') !== `sha-256=:${digest}:` : body !== '')
    throw new Error(`${url}: digest`);
  const value = name => ({ '@method': method, '@target-uri': url })[name] ?? fields.get(name);
  const lines = covered.map(name => `"${name}": ${value(name)}`);
  const base = [...lines, `"@signature-params": ${params}`].join('\n');
  const signature = new RegExp(`^${label}=:(.*):$`).exec(fields.get('signature'))[1];
  if (!verify(null, Buffer.from(base), key, Buffer.from(signature, 'base64')))
    throw new Error(`${method} ${url}: signature`);
  const nonce = /;nonce="([^"]+)"/.exec(params)[1];
  if (nonces.has(nonce)) throw new Error(`${url}: nonce used twice`);
  nonces.add(nonce);
  if (method === 'POST' && url.endsWith('/v1/proofs')) photos += 1;
  checked += 1;
}
if (photos === 0) throw new Error('no photo was sent');
if (checked < 4) throw new Error('the transcript is too short to say anything');
console.log(`${checked} signed requests of ${said.length} verified`);
