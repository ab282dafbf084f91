// Chat exchanges with k6's `k6/ws` module: one virtual user, one connection.
import ws from 'k6/ws';
import { closed, exchanges, interval, seconds, url } from './accounting.js';

export { handleSummary, options } from './accounting.js';

export default function () {
  const user = exchanges();
  ws.connect(url, null, function (socket) {
    function say() {
      socket.send(user.message());
    }
    socket.on('open', function () {
      if (closed) {
        say();
      } else {
        socket.setTimeout(function () {
          socket.setInterval(say, interval);
        }, 1 + Math.random() * interval);
      }
      socket.setTimeout(function () {
        socket.close();
      }, seconds * 1000);
    });
    socket.on('message', function (data) {
      if (user.took(data) && closed) {
        say();
      }
    });
  });
}
