// A GraphQL server with cache hints, persisted queries and the check against cross-site requests, all as Apollo has them by
// default.

import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginCacheControl } from "@apollo/server/plugin/cacheControl";
import { expressMiddleware } from "@as-integrations/express5";
import cors from "cors";
import express from "express";

const typeDefs = `#graphql
  enum CacheControlScope { PUBLIC PRIVATE }
  directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION

  type Film @cacheControl(maxAge: 600) { id: ID!, title: String!, year: Int! }
  type Query {
    films(after: Int): [Film!]! @cacheControl(maxAge: 600)
    film(id: ID!): Film @cacheControl(maxAge: 600)
    me: String @cacheControl(maxAge: 600, scope: PRIVATE)
    said: [String!]!
  }
  type Mutation { say(text: String!): Int! }
`;

const films = Array.from({ length: 20 }, (_, at) => ({ id: String(at + 1), title: `Film ${at + 1}`, year: 1981 + at }));
const said = [];
const resolvers = {
  Query: {
    films: (_, { after }) => films.filter(({ year }) => year > (after ?? 0)),
    film: (_, { id }) => films.find((film) => film.id === id),
    me: (_, __, { user }) => user,
    said: () => said.slice(-1),
  },
  Mutation: { say: (_, { text }) => said.push(text) && text.length },
};

const server = new ApolloServer({
  typeDefs,
  resolvers,
  plugins: [ApolloServerPluginCacheControl({ calculateHttpHeaders: true })],
});
await server.start();
const app = express();
app.use(
  "/graphql",
  cors(),
  express.json(),
  expressMiddleware(server, { context: async ({ req }) => ({ user: req.get("Authorization") ?? null }) }),
);
app.listen(Number(process.env.PORT), "127.0.0.1");
