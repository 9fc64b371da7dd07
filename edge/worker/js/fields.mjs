// Fields on their way between Rust and here: one string, a `name:value` line each.

/** `name:value` lines. */
export function lines(headers) {
  let text = "";
  for (const [name, value] of headers) text += `${name}:${value}\n`;
  return text;
}

export function fields(text) {
  const headers = new Headers();
  for (let start = 0; start < text.length; ) {
    const colon = text.indexOf(":", start);
    const end = text.indexOf("\n", colon);
    headers.append(text.slice(start, colon), text.slice(colon + 1, end));
    start = end + 1;
  }
  return headers;
}
