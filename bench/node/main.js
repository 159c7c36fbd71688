// bench-node measures streaming RPC with @grpc/grpc-js on the bench contract, with the same arguments and the same output as
// bench/Weir.Bench, so that any client runs against any server.
import { createInterface } from 'node:readline';
import { connect } from './contract.js';
import { serve } from './server.js';
import { rate, Round, workloads } from './workloads.js';

const rounds = 3;
const [mode, port, count, streams, perSecond] = process.argv.slice(2);
const number = (text, most) => (/^[1-9]\d*$/.test(text ?? '') && Number(text) <= most ? Number(text) : undefined);

// Three rounds of so many messages, or for "-" one for each line of standard input.
async function* counts() {
  if (count !== '-') {
    for (let i = 0; i < rounds; i++) yield Number(count);
    return;
  }
  for await (const line of createInterface({ input: process.stdin })) yield Number(line);
}

const workload = mode === 'rate' ? number(perSecond, 2 ** 30) && rate(Number(perSecond)) : workloads[mode];
if (mode === 'server' && number(port, 65_535)) {
  serve(Number(port));
} else if (workload && number(port, 65_535) && (count === '-' || number(count, 2 ** 30)) && number(streams, 100_000)) {
  const clients = connect(port);
  for await (const messages of counts()) {
    const round = new Round(clients, port, messages, Number(streams));
    await workload(round);
    console.log(round.report(mode));
  }
  clients.close();
} else {
  console.error(`usage: main.js server PORT | main.js ${Object.keys(workloads).join('|')} PORT N STREAMS | main.js rate PORT N STREAMS PER_SECOND`);
  process.exitCode = 2;
}
