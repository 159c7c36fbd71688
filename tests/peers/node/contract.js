// grpc.testing as grpc-js wants it, and the command line as the official programs take it: --name=value, --name value, --name for "true".
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export const testData = '/usr/share/gocode/src/google.golang.org/grpc/testdata/';
export const initialKey = 'x-grpc-test-echo-initial';
export const trailingKey = 'x-grpc-test-echo-trailing-bin';

const folder = dirname(fileURLToPath(import.meta.url));
const definition = loadSync('grpc/testing/test.proto', { includeDirs: [folder], keepCase: true, defaults: true });
export const { TestService, UnimplementedService } = grpc.loadPackageDefinition(definition).grpc.testing;

export const zeros = size => ({ body: Buffer.alloc(size) });
export const read = path => readFileSync(path);

export function parseFlags(otherwise) {
  const flags = { ...otherwise };
  for (let rest = process.argv.slice(2); rest.length > 0;) {
    const [name, value] = rest.shift().replace(/^--?/, '').split(/=(.*)/s);
    flags[name] = value ?? (rest.length > 0 && !rest[0].startsWith('-') ? rest.shift() : 'true');
  }
  return flags;
}
