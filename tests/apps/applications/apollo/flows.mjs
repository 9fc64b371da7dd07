import { createHash } from "node:crypto";

import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";

const FILMS = gql`query Films($after: Int) { films(after: $after) { id title } }`;
const FILM = gql`query Film($id: ID!) { film(id: $id) { title year } }`;

/** A client with nothing in its own cache. `persisted`: sends the digest of a query first, by GET. */
function apollo(client, { persisted = false, ...options } = {}) {
  const http = new HttpLink({ uri: `${client.base}/graphql`, ...options });
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const link = persisted
    ? ApolloLink.from([new PersistedQueryLink({ sha256, useGETForHashedQueries: true }), http])
    : http;
  return new ApolloClient({ link, cache: new InMemoryCache(), defaultOptions: { query: { errorPolicy: "all" } } });
}

async function ask(client, label, made, query, variables) {
  const { data, error } = await made.query({ query, variables, fetchPolicy: "no-cache" });
  client.see(label, error ? String(error.message) : data);
}

async function byPost(client) {
  const made = apollo(client);
  await ask(client, "films", made, FILMS, { after: 1995 });
  await ask(client, "a film", made, FILM, { id: "3" });
  const say = gql`mutation Say($text: String!) { say(text: $text) }`;
  client.see("a mutation", (await made.mutate({ mutation: say, variables: { text: client.tag } })).data);
  await ask(client, "what it did", made, gql`{ said }`);
}

async function byGet(client) {
  const made = apollo(client, { useGETForQueries: true });
  await ask(client, "films", made, FILMS, { after: 1995 });
  await ask(client, "films once more", made, FILMS, { after: 1995 });
  await ask(client, "a film", made, FILM, { id: "3" });
  const signedIn = apollo(client, { useGETForQueries: true, headers: { Authorization: `of ${client.tag}` } });
  await ask(client, "one's own", signedIn, gql`{ me }`);
  await ask(client, "films, signed in", signedIn, FILMS, { after: 1995 });
}

async function persistedQueries(client) {
  // A query that the server has not seen before: refused, sent whole, remembered.
  const fresh = gql`query Own_${client.tag} { films(after: 1999) { title } }`;
  for (const label of ["unknown at first", "known by now"]) await ask(client, label, apollo(client, { persisted: true }), fresh);
  for (const id of ["1", "2"]) await ask(client, `film ${id}`, apollo(client, { persisted: true }), FILM, { id });
}

async function byHand(client) {
  const target = "/graphql?query=" + encodeURIComponent("{ films(after: 1998) { title } }");
  const json = { "Content-Type": "application/json" };
  await client.probe("a GET that says its type", target, { fields: json });
  await client.probe("a GET with a field against forgery", target, { fields: { "Apollo-Require-Preflight": "true" } });
  await client.probe("a GET that another site could send", target);
  await client.probe("a name of an operation", target, { fields: { "X-Apollo-Operation-Name": "films" } });
  await client.probe("a preflight", "/graphql", {
    method: "OPTIONS",
    fields: { Origin: "https://a.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type" },
  });
  const accept = { ...json, Accept: "application/graphql-response+json" };
  await client.probe("another media type", target, { fields: accept });
  await client.probe("a query that is wrong", "/graphql?query=%7Bnothing%7D", { fields: json });
}

export const flows = {
  "queries and a mutation by POST": byPost,
  "queries by GET": byGet,
  "persisted queries by GET": persistedQueries,
  "requests by hand": byHand,
};
