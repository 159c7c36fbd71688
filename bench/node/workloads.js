import { chatMessage, chunk, chunkBytes, connect, largeBytes, sizeOf, user, writeAll } from './contract.js';

const expect = (what, wanted, actual) => {
  if (wanted !== Number(actual)) throw new Error(`${what}: ${actual}, expected ${wanted}`);
};

// One measured run: what to do, and the sums of what its streams did.
export class Round {
  #start = process.hrtime.bigint();
  #cpu = process.cpuUsage();
  #messages = 0;
  #bytes = 0;
  #first = 0;
  remark = ''; // what the workload adds to the round's line

  constructor(clients, port, count, width) {
    Object.assign(this, { clients, port, count, width });
  }

  #seconds() { return Number(process.hrtime.bigint() - this.#start) / 1e9; }

  spread(body) {
    const share = index => Math.floor(this.count / this.width) + (index < this.count % this.width ? 1 : 0);
    return Promise.all(Array.from({ length: this.width }, (_, index) => body(share(index))));
  }

  answered() { if (this.#first === 0) this.#first = this.#seconds(); }

  done(messages, messageBytes) {
    this.#messages += messages;
    this.#bytes += messages * messageBytes;
  }

  report(mode) {
    const wall = this.#seconds();
    const { user: userMicros, system } = process.cpuUsage(this.#cpu);
    return `${mode} streams=${this.width} n=${this.#messages} ${wall.toFixed(2)}s ${(this.#messages / wall).toFixed(0)} msg/s `
      + `${(this.#bytes / wall / 1e6).toFixed(0)} MB/s ttf=${(this.#first * 1e3).toFixed(1)}ms `
      + `clientcpu=${((userMicros + system) / 1e6 / wall).toFixed(2)}${this.remark}`;
  }
}

// A call's answers counted by each; resolves at its end.
const readAll = (call, each) => new Promise((resolve, reject) => {
  call.on('data', each).on('end', resolve).on('error', reject);
});

const list = round => round.spread(async share => {
  let received = 0;
  await readAll(round.clients.streams.GetUserList({ pageSize: share }), () => {
    if (received++ === 0) round.answered();
  });
  expect('users received', share, received);
  round.done(received, sizeOf('User', user));
});

// Opens a client stream, sends all of it and gives the answer.
const send = (round, method, message, share) => new Promise((resolve, reject) => {
  const call = method((error, answer) => {
    if (error) return reject(error);
    round.answered();
    resolve(answer);
  });
  writeAll(call, message, share).then(() => call.end(), reject);
});

const create = round => round.spread(async share => {
  const answer = await send(round, done => round.clients.streams.CreateUsers(done), user, share);
  expect('users counted by the server', share, answer.created);
  round.done(share, sizeOf('User', user));
});

const upload = round => round.spread(async share => {
  const answer = await send(round, done => round.clients.streams.UploadFile(done), chunk(chunkBytes), share);
  expect('bytes counted by the server', share * chunkBytes, answer.totalSize);
  round.done(share, chunkBytes);
});

const download = size => round => round.spread(async share => {
  let total = 0;
  await readAll(round.clients.bench.Download({ chunks: share, chunkBytes: size }), message => {
    round.answered();
    total += message.data.length;
  });
  expect('bytes received', share * size, total);
  round.done(share, size);
});

const unary = round => round.spread(async share => {
  const message = chatMessage('echo');
  const call = () => new Promise((resolve, reject) => {
    round.clients.bench.Echo(message, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
  for (let i = 0; i < share; i++) {
    await call();
    round.answered();
  }
  round.done(share, sizeOf('ChatMessage', message));
});

async function pingOne(round, clients, share) {
  const message = chatMessage('echo');
  const call = clients.chat.Chat();
  let answers = 0;
  const next = () => (answers < share ? call.write(message) : call.end());
  next();
  await readAll(call, () => {
    answers++;
    round.answered();
    next();
  });
  expect('answers', share, answers);
  round.done(share, sizeOf('ChatMessage', message));
}

const ping = round => round.spread(share => pingOne(round, round.clients, share));

// A connection a stream, opened and closed within the round.
const conns = round => round.spread(async share => {
  const clients = connect(round.port);
  await pingOne(round, clients, share);
  clients.close();
});

// Every stream joins one room, then the first one sends count messages to all of them.
async function fan(round) {
  const message = chatMessage(`fan-${process.hrtime.bigint()}`);
  const members = Array.from({ length: round.width }, () => round.clients.chat.Chat());
  await Promise.all(members.map(call => new Promise((resolve, reject) => {
    call.once('metadata', resolve).once('error', reject);
    call.write({ userId: message.userId, roomId: message.roomId });
  })));
  const received = members.map(async call => {
    let messages = 0;
    await readAll(call, () => {
      round.answered();
      if (++messages === round.count) call.end();
    });
    expect('messages of a member', round.count, messages);
    round.done(messages, sizeOf('ChatMessage', message));
  });
  await Promise.all([writeAll(members[0], message, round.count), ...received]);
}

// Pings at a fixed rate, each sent when its time has come whether or not earlier ones are answered; a latency counts from that time, so a stall counts
// for every ping that it holds up. Pings go to the streams in turn: the k-th answer of a stream belongs to its k-th ping. Between two looks at the
// clock the loop turns once. Every stream has been opened by a ping of its own before, which does not count.
export const rate = perSecond => async round => {
  const message = chatMessage('echo');
  const calls = Array.from({ length: round.width }, () => round.clients.chat.Chat());
  await Promise.all(calls.map(call => new Promise((resolve, reject) => {
    call.once('data', resolve).once('error', reject);
    call.write(message);
  })));
  round.answered();
  const latencies = new Float64Array(round.count); // milliseconds
  const start = performance.now();
  const due = ping => ping * 1000 / perSecond;
  let last = 0;
  const received = calls.map(async (call, stream) => {
    let ping = stream;
    await readAll(call, () => {
      last = performance.now() - start;
      latencies[ping] = last - due(ping);
      ping += round.width;
      if (ping >= round.count) call.end();
    });
    if (ping < round.count) throw new Error('a stream ended before its last answer');
  });
  let next = 0;
  const send = () => {
    for (const now = performance.now() - start; next < round.count && due(next) <= now; next++) calls[next % round.width].write(message);
    if (next < round.count) setImmediate(send);
  };
  send();
  await Promise.all(received);
  round.done(round.count, sizeOf('ChatMessage', message));
  latencies.sort();
  const at = share => (latencies[Math.ceil(share * round.count) - 1] * 1000).toFixed(0);
  round.remark = ` kept=${(round.count / last * 1000).toFixed(0)}/s p50=${at(0.5)}us p99=${at(0.99)}us p99.9=${at(0.999)}us max=${at(1)}us`;
};

export const workloads = {
  list, create, upload, download: download(chunkBytes), large: download(largeBytes), unary, ping, conns, fan,
};
