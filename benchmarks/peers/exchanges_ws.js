// Chat exchanges with k6's `k6/ws` module: one virtual user, one connection. Full accounting: each reply is
// parsed, matched with its message by id, timed and counted.
import ws from 'k6/ws';
import { Counter, Trend } from 'k6/metrics';

const users = Number(__ENV.USERS);
const seconds = Number(__ENV.SECONDS);
const rate = Number(__ENV.RATE || 0); // messages per second of all users; 0 is the closed loop
const text = __ENV.MESSAGE;

export const options = {
  scenarios: {
    chat: { executor: 'per-vu-iterations', vus: users, iterations: 1, maxDuration: `${seconds + 30}s` },
  },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max', 'count'],
};

const responseTime = new Trend('chat_response_time', true);
const ok = new Counter('chat_ok');
const failed = new Counter('chat_failed');

export default function () {
  const waiting = {};
  let sequence = 0;
  ws.connect(__ENV.URL, null, function (socket) {
    function say() {
      const id = `${__VU}-${(sequence += 1)}`;
      waiting[id] = Date.now();
      socket.send(JSON.stringify({ type: 'chat', id: id, message: text }));
    }
    socket.on('open', function () {
      if (rate > 0) {
        socket.setTimeout(function () {
          socket.setInterval(say, (1000 * users) / rate);
        }, 1 + Math.random() * ((1000 * users) / rate));
      } else {
        say();
      }
      socket.setTimeout(function () {
        socket.close();
      }, seconds * 1000);
    });
    socket.on('message', function (data) {
      const reply = JSON.parse(data);
      const sent = waiting[reply.id];
      if (sent === undefined || reply.type !== 'done') {
        failed.add(1);
        return;
      }
      delete waiting[reply.id];
      responseTime.add(Date.now() - sent);
      ok.add(1);
      if (rate === 0) {
        say();
      }
    });
  });
}
