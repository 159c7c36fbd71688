// The client of gRPC's interop tests on grpc-js, with the official flags. Exit code: 0 passed, 1 failed, 2 no such case.
// A case that passed but could not look at everything says on standard output what it did not see.
import { isDeepStrictEqual } from 'node:util';
import grpc from '@grpc/grpc-js';
import { TestService, UnimplementedService, initialKey, parseFlags, read, testData, trailingKey, zeros } from './contract.js';

const largeRequest = 271828;
const largeResponse = 314159;
const requests = [27182, 8, 1828, 45904];
const responses = [31415, 9, 2653, 58979];
const initialValue = 'test_initial_metadata_value';
const trailingValue = Buffer.from([0xab, 0xab, 0xab]);
const soakLatencyMilliseconds = 1000;
const notCached = 'no proxy has kept the first response: gRPC sends its calls with POST, whose answers caches do not keep';
const unseen = 'grpc-js does not show whether a response came compressed';

const flags = parseFlags({
  server_host: 'localhost', server_port: '10000', test_case: 'large_unary', ca_file: testData + 'ca.pem', soak_iterations: '10',
});

function connect(Service = TestService, options = {}) {
  const settings = { 'grpc.use_local_subchannel_pool': 1, ...options }; // a client has a connection of its own
  const target = `${flags.server_host}:${flags.server_port}`;
  if (flags.use_tls !== 'true') return new Service(target, grpc.credentials.createInsecure(), settings);
  if (flags.server_host_override) {
    settings['grpc.ssl_target_name_override'] = flags.server_host_override;
    settings['grpc.default_authority'] = flags.server_host_override;
  }
  return new Service(target, grpc.credentials.createSsl(flags.use_test_ca === 'true' ? read(flags.ca_file) : null), settings);
}

const plain = connect();
const open = [plain];
function compressing() {
  const client = connect(TestService, { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip });
  open.push(client);
  return client;
}

function expect(actual, expected, what) {
  if (!isDeepStrictEqual(actual, expected)) throw new Error(`${what}: ${expected} expected, got ${actual}`);
}

function check(payload, size) {
  const body = payload?.body ?? Buffer.alloc(0);
  if (!body.equals(Buffer.alloc(size))) throw new Error(`${size} zeros expected, got a payload of ${body.length} bytes`);
}

// A unary call as { response, header, trailer }; rejects with the call's error.
function unary(client, method, request, ...options) {
  return new Promise((resolve, reject) => {
    const result = {};
    const call = client[method](request, ...options, (error, response) => {
      if (error) reject(error);
      else result.response = response;
    });
    call.on('metadata', header => { result.header = header; });
    call.on('status', status => { if (status.code === grpc.status.OK) resolve({ ...result, trailer: status.metadata }); });
  });
}

async function ends(promise, code, message) {
  const error = await promise.then(() => null, failure => failure);
  expect(error?.code, code, 'status');
  if (message !== undefined) expect(error.details, message, 'message');
}

const request = (size, ...sizes) => ({ payload: zeros(size), response_parameters: sizes.map(one => ({ size: one })) });
const large = (more = {}) => ({ response_size: largeResponse, payload: zeros(largeRequest), ...more });

async function largeUnary(client = plain, more = {}, ...options) {
  const result = await unary(client, 'UnaryCall', large(more), ...options);
  check(result.response.payload, largeResponse);
  return result;
}

// The sum that the server answers to a stream of requests.
function input(client, messages) {
  return new Promise((resolve, reject) => {
    const call = client.StreamingInputCall((error, response) => (error ? reject(error) : resolve(response.aggregated_payload_size)));
    for (const message of messages) call.write(message);
    call.end();
  });
}

// Sends requests one at a time, each after the response to the one before; returns { header, trailer }.
async function exchange(exchanges, metadata = new grpc.Metadata()) {
  const call = plain.FullDuplexCall(metadata);
  const result = {};
  call.on('metadata', header => { result.header = header; });
  const status = new Promise(resolve => call.on('status', resolve));
  const incoming = call.iterator({ destroyOnReturn: false });
  for (const [size, response] of exchanges) {
    call.write(request(size, response));
    check((await incoming.next()).value?.payload, response);
  }
  call.end();
  expect((await incoming.next()).done, true, 'end of the stream');
  return { ...result, trailer: (await status).metadata };
}

function checkMetadata({ header, trailer }) {
  expect(header.get(initialKey), [initialValue], initialKey);
  expect(trailer.get(trailingKey), [trailingValue], trailingKey);
}

async function soak(call) {
  for (let i = 0; i < Number(flags.soak_iterations); i++) {
    const begin = performance.now();
    await call();
    if (performance.now() - begin > soakLatencyMilliseconds) throw new Error(`call ${i} took more than ${soakLatencyMilliseconds} ms`);
  }
}

const unaryEnds = message => ends(
  unary(plain, 'UnaryCall', { response_status: { code: grpc.status.UNKNOWN, message } }), grpc.status.UNKNOWN, message);

