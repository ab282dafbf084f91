// The same as exchanges_ws.js with k6's newer module, whose sockets share the event loop of their user.
import { WebSocket } from 'k6/experimental/websockets';
import { closed, exchanges, interval, seconds, url } from './accounting.js';

export { handleSummary, options } from './accounting.js';

export default function () {
  const user = exchanges();
  const socket = new WebSocket(url);
  let timer = null;

  function say() {
    socket.send(user.message());
  }

  socket.onopen = function () {
    if (closed) {
      say();
    } else {
      setTimeout(function () {
        timer = setInterval(say, interval);
      }, Math.random() * interval);
    }
    setTimeout(function () {
      if (timer !== null) {
        clearInterval(timer);
      }
      socket.close();
    }, seconds * 1000);
  };
  socket.onmessage = function (event) {
    if (user.took(event.data) && closed && socket.readyState === 1) {
      say();
    }
  };
}
