// The floor's own payloads and items, written by the bench as lines of JSON, so that every peer stores the same bytes.
import { readFileSync } from 'node:fs';

const lines = (file) => readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));

/**
 * Attempts: `signature` as bytes for libraries that store bytes, `text` in base64 for those that do not. Both are made
 * beforehand: no peer pays for the conversion while it records.
 */
export const attempts = (file) => lines(file).map(({ id, record, signature }) => (
  { id, record, text: signature, signature: Buffer.from(signature, 'base64') }));

/** Stops and changes of a route: `{ table, id, data }`, `data` as text. */
export const items = (file) => lines(file).map(({ table, id, data }) => ({ table, id, data: JSON.stringify(data) }));
