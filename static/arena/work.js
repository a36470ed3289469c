/* Looks for the number that a flooded arena asks for, and starts the battle with it. As a worker it only looks. */
"use strict";

const K = new Uint32Array(64);
const START = new Uint32Array(8);

/* The first bits of the roots of the first primes, as SHA-256 defines its constants. */
(function constants() {
  const fraction = (x) => Math.floor((x - Math.floor(x)) * 4294967296);
  for (let found = 0, n = 2; found < 64; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) if (n % d === 0) { prime = false; break; }
    if (!prime) continue;
    if (found < 8) START[found] = fraction(Math.sqrt(n));
    K[found] = fraction(Math.cbrt(n));
    found += 1;
  }
})();

const W = new Uint32Array(64);

function compress(state, bytes, at) {
  for (let i = 0; i < 16; i += 1, at += 4) W[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  for (let i = 16; i < 64; i += 1) {
    const x = W[i - 15], y = W[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[i] = (W[i - 16] + s0 + W[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

/* The blocks that stay are digested once; each number costs the last one or two. */
function seeker(challenge, bits) {
  const said = new TextEncoder().encode(challenge + "~");
  const whole = said.length - (said.length % 64);
  const before = Uint32Array.from(START);
  for (let at = 0; at < whole; at += 64) compress(before, said, at);
  const block = new Uint8Array(128);
  const state = new Uint32Array(8);
  const rest = said.length - whole;
  block.set(said.subarray(whole));
  return function isFound(number) {
    const digits = String(number);
    let end = rest;
    for (let i = 0; i < digits.length; i += 1) block[end++] = digits.charCodeAt(i);
    const length = (whole + end) * 8;
    block[end] = 0x80;
    const size = end + 9 <= 64 ? 64 : 128;
    block.fill(0, end + 1, size);
    for (let i = 0; i < 4; i += 1) block[size - 1 - i] = (length >>> (8 * i)) & 255;
    state.set(before);
    for (let at = 0; at < size; at += 64) compress(state, block, at);
    return bits <= 32 ? state[0] >>> (32 - bits) === 0 : false;
  };
}

const isWorker = typeof document === "undefined";

/* Tells how many it has tried, in slices so that it can be heard. */
function seek(challenge, bits, tell, slice) {
  const isFound = seeker(challenge, bits);
  let number = 0;
  (function some() {
    const until = performance.now() + slice;
    do {
      for (let i = 0; i < 256; i += 1, number += 1) if (isFound(number)) { tell({ found: String(number), tried: number + 1 }); return; }
    } while (performance.now() < until);
    tell({ tried: number });
    setTimeout(some, 0);
  })();
}

if (isWorker) {
  self.onmessage = (asked) => seek(asked.data.challenge, asked.data.bits, (said) => self.postMessage(said), 200);
} else {
  const begin = () => {
    const place = document.querySelector("[data-work]:not([data-begun])");
    if (!place) return;
    place.dataset.begun = "";
    const { challenge, bits, script, field, sender } = place.dataset;
    const input = document.querySelector(field);
    const bar = place.querySelector("progress");
    const wanted = 2 ** Number(bits);
    place.hidden = false;
    let isOver = false;
    const hear = (said) => {
      if (isOver) return;
      /* Of all that would have been found by now, the share: it comes near the end and never jumps back. */
      bar.value = 1 - Math.exp(-said.tried / wanted);
      if (said.found === undefined) return;
      isOver = true;
      bar.value = 1;
      input.value = challenge + "~" + said.found;
      /* Whoever sent a picture has to choose it anew; without them it would go without. */
      if (place.dataset.waits !== undefined) return;
      /* "Give me any" sends the same form to another address, and wants no prompt. */
      input.form.requestSubmit((sender && document.querySelector(sender)) || null);
    };
    const here = () => seek(challenge, Number(bits), hear, 8);
    try {
      const worker = new Worker(script);
      worker.onmessage = (said) => hear(said.data);
      worker.onerror = () => { worker.terminate(); here(); };
      worker.postMessage({ challenge, bits: Number(bits) });
    } catch {
      here();
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
  document.addEventListener("htmx:afterSettle", begin);
}
