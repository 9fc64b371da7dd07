// A sound of 200 MB, which a browser's media element plays: a PCM WAV of a tone, 16 bit, mono, 44,100 samples a second.

import { closeSync, existsSync, openSync, renameSync, statSync, utimesSync, writeSync } from "node:fs";
import { join } from "node:path";

const BYTES = 200_000_000;
const RATE = 44_100;
const HEAD = 44;
const file = join(process.argv[2], "site", "tone.wav");

if (!existsSync(file) || statSync(file).size !== BYTES) {
  const head = Buffer.alloc(HEAD);
  head.write("RIFF", 0);
  head.writeUInt32LE(BYTES - 8, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(RATE * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(BYTES - HEAD, 40);
  // Each block says where it is, so that a part that came from elsewhere does not look right.
  const block = Buffer.alloc(1_000_000);
  const partial = `${file}.partial`;
  const out = openSync(partial, "w");
  let written = writeSync(out, head);
  for (let at = 0; written < BYTES; at++) {
    for (let sample = 0; sample < block.length / 2; sample++) {
      block.writeInt16LE(Math.round(8_000 * Math.sin((sample * (at + 1)) / 40)), sample * 2);
    }
    written += writeSync(out, block, 0, Math.min(block.length, BYTES - written));
  }
  closeSync(out);
  // The same in each run: nginx makes the validators of it.
  utimesSync(partial, 1_767_225_600, 1_767_225_600);
  renameSync(partial, file);
}
for (const name of ["index.html", "text.txt"]) utimesSync(join(process.argv[2], "site", name), 1_767_225_600, 1_767_225_600);
