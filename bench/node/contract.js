// The services of classic.proto and bench.proto as grpc-js wants them, on protobufjs' own encoders and decoders: the loader's
// conversion to plain objects would cost half as much again.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protobuf from 'protobufjs';

protobuf.util.Long = undefined; // 64-bit integers as numbers: the bench's stay below 2^53
protobuf.configure();

const folder = dirname(fileURLToPath(import.meta.url));
const root = new protobuf.Root();
root.resolvePath = (_, target) => join(folder, target);
root.loadSync('bench.proto').resolveAll();

export const chunkBytes = 64 * 1024;
export const largeBytes = 4 * 1024 * 1024;

// Windows and limits at which grpc-js is fastest here.
export const settings = {
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
  'grpc.max_receive_message_length': 2 * largeBytes,
  'grpc.max_concurrent_streams': 100_000,
  'grpc.use_local_subchannel_pool': 1, // a client has a connection of its own
};

function definition(path) {
  const service = root.lookupService(path);
  const methods = {};
  for (const method of service.methodsArray) {
    const [request, response] = [method.resolvedRequestType, method.resolvedResponseType];
    methods[method.name] = {
      path: `/${service.fullName.slice(1)}/${method.name}`,
      requestStream: Boolean(method.requestStream),
      responseStream: Boolean(method.responseStream),
      requestSerialize: message => request.encode(message).finish(),
      requestDeserialize: bytes => request.decode(bytes),
      responseSerialize: message => response.encode(message).finish(),
      responseDeserialize: bytes => response.decode(bytes),
    };
  }
  return methods;
}

export const services = {
  streams: definition('StreamService'),
  chat: definition('ChatService'),
  bench: definition('weir.bench.BenchService'),
};

export function connect(port) {
  const clients = {};
  const credentials = grpc.credentials.createInsecure();
  const channelOverride = new grpc.Channel(`127.0.0.1:${port}`, credentials, settings);
  for (const [name, methods] of Object.entries(services)) {
    const Client = grpc.makeGenericClientConstructor(methods, name);
    clients[name] = new Client('', credentials, { channelOverride });
  }
  clients.close = () => channelOverride.close();
  return clients;
}

const sizes = new Map([['User', root.lookupType('User')], ['ChatMessage', root.lookupType('ChatMessage')]]);
export const sizeOf = (type, message) => sizes.get(type).encode(message).finish().length;

// 38 bytes when serialised: the message that list and create send.
export const user = { id: 12345, name: 'Augusta Lovelace', email: 'ada@example.com' };
export const chatMessage = roomId => ({ userId: 'bench', content: 'x'.repeat(16), timestamp: 1_700_000_000, roomId });
export const chunk = bytes => ({ fileName: 'bench.bin', data: Buffer.alloc(bytes) });

// Writes count times the same message, as fast as the stream takes them; resolves when the last is handed over.
export function writeAll(stream, message, count) {
  return new Promise((resolve, reject) => {
    let left = count;
    const go = () => {
      while (left > 0) {
        left--;
        if (!stream.write(message) && left > 0) {
          stream.once('drain', go);
          return;
        }
      }
      resolve();
    };
    stream.once('error', reject);
    go();
  });
}
