// Serves the meeting page alone, without a bridge, under the strictest content security policy that it promises to
// live with.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const WebRoot = fileURLToPath(new URL('../../../bridge/web', import.meta.url));
export const Policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'";
const Types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** {url, close()} of a server on a free port of 127.0.0.1. Besides the page it has an empty one, `blank.html`. */
export async function servePage() {
  const server = http.createServer((request, response) => {
    const name = new URL(request.url, 'http://page').pathname;
    if (name === '/blank.html') {
      response.writeHead(200, { 'content-type': Types['.html'], 'content-security-policy': Policy });
      return response.end('<!doctype html><title>blank</title><link rel="icon" href="/favicon.svg">');
    }
    const file = path.join(WebRoot, name.endsWith('/') ? `${name}index.html` : name);   // a URL's path has no ".."
    if (!fs.existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': Types[path.extname(file)] ?? 'application/octet-stream',
      'content-security-policy': Policy,
    });
    response.end(fs.readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}
