import grpc from '@grpc/grpc-js';
import { chunk, services, settings, user, writeAll } from './contract.js';

const ignoreEnd = () => {}; // a client that leaves ends its own call only

const streams = {
  GetUserList: call => writeAll(call, user, call.request.pageSize).then(() => call.end(), ignoreEnd),
  CreateUsers(call, answer) {
    let created = 0;
    call.on('data', () => created++).on('end', () => answer(null, { created })).on('error', ignoreEnd);
  },
  UploadFile(call, answer) {
    let total = 0;
    call.on('data', message => { total += message.data.length; });
    call.on('end', () => answer(null, { fileId: 'bench', totalSize: total })).on('error', ignoreEnd);
  },
};

const bench = {
  Download: call =>
    writeAll(call, chunk(call.request.chunkBytes), call.request.chunks).then(() => call.end(), ignoreEnd),
  Echo: (call, answer) => answer(null, call.request),
};

const rooms = new Map();

// Echoes in the room "echo"; in any other room every message with content goes to all members, the sender included. A publisher
// is not read on while a member's stream is full. The headers say that the call has joined its room.
function chat(call) {
  let room;
  call.on('data', message => {
    if (message.roomId === 'echo') {
      call.write(message);
      return;
    }
    if (!room) {
      room = rooms.get(message.roomId) ?? new Set();
      rooms.set(message.roomId, room.add(call));
      call.sendMetadata(new grpc.Metadata());
    }
    if (message.content === '') return;
    let full = 0;
    for (const member of room) {
      if (member.write(message)) continue;
      full++;
      member.once('drain', () => { if (--full === 0) call.resume(); });
    }
    if (full > 0) call.pause();
  });
  call.on('end', () => {
    room?.delete(call);
    call.end();
  });
  call.on('cancelled', () => room?.delete(call)).on('error', ignoreEnd);
}

export function serve(port) {
  const server = new grpc.Server(settings);
  server.addService(services.streams, streams);
  server.addService(services.chat, { Chat: chat });
  server.addService(services.bench, bench);
  server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), error => {
    if (error) throw error;
    console.log(`listening ${port}`);
  });
}
