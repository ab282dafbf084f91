// The coordinated-omission experiment with k6: 50 messages a second to a server that stands still once.
// EXECUTOR=closed: five users, each sends, waits for the reply, and sends again 100 ms after it sent.
// EXECUTOR=constant-arrival-rate: 50 iterations a second, each a connection with one message.
import ws from 'k6/ws';
import { Trend } from 'k6/metrics';

const users = Number(__ENV.USERS);
const seconds = Number(__ENV.SECONDS);
const rate = Number(__ENV.RATE);
const text = __ENV.MESSAGE;

const closed = {
  executor: 'per-vu-iterations',
  exec: 'closedLoop',
  vus: users,
  iterations: 1,
  maxDuration: `${seconds + 30}s`,
};
const arrivals = {
  executor: 'constant-arrival-rate',
  exec: 'arrival',
  rate: rate,
  timeUnit: '1s',
  duration: `${seconds}s`,
  preAllocatedVUs: 200,
};

export const options = {
  scenarios: { chat: __ENV.EXECUTOR === 'closed' ? closed : arrivals },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max', 'count'],
};

const replyTime = new Trend('chat_reply_time', true); // from sending the message
const iterationTime = new Trend('chat_iteration_time', true); // from the beginning of the iteration

function message(id) {
  return JSON.stringify({ type: 'chat', id: id, message: text });
}

export function arrival() {
  const began = Date.now();
  let sent = 0;
  ws.connect(__ENV.URL, null, function (socket) {
    socket.on('open', function () {
      sent = Date.now();
      socket.send(message(`${__VU}-${__ITER}`));
    });
    socket.on('message', function (data) {
      if (JSON.parse(data).type === 'done') {
        replyTime.add(Date.now() - sent);
        iterationTime.add(Date.now() - began);
        socket.close();
      }
    });
  });
}

export function closedLoop() {
  const interval = (1000 * users) / rate;
  let sequence = 0;
  let sent = 0;
  ws.connect(__ENV.URL, null, function (socket) {
    function say() {
      sent = Date.now();
      socket.send(message(`${__VU}-${(sequence += 1)}`));
    }
    socket.on('open', say);
    socket.on('message', function (data) {
      if (JSON.parse(data).type === 'done') {
        replyTime.add(Date.now() - sent);
        socket.setTimeout(say, Math.max(1, interval - (Date.now() - sent)));
      }
    });
    socket.setTimeout(function () {
      socket.close();
    }, seconds * 1000);
  });
}
