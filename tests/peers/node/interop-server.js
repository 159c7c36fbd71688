// The server of gRPC's interop tests on grpc-js, with the official flags; prints "listening PORT".
// grpc-js' server neither compresses responses nor shows whether a request came compressed.
import { setTimeout } from 'node:timers/promises';
import grpc from '@grpc/grpc-js';
import { TestService, initialKey, parseFlags, read, testData, trailingKey, zeros } from './contract.js';

const ignoreEnd = () => {}; // a client that leaves ends its own call only

// Sends the header that is asked for at once; returns the trailers for the end.
function echo(call) {
  const [header, trailer] = [new grpc.Metadata(), new grpc.Metadata()];
  for (const value of call.metadata.get(initialKey)) header.add(initialKey, value);
  for (const value of call.metadata.get(trailingKey)) trailer.add(trailingKey, value);
  call.sendMetadata(header);
  return trailer;
}

const wanted = request => (request.response_status?.code ? { code: request.response_status.code, details: request.response_status.message } : null);

// Writes the responses that a request asks for; resolves to the error that it asks for, if any.
async function answer(request, call) {
  const error = wanted(request);
  if (error) return error;
  for (const { size, interval_us: interval } of request.response_parameters) {
    if (interval > 0) await setTimeout(interval / 1000);
    if (call.cancelled) return null;
    call.write({ payload: zeros(size) });
  }
  return null;
}

function end(call, error, trailer) {
  if (error) call.emit('error', { ...error, metadata: trailer });
  else call.end(trailer);
}

const service = {
  EmptyCall: (call, done) => done(null, {}),
  UnaryCall(call, done) {
    const trailer = echo(call);
    const error = wanted(call.request);
    if (error) done({ ...error, metadata: trailer });
    else done(null, { payload: zeros(call.request.response_size) }, trailer);
  },
  CacheableUnaryCall(call, done) {
    const header = new grpc.Metadata();
    header.set('cache-control', 'max-age=60, public');
    call.sendMetadata(header);
    done(null, { payload: { body: Buffer.from(String(process.hrtime.bigint())) } });
  },
  StreamingOutputCall: async call => end(call, await answer(call.request, call)),
  StreamingInputCall(call, done) {
    let size = 0;
    call.on('data', request => { size += request.payload?.body.length ?? 0; });
    call.on('end', () => done(null, { aggregated_payload_size: size })).on('error', ignoreEnd);
  },
  async FullDuplexCall(call) {
    const trailer = echo(call);
    try {
      // The iterator must not end the call: responses and trailers come after the last request.
      for await (const request of call.iterator({ destroyOnReturn: false })) {
        const error = await answer(request, call);
        if (error) return end(call, error, trailer);
      }
      end(call, null, trailer);
    } catch { /* the client left */ }
  },
  async HalfDuplexCall(call) {
    try {
      const requests = [];
      for await (const request of call.iterator({ destroyOnReturn: false })) requests.push(request);
      for (const request of requests) {
        const error = await answer(request, call);
        if (error) return end(call, error);
      }
      end(call);
    } catch { /* the client left */ }
  },
};

const flags = parseFlags({ port: '10000', tls_cert_file: testData + 'server1.pem', tls_key_file: testData + 'server1.key' });
const credentials = flags.use_tls === 'true'
  ? grpc.ServerCredentials.createSsl(null, [{ private_key: read(flags.tls_key_file), cert_chain: read(flags.tls_cert_file) }])
  : grpc.ServerCredentials.createInsecure();
const server = new grpc.Server();
server.addService(TestService.service, service);
server.bindAsync(`[::]:${flags.port}`, credentials, (error, port) => {
  if (error) throw error;
  console.log(`listening ${port}`);
});
