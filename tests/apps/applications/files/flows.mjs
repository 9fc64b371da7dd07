import { createReadStream } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";

const FILE = "/tone.wav";
const SIZE = 200_000_000;
const CURL = ["--silent", "--show-error", "--fail", "--noproxy", "*"];

function digestOf(file) {
  return new Promise((resolve, reject) => {
    const hash = createHash("sha256");
    createReadStream(file).on("data", (chunk) => hash.update(chunk)).on("error", reject)
      .on("end", () => resolve(hash.digest("hex")));
  });
}

/** A part, by its digest. */
async function part(client, label, range, fields = {}) {
  const shape = (_, { bytes }) => `${bytes.length} ${createHash("sha256").update(bytes).digest("hex")}`;
  return client.probe(label, FILE, { fields: { Range: range, ...fields }, body: shape });
}

async function ranges(client) {
  await part(client, "the first bytes", "bytes=0-99");
  await part(client, "from the middle", "bytes=100000000-100000999");
  await part(client, "the last bytes", "bytes=-500");
  await part(client, "two parts", "bytes=0-9,100-109", { Accept: "*/*" }).catch((error) => client.see("two parts", error.message));
  await part(client, "behind the end", `bytes=${SIZE}-`);
  const head = await client.probe("HEAD", FILE, { method: "HEAD" });
  client.see("its length", head.field("content-length") ?? "none");
  const etag = head.field("etag") ?? "none";
  await part(client, "if it is still the same", "bytes=0-99", { "If-Range": etag });
  await part(client, "in pieces, by several", "bytes=4000000-4999999");
  await part(client, "in pieces, by several", "bytes=5000000-5999999");
}

async function whole(client) {
  const file = join(client.folder, "tone.wav");
  const format = "%{http_code} %{size_download}";
  const { out } = await client.must("curl", [...CURL, "--output", file, "--write-out", format, `${client.base}${FILE}`]);
  client.see("status and size", out);
  client.see("digest", await digestOf(file));
}

async function resumed(client) {
  const file = join(client.folder, "tone.wav");
  const address = `${client.base}${FILE}`;
  // Broken off after 30 MB, as by a lost connection.
  await client.must("sh", ["-c", `curl ${CURL.map((word) => `'${word}'`).join(" ")} "$1" | head -c 30000000 > "$2"; test -s "$2"`, "sh", address, file]);
  const format = "%{http_code} %{size_download}";
  const { out } = await client.must("curl", [...CURL, "--continue-at", "-", "--output", file, "--write-out", format, address]);
  client.see("status and size of the rest", out);
  client.see("digest", await digestOf(file));
}

async function media(client) {
  const { page, log } = await client.browse();
  await page.goto(`${client.base}/index.html`);
  const seen = await page.evaluate(async () => {
    const tone = document.querySelector("#tone");
    const once = (event) =>
      new Promise((resolve, reject) => {
        tone.addEventListener(event, resolve, { once: true });
        tone.addEventListener("error", () => reject(new Error(`media: ${tone.error?.message}`)), { once: true });
      });
    if (tone.readyState < 1) await once("loadedmetadata");
    const seen = { duration: Math.round(tone.duration), seekable: tone.seekable.length };
    for (const place of [1_500, 700, 2_200]) {
      const sought = once("seeked");
      tone.currentTime = place;
      await sought;
      if (tone.readyState < 2) await once("canplay");
    }
    const began = tone.currentTime;
    await tone.play();
    while (tone.currentTime < began + 0.3) await new Promise((resolve) => setTimeout(resolve, 20));
    tone.pause();
    return { ...seen, played: tone.currentTime > began };
  });
  client.see("media", seen);
  client.see("complaints", log.complaints);
}

async function text(client) {
  const digestOnly = (text) => createHash("sha256").update(text).digest("hex");
  for (const coding of ["gzip, deflate, br", "identity", "gzip"]) {
    await client.probe(`text for ${coding}`, "/text.txt", { fields: { "Accept-Encoding": coding }, body: digestOnly });
  }
  await client.probe("text for who names no coding", "/text.txt", { body: digestOnly });
  const { fields } = await client.http("/text.txt");
  const etag = fields.find(([name]) => name === "etag")?.[1] ?? "none";
  await client.probe("text, unchanged", "/text.txt", { fields: { "If-None-Match": etag } });
}

export const flows = {
  "ranges": ranges,
  "text, with and without gzip": text,
  "a browser's media element": media,
  "the whole file by curl": whole,
  "a download that is resumed": resumed,
};
