// A stand-in for PowerSync's service, which no registry has: the least of its protocol that its client accepts, so it
// does less than the real one, to PowerSync's advantage. One bucket with the route, one with the uploaded attempts, which
// its client wants back: a row that no bucket holds would leave the phone once the upload is confirmed.

const PART = 1_000;
// Numbers of operations: those of the attempts behind those of the route.
const ATTEMPTS_FROM = 1_000_000;

const put = (opId, table, id, data) => (
  { op_id: String(opId), op: 'PUT', object_type: table, object_id: id, checksum: 1, subkey: null, data: JSON.stringify(data) });

export function powersync(kept) {
  const buckets = [
    {
      name: '1#route|0[]',
      operations: (after) => kept.itemsAfter(after).map(({ seq, kind, id, data }) => put(seq, kind, id, { data })),
      size: kept.itemsAfter(0).length,
    },
    {
      name: '1#attempts|0[]',
      operations: (after) => kept.attemptsAfter(Math.max(0, after - ATTEMPTS_FROM)).map(({ seq, id, record, signature }) =>
        put(ATTEMPTS_FROM + seq, 'attempts', id, { record, signature: signature.toString('base64') })),
      get size() { return kept.count(); },
    },
  ];
  const streams = new Set();
  let checkpoint = 0;

  function send({ response, at }) {
    const line = (value) => response.write(`${JSON.stringify(value)}\n`);
    const filled = buckets.filter(({ size }) => size);
    const last = kept.count() ? ATTEMPTS_FROM + kept.count() : buckets[0].size;
    line({ checkpoint: {
      last_op_id: String(last),
      write_checkpoint: checkpoint ? String(checkpoint) : null,
      streams: [{ name: 'route', is_default: true, errors: [] }],
      // Every operation has the checksum 1, so a bucket's checksum is their number.
      buckets: filled.map(({ name, size }) => (
        { bucket: name, checksum: size, count: size, priority: 3, subscriptions: [{ default: 0 }] })),
    } });
    for (const bucket of filled) {
      const all = bucket.operations(at.get(bucket.name) ?? 0);
      for (let from = 0; from < all.length; from += PART) {
        const data = all.slice(from, from + PART);
        const after = String(at.get(bucket.name) ?? 0);
        const next = data.at(-1).op_id;
        line({ data: { bucket: bucket.name, after, next_after: next, has_more: from + PART < all.length, data } });
        at.set(bucket.name, Number(next));
      }
    }
    line({ checkpoint_complete: { last_op_id: String(last) } });
  }

  return {
    '/upload': (attempts) => {
      kept.store(attempts);
      return {};
    },
    '/sync/stream': (asked, { response }) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      const stream = { response, at: new Map((asked.buckets ?? []).map(({ name, after }) => [name, Number(after)])) };
      streams.add(stream);
      response.on('close', () => streams.delete(stream));
      send(stream);
    },
    '/write-checkpoint2.json': () => {
      checkpoint += 1;
      setImmediate(() => streams.forEach(send));
      return { data: { write_checkpoint: String(checkpoint) } };
    },
  };
}