const cases = {
  empty_unary: async () => expect((await unary(plain, 'EmptyCall', {})).response, {}, 'response'),
  async cacheable_unary() {
    const metadata = new grpc.Metadata();
    metadata.set('x-user-ip', '1.2.3.4');
    const body = Buffer.from(String(process.hrtime.bigint()));
    const bodies = [];
    for (let i = 0; i < 2; i++) {
      const { response, header } = await unary(plain, 'CacheableUnaryCall', { payload: { body } }, metadata);
      expect(String(header.get('cache-control')).includes('max-age='), true, 'max-age in cache-control');
      bodies.push(response.payload.body);
    }
    return bodies[0].equals(bodies[1]) ? undefined : notCached;
  },
  large_unary: () => largeUnary(),
  async client_compressed_unary() {
    const expectCompressed = { expect_compressed: { value: true } };
    await ends(largeUnary(plain, expectCompressed), grpc.status.INVALID_ARGUMENT);
    await largeUnary(compressing(), expectCompressed);
    await largeUnary(plain, { expect_compressed: { value: false } });
  },
  async server_compressed_unary() {
    for (const value of [true, false]) await largeUnary(plain, { response_compressed: { value } });
    return unseen;
  },
  client_streaming: async () => expect(
    await input(plain, requests.map(size => ({ payload: zeros(size) }))), requests.reduce((sum, size) => sum + size), 'aggregated size'),
  async client_compressed_streaming() {
    const message = size => ({ payload: zeros(size), expect_compressed: { value: true } });
    await ends(input(plain, [message(requests[0])]), grpc.status.INVALID_ARGUMENT);
    expect(await input(compressing(), [message(requests[0]), message(requests[3])]), requests[0] + requests[3], 'aggregated size');
    return 'grpc-js compresses all requests of a stream or none';
  },
  async server_streaming() {
    const got = await plain.StreamingOutputCall(request(0, ...responses)).toArray();
    expect(got.length, responses.length, 'responses');
    got.forEach((response, i) => check(response.payload, responses[i]));
  },
  async server_compressed_streaming() {
    const parameters = [{ compressed: { value: true }, size: 31415 }, { compressed: { value: false }, size: 92653 }];
    const got = await plain.StreamingOutputCall({ response_parameters: parameters }).toArray();
    expect(got.length, parameters.length, 'responses');
    got.forEach((response, i) => check(response.payload, parameters[i].size));
    return unseen;
  },
  ping_pong: () => exchange(requests.map((size, i) => [size, responses[i]])),
  empty_stream: () => exchange([]),
  async custom_metadata() {
    const metadata = new grpc.Metadata();
    metadata.set(initialKey, initialValue);
    metadata.set(trailingKey, trailingValue);
    checkMetadata(await largeUnary(plain, {}, metadata));
    checkMetadata(await exchange([[largeRequest, largeResponse]], metadata));
  },
  async status_code_and_message() {
    const message = 'test status message';
    await unaryEnds(message);
    const call = plain.FullDuplexCall();
    call.write({ response_status: { code: grpc.status.UNKNOWN, message } });
    call.end();
    await ends(call.toArray(), grpc.status.UNKNOWN, message);
  },
  special_status_message: () => unaryEnds('\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n'),
  unimplemented_method: () => ends(unary(plain, 'UnimplementedCall', {}), grpc.status.UNIMPLEMENTED),
  async unimplemented_service() {
    const client = connect(UnimplementedService);
    open.push(client);
    await ends(unary(client, 'UnimplementedCall', {}), grpc.status.UNIMPLEMENTED);
  },
  cancel_after_begin: () => ends(
    new Promise((resolve, reject) => {
      plain.StreamingInputCall((error, response) => (error ? reject(error) : resolve(response))).cancel();
    }),
    grpc.status.CANCELLED),
  async cancel_after_first_response() {
    const call = plain.FullDuplexCall();
    const incoming = call.iterator({ destroyOnReturn: false });
    call.write(request(requests[0], responses[0]));
    check((await incoming.next()).value?.payload, responses[0]);
    call.cancel();
    await ends(incoming.next(), grpc.status.CANCELLED);
  },
  async timeout_on_sleeping_server() {
    const call = plain.FullDuplexCall({ deadline: Date.now() + 1 });
    call.write(request(requests[0]));
    await ends(call.toArray(), grpc.status.DEADLINE_EXCEEDED);
  },
  rpc_soak: () => soak(() => largeUnary()),
  channel_soak: () => soak(async () => {
    const client = connect();
    await largeUnary(client);
    client.close();
  }),
};

const name = flags.test_case;
if (!Object.hasOwn(cases, name)) {
  console.error(`${name}: this client does not have the case`);
  process.exitCode = 2;
} else {
  try {
    const note = await cases[name]();
    if (typeof note === 'string') console.log(note);
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
}
open.forEach(client => client.close());
