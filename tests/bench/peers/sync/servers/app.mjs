// The server of the libraries whose endpoints an app writes itself: PowerSync's upload and a stand-in for its sync
// service, and WatermelonDB's pull and push.
import http from 'node:http';
import { rows } from './rows.mjs';
import { powersync } from './powersync.mjs';
import { watermelon } from './watermelon.mjs';

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return parts.length ? JSON.parse(Buffer.concat(parts).toString()) : null;
}

function answer(response, value) {
  const text = JSON.stringify(value);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

export async function serve(dir, items) {
  const kept = rows(dir, items);
  // A handler gives what is to be answered, or nothing where it answers in a stream of its own.
  const handlers = { ...powersync(kept), ...watermelon(kept) };
  const server = http.createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    try {
      const value = await handlers[pathname](await body(request), { searchParams, response });
      if (value) answer(response, value);
    } catch (error) {
      console.error(pathname, error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { port: server.address().port, count: kept.count };
}
