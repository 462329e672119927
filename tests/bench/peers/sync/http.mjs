// One connection that is kept, as an app's upload loop has it; `fetch` would open others when answers come late.
import http from 'node:http';

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

export function call(method, url, value) {
  const body = value === undefined ? undefined : Buffer.from(JSON.stringify(value));
  const headers = body ? { 'content-type': 'application/json', 'content-length': body.length } : {};
  return new Promise((done, failed) => {
    const request = http.request(url, { method, agent, headers }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        if (response.statusCode >= 300) return failed(new Error(`${method} was answered with ${response.statusCode}`));
        return done(JSON.parse(Buffer.concat(parts).toString() || 'null'));
      });
    });
    request.on('error', failed);
    request.end(body);
  });
}
