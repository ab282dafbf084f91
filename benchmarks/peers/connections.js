// Connections with k6: each iteration of a user opens one, and closes it as soon as it is open.
import ws from 'k6/ws';
import { Counter } from 'k6/metrics';

const users = Number(__ENV.USERS);
const iterations = Number(__ENV.CONNECTIONS) / users;

export const options = {
  scenarios: {
    connect: { executor: 'per-vu-iterations', vus: users, iterations: iterations, maxDuration: '120s' },
  },
};

const ok = new Counter('connection_ok');
const failed = new Counter('connection_failed');

export default function () {
  const response = ws.connect(__ENV.URL, null, function (socket) {
    socket.on('open', function () {
      socket.close();
    });
  });
  (response && response.status === 101 ? ok : failed).add(1);
}
