// What every chat script of k6 does for its virtual users: each reply is parsed, matched with its message by id,
// timed and counted. What a script adds is its module's way to open a socket and to keep time.
import { Counter, Trend } from 'k6/metrics';

const users = Number(__ENV.USERS);
const rate = Number(__ENV.RATE || 0); // messages per second of all users; 0 is the closed loop
const text = __ENV.MESSAGE;

export const url = __ENV.URL;
export const seconds = Number(__ENV.SECONDS);
export const closed = rate === 0;
export const interval = closed ? 0 : (1000 * users) / rate; // ms between the messages of one user

export const options = {
  scenarios: {
    chat: { executor: 'per-vu-iterations', vus: users, iterations: 1, maxDuration: `${seconds + 30}s` },
  },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max', 'count'],
};

const responseTime = new Trend('chat_response_time', true);
const ok = new Counter('chat_ok');
const failed = new Counter('chat_failed');

// The account of one user. message: the text of its next message; took: whether a text was the reply to one.
export function exchanges() {
  const waiting = {};
  let sequence = 0;
  return {
    message: function () {
      const id = `${__VU}-${(sequence += 1)}`;
      waiting[id] = Date.now();
      return JSON.stringify({ type: 'chat', id: id, message: text });
    },
    took: function (data) {
      const reply = JSON.parse(data);
      const sent = waiting[reply.id];
      if (sent === undefined || reply.type !== 'done') {
        failed.add(1);
        return false;
      }
      delete waiting[reply.id];
      responseTime.add(Date.now() - sent);
      ok.add(1);
      return true;
    },
  };
}

// The account of all users, as JSON on standard output.
export function handleSummary(data) {
  const count = function (name) {
    return data.metrics[name] ? data.metrics[name].values.count : 0;
  };
  return { stdout: JSON.stringify({ ok: count('chat_ok'), failed: count('chat_failed') }) };
}
