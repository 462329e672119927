// tus-js-client against the hub. Every request of a device is signed, whoever makes it: the client's own HTTP
// stack is wrapped for that, and nothing else of it is touched.
import { createHash, createPrivateKey, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as tus from 'tus-js-client';

const { SATCHEL_URL, SATCHEL_DEVICE, SATCHEL_KEY, SATCHEL_NOW_S, SATCHEL_FILE } = process.env;
const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(SATCHEL_KEY, 'hex')]);
const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
const created = Number(SATCHEL_NOW_S);

function signed(method, url, body) {
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
  const nonce = randomBytes(12).toString('base64url');
  const params = '("@method" "@target-uri" "content-digest" "idempotency-key")' +
    `;created=${created};expires=${created + 60};nonce="${nonce}";keyid="${SATCHEL_DEVICE}";tag="courier"`;
  const base = [`"@method": ${method}`, `"@target-uri": ${url}`, `"content-digest": ${digest}`,
    `"idempotency-key": ${nonce}`, `"@signature-params": ${params}`].join('\n');
  const signature = sign(null, Buffer.from(base), key).toString('base64');
  return { 'content-digest': digest, 'idempotency-key': nonce,
    'signature-input': `sig=${params}`, signature: `sig=:${signature}:` };
}

const plain = new tus.DefaultHttpStack({});
let requests = 0;
const httpStack = {
  getName: () => 'signed',
  createRequest(method, url) {
    const request = plain.createRequest(method, url);
    const send = request.send.bind(request);
    request.send = body => {
      requests += 1;
      for (const [name, value] of Object.entries(signed(method, url, body ?? Buffer.alloc(0))))
        request.setHeader(name, value);
      return send(body);
    };
    return request;
  },
};

const bytes = readFileSync(SATCHEL_FILE);
const hash = createHash('sha256').update(bytes).digest('hex');
const upload = options => new Promise((resolve, reject) => {
  const started = new tus.Upload(bytes, {
    endpoint: `${SATCHEL_URL}/v1/proofs`,
    metadata: { sha256: hash, kind: 'photo' },
    retryDelays: null,
    httpStack,
    onSuccess: () => resolve(started),
    onError: reject,
    ...options,
  });
  if (options.stopAfter)
    started.options.onChunkComplete = (_, sent) => {
      if (sent >= options.stopAfter) started.abort().then(() => resolve(started), reject);
    };
  started.start();
});

// Begun in small chunks and left; another client, which only knows the file, finds it by its hash and ends it.
const left = await upload({ chunkSize: 16_384, stopAfter: 32_768 });
if (!left.url.endsWith(`/v1/proofs/${hash}`)) throw new Error(`an unexpected place: ${left.url}`);
await upload({ uploadUrl: `${SATCHEL_URL}/v1/proofs/${hash}` });
// Once more from the start, bytes in the first request: the hub has it.
await upload({ uploadDataDuringCreation: true });
console.log(`${requests} requests`);
