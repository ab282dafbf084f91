// The same as exchanges_ws.js with k6's newer module, whose sockets share the event loop of their user.
import { WebSocket } from 'k6/experimental/websockets';
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
  let timer = null;
  const socket = new WebSocket(__ENV.URL);

  function say() {
    const id = `${__VU}-${(sequence += 1)}`;
    waiting[id] = Date.now();
    socket.send(JSON.stringify({ type: 'chat', id: id, message: text }));
  }

  socket.onopen = function () {
    if (rate > 0) {
      setTimeout(function () {
        timer = setInterval(say, (1000 * users) / rate);
      }, Math.random() * ((1000 * users) / rate));
    } else {
      say();
    }
    setTimeout(function () {
      if (timer !== null) {
        clearInterval(timer);
      }
      socket.close();
    }, seconds * 1000);
  };
  socket.onmessage = function (event) {
    const reply = JSON.parse(event.data);
    const sent = waiting[reply.id];
    if (sent === undefined || reply.type !== 'done') {
      failed.add(1);
      return;
    }
    delete waiting[reply.id];
    responseTime.add(Date.now() - sent);
    ok.add(1);
    if (rate === 0 && socket.readyState === 1) {
      say();
    }
  };
}
